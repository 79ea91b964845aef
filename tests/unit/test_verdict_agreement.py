"""A mirror and a receipt give the same answer: one rule decides for both."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logs import draft
from mirrors import mirror_of
from registries import SIZE_SLOT, Registry, block_at, receipt_of

from registry.core.digest import sha256
from registry.core.entry import Action
from registry.core.lifecycle import TRANSITIONS, Status
from registry.core.receipt import read_receipt
from registry.core.receipt_check import Trace
from registry.core.receipt_document import FileFacts, check_file
from registry.core.timeline import Standing
from registry.core.units import Day
from registry.core.verdict import ExitCode, Unsettled, Verdict
from registry.mirror.engine import Engine
from registry.services.receipts import check_against_block
from registry.services.verify import verify_digests

BEGINNING = 18_000
SUCCESSOR = bytes(range(1, 21))
_FOLDERS = itertools.count()

Chosen = tuple[Action, int | None, int | None, bool]
"""An act, its first and its last day, and whether its manifest stays out of the log."""

days = st.none() | st.integers(BEGINNING, BEGINNING + 12)
acts = st.lists(
    st.tuples(
        st.sampled_from([action for action in Action if action.on_policy]), days, days,
        st.booleans(),
    ),
    max_size=6,
)  # fmt: skip


def log_of(chosen: Sequence[Chosen], *, digest_only: bool, closed: bool) -> Registry:
    """A log of one policy's acts, as far as each may follow, then closed or not."""
    log = Registry()
    for action, since, until, hidden in [(Action.PUBLISH, None, None, digest_only), *chosen]:
        status = log.states[draft(action, "1").key].status if log.logged else Status.NONE
        if status not in TRANSITIONS[action][0]:
            continue
        text = f"text {len(log.logged)}" if action.carries_document else None
        kept = until if text and (since is None or until is None or until >= since) else None
        act = draft(action, "1", text, effective_from=since, effective_to=kept)
        at = 86_400 * BEGINNING + 14_400 * len(log.logged)
        log.record(act, digest_only=hidden, at=at)
    if closed:
        log.appoint(Action.RETIRE, "", bytes(12) + SUCCESSOR)
    return log


def by_receipt(log: Registry, text: bytes, on: Day) -> Verdict:
    policy = [each.entry.index for each in log.logged if each.entry.action.on_policy]
    size = len(log.logged)
    is_closed = len(policy) < size
    slot = size | 1 << 64 | int.from_bytes(SUCCESSOR, "big") << 72
    block = block_at(log.logged, slots={SIZE_SLOT: slot} if is_closed else {})
    shown = receipt_of(block, policy, text)
    checked = check_against_block(
        read_receipt(shown.text().encode()), shown.block_hash, None, Trace()
    )
    return check_file(checked, FileFacts(sha256(text), len(text), text[:2]), on, Trace())


def by_mirror(engine: Engine, text: bytes, on: Day) -> Verdict:
    return verify_digests(engine, [sha256(text)], on)[1][0]


@given(acts, st.booleans(), st.booleans(), st.integers(BEGINNING - 2, BEGINNING + 14))
def test_a_mirror_says_of_every_document_what_its_receipt_says(
    tmp_path_factory: pytest.TempPathFactory,
    chosen: list[Chosen],
    digest_only: bool,
    closed: bool,
    on: Day,
) -> None:
    log = log_of(chosen, digest_only=digest_only, closed=closed)
    path = tmp_path_factory.getbasetemp() / f"agreement-{next(_FOLDERS)}.sqlite"
    engine = mirror_of(path, log.logged)
    for at, each in enumerate(log.logged):
        if each.entry.document is None:
            continue
        text = b"text %d" % at
        mirrored, receipted = by_mirror(engine, text, on), by_receipt(log, text, on)
        assert mirrored.leading is not None
        assert receipted.leading is not None
        assert mirrored.leading.entry == receipted.leading.entry == at
        assert mirrored.standing is receipted.standing
        assert mirrored.unsettled is receipted.unsettled
        assert mirrored.exit_code is receipted.exit_code
        assert (mirrored.standing is None) is (mirrored.unsettled is not None)
        if closed:
            assert mirrored.unsettled is Unsettled.CLOSED
        elif each.manifest is None:
            assert mirrored.standing is not Standing.IN_FORCE
    engine.dispose()
    path.unlink()


@pytest.mark.parametrize(
    ("closed", "digest_only", "expected"),
    [
        (False, False, (Standing.IN_FORCE, None, ExitCode.VERIFIED)),
        (False, True, (None, Unsettled.LAST_DAY_UNKNOWN, ExitCode.COULD_NOT_CHECK)),
        (True, False, (None, Unsettled.CLOSED, ExitCode.COULD_NOT_CHECK)),
        (True, True, (None, Unsettled.CLOSED, ExitCode.COULD_NOT_CHECK)),
    ],
)
def test_of_one_publish_the_answers_are_these(
    tmp_path_factory: pytest.TempPathFactory,
    closed: bool,
    digest_only: bool,
    expected: tuple[Standing | None, Unsettled | None, ExitCode],
) -> None:
    """By name, since two that agree may both be wrong."""
    log = log_of([], digest_only=digest_only, closed=closed)
    path = tmp_path_factory.getbasetemp() / f"agreement-{next(_FOLDERS)}.sqlite"
    engine = mirror_of(path, log.logged)
    for found in (by_mirror(engine, b"text 0", BEGINNING), by_receipt(log, b"text 0", BEGINNING)):
        assert (found.standing, found.unsettled, found.exit_code) == expected
    engine.dispose()
