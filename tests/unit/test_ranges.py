"""Whatever a node limits, all blocks are asked for, once each and in order, and soon enough."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.chain.range_words import asks_for_fewer_blocks, blocks_named
from registry.chain.ranges import LOGS_WANTED, SLOW_SECONDS, Ranges
from registry.chain.rpc import RpcError, TooLarge
from registry.core.following import Fault
from registry.core.units import BlockNumber
from registry.errors import RegistryError, Unavailable

WORDS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "range_refusals.json").read_text(encoding="utf-8")
)

Refusal = Callable[[int, int], RegistryError]
"""From the first block and how many were asked for."""

REFUSALS: dict[str, Refusal] = {
    "no number": lambda _, __: RpcError(-32000, "block range is too wide"),
    "the number, rightly": lambda _, __: RpcError(-32614, "eth_getLogs is limited to a {} range"),
    "the number, wrongly": lambda _, asked: RpcError(
        -32602, f"query exceeds max block range {asked - 1}"
    ),
    "the range that was asked": lambda first, asked: RpcError(
        -32602, f"exceeds max results 9, retry with the range {first}-{first + asked - 1}"
    ),
    "too many results": lambda _, __: RpcError(-32005, "query returned more than 7 results"),
    "too long": lambda _, __: TooLarge("more than 64 MiB"),
}


@dataclass
class Node:
    """Serves at most `blocks` blocks and `logs` logs at a time."""

    blocks: int
    logs: int
    density: Callable[[int], int]
    refusal: Refusal
    served: list[tuple[int, int]] = field(default_factory=list)
    refused: int = 0

    def ask(self, first: int, last: int) -> int:
        asked = last - first + 1
        found = sum(self.density(number) for number in range(first, last + 1))
        if asked > self.blocks or found > self.logs:
            self.refused += 1
            error = self.refusal(first, asked)
            if isinstance(error, RpcError):
                raise RpcError(error.code, error.message.format(self.blocks))
            raise error
        self.served.append((first, last))
        return found


def read(node: Node, head: int, ranges: Ranges) -> None:
    """As a follower does."""
    first = BlockNumber(0)
    while first <= head:
        last = ranges.next(first, BlockNumber(head))
        assert first <= last <= head
        try:
            logs = node.ask(first, last)
        except (RpcError, Unavailable) as error:
            if not ranges.refused(error):
                raise
            continue
        ranges.answered(last - first + 1, logs)
        first = BlockNumber(last + 1)


def none(_: int) -> int:
    return 0


@given(
    head=st.integers(0, 3000),
    limit=st.integers(1, 5000),
    logs=st.integers(20, 12_000),
    peaks=st.dictionaries(st.integers(0, 3000), st.integers(0, 20), max_size=30),
    initial=st.integers(1, 3000),
    refusal=st.sampled_from(sorted(REFUSALS)),
)
def test_every_block_is_read_once_and_in_order(
    head: int, limit: int, logs: int, peaks: dict[int, int], initial: int, refusal: str
) -> None:
    node = Node(limit, logs, lambda number: peaks.get(number, 1), REFUSALS[refusal])
    read(node, head, Ranges(initial, 3000))
    assert node.served[0][0] == 0
    assert node.served[-1][1] == head
    assert all(
        before[1] + 1 == after[0]
        for before, after in zip(node.served, node.served[1:], strict=False)
    )
    # To find a limit takes a halving or two for each doubling, and little after that.
    assert node.refused <= 15 + 0.2 * len(node.served)


@pytest.mark.parametrize("refusal", sorted(REFUSALS))
@pytest.mark.parametrize("limit", [1, 10, 800, 2000, 10_000])
def test_a_node_s_limit_of_blocks_is_found_and_kept(limit: int, refusal: str) -> None:
    head = 400 * limit
    node = Node(limit, 10**9, none, REFUSALS[refusal])
    read(node, head, Ranges(500, 10_000))
    # Never fewer than half of what the node would have served, after the first few.
    sizes = [last - first + 1 for first, last in node.served]
    assert min(sizes[10:-1]) >= limit // 2
    assert node.refused <= 25


def test_a_limit_of_results_follows_how_dense_the_chain_is() -> None:
    """10,000 logs an answer: 3 logs a block, then 2,000, then none."""

    def density(number: int) -> int:
        return 3 if number < 30_000 else 2000 if number < 30_200 else 0

    node = Node(10**9, 10_000, density, REFUSALS["too many results"])
    read(node, 150_000, Ranges(500, 10_000))
    thin = [last - first + 1 for first, last in node.served if last < 30_000]
    dense = [last - first + 1 for first, last in node.served if 30_000 <= first < 30_195]
    after = [last - first + 1 for first, last in node.served if first >= 30_200]
    assert max(thin) >= 1600
    assert max(dense) <= 5
    assert after[-2] == 10_000
    assert node.refused <= 20


def test_an_answer_of_very_many_logs_is_followed_by_a_smaller_range() -> None:
    ranges = Ranges(1000, 1000)
    ranges.next(BlockNumber(0), BlockNumber(9999))
    ranges.answered(1000, 10 * LOGS_WANTED)
    assert ranges.span == 100
    ranges.answered(100, 10**9 * LOGS_WANTED)
    assert ranges.span == 1


def test_a_slow_answer_stops_the_growth_and_a_very_slow_one_turns_it_back() -> None:
    ranges = Ranges(100, 1000)
    ranges.answered(100, 0, SLOW_SECONDS + 1)
    assert ranges.span == 100
    ranges.answered(100, 0, 2 * SLOW_SECONDS + 1)
    assert ranges.span == 50
    ranges.answered(50, 0, 0.1)
    assert ranges.span == 100


def test_the_end_of_the_chain_says_nothing_of_what_a_node_would_serve() -> None:
    ranges = Ranges(500, 1000)
    for number in range(100):
        assert ranges.next(BlockNumber(number), BlockNumber(number)) == number
        ranges.answered(1, 0)
    assert ranges.span == 500


def test_a_time_out_is_tried_again_once_and_then_told() -> None:
    """A node that hangs must not be asked for ever less before anybody hears of it."""
    hanging = Unavailable("no answer", fault=Fault.TIMED_OUT)
    ranges = Ranges(8000, 8000)
    ranges.next(BlockNumber(0), BlockNumber(9999))
    assert ranges.refused(hanging)
    assert ranges.next(BlockNumber(0), BlockNumber(9999)) == 999
    assert not ranges.refused(hanging)
    assert ranges.next(BlockNumber(0), BlockNumber(9999)) == 124
    ranges.answered(125, 0)
    ranges.next(BlockNumber(125), BlockNumber(9999))
    assert ranges.refused(hanging)


@pytest.mark.parametrize(
    "refusal",
    [RpcError(-32005, "query returned more than 10000 results"), TooLarge("more than 64 MiB")],
)
def test_a_single_block_that_is_still_too_much_is_named(refusal: RegistryError) -> None:
    ranges = Ranges(1, 100)
    ranges.next(BlockNumber(77), BlockNumber(99))
    with pytest.raises(Unavailable, match="block 77 alone") as caught:
        ranges.refused(refusal)
    assert "another node" in str(caught.value.hint)


def test_a_single_block_that_times_out_is_a_time_out() -> None:
    ranges = Ranges(1, 100)
    ranges.next(BlockNumber(77), BlockNumber(99))
    assert not ranges.refused(Unavailable("no answer", fault=Fault.TIMED_OUT))


@pytest.mark.parametrize("kind", sorted(set(Fault) - {Fault.TIMED_OUT}))
def test_another_fault_is_not_the_range_s(kind: Fault) -> None:
    ranges = Ranges(100, 100)
    ranges.next(BlockNumber(0), BlockNumber(99))
    assert not ranges.refused(Unavailable("the block range is too wide", fault=kind))
    assert ranges.span == 100


@pytest.mark.parametrize("seen", WORDS["fewer_blocks"], ids=lambda each: each["message"][:60])
def test_what_nodes_say_of_their_limits_is_understood(seen: dict[str, object]) -> None:
    message, asked = str(seen["message"]), int(str(seen["asked"]))
    assert asks_for_fewer_blocks(message)
    assert blocks_named(message, asked) == seen["blocks"]
    ranges = Ranges(asked, asked)
    ranges.next(BlockNumber(0), BlockNumber(asked))
    assert ranges.refused(RpcError(int(str(seen["code"])), message))
    assert ranges.span == (seen["blocks"] or asked // 2)


@pytest.mark.parametrize("seen", WORDS["other"], ids=lambda each: each["message"][:60])
def test_what_is_said_of_other_things_is_not_taken_for_a_limit(seen: dict[str, object]) -> None:
    ranges = Ranges(100, 100)
    ranges.next(BlockNumber(0), BlockNumber(99))
    assert not ranges.refused(RpcError(int(str(seen["code"])), str(seen["message"])))
    assert ranges.span == 100


@given(st.text(max_size=2000), st.integers(2, 10**9))
def test_no_message_leads_to_a_range_that_is_not_smaller(message: str, asked: int) -> None:
    named = blocks_named(message, asked)
    assert named is None or 0 < named < asked


def test_a_message_of_a_megabyte_is_read_no_further_than_its_head() -> None:
    assert not asks_for_fewer_blocks("x" * 10**6 + " block range is too wide")
