"""The verifier that the web page runs, written from docs/formats.md alone: it takes every
receipt that is good, and fails at the same step of every other.

All its jobs go to one Node.js process. A missing Node.js is a failure, as for Anvil.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import rlp  # type: ignore[import-untyped]  # it ships no types
from eth_hash.auto import keccak

from tests.integration.command_line import User

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors"
WEB = ROOT / "api" / "web"
VERIFY = WEB / "verify.mjs"

RECEIPTS = {path.stem: path for path in sorted((VECTORS / "receipts").glob("*.json"))}
PROOFS = {path.stem: path for path in sorted((VECTORS / "proofs").glob("inclusion-*.json"))}
ENTRIES = json.loads((VECTORS / "entries.json").read_bytes())

# Around the rate of 136 bytes, where the padding's two ends meet or need a block of their own.
KECCAK_LENGTHS = [*range(5), *range(130, 140), 271, 272, 273, 532, 1000]

RLP_GOOD: list[Any] = [
    b"", b"\0", b"\x7f", b"\x80", b"a" * 55, b"a" * 56, b"a" * 255, b"a" * 256, b"a" * 70000,
    [], [b""], [[], [[]]], [b"a" * 55], [b"a" * 60, [b"b", b""]], [b"x"] * 300,
]  # fmt: skip
RLP_BAD = {
    "nothing": "",
    "an item after it": "0102",
    "one byte in two": "8101",
    "the string breaks off": "83aabb",
    "the list breaks off": "c3aabb",
    "an item beyond its list": "c283aabb",
    "a long form of 55 bytes": "b837" + "61" * 55,
    "a length that begins with zero": "b90038" + "61" * 56,
    "a length that breaks off": "b9",
    "a length of eight bytes": "bfffffffffffffffff",
    "a length with its highest bit": "bbff000000",
    "a long list of 55 bytes": "f837" + "61" * 55,
    "2,000 lists": "f9" * 2000,
}

JSON_GOOD: dict[str, Any] = {
    " \t\r\n0 ": 0,
    "-0": 0,
    "9007199254740991": 2**53 - 1,
    "-9007199254740991": 1 - 2**53,
    '{"a" : [1 , true,false,null, "x"] }': {"a": [1, True, False, None, "x"]},
    '"\\u00e9\\n\\\\\\"\\ud83d\\ude00"': 'é\n\\"😀',
    '{"__proto__":1,"constructor":2,"":3}': {"__proto__": 1, "constructor": 2, "": 3},
    "[" * 64 + "]" * 64: None,
    "{}": {},
}
JSON_BAD = [
    b"", b" ", b"\xef\xbb\xbf1", b"\xff", b'"\xc0\x80"', b'"\xed\xa0\x80"', b"1 2", b"[1,]",
    b"[,1]", b"[1 2]", b"[1", b"]", b'{"a"}', b'{"a":}', b'{"a":1,}', b"{a:1}", b"{1:1}",
    b'{"a":1,"a":1}', b'{"a":1,"\\u0061":1}', b'[{"b":{"a":1,"a":2}}]',
    b'{"__proto__":1,"__proto__":2}', b"1.0", b"1e2", b"1E2", b"01", b"-", b"+1", b"-01", b".5",
    b"0x10", b"NaN", b"Infinity", b"-Infinity", b"nul", b"nullx", b"True", b"'a'", b'"a', b'"\\"',
    b'"\\', b'"\\x41"', b'"\\u12"', b'"\n"', b'"\0"', b"9007199254740992", b"-9007199254740992",
    b"9" * 5000, b"[" * 65 + b"]" * 65, b"[" * 100_000, b"\x0c1", "\u00a01".encode(), b"// x\n1",
    b"1\0", "１".encode(),
]  # fmt: skip

MANIFEST = {
    "action": "publish", "authority": "CN", "number": "N-1",
    "schema": "policy-registry/manifest/1", "title": {"en": "One"},
}  # fmt: skip
DIGEST = "a" * 64
# Beyond what the receipts' vectors show: each value with whether a reader takes it.
MANIFEST_CASES: list[tuple[str, Any, bool]] = [
    ("title", {"en": "\ufeff"}, True), ("title", {"en": " \u3000\n"}, False), ("title", {}, False),
    ("title", {"zh-Hans": "x"}, True), ("title", {"EN": "x"}, False),
    ("title", {"en\n": "x"}, False), ("number", "e\u0301" * 128, True),
    ("number", "é" * 129, False), ("number", "x\ty", False), ("number", "x\u2028", False),
    ("number", "", False), ("number", "\ufeffx", True), ("issued", "2020-02-29", True),
    ("issued", "2021-02-29", False), ("issued", "0000-01-01", False),
    ("issued", "0001-01-01", True), ("issued", "2021-01-01\n", False), ("issued", None, True),
    ("issued_month", "2021-12", True), ("issued_month", "2021-13", False),
    ("effective_to", "2020-01-01", True), ("jurisdiction", "CN-GD", True),
    ("jurisdiction", "cn", False), ("document", None, False),
    ("document", {"sha256": DIGEST, "size": 0, "name": 5}, True),
    ("document", {"sha256": DIGEST, "size": -1}, False),
    ("document", {"sha256": DIGEST, "size": True}, False),
    ("document", {"sha256": DIGEST.upper()}, False),
    ("renditions", [{"sha256": DIGEST}, {}], False),
    ("relations", [{"type": "amends", "policy": DIGEST}], True),
    ("relations", [{"type": "amends", "policy": None, "citation": "x"}], True),
    ("relations", [{"type": "amends", "policy": "x", "citation": "x"}], False),
    ("relations", [{"type": "likes", "citation": "x"}], False), ("type", None, False),
    ("reason", "a\u202eb", False), ("reason", "a\ufdd0b", False),
    ("reason", "a\U0001fffeb", False), ("reason", "x" * 9000, True),
    ("x", [{"y\u200f": 1}], False), ("x", ["\t\n"], True),
]  # fmt: skip


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def in_hex(item: Any) -> Any:
    return item.hex() if isinstance(item, bytes) else [in_hex(each) for each in item]


def receipt_job(vector: Mapping[str, Any]) -> dict[str, Any]:
    written = vector.get("receipt_base64") or base64_of(vector["receipt"].encode())
    named = {key: vector[key] for key in ("block_hash", "contract")}
    return {"kind": "receipt", "receipt": written, "file": vector["file_base64"], **named}


def days(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def in_force_jobs() -> dict[str, tuple[dict[str, Any], str]]:
    """The page's own example of section 11: each of its lines, asked of the act it names."""
    page = (ROOT / "docs" / "formats.md").read_text("utf-8")
    example = re.search(r"^```example in-force\n(.*?)^```", page, re.M | re.S)
    assert example is not None
    words = ("publish", "amend", "correct", "suspend", "reinstate", "supersede", "repeal")
    acts, jobs = [], {}
    until: list[str | None] = []
    for line in example[1].splitlines():
        if act := re.fullmatch(r"act \d = (\w+) from (.*), recorded (.*), until (.*)", line):
            acts.append({
                "shown": "",
                "action": words.index(act[1]) + 1,
                "effectiveOn": None if act[2] == "none" else days(act[2]),
                "recordedAt": str(days(act[3]) * 86400),
                "document": DIGEST if act[1] in words[:3] else None,
            })  # fmt: skip
            until.append(None if act[4] == "none" else act[4])
            continue
        asked = re.fullmatch(r"from (.*) = (\w+), document of act (\d), version \d", line)
        assert asked is not None, line
        day = -(2**31) + 1 if asked[1] == "the beginning" else days(asked[1])
        job = {
            "kind": "standing", "day": day, "entry": int(asked[3]), "entries": acts, "latest": True,
            "closed": None, "role": "document", "status": "repealed",
            "ownManifest": {"effective_to": until[int(asked[3])]},
        }  # fmt: skip
        jobs[line] = (job, asked[2])
    assert len(jobs) == 8
    return jobs


IN_FORCE = in_force_jobs()


def all_jobs() -> dict[str, dict[str, Any]]:
    jobs: dict[str, dict[str, Any]] = {}
    for name, path in RECEIPTS.items():
        jobs[f"receipt {name}"] = receipt_job(json.loads(path.read_bytes()))
    for name, path in PROOFS.items():
        jobs[f"inclusion {name}"] = json.loads(path.read_bytes())
    for entry in [*ENTRIES["entries"], *ENTRIES["refused"]]:
        jobs[f"entry {entry['name']}"] = {"kind": "entry", "hex": "".join(entry["words"])}
    for length in KECCAK_LENGTHS:
        jobs[f"keccak {length}"] = {"kind": "keccak", "hex": (b"\xa7" * length).hex()}
    for at, item in enumerate(RLP_GOOD):
        jobs[f"rlp {at}"] = {"kind": "rlp", "hex": rlp.encode(item).hex()}
    for name, written in RLP_BAD.items():
        jobs[f"rlp {name}"] = {"kind": "rlp", "hex": written}
    for at, content in enumerate([*(good.encode() for good in JSON_GOOD), *JSON_BAD]):
        jobs[f"json {at}"] = {"kind": "json", "content": base64_of(content)}
    for at, (key, value, _) in enumerate(MANIFEST_CASES):
        text = json.dumps({**MANIFEST, key: value}, ensure_ascii=False)
        jobs[f"manifest {at}"] = {"kind": "manifest", "text": text}
    for line, (job, _) in IN_FORCE.items():
        jobs[f"standing {line}"] = job
    return jobs


def node(*words: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    found = shutil.which("node")
    assert found is not None, "Node.js is needed: scripts/install_test_tools.sh installs it"
    return subprocess.run(
        [found, *map(str, words)], input=stdin, capture_output=True, text=True, check=False,
        timeout=300, encoding="utf-8",
    )  # fmt: skip


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """What the verifier says to each job."""
    jobs = all_jobs()
    done = node(Path(__file__).with_name("receipt_jobs.mjs"), stdin=json.dumps([*jobs.values()]))
    assert done.returncode == 0, done.stderr
    return dict(zip(jobs, json.loads(done.stdout), strict=True))


def test_there_are_vectors() -> None:
    assert len(RECEIPTS) > 250
    assert len(PROOFS) > 30


@pytest.mark.parametrize("name", RECEIPTS)
def test_a_receipt_holds_or_fails_at_its_step(name: str, answers: dict[str, Any]) -> None:
    vector = json.loads(RECEIPTS[name].read_bytes())
    asked = ["expected"] if vector["expected"] is not None else ["expected", "entry", "latest"]
    asked += [key for key in ("marked", "doubted") if key in vector]
    answer = answers[f"receipt {name}"]
    assert [answer[key] for key in asked] == [vector[key] for key in asked], (
        vector["desc"],
        answer,
    )


@pytest.mark.parametrize("name", PROOFS)
def test_an_inclusion_proof_holds_or_fails_at_its_step(name: str, answers: dict[str, Any]) -> None:
    assert answers[f"inclusion {name}"] == json.loads(PROOFS[name].read_bytes())["expected"]


@pytest.mark.parametrize("entry", ENTRIES["entries"], ids=lambda entry: entry["name"])
def test_an_entry_reads_as_it_was_written(entry: dict[str, Any], answers: dict[str, Any]) -> None:
    answer, expected = answers[f"entry {entry['name']}"], entry["entry"]
    same = ("index", "previous", "number", "sequence", "registrar")
    assert [answer[key] for key in same] == [expected[key] for key in same]
    assert answer["effectiveOn"] == expected["effective_on"]
    assert answer["recordedAt"] == expected["recorded_at"]
    assert answer["authority"] == expected["authority"]
    assert answer["document"] == expected["document"]
    assert answer["manifest"] == (expected["manifest"] or "0" * 64)
    assert answer["leafHash"] == entry["leaf_hash"]


@pytest.mark.parametrize("name", [entry["name"] for entry in ENTRIES["refused"]])
def test_what_is_no_entry_is_refused(name: str, answers: dict[str, Any]) -> None:
    assert answers[f"entry {name}"] == "refused: RangeError"


def test_keccak_is_exact(answers: dict[str, Any]) -> None:
    found = [answers[f"keccak {length}"] for length in KECCAK_LENGTHS]
    assert found == [keccak(b"\xa7" * length).hex() for length in KECCAK_LENGTHS]
    assert found[0] == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


def test_rlp_is_read_strictly(answers: dict[str, Any]) -> None:
    assert [answers[f"rlp {at}"] for at in range(len(RLP_GOOD))] == in_hex(RLP_GOOD)
    refused = {name: answers[f"rlp {name}"] for name in RLP_BAD}
    assert refused == dict.fromkeys(RLP_BAD, "refused: RangeError")


def test_json_means_one_thing(answers: dict[str, Any]) -> None:
    for at, (text, value) in enumerate(JSON_GOOD.items()):
        expected = json.loads(text) if value is None else value
        assert answers[f"json {at}"] == {"value": expected}, text
    for at, content in enumerate(JSON_BAD, len(JSON_GOOD)):
        assert answers[f"json {at}"] == "refused: SyntaxError", content


def test_a_manifest_is_read_by_the_table(answers: dict[str, Any]) -> None:
    for at, (key, value, taken) in enumerate(MANIFEST_CASES):
        assert answers[f"manifest {at}"] is taken, (key, value)


@pytest.mark.parametrize("line", IN_FORCE)
def test_the_standing_is_the_pages_example(line: str, answers: dict[str, Any]) -> None:
    assert answers[f"standing {line}"] == IN_FORCE[line][1]


# docs/verify.md and the command


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A folder as the page's reader has it: notice.txt, receipt.json, and what they trust."""
    folder = tmp_path_factory.mktemp("stranger")
    user = User(folder / "home", {})
    notice, amended = folder / "notice.txt", folder / "amended.txt"
    notice.write_text("Article 1. Pilots may begin.\n", "utf-8")
    amended.write_text("Article 1. Pilots may go on.\n\nArticle 2. It applies at once.\n", "utf-8")
    user.done("init")
    user.done("authority", "open", "CN.GD", "--parents")
    policy = ("--authority", "CN.GD", "--number", "粤府〔2020〕1号")
    user.done("publish", notice, *policy, "--title-en", "Pilots", "--issued", "2020-01-01")
    receipt = folder / "receipt.json"
    user.done("prove", notice, "--chain-proof", "-o", receipt)
    user.done("prove", notice, "-o", folder / "short.json")
    user.done("amend", amended, *policy, "--issued", "2021-01-01")
    user.done("prove", notice, "--chain-proof", "-o", folder / "amended.json")
    content = json.loads(receipt.read_bytes())
    (folder / "api").symlink_to(ROOT / "api")
    return {
        "folder": folder, "receipt": receipt, "user": user,
        "BLOCK_HASH": content["checkpoint"]["block"]["hash"],
        "CONTRACT": content["contract"].rpartition(":")[2],
    }  # fmt: skip


def test_every_command_of_the_page_works_as_it_stands(registered: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "verify.md").read_text("utf-8")
    commands = re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S)
    assert len(commands) == 5
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "POLREG_HOME": str(registered["folder"] / "home"),
        **{key: registered[key] for key in ("BLOCK_HASH", "CONTRACT")},
    }
    for command in commands:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=registered["folder"],
            env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stdout, done.stderr)


def test_the_command_s_exit_codes(registered: dict[str, Any], tmp_path: Path) -> None:
    folder, receipt, trusted = (registered[key] for key in ("folder", "receipt", "BLOCK_HASH"))
    notice = folder / "notice.txt"
    altered = tmp_path / "altered.txt"
    altered.write_bytes(notice.read_bytes() + b" ")
    later = folder / "amended.json"
    later_hash = json.loads(later.read_bytes())["checkpoint"]["block"]["hash"]
    another = "0x" + "1" * 40
    for words, code, said in (
        ((notice, receipt, trusted), 0, "Authentic, and in force"),
        ((notice, receipt, trusted.upper().replace("0X", "0x")), 0, "粤府〔2020〕1号"),
        ((notice, receipt, trusted), 0, registered["CONTRACT"]),
        ((notice, later, later_hash), 4, "not the document that applies"),
        ((altered, receipt, trusted), 1, "not verified. Step 11"),
        ((notice, receipt, later_hash), 1, "not verified. Step 3"),
        ((notice, receipt, trusted, another), 1, "not verified. Step 2"),
        ((notice, notice, trusted), 1, "not verified. Step 1"),
        ((notice, receipt, "0x12"), 2, "64 hexadecimal"),
        ((notice, receipt, trusted, "CN.GD"), 2, "40 hexadecimal"),
        ((notice, receipt), 2, "usage"),
        ((notice, folder / "short.json", trusted), 3, "could not check"),
        ((tmp_path / "absent", receipt, trusted), 3, "could not check"),
    ):
        done = node(VERIFY, *words)
        assert (done.returncode, said in done.stdout + done.stderr) == (code, True), (words, done)


# What each vector's receipt is worth by the command, where step 12 is more than section 11.
WORTH = {
    "one-entry-good": (0, "Authentic, and in force"),
    "manifest-unreadable-good": (0, "Authentic, and in force"),
    "manifest-of-another-policy-good": (0, "Authentic, and in force"),
    "first-manifest-not-shown-good": (0, "Authentic, and in force"),
    "manifest-not-shown-good": (3, "does not show the manifest of entry 4, which may say when"),
    "manifest-not-in-the-log-good": (3, "could not be told"),
    "suspended-manifest-not-shown-good": (4, "Authentic, but suspended on"),
    "older-version-good": (4, "not the document that applies"),
    "older-than-an-amendment-good": (4, "older than the policy's latest act"),
    "older-than-a-suspension-good": (4, "Policy's status: suspended, by its latest act at"),
    "older-than-all-good": (4, "Later acts: 4, which this receipt does not show"),
    "retired-good": (3, f"closed and goes on at 0x{'22' * 20}: what applies now is said there"),
    "retired-without-successor-good": (3, "was closed, and names no other"),
    "retired-and-older-good": (3, f"closed and goes on at 0x{'22' * 20}"),
    "member-good": (0, "File: a member of the registered collection"),
    "member-from-2999-good": (4, "Authentic, but not yet in force on"),
    "member-until-2021-good": (4, "Authentic, but expired on"),
    "member-of-2020-to-2999-good": (0, "This is a member of a collection, version 1 of 1"),
}


def run_vector(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    vector = json.loads(RECEIPTS[name].read_bytes())
    file, receipt = folder / "file", folder / "receipt.json"
    file.write_bytes(base64.b64decode(vector["file_base64"]))
    receipt.write_text(vector["receipt"], "utf-8")
    return node(VERIFY, file, receipt, vector["block_hash"], vector["contract"])


@pytest.mark.parametrize("name", WORTH)
def test_what_a_receipt_leaves_out_never_makes_a_document_in_force(
    name: str, tmp_path: Path
) -> None:
    done = run_vector(name, tmp_path)
    code, said = WORTH[name]
    assert (done.returncode, said in done.stdout) == (code, True), done


def test_a_member_s_own_dates_are_shown(tmp_path: Path) -> None:
    said = run_vector("member-of-2020-to-2999-good", tmp_path).stdout
    assert "Applies from: 2020-02-01\n" in said
    assert "Applies until: 2999-12-31\n" in said


def test_an_act_that_the_receipt_does_not_show_is_given_no_date(tmp_path: Path) -> None:
    said = run_vector("older-than-a-suspension-good", tmp_path).stdout
    assert not re.search(r"suspended on|suspended since", said)


def test_the_standing_by_what_the_receipt_shows() -> None:
    """Closed before later acts, these before section 11; a manifest that is not shown only
    where the document would be in force."""
    publish = {"action": 1, "effectiveOn": 100, "recordedAt": "0", "document": DIGEST}
    repeal = {"action": 7, "effectiveOn": 200, "recordedAt": "0", "document": None}
    collection: dict[str, Any] = {"role": "member", "shown": ""}
    closed = "0x" + "0" * 40
    cases: list[tuple[int, dict[str, Any], str]] = [
        (150, {"closed": closed, "latest": False, "shown": ""}, "closed"),
        (250, {"closed": closed, "shown": ""}, "closed"),
        (250, {"latest": False, "shown": ""}, "outdated"),
        (150, {"shown": ""}, "in_force"),
        (150, {}, "unknown"),
        (99, {}, "not_yet_in_force"),
        (250, {}, "repealed"),
        (149, {**collection, "manifest": {"effective_from": "1970-05-31"}}, "not_yet_in_force"),
        (150, {**collection, "manifest": {"effective_from": "1970-05-31"}}, "in_force"),
        (150, {**collection, "manifest": {"effective_to": "1970-05-31"}}, "in_force"),
        (151, {**collection, "manifest": {"effective_to": "1970-05-31"}}, "expired"),
        (250, {**collection, "manifest": {"effective_to": "1970-05-31"}}, "repealed"),
        (99, {**collection, "manifest": {"effective_from": "1970-01-01"}}, "not_yet_in_force"),
    ]
    jobs = []
    for day, given, _ in cases:
        entries = [{**publish, "shown": given.get("shown")}, {**repeal, "shown": None}]
        job = {"latest": True, "closed": None, "role": "document", "ownManifest": None, **given}
        jobs.append({**job, "kind": "standing", "day": day, "entry": 0, "entries": entries})
    done = node(Path(__file__).with_name("receipt_jobs.mjs"), stdin=json.dumps(jobs))
    assert json.loads(done.stdout) == [word for _, _, word in cases]


def test_a_file_s_name_can_not_forge_a_line(registered: dict[str, Any], tmp_path: Path) -> None:
    receipt, trusted = registered["receipt"], registered["BLOCK_HASH"]
    content = (registered["folder"] / "notice.txt").read_bytes()
    odd = tmp_path / "law\x1b[2J\r\nAuthentic\u202e\u2028\x9b.txt"
    for written, code in ((None, 3), (content, 0), (content + b" ", 1)):
        if written is not None:
            odd.write_bytes(written)
        done = node(VERIFY, odd, receipt, trusted)
        said = done.stdout + done.stderr
        assert done.returncode == code
        assert "law\\u{1b}[2J\\u{d}\\u{a}Authentic\\u{202e}\\u{2028}\\u{9b}.txt" in said
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]|^Authentic", said, re.M)


def test_what_is_no_regular_file_is_refused(registered: dict[str, Any], tmp_path: Path) -> None:
    notice = registered["folder"] / "notice.txt"
    receipt, trusted = registered["receipt"], registered["BLOCK_HASH"]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for words in ((pipe, receipt), (notice, pipe), (tmp_path, receipt), (notice, tmp_path)):
        done = node(VERIFY, *words, trusted)
        assert (done.returncode, "not a regular file" in done.stderr) == (2, True), done


def test_the_command_agrees_with_polreg(registered: dict[str, Any]) -> None:
    folder = registered["folder"]
    for name in ("receipt.json", "amended.json"):
        trusted = json.loads((folder / name).read_bytes())["checkpoint"]["block"]["hash"]
        words = (folder / "notice.txt", folder / name, trusted)
        theirs = registered["user"](
            "verify", words[0], "--receipt", words[1], "--block-hash", trusted
        )
        assert node(VERIFY, *words).returncode == theirs.code


def test_the_modules_load_nothing_else() -> None:
    """What verifies a receipt imports its neighbours only, and can send nothing."""
    for name in ("receipt", "receipt_format", "log", "manifest", "trie", "strict_json", "keccak",
                 "bytes", "sha256", "standing", "receipt_words", "words"):  # fmt: skip
        text = (WEB / f"{name}.js").read_text("utf-8")
        assert not re.search(
            r"\b(fetch|XMLHttpRequest|WebSocket|eval|innerHTML|require)\b", text
        ), name
        assert all((WEB / each).is_file() for each in re.findall(r'from "\./([^"]+)"', text))
        assert not re.search(r'from "[^.]', text), name
