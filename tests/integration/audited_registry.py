"""A small registry of real laws in which every table has rows and every column values."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from registry.chain.abi import call_data
from registry.chain.client import Client
from registry.chain.sender import Sender
from registry.chain.signers import signer_from_hex
from registry.core.authority import Role, encode_code
from registry.core.calendar import parse_day
from registry.core.digest import sha256
from registry.core.draft import Draft
from registry.core.entry import Action
from registry.core.feed import Place, Recorded
from registry.core.manifest import profile
from registry.core.merkle import Frontier
from registry.core.position import Position
from registry.core.text.clauses import PROFILE, TextRecord
from registry.core.units import Address, BlockNumber, UnixSeconds
from registry.core.verdict import FinalityBlocks
from registry.mirror.engine import open_engine, sqlite_url, writing
from registry.mirror.position import write_position
from registry.mirror.store import append
from registry.services.authorities import appoint, dismiss, open_authority, report_compromised
from registry.services.hashing import describe_file
from tests.anvil import DEV_KEYS
from tests.publishing import record
from tests.unit.logs import Log

_AUTHORITIES = {"CN": "国务院", "CN.BJ": "北京市", "US": "", "US.DC": ""}
_BATCH = 50
# Enough entries for a second level of tiles.
_REGISTRARS = 200


def fill(corpus: Path, client: Client, sender: Sender, laws: int) -> None:
    """Publish the first laws of the corpus's two parts, then act on them in every way."""
    _authorities(client, sender)
    drafts = [*_drafts(corpus, "cn/bj", "CN.BJ", laws), *_drafts(corpus, "dc", "US.DC", laws)]
    for at in range(0, len(drafts), _BATCH):
        _record(drafts[at : at + _BATCH], client, sender)
    first, second, third, fourth = drafts[:4]
    amended = _as(first, Action.AMEND, drafts[-1], effective_from=parse_day("2030-01-01"))
    _record([amended], client, sender)
    _record([_as(first, Action.CORRECT, drafts[-2], reason="勘误")], client, sender)
    _record([_as(second, Action.SUSPEND), _as(third, Action.REPEAL)], client, sender)
    _record([_as(second, Action.REINSTATE), _as(fourth, Action.WITHDRAW)], client, sender)
    lead = {"type": "endorses", "policy": first.key.policy_id.hex()}
    joint = replace(first, authority="CN", relations=[lead])
    ending = replace(second, authority="CN", effective_to=parse_day("2028-12-31"))
    _record([joint, ending], client, sender)
    _record([replace(third, authority="CN")], client, sender, digest_only=True)


def _authorities(client: Client, sender: Sender) -> None:
    for code, name in _AUTHORITIES.items():
        names = {"en": f"Authority {code}", **({"zh": name} if name else {})}
        open_authority(code, names, None, client, sender)
    others = [signer_from_hex(key).address for key in DEV_KEYS[1:3]]
    for other in others:
        appoint("CN.BJ", other, Role.REGISTRAR, client, sender)
    dismiss("CN.BJ", others[0], Role.REGISTRAR, client, sender)
    appoint("CN.BJ", others[0], Role.REGISTRAR, client, sender)
    for number in range(_REGISTRARS):
        appoint("CN", Address((number + 1).to_bytes(20, "big")), Role.REGISTRAR, client, sender)
    since = UnixSeconds(1_700_000_000)
    report_compromised("CN.BJ", others[1], Role.REGISTRAR, since, client, sender)
    shown = profile("CN.BJ", {"zh": "北京市人民政府", "en": "Beijing"})
    sender.call(
        client.address, call_data("setProfile", (encode_code("CN.BJ"), sha256(shown), shown))
    )


def _drafts(corpus: Path, folder: str, authority: str, count: int) -> list[Draft]:
    with (corpus / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith(f"{folder}/")]
    laws = list({row["number"]: row for row in rows}.values())[: count + 1]
    other = describe_file(str(corpus / laws.pop()["path"]), "en")
    return [_draft(corpus, row, authority, number, other) for number, row in enumerate(laws)]


def _draft(corpus: Path, row: dict[str, str], authority: str, number: int, other: object) -> Draft:
    title = {row["language"]: row["title"]}
    if number % 3 == 0:
        title = {"zh": row["title"], "en": f"Law {number}"}
    return Draft(
        action=Action.PUBLISH,
        authority=authority,
        number=row["number"],
        title=title,
        document=describe_file(str(corpus / row["path"]), row["language"]),
        renditions=[other] if number % 5 == 0 else [],  # type: ignore[list-item]
        type=row["type"],
        issued=parse_day(row["issued"]) if row["issued"] else None,
        effective_from=parse_day(row["effective_from"]) if row["effective_from"] else None,
        text=_record_of(row) if number % 2 else None,
    )


def _record_of(row: dict[str, str]) -> TextRecord:
    """Of a text that nobody read."""
    digest, root = sha256(row["title"].encode()), sha256(row["number"].encode())
    return TextRecord(PROFILE, digest, root, 12, "test/1", salted=row["language"] == "en")


def _as(draft: Draft, action: Action, other: Draft | None = None, **more: object) -> Draft:
    """Another act on the same policy; `other` lends it its document."""
    document = other.document if other is not None else None
    return replace(draft, action=action, document=document, renditions=[], **more)  # type: ignore[arg-type]


def _record(
    drafts: Sequence[Draft], client: Client, sender: Sender, *, digest_only: bool = False
) -> None:
    states = client.policies([each.key for each in drafts])
    record(
        [
            each.submission(state, digest_only=digest_only)
            for each, state in zip(drafts, states, strict=True)
        ],
        client,
        sender,
    )


def mirror_of(corpus: Path, path: Path) -> None:
    """A mirror of all laws, written by the program's own store; its chain is made up."""
    with (corpus / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    log, numbers = Log(), set[tuple[str, str]]()
    for row in rows:
        key = row["authority"], row["number"]
        law = _draft(corpus, row, row["authority"], 1, None)
        log.record(replace(law, action=Action.AMEND if key in numbers else Action.PUBLISH))
        numbers.add(key)
    tree = Frontier()
    engine = open_engine(sqlite_url(path))
    with writing(engine) as connection:
        for at in range(0, len(log.logged), _BATCH):
            place = Place(BlockNumber(at + 1), sha256(b"%d" % at), sha256(b"sent %d" % at), 0)
            some = log.logged[at : at + _BATCH]
            events = [Recorded(e.entry, e.entry.leaf_hash(), place, e.manifest) for e in some]
            append(connection, events)
            for event in events:
                tree.append(event.leaf)
        write_position(connection, _position(place, tree))
    engine.dispose()


def _position(place: Place, tree: Frontier) -> Position:
    return Position(
        chain_id=1,
        contract=Address(bytes(20)),
        first_block=BlockNumber(1),
        block=place.block,
        block_hash=place.block_hash,
        block_time=UnixSeconds(1_800_000_000),
        finality=FinalityBlocks(BlockNumber(-1), BlockNumber(-1)),
        size=tree.size,
        root=tree.root(),
        peaks=tuple(tree.peaks),
        synced_at=UnixSeconds(1_800_000_000),
        proven_block=place.block,
    )
