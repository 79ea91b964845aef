"""Random acts of authorities and of the administrator, sensible ones and others.

A sensible one has a sender who may do it and an object it may be done to; the others
take both from everything that can be put into the call.
"""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import Any

from tests.differential.accounts import NOBODY
from tests.differential.cast import Cast
from tests.differential.model import Transaction
from tests.differential.roles import administrator_of, controller_role, registrar_role
from tests.differential.state import ADMIN, LONGEST_MANIFEST, Refused, State

SENSIBLE = 0.6
DAY = 24 * 3600
_DELAYS = [0, 1, 60, 3600, DAY, 3 * DAY, 10 * DAY]
TOPS = ["CN", "US", "EU-27", "D"]
_SEGMENTS = ["GD", "SHENZHEN", "DC", "X-1", "9", "NAN-SHAN-QU", "A"]
MALFORMED = [
    b"", b"cn", b"CN.gd", b"CN..GD", b".CN", b"CN.", b"-CN", b"CN-", b"CN.-GD", b"CN-.GD", b"CN GD",
    b"CN\0GD", b"CN_GD", b"A" * 32, b"CN\xc4\xa9", b"\0CN", b"CN:GD", b"CN@", b"[", b"/",
    b"CN".ljust(31, b"\0") + b"\x01", b"A" * 31 + b"\x02", b"CN" + bytes(20) + b"A",
]  # fmt: skip

_WEIGHTS = {
    "openAuthority": 14, "setProfile": 9, "grantRole": 45, "revokeRole": 9, "renounceRole": 6,
    "reportCompromised": 14, "beginDefaultAdminTransfer": 7, "acceptDefaultAdminTransfer": 7,
    "cancelDefaultAdminTransfer": 2, "changeDefaultAdminDelay": 5, "rollbackDefaultAdminDelay": 2,
    "retire": 2,
}  # fmt: skip

_WRONGS = {
    "grantRole": ["role", "role", "account", "nobody"],
    "revokeRole": ["role", "account", "nobody"],
    "reportCompromised": ["role", "account", "nobody", "since", "since"],
}


def word_of(code: str) -> bytes:
    return code.encode("ascii").ljust(32, b"\0")


class AuthorityActs:
    """Makes one transaction after the other from `rng`, for the registry as `state` has it."""

    def __init__(self, rng: Random, cast: Cast) -> None:
        self._rng = rng
        self._cast = cast

    def next(self, state: State, time: int) -> Transaction:
        rng = self._rng
        (function,) = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        sensible = rng.random() < SENSIBLE
        sender, arguments = self._made(function, state, time, sensible)
        if sender is None or rng.random() < 0.1:
            sender = self._cast.anyone(rng)
        return Transaction(sender, time, function, arguments)

    def _made(
        self, function: str, state: State, time: int, sensible: bool
    ) -> tuple[bytes | None, tuple[Any, ...]]:
        """Who sends it, None for anyone, and what with."""
        rng = self._rng
        match function:
            case "openAuthority":
                return self._opening(state, sensible)
            case "setProfile":
                code = self._open_code(state) if sensible else self._any_code(state)
                sender = self._cast.holder(rng, state, controller_role(code))
                return sender, (code, *self._profile(sensible))
            case "grantRole" | "revokeRole" | "reportCompromised":
                return self._change(function, state, time, sensible)
            case "renounceRole":
                return self._renunciation(state, sensible)
            case "retire":
                # Only the end of a history may succeed in this: see `endings`.
                strangers = [each.address for each in self._cast.strangers]
                return rng.choice(strangers), (self._cast.anyone(rng),)
            case "acceptDefaultAdminTransfer":
                wanted = state.next_admin if sensible else self._cast.anyone(rng)
                return (wanted if wanted != NOBODY else None), ()
            case "beginDefaultAdminTransfer":
                account = rng.choice(self._cast.admins).address
                return state.admin, (account if sensible or rng.random() < 0.5 else NOBODY,)
            case "changeDefaultAdminDelay":
                return state.admin, (rng.choice(_DELAYS),)
            case _:
                return state.admin, ()

    def _opening(self, state: State, sensible: bool) -> tuple[bytes | None, tuple[Any, ...]]:
        rng = self._rng
        code = self._any_code(state)
        if sensible:
            above = rng.choice([*sorted(state.opened), *[word_of("")] * 2])
            text = above.rstrip(b"\0").decode()
            code = word_of(f"{text}.{rng.choice(_SEGMENTS)}"[-31:].lstrip(".-") if text
                           else rng.choice(TOPS))  # fmt: skip
        try:
            sender = self._cast.holder(rng, state, administrator_of(controller_role(code)))
        except Refused:
            sender = None
        account = rng.choice(self._cast.controllers).address
        if not sensible and rng.random() < 0.2:
            account = NOBODY
        return sender or state.admin, (code, account, *self._profile(sensible))

    def _change(
        self, function: str, state: State, time: int, sensible: bool
    ) -> tuple[bytes | None, tuple[Any, ...]]:
        rng = self._rng
        held = sorted(each for each in state.roles if each[0] != ADMIN)
        appoints = function == "grantRole" or not held
        role, account = self._appointment(state) if appoints else rng.choice(held)
        since = time - rng.choice([0, 1, DAY, time])
        wrong = "" if sensible else rng.choice(_WRONGS[function])
        if wrong == "role":
            role = rng.choice([ADMIN, *[self._any_role(state)] * 3])
        elif wrong == "account":
            account = self._cast.anyone(rng)
        elif wrong == "nobody":
            account = NOBODY
        elif wrong == "since":
            since = time + rng.choice([1, DAY, 2**63])
        try:
            sender = self._cast.holder(rng, state, administrator_of(role))
        except Refused:
            sender = None
        return sender, (role, account, since)[: 3 if function == "reportCompromised" else 2]

    def _appointment(self, state: State) -> tuple[bytes, bytes]:
        rng = self._rng
        code = self._open_code(state)
        if rng.random() < 0.3:
            return controller_role(code), rng.choice(self._cast.controllers).address
        accounts = [each.address for each in self._cast.registrars]
        return registrar_role(code), rng.choice([*accounts, self._cast.deployment.wallet])

    def _renunciation(self, state: State, sensible: bool) -> tuple[bytes | None, tuple[Any, ...]]:
        rng = self._rng
        held = sorted(each for each in state.roles if each[1] != self._cast.deployment.wallet)
        role, account = (ADMIN, state.admin) if rng.random() < 0.2 else rng.choice(held)
        if sensible:
            return account, (role, account)
        return self._cast.anyone(rng), (self._any_role(state), rng.choice([account, NOBODY]))

    def _profile(self, sensible: bool) -> tuple[bytes, bytes]:
        """A manifest's digest and, or not, its bytes."""
        rng = self._rng
        content = rng.randbytes(rng.randint(1, 100))
        digest = sha256(content).digest()
        if sensible or rng.random() < 0.6:
            return digest, rng.choice([content, b""])
        long = rng.randbytes(LONGEST_MANIFEST + 1)
        return rng.choice([(bytes(32), b""), (digest, content + b" "), (digest, long)])

    def _open_code(self, state: State) -> bytes:
        return self._rng.choice(sorted(state.opened) or [word_of(TOPS[0])])

    def _any_code(self, state: State) -> bytes:
        """Open, not open, or malformed."""
        rng = self._rng
        malformed = rng.choice(MALFORMED).ljust(32, b"\0")
        unopened = word_of(rng.choice(["ZZ", "ZZ.A", "CN.ZZ.A", "CN.GD.ZZ"]))
        return rng.choice([self._open_code(state), self._open_code(state), unopened, malformed])

    def _any_role(self, state: State) -> bytes:
        rng = self._rng
        code = self._any_code(state)
        roles = [controller_role(code), registrar_role(code)]
        return rng.choice([*roles * 2, ADMIN, code[:31] + b"\x03", code[:31] + b"\0"])
