"""Authentic, and what it is worth can not be told: the mirror never says in force instead.

On the embedded chain, by the command line and by the API: a manifest that is not in the log
and may name a last day; a registry that was closed.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.chain.abi import call_data
from registry.chain.addresses import checksummed
from registry.config import Settings
from registry.core.digest import sha256
from registry.core.units import Address
from registry.services.setup import outbox_for
from registry.services.workspace import Workspace
from tests.anvil import ROOT
from tests.integration.api_registry import running
from tests.integration.command_line import User

SUCCESSOR = Address(bytes(range(1, 21)))
NOWHERE = Address(bytes(20))
PAST = ("--issued", "2019-01-01", "--until", "2020-01-01")
WARNING = "confirm it with the authority by another way before you trust it"


def publish(user: User, folder: Path, number: str, *more: str) -> tuple[Path, dict[str, Any]]:
    """Publish a file of its own under a number; what the command said in JSON."""
    file = folder / f"{number}.md"
    file.write_text(f"The text of {number}.\n", "utf-8")
    words = ("--authority", "CN.GD", "--number", number, "--title-en", f"Act {number}")
    return file, user.done("publish", file, *words, *more, "--json").json["published"]


def retire(user: User, successor: Address) -> None:
    """Close the registry: no command does it, the function does."""
    with Workspace(Settings(home=user.home)) as opened:
        outbox = outbox_for(opened, lambda _: "")
        outbox.call(opened.client.address, call_data("retire", ["0x" + successor.hex()]))
    user.done("sync")


def verdict(user: User, file: Path, *more: str | Path) -> tuple[int, Any, Any]:
    """Exit code, standing and reason, each where the lead and the whole say the same."""
    outcome = user("verify", file, *more, "--json")
    (checked,) = outcome.json["files"]
    found, lead = checked["verdict"], checked["verdict"]["registrations"][0]
    assert found["match"] == "exact"
    assert (found["standing"], found["unsettled"]) == (lead["standing"], lead["unsettled"])
    return outcome.code, found["standing"], found["unsettled"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((*PAST, "--digest-only"), (3, None, "last_day_unknown")),
        (("--issued", "2019-01-01", "--digest-only"), (3, None, "last_day_unknown")),
        (PAST, (4, "expired", None)),
        (("--issued", "2019-01-01"), (0, "in_force", None)),
        (("--issued", "2190-01-01", "--digest-only"), (4, "not_yet_in_force", None)),
    ],
    ids=["digest only, ended", "digest only, not ended", "ended", "not ended", "still to come"],
)
def test_without_its_manifest_nothing_is_in_force(
    user: User, tmp_path: Path, words: tuple[str, ...], expected: tuple[int, Any, Any]
) -> None:
    file, _ = publish(user, tmp_path, "1", *words)
    assert verdict(user, file) == expected
    receipt = tmp_path / "receipt.json"
    user.done("prove", file, "-o", receipt)
    assert verdict(user, file, "--receipt", receipt) == expected


def test_each_command_says_that_the_last_day_is_not_known(user: User, tmp_path: Path) -> None:
    file, _ = publish(user, tmp_path, "1", *PAST, "--digest-only")
    publish(user, tmp_path, "2", *PAST)
    said = user("verify", file)
    assert said.code == 3
    assert "exact: as published · standing not known (its last day is not known)" in said.out
    assert "the log does not hold the manifest, which may name a last day" in said.out
    assert "3: standing" not in said.out
    shown = user.done("show", "CN.GD", "1").out
    assert "standing not known (its last day is not known)" in shown
    assert "the log does not hold the manifest" in shown
    policy = user.done("show", "CN.GD", "1", "--json").json["policy"]
    assert (policy["standing"], policy["unsettled"]) == (None, "last_day_unknown")
    assert "in force" not in said.out + shown
    for number in range(5):
        (tmp_path / f"stranger-{number}").write_text(str(number))
    folder = user("verify", *sorted(tmp_path.glob("*.md")), *sorted(tmp_path.glob("stranger-*")))
    assert "exact, last day unknown: " in folder.out
    assert "which may name a last day" in folder.out
    assert "in force" not in folder.out


def test_an_amendment_that_shows_its_manifest_settles_it(user: User, tmp_path: Path) -> None:
    """What applies today is then known, and that the older text does not."""
    old, _ = publish(user, tmp_path, "1", "--issued", "2019-01-01", "--digest-only")
    new = tmp_path / "new.md"
    new.write_text("The new text.\n", "utf-8")
    about = ("--authority", "CN.GD", "--number", "1", "--title-en", "Act 1")
    user.done("amend", new, *about, "--issued", "2020-01-01")
    assert verdict(user, new) == (0, "in_force", None)
    assert verdict(user, old) == (4, "amended", None)
    assert verdict(user, old, "--on", "2019-06-01") == (3, None, "last_day_unknown")


def test_digest_only_says_what_it_costs_and_prints_what_settles_it(
    user: User, tmp_path: Path
) -> None:
    """Nothing else keeps the manifest. Put into the receipt, it tells the last day."""
    file, published = publish(user, tmp_path, "1", *PAST, "--digest-only")
    receipt = tmp_path / "receipt.json"
    user.done("prove", file, "-o", receipt)
    fields = json.loads(receipt.read_text("utf-8"))
    fields["entries"][0]["manifest"] = published["manifest_text"]
    receipt.write_text(json.dumps(fields), "utf-8")
    assert verdict(user, file, "--receipt", receipt) == (4, "expired", None)

    other = tmp_path / "other.md"
    other.write_text("Another.\n", "utf-8")
    words = ("--authority", "CN.GD", "--number", "2", "--title-en", "Act 2")
    told = user.done("publish", other, *words, "--digest-only").out
    assert "the standing is not known (exit code 3)" in told
    assert '"number":"2"' in told
    whole = user.done("publish", file, *words[:3], "3", *words[4:]).out
    assert "exit code 3" not in whole
    assert "can not tell" in " ".join(user.done("publish", "--help").out.split())


def test_a_closed_registry_names_its_successor_and_warns_of_it(user: User, tmp_path: Path) -> None:
    file, _ = publish(user, tmp_path, "1", "--issued", "2019-01-01")
    ended, _ = publish(user, tmp_path, "2", *PAST)
    receipt = tmp_path / "receipt.json"
    user.done("prove", file, "-o", receipt)
    snapshot = user.done("snapshot", "--size", "8").out.splitlines()[1:]
    assert user.done("status", "--json").json["registry"]["closed"] is None
    retire(user, SUCCESSOR)

    for each in (file, ended):
        assert verdict(user, each) == (3, None, "closed")
    assert verdict(user, file, "--on", "2019-06-01") == (3, None, "closed")
    assert verdict(user, file, "--receipt", receipt) == (3, None, "closed")
    shown = user.done("show", "CN.GD", "1", "--json").json
    assert (shown["policy"]["standing"], shown["policy"]["unsettled"]) == (None, "closed")
    for words in (
        ("verify", file), ("verify", file, "--receipt", receipt), ("show", "CN.GD", "1"),
        ("status",), ("sync",), ("authority", "show", "CN.GD"), ("search", "Act"),
    ):  # fmt: skip
        said = user(*words)
        assert f"The registry is closed, and goes on at {checksummed(SUCCESSOR)}" in said.out
        assert WARNING in said.out
        found = user(*words, "--json")
        assert found.json["registry"]["closed"] == checksummed(SUCCESSOR)
        assert said.code == found.code == (3 if words[0] == "verify" else 0)
    assert "standing not known (the registry is closed)" in user("verify", file).out
    # what the log held before is still the same snapshot
    assert user.done("snapshot", "--size", "8").out.splitlines()[1:] == snapshot


def test_who_records_in_a_closed_registry_is_warned_of_its_successor(
    user: User, tmp_path: Path
) -> None:
    retire(user, SUCCESSOR)
    file = tmp_path / "late.md"
    file.write_text("Too late.\n", "utf-8")
    words = ("--authority", "CN.GD", "--number", "1", "--title-en", "Late")
    refused = user("publish", file, *words)
    assert refused.code == 1
    assert checksummed(SUCCESSOR) in refused.err
    assert WARNING in refused.err
    assert refused.err.index(WARNING) < refused.err.index("POLREG_CONTRACT")


def test_a_registry_that_names_no_successor_is_said_to_name_none(
    user: User, tmp_path: Path
) -> None:
    file, _ = publish(user, tmp_path, "1", "--issued", "2019-01-01")
    retire(user, NOWHERE)
    assert verdict(user, file) == (3, None, "closed")
    said = user("verify", file).out
    assert "The registry is closed, and names no other where it goes on" in said
    assert checksummed(NOWHERE) not in said


def test_the_api_says_the_same(user: User, tmp_path: Path) -> None:
    hidden, _ = publish(user, tmp_path, "1", *PAST, "--digest-only")
    publish(user, tmp_path, "2", *PAST)
    publish(user, tmp_path, "3", "--issued", "2019-01-01")
    with running(Settings(home=user.home)) as client:
        answer = told(client, hidden)
        assert (answer["standing"], answer["unsettled"]) == (None, "last_day_unknown")
        assert answer["registry"]["closed"] is None
        assert listed(client) == {"1": "last_day_unknown", "2": "expired", "3": "in_force"}
        assert listed(client, standing="in_force") == {"3": "in_force"}
        assert listed(client, standing="expired") == {"2": "expired"}
        by = {"expired": 1, "in_force": 1, "last_day_unknown": 1}
        assert client.get("/v1/stats").json()["by"]["standing"] == by
        uploaded = client.post("/v1/verify", content=hidden.read_bytes(), headers=_BYTES).json()
        assert uploaded["files"][0]["unsettled"] == "last_day_unknown"
    retire(user, SUCCESSOR)
    with running(Settings(home=user.home)) as client:
        answer = told(client, hidden)
        assert (answer["standing"], answer["unsettled"]) == (None, "closed")
        assert answer["registry"]["closed"] == checksummed(SUCCESSOR)
        assert listed(client) == {"1": "closed", "2": "closed", "3": "closed"}
        assert listed(client, standing="in_force") == {}
        assert client.get("/v1/stats").json()["by"]["standing"] == {"closed": 3}
        place = client.get("/v1/checkpoint").json()["registry"]
        assert place["closed"] == checksummed(SUCCESSOR)
        assert client.get("/v1/readyz").json()["registry"]["closed"] == checksummed(SUCCESSOR)


SAY = """
import { say } from "./api/web/words.js";
let text = "";
for await (const some of process.stdin) text += some;
console.log(JSON.stringify(say(JSON.parse(text), null)));
"""


def said_by_the_page(answer: Any) -> Any:
    """What the page's own words are for an answer of the API."""
    found = shutil.which("node")
    assert found is not None, "Node.js is needed: scripts/install_test_tools.sh installs it"
    done = subprocess.run(
        [found, "--input-type=module", "-e", SAY],
        input=json.dumps(answer), capture_output=True, text=True, check=True, cwd=ROOT,
        encoding="utf-8",
    )  # fmt: skip
    return json.loads(done.stdout)


def test_the_page_says_it_in_the_words_of_a_receipts_check(user: User, tmp_path: Path) -> None:
    hidden, _ = publish(user, tmp_path, "1", *PAST, "--digest-only")
    with running(Settings(home=user.home)) as client:
        said = said_by_the_page(told(client, hidden))
    assert said["tone"] == "apart"
    assert re.fullmatch(
        r"Authentic, but whether it is in force on [\d-]{10} could not be told", said["state"]
    )
    assert "does not hold the manifest of entry" in said["explanation"]
    retire(user, SUCCESSOR)
    with running(Settings(home=user.home)) as client:
        said = said_by_the_page(told(client, hidden))
    assert said["tone"] == "apart"
    assert said["state"].startswith("Authentic, but the registry was closed")
    assert checksummed(SUCCESSOR) in said["explanation"]
    assert WARNING in said["explanation"]


_BYTES = {"Content-Type": "application/octet-stream"}


def told(client: httpx.Client, file: Path) -> Any:
    return client.get(f"/v1/documents/{sha256(file.read_bytes()).hex()}").json()


def listed(client: httpx.Client, **filters: str) -> dict[str, str]:
    """By the number in a policy's document: the standing, or why there is none."""
    numbers = {str(number): f"The text of {number}.\n" for number in (1, 2, 3)}
    digests = {sha256(text.encode()).hex(): number for number, text in numbers.items()}
    found = client.get("/v1/policies", params=filters).json()["policies"]
    return {digests[each["document"]]: each["standing"] or each["unsettled"] for each in found}
