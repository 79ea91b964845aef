"""What the model knows of the registry after a transaction, and how it refuses one.

The tree is `registry.core.merkle`'s and the entries are `registry.core.entry`'s: the model
adds only what the contract remembers beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from registry.core.authority import decode_code
from registry.core.digest import ZERO_DIGEST, sha256
from registry.core.entry import Action, Entry, decode_entry
from registry.core.lifecycle import PolicyState
from registry.core.merkle import Frontier
from registry.core.policy import PolicyKey
from registry.core.units import Address, Digest, EntryIndex, UnixSeconds
from tests.differential.accounts import NOBODY
from tests.differential.wire import Log, encode_error, encode_event, event_topic

ADMIN = bytes(32)
"""The role of the administrator, and the code under which the registry's own acts stand."""

LONGEST_MANIFEST = 8192


class Refused(Exception):
    """The registry takes nothing of the transaction. `position` counts the submissions of the
    batch that were in order before the one refused."""

    def __init__(self, error: str, *arguments: Any) -> None:
        super().__init__(error)
        self.error = error
        self.arguments = arguments
        self.position = 0

    @property
    def data(self) -> bytes:
        return encode_error(self.error, self.arguments)


@dataclass(frozen=True)
class Act:
    """The latest act about one account or authority."""

    sequence: int
    head: EntryIndex


@dataclass
class State:
    """The registry. Codes, roles and subjects are the contract's words; accounts have 20 bytes.

    `logs` are the events of the transaction being applied, `now` is its block's time.
    """

    registry: bytes
    wallets: set[bytes]
    now: UnixSeconds
    logs: list[Log] = field(default_factory=list)
    frontier: Frontier = field(default_factory=Frontier)
    successor: bytes | None = None
    policies: dict[PolicyKey, PolicyState] = field(default_factory=dict)
    acts: dict[tuple[bytes, bytes], Act] = field(default_factory=dict)
    opened: set[bytes] = field(default_factory=set)
    roles: set[tuple[bytes, bytes]] = field(default_factory=set)
    admin: bytes = NOBODY
    next_admin: bytes = NOBODY
    admin_schedule: int = 0
    delay: int = 0
    next_delay: int = 0
    delay_schedule: int = 0

    def at(self, now: int) -> State:
        """A copy for the next transaction: nothing done to it is seen here."""
        return replace(
            self,
            now=UnixSeconds(now),
            logs=[],
            frontier=Frontier(self.frontier.size, self.frontier.peaks),
            policies=dict(self.policies),
            acts=dict(self.acts),
            opened=set(self.opened),
            roles=set(self.roles),
        )

    def append(self, entry: Entry) -> None:
        """Adds the entry to the tree, and its event. The core reads back what it wrote."""
        encoded = entry.encode()
        assert decode_entry(encoded) == entry
        self.frontier.append(entry.leaf_hash())
        self.logs.append(Log((event_topic("Recorded"), encoded[:32]), encoded[32:]))

    def append_act(
        self,
        code: bytes,
        subject: bytes,
        action: Action,
        sender: bytes,
        document: bytes = ZERO_DIGEST,
        manifest: bytes = ZERO_DIGEST,
    ) -> None:
        """Appends an act of an authority; `subject` is an account, or nothing."""
        self.require_open_log()
        key = (code, subject.rjust(32, b"\0"))
        before = self.acts.get(key)
        after = Act(before.sequence + 1 if before else 1, EntryIndex(self.frontier.size))
        self.acts[key] = after
        self.append(
            Entry(
                index=after.head,
                previous=before.head if before else None,
                authority=decode_code(code),
                number=Digest(key[1]),
                sequence=after.sequence,
                action=action,
                effective_on=None,
                document=None if document == ZERO_DIGEST else Digest(document),
                manifest=None if manifest == ZERO_DIGEST else Digest(manifest),
                registrar=Address(sender),
                recorded_at=self.now,
            )
        )

    def publish_manifest(self, declared: bytes, content: bytes) -> None:
        if not content:
            return
        if len(content) > LONGEST_MANIFEST:
            raise Refused("ManifestTooLong", len(content), LONGEST_MANIFEST)
        if sha256(content) != declared:
            raise Refused("ManifestMismatch", declared, sha256(content))
        self.emit("ManifestPublished", declared, content)

    def require_open_log(self) -> None:
        if self.successor is not None:
            raise Refused("Retired", self.successor)

    def require_role(self, role: bytes, account: bytes) -> None:
        if (role, account) not in self.roles:
            raise Refused("AccessControlUnauthorizedAccount", account, role)

    def emit(self, event: str, *values: Any) -> None:
        self.logs.append(encode_event(event, *values))
