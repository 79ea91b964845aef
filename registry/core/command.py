"""Who might act when, followed from the log alone.

Every entry names who acted, and every change of a role is an entry before it, so the log
itself says whether they might. `ChainOfCommand` follows entries in order and raises
Inconsistent at one that the contract's rules do not let its account write: a contract whose
deployer planted a role outside the log is found out by its first use.

What no entry tells it does not say: to whom the administrator's role was offered (the contract
lets nobody offer it but the administrator), and to whom a wallet's owners gave its keys.
"""

from __future__ import annotations

from collections.abc import Iterable

from registry.core.authority import ROOT, Role, parent
from registry.core.entry import Action, Entry
from registry.core.units import Address
from registry.errors import Inconsistent

Held = tuple[str, Address, Role]
"""A role of an authority that an account has."""

_CHANGES: dict[Action, tuple[Role, bool]] = {
    Action.APPOINT_ADMIN: (Role.ADMIN, True),
    Action.DISMISS_ADMIN: (Role.ADMIN, False),
    Action.APPOINT_REGISTRAR: (Role.REGISTRAR, True),
    Action.DISMISS_REGISTRAR: (Role.REGISTRAR, False),
    Action.APPOINT_CONTROLLER: (Role.CONTROLLER, True),
    Action.DISMISS_CONTROLLER: (Role.CONTROLLER, False),
}
_HINT = "do not rely on this registry, and tell others: its contract gives roles outside its log"


def role_change(action: Action) -> tuple[Role, bool] | None:
    """For an act that changes a role: which, and whether it is given or taken."""
    return _CHANGES.get(action)


def concerned(entry: Entry) -> set[str]:
    """The authorities whose roles decide whether `entry` may stand; "" is the registry itself."""
    return {entry.authority, parent(entry.authority)}


class ChainOfCommand:
    """The roles that stand, and the authorities that are open, at one place in the log.

    Started with those of the authorities that are `concerned` and with the log's last entry, it
    goes on from there; started with nothing, it wants the log from its first entry.
    """

    def __init__(
        self, held: Iterable[Held] = (), opened: Iterable[str] = (), last: Entry | None = None
    ) -> None:
        self._held = set(held)
        self._opened = set(opened)
        self._last = last

    def follow(self, entry: Entry) -> None:
        """Go on by one entry. Raises Inconsistent where its account might not write it."""
        if not self._may(entry):
            raise Inconsistent(
                f"entry {entry.index} ({entry.action.word}) is by 0x{entry.registrar.hex()}, who "
                f"the log does not entitle to it for {entry.authority or 'the registry itself'}",
                hint=_HINT,
            )
        self._last = entry
        if entry.action is Action.OPEN_AUTHORITY:
            self._opened.add(entry.authority)
        change = _CHANGES.get(entry.action)
        if change is not None:
            role, given = change
            held = (entry.authority, Address(entry.number[12:]), role)
            (self._held.add if given else self._held.discard)(held)

    def _may(self, entry: Entry) -> bool:
        code, actor = entry.authority, entry.registrar
        if entry.action is not Action.APPOINT_ADMIN and self._is_succeeded():
            return False
        if entry.action.on_policy:
            return (code, actor, Role.REGISTRAR) in self._held
        account = Address(entry.number[12:])
        match entry.action:
            case Action.OPEN_AUTHORITY:
                above = parent(code)
                open_above = above == ROOT or above in self._opened
                return open_above and code not in self._opened and self._directs(code, actor)
            case Action.SET_PROFILE:
                return self._controls(code, actor)
            case Action.APPOINT_CONTROLLER:
                return code in self._opened and self._directs(code, actor)
            case Action.APPOINT_REGISTRAR:
                return code in self._opened and self._controls(code, actor)
            case Action.DISMISS_CONTROLLER:
                held = (code, account, Role.CONTROLLER) in self._held
                return held and (actor == account or self._directs(code, actor))
            case Action.DISMISS_REGISTRAR:
                held = (code, account, Role.REGISTRAR) in self._held
                return held and (actor == account or self._controls(code, actor))
            case Action.REPORT_COMPROMISE:
                # The entry does not say which of the account's two roles is meant.
                entitled = self._controls(code, actor) or self._directs(code, actor)
                return code in self._opened and entitled
            case Action.APPOINT_ADMIN:
                return entry.index == 0 or (actor == account and self._made_way(actor))
            case Action.DISMISS_ADMIN:
                # By oneself, or by the successor, whom the next entry appoints.
                return (ROOT, account, Role.ADMIN) in self._held
            case _:
                return (ROOT, actor, Role.ADMIN) in self._held

    def _made_way(self, actor: Address) -> bool:
        """Whether the entry before dismissed the administrator, by the same account."""
        last = self._last
        return last is not None and last.action is Action.DISMISS_ADMIN and last.registrar == actor

    def _is_succeeded(self) -> bool:
        """Whether the entry before is one that only its successor's appointment may follow."""
        last = self._last
        dismissed = last is not None and last.action is Action.DISMISS_ADMIN
        return dismissed and last is not None and last.registrar != last.number[12:]

    def _controls(self, code: str, account: Address) -> bool:
        return (code, account, Role.CONTROLLER) in self._held

    def _directs(self, code: str, account: Address) -> bool:
        """Whether the account may appoint controllers of `code`."""
        above = parent(code)
        role = Role.CONTROLLER if above != ROOT else Role.ADMIN
        return (above, account, role) in self._held
