"""Several nodes are asked as one, and whoever needs one node's answers can tell."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from registry.chain.failover import LONGEST_REST, SHORTEST_REST, FailoverTransport, Node
from registry.chain.faults import NodeFault, TooLarge
from registry.chain.nodes import open_nodes
from registry.chain.retries import ONCE
from registry.chain.rpc import Call, RpcError
from registry.core.following import Fault
from registry.errors import InputError, Unavailable

DOWN = NodeFault("no answer", Fault.UNREACHABLE, hint="is it running?")


class Fake:
    """A node that answers with its own name, or fails."""

    def __init__(self, name: str, chain: int = 1) -> None:
        self.name = name
        self.chain = chain
        self.fault: Exception | None = None
        self.only: frozenset[str] = frozenset()
        self.asked: list[str] = []

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        self.asked.append(method)
        if self.fault is not None and (not self.only or method in self.only):
            raise self.fault
        return hex(self.chain) if method == "eth_chainId" else self.name

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return [self.request(method, params) for method, params in calls]

    def close(self) -> None:
        self.asked.append("closed")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def three() -> tuple[list[Fake], FailoverTransport, Clock]:
    fakes, clock = [Fake(name) for name in "abc"], Clock()
    return (
        fakes,
        FailoverTransport([Node(f"http://{each.name}", each) for each in fakes], clock),
        clock,
    )


def asked(transport: FailoverTransport) -> Any:
    return transport.request("eth_call")


def test_the_first_node_is_asked_as_long_as_it_answers() -> None:
    fakes, transport, _ = three()
    assert [asked(transport) for _ in range(5)] == ["a"] * 5
    assert transport.batch([("eth_call", [])] * 3) == ["a"] * 3
    assert (transport.node, transport.generation) == ("http://a", 0)
    assert fakes[1].asked == fakes[2].asked == []


def test_a_node_that_fails_is_replaced_by_the_next_and_whoever_asks_can_tell() -> None:
    fakes, transport, _ = three()
    assert asked(transport) == "a"
    fakes[0].fault = DOWN
    assert asked(transport) == "b"
    assert (transport.node, transport.generation) == ("http://b", 1)
    fakes[1].fault = DOWN
    assert transport.batch([("eth_call", [])]) == ["c"]
    assert transport.generation == 2
    count = len(fakes[0].asked)
    assert asked(transport) == "c"
    assert len(fakes[0].asked) == count, "a node that failed is left alone for a while"


def test_that_no_node_answers_names_each_and_why_and_no_secret() -> None:
    transport = open_nodes(
        ["http://user:hunter2@127.0.0.1:9/key-one-secret", "http://127.0.0.1:9/key-two-secret"],
        timeout_seconds=1.0,
        policy=ONCE,
    )
    with pytest.raises(Unavailable, match="no node answered") as caught:
        transport.request("eth_chainId")
    said = f"{caught.value} {caught.value!r} {caught.value.hint} {transport!r}"
    assert said.count("no answer from http://127.0.0.1:9") >= 2
    assert "(no. 2)" in repr(transport)
    assert caught.value.fault == Fault.UNREACHABLE
    for secret in ("hunter2", "secret"):
        assert secret not in said
    transport.close()


def test_of_a_single_node_its_own_fault_is_told() -> None:
    fake = Fake("a")
    fake.fault = DOWN
    transport = FailoverTransport([Node("http://a", fake)])
    with pytest.raises(NodeFault) as caught:
        asked(transport)
    assert caught.value is DOWN
    assert fake.asked == ["eth_call"], "and it is not asked for its chain first"
    assert not transport.distrust("it lies")
    fake.fault = None
    assert asked(transport) == "a"
    assert transport.generation == 0


def test_all_nodes_failing_are_all_asked_again_the_next_time() -> None:
    fakes, transport, _ = three()
    for each in fakes:
        each.fault = DOWN
    for _ in range(2):
        with pytest.raises(Unavailable, match="no answer; no answer; no answer"):
            asked(transport)
    fakes[1].fault = None
    assert asked(transport) == "b"


def test_an_earlier_node_is_gone_back_to_when_it_has_rested() -> None:
    fakes, transport, clock = three()
    fakes[0].fault = DOWN
    assert asked(transport) == "b"
    fakes[0].fault = None
    clock.now += SHORTEST_REST - 1
    assert asked(transport) == "b"
    clock.now += 1
    assert asked(transport) == "a"
    assert (transport.node, transport.generation) == ("http://a", 2)


def test_a_node_that_stays_away_is_asked_ever_less_often_and_disturbs_nobody() -> None:
    fakes, transport, clock = three()
    fakes[0].fault = DOWN
    for _ in range(3600):
        clock.now += 1
        assert asked(transport) == "b"
    assert transport.generation == 1
    # 30, 60, 120, 240, 480, 600 … seconds apart, and each time one question.
    assert len(fakes[0].asked) == 1 + 9


def test_a_node_that_was_distrusted_rests_longer_each_time_it_is() -> None:
    """It answers at once, and lags again: going back to it every half minute helps nobody."""
    fakes, transport, clock = three()
    times: list[float] = []
    for _ in range(3 * int(LONGEST_REST)):
        if asked(transport) == "a":
            times.append(clock.now)
            assert transport.distrust("its head is older than what was read")
        clock.now += 1
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses[:5] == [30, 60, 120, 240, 480]
    assert transport.node == "http://b"
    assert "closed" not in fakes[0].asked


def test_distrust_moves_on_to_a_node_that_is_not_resting_or_says_that_there_is_none() -> None:
    _, transport, _ = three()
    assert asked(transport) == "a"
    assert transport.distrust("two forks")
    assert transport.distrust("two forks")
    assert (asked(transport), transport.generation) == ("c", 2)
    assert not transport.distrust("two forks")
    assert asked(transport) == "c"


def test_a_node_of_another_chain_is_never_answered_from() -> None:
    fakes, transport, _ = three()
    fakes[1].chain = 5
    assert asked(transport) == "a"
    fakes[0].fault = DOWN
    assert asked(transport) == "c"
    fakes[2].fault = DOWN
    with pytest.raises(Unavailable, match="http://b is on chain 5, not 1"):
        asked(transport)
    assert "eth_call" not in fakes[1].asked


def test_a_node_that_came_back_on_another_chain_is_not_returned_to() -> None:
    fakes, transport, clock = three()
    assert asked(transport) == "a"
    fakes[0].fault = DOWN
    assert asked(transport) == "b"
    fakes[0].fault, fakes[0].chain = None, 5
    clock.now += LONGEST_REST
    assert asked(transport) == "b"


@pytest.mark.parametrize("chain", [None, "1", "0x", 1])
def test_a_node_that_does_not_say_its_chain_is_passed_over(chain: Any) -> None:
    fakes, transport, _ = three()
    fakes[0].request = lambda method, params=(): chain  # type: ignore[method-assign]
    if chain == "1":
        fakes[1].chain = fakes[2].chain = 0x1
        fakes[0].request = lambda method, params=(): "one"  # type: ignore[method-assign]
    assert asked(transport) == "b"


def test_what_may_act_goes_to_one_node_once() -> None:
    fakes, transport, _ = three()
    fakes[0].fault, fakes[0].only = DOWN, frozenset({"eth_sendRawTransaction"})
    with pytest.raises(NodeFault):
        transport.request("eth_sendRawTransaction", ["0x"])
    assert [each.asked.count("eth_sendRawTransaction") for each in fakes] == [1, 0, 0]
    # What happened to it is asked of the next one, since that one failed.
    assert transport.request("eth_getTransactionReceipt", ["0x"]) == "b"


def test_what_may_act_is_not_lost_on_a_node_that_is_not_there() -> None:
    fakes, transport, _ = three()
    fakes[0].fault = DOWN
    assert transport.request("eth_sendRawTransaction", ["0x"]) == "b"


def test_a_refusal_is_an_answer() -> None:
    fakes, transport, _ = three()
    asked(transport)
    fakes[0].fault = RpcError(3, "execution reverted")
    with pytest.raises(RpcError):
        asked(transport)
    assert transport.generation == 0


@pytest.mark.parametrize("fault", [TooLarge("too long"), NodeFault("late", Fault.TIMED_OUT)])
def test_too_many_logs_at_once_are_no_reason_to_ask_another_node(fault: NodeFault) -> None:
    fakes, transport, _ = three()
    fakes[0].fault, fakes[0].only = fault, frozenset({"eth_getLogs"})
    with pytest.raises(NodeFault) as caught:
        transport.request("eth_getLogs", [{}])
    assert caught.value is fault
    assert (transport.node, transport.generation) == ("http://a", 0)


def test_many_threads_move_on_once() -> None:
    fakes, transport, _ = three()
    asked(transport)
    fakes[0].fault = DOWN
    start = threading.Barrier(8)
    answers: list[Any] = []

    def ask() -> None:
        start.wait()
        answers.append(asked(transport))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert answers == ["b"] * 8
    assert transport.generation == 1


def test_closing_closes_every_node() -> None:
    fakes, transport, _ = three()
    transport.close()
    assert [each.asked for each in fakes] == [["closed"]] * 3


@pytest.mark.parametrize("urls", [["ws://127.0.0.1:1"], ["http://127.0.0.1:1", "nonsense"]])
def test_every_url_has_to_be_one(urls: list[str]) -> None:
    with pytest.raises(InputError):
        open_nodes(urls)


class Outages(RuleBasedStateMachine):
    """Nodes come and go, lie, and change chains: as long as one that is there is of the right
    chain, a call is answered, and by such a one."""

    def __init__(self) -> None:
        super().__init__()
        self.fakes, self.transport, self.clock = three()
        asked(self.transport)
        self.seen = {0: "http://a"}

    @rule(place=st.integers(0, 2), down=st.booleans())
    def goes(self, place: int, down: bool) -> None:
        self.fakes[place].fault = DOWN if down else None

    @rule(place=st.integers(0, 2), chain=st.integers(1, 2))
    def changes_chain(self, place: int, chain: int) -> None:
        # A node in charge is asked for its chain by whoever follows it, at each poll.
        if self.transport.node != f"http://{self.fakes[place].name}":
            self.fakes[place].chain = chain

    @rule(seconds=st.floats(0, 2000))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def is_distrusted(self) -> None:
        self.transport.distrust("it lied")

    @rule()
    def asks(self) -> None:
        there = {each.name for each in self.fakes if each.fault is None and each.chain == 1}
        before = self.transport.generation
        node = self.transport.node
        try:
            answer = asked(self.transport)
        except Unavailable:
            assert not there
            return
        assert answer in there
        assert self.transport.node == f"http://{answer}"
        if self.transport.generation == before:
            assert self.transport.node == node

    @invariant()
    def a_generation_is_one_node_s(self) -> None:
        generation = self.transport.generation
        assert self.seen.setdefault(generation, self.transport.node) == self.transport.node
        assert generation == max(self.seen)


TestOutages = Outages.TestCase
TestOutages.settings = hypothesis_settings(max_examples=100, stateful_step_count=40)
