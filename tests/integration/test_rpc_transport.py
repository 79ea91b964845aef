"""One node over HTTP: what it may do, and how each of its faults is told apart."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import stamina

from registry.chain.faults import NodeFault, TooLarge
from registry.chain.http_post import Limits
from registry.chain.retries import Policy, Retrying
from registry.chain.rpc import Call, HttpTransport, RpcError
from registry.core.following import Fault
from registry.errors import InputError
from tests.scripted_node import Reply, echo, error, result, scripted_node

SHORT = Limits(silence_seconds=0.2, answer_bytes=20_000, batch_calls=10)
REFUSED_PORT = "http://127.0.0.1:9"


@pytest.fixture
def hurried() -> Iterator[None]:
    """Retries do not wait, and are as many as they would be."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


def once(reply: Reply) -> Callable[[Any], Reply]:
    """Answers the first request with `reply`, the others well."""
    given: list[Any] = []

    def answers(body: Any) -> Reply:
        given.append(body)
        return reply if len(given) == 1 else echo(body)

    return answers


FAULTS: dict[str, tuple[Reply, Fault]] = {
    "HTTP 429": (Reply(b"slow down", 429), Fault.RATE_LIMITED),
    "HTTP 429 in JSON-RPC": (
        Reply({"id": 1, "error": {"code": -32005, "message": "limit"}}, 429),
        Fault.RATE_LIMITED,
    ),
    "HTTP 503": (Reply(b"<html>", 503), Fault.SERVER_ERROR),
    "HTTP 502 in JSON": (Reply({"message": "bad gateway"}, 502), Fault.SERVER_ERROR),
    "HTTP 504": (Reply(b"", 504), Fault.TIMED_OUT),
    "nothing": (Reply(hang=True), Fault.TIMED_OUT),
    "half a body and a hang": (Reply(b'{"jsonrpc', hang=True), Fault.TIMED_OUT),
    "half a body": (Reply(b'{"jsonrpc":"2.0","id":1,"res', cut=True), Fault.MALFORMED),
    "half a body said to be whole": (Reply(b'{"jsonrpc":"2.0","id":1,"res'), Fault.MALFORMED),
    "another call's answer": (Reply({"jsonrpc": "2.0", "id": 7, "result": 1}), Fault.MALFORMED),
    "no result": (Reply({"jsonrpc": "2.0", "id": 1}), Fault.MALFORMED),
    "a list": (Reply([1]), Fault.MALFORMED),
    "half a gzip body": (
        Reply(
            gzip.compress(b'{"jsonrpc":"2.0","id":1,"result":1}')[:-20],
            headers={"content-encoding": "gzip"},
        ),
        Fault.MALFORMED,
    ),
    "not gzip": (Reply(b"{}", headers={"content-encoding": "gzip"}), Fault.MALFORMED),
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_that_passes_is_told_apart_and_tried_again(name: str, hurried: None) -> None:
    reply, kind = FAULTS[name]
    with scripted_node(once(reply)) as node, closing(HttpTransport(node.url, limits=SHORT)) as bare:
        with pytest.raises(NodeFault) as caught:
            bare.request("eth_call", [])
        assert (caught.value.fault, caught.value.passing) == (kind, True)
        assert bare.request("eth_call", ["a"]) == ["eth_call", ["a"]]
    with scripted_node(once(reply)) as node, closing(HttpTransport(node.url, limits=SHORT)) as bare:
        assert Retrying(bare).request("eth_call", ["b"]) == ["eth_call", ["b"]]
        assert len(node.asked) == 2
    with scripted_node(once(reply)) as node, closing(HttpTransport(node.url, limits=SHORT)) as bare:
        with pytest.raises(NodeFault):
            Retrying(bare).request("eth_sendRawTransaction", ["0x"])
        assert len(node.asked) == 1, "what may act is sent once"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(b"<html>", 200), Fault.MALFORMED),
        (Reply(b"", 200), Fault.MALFORMED),
        (Reply(b"<html>", 404), Fault.SERVER_ERROR),
        (Reply(b"who are you", 401), Fault.SERVER_ERROR),
        (Reply(b"", 301, {"location": "http://127.0.0.1:9/"}), Fault.SERVER_ERROR),
    ],
)
def test_what_is_no_node_is_not_asked_again(reply: Reply, kind: Fault, hurried: None) -> None:
    with scripted_node(lambda _: reply) as node, closing(HttpTransport(node.url)) as bare:
        with pytest.raises(NodeFault) as caught:
            Retrying(bare).request("eth_chainId")
        assert caught.value.fault == kind
        assert "not an Ethereum node" in str(caught.value.hint)
        assert len(node.asked) == 1


def test_nobody_listening_is_tried_a_few_times_and_no_more(hurried: None) -> None:
    tried: list[int] = []

    class Counted(HttpTransport):
        def request(self, method: str, params: Any = ()) -> Any:
            tried.append(1)
            return super().request(method, params)

    with closing(Counted(REFUSED_PORT)) as bare, pytest.raises(NodeFault) as caught:
        Retrying(bare, Policy(attempts=3)).request("eth_chainId")
    assert caught.value.fault == Fault.UNREACHABLE
    assert len(tried) == 3


@pytest.mark.parametrize(
    "refusal",
    [
        {"code": -32005, "message": "daily request count exceeded, request rate limited"},
        {"code": 429, "message": "Your app has exceeded its compute units per second capacity."},
        {"code": -32007, "message": "25/second request limit reached"},
    ],
    ids=lambda each: each["message"][:20],
)
def test_a_node_s_own_words_for_a_rate_limit_are_one(
    refusal: dict[str, Any], hurried: None
) -> None:
    limited = Reply({"jsonrpc": "2.0", "id": 1, "error": refusal})
    with scripted_node(once(limited)) as node, closing(HttpTransport(node.url)) as bare:
        assert Retrying(bare).request("eth_call", [])
        assert len(node.asked) == 2
    with scripted_node(lambda _: limited) as node, closing(HttpTransport(node.url)) as bare:
        with pytest.raises(NodeFault) as caught:
            Retrying(bare, Policy(attempts=2)).request("eth_call", [])
        assert caught.value.fault == Fault.RATE_LIMITED


def test_a_contract_that_reverts_with_such_words_is_no_rate_limit() -> None:
    def reverts(body: Any) -> Reply:
        return Reply(error(body, 3, "execution reverted: rate limit", data="0x08c379a0"))

    with scripted_node(reverts) as node, closing(HttpTransport(node.url)) as bare:
        with pytest.raises(RpcError, match="reverted"):
            Retrying(bare).request("eth_call", [])
        assert len(node.asked) == 1


@pytest.mark.parametrize(
    ("asked_for", "waited"), [("0", 0.0), ("2", 2.0), ("900", 15.0), ("soon", None)]
)
def test_a_node_that_says_when_to_come_back_is_obeyed_up_to_a_cap(
    asked_for: str, waited: float | None
) -> None:
    answers = once(Reply(b"", 429, {"retry-after": asked_for}))
    with scripted_node(answers) as node, closing(HttpTransport(node.url)) as bare:
        with pytest.raises(NodeFault) as caught:
            bare.request("eth_chainId")
        pause = Retrying(bare)._pause("eth_chainId", caught.value)
        assert pause is True if waited is None else pause == waited


def test_a_date_to_come_back_at_is_read_too() -> None:
    date = {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}
    with scripted_node(once(Reply(b"", 503, date))) as node, closing(HttpTransport(node.url)) as it:
        with pytest.raises(NodeFault) as caught:
            it.request("eth_chainId")
        assert caught.value.retry_after == 0.0


def test_logs_that_are_long_in_coming_are_not_asked_for_again(hurried: None) -> None:
    """The follower asks for fewer instead; the same once more would take as long."""
    with (
        scripted_node(lambda _: Reply(hang=True)) as node,
        closing(HttpTransport(node.url, limits=SHORT)) as bare,
    ):
        with pytest.raises(NodeFault) as caught:
            Retrying(bare).request("eth_getLogs", [{}])
        assert caught.value.fault == Fault.TIMED_OUT
        assert len(node.asked) == 1


@pytest.mark.parametrize("compressed", [False, True])
def test_an_answer_is_read_no_further_than_is_allowed(compressed: bool, hurried: None) -> None:
    """After decompression: ten megabytes of zeros are ten kilobytes in gzip."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": "0" * 10_000_000}).encode()
    reply = Reply(gzip.compress(body), headers={"content-encoding": "gzip"})
    if compressed:
        assert len(reply.octets()) < SHORT.answer_bytes
    else:
        reply = Reply(body)
    with (
        scripted_node(lambda _: reply) as node,
        closing(HttpTransport(node.url, limits=SHORT)) as it,
    ):
        with pytest.raises(TooLarge, match="more than 20,000 bytes"):
            Retrying(it).request("eth_getLogs", [{}])
        assert len(node.asked) == 1, "the same would be as long again"


def test_an_answer_that_fits_is_read_whole_compressed_or_not() -> None:
    def answers(body: Any) -> Reply:
        content = json.dumps(result(body, "0" * 19_000)).encode()
        if body["params"]:
            return Reply(gzip.compress(content), headers={"content-encoding": "gzip"})
        return Reply(content)

    with scripted_node(answers) as node, closing(HttpTransport(node.url, limits=SHORT)) as bare:
        assert bare.request("eth_call") == bare.request("eth_call", [1]) == "0" * 19_000
        assert node.connections == 1


def test_an_answer_that_trickles_is_given_up_in_time() -> None:
    """Each byte comes in time, but all of them would not."""
    with scripted_node(echo) as node:
        ticks = iter(range(0, 10_000, 3))
        limits = Limits(silence_seconds=1.0)
        with closing(HttpTransport(node.url, limits=limits)) as bare:
            bare._http._clock = lambda: float(next(ticks) * 2)
            with pytest.raises(NodeFault, match="within 4 s") as caught:
                bare.request("eth_call")
            assert caught.value.fault == Fault.TIMED_OUT


def test_connections_are_kept() -> None:
    with scripted_node(echo) as node, closing(HttpTransport(node.url)) as bare:
        for number in range(20):
            bare.request("eth_call", [number])
            bare.batch([("eth_call", [number])] * 3)
        assert node.connections == 1


CALLS: list[Call] = [("eth_call", [number]) for number in range(23)]
ANSWERS = [["eth_call", [number]] for number in range(23)]


def limited(most: int, refused: Callable[[Any], Reply]) -> Callable[[Any], Reply]:
    """A node that takes `most` calls at once."""

    def answers(body: Any) -> Reply:
        too_many = isinstance(body, list) and len(body) > most
        return refused(body) if too_many else echo(body)

    return answers


REFUSED_BATCHES: dict[str, Callable[[Any], Reply]] = {
    "go-ethereum": lambda body: Reply([error(body[0], -32600, "batch too large")]),
    "Erigon": lambda body: Reply(
        error(body, -32000, f"batch limit 3 exceeded: {len(body)} requests given")
    ),
    "Besu": lambda body: Reply(
        error(body, -32005, "Number of requests in batch exceeds --rpc-max-batch-size"), 400
    ),
    "dRPC": lambda body: Reply(
        error(body, 31, "Batch of more than 3 requests are not allowed on free plan"), 500
    ),
    "no JSON": lambda body: Reply(b"Payload Too Large", 413),
    "an array with HTTP 500": lambda body: Reply(b"Internal Server Error", 500),
}


@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("name", sorted(REFUSED_BATCHES))
def test_a_node_that_takes_few_calls_at_once_or_no_batch_is_sent_what_it_takes(
    name: str, most: int
) -> None:
    answers = limited(most, REFUSED_BATCHES[name])
    with scripted_node(answers) as node, closing(HttpTransport(node.url, limits=SHORT)) as bare:
        assert bare.batch(CALLS) == ANSWERS
        first = len(node.asked)
        assert bare.batch(CALLS) == ANSWERS
        # What was learnt is kept: none of the second lot was refused.
        sizes = [len(each) if isinstance(each, list) else 1 for each in node.asked[first:]]
        assert max(sizes) <= most
        assert sum(sizes) == len(CALLS)


def test_a_batch_is_split_and_its_answers_are_in_order_whatever_the_node_s() -> None:
    def backwards(body: Any) -> Reply:
        return Reply(list(reversed(echo(body).body)))

    with scripted_node(backwards) as node, closing(HttpTransport(node.url, limits=SHORT)) as bare:
        assert bare.batch(CALLS[:20]) == ANSWERS[:20]
        assert [len(each) for each in node.asked] == [10, 10]
        assert bare.batch([]) == []


def test_an_answer_that_was_left_out_of_a_long_batch_is_asked_for_alone() -> None:
    def brief(body: Any) -> Reply:
        if not isinstance(body, list):
            return echo(body)
        left_out = [error(call, -32003, "response too large") for call in body[2:]]
        return Reply([*echo(body[:2]).body, *left_out])

    with scripted_node(brief) as node, closing(HttpTransport(node.url)) as bare:
        assert bare.batch(CALLS[:4]) == ANSWERS[:4]
        assert len(node.asked) == 3


@pytest.mark.parametrize("kind", ["missing", "doubled", "foreign", "no ids", "true for 1"])
def test_a_batch_with_other_answers_than_were_asked_for_is_none(kind: str) -> None:
    def answers(body: Any) -> Reply:
        good = echo(body).body
        changed = {
            "missing": good[:-1],
            "doubled": [*good[:-1], good[0]],
            "foreign": [*good[:-1], {**good[-1], "id": 99}],
            "no ids": [{"result": 1}] * len(good),
            "true for 1": [good[0], {**good[1], "id": True}, good[2]],
        }
        return Reply(changed[kind])

    with scripted_node(answers) as node, closing(HttpTransport(node.url)) as bare:
        with pytest.raises(NodeFault) as caught:
            bare.batch(CALLS[:3])
        assert caught.value.fault == Fault.MALFORMED


def test_a_batch_that_may_act_is_never_sent_in_another_form() -> None:
    sends: list[Call] = [("eth_sendRawTransaction", ["0x1"]), ("eth_sendRawTransaction", ["0x2"])]
    with (
        scripted_node(lambda _: Reply(b"oops", 500)) as node,
        closing(HttpTransport(node.url)) as it,
    ):
        with pytest.raises(NodeFault):
            Retrying(it).batch(sends)
        assert len(node.asked) == 1


def test_a_batch_that_may_act_is_not_split_either() -> None:
    sends: list[Call] = [("eth_sendRawTransaction", [hex(number)]) for number in range(25)]
    with scripted_node(echo) as node, closing(HttpTransport(node.url, limits=SHORT)) as bare:
        assert len(bare.batch(sends)) == 25
        assert [len(each) for each in node.asked] == [25]
    refused = limited(3, REFUSED_BATCHES["Erigon"])
    with scripted_node(refused) as node, closing(HttpTransport(node.url, limits=SHORT)) as bare:
        with pytest.raises(RpcError, match="batch limit"):
            bare.batch(sends)
        assert len(node.asked) == 1


def test_a_refused_call_of_a_batch_is_in_its_place() -> None:
    def answers(body: Any) -> Reply:
        return Reply([result(body[0], "0x1"), error(body[1], -32601, "no such method")])

    with scripted_node(answers) as node, closing(HttpTransport(node.url)) as bare:
        one, other = Retrying(bare).batch(CALLS[:2])
        assert one == "0x1"
        assert isinstance(other, RpcError)
        assert other.code == -32601


def test_what_a_node_says_beside_its_message_is_read_too() -> None:
    data = {"error_id": "4ed94073", "payload": "range 9009594 is bigger than range limit 2000"}

    def answers(body: Any) -> Reply:
        return Reply(error(body, -32602, "invalid params", data=data))

    with (
        scripted_node(answers) as node,
        closing(HttpTransport(node.url)) as bare,
        pytest.raises(RpcError, match="range limit 2000"),
    ):
        bare.request("eth_getLogs", [{}])


def test_no_part_of_the_url_that_may_be_a_key_is_in_any_error_or_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def repeats(body: Any) -> Reply:
        said = "no such project hunter2secret/0123456789abcdef?key=topsecret%20key topsecret key"
        return Reply(error(body, -32000, said))

    with caplog.at_level(logging.DEBUG), scripted_node(repeats) as node:
        host = node.url.removeprefix("http://")
        url = f"http://user:hunter2secret@{host}/v3/0123456789abcdef?key=topsecret%20key"
        with closing(HttpTransport(url)) as bare:
            with pytest.raises(RpcError) as caught:
                bare.request("eth_chainId")
            shown = str(caught.value) + repr(caught.value) + repr(bare) + bare.node
    shown += caplog.text
    assert host in shown
    for secret in ("hunter2secret", "0123456789abcdef", "topsecret"):
        assert secret not in shown


@pytest.mark.parametrize("url", ["ftp://a", "a.example", "http://", "http://a:port", "ws://a"])
def test_what_is_no_url_of_a_node_is_refused_unseen(url: str) -> None:
    with pytest.raises(InputError, match=r"no http\(s\) URL"):
        HttpTransport(url)
