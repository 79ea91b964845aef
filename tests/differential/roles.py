"""Who may do what: the authorities' half of the model, from the design's words.

An authority's controllers appoint its registrars and open authorities below it; the
controllers of the authority above, or the administrator where there is none, appoint its
controllers. The administrator changes in two steps with a delay between them, as
OpenZeppelin's AccessControlDefaultAdminRules documents it. Each function changes the state
it is given, or raises Refused; `model.apply` throws that state away then.
"""

from __future__ import annotations

from registry.core.authority import decode_code
from registry.core.digest import ZERO_DIGEST
from registry.core.entry import Action
from registry.errors import InputError
from tests.differential.accounts import NOBODY
from tests.differential.state import ADMIN, Refused, State

_REGISTRAR, _CONTROLLER = 1, 2
LONGEST_WAIT = 5 * 24 * 3600
"""A longer delay comes into force after this many seconds at the latest."""


def registrar_role(code: bytes) -> bytes:
    return code[:31] + bytes([_REGISTRAR])


def controller_role(code: bytes) -> bytes:
    return code[:31] + bytes([_CONTROLLER])


def code_of(role: bytes) -> bytes:
    """The authority that a role belongs to."""
    code = role[:31] + b"\0"
    if code == ADMIN or role[31] not in (_REGISTRAR, _CONTROLLER):
        raise Refused("UnknownRole", role)
    return code


def parent_of(code: bytes) -> bytes | None:
    above = code[:31].rpartition(b".")[0]
    return above.ljust(32, b"\0") if above else None


def administrator_of(role: bytes) -> bytes:
    """The role whose holders give and take `role`."""
    if role == ADMIN:
        return ADMIN
    code = code_of(role)
    if role[31] == _REGISTRAR:
        return controller_role(code)
    above = parent_of(code)
    return ADMIN if above is None else controller_role(above)


def open_authority(
    state: State, sender: bytes, code: bytes, controller: bytes, manifest: bytes, content: bytes
) -> None:
    try:
        well_formed = decode_code(code) != ""
    except InputError:
        well_formed = False
    if not well_formed:
        raise Refused("InvalidAuthorityCode", code)
    above = parent_of(code)
    if above is not None:
        _require_open(state, above)
    state.require_role(administrator_of(controller_role(code)), sender)
    if code in state.opened:
        raise Refused("AuthorityAlreadyOpen", code)
    state.append_act(code, b"", Action.OPEN_AUTHORITY, sender, manifest=manifest)
    state.opened.add(code)
    state.publish_manifest(manifest, content)
    give(state, sender, controller_role(code), controller)


def set_profile(state: State, sender: bytes, code: bytes, manifest: bytes, content: bytes) -> None:
    _require_open(state, code)
    state.require_role(controller_role(code), sender)
    if manifest == ZERO_DIGEST:
        raise Refused("ManifestRequired", code, ZERO_DIGEST)
    state.append_act(code, b"", Action.SET_PROFILE, sender, manifest=manifest)
    state.publish_manifest(manifest, content)


def report_compromised(
    state: State, sender: bytes, role: bytes, account: bytes, since: int
) -> None:
    code = code_of(role)
    _require_open(state, code)
    state.require_role(administrator_of(role), sender)
    if account == NOBODY:
        raise Refused("InvalidAccount", account)
    if since > state.now:
        raise Refused("CompromiseInFuture", since, state.now)
    word = since.to_bytes(32, "big")
    state.append_act(code, account, Action.REPORT_COMPROMISE, sender, document=word)
    take(state, sender, role, account)


def grant_role(state: State, sender: bytes, role: bytes, account: bytes) -> None:
    if role == ADMIN:
        raise Refused("AccessControlEnforcedDefaultAdminRules")
    state.require_role(administrator_of(role), sender)
    give(state, sender, role, account)


def revoke_role(state: State, sender: bytes, role: bytes, account: bytes) -> None:
    if role == ADMIN:
        raise Refused("AccessControlEnforcedDefaultAdminRules")
    state.require_role(administrator_of(role), sender)
    take(state, sender, role, account)


def renounce_role(state: State, sender: bytes, role: bytes, account: bytes) -> None:
    """The administrator must have begun a transfer to nobody, and waited for its schedule."""
    if role == ADMIN and account == state.admin:
        if state.next_admin != NOBODY or not _has_passed(state, state.admin_schedule):
            raise Refused("AccessControlEnforcedDefaultAdminDelay", state.admin_schedule)
        state.admin_schedule = 0
    if account != sender:
        raise Refused("AccessControlBadConfirmation")
    take(state, sender, role, account)


def retire(state: State, sender: bytes, successor: bytes) -> None:
    state.require_role(ADMIN, sender)
    state.append_act(ADMIN, successor, Action.RETIRE, sender)
    state.successor = successor


def begin_transfer(state: State, sender: bytes, account: bytes) -> None:
    state.require_role(ADMIN, sender)
    schedule = state.now + delay_in_force(state)
    _schedule_admin(state, account, schedule)
    state.emit("DefaultAdminTransferScheduled", account, schedule)


def cancel_transfer(state: State, sender: bytes) -> None:
    state.require_role(ADMIN, sender)
    _schedule_admin(state, NOBODY, 0)


def accept_transfer(state: State, sender: bytes) -> None:
    if sender != state.next_admin:
        raise Refused("AccessControlInvalidDefaultAdmin", sender)
    if not _has_passed(state, state.admin_schedule):
        raise Refused("AccessControlEnforcedDefaultAdminDelay", state.admin_schedule)
    take(state, sender, ADMIN, state.admin)
    give(state, sender, ADMIN, sender)
    state.next_admin, state.admin_schedule = NOBODY, 0


def change_delay(state: State, sender: bytes, delay: int) -> None:
    """A shorter delay waits out the difference, a longer one itself, but for the longest wait."""
    state.require_role(ADMIN, sender)
    now = delay_in_force(state)
    wait = min(delay, LONGEST_WAIT) if delay > now else now - delay
    _schedule_delay(state, delay, state.now + wait)
    state.emit("DefaultAdminDelayChangeScheduled", delay, state.now + wait)


def rollback_delay(state: State, sender: bytes) -> None:
    state.require_role(ADMIN, sender)
    _schedule_delay(state, 0, 0)


def delay_in_force(state: State) -> int:
    """Seconds between the two steps of a transfer that begins now."""
    return state.next_delay if _has_passed(state, state.delay_schedule) else state.delay


def give(state: State, sender: bytes, role: bytes, account: bytes) -> None:
    """One entry and one event, unless the account has the role."""
    if account == NOBODY:
        raise Refused("InvalidAccount", account)
    if role == ADMIN:
        state.admin = account
    else:
        _require_open(state, code_of(role))
    if (role, account) in state.roles:
        return
    state.roles.add((role, account))
    state.emit("RoleGranted", role, account, sender)
    _append_change(
        state, sender, role, account,
        (Action.APPOINT_ADMIN, Action.APPOINT_REGISTRAR, Action.APPOINT_CONTROLLER),
    )  # fmt: skip


def take(state: State, sender: bytes, role: bytes, account: bytes) -> None:
    """One entry and one event, unless the account does not have the role."""
    if role == ADMIN and account == state.admin:
        state.admin = NOBODY
    if (role, account) not in state.roles:
        return
    state.roles.remove((role, account))
    state.emit("RoleRevoked", role, account, sender)
    _append_change(
        state, sender, role, account,
        (Action.DISMISS_ADMIN, Action.DISMISS_REGISTRAR, Action.DISMISS_CONTROLLER),
    )  # fmt: skip


def _append_change(
    state: State, sender: bytes, role: bytes, account: bytes, actions: tuple[Action, Action, Action]
) -> None:
    code = ADMIN if role == ADMIN else code_of(role)
    state.append_act(code, account, actions[role[31]], sender)


def _require_open(state: State, code: bytes) -> None:
    if code not in state.opened:
        raise Refused("AuthorityNotOpen", code)


def _has_passed(state: State, schedule: int) -> bool:
    return 0 != schedule < state.now


def _schedule_admin(state: State, account: bytes, schedule: int) -> None:
    if state.admin_schedule != 0:
        state.emit("DefaultAdminTransferCanceled")
    state.next_admin, state.admin_schedule = account, schedule


def _schedule_delay(state: State, delay: int, schedule: int) -> None:
    """What was scheduled before is in force by now, or comes to nothing."""
    if _has_passed(state, state.delay_schedule):
        state.delay = state.next_delay
    elif state.delay_schedule != 0:
        state.emit("DefaultAdminDelayChangeCanceled")
    state.next_delay, state.delay_schedule = delay, schedule
