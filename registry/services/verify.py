"""Checking documents against the mirror.

Steps, numbered once and cited in every answer: 1 the file's SHA-256; 2 a look-up of
that digest in the mirror of the log; 3 the policy's acts put in order up to the date
asked about. The mirror was compared with the contract's root when it was synced; what
it was not compared with since is not claimed.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from registry.core.units import Day, Digest
from registry.core.verdict import Evidence, Match, Registration, Verdict, by_weight
from registry.errors import CouldNotCheck
from registry.mirror.engine import reading
from registry.mirror.queries import registrations
from registry.mirror.store import Position, read_position

HASHED = "1: SHA-256 of the bytes"
FOUND = "2: found in the mirror of the log"
NOT_FOUND = "2: not in the mirror of the log"
DATED = "3: standing on the date from the policy's acts"


def verify_digests(
    engine: Engine, digests: Sequence[Digest], on: Day
) -> tuple[Position, list[Verdict]]:
    """A verdict for each digest, all from one moment of the mirror.

    Raises CouldNotCheck where the mirror has never been synced.
    """
    with reading(engine) as connection:
        position = required_position(connection)
        distinct = list(dict.fromkeys(digests))
        known = registrations(connection, distinct, on, position.finality)
    verdicts = {digest: _verdict(digest, known.get(digest, ())) for digest in distinct}
    return position, [verdicts[digest] for digest in digests]


def required_position(connection: Connection) -> Position:
    """Where the mirror stands; raises CouldNotCheck where it is empty of any chain."""
    position = read_position(connection)
    if position is None:
        raise CouldNotCheck("the mirror has never been synced", hint="run polreg sync")
    return position


def _verdict(digest: Digest, known: Sequence[Registration]) -> Verdict:
    if not known:
        return Verdict(digest, Match.UNKNOWN, (), Evidence.MIRROR, (HASHED, NOT_FOUND))
    found = by_weight(known)
    return Verdict(digest, Match.EXACT, found, Evidence.MIRROR, (HASHED, FOUND, DATED))
