"""An Anvil that behaves as other networks' nodes do.

    with quirky_node(anvil, legacy, no_finality) as url: ...

A quirk takes a call and the node's answer, result or error alike, and gives the answer that
is sent: the quirks of one node are applied in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from registry.chain.rpc import HttpTransport, RpcError
from tests.scripted_node import Reply, ScriptedNode, error, result, scripted_node

Call = dict[str, Any]
Answer = dict[str, Any]
Quirk = Callable[[Call, Answer], Answer]

BLOCKS = {"eth_getBlockByNumber", "eth_getBlockByHash"}


@contextmanager
def quirky_node(url: str, *quirks: Quirk, batches: bool = True) -> Iterator[ScriptedNode]:
    """The node at `url` with these quirks, under a URL of its own; without `batches` it takes
    one call at a time."""

    def answer(call: Call) -> Answer:
        try:
            given = result(call, node.request(call["method"], call["params"]))
        except RpcError as refused:
            more = {} if refused.data is None else {"data": refused.data}
            given = error(call, refused.code, refused.message, **more)
        for quirk in quirks:
            given = quirk(call, given)
        return given

    def answers(body: Any) -> Reply:
        if not isinstance(body, list):
            return Reply(answer(body))
        if not batches:
            return Reply(error(body, -32600, "batch requests are not supported"), 400)
        return Reply([answer(call) for call in body])

    with closing(HttpTransport(url)) as node, scripted_node(answers) as served:
        yield served


def legacy(call: Call, answer: Answer) -> Answer:
    """A network without EIP-1559."""
    match call["method"]:
        case "eth_maxPriorityFeePerGas" | "eth_feeHistory":
            return error(call, -32601, "the method does not exist/is not available")
        case "eth_sendRawTransaction" if int(call["params"][0][2:4], 16) < 0x80:
            return error(call, -32000, "transaction type not supported")
        case method if method in BLOCKS and answer.get("result"):
            shown = {k: v for k, v in answer["result"].items() if k != "baseFeePerGas"}
            return result(call, shown | {"difficulty": "0x2", "totalDifficulty": "0x2"})
    return answer


def unknown_tags(call: Call, answer: Answer) -> Answer:
    """A node that does not know `safe` and `finalized`."""
    if call["method"] in BLOCKS and call["params"][0] in {"safe", "finalized"}:
        return error(call, -32602, "invalid block tag")
    return answer


def nothing_settled(call: Call, answer: Answer) -> Answer:
    """A node that knows the tags, and no such block."""
    if call["method"] in BLOCKS and call["params"][0] in {"safe", "finalized"}:
        return result(call, None)
    return answer


def own_fields(call: Call, answer: Answer) -> Answer:
    """A rollup's node: more fields in blocks, logs and receipts, and fewer of the usual ones."""
    found = answer.get("result")
    if call["method"] in BLOCKS and found:
        more = {"l1BlockNumber": "0x1", "sendRoot": "0x" + "11" * 32, "l1BatchNumber": None}
        return result(call, found | more)
    if call["method"] == "eth_getLogs" and found is not None:
        usual = {"address", "topics", "data", "blockNumber", "blockHash", "transactionHash"}
        kept = usual | {"logIndex"}
        return result(
            call,
            [
                {k: v for k, v in each.items() if k in kept} | {"l1BatchNumber": "0x1"}
                for each in found
            ],
        )
    if call["method"] == "eth_getTransactionReceipt" and found:
        return result(call, found | {"l1Fee": "0x0", "type": "0x7e"})
    return answer


def upper_case(call: Call, answer: Answer) -> Answer:
    """Hexadecimal digits in capitals, where the standard says nothing."""

    def capitals(value: Any) -> Any:
        if isinstance(value, str) and value.startswith("0x"):
            return "0x" + value[2:].upper()
        if isinstance(value, list):
            return [capitals(each) for each in value]
        if isinstance(value, dict):
            return {key: capitals(each) for key, each in value.items()}
        return value

    reads = BLOCKS | {"eth_getLogs", "eth_getTransactionReceipt"}
    return (
        answer | {"result": capitals(answer["result"])}
        if (call["method"] in reads and "result" in answer)
        else answer
    )


def blocks_of_logs(most: int) -> Quirk:
    """A node that serves the logs of so many blocks at a time."""

    def limited(call: Call, answer: Answer) -> Answer:
        wanted = call["params"][0] if call["method"] == "eth_getLogs" else {}
        if "fromBlock" not in wanted:
            return answer
        first, last = (int(wanted[end], 16) for end in ("fromBlock", "toBlock"))
        if last - first < most:
            return answer
        return error(
            call,
            -32600,
            f"Under the Free tier plan, you can make eth_getLogs requests with up to a {most} "
            "block range. Based on your parameters, this block range should work: "
            f"[{hex(first)}, {hex(first + most - 1)}].",
        )

    return limited
