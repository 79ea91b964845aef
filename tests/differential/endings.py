"""How a history ends: retired for good, or without an administrator.

Either way some acts follow that must be refused, and some that change nothing and must not be.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from tests.differential.accounts import NOBODY, Submission, submissions_digest
from tests.differential.authority_acts import MALFORMED, word_of
from tests.differential.cast import Cast
from tests.differential.roles import controller_role, registrar_role
from tests.differential.state import ADMIN

HOME = word_of("CN")
"""Open in every history from its beginning, see `opening`."""

Call = tuple[bytes, str, tuple[object, ...]]
"""Who calls, which function, with what. Its time is the history's to say."""


def opening(cast: Cast) -> list[Call]:
    """An authority with a controller, and registrars with and without a key; then what random
    acts seldom try."""
    admin, other = (each.address for each in cast.admins)
    controller = cast.controllers[0].address
    role = registrar_role(HOME)
    profile = b'{"title":"CN"}'
    return [
        (admin, "openAuthority",
         (HOME, controller, sha256(profile).digest(), profile)),
        *[(controller, "grantRole", (role, each.address)) for each in cast.registrars[:3]],
        (controller, "grantRole", (role, cast.deployment.wallet)),
        (admin, "beginDefaultAdminTransfer", (other,)),
        (admin, "renounceRole", (ADMIN, admin)),
        (controller, "grantRole", (role, NOBODY)),
        (controller, "reportCompromised", (role, cast.registrars[0].address, 2**64 - 1)),
        *[(admin, "openAuthority", (code.ljust(32, b"\0"), controller, bytes(32), b""))
          for code in MALFORMED],
    ]  # fmt: skip


def _restored(cast: Cast, admin: bytes) -> list[Call]:
    """Whatever happened before, CN has this controller and this registrar again."""
    controller, registrar = cast.controllers[0].address, cast.registrars[0].address
    return [
        (admin, "grantRole", (controller_role(HOME), controller)),
        (controller, "grantRole", (registrar_role(HOME), registrar)),
    ]


def retirement(cast: Cast, admin: bytes, time: int) -> Iterator[Call]:
    """`admin` retires the registry; then every function is tried as if it had not."""
    controller, registrar = cast.controllers[0].address, cast.registrars[0].address
    stranger, successor = cast.strangers[0].address, cast.strangers[1].address
    role = registrar_role(HOME)
    yield from _restored(cast, admin)
    yield admin, "beginDefaultAdminTransfer", (stranger,)
    yield admin, "retire", (successor,)
    given = [_publication("after the end")]
    yield registrar, "record", (given, [])
    yield registrar, "record", ([], [])
    digest = submissions_digest(cast.deployment.registry, given, registrar, time + 10**9)
    signature = cast.by_address[registrar].signature(digest)
    yield stranger, "recordBySignature", (given, [], registrar, time + 10**9, signature)
    yield admin, "openAuthority", (word_of("AFTER"), controller, bytes(32), b"")
    yield controller, "setProfile", (HOME, sha256(b"after").digest(), b"after")
    yield controller, "reportCompromised", (role, registrar, time)
    yield controller, "grantRole", (role, stranger)
    yield controller, "grantRole", (role, registrar)  # has it already: nothing to append
    yield controller, "revokeRole", (role, stranger)  # does not have it: nothing to append
    yield controller, "revokeRole", (role, registrar)
    yield registrar, "renounceRole", (role, registrar)
    yield stranger, "renounceRole", (role, stranger)
    yield admin, "retire", (NOBODY,)
    yield stranger, "acceptDefaultAdminTransfer", ()
    yield admin, "cancelDefaultAdminTransfer", ()


def renunciation(cast: Cast, admin: bytes, time: int) -> Iterator[Call]:
    """`admin` gives its role up in two steps; registrars go on without one."""
    registrar, stranger = cast.registrars[0].address, cast.strangers[0].address
    yield from _restored(cast, admin)
    yield admin, "beginDefaultAdminTransfer", (NOBODY,)
    yield admin, "renounceRole", (ADMIN, admin)
    yield stranger, "renounceRole", (ADMIN, admin)
    yield admin, "renounceRole", (ADMIN, admin)
    yield admin, "openAuthority", (word_of("AFTER"), registrar, bytes(32), b"")
    yield admin, "retire", (NOBODY,)
    yield admin, "beginDefaultAdminTransfer", (admin,)
    yield stranger, "renounceRole", (ADMIN, NOBODY)
    yield registrar, "record", ([_publication("without an administrator")], [])


def _publication(number: str) -> Submission:
    digest = sha256(number.encode()).digest()
    return (HOME, digest, 1, 1, 0, digest, digest)
