"""What the registry must answer when the history is over: its reading functions and proofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from registry.core.authority import encode_code
from registry.core.entry import decode_entry, entry_leaf_hash
from registry.core.lifecycle import UNPUBLISHED, PolicyState
from registry.core.merkle import consistency_path, inclusion_path, node_hash, root
from registry.core.units import Day
from tests.differential.accounts import NOBODY
from tests.differential.authority_acts import word_of
from tests.differential.history import History
from tests.differential.nodes import Call, answered
from tests.differential.roles import controller_role, delay_in_force, registrar_role
from tests.differential.state import ADMIN
from tests.differential.wire import Outcome, encode_error, encode_result

UNKNOWN = b"\x77" * 32
Expected = tuple[Call, Outcome]


def _says(function: str, arguments: tuple[object, ...], *values: object) -> Expected:
    return (function, arguments), answered(encode_result(function, *values))


def _refuses(function: str, arguments: tuple[object, ...], error: str, *values: object) -> Expected:
    return (function, arguments), Outcome(encode_error(error, values), ())


def of_the_registry(history: History) -> list[Expected]:
    """The log, the administrator and its transfer. All schedules have passed at the end of a
    history, so that no answer depends on when it is asked for."""
    final = history.final
    assert final.delay_schedule < final.now
    last = history.steps[-1]
    return [
        _says("checkpoint", (), last.size, last.root),
        _says("peaks", (), final.frontier.peaks),
        _says("retired", (), final.successor is not None),
        _says("successor", (), final.successor or NOBODY),
        _says("defaultAdmin", (), final.admin),
        _says("owner", (), final.admin),
        _says("pendingDefaultAdmin", (), final.next_admin, final.admin_schedule),
        _says("defaultAdminDelay", (), delay_in_force(final)),
        _says("pendingDefaultAdminDelay", (), 0, 0),
    ]


def of_policies(history: History) -> list[Expected]:
    """Every policy, and one that nobody published."""
    known = [
        _says("policy", (encode_code(key.authority), key.number_hash), _slot(state))
        for key, state in history.final.policies.items()
    ]
    return [*known, _says("policy", (word_of("CN"), UNKNOWN), _slot(UNPUBLISHED))]


def of_authorities(history: History) -> list[Expected]:
    """The latest act about every subject; for every code, whether it is open; and for every role
    of every authority, whether each account has it."""
    final = history.final
    acts = [_says("authorityAct", key, (act.sequence, act.head)) for key, act in final.acts.items()]
    accounts = [*history.people, history.deployment.wallet, history.deployment.deployer, NOBODY]
    codes = [*sorted(final.opened), word_of("ZZ")]
    roles = [ADMIN, *(made(code) for code in codes for made in (registrar_role, controller_role))]
    held = [
        _says("hasRole", (role, account), (role, account) in final.roles)
        for role in roles
        for account in accounts
    ]
    opened = [_says("isOpen", (code,), code in final.opened) for code in codes]
    return [*acts, _says("authorityAct", (word_of("CN"), UNKNOWN), (0, 0)), *opened, *held]


def _slot(state: PolicyState) -> tuple[int, int, int, int]:
    return (state.status, state.sequence, state.head or 0, state.recorded_at)


@dataclass(frozen=True)
class Proofs:
    """Proofs against the log as it is at the end, for the contract itself to verify."""

    history: History
    leaves: list[bytes]

    @classmethod
    def of(cls, history: History) -> Proofs:
        return cls(history, [entry_leaf_hash(entry) for entry in history.entries])

    def of_inclusion(self, rng: Random) -> list[Expected]:
        """A true proof and four false ones of a random entry."""
        size, index = len(self.leaves), rng.randrange(len(self.leaves))
        entry = decode_entry(self.history.entries[index])
        words, path = _abi(self.history.entries[index]), inclusion_path(self.leaves, index)
        other = replace(entry, effective_on=Day((entry.effective_on or 0) ^ 1)).encode()
        led = _led_to(entry_leaf_hash(other), index, size, path)
        bent = [*path[1:], path[0]]
        bent_to = _led_to(self.leaves[index], index, size, bent)
        name, final = "verifyInclusion", self.history.steps[-1].root
        return [
            ((name, (words, path)), answered(b"")),
            _refuses(name, (_abi(other), path), "RootMismatch", final, led),
            _refuses(name, (words, bent), "RootMismatch", final, bent_to),
            _refuses(name, (words, path[1:]), "PathLengthMismatch", len(path), len(path) - 1),
            _refuses(name, ((size, *words[1:]), path), "IndexOutsideTree", size, size),
        ]

    def of_consistency(self, rng: Random) -> list[Expected]:
        """A true proof and five false ones from a random checkpoint that is no power of two."""
        size = len(self.leaves)
        sizes = {step.size for step in self.history.steps} - {size}
        early = rng.choice(sorted(each for each in sizes if each & each - 1))
        first, path = root(self.leaves[:early]), consistency_path(self.leaves, early)
        name, final = "verifyConsistency", self.history.steps[-1].root
        too_long = (len(path), len(path) + 1)
        return [
            ((name, (early, first, path)), answered(b"")),
            _refuses(name, (early, UNKNOWN, path), "RootMismatch", UNKNOWN, first),
            _refuses(name, (early, first, [*path, UNKNOWN]), "PathLengthMismatch", *too_long),
            _refuses(name, (size, UNKNOWN, []), "RootMismatch", final, UNKNOWN),
            _refuses(name, (0, first, path), "SizeOutsideTree", 0, size),
            _refuses(name, (size + 1, first, path), "SizeOutsideTree", size + 1, size),
        ]


def _abi(entry: bytes) -> tuple[object, ...]:
    """The eleven words as the ABI's types."""
    words = [entry[start : start + 32] for start in range(0, len(entry), 32)]
    numbers = [int.from_bytes(word, "big") for word in words]
    signed = int.from_bytes(words[6], "big", signed=True)
    return (*numbers[:2], *words[2:4], *numbers[4:6], signed, *words[7:9], words[9][12:],
            numbers[10])  # fmt: skip


def _led_to(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Where a path leads, by the definition of PATH in RFC 9162 §2.1.3.1."""
    if size == 1:
        return leaf
    k = 1 << (size - 1).bit_length() - 1
    if index < k:
        return node_hash(_led_to(leaf, index, k, path[:-1]), path[-1])
    return node_hash(path[-1], _led_to(leaf, index - k, size - k, path[:-1]))
