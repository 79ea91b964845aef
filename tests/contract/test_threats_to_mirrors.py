"""What docs/security.md says of nodes, databases and `verify`, where no other test tries it.

A test of a limit fails on the day the limit is gone: the page is then to be put right.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from registry.chain.client import Client
from registry.chain.events import MANIFEST_PUBLISHED
from registry.chain.rpc import Call, HttpTransport, Transport
from registry.core.authority import Role, role_id
from registry.core.digest import sha256
from registry.core.units import BlockNumber, Day
from registry.core.verdict import ExitCode
from registry.errors import Inconsistent
from registry.mirror.engine import open_engine, sqlite_url
from registry.mirror.rows import place_checksum
from registry.services.fsck import fsck
from registry.services.sync import sync
from registry.services.verify import verify_digests
from tests.anvil import running_anvil
from tests.contract.anvil_registry import (
    account,
    address,
    fund,
)
from tests.contract.registry_office import Office, opened_office
from tests.integration.test_sync import Behind

FIRST, TODAY = BlockNumber(1), Day(20_700)


@pytest.fixture(scope="module")
def node() -> Iterator[tuple[HttpTransport, str]]:
    with running_anvil() as url:
        yield HttpTransport(url), url


@pytest.fixture
def office(node: tuple[HttpTransport, str], tmp_path: Path) -> Office:
    return opened_office(*node, tmp_path)


class Hiding:
    """A node that leaves out the manifests that came with a block, and numbers the logs after
    them as if they had never been."""

    def __init__(self, node: Transport) -> None:
        self._node = node

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        answer = self._node.request(method, params)
        return _without_manifests(answer) if method == "eth_getLogs" else answer

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return self._node.batch(calls)

    def close(self) -> None:
        pass


def _without_manifests(logs: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for log in logs:
        if log["topics"][0] != MANIFEST_PUBLISHED:
            before = sum(each["blockNumber"] == log["blockNumber"] for each in kept)
            kept.append({**log, "logIndex": hex(before)})
    return kept


def standing(mirror: Path, file: Path) -> str:
    engine = open_engine(sqlite_url(mirror))
    _, (verdict,) = verify_digests(engine, [sha256(file.read_bytes())], TODAY)
    engine.dispose()
    told = verdict.standing or verdict.unsettled
    assert told is not None
    return told.value


def synced(client: Client, mirror: Path) -> Path:
    engine = open_engine(sqlite_url(mirror))
    sync(client, engine, FIRST)
    engine.dispose()
    return mirror


def fsck_findings(client: Client, mirror: Path) -> list[str]:
    engine = open_engine(sqlite_url(mirror))
    done = fsck(engine, lambda: client, FIRST)
    engine.dispose()
    assert (done.exit_code is ExitCode.VERIFIED) is not bool(done.findings)
    return [each.table for each in done.findings]


def test_a_node_that_hides_manifests_is_found_out_by_the_block_s_own_receipts(
    office: Office, tmp_path: Path
) -> None:
    """No root of ours tells whether a manifest's bytes came with an entry; the block's does."""
    file = office.publish("ended.md", "--issued", "2019-01-01", "--until", "2020-01-01")
    liar = Client(Hiding(office.client.transport), office.client.address)
    with pytest.raises(Inconsistent, match="kept back a manifest"):
        synced(liar, tmp_path / "mirror.sqlite")
    assert standing(synced(office.client, tmp_path / "mirror.sqlite"), file) == "expired"


def assert_snapshot_differs(office: Office, mirror: Path) -> None:
    """What is written from this mirror is not what a node's log gives, at step 5."""
    snapshot, database = (
        office.folder / "snapshot.ndjson",
        {"POLREG_DATABASE_URL": sqlite_url(mirror)},
    )
    office.officer.done("snapshot", "--output", snapshot, **database)
    checked = office.officer("snapshot", "verify", snapshot, "--from-chain")
    assert (checked.code, "step 5" in checked.err + checked.out) == (1, True), checked


def test_who_writes_to_the_database_can_hide_a_manifest_from_fsck(
    office: Office, tmp_path: Path
) -> None:
    """Checksums tell of accidents. Written by somebody who computes them, and repaired by fsck
    itself, a mirror without a manifest looks sound; one made anew from the chain differs."""
    file = office.publish("ended.md", "--issued", "2019-01-01", "--until", "2020-01-01")
    mirror = synced(office.client, tmp_path / "written.sqlite")
    with sqlite3.connect(mirror) as connection:
        found = 'SELECT entry, block, "transaction" FROM entries ORDER BY entry DESC LIMIT 1'
        entry, block, transaction = connection.execute(found).fetchone()
        checksum = place_checksum(entry, block, transaction, False)
        connection.execute("DELETE FROM manifests WHERE entry = ?", (entry,))
        connection.execute("UPDATE entries SET checksum = ? WHERE entry = ?", (checksum, entry))
    connection.close()
    assert set(fsck_findings(office.client, mirror)) <= {
        "policies", "intervals", "documents", "search", "texts",
    }  # fmt: skip
    engine = open_engine(sqlite_url(mirror))
    assert fsck(engine, lambda: office.client, FIRST, repair=True).repaired
    engine.dispose()
    assert fsck_findings(office.client, mirror) == []
    assert standing(mirror, file) == "last_day_unknown"
    assert_snapshot_differs(office, mirror)


def test_who_writes_to_the_database_can_name_another_transaction(
    office: Office, tmp_path: Path
) -> None:
    mirror, made_up = synced(office.client, tmp_path / "written.sqlite"), bytes([7] * 32)
    with sqlite3.connect(mirror) as connection:
        found = "SELECT entry, block FROM entries WHERE entry = 1"
        entry, block = connection.execute(found).fetchone()
        manifest = connection.execute("SELECT 1 FROM manifests WHERE entry = 1").fetchone()
        checksum = place_checksum(entry, block, made_up, manifest is not None)
        changed = 'UPDATE entries SET "transaction" = ?, checksum = ? WHERE entry = 1'
        connection.execute(changed, (made_up, checksum))
    connection.close()
    assert fsck_findings(office.client, mirror) == []


def test_verify_marks_documents_of_a_compromised_key(office: Office) -> None:
    """Until the authority records them anew by a key that it trusts."""
    file = office.publish("a.md")
    key = account("officer").address
    office.officer.done("authority", "compromised", "CN", key, "--since", "2024-07-01T12:00:00Z")
    checked = office.officer("verify", file)
    assert (checked.code, "WARNING" in checked.out) == (ExitCode.NOT_IN_FORCE, True)
    assert "reported compromised" in office.officer.done("authority", "show", "CN").out
    office.registry.sends("officer", "grantRole", role_id("CN", Role.REGISTRAR), address("fresh"))
    fund(office.client.transport, "fresh")
    trusted = {"POLREG_PRIVATE_KEY": account("fresh").key.hex()}
    words = ("--authority", "CN", "--number", "a.md", "--reason", "it is ours")
    office.officer.done("correct", file, *words, **trusted)
    assert office.officer("verify", file).code == ExitCode.VERIFIED
    assert "KEY REPORTED COMPROMISED" in office.officer.done("history", "CN", "a.md").out


def test_the_mirror_can_not_tell_where_a_receipt_can_not(office: Office) -> None:
    """Of a manifest that is not in the log, and of a registry that was closed."""
    ended = ("--issued", "2019-01-01", "--until", "2020-01-01")
    unknown = office.publish("digest.md", *ended, "--digest-only")
    known = office.publish("manifest.md")
    for file in (unknown, known):
        office.officer.done("prove", file, "-o", file.with_suffix(".json"))
    assert office.officer("verify", unknown).code == ExitCode.COULD_NOT_CHECK
    assert verified_by_receipt(office, unknown) == ExitCode.COULD_NOT_CHECK
    assert office.officer("verify", known).code == ExitCode.VERIFIED
    assert verified_by_receipt(office, known) == ExitCode.VERIFIED
    office.registry.sends("officer", "retire", address("successor"))
    office.officer.done("sync")
    assert office.officer("verify", known).code == ExitCode.COULD_NOT_CHECK
    assert verified_by_receipt(office, known) == ExitCode.COULD_NOT_CHECK


def verified_by_receipt(office: Office, file: Path) -> int:
    url = office.officer.settings["POLREG_RPC_URL"]
    receipt = file.with_suffix(".json")
    return office.officer("verify", file, "--receipt", receipt, "--rpc", url).code


def test_who_records_a_file_first_speaks_for_it(office: Office) -> None:
    """Another authority of the same registry, that is: verify names both, and its exit code is
    that of the first one's policy."""
    office.officer.done("authority", "open", "XX")
    file = office.folder / "copied.md"
    file.write_text("# copied\n", encoding="utf-8")
    for code in ("XX", "CN"):
        words = ("--authority", code, "--number", "1", "--title-en", code)
        office.officer.done("publish", file, *words)
    office.officer.done("repeal", "XX", "1", "--effective", "2020-01-01", "--reason", "x")
    checked = office.officer("verify", file)
    assert checked.code == ExitCode.NOT_IN_FORCE
    assert "XX 1" in checked.out
    assert "CN 1" in checked.out
    assert office.officer("verify", file, "--authority", "CN").code == ExitCode.VERIFIED


def test_a_node_that_stands_still_is_told_by_the_time_of_its_block_alone(
    office: Office, tmp_path: Path
) -> None:
    mirror = synced(office.client, tmp_path / "still.sqlite")
    head = office.client.head().block
    still = Client(Behind(office.client.transport, head.number), office.client.address)
    office.publish("later.md")
    engine = open_engine(sqlite_url(mirror))
    position = sync(still, engine, FIRST).position
    engine.dispose()
    assert (position.block, position.block_time) == (head.number, head.time)
    assert time.time() - (position.synced_at or 0) < 60


def test_a_chain_that_replaces_a_finalised_block_stops_the_mirror(tmp_path: Path) -> None:
    with running_anvil() as url:
        office = opened_office(HttpTransport(url), url, tmp_path)
        office.publish("settled.md")
        office.client.transport.request("anvil_mine", [hex(100)])
        mirror = synced(office.client, tmp_path / "mirror.sqlite")
        office.client.transport.request("anvil_rollback", [101])
        office.client.transport.request("anvil_mine", [hex(120), hex(7)])
        with pytest.raises(Inconsistent, match="finalised"):
            synced(office.client, mirror)
