"""Random acts on policies: batches that may follow, and the ways in which they may not.

Each transaction starts as one that the registry can take; about one in three is then
spoilt in one way. Whether it is refused, and how, is the model's to say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from random import Random

from registry.core.calendar import NO_DATE
from registry.core.lifecycle import TRANSITIONS, UNPUBLISHED, Status
from registry.core.policy import PolicyKey
from registry.core.units import Digest
from tests.differential.accounts import (
    HALF_OF_ORDER,
    NOBODY,
    Person,
    Submission,
    signature_of,
    submissions_digest,
)  # fmt: skip
from tests.differential.cast import Cast
from tests.differential.model import Transaction
from tests.differential.roles import registrar_role
from tests.differential.state import LONGEST_MANIFEST, State

SPOILT = 0.33
BY_SIGNATURE = 0.2
BY_WALLET = 0.05
NEW_NUMBER = 0.2
_SIZES = [range(1, 2), range(2, 5), range(5, 9), range(9, 17), range(30, 49)]
_SIZE_WEIGHTS = [30, 25, 31, 10, 4]
_LAST_SEQUENCE = 2**32 - 1
NOT_OPEN = b"ZZ.NOT-OPEN".ljust(32, b"\0")


@dataclass
class Draft:
    """One submission being made: `status` and `sequence` are its policy's before it."""

    submission: Submission
    content: bytes
    status: Status
    sequence: int

    def put(self, place: int, value: bytes | int) -> None:
        words = list(self.submission)
        words[place] = value
        self.submission = tuple(words)  # type: ignore[assignment]  # the types are kept


class PolicyActs:
    """Makes one transaction after the other from `rng`, for the registry as `state` has it."""

    def __init__(self, rng: Random, cast: Cast) -> None:
        self._rng = rng
        self._cast = cast
        self._numbers: dict[bytes, list[bytes]] = defaultdict(list)
        self._relayed: list[Transaction] = []

    def next(self, state: State, time: int, *, spoilt: float = SPOILT) -> Transaction:
        rng = self._rng
        seats = sorted(role for role in state.roles if role[0][31] == 1)
        wallet = self._cast.deployment.wallet
        # The wallet can act only by what it takes for a signature: most acts are people's.
        by_wallet = rng.random() < BY_WALLET
        chosen = [seat for seat in seats if (seat[1] == wallet) == by_wallet]
        role, registrar = rng.choice(chosen or seats or [(registrar_role(NOT_OPEN), NOBODY)])
        codes = sorted(each[:31] + b"\0" for each, account in seats if account == registrar)
        drafts = self._batch(state, codes or [role[:31] + b"\0"])
        spoil = rng.random() < spoilt
        person = self._cast.by_address.get(registrar)
        if person is None or rng.random() < BY_SIGNATURE:
            return self._signed(drafts, time, registrar, person, spoil)
        contents = self._contents(drafts)
        sender = registrar
        if spoil:
            sender, contents = self._spoil_call(drafts, sender, contents)
        return Transaction(sender, time, "record", (_given(drafts), contents))

    def _batch(self, state: State, codes: list[bytes]) -> list[Draft]:
        rng = self._rng
        (sizes,) = rng.choices(_SIZES, _SIZE_WEIGHTS)
        code = rng.choice(codes)
        reached: dict[tuple[bytes, bytes], tuple[Status, int]] = {}
        drafts = []
        for _ in range(rng.choice(sizes)):
            if rng.random() < 0.1:
                code = rng.choice(codes)
            number = self._number(code)
            key = PolicyKey(code.rstrip(b"\0").decode(), Digest(number))
            known = state.policies.get(key, UNPUBLISHED)
            status, sequence = reached.get((code, number), (known.status, known.sequence))
            possible = [each for each, (starts, _) in TRANSITIONS.items() if status in starts]
            action = rng.choice(possible)
            content = rng.randbytes(rng.randint(1, 120))
            document = rng.randbytes(32) if action.carries_document else bytes(32)
            words = (code, number, sequence + 1, int(action), self._day(), document)
            submission = (*words, sha256(content).digest())
            drafts.append(Draft(submission, content, status, sequence))
            reached[code, number] = (TRANSITIONS[action][1], sequence + 1)
        return drafts

    def _number(self, code: bytes) -> bytes:
        """The same numbers in every authority; some are what an act of authorities has there."""
        known, rng = self._numbers[code], self._rng
        if known and rng.random() > NEW_NUMBER:
            return rng.choice(known)
        number = sha256(f"No. {len(known) + 1}".encode()).digest()
        if rng.random() < 0.02:
            number = rng.choice([bytes(32), self._cast.anyone(rng).rjust(32, b"\0")])
        known.append(number)
        return number

    def _day(self) -> int:
        extreme = [NO_DATE, NO_DATE, NO_DATE + 1, 2**31 - 1, -1, 0]
        return self._rng.choice([*extreme, *self._rng.choices(range(-40_000, 60_000), k=12)])

    def _contents(self, drafts: list[Draft]) -> list[bytes]:
        rng = self._rng
        if rng.random() < 0.6:
            return []
        if rng.random() < 0.03:
            self._lengthen(drafts, LONGEST_MANIFEST)
        return [draft.content if rng.random() < 0.7 else b"" for draft in drafts]

    def _lengthen(self, drafts: list[Draft], length: int) -> int:
        place = self._rng.randrange(len(drafts))
        drafts[place].content = self._rng.randbytes(length)
        drafts[place].put(6, sha256(drafts[place].content).digest())
        return place

    def _spoil_call(
        self, drafts: list[Draft], sender: bytes, contents: list[bytes]
    ) -> tuple[bytes, list[bytes]]:
        """Spoils a submission, the manifests or the sender."""
        rng = self._rng
        (what,) = rng.choices(["submission", "sender", "empty", "lengths", "content"],
                              [75, 8, 3, 5, 9])  # fmt: skip
        if what == "submission":
            self._spoil_one(drafts)
        elif what == "sender":
            sender = self._cast.anyone(rng)
        elif what == "empty":
            drafts.clear()
            contents = rng.choice([[], contents])
        elif what == "lengths":
            given = [draft.content for draft in drafts]
            contents = rng.choice([[*given, b""], given[1:] or [b"", b""]])
        else:
            contents = self._spoil_content(drafts)
        return sender, contents

    def _spoil_content(self, drafts: list[Draft]) -> list[bytes]:
        if self._rng.random() < 0.3:
            place = self._lengthen(drafts, LONGEST_MANIFEST + 1)
        else:
            place = self._rng.randrange(len(drafts))
            drafts[place].content += b" "
        return [draft.content if at == place else b"" for at, draft in enumerate(drafts)]

    def _spoil_one(self, drafts: list[Draft]) -> None:
        rng, draft = self._rng, self._rng.choice(drafts)
        (spoil,) = rng.choices([spoil for spoil, _ in _SPOILS], [weight for _, weight in _SPOILS])
        spoil(rng, draft)

    def _signed(
        self, drafts: list[Draft], time: int, registrar: bytes, person: Person | None, spoil: bool
    ) -> Transaction:
        """A relayed transaction. Where it is spoilt: what is signed, the signature, or the time."""
        rng, deployment = self._rng, self._cast.deployment
        relayer = self._cast.anyone(rng)
        if spoil and self._relayed and rng.random() < 0.15:
            again = rng.choice(self._relayed)
            return Transaction(relayer, time, again.function, again.arguments)
        contents = self._contents(drafts)
        if spoil and rng.random() < 0.4:
            _, contents = self._spoil_call(drafts, registrar, contents)
            spoil = False
        given = _given(drafts)
        deadline = time + rng.choice([0, 1, 10**6, 2**40])
        what = rng.choice(_OF_SIGNATURES) if spoil else ""
        if what == "expired":
            deadline = time - rng.randint(1, 10**6)
        if what == "no signer":
            registrar = rng.choice([NOBODY, self._cast.anyone(rng)])
        contract = deployment.wallet if what == "other contract" else deployment.registry
        digest = submissions_digest(contract, given, registrar, deadline)
        signature = (
            person.signature(digest) if person else digest + rng.randbytes(rng.randint(0, 9))
        )
        if what in _SIGNATURES:
            signature = _SIGNATURES[what](signature)
        if what == "other deadline":
            deadline += 1
        if what == "altered" and drafts:
            rng.choice(drafts).put(4, rng.randint(0, 9))
            given = _given(drafts)
        words = (given, contents, registrar, deadline, signature)
        made = Transaction(relayer, time, "recordBySignature", words)
        self._relayed = [*self._relayed[-30:], made]
        return made


def _given(drafts: list[Draft]) -> list[Submission]:
    return [draft.submission for draft in drafts]


def _other_transition(rng: Random, draft: Draft) -> None:
    wrong = [
        each
        for each in range(19)
        if each not in {a for a, (starts, _) in TRANSITIONS.items() if draft.status in starts}
    ]
    draft.put(3, rng.choice(wrong))


def _bare(rng: Random, draft: Draft) -> None:
    """A document where there must be none, or none where there must be one."""
    draft.put(5, rng.randbytes(32) if draft.submission[5] == bytes(32) else bytes(32))


def _other_sequence(rng: Random, draft: Draft) -> None:
    near = [0, draft.sequence, draft.sequence + 2, draft.sequence - 1, _LAST_SEQUENCE]
    draft.put(2, max(0, rng.choice(near)))


def _other_authority(rng: Random, draft: Draft) -> None:
    """Not open, no code at all, or one whose last byte is taken."""
    taken = [registrar_role(draft.submission[0]), rng.randbytes(31) + b"\xff"]
    draft.put(0, rng.choice([NOT_OPEN, bytes(32), rng.randbytes(31) + b"\0", *taken]))


_SPOILS: list[tuple[Callable[[Random, Draft], None], int]] = [
    (_other_transition, 30),
    (_other_sequence, 25),
    (_bare, 25),
    (lambda _, draft: draft.put(6, bytes(32)), 10),
    (_other_authority, 10),
]


def _with_high_s(signature: bytes) -> bytes:
    """The other signature of the same key over the same digest, which ECDSA.sol refuses."""
    if len(signature) != 65:
        return signature[1:]
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    order = 2 * HALF_OF_ORDER + 1
    return signature_of(r, order - s, 55 - signature[64])


_SIGNATURES: dict[str, Callable[[bytes], bytes]] = {
    "high s": _with_high_s,
    "short": lambda signature: signature[:-1],
    "long": lambda signature: signature + b"\0",
    "none": lambda _: b"",
    "other v": lambda signature: signature[:64] + bytes([signature[-1] % 27]),
    "other byte": lambda signature: bytes([signature[0] ^ 1]) + signature[1:],
}
_OF_SIGNATURES = ["expired", "expired", "no signer", "other contract", "other deadline",
                  "altered", *_SIGNATURES]  # fmt: skip
