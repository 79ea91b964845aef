"""The oracle: what the registry must do with a transaction, as a pure function.

`apply` says the exact events (so the exact entries and the checkpoint) or the exact revert.
Policies go through `registry.core.lifecycle`, whose table, words of refusal and reading of
entries must agree with each other on every act, or `Disagreement` is raised. Malformed
calldata and gas are not modelled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from registry.core import lifecycle
from registry.core.authority import decode_code
from registry.core.calendar import NO_DATE
from registry.core.digest import ZERO_DIGEST
from registry.core.entry import Action, Entry
from registry.core.lifecycle import UNPUBLISHED, PolicyState
from registry.core.policy import PolicyKey
from registry.core.units import Address, Day, Digest, EntryIndex, UnixSeconds
from registry.errors import Inconsistent, Rejected
from tests.differential import roles
from tests.differential.accounts import Deployment, Submission, is_signed, submissions_digest
from tests.differential.state import ADMIN, Refused, State
from tests.differential.wire import Outcome

OF_THE_LIFECYCLE = {
    "SequenceMismatch", "InvalidTransition", "DocumentRequired", "DocumentForbidden",
    "ManifestRequired",
}  # fmt: skip
"""What is refused for the policy's own sake, whoever asks."""

ADMIN_DELAY = 3600
_ACTIONS = {int(action): action for action in Action}


class Disagreement(AssertionError):
    """Two parts of the Python core answer differently about the same act."""


@dataclass(frozen=True)
class Transaction:
    """One call of the registry. `time` is its block's; arguments are in the ABI's order."""

    sender: bytes
    time: int
    function: str
    arguments: tuple[Any, ...] = ()

    @property
    def submissions(self) -> list[Submission] | None:
        """None where it is no act on policies."""
        return self.arguments[0] if self.function in RECORDING else None


def deploy(deployment: Deployment, admin: bytes, time: int) -> tuple[State, Outcome]:
    """The registry as its constructor leaves it: the administrator's appointment is entry 0."""
    wallets = {deployment.wallet}
    state = State(deployment.registry, wallets, UnixSeconds(time), delay=ADMIN_DELAY)
    roles.give(state, deployment.deployer, ADMIN, admin)
    return state, _checkpointed(state, 0)


def apply(state: State, transaction: Transaction) -> tuple[State, Outcome, Refused | None]:
    """The registry afterwards, and what the transaction did; `state` itself is left as it is."""
    after = state.at(transaction.time)
    act = _FUNCTIONS[transaction.function]
    try:
        act(after, transaction.sender, *transaction.arguments)
    except Refused as refused:
        return state, Outcome(refused.data, ()), refused
    return after, _checkpointed(after, state.frontier.size), None


def _checkpointed(state: State, size: int) -> Outcome:
    """Its events, the last of which is the checkpoint where anything was appended."""
    if state.frontier.size != size:
        state.emit("Checkpoint", state.frontier.size, state.frontier.root())
    return Outcome(None, tuple(state.logs))


def _record(
    state: State, registrar: bytes, submissions: list[Submission], contents: list[bytes]
) -> None:
    state.require_open_log()
    if not submissions:
        raise Refused("EmptyBatch")
    if contents and len(contents) != len(submissions):
        raise Refused("LengthMismatch", len(submissions), len(contents))
    given = contents or [b""] * len(submissions)
    for position, (submission, content) in enumerate(zip(submissions, given, strict=True)):
        try:
            _act_on_policy(state, registrar, submission)
            state.publish_manifest(submission[6], content)
        except Refused as refused:
            refused.position = position
            raise


def _record_by_signature(
    state: State,
    _relayer: bytes,
    submissions: list[Submission],
    contents: list[bytes],
    registrar: bytes,
    deadline: int,
    signature: bytes,
) -> None:
    if state.now > deadline:
        raise Refused("SignatureExpired", deadline, state.now)
    digest = submissions_digest(state.registry, submissions, registrar, deadline)
    if not is_signed(state.wallets, registrar, digest, signature):
        raise Refused("SignatureInvalid", registrar)
    _record(state, registrar, submissions, contents)


def _act_on_policy(state: State, registrar: bytes, submission: Submission) -> None:
    authority, number, sequence, action, effective_on, document, manifest = submission
    if authority[31] != 0:
        raise Refused("InvalidAuthorityCode", authority)
    state.require_role(roles.registrar_role(authority), registrar)
    key = PolicyKey(decode_code(authority), Digest(number))
    before = state.policies.get(key, UNPUBLISHED)
    refused = lifecycle_refusal(before, submission)
    if action not in _ACTIONS:
        assert refused is not None
        raise refused
    entry = Entry(
        index=EntryIndex(state.frontier.size),
        previous=before.head,
        authority=key.authority,
        number=key.number_hash,
        sequence=sequence,
        action=_ACTIONS[action],
        effective_on=None if effective_on == NO_DATE else Day(effective_on),
        document=None if document == ZERO_DIGEST else Digest(document),
        manifest=None if manifest == ZERO_DIGEST else Digest(manifest),
        registrar=Address(registrar),
        recorded_at=state.now,
    )
    _require_agreement(before, entry, refused)
    if refused is not None:
        raise refused
    state.policies[key] = lifecycle.advance(before, entry)
    state.append(entry)


def lifecycle_refusal(before: PolicyState, submission: Submission) -> Refused | None:
    """Why the policy itself can not take this act, by the core's table."""
    authority, number, sequence, given, _, document, manifest = submission
    policy = (authority, number)
    action = _ACTIONS.get(given)
    if sequence != before.sequence + 1:
        return Refused("SequenceMismatch", *policy, before.sequence + 1, sequence)
    if action not in lifecycle.TRANSITIONS or before.status not in lifecycle.TRANSITIONS[action][0]:
        return Refused("InvalidTransition", *policy, before.status, given)
    if action.carries_document and document == ZERO_DIGEST:
        return Refused("DocumentRequired", *policy, action)
    if not action.carries_document and document != ZERO_DIGEST:
        return Refused("DocumentForbidden", *policy, action, document)
    if manifest == ZERO_DIGEST:
        return Refused("ManifestRequired", *policy)
    return None


def _require_agreement(before: PolicyState, entry: Entry, refused: Refused | None) -> None:
    """`check` and `advance` refuse exactly what the table refuses. Neither knows manifests."""
    error = refused.error if refused else None
    if (error in OF_THE_LIFECYCLE - {"ManifestRequired"}) != _advance_refuses(before, entry):
        raise Disagreement(f"advance() of {before} by {entry}: the table says {error}")
    if entry.action.on_policy and error != "SequenceMismatch":
        try:
            lifecycle.check(before, entry.action, "the policy")
            is_checked = True
        except Rejected:
            is_checked = False
        if is_checked == (error == "InvalidTransition"):
            raise Disagreement(f"check() of {before} for {entry.action}: the table says {error}")


def _advance_refuses(before: PolicyState, entry: Entry) -> bool:
    try:
        lifecycle.advance(before, entry)
    except Inconsistent:
        return True
    return False


RECORDING: dict[str, Callable[..., None]] = {
    "record": _record,
    "recordBySignature": _record_by_signature,
}
AUTHORITIES: dict[str, Callable[..., None]] = {
    "openAuthority": roles.open_authority,
    "setProfile": roles.set_profile,
    "reportCompromised": roles.report_compromised,
    "grantRole": roles.grant_role,
    "revokeRole": roles.revoke_role,
    "renounceRole": roles.renounce_role,
    "retire": roles.retire,
    "acceptDefaultAdminTransfer": roles.accept_transfer,
}
"""Each call of these tries one act."""
SCHEDULING: dict[str, Callable[..., None]] = {
    "beginDefaultAdminTransfer": roles.begin_transfer,
    "cancelDefaultAdminTransfer": roles.cancel_transfer,
    "changeDefaultAdminDelay": roles.change_delay,
    "rollbackDefaultAdminDelay": roles.rollback_delay,
}
"""These change what is possible later, and append nothing."""
_FUNCTIONS = RECORDING | AUTHORITIES | SCHEDULING
