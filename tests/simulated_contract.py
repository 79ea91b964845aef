"""The registry's contract in memory: what it accepts, and the logs that it emits for it.

A `Contract` is its state after a block and is never changed: `after` gives the next one, so
that a chain may go back to any state. Entries are the product's 352 bytes, roots those of
`core.merkle`; who may act when is followed by `core.command`, as the contract would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from types import MappingProxyType

from registry.chain.events import CHECKPOINT, MANIFEST_PUBLISHED, RECORDED
from registry.core.calendar import parse_day
from registry.core.command import ChainOfCommand, role_change
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action, Entry
from registry.core.feed import Recorded
from registry.core.lifecycle import TRANSITIONS, UNPUBLISHED, PolicyState, advance
from registry.core.manifest import profile
from registry.core.merkle import Frontier
from registry.core.policy import PolicyKey, policy_key
from registry.core.submission import Submission
from registry.core.units import Address, Digest, EntryIndex, UnixSeconds
from registry.errors import Inconsistent

ADDRESS = Address(b"\x11" * 20)
OFFICER = Address(b"\7" * 20)
AUTHORITY = "CN.GD"
_DAY = parse_day("2020-01-01")


class Refused(Exception):
    """The contract would revert."""


@dataclass(frozen=True)
class Act:
    """One act as it is submitted. It stays the same wherever it is mined, or not at all."""

    action: Action
    authority: str
    # a policy's number, or an account
    subject: str
    sequence: int = 1
    with_manifest: bool = True

    @property
    def number(self) -> Digest:
        """What stands in the entry."""
        if self.action.on_policy:
            return policy_key(self.authority, self.subject).number_hash
        if self.action in (Action.OPEN_AUTHORITY, Action.SET_PROFILE):
            return Digest(bytes(32))
        return Digest(account(self.subject).rjust(32, b"\0"))

    @property
    def content(self) -> bytes | None:
        """The manifest or profile that the entry names by its digest."""
        return _content(self)

    def submission(self) -> Submission:
        """What a registrar hands to the contract, for an act on a policy."""
        content = self.content or b""
        return Submission(
            policy=policy_key(self.authority, self.subject),
            sequence=self.sequence,
            action=self.action,
            effective_on=_DAY,
            document=_file(self).sha256 if self.action.carries_document else None,
            manifest=Digest(sha256(content).digest()),
            content=content if self.with_manifest else b"",
        )


@dataclass(frozen=True)
class Log:
    """One event as the machine keeps it: topics and data."""

    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True)
class Contract:
    """The contract's state; `entries` and `manifests` (None: digest alone) are its whole log."""

    entries: tuple[Entry, ...] = ()
    manifests: tuple[bytes | None, ...] = ()
    peaks: tuple[Digest, ...] = ()
    policies: Mapping[PolicyKey, PolicyState] = field(default_factory=lambda: MappingProxyType({}))
    # by authority and the entry's number: sequence and index of the latest act
    subjects: Mapping[tuple[str, bytes], tuple[int, int]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    # authority, account as it stands in an entry, role
    roles: frozenset[tuple[str, bytes, int]] = frozenset()
    # who does whatever is done
    officer: Address = OFFICER

    @property
    def size(self) -> int:
        return len(self.entries)

    @property
    def root(self) -> Digest:
        return Frontier(self.size, self.peaks).root()

    def after(self, acts: Sequence[Act], time: int) -> tuple[Contract, list[Log]]:
        """The state after one transaction with these acts, and its logs. Raises Refused."""
        if not acts:
            raise Refused
        state: Contract = self
        logs: list[Log] = []
        for act in acts:
            entry, content = state._entry(act, time)
            state = state._grown(entry, content)
            logs.append(Log((_topic(RECORDED), _word(entry.index)), entry.encode()[32:]))
            if content is not None and entry.manifest is not None:
                topics = (_topic(MANIFEST_PUBLISHED), entry.manifest)
                logs.append(Log(topics, _dynamic(content)))
        logs.append(Log((_topic(CHECKPOINT),), _word(state.size) + state.root))
        _require_entitled(state.entries, self.size)
        return state, logs

    @classmethod
    def of(cls, recorded: Sequence[Recorded], officer: Address) -> Contract:
        """The state of a contract, a real one too, that emitted these entries."""
        state = cls(officer=officer)
        for event in recorded:
            state = state._grown(event.entry, event.manifest)
        return state

    def may_follow(self, number: str) -> list[Action]:
        """What may be done to a policy of AUTHORITY now."""
        status = self.policies.get(policy_key(AUTHORITY, number), UNPUBLISHED).status
        return [action for action, (before, _) in TRANSITIONS.items() if status in before]

    def next_sequence(self, number: str) -> int:
        return self.policies.get(policy_key(AUTHORITY, number), UNPUBLISHED).sequence + 1

    def _entry(self, act: Act, time: int) -> tuple[Entry, bytes | None]:
        number, content = act.number, act.content
        if act.action.on_policy:
            state = self.policies.get(PolicyKey(act.authority, number), UNPUBLISHED)
            sequence, previous = state.sequence + 1, state.head
            if sequence != act.sequence or state.status not in TRANSITIONS[act.action][0]:
                raise Refused
        else:
            change = role_change(act.action)
            # A role that is given to its holder changes nothing, and so appends nothing.
            if change and ((act.authority, number, change[0]) in self.roles) is change[1]:
                raise Refused
            held = self.subjects.get((act.authority, number))
            sequence, last = (held[0] + 1, held[1]) if held else (1, None)
            previous = None if last is None else EntryIndex(last)
        entry = Entry(
            index=EntryIndex(self.size),
            previous=previous,
            authority=act.authority,
            number=number,
            sequence=sequence,
            action=act.action,
            effective_on=_DAY if act.action.on_policy else None,
            document=_document(act),
            manifest=None if content is None else Digest(sha256(content).digest()),
            registrar=self.officer,
            recorded_at=UnixSeconds(time),
        )
        return entry, content if act.with_manifest else None

    def _grown(self, entry: Entry, content: bytes | None) -> Contract:
        tree = Frontier(self.size, self.peaks)
        tree.append(entry.leaf_hash())
        grown = replace(
            self,
            entries=(*self.entries, entry),
            manifests=(*self.manifests, content),
            peaks=tuple(tree.peaks),
        )
        if entry.action.on_policy:
            state = advance(self.policies.get(entry.policy, UNPUBLISHED), entry)
            return replace(grown, policies={**self.policies, entry.policy: state})
        change = role_change(entry.action)
        roles = self.roles
        if change is not None:
            held = frozenset({(entry.authority, entry.number, change[0])})
            roles = roles | held if change[1] else roles - held
        latest = {(entry.authority, entry.number): (entry.sequence, entry.index)}
        return replace(grown, subjects={**self.subjects, **latest}, roles=roles)


FOUNDING = (
    Act(Action.APPOINT_ADMIN, "", "officer"),
    *(
        Act(action, code, "officer")
        for code in ("CN", AUTHORITY)
        for action in (
            Action.OPEN_AUTHORITY,
            Action.APPOINT_CONTROLLER,
            Action.APPOINT_REGISTRAR,
        )
    ),
)
"""What makes the registry: OFFICER becomes administrator, and may then do everything."""


def _require_entitled(entries: Sequence[Entry], since: int) -> None:
    command = ChainOfCommand()
    try:
        for entry in entries:
            command.follow(entry)
    except Inconsistent as error:
        raise Refused(str(error)) from None


def account(name: str) -> Address:
    """OFFICER, or somebody of this name."""
    return OFFICER if name == "officer" else Address(sha256(name.encode()).digest()[:20])


def _document(act: Act) -> Digest | None:
    if act.action.on_policy and act.action.carries_document:
        return _file(act).sha256
    return None


def _file(act: Act) -> FileDescription:
    content = f"{act.subject} {act.sequence}".encode()
    return FileDescription(Digest(sha256(content).digest()), len(content), "a.md")


@cache
def _content(act: Act) -> bytes | None:
    """The manifest or profile that the act's digest is of."""
    if act.action is Action.SET_PROFILE:
        return profile(act.authority, {"zh": act.subject, "en": f"Authority {act.subject}"})
    if not act.action.on_policy:
        return None
    return Draft(
        action=act.action,
        authority=act.authority,
        number=act.subject,
        title={"zh": f"关于{act.subject}的办法", "en": f"On {act.subject}, {act.sequence}"},
        document=_file(act) if act.action.carries_document else None,
        type="notice",
        issued=_DAY,
    ).manifest()


def _topic(written: str) -> bytes:
    return bytes.fromhex(written[2:])


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _dynamic(content: bytes) -> bytes:
    """The ABI of one `bytes`."""
    padding = -len(content) % 32
    return _word(32) + _word(len(content)) + content + bytes(padding)
