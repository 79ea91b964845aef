"""A receipt says one thing: any bit of it is either proved, or changes nothing.

What it is worth on a date is what the timeline says of the same acts; with later acts that
it does not show it is never in force.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak
from hypothesis import assume, given
from hypothesis import strategies as st
from logs import draft
from registries import (
    ENTRIES,
    FIRST,
    MEMBERS,
    NAME,
    RENDITION,
    SECOND,
    THIRD,
    Registry,
    Shown,
    at_size,
    block_at,
    collection,
    complete,
    described,
    member,
    member_leaves,
    policy_slot,
    receipt_of,
    sha256,
)

from registry.core.calendar import day_of, parse_day
from registry.core.digest import sha256 as digest_of
from registry.core.entry import Action, decode_entry
from registry.core.lifecycle import TRANSITIONS, PolicyState, Status
from registry.core.receipt import (
    BlockId,
    Member,
    Receipt,
    ShownEntry,
    StateProof,
    as_text,
    read_receipt,
    write_receipt,
)
from registry.core.receipt_check import Anchor, ShownPolicy, Trace, check_policy
from registry.core.receipt_document import FileFacts, check_file
from registry.core.snapshot import Logged, policy_history
from registry.core.timeline import Standing, document_standing
from registry.core.units import Day
from registry.core.verdict import DocumentRole, Unsettled, Verdict
from registry.errors import CouldNotCheck, InputError, ProofError
from registry.services.receipts import check_against_block, load_receipt, parse_registry
from registry.services.receipts import file_facts as facts_on_disk

MEANT = parse_registry(NAME)
ON = parse_day("2024-06-01")


def facts(content: bytes) -> FileFacts:
    return FileFacts(digest_of(content), len(content), content[:2])


def checked(content: bytes, shown: Shown, on: Day = ON) -> tuple[Receipt, ShownPolicy, Verdict]:
    """All twelve steps over a receipt's bytes, for the file and the block of `shown`."""
    receipt = read_receipt(content)
    policy = check_against_block(receipt, shown.block_hash, MEANT, Trace())
    return receipt, policy, check_file(policy, facts(shown.file), on, Trace())


GOOD: dict[str, Callable[[], Shown]] = {
    "one entry": lambda: complete("1", 6, FIRST),
    "five entries": lambda: complete("1", 11, THIRD),
    "not in the log": lambda: complete("2", 6, b"two"),
    "a rendition": lambda: complete("4", 12, RENDITION),
    "a member": lambda: complete("3", 9, MEMBERS[3], member=member(3, 8)),
    "later acts": lambda: receipt_of(at_size(11), [4, 6], SECOND),
}
each_good = pytest.mark.parametrize("shown", [make() for make in GOOD.values()], ids=list(GOOD))


# Reading and writing


@each_good
def test_what_is_read_is_written_as_it_was(shown: Shown) -> None:
    receipt = read_receipt(shown.text().encode())
    again = write_receipt(receipt)
    assert read_receipt(again) == receipt
    assert json.loads(again) == shown.fields
    assert write_receipt(read_receipt(again)) == again
    assert again.endswith(b"\n}\n")


hashes = st.binary(min_size=32, max_size=32)
paths = st.lists(hashes, max_size=5).map(tuple)
counts = st.integers(0, 2**53 - 1)
blocks = st.builds(BlockId, counts, hashes)
manifests = st.text(max_size=40).map(str.encode)
octets = st.lists(st.binary(max_size=60), max_size=4).map(tuple)


@st.composite
def shown_entries(draw: st.DrawFn) -> ShownEntry:
    encoded = draw(st.sampled_from(ENTRIES)).entry.encode()
    manifest = draw(st.none() | manifests)
    path: Any = draw(paths)
    return ShownEntry(decode_entry(encoded), encoded, manifest, path, draw(blocks), draw(hashes))


receipts = st.builds(
    Receipt,
    chain_id=st.integers(0, 10**20 - 1),
    contract=st.binary(min_size=20, max_size=20),
    size=counts,
    root=hashes,
    block=blocks,
    entries=st.lists(shown_entries(), min_size=1, max_size=3).map(tuple),
    member=st.none() | st.builds(Member, counts, manifests, counts, counts, paths),
    state=st.none() | st.builds(StateProof, st.binary(max_size=60), octets, octets),
)


@given(receipts)
def test_every_receipt_is_read_as_it_was_written(receipt: Receipt) -> None:
    assert read_receipt(write_receipt(receipt)) == receipt


def test_a_manifest_that_is_no_text_is_left_out() -> None:
    assert as_text(b"\xff") is None
    assert as_text("政".encode()) == "政".encode()
    assert as_text(None) is None


# Anything else is no receipt


def refused_when_read(content: bytes) -> None:
    with pytest.raises(ProofError) as caught:
        read_receipt(content)
    assert caught.value.step == 1
    assert str(caught.value).startswith("step 1: this is not a receipt: ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[" * 4_000_000, "nested deeper than 64 levels"),
        (b'{"a":' * 800_000, "nested deeper than 64 levels"),
        (b"9" * 4_000_000, "it is not JSON"),
        (b'"' + b"\\" * 4_000_000, "it is not JSON"),
        (b"{" + b"".join(b'"%d":0,' % n for n in range(50_000)) + b'"49999":0}', "occurs twice"),
    ],
    ids=["brackets", "objects", "digits", "backslashes", "keys"],
)
def test_what_is_made_to_be_slow_is_refused_in_a_moment(content: bytes, words: str) -> None:
    started = time.process_time()
    with pytest.raises(ProofError, match=words):
        read_receipt(content)
    assert time.process_time() - started < 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_receipt_fail_at_step_1(content: bytes) -> None:
    refused_when_read(content)


@given(json_values)
def test_json_that_is_no_receipt_fails_at_step_1(value: Any) -> None:
    refused_when_read(json.dumps(value).encode())
    refused_when_read(json.dumps({"schema": "policy-registry/receipt/1", "state": value}).encode())


def places(value: Any, way: str = "") -> list[str]:
    """Where anything stands in a receipt's value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for name, each in inside:
        place = f"{way}{name}"
        found.append(place)
        if isinstance(each, dict | list):
            found += places(each, f"{place}.")
    return found


MEMBERED = GOOD["a member"]()
PLACES = places(MEMBERED.fields)


@given(st.sampled_from(PLACES), json_values)
def test_another_value_anywhere_is_refused_at_a_step_or_changes_nothing_proved(
    place: str, value: Any
) -> None:
    # Without a storage proof a block hash can vouch for nothing: no failure, and no verdict.
    assume((place, value) != ("state", None))
    altered = json.dumps(MEMBERED.put(place, value).fields).encode()
    assert assert_proved_or_refused(altered, MEMBERED) in {None, *range(1, 12)}


def test_without_a_storage_proof_there_is_no_verdict_from_a_block_hash() -> None:
    with pytest.raises(CouldNotCheck, match="holds no storage proof"):
        checked(MEMBERED.put("state", None).text().encode(), MEMBERED)


@pytest.mark.parametrize("place", PLACES)
def test_a_value_left_out_is_refused(place: str) -> None:
    with pytest.raises(ProofError):
        checked(MEMBERED.without(place).text().encode(), MEMBERED)


@each_good
def test_every_truncation_fails_at_step_1(shown: Shown) -> None:
    content = write_receipt(read_receipt(shown.text().encode()))
    assert content[-2:] == b"}\n"
    whole = len(content) - 1
    chosen = random.Random(len(content))
    lengths = {*range(40), *range(whole - 40, whole), *chosen.sample(range(whole), 200)}
    for length in lengths:
        refused_when_read(content[:length])
    assert read_receipt(content[:whole]) == read_receipt(content)


# One bit


def needed(shown: Shown) -> tuple[frozenset[str], frozenset[str]]:
    """The nodes without which the proof does not hold."""
    found = []
    for place in ("state.account", "state.storage"):
        nodes = shown.at(place)
        required = []
        for at, each in enumerate(nodes):
            fewer = shown.put(place, nodes[:at] + nodes[at + 1 :])
            try:
                checked(fewer.text().encode(), shown)
            except ProofError:
                required.append(each)
        found.append(frozenset(required))
    return found[0], found[1]


def proved(receipt: Receipt, nodes: tuple[frozenset[str], frozenset[str]]) -> Receipt:
    """The receipt without what docs/formats.md §13 calls not proved: where to look for a
    shown entry, and nodes that are not needed."""
    nowhere = BlockId(0, bytes(32))  # type: ignore[arg-type]
    entries = tuple(replace(each, block=nowhere, transaction=bytes(32)) for each in receipt.entries)
    assert receipt.state is not None
    account, storage = (
        tuple(sorted({each for each in held if "0x" + each.hex() in required}))
        for held, required in zip(
            (receipt.state.account, receipt.state.storage), nodes, strict=True
        )
    )
    state = replace(receipt.state, account=account, storage=storage)
    return replace(receipt, entries=entries, state=state)


def said(verdict: Verdict) -> list[Any]:
    """All that a verdict says, but for the block where an entry is to be looked for."""
    return [
        verdict.sha256,
        verdict.match,
        verdict.evidence,
        [replace(each, block=0) for each in verdict.registrations],  # type: ignore[arg-type]
    ]


def assert_proved_or_refused(
    content: bytes, shown: Shown, nodes: tuple[frozenset[str], frozenset[str]] | None = None
) -> int | None:
    """That the changed receipt either fails at a step, or differs in nothing that is proved
    and gives the same verdict. Returns the step."""
    try:
        receipt, policy, verdict = checked(content, shown)
    except ProofError as refusal:
        return refusal.step
    original, before, expected = checked(shown.text().encode(), shown)
    nodes = needed(shown) if nodes is None else nodes
    assert proved(receipt, nodes) == proved(original, nodes)
    assert said(verdict) == said(expected)
    assert (policy.later, policy.status) == (before.later, before.status)
    return None


FLIPS = 500


@each_good
def test_a_bit_flipped_anywhere_is_refused_or_changes_nothing_proved(shown: Shown) -> None:
    nodes = needed(shown)
    # Every node of these receipts is needed: what they hold too much is added here.
    assert [len(each) for each in nodes] == [
        len(shown.at("state.account")),
        len(shown.at("state.storage")),
    ]
    others = ["0x" + each.hex() for each in at_size(18).storage.nodes(policy_slot("2"))]
    larger = shown.put("state.storage", shown.at("state.storage") + others)
    content = write_receipt(read_receipt(larger.text().encode()))
    chosen = random.Random(content)
    steps = set()
    for _ in range(FLIPS):
        altered = bytearray(content)
        altered[chosen.randrange(len(altered))] ^= 1 << chosen.randrange(8)
        steps.add(assert_proved_or_refused(bytes(altered), larger, nodes))
    # Both happen, and what is refused is not all refused for being unreadable.
    assert {None, 1} < steps


def bits_of(value: Any) -> list[Any]:
    """The value with each of some of its bits flipped: of hexadecimal, or of a number."""
    if isinstance(value, int):
        return [value ^ 1 << bit for bit in range(0, 40, 7)]
    prefix, body = ("0x", value[2:]) if value.startswith("0x") else ("", value)
    chosen = random.Random(value)
    found = []
    for at in {0, len(body) - 1, *(chosen.randrange(len(body)) for _ in range(6))}:
        digit = int(body[at], 16) ^ 1 << chosen.randrange(4)
        found.append(f"{prefix}{body[:at]}{digit:x}{body[at + 1 :]}")
    return found


@pytest.mark.parametrize(
    ("place", "steps"),
    [
        ("checkpoint.size", {6}),
        ("checkpoint.root", {6}),
        ("checkpoint.block.number", {3}),
        ("checkpoint.block.hash", {3}),
        # 1: no entry of any contract; 5: the slot of another policy is not shown.
        ("entries.0.entry", {1, 5, 7}),
        ("entries.0.path.0", {7}),
        ("member.entry", {11}),
        ("member.index", {11}),
        ("member.size", {11}),
        ("member.path.0", {11}),
        ("state.header", {3}),
        ("state.account.0", {4}),
        ("state.account.1", {4}),
        ("state.storage.0", {5}),
        ("state.storage.1", {5}),
        ("entries.0.block.number", {None}),
        ("entries.0.block.hash", {None}),
        ("entries.0.transaction", {None}),
    ],
)
def test_a_bit_of_a_value_is_refused_at_the_values_step(place: str, steps: set[int | None]) -> None:
    nodes = needed(MEMBERED)
    for value in bits_of(MEMBERED.at(place)):
        altered = MEMBERED.put(place, value).text().encode()
        assert assert_proved_or_refused(altered, MEMBERED, nodes) in steps


@each_good
def test_any_bit_of_the_file_is_refused_at_step_11(shown: Shown) -> None:
    _, policy, _ = checked(shown.text().encode(), shown)
    for bit in range(8 * len(shown.file)):
        altered = bytearray(shown.file)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ProofError) as caught:
            check_file(policy, facts(bytes(altered)), ON, Trace())
        assert caught.value.step == 11


# What it is worth


acts = st.lists(
    st.tuples(
        st.sampled_from([action for action in Action if action.on_policy]),
        st.none() | st.integers(18_000, 18_010),
        st.none() | st.integers(18_000, 18_012),
    ),
    max_size=6,
)


def log_of(chosen: Sequence[tuple[Action, int | None, int | None]]) -> Registry:
    """A log of one policy's acts, as far as each may follow; a day is six entries long."""
    log = Registry()
    for action, since, until in [(Action.PUBLISH, None, None), *chosen]:
        status = log.states[draft(action, "1").key].status if log.logged else Status.NONE
        if status not in TRANSITIONS[action][0]:
            continue
        text = f"text {len(log.logged)}" if action.carries_document else None
        kept = until if action.carries_document and (since is None or until is None) else None
        act = draft(action, "1", text, effective_from=since, effective_to=kept)
        log.record(act, at=86_400 * 18_000 + 14_400 * len(log.logged))
    return log


def texts(log: Registry) -> list[tuple[int, bytes]]:
    return [
        (at, f"text {at}".encode())
        for at, each in enumerate(log.logged)
        if each.entry.action.carries_document
    ]


@given(acts, st.integers(17_998, 18_014))
def test_the_standing_on_a_date_is_the_timelines(
    chosen: list[tuple[Action, int | None, int | None]], on: Day
) -> None:
    log = log_of(chosen)
    block = block_at(log.logged)
    history = policy_history(log.logged)
    interval = history.timeline.at(on)
    for at, text in texts(log):
        shown = receipt_of(block, range(len(log.logged)), text)
        _, policy, verdict = checked(shown.text().encode(), shown, on)
        assert verdict.leading is not None
        expected = document_standing(interval, history.timeline.documents[at], on)  # type: ignore[index]
        assert (verdict.leading.entry, verdict.standing) == (at, expected)
        assert verdict.leading.since == history.timeline.documents[at].since  # type: ignore[index]
        assert policy.later == 0


@given(acts.filter(bool), st.integers(17_998, 18_014), st.data())
def test_with_later_acts_nothing_is_ever_in_force(
    chosen: list[tuple[Action, int | None, int | None]], on: Day, data: st.DataObject
) -> None:
    log = log_of(chosen)
    count = data.draw(st.integers(1, max(1, len(log.logged) - 1)))
    if count == len(log.logged):
        return
    block = block_at(log.logged)
    for at, text in texts(log):
        if at >= count:
            break
        shown = receipt_of(block, range(count), text)
        _, policy, verdict = checked(shown.text().encode(), shown, on)
        assert policy.later == len(log.logged) - count
        assert verdict.leading is not None
        assert (verdict.standing, verdict.leading.unsettled) == (None, Unsettled.OUTDATED)
        assert verdict.exit_code == 4


def test_an_act_that_applies_later_leaves_the_older_text_in_force_for_who_sees_it() -> None:
    """A complete receipt knows the amend's date; one without it can say nothing."""
    log = Registry()
    log.record(draft(Action.PUBLISH, "1", "old", issued=parse_day("2020-01-01")))
    log.record(draft(Action.AMEND, "1", "new", effective_from=parse_day("2030-01-01")))
    block = block_at(log.logged)
    for indexes, file, expected in (
        ([0, 1], b"old", Standing.IN_FORCE),
        ([0, 1], b"new", Standing.NOT_YET_IN_FORCE),
        ([0], b"old", None),
    ):
        shown = receipt_of(block, indexes, file)
        assert checked(shown.text().encode(), shown)[2].standing is expected


def test_a_receipt_that_is_checked_alone_says_nothing_of_later_acts() -> None:
    shown = complete("1", 6, FIRST)
    policy = check_policy(read_receipt(shown.text().encode()), None, Trace())
    assert (policy.later, policy.status, policy.anchor) == (0, Status.IN_FORCE, None)


# Documents of several entries


def test_a_document_of_two_entries_is_the_one_in_force() -> None:
    """Amended and amended back: the same bytes are version 1 and version 3."""
    log = Registry()
    for action, text in ((Action.PUBLISH, "a"), (Action.AMEND, "b"), (Action.AMEND, "a")):
        log.record(draft(action, "1", text, effective_from=parse_day("2020-01-01")))
    shown = receipt_of(block_at(log.logged), range(3), b"a")
    _, _, verdict = checked(shown.text().encode(), shown)
    assert [each.entry for each in verdict.registrations] == [2, 0]
    assert [each.standing for each in verdict.registrations] == [
        Standing.IN_FORCE,
        Standing.AMENDED,
    ]


def node_of(leaves: Sequence[bytes]) -> bytes:
    assert len(leaves) == 2
    return b"\1" + leaves[0] + leaves[1]


def of_a_collection_and_a_document(*, shown_manifests: Sequence[bool]) -> Shown:
    """A collection whose root is then published as a document too: 65 bytes of a node."""
    leaves = member_leaves()[:2]
    log = Registry()
    log.record(collection("1", leaves))
    log.record(replace(draft(Action.AMEND, "1", ""), document=described(node_of(leaves))))
    shown = receipt_of(block_at(log.logged), [0, 1], node_of(leaves))
    for at, here in enumerate(shown_manifests):
        if not here:
            shown = shown.put(f"entries.{at}.manifest", None)
    return shown


def test_a_document_of_one_entry_is_none_of_the_collection_with_its_hash() -> None:
    for shown_manifests in ([True, True], [False, True]):
        shown = of_a_collection_and_a_document(shown_manifests=shown_manifests)
        _, _, verdict = checked(shown.text().encode(), shown)
        assert [each.entry for each in verdict.registrations] == [1]
        assert verdict.registrations[0].role is DocumentRole.DOCUMENT


def test_there_is_no_verdict_where_no_manifest_tells_a_document_from_a_node() -> None:
    for shown_manifests in ([True, False], [False, False]):
        shown = of_a_collection_and_a_document(shown_manifests=shown_manifests)
        with pytest.raises(CouldNotCheck, match="part of a collection's tree"):
            checked(shown.text().encode(), shown)


# Files on this machine


def test_what_is_no_file_is_no_receipt(tmp_path: Path) -> None:
    import os

    fifo, device = tmp_path / "fifo", Path("/dev/zero")
    os.mkfifo(fifo)
    for path, words in (
        (tmp_path / "missing", "there is no file"),
        (tmp_path / "missing" / "receipt", "there is no file"),
        (tmp_path, "is a folder"),
        (fifo, "is no file, and no receipt"),
        (device, "is no file, and no receipt"),
        (Path("nul\0byte"), "can not be a file's name"),
    ):
        with pytest.raises(InputError, match=words):
            load_receipt(path)


def test_an_empty_file_and_one_too_large_fail_at_step_1(tmp_path: Path) -> None:
    path = tmp_path / "receipt"
    path.touch()
    with pytest.raises(ProofError, match=r"step 1: this is not a receipt: .* is empty"):
        load_receipt(path)
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(ProofError, match=r"step 1: .* has 100,000,000 bytes, a receipt at most"):
        load_receipt(path)


def test_a_files_first_bytes_are_those_that_were_hashed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\1" * 65)
    assert facts_on_disk(path) == facts(b"\1" * 65)


# The slot


@pytest.mark.parametrize("status", list(Status)[1:])
@pytest.mark.parametrize("more", [0, 1])
def test_the_status_of_the_slot_is_the_last_entrys_or_a_later_ones(
    status: Status, more: int
) -> None:
    shown = complete("1", 6, FIRST)
    receipt = read_receipt(shown.text().encode())
    policy = check_against_block(receipt, shown.block_hash, MEANT, Trace())
    assert policy.anchor is not None
    last = receipt.entries[-1].entry
    slot = PolicyState(status, last.sequence + more, last.index, last.recorded_at)
    anchor: Anchor = replace(policy.anchor, policy=slot)
    if not more and status is not Status.IN_FORCE:
        with pytest.raises(ProofError, match="step 9: the policy's slot"):
            check_policy(receipt, anchor, Trace())
        return
    found = check_policy(receipt, anchor, Trace())
    assert (found.later, found.status) == (more, status)


def test_the_steps_that_held_are_told_where_one_fails() -> None:
    shown = complete("1", 6, FIRST)
    for place, step in (("state.account", 4), ("state.storage", 5), ("entries.0.path", 7)):
        trace = Trace()
        receipt = read_receipt(shown.put(place, []).text().encode())
        with pytest.raises(ProofError, match=f"^step {step}: "):
            check_against_block(receipt, shown.block_hash, MEANT, trace)
        assert [int(each.split(":")[0]) for each in trace.steps] == list(range(1, step))


def test_the_made_up_chain_is_what_it_says() -> None:
    """The helpers' own hashes: a block's is its header's, a day is that of its time."""
    block = at_size(6)
    assert keccak(block.header) == block.hash
    assert day_of(ENTRIES[4].entry.recorded_at) == 19_675
    assert sha256(b"") == digest_of(b"")
    logged = [Logged(each.entry, each.manifest) for each in ENTRIES if each.manifest]
    assert all(digest_of(each.manifest or b"") == each.entry.manifest for each in logged)
