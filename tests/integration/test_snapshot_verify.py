"""A snapshot's file against the log that it says it is of: which step fails, and why."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from registry.core.snapshot import ndjson_line
from tests.integration.command_line import User
from tests.integration.test_log_export import (
    edit,
    expiring,
    fill,
    left_out,
    mirror_of,
    publish,
    registrar,
    root_of,
    without_mirror,
)

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def filled(user: User, tmp_path: Path) -> User:
    fill(user, tmp_path)
    publish(user, tmp_path, 3)
    return user


@pytest.fixture
def snapshot(filled: User, tmp_path: Path) -> Path:
    path = tmp_path / "snapshot.ndjson"
    filled.done("snapshot", "-o", path)
    return path


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("source", ["mirror", "log", "chain"])
def test_all_steps_hold_for_what_the_log_gives(
    filled: User, snapshot: Path, tmp_path: Path, source: str
) -> None:
    filled.done("export", "log", "-o", tmp_path / "log.ndjson")
    more = {"mirror": (), "log": ("--log", tmp_path / "log.ndjson"), "chain": ("--from-chain",)}
    spoken = filled.done("snapshot", "verify", snapshot, *more[source])
    assert [line[:5] for line in spoken.out.splitlines()[:6]] == [f"  ✓ {n}" for n in range(1, 7)]
    answer = filled.done("snapshot", "verify", snapshot, *more[source], "--json").json
    assert answer["verified"] is True
    assert answer["header"] == orjson.loads(lines_of(snapshot)[0])


@pytest.mark.parametrize("words", [("--in-force-on", "2020-01-01"), ("--size", "8")])
def test_an_earlier_or_a_filtered_snapshot_verifies_too(
    filled: User, tmp_path: Path, words: tuple[str, ...]
) -> None:
    path = tmp_path / "filtered.ndjson"
    filled.done("snapshot", *words, "-o", path)
    filled.done("snapshot", "verify", path)


def test_a_snapshot_of_what_was_recorded_by_a_time(filled: User, tmp_path: Path) -> None:
    path, log = tmp_path / "by.ndjson", tmp_path / "log.ndjson"
    synced = filled.done("status", "--json").json["registry"]["mirror"]["synced_at"]
    filled.done("snapshot", "--recorded-by", synced, "-o", path)
    filled.done("snapshot", "verify", path)
    filled.done("export", "log", "-o", log)
    # An export ends with its last entry, and does not say that nothing came after it.
    outcome = filled("snapshot", "verify", path, "--log", log)
    assert outcome.code in {0, 3}
    filled.done("snapshot", "verify", path, "--from-chain")


def without(number: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: lines[:number] + lines[number + 1 :]


def edited(number: int, **fields: object) -> Callable[[list[bytes]], list[bytes]]:
    def change(lines: list[bytes]) -> list[bytes]:
        line = ndjson_line({**orjson.loads(lines[number]), **fields})
        return [*lines[:number], line, *lines[number + 1 :]]

    return change


def reformatted(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[2].replace(b'":', b'": ', 1), *lines[3:]]


@pytest.mark.parametrize(
    ("change", "step", "said"),
    [
        (without(0), 1, "it has no schema"),
        (lambda lines: [], 1, "the file is empty"),
        (lambda lines: [lines[0][:-1]], 1, "no line feed"),
        (edited(0, more=1), 1, "an unknown key 'more'"),
        (edited(0, count=-1), 1, "count is not a whole number"),
        (edited(0, filters={}), 1, "filters has no 'in_force_on'"),
        (edited(0, filters={"in_force_on": "1.1.2020", "recorded_by": None}), 1, "not a date"),
        (lambda lines: [b"{ " + lines[0][1:], *lines[1:]], 1, "it is not canonical"),
        (lambda lines: [b"x" * 3_000_000, *lines[1:]], 1, "line 1 is longer than"),
        (edited(0, chain="eip155:1", contract="eip155:1:0x" + "11" * 20), 2, "the snapshot is of"),
        (edited(0, root="ab" * 32), 3, "the header says"),
        (edited(0, size=9), 3, "the root of 9 entries is"),
        (edited(0, block={"number": 1, "hash": "0x" + "ab" * 32}), 3, "is in block"),
        (without(2), 5, "the line of policy {2} is missing"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], 5, "line 4 (policy {2}) is doubled"),
        (lambda lines: [*lines, lines[-1]], 5, "line 6 (policy {4}) is doubled"),
        (
            lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
            5,
            "line 3 (policy {3}) is out of order",
        ),
        (lambda lines: [*lines[:4], lines[1], *lines[4:]], 5, "line 5 (policy {1}) is out of"),
        (lambda lines: [*lines, lines[1]], 5, "line 6 (policy {1}) is out of order"),
        (
            edited(2, title_en="Another", status="withdrawn"),
            5,
            "was edited: status is 'withdrawn', the log has '",
        ),
        (edited(3, surplus=None), 5, "line 4 (policy {3}) was edited: surplus is None"),
        (reformatted, 5, "line 3 (policy {2}) is not canonical"),
        (lambda lines: [lines[0], *lines], 5, "line 2 is a second header"),
        (lambda lines: [*lines, lines[0]], 5, "line 6 is a second header"),
        (edited(1, policy_id="00" * 32), 5, "which the log does not give"),
        (
            lambda lines: [
                *lines,
                ndjson_line({**orjson.loads(lines[-1]), "policy_id": "ff" * 32}),
            ],
            5,
            "which the log does not give",
        ),
        (lambda lines: [*lines[:2], b"[]\n", *lines[2:]], 5, "line 3 is no line of a snapshot"),
        (lambda lines: [*lines[:2], b"\n", *lines[2:]], 5, "line 3 is no line of a snapshot"),
        (without(4), 6, "the file ends after line 4: the line of policy {4} is missing"),
        (lambda lines: [*lines[:-1], lines[-1][:-1]], 6, "line 5 (policy {4}) has no line feed"),
        (lambda lines: [*lines[:-1], lines[-1][:90]], 6, "line 5 (policy {4}) is cut off"),
        (lambda lines: [*lines, b"\n"], 6, "line 6 is no line of a snapshot"),
        (lambda lines: [*lines, b"\0" * 9], 6, "line 6 is no line of a snapshot"),
        (edited(0, count=5), 6, "the header counts 5 lines, the log gives 4"),
    ],
)
def test_what_was_done_to_a_snapshot_is_named_with_its_step(
    filled: User,
    snapshot: Path,
    change: Callable[[list[bytes]], list[bytes]],
    step: int,
    said: str,
) -> None:
    lines = lines_of(snapshot)
    assert len(lines) == 5
    policies = ["", *(orjson.loads(line)["policy_id"] for line in lines[1:])]
    for number, policy in enumerate(policies):
        said = said.replace(f"{{{number}}}", policy)
    snapshot.write_bytes(b"".join(change(lines)))
    outcome = filled("snapshot", "verify", snapshot)
    assert outcome.code == 1
    assert f"error: step {step}: " in outcome.err
    assert said in outcome.err
    held = [line for line in outcome.out.splitlines() if "✓" in line]
    assert len(held) == min(step - 1, 4)
    assert filled("snapshot", "verify", snapshot, "--json").json["error"]["kind"] == "ProofError"


def in_mirror(user: User, statement: str) -> None:
    connection = sqlite3.connect(mirror_of(user))
    with connection:
        assert connection.execute(statement).rowcount > 0
    connection.close()


LIE = """REPLACE(CAST(snapshot_line AS TEXT), '"status":"repealed"', '"status":"in_force"')"""


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (f"UPDATE policies SET snapshot_line = CAST({LIE} AS BLOB)", ()),
        ("UPDATE intervals SET standing = 'in_force'", ("--in-force-on", "2100-01-01")),
    ],
    ids=["line", "interval"],
)
def test_what_the_mirror_derived_is_not_believed(
    filled: User, tmp_path: Path, statement: str, words: tuple[str, ...]
) -> None:
    honest, lying = tmp_path / "honest.ndjson", tmp_path / "lying.ndjson"
    filled.done("snapshot", *words, "-o", honest)
    in_mirror(filled, statement)
    filled.done("snapshot", *words, "-o", lying)
    assert honest.read_bytes() != lying.read_bytes()
    filled.done("snapshot", "verify", honest)
    outcome = filled("snapshot", "verify", lying)
    assert outcome.code == 1
    assert "error: step 5: " in outcome.err


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET action = 1 WHERE action = 7",
        "UPDATE entries SET action = 99 WHERE action = 7",
        "UPDATE entries SET authority = x'ff' WHERE action = 7",
        "UPDATE entries SET registrar = zeroblob(20) WHERE action = 2",
        "UPDATE entries SET block = block + 1 WHERE action = 7",
        "UPDATE entries SET policy = (SELECT min(id) FROM policies) WHERE action = 7",
        "UPDATE entries SET policy = NULL WHERE action = 7",
        "DELETE FROM entries WHERE action = 7",
        "UPDATE manifests SET content = x'7b7d' WHERE entry = (SELECT max(entry) FROM manifests)",
        "DELETE FROM manifests WHERE entry = (SELECT max(entry) FROM manifests)",
        "DELETE FROM policies WHERE id = (SELECT max(id) FROM policies)",
        "UPDATE policies SET policy_id = zeroblob(32) WHERE id = (SELECT max(id) FROM policies)",
        "UPDATE position SET root = zeroblob(32)",
        "UPDATE blocks SET hash = zeroblob(32)",
    ],
)
def test_a_damaged_mirror_says_nothing_of_a_snapshot(
    filled: User, tmp_path: Path, statement: str
) -> None:
    honest = tmp_path / "honest.ndjson"
    filled.done("snapshot", "-o", honest)
    in_mirror(filled, statement)
    outcome = filled("snapshot", "verify", honest)
    assert outcome.code == 3, outcome.err
    assert "the mirror is damaged: " in outcome.err
    assert "polreg fsck" in outcome.err


@pytest.mark.parametrize(
    "fields", [{"policy_id": "00\x1b]0;x\x07"}, {"\x1b]0;x\x07": 1}, {"status": "\x1b]0;x\x07"}]
)
def test_what_a_snapshot_says_can_not_write_on_the_terminal(
    filled: User, snapshot: Path, fields: dict[str, object]
) -> None:
    snapshot.write_bytes(b"".join(edited(2, **fields)(lines_of(snapshot))))
    outcome = filled("snapshot", "verify", snapshot)
    assert outcome.code == 1
    assert "\x1b" not in outcome.err + outcome.out
    assert "\\x1b]0;x\\x07" in outcome.err


def test_a_very_long_line_is_refused_without_being_held(filled: User, snapshot: Path) -> None:
    os.truncate(snapshot, 100_000_000)
    outcome = filled("snapshot", "verify", snapshot)
    assert outcome.code == 1
    assert "error: step 5: line 6 is longer than" in outcome.err


def test_a_table_has_no_header_to_verify(filled: User, tmp_path: Path) -> None:
    path = tmp_path / "snapshot.csv"
    filled.done("snapshot", "--format", "csv", "-o", path)
    outcome = filled("snapshot", "verify", path)
    assert outcome.code == 2
    assert "no header that says which log it is of" in outcome.err


def test_a_log_that_is_too_short_says_nothing(filled: User, snapshot: Path, tmp_path: Path) -> None:
    log = tmp_path / "short.ndjson"
    size = orjson.loads(lines_of(snapshot)[0])["size"]
    filled.done("export", "log", "--size", str(size - 1), "-o", log)
    outcome = filled("snapshot", "verify", snapshot, "--log", log)
    assert outcome.code == 3
    assert f"the log here has {size - 1} entries, the snapshot is of {size}" in outcome.err
    outcome = without_mirror(filled)("snapshot", "verify", snapshot)
    assert outcome.code == 3
    assert "never been synced" in outcome.err


def test_without_a_node_the_other_steps_are_told(anvil_user: User, tmp_path: Path) -> None:
    fill(anvil_user, tmp_path)
    path = tmp_path / "snapshot.ndjson"
    anvil_user.done("snapshot", "-o", path)
    outcome = anvil_user("snapshot", "verify", path, "--rpc", NOWHERE)
    assert outcome.code == 3
    assert "steps 1, 2, 3, 5 and 6 hold" in outcome.err
    assert [line[4] for line in outcome.out.splitlines()] == ["1", "2", "3", "5", "6"]
    path.write_bytes(path.read_bytes()[:-1])
    assert anvil_user("snapshot", "verify", path, "--rpc", NOWHERE).code == 1


@pytest.mark.parametrize("source", ["log", "chain"])
def test_with_a_node_no_registry_needs_to_be_set_up(
    anvil_user: User, tmp_path: Path, source: str
) -> None:
    fill(anvil_user, tmp_path)
    path, log = tmp_path / "snapshot.ndjson", tmp_path / "log.ndjson"
    anvil_user.done("snapshot", "-o", path)
    anvil_user.done("export", "log", "-o", log)
    rpc = anvil_user.settings["POLREG_RPC_URL"]
    stranger = User(tmp_path / "nothing", {})
    more = {"log": ("--log", log), "chain": ("--from-chain",)}[source]
    said = stranger.done("snapshot", "verify", path, *more, "--rpc", rpc).out
    contract = orjson.loads(lines_of(path)[0])["contract"]
    assert f"it is of {contract}; compare this with the registry you mean" in said
    address = contract.rpartition(":")[2]
    said = stranger.done(
        "snapshot", "verify", path, *more, "--rpc", rpc, POLREG_CONTRACT=address
    ).out
    assert "the registry that is meant" in said
    other = stranger(
        "snapshot", "verify", path, *more, "--rpc", rpc, POLREG_CONTRACT="0x" + "11" * 20
    )
    assert other.code == 1
    assert "error: step 2: " in other.err
    assert not (tmp_path / "nothing").exists()
    # Without a node: a log alone shows that the file agrees with it, and no more.
    outcome = stranger("snapshot", "verify", path, "--log", log)
    assert outcome.code == 3
    assert "no node is known here" in outcome.err


def test_a_snapshot_within_a_batch_is_vouched_for_by_the_batch_s_root(
    user: User, tmp_path: Path
) -> None:
    rows = [f"{n}.md,CN.GD,{n},Title {n},en,notice,2020-01-01,\n" for n in range(6)]
    for number in range(6):
        (tmp_path / f"{number}.md").write_text(f"text {number}")
    index = tmp_path / "index.csv"
    columns = "path,authority,number,title,language,type,issued,effective_from\n"
    index.write_text(columns + "".join(rows))
    user.done("import", index)
    size = user.done("status", "--json").json["registry"]["log"]["size"]
    path = tmp_path / "within.ndjson"
    user.done("snapshot", "--size", str(size - 3), "-o", path)
    user.done("snapshot", "verify", path)


def test_a_forged_snapshot_and_log_agree_and_the_chain_says_no(
    anvil_user: User, tmp_path: Path
) -> None:
    """Another deployer in the first entry, and the root computed anew."""
    fill(anvil_user, tmp_path)
    path, log = tmp_path / "snapshot.ndjson", tmp_path / "log.ndjson"
    anvil_user.done("snapshot", "-o", path)
    anvil_user.done("export", "log", "-o", log)
    edit(log, 1, registrar)
    root = root_of(log)
    for each in (path, log):
        edit(each, 0, lambda fields: fields.update(root=root))
    outcome = anvil_user("snapshot", "verify", path, "--log", log)
    assert outcome.code == 1
    assert "error: step 4: the contract's root of" in outcome.err


def test_a_log_that_leaves_a_manifest_out_verifies_nothing(
    anvil_user: User, tmp_path: Path
) -> None:
    """Snapshot and log agree that a policy which has ended is in force."""
    expiring(anvil_user, tmp_path)
    honest, lying, log = (tmp_path / name for name in ("honest", "lying", "log"))
    today = ("--in-force-on", "2024-01-01")
    anvil_user.done("snapshot", *today, "-o", honest)
    anvil_user.done("export", "log", "-o", log)
    anvil_user.done("snapshot", "verify", honest, "--log", log)
    edit(log, -2, left_out)
    without_the_check = "registry.services.log_export.require_digests_alone"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(without_the_check, lambda *_: None)
        without_mirror(anvil_user).done("import", "log", log)
    anvil_user.done("snapshot", *today, "-o", lying)
    assert len(lines_of(lying)) == len(lines_of(honest)) + 1
    for each in (honest, lying):
        outcome = anvil_user("snapshot", "verify", each, "--log", log)
        assert outcome.code == 1
        assert "error: step 4: " in outcome.err
        assert "the export leaves out the manifest that came with entry" in outcome.err
    assert anvil_user("snapshot", "verify", lying, "--log", log, "--rpc", NOWHERE).code == 3


def test_another_address_is_no_registry(anvil_user: User, tmp_path: Path) -> None:
    """Snapshot and log both say that they are of a contract that is not there."""
    fill(anvil_user, tmp_path)
    path, log = tmp_path / "snapshot.ndjson", tmp_path / "log.ndjson"
    anvil_user.done("snapshot", "-o", path)
    anvil_user.done("export", "log", "-o", log)
    nobody = "eip155:31337:0x" + "11" * 20
    for each in (path, log):
        edit(each, 0, lambda fields: fields.update(contract=nobody))
    stranger = User(tmp_path / "nothing", {})
    rpc = anvil_user.settings["POLREG_RPC_URL"]
    for source in (("--log", log), ("--from-chain",)):
        outcome = stranger("snapshot", "verify", path, *source, "--rpc", rpc)
        assert outcome.code == 1
        assert "there is no contract at" in outcome.err
    ours = anvil_user("snapshot", "verify", path, "--log", log)
    assert "error: step 2: " in ours.err


def test_a_snapshot_goes_through_what_is_no_plain_file(filled: User, tmp_path: Path) -> None:
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(target)
    filled.done("snapshot", "-o", link)
    assert link.is_symlink()
    assert filled("snapshot", "verify", target).code == 0
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    filled.done("snapshot", "-o", pipe)
    assert os.read(reader, 1 << 20) == target.read_bytes()
    os.close(reader)
    assert pipe.is_fifo()
    assert filled.done("snapshot", "-o", "/dev/null").out.startswith("/dev/null: ")


def test_a_file_named_verify_is_given_with_its_folder(
    filled: User, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    snapshot.rename(tmp_path / "verify")
    filled.done("snapshot", "verify", "verify")
    assert filled("snapshot", "verify").code == 2
    assert "./verify" in filled.done("snapshot", "--help").out
