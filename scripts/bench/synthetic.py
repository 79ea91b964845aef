"""A mirror of many policies for measurements, written through `store.append`.

Titles, types and dates are those of the corpus' index, over and over, each policy with a
number of its own; every twentieth policy is amended once. A mirror that was built before
is taken as it stands.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import measure  # noqa: F401 - puts the project on the path

from registry.core.calendar import parse_day
from registry.core.digest import sha256
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action, Entry
from registry.core.feed import Place, Recorded
from registry.core.lifecycle import UNPUBLISHED, PolicyState, advance
from registry.core.merkle import Frontier
from registry.core.position import Position
from registry.core.units import Address, BlockNumber, Day, Digest, EntryIndex, UnixSeconds
from registry.core.verdict import FinalityBlocks
from registry.mirror.engine import Engine, open_engine, reading, sqlite_url, writing
from registry.mirror.position import read_position, write_position
from registry.mirror.store import append

START = UnixSeconds(1_700_000_000)
SECONDS_PER_BLOCK = 12
AMENDED_EVERY = 20
_PER_BLOCK = 100
_PER_TRANSACTION = 20_000
# What stands in a manifest's template for each policy's own.
_NUMBER = "#" * 9
_DOCUMENT = sha256(b"a document")


def mirror(folder: Path, index: Path, policies: int) -> Engine:
    """The mirror of `policies` in `folder`, built where it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = open_engine(sqlite_url(folder / f"mirror-{policies}.sqlite"))
    with reading(engine) as connection:
        position = read_position(connection)
    done = position.size if position else 0
    frontier = position.frontier() if position else Frontier()
    events = islice(_events(index, policies), done, None)
    while some := list(islice(events, _PER_TRANSACTION)):
        with writing(engine) as connection:
            append(connection, some)
            for each in some:
                frontier.append(each.leaf)
            write_position(connection, _position(frontier, some[-1].place))
        print(f"{frontier.size} entries", file=sys.stderr)
    return engine


def _position(frontier: Frontier, last: Place) -> Position:
    time = _time(last.block)
    return Position(
        chain_id=1,
        contract=Address(b"\1" * 20),
        first_block=BlockNumber(1),
        block=last.block,
        block_hash=last.block_hash,
        block_time=time,
        finality=FinalityBlocks(last.block, last.block),
        size=frontier.size,
        root=frontier.root(),
        peaks=tuple(frontier.peaks),
        synced_at=time,
        proven_block=last.block,
    )


def _events(index: Path, policies: int) -> Iterator[Recorded]:
    acts = (Action.PUBLISH, Action.AMEND)
    rows = [
        (row, {action: _draft(row, action).manifest() for action in acts}) for row in _rows(index)
    ]
    entry = 0
    for number, (row, templates) in enumerate(islice(cycle(rows), policies)):
        state = UNPUBLISHED
        for action in acts[: 1 + (number % AMENDED_EVERY == 0)]:
            made = _recorded(row, templates[action], action, number, entry, state)
            state = advance(state, made.entry)
            entry += 1
            yield made


def _recorded(
    row: dict[str, str],
    template: bytes,
    action: Action,
    number: int,
    index: int,
    state: PolicyState,
) -> Recorded:
    document = sha256(f"{action} {number}".encode())
    manifest = template.replace(_NUMBER.encode(), b"%09d" % number)
    manifest = manifest.replace(_DOCUMENT.hex().encode(), document.hex().encode())
    block = BlockNumber(1 + index // _PER_BLOCK)
    entry = Entry(
        index=EntryIndex(index),
        previous=state.head,
        authority=row["authority"],
        number=sha256(_number(row).replace(_NUMBER, f"{number:09d}").encode()),
        sequence=state.sequence + 1,
        action=action,
        effective_on=_day(row["effective_from"]) or _day(row["issued"]),
        document=document,
        manifest=sha256(manifest),
        registrar=Address(b"\7" * 20),
        recorded_at=_time(block),
    )
    place = Place(block, _hash("block", block), _hash("transaction", block), index)
    return Recorded(entry, entry.leaf_hash(), place, manifest)


def _draft(row: dict[str, str], action: Action) -> Draft:
    return Draft(
        action=action,
        authority=row["authority"],
        number=_number(row),
        title={row["language"]: row["title"]},
        document=FileDescription(_DOCUMENT, 10_000, f"{_NUMBER}.md", "text/markdown"),
        type=row["type"],
        issued=_day(row["issued"]),
        effective_from=_day(row["effective_from"]),
    )


def _number(row: dict[str, str]) -> str:
    return f"{row['number'][:60]} {_NUMBER}"


def _rows(index: Path) -> Sequence[dict[str, str]]:
    with index.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _day(text: str) -> Day | None:
    return parse_day(text) if text else None


def _time(block: int) -> UnixSeconds:
    return UnixSeconds(START + SECONDS_PER_BLOCK * block)


def _hash(what: str, number: int) -> Digest:
    return sha256(f"{what} {number}".encode())
