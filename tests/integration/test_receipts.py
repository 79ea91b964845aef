"""Receipts as people use them: made by one, checked by another who has nothing else.

On the embedded chain and on Anvil. A receipt that is wrong is told the step that fails,
and why; a node that can not answer is never a "no".
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from registry.chain.rpc import HttpTransport
from tests.anvil import CHAIN_ID, running_anvil
from tests.integration.command_line import Outcome, User

VECTORS = Path(__file__).parents[1] / "vectors" / "receipts"
ABOUT = ("--authority", "CN.GD", "--number", "1")
TITLE = ("--title-en", "Measures on pilots")
NOWHERE = "http://127.0.0.1:9"
FORBIDDEN = ["web3", "eth_account", "eth_abi", "fastapi", "sqlalchemy.orm", "eth", "eth_tester"]


@pytest.fixture(params=["embedded", "anvil"])
def registrar(request: pytest.FixtureRequest) -> User:
    """A user with a registry of their own, on each kind of chain."""
    name = "user" if request.param == "embedded" else "anvil_user"
    made: User = request.getfixturevalue(name)
    return made


@pytest.fixture
def stranger(tmp_path: Path) -> User:
    """Somebody who has no registry and no node."""
    return User(tmp_path / "nowhere", {})


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def document(tmp_path: Path) -> Path:
    return written(tmp_path / "document.md", "Article 1. Pilots may begin.\n")


@pytest.fixture
def amended(tmp_path: Path) -> Path:
    return written(tmp_path / "amended.md", "Article 1. Pilots go on.\n")


def publish(user: User, document: Path, *more: str) -> None:
    user.done("publish", document, *ABOUT, *TITLE, "--issued", "2020-01-01", *more)


def amend(user: User, document: Path, *more: str) -> None:
    user.done("amend", document, *ABOUT, *more)


def proved(user: User, *what: str | Path, to: Path, chain_proof: bool = True) -> str:
    """Write the receipt, and return the hash of its block."""
    more = ["--chain-proof"] if chain_proof else []
    user.done("prove", *what, *more, "-o", to)
    found: str = json.loads(to.read_bytes())["checkpoint"]["block"]["hash"]
    return found


def standing(outcome: Outcome) -> tuple[int, str | None]:
    (found,) = outcome.json["files"]
    return outcome.code, found["verdict"]["standing"]


# Without a network


# Sockets of any kind are refused as they are made, and every module that was loaded is told.
OFFLINE = """
import os, sys
def hook(event, arguments):
    if event.startswith("socket."):
        os.write(2, b"NETWORK " + event.encode() + b"\\n")
        raise RuntimeError("no network here")
sys.addaudithook(hook)
from registry.cli import main
try:
    main()
finally:
    loaded = [name for name in {forbidden!r} if name in sys.modules]
    os.write(2, b"LOADED " + repr(loaded).encode() + b"\\n")
"""


def offline(folder: Path, *words: str | Path, timeout: float = 60) -> Outcome:
    """Run `polreg` in a process that has no settings, no home and no network."""
    folder.mkdir(exist_ok=True)
    bare = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("POLREG_") and name not in {"HOME", "XDG_DATA_HOME"}
    }
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE.format(forbidden=FORBIDDEN), *map(str, words)],
        env={**bare, "HOME": str(folder), "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def test_a_receipt_and_a_block_hash_are_enough(
    registrar: User, document: Path, tmp_path: Path
) -> None:
    publish(registrar, document)
    receipt = tmp_path / "receipt.json"
    trusted = proved(registrar, document, to=receipt)
    outcome = offline(
        tmp_path / "empty", "verify", document, "--receipt", receipt, "--block-hash", trusted
    )
    assert outcome.code == 0, outcome.err
    assert "exact: as published · in force" in outcome.out
    assert "Measures on pilots" in outcome.out
    assert "from a receipt" in outcome.out
    assert "NETWORK" not in outcome.err
    assert "LOADED []" in outcome.err
    # Nothing was made on the way.
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_network_would_have_been_seen(document: Path, tmp_path: Path) -> None:
    receipt, _, _ = vector("one-entry-good", tmp_path)
    outcome = offline(
        tmp_path / "empty", "verify", document, "--receipt", receipt, "--rpc", NOWHERE
    )
    assert outcome.code == 3
    assert "NETWORK socket." in outcome.err


def test_an_altered_file_is_refused_without_a_network(
    registrar: User, document: Path, tmp_path: Path
) -> None:
    publish(registrar, document)
    receipt = tmp_path / "receipt.json"
    trusted = proved(registrar, document, to=receipt)
    original = document.read_bytes()
    words = ("--receipt", receipt, "--block-hash", trusted)
    document.write_bytes(original + "另".encode())
    outcome = offline(tmp_path / "empty", "verify", document, *words)
    assert outcome.code == 1
    assert "step 11: the file's SHA-256 is" in outcome.err
    assert "LOADED []" in outcome.err
    document.write_bytes(original + b" ")
    outcome = offline(tmp_path / "empty", "verify", document, *words)
    assert outcome.code == 1
    assert "same text: other bytes" in outcome.out
    assert "LOADED []" in outcome.err


# Making them


def test_a_receipt_is_made_for_a_file_its_digest_and_its_policys_names(
    registrar: User, document: Path, tmp_path: Path
) -> None:
    publish(registrar, document)
    (found,) = registrar.done("verify", document, "--json").json["files"]
    policy_id = found["verdict"]["registrations"][0]["policy_id"]
    digest = found["verdict"]["sha256"]
    spoken = registrar.done("prove", document).out
    for words in ((digest,), (policy_id,), (policy_id[:10],), ("CN.GD", "1")):
        assert registrar.done("prove", *words).out == spoken
    path = tmp_path / "receipt.json"
    said = registrar.done("prove", "CN.GD", "1", "--output", path)
    assert path.read_text() == spoken
    assert "verify it anywhere: polreg verify FILE --receipt" in said.out
    told = registrar.done("prove", document, "-o", path, "--json").json
    assert (told["policy_id"], told["size"]) == (policy_id, path.stat().st_size)


def test_there_is_no_receipt_for_what_is_not_in_the_registry(user: User, document: Path) -> None:
    outcome = user("prove", document)
    assert outcome.code == 1
    assert "is not in the registry" in outcome.err
    assert outcome.out == ""
    assert user("prove", "CN.GD", "99").code == 2
    assert user("prove", "00" * 32).code in {1, 2}
    wrong = user("prove", document, "--json")
    assert (wrong.code, "add --output" in wrong.err) == (2, True)


def test_a_receipt_without_a_chain_proof_needs_a_node(
    registrar: User, stranger: User, document: Path, tmp_path: Path
) -> None:
    publish(registrar, document)
    receipt = tmp_path / "receipt.json"
    trusted = proved(registrar, document, to=receipt, chain_proof=False)
    words = ("verify", document, "--receipt", receipt)
    own = registrar(*words)
    assert own.code == 0, own.err
    alone = stranger(*words, "--block-hash", trusted)
    assert alone.code == 3
    assert "holds no storage proof" in alone.err
    assert "--chain-proof" in alone.err
    nobody = stranger(*words)
    assert nobody.code == 3
    assert "nothing here says that the chain holds this log" in nobody.err
    node = registrar.settings.get("POLREG_RPC_URL")
    if node is not None:
        asked = stranger(*words, "--rpc", node)
        assert asked.code == 0, asked.err
        assert not stranger.home.exists()


def test_nothing_is_said_of_a_file_that_only_agrees_with_its_receipt(
    user: User, stranger: User, document: Path, tmp_path: Path
) -> None:
    """Also with a chain proof: without a hash to set it against it is anybody's."""
    publish(user, document)
    receipt = tmp_path / "receipt.json"
    proved(user, document, to=receipt)
    outcome = stranger("verify", document, "--receipt", receipt)
    assert (outcome.code, outcome.out) == (3, "")
    # What does not even agree with itself is refused all the same.
    other = written(tmp_path / "other", "another")
    refused = stranger("verify", other, "--receipt", receipt)
    assert (refused.code, "step 11" in refused.err) == (1, True)


# After later acts


def test_an_old_receipt_is_authentic_and_no_longer_in_force(
    registrar: User, stranger: User, document: Path, amended: Path, tmp_path: Path
) -> None:
    publish(registrar, document)
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    before = proved(registrar, document, to=old)
    amend(registrar, amended, "--effective", "2021-01-01")
    after = proved(registrar, amended, to=new)

    # A node knows of the later act, which the old receipt does not show.
    outcome = registrar("verify", document, "--receipt", old)
    assert outcome.code == 4
    assert "exact: as published · standing not known" in outcome.out
    assert "had 1 later act, and the contract's status was in_force" in outcome.out
    explained = registrar("verify", document, "--receipt", old, "--explain").out
    assert "9: the policy has 1 later act at block" in explained
    assert "get a new receipt" in explained
    node = registrar.settings.get("POLREG_RPC_URL")
    if node is not None:
        assert stranger("verify", document, "--receipt", old, "--rpc", node).code == 4
    # The old block's hash does not.
    words = ("--receipt", old, "--block-hash", before, "--json")
    assert standing(stranger("verify", document, *words)) == (0, "in_force")
    # The new receipt has both documents.
    words = ("--receipt", new, "--block-hash", after, "--json")
    assert standing(stranger("verify", document, *words)) == (4, "amended")
    assert standing(stranger("verify", amended, *words)) == (0, "in_force")
    # Neither goes with the other's block.
    mixed = stranger("verify", document, "--receipt", old, "--block-hash", after)
    assert mixed.code == 1
    assert "step 3:" in mixed.err
    assert before in mixed.err


def test_a_receipt_for_an_old_file_shows_the_later_acts_too(
    registrar: User, stranger: User, document: Path, amended: Path, tmp_path: Path
) -> None:
    publish(registrar, document)
    amend(registrar, amended, "--effective", "2021-01-01")
    receipt = tmp_path / "receipt.json"
    trusted = proved(registrar, document, to=receipt)
    words = ("--receipt", receipt, "--block-hash", trusted, "--json")
    for day, expected in (
        ("2020-06-01", (0, "in_force")),
        ("2021-06-01", (4, "amended")),
        ("2019-06-01", (4, "not_yet_in_force")),
    ):
        assert standing(stranger("verify", document, *words, "--on", day)) == expected


def test_an_amendment_of_the_future_changes_nothing_yet(
    user: User, stranger: User, document: Path, amended: Path, tmp_path: Path
) -> None:
    publish(user, document)
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    proved(user, document, to=old)
    amend(user, amended, "--effective", "2199-01-01")
    trusted = proved(user, document, to=new)
    words = ("--receipt", new, "--block-hash", trusted, "--json")
    assert standing(stranger("verify", document, *words)) == (0, "in_force")
    assert standing(stranger("verify", amended, *words)) == (4, "not_yet_in_force")
    later = (*words, "--on", "2199-06-01")
    assert standing(stranger("verify", document, *later)) == (4, "amended")
    assert standing(stranger("verify", amended, *later)) == (0, "in_force")
    # The old receipt knows that there is something, and not from when.
    assert standing(user("verify", document, "--receipt", old, "--json")) == (4, None)


@pytest.mark.parametrize(
    ("act", "expected"),
    [("suspend", "suspended"), ("repeal", "repealed"), ("withdraw", "withdrawn")],
)
def test_a_policy_that_has_ended_is_told_as_such(
    user: User, stranger: User, document: Path, tmp_path: Path, act: str, expected: str
) -> None:
    publish(user, document)
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    proved(user, document, to=old)
    user.done(act, "CN.GD", "1", "--reason", "it has to be", "--effective", "2024-01-01")
    trusted = proved(user, document, to=new)
    words = ("--receipt", new, "--block-hash", trusted, "--json")
    assert standing(stranger("verify", document, *words)) == (4, expected)
    before = (*words, "--on", "2023-06-01")
    assert standing(stranger("verify", document, *before)) == (0, "in_force")
    outdated = user("verify", document, "--receipt", old, "--json")
    assert standing(outdated) == (4, None)
    (checked,) = outdated.json["files"]
    assert checked["verdict"]["registrations"][0]["unsettled"] == "outdated"
    assert outdated.json["registry"]["contract_status"] == expected
    assert outdated.json["registry"]["later_acts"] == 1


def test_a_joint_document_has_a_receipt_for_each_of_its_policies(
    registrar: User, stranger: User, document: Path, tmp_path: Path
) -> None:
    publish(registrar, document)
    (lead,) = registrar.done("verify", document, "--json").json["files"]
    first = lead["verdict"]["registrations"][0]["policy_id"]
    registrar.done(
        "publish", document, "--authority", "CN.GD", "--number", "2", *TITLE,
        "--relation", f"endorses={first}",
    )  # fmt: skip
    seen = []
    for words in ((document,), ("CN.GD", "1"), ("CN.GD", "2")):
        receipt = tmp_path / "receipt.json"
        trusted = proved(registrar, *words, to=receipt)
        outcome = stranger(
            "verify", document, "--receipt", receipt, "--block-hash", trusted, "--json"
        )
        assert outcome.code == 0, outcome.err
        (found,) = outcome.json["files"]
        (registration,) = found["verdict"]["registrations"]
        seen.append((registration["number"], registration["endorses"]))
    assert seen == [("1", None), ("1", None), ("2", first)]


def test_a_rendition_is_proved_by_its_documents_receipt(
    user: User, stranger: User, document: Path, tmp_path: Path
) -> None:
    picture = written(tmp_path / "document.pdf", "a picture of it")
    publish(user, document, "--rendition", str(picture))
    receipt = tmp_path / "receipt.json"
    trusted = proved(user, picture, to=receipt)
    for file, role in ((document, "document"), (picture, "rendition")):
        outcome = stranger("verify", file, "--receipt", receipt, "--block-hash", trusted, "--json")
        (found,) = outcome.json["files"]
        assert found["verdict"]["registrations"][0]["role"] == role


# Nodes


@dataclass(frozen=True)
class Issued:
    """A receipt on Anvil, its file, and where the node is."""

    user: User
    document: Path
    receipt: Path
    block_hash: str
    node: str

    @property
    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.receipt.read_bytes())
        return found

    @property
    def contract(self) -> str:
        name: str = self.fields["contract"]
        return name.rpartition(":")[2]

    def verify(self, by: User, *words: str, **settings: str) -> Outcome:
        return by("verify", self.document, "--receipt", self.receipt, *words, **settings)


@pytest.fixture
def issued(anvil_user: User, document: Path, tmp_path: Path) -> Issued:
    publish(anvil_user, document)
    receipt = tmp_path / "receipt.json"
    trusted = proved(anvil_user, document, to=receipt)
    return Issued(anvil_user, document, receipt, trusted, anvil_user.settings["POLREG_RPC_URL"])


def test_a_node_of_another_chain_is_told_apart(issued: Issued, stranger: User) -> None:
    with running_anvil("--chain-id", "5") as node:
        outcome = issued.verify(stranger, "--rpc", node)
    assert outcome.code == 3
    assert f"step 2: the receipt is of eip155:{CHAIN_ID}, the node is on eip155:5" in outcome.err


def test_a_node_that_is_behind_gives_no_answer(issued: Issued, stranger: User) -> None:
    with running_anvil() as node:
        outcome = issued.verify(stranger, "--rpc", node, "--json")
    assert outcome.code == 3
    number = issued.fields["checkpoint"]["block"]["number"]
    assert f"is at block 0 and does not have block {number}" in outcome.err
    assert "wait until it has caught up" in outcome.err
    assert "step" not in outcome.json["error"]


def test_a_node_of_another_chain_with_the_same_number_has_no_contract_there(
    issued: Issued, stranger: User
) -> None:
    with running_anvil() as node, closing(HttpTransport(node)) as transport:
        transport.request("anvil_mine", [hex(issued.fields["checkpoint"]["block"]["number"] + 5)])
        outcome = issued.verify(stranger, "--rpc", node)
    assert outcome.code == 3
    assert "step 2: there is no contract at" in outcome.err


@pytest.mark.parametrize("node", [NOWHERE, "http://nowhere.invalid", "no-url", "ftp://127.0.0.1"])
def test_a_node_that_can_not_be_asked_gives_no_answer(
    issued: Issued, stranger: User, node: str
) -> None:
    outcome = issued.verify(stranger, "--rpc", node)
    assert outcome.code in {2, 3}
    assert outcome.code == 3 or "://" not in node or node.startswith("ftp")
    assert outcome.err.startswith("error: ")
    assert "unexpected" not in outcome.err
    own = issued.verify(stranger, POLREG_RPC_URL=node)
    assert own.code == outcome.code


@pytest.mark.parametrize("chain_proof", [False, True])
def test_a_reorganisation_that_takes_the_block_away_is_told_as_such(
    anvil_user: User, stranger: User, document: Path, tmp_path: Path, chain_proof: bool
) -> None:
    node = anvil_user.settings["POLREG_RPC_URL"]
    with closing(HttpTransport(node)) as transport:
        publish(anvil_user, document)
        receipt = tmp_path / "receipt.json"
        proved(anvil_user, document, to=receipt, chain_proof=chain_proof)
        words = ("verify", document, "--receipt", receipt, "--rpc", node)
        assert stranger(*words).code == 0
        transport.request("anvil_rollback", [1])
        gone = stranger(*words)
        assert gone.code == 3
        assert "does not have block" in gone.err
        assert "reorganised, get a new receipt" in gone.err
        # Another block takes the number.
        transport.request("anvil_mine", [hex(2), hex(7)])
        replaced = stranger(*words)
    assert replaced.code == 1
    assert "step 3: block" in replaced.err
    assert "if the chain was reorganised, get a new receipt" in replaced.err
    # The act was not lost for good: it is recorded again, and a new receipt holds.
    anvil_user.done("sync")
    publish(anvil_user, document)
    proved(anvil_user, document, to=receipt, chain_proof=chain_proof)
    assert stranger(*words).code == 0


def test_without_a_chain_proof_the_node_must_have_seen_the_checkpoint(
    issued: Issued, stranger: User, tmp_path: Path
) -> None:
    """The block of another checkpoint: the contract emitted none of this size there."""
    fields = issued.fields
    fields["state"] = None
    fields["checkpoint"]["block"] = _another_block(issued)
    issued.receipt.write_text(json.dumps(fields))
    outcome = issued.verify(stranger, "--rpc", issued.node)
    assert outcome.code == 1
    assert "step 6: the contract emitted no checkpoint of" in outcome.err


def _another_block(issued: Issued) -> dict[str, Any]:
    number = issued.fields["checkpoint"]["block"]["number"] - 1
    with closing(HttpTransport(issued.node)) as transport:
        block = transport.request("eth_getBlockByNumber", [hex(number), False])
    return {"number": number, "hash": block["hash"]}


# The contract that is meant


def test_the_contract_that_is_meant_is_compared(issued: Issued, stranger: User) -> None:
    by_hash = ("--block-hash", issued.block_hash)
    address = issued.contract
    other = "0x" + "22" * 20
    for given in (address, address[2:], f"eip155:{CHAIN_ID}:{address}"):
        outcome = issued.verify(stranger, *by_hash, "--contract", given)
        assert outcome.code == 0, outcome.err
        assert issued.verify(stranger, *by_hash, POLREG_CONTRACT=given).code == 0
    for given in (other, f"eip155:1:{address}", f"eip155:{CHAIN_ID}:{other}"):
        outcome = issued.verify(stranger, *by_hash, "--contract", given)
        assert outcome.code == 1
        assert "step 2: the receipt is of eip155:" in outcome.err
        assert issued.verify(stranger, "--rpc", issued.node, "--contract", given).code == 1
        assert issued.verify(stranger, "--contract", given).code == 1
        assert issued.verify(stranger, *by_hash, POLREG_CONTRACT=given).code == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("0x1234", "not an account address"),
        ("", "not an account address"),
        ("0x5FbDB2315678afecb367f032d93F642f64180aA4", "a wrong checksum"),
        ("eip155:x:0x" + "11" * 20, "names no contract"),
        ("bip122:1:0x" + "11" * 20, "names no contract"),
        ("eip155:1:", "not an account address"),
    ],
)
def test_a_mistyped_contract_is_told_before_anything_is_read(
    stranger: User, document: Path, given: str, words: str
) -> None:
    missing = document.with_name("missing.json")
    outcome = stranger(
        "verify", document, "--receipt", missing, "--block-hash", "11" * 32, "--contract", given
    )
    assert outcome.code == 2
    assert words in outcome.err


def test_without_a_contract_that_is_meant_the_answer_says_whose_receipt_it_is(
    issued: Issued, stranger: User
) -> None:
    outcome = issued.verify(stranger, "--block-hash", issued.block_hash, "--explain")
    assert outcome.code == 0
    assert "compare this with the registry you mean" in outcome.out


def test_the_registry_of_this_workspace_is_the_one_that_is_meant(
    issued: Issued, stranger: User, tmp_path: Path
) -> None:
    """A receipt of another contract on the same chain does not pass at one's own node."""
    other = User(tmp_path / "other", {**issued.user.settings})
    other.done("deploy")
    outcome = issued.verify(other)
    assert outcome.code == 1
    assert "step 2: the receipt is of" in outcome.err


# What is said


def steps_of(text: str) -> list[int]:
    lines = [line.strip().split(": ")[0] for line in text.splitlines() if line.startswith("  ")]
    return [int(number) for number in lines if number.isdigit()]


def test_explain_prints_every_step_in_order(
    registrar: User, stranger: User, document: Path, tmp_path: Path
) -> None:
    publish(registrar, document)
    receipt = tmp_path / "receipt.json"
    trusted = proved(registrar, document, to=receipt)
    words = ("verify", document, "--receipt", receipt, "--explain")
    outcome = stranger(*words, "--block-hash", trusted)
    assert steps_of(outcome.out) == list(range(1, 13))
    asked = steps_of(registrar(*words).out)
    assert asked == sorted(asked)
    assert set(asked) == set(range(1, 13))
    brief = stranger("verify", document, "--receipt", receipt, "--block-hash", trusted)
    assert steps_of(brief.out) == []
    assert "checked: 12 steps, which all hold; --explain prints them" in brief.out
    told = stranger(*words, "--block-hash", trusted, "--json").json["files"][0]["verdict"]
    assert [int(step.split(":")[0]) for step in told["evidence"]["steps"]] == list(range(1, 13))
    assert told["evidence"]["source"] == "receipt"
    # Of a wrong file, the steps before the one that fails.
    other = written(tmp_path / "other", "another")
    wrong = stranger("verify", other, "--receipt", receipt, "--block-hash", trusted, "--explain")
    assert steps_of(wrong.out) == list(range(1, 11))
    assert "step 11" in wrong.err


def vector(name: str, folder: Path) -> tuple[Path, Path, tuple[str, ...]]:
    """A receipt of tests/vectors as a file, its document, and what is trusted."""
    held = json.loads((VECTORS / f"{name}.json").read_bytes())
    receipt, file = folder / "vector.json", folder / "vector.txt"
    text = held.get("receipt")
    content = base64.b64decode(held["receipt_base64"]) if text is None else text.encode()
    receipt.write_bytes(content)
    file.write_bytes(base64.b64decode(held["file_base64"]))
    meant = ("--contract", held["contract"]) if held["contract"] else ()
    return receipt, file, ("--block-hash", held["block_hash"], *meant)


BAD: list[tuple[str, int, str]] = [
    ("empty", 1, "is empty"),
    ("truncated-in-the-entry", 1, "it is not JSON (Unterminated string"),
    ("truncated-in-the-state", 1, "it is not JSON"),
    ("truncated-before-the-end", 1, "it is not JSON"),
    ("garbage-after", 1, "it is not JSON (Extra data"),
    ("nested-2000", 1, "it is nested deeper than 64 levels"),
    ("key-twice", 1, "the key 'member' occurs twice"),
    ("schema-of-2", 1, "its schema is 'policy-registry/receipt/2'"),
    ("unknown-key", 1, "it has an unknown key 'note'"),
    ("no-contract", 1, "it has no 'contract'"),
    ("size-text", 1, "checkpoint.size is not a whole number from 0"),
    ("size-negative", 1, "checkpoint.size is not a whole number from 0"),
    ("size-fraction", 1, "it holds a floating-point number"),
    ("size-2-53", 1, "a number beyond 2^53"),
    ("entry-block-2-53", 1, "a number beyond 2^53"),
    ("root-upper-case", 1, "checkpoint.root is not lower-case hexadecimal"),
    ("root-odd", 1, "checkpoint.root is not lower-case hexadecimal"),
    ("root-31-bytes", 1, "checkpoint.root has 31 bytes, not 32"),
    ("hash-without-0x", 1, "checkpoint.block.hash is not hexadecimal with 0x"),
    ("contract-capitals", 1, "its contract is not a CAIP-10 address in lower case"),
    ("contract-leading-zero", 1, "its contract is not a CAIP-10 address"),
    ("half-surrogate", 1, "entries[0].manifest holds half a surrogate pair"),
    ("utf-16", 1, "it is not UTF-8"),
    ("byte-order-mark", 1, "it is not JSON"),
    ("entries-empty", 1, "it shows no entry"),
    ("contract-of-another-chain", 2, "the receipt is of eip155:2:0x1111"),
    ("contract-another", 2, "the receipt is of eip155:1:0x2222"),
    ("block-hash-wrong", 3, "the receipt is of block 106 with the hash 0x"),
    ("header-bit-flipped", 3, "the header's hash is 0x"),
    ("checkpoint-block-plus-one", 3, "the header is of block 106, not 107"),
    ("account-none", 4, "the proof of the contract lacks the node 0x"),
    ("account-shown-to-be-absent", 4, "there is no account 0x3333"),
    ("storage-policy-missing", 5, "the proof of the policy lacks the node 0x"),
    ("size-plus-one", 6, "the receipt names a log of 7 entries"),
    ("size-2-53-minus-one", 6, f"the receipt names a log of {2**53 - 1} entries"),
    ("path-first-bit-flipped", 7, "entry 4 is not in the log"),
    ("entry-document-altered", 7, "entry 6 is not in the log"),
    ("entry-in-the-middle-left-out", 8, "entry 7 does not follow entry 4"),
    ("another-policys-entry-between", 8, "entry 5 is another policy's"),
    ("slot-sequence-smaller", 9, "the policy has 1 acts in the contract, the receipt shows 2"),
    ("slot-head-another", 9, "the policy's slot and its last entry do not agree"),
    ("manifest-altered", 10, "the manifest of entry 4 is another one"),
    ("file-another", 11, "the file's SHA-256 is"),
    ("member-as-document", 11, "this receipt is about"),
    ("collection-node-as-document", 11, "the entry is a collection"),
    ("member-of-another-collection", 11, "the collection has 5 members, not 1"),
    ("document-as-member", 11, "entry 4 is a document, not a collection"),
]


@pytest.mark.parametrize(("name", "step", "words"), BAD, ids=[each[0] for each in BAD])
def test_a_bad_receipt_is_told_its_step_and_why(
    stranger: User, tmp_path: Path, name: str, step: int, words: str
) -> None:
    receipt, file, trusted = vector(name, tmp_path)
    outcome = stranger("verify", file, "--receipt", receipt, *trusted, "--json")
    assert outcome.code == 1
    error = outcome.json["error"]
    assert (error["kind"], error["step"]) == ("ProofError", step)
    assert error["message"].startswith(f"step {step}: ")
    assert words in error["message"]
    assert error["message"] in outcome.err


def test_an_old_receipt_of_the_vectors_is_authentic_with_exit_code_4(
    stranger: User, tmp_path: Path
) -> None:
    for name, status in (
        ("older-than-an-amendment-good", "in_force"),
        ("older-than-a-suspension-good", "suspended"),
    ):
        receipt, file, trusted = vector(name, tmp_path)
        outcome = stranger("verify", file, "--receipt", receipt, *trusted, "--json")
        assert standing(outcome) == (4, None)
        assert outcome.json["registry"]["contract_status"] == status


def test_a_receipt_that_hides_a_manifest_or_is_of_a_closed_registry_settles_nothing(
    stranger: User, tmp_path: Path
) -> None:
    for name, reason in (
        ("manifest-not-shown-good", "last_day_unknown"),
        ("retired-good", "closed"),
    ):
        receipt, file, trusted = vector(name, tmp_path)
        outcome = stranger("verify", file, "--receipt", receipt, *trusted, "--json")
        assert standing(outcome) == (3, None)
        (checked,) = outcome.json["files"]
        assert checked["verdict"]["registrations"][0]["unsettled"] == reason
        said = stranger("verify", file, "--receipt", receipt, *trusted)
        assert said.code == 3
        assert "as published · standing not known" in said.out


def test_another_registry_of_the_same_chain_is_not_the_one_that_is_known_here(
    issued: Issued, tmp_path: Path
) -> None:
    elsewhere = User(tmp_path / "elsewhere", issued.user.settings)
    elsewhere.done("deploy")
    outcome = issued.verify(elsewhere, "--rpc", issued.node)
    assert outcome.code == 1
    assert "step 2: the receipt is of" in outcome.err
    assert "if that registry is the one you mean, give --contract" in outcome.err
    named = issued.fields["contract"]
    assert issued.verify(elsewhere, "--rpc", issued.node, "--contract", named).code == 0


def test_there_is_no_verdict_for_what_may_be_part_of_a_collection(
    stranger: User, tmp_path: Path
) -> None:
    receipt, file, trusted = vector("collection-node-without-manifest", tmp_path)
    outcome = stranger("verify", file, "--receipt", receipt, *trusted)
    assert (outcome.code, outcome.out) == (3, "")
    assert "may be a part of a collection's tree" in outcome.err


def test_a_title_can_neither_move_the_cursor_nor_forge_a_line(
    stranger: User, tmp_path: Path
) -> None:
    receipt, file, trusted = vector("title-of-two-lines-good", tmp_path)
    outcome = stranger("verify", file, "--receipt", receipt, *trusted)
    assert outcome.code == 0
    assert r"One\n  exact: as published \u2028\u200b" in outcome.out
    assert len([line for line in outcome.out.splitlines() if "exact:" in line]) == 2
    receipt, file, trusted = vector("manifest-unreadable-good", tmp_path)
    outcome = stranger("verify", file, "--receipt", receipt, *trusted, "--explain")
    assert outcome.code == 0
    assert "(no readable manifest)" in outcome.out
    assert "10: manifest of entry 0: it holds the character U+001B" in outcome.out
    for spoken in (outcome.out, outcome.err):
        assert not {"\x1b", "\x9b"} & set(spoken)


def test_a_receipts_own_text_is_shown_escaped(stranger: User, tmp_path: Path) -> None:
    receipt, file, trusted = vector("one-entry-good", tmp_path)
    text = receipt.read_text()
    for altered in (
        text.replace('"schema"', '"\\u001b[2J\\nerror"', 1),
        text.replace("policy-registry/receipt/1", "\\u001b[2J\\nfine", 1),
    ):
        receipt.write_text(altered)
        outcome = stranger("verify", file, "--receipt", receipt, *trusted)
        assert outcome.code == 1
        assert "\x1b" not in outcome.err
        assert len([line for line in outcome.err.splitlines() if line.strip()]) == 1


# Files and words


def test_what_is_no_receipt_file_is_named(stranger: User, document: Path, tmp_path: Path) -> None:
    fifo, empty, large = tmp_path / "fifo", tmp_path / "empty", tmp_path / "large"
    os.mkfifo(fifo)
    empty.touch()
    with large.open("wb") as file:
        file.truncate(100_000_000)
    for receipt, code, words in (
        (tmp_path / "missing", 2, "there is no file"),
        (tmp_path, 2, "is a folder, and no receipt"),
        (fifo, 2, "is no file, and no receipt"),
        (empty, 1, "step 1: this is not a receipt"),
        (large, 1, "has 100,000,000 bytes, a receipt at most 4,194,304"),
        (document, 1, "step 1: this is not a receipt: it is not JSON"),
    ):
        outcome = stranger("verify", document, "--receipt", receipt, "--block-hash", "11" * 32)
        assert outcome.code == code
        assert words in outcome.err


MEASURED = """
import resource, sys
from registry.cli import main
try:
    main()
finally:
    sys.stderr.write(f"PEAK {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}\\n")
"""


def peak_kilobytes(*words: str | Path) -> int:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return int(done.stderr.rpartition("PEAK ")[2])


def test_a_receipt_of_100_megabytes_takes_no_memory(document: Path, tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"[" * 100)
    large.write_bytes(b"[" * 100_000_000)
    words = ("verify", document, "--block-hash", "11" * 32, "--receipt")
    assert peak_kilobytes(*words, large) < peak_kilobytes(*words, small) + 5_000


def test_a_document_that_is_no_file_is_named(stranger: User, tmp_path: Path) -> None:
    receipt, _, trusted = vector("one-entry-good", tmp_path)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for file, words in (
        (tmp_path / "missing", "there is no such file"),
        (fifo, "is a FIFO"),
        (tmp_path, "a receipt is for one file"),
    ):
        outcome = stranger("verify", file, "--receipt", receipt, *trusted)
        assert outcome.code == 2
        assert words in outcome.err


@pytest.fixture
def one_receipt(tmp_path: Path) -> tuple[Path, Path]:
    receipt, file, _ = vector("one-entry-good", tmp_path)
    return receipt, file


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--block-hash", "11" * 32), "go with --receipt"),
        (("--rpc", NOWHERE), "go with --receipt"),
        (("--contract", "0x" + "11" * 20), "go with --receipt"),
        (("--receipt", "R", "--block-hash", "11" * 32, "--rpc", NOWHERE), "not both"),
        (("--receipt", "R", "--block-hash", "0x1234"), "is not a block hash"),
        (("--receipt", "R", "--block-hash", "zz" * 32), "is not a block hash"),
        (("--receipt", "R", "--block-hash", ""), "is not a block hash"),
        (("--receipt", "R", "--block-hash", "0x0x" + "1" * 62), "is not a block hash"),
        (("--receipt", "R", "F"), "a receipt is for one file"),
        (("--receipt", "R", "--on", "2024-02-30"), "does not exist in the calendar"),
    ],
)
def test_what_is_asked_wrongly_is_told(
    stranger: User, one_receipt: tuple[Path, Path], words: tuple[str, ...], said: str
) -> None:
    receipt, file = one_receipt
    given = [{"R": str(receipt), "F": str(file)}.get(each, each) for each in words]
    outcome = stranger("verify", file, *given)
    assert outcome.code == 2
    assert said in outcome.err


def test_a_block_hash_may_be_written_in_each_way(stranger: User, tmp_path: Path) -> None:
    receipt, file, (_, trusted, *_) = vector("one-entry-good", tmp_path)
    for given in (trusted, trusted[2:], "0x" + trusted[2:].upper()):
        assert stranger("verify", file, "--receipt", receipt, "--block-hash", given).code == 0


def test_an_act_that_was_made_up_is_not_blamed_on_the_node(issued: Issued, stranger: User) -> None:
    """The node knows fewer acts than such a receipt shows; its paths fail first."""
    fields = issued.fields
    first = fields["entries"][-1]
    words = [first["entry"][at : at + 64] for at in range(0, 704, 64)]
    words[1] = words[0]
    words[0] = f"{fields['checkpoint']['size']:064x}"
    words[4], words[5], words[7] = f"{2:064x}", f"{4:064x}", "0" * 64
    fields["entries"].append({**first, "entry": "".join(words), "manifest": None})
    issued.receipt.write_text(json.dumps(fields))
    outcome = issued.verify(stranger, "--rpc", issued.node)
    assert outcome.code == 1
    assert "step 7: entry" in outcome.err
