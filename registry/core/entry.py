"""The entry: one act in the registry, and its exact bytes.

An entry is 11 ABI words, 352 bytes; the log's leaf is SHA-256(0x00 ‖ those bytes), as
the contract computes it. Decoding accepts exactly what the contract can have
written: wrong padding, wrong length and unknown actions raise.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum

from registry.core.authority import decode_code, encode_code
from registry.core.calendar import NO_DATE
from registry.core.digest import ZERO_DIGEST
from registry.core.policy import PolicyKey
from registry.core.quick import quick
from registry.core.units import Address, Day, Digest, EntryIndex, UnixSeconds
from registry.errors import Inconsistent, InputError

ENTRY_SIZE = 11 * 32
NO_ENTRY = 2**64 - 1
"""What `previous` holds in the first entry of a chain."""

# index, previous, authority, number, sequence, action, effectiveOn (sign-extended),
# document, manifest, registrar, recordedAt
_WORDS = struct.Struct(">24xQ 24xQ 32s 32s 28xI 31xB 28si 32s 32s 12x20s 24xQ")
_POSITIVE, _NEGATIVE = bytes(28), b"\xff" * 28
_LENGTHS = (32, 32, 32, 20)
_LEAF_PREFIX = b"\x00"


_LAST_ON_POLICY, _LAST_WITH_DOCUMENT = 8, 3  # WITHDRAW, CORRECT


class Action(IntEnum):
    """What an entry does; the contract's enum, 0 being no action."""

    PUBLISH = 1
    AMEND = 2
    CORRECT = 3
    SUSPEND = 4
    REINSTATE = 5
    SUPERSEDE = 6
    REPEAL = 7
    WITHDRAW = 8
    OPEN_AUTHORITY = 9
    SET_PROFILE = 10
    APPOINT_CONTROLLER = 11
    DISMISS_CONTROLLER = 12
    APPOINT_REGISTRAR = 13
    DISMISS_REGISTRAR = 14
    REPORT_COMPROMISE = 15
    APPOINT_ADMIN = 16
    DISMISS_ADMIN = 17
    RETIRE = 18

    word: str
    """The name used in manifests, answers and commands."""
    on_policy: bool
    """Whether it acts on a policy; the others are acts on an authority."""
    carries_document: bool

    def __init__(self, number: int) -> None:
        # Once for each, and not at each of millions of entries.
        self.word = self.name.lower().replace("_", "-")
        self.on_policy = number <= _LAST_ON_POLICY
        self.carries_document = number <= _LAST_WITH_DOCUMENT


_ACTIONS = {int(action): action for action in Action}


@dataclass(frozen=True, slots=True)
class Entry:
    """One leaf of the log. `effective_on` and `previous` are None where there is none."""

    index: EntryIndex
    previous: EntryIndex | None
    authority: str
    number: Digest
    sequence: int
    action: Action
    effective_on: Day | None
    document: Digest | None
    manifest: Digest | None
    registrar: Address
    recorded_at: UnixSeconds

    @property
    def policy(self) -> PolicyKey:
        return PolicyKey(self.authority, self.number)

    def encode(self) -> bytes:
        """The 352 bytes whose leaf is in the log. Raises ValueError for hashes or an account
        of the wrong length, which packing would fill up or cut."""
        document, manifest = self.document or ZERO_DIGEST, self.manifest or ZERO_DIGEST
        lengths = len(self.number), len(document), len(manifest), len(self.registrar)
        if lengths != _LENGTHS:
            raise ValueError(f"entry {self.index} holds hashes and an account of {lengths} bytes")
        effective = NO_DATE if self.effective_on is None else self.effective_on
        return _WORDS.pack(
            self.index,
            NO_ENTRY if self.previous is None else self.previous,
            encode_code(self.authority),
            self.number,
            self.sequence,
            self.action,
            _NEGATIVE if effective < 0 else _POSITIVE,
            effective,
            document,
            manifest,
            self.registrar,
            self.recorded_at,
        )

    def leaf_hash(self) -> Digest:
        return entry_leaf_hash(self.encode())


_entry = quick(Entry)


def entry_leaf_hash(encoded: bytes) -> Digest:
    """RFC 9162 §2.1.1 leaf hash of an encoded entry."""
    return Digest(hashlib.sha256(_LEAF_PREFIX + encoded).digest())


def decode_entry(encoded: bytes) -> Entry:
    """The entry of its 352 bytes; raises Inconsistent where the contract can not have
    written them. An act on an authority keeps in `document` whatever it holds."""
    if len(encoded) != ENTRY_SIZE:
        raise Inconsistent(f"an entry has {ENTRY_SIZE} bytes, these are {len(encoded)}")
    words = _WORDS.unpack(encoded)
    if _WORDS.pack(*words) != encoded or words[6] != (_NEGATIVE if words[7] < 0 else _POSITIVE):
        raise Inconsistent("an entry's words are not padded as the ABI demands")
    try:
        action, authority = _ACTIONS[words[5]], decode_code(words[2])
    except (KeyError, InputError) as error:
        raise Inconsistent(f"entry {words[0]} is not one the contract writes: {error}") from None
    # By position, and without naming each unit: a mirror decodes millions of entries.
    return _entry(
        words[0],
        None if words[1] == NO_ENTRY else words[1],
        authority,
        words[3],
        words[4],
        action,
        None if words[7] == NO_DATE else words[7],
        None if words[8] == ZERO_DIGEST else words[8],
        None if words[9] == ZERO_DIGEST else words[9],
        words[10],
        words[11],
    )
