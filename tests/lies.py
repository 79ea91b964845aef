"""What a faulty or dishonest node may answer to a JSON-RPC call, one kind of lie a function.

Each takes the question and the honest answer, and gives another answer; the same one where it
has nothing to lie about. A lie is drawn from the question's own random numbers, so that a seed
gives the same lies again. `SHUFFLED` is none: a node may send logs in any order.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from random import Random
from typing import Any

from registry.chain.events import CHECKPOINT, MANIFEST_PUBLISHED, RECORDED
from registry.core.merkle import leaf_hash, root

Answer = dict[str, Any]
"""`{"result": …}` or `{"error": {"code": …, "message": …}}`."""


@dataclass(frozen=True)
class Question:
    """A call, whom to ask for the truth about other things, and where chance comes from."""

    method: str
    params: Sequence[Any]
    ask: Callable[[str, Sequence[Any]], Any]
    random: Random

    @property
    def tag(self) -> str:
        """The block that the call names by a tag or a number, if it does."""
        at = self.params[0] if self.method == "eth_getBlockByNumber" else self.params[-1]
        return at if isinstance(at, str) else ""

    def number(self, which: str) -> int:
        """The honest number of a tag."""
        return int(self.ask("eth_getBlockByNumber", [which, False])["number"], 16)


Lie = Callable[[Question, Answer], Answer]
LIES: dict[str, Lie] = {}
SHUFFLED = "shuffled"


def _about(*methods: str) -> Callable[[Callable[[Question, Any], Any]], Lie]:
    """Register a lie about the results of these methods. It is given a copy of the honest
    result; None from it stands for nothing to lie about."""

    def register(lie: Callable[[Question, Any], Any]) -> Lie:
        def told(question: Question, answer: Answer) -> Answer:
            if question.method not in methods or answer.get("result") is None:
                return answer
            changed = lie(question, copy.deepcopy(answer["result"]))
            if isinstance(changed, Refusal):
                return changed
            if changed is NULL:
                return {"result": None}
            return answer if changed in (None, answer["result"]) else {"result": changed}

        LIES[lie.__name__] = told
        return told

    return register


class Refusal(dict[str, Any]):
    """An answer that is an error object."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(error={"code": code, "message": message})


NULL = object()
"""A result of null, where None stands for the honest one."""

# The root of an empty trie.
_NO_RECEIPTS = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"

_logs = _about("eth_getLogs")
_block = _about("eth_getBlockByNumber", "eth_getBlockByHash")


# Logs


@_logs
def no_logs(question: Question, logs: list[Any]) -> Any:
    return []


@_logs
def truncated(question: Question, logs: list[Any]) -> Any:
    return logs[: question.random.randrange(len(logs))] if logs else None


@_logs
def left_out(question: Question, logs: list[Any]) -> Any:
    if logs:
        del logs[question.random.randrange(len(logs))]
    return logs


@_logs
def transaction_left_out(question: Question, logs: list[Any]) -> Any:
    """With all its logs, so that no gap shows within a transaction."""
    if not logs:
        return None
    gone = question.random.choice(logs)["transactionHash"]
    return [each for each in logs if each["transactionHash"] != gone]


@_logs
def doubled(question: Question, logs: list[Any]) -> Any:
    if logs:
        again = question.random.choice(logs)
        logs.insert(question.random.randrange(len(logs) + 1), again)
    return logs


@_logs
def shuffled(question: Question, logs: list[Any]) -> Any:
    question.random.shuffle(logs)
    return logs


@_logs
def indexes_swapped(question: Question, logs: list[Any]) -> Any:
    """Two logs of one block trade their places."""
    pairs = [
        (one, other) for one, other in pairwise(logs) if one["blockNumber"] == other["blockNumber"]
    ]
    if pairs:
        one, other = question.random.choice(pairs)
        one["logIndex"], other["logIndex"] = other["logIndex"], one["logIndex"]
    return logs


def _altered(field: str) -> None:
    """Register a lie that changes one hexadecimal digit of a log's field."""

    def alter(question: Question, logs: list[Any]) -> Any:
        if logs:
            log = question.random.choice(logs)
            log[field] = _other_digit(question.random, log[field])
        return logs

    alter.__name__ = f"{field}_altered"
    _logs(alter)


for _field in ("data", "blockHash", "blockNumber", "transactionHash", "logIndex", "address"):
    _altered(_field)


@_logs
def topics_altered(question: Question, logs: list[Any]) -> Any:
    if logs:
        topics = question.random.choice(logs)["topics"]
        at = question.random.randrange(len(topics))
        topics[at] = _other_digit(question.random, topics[at])
    return logs


@_logs
def said_to_be_removed(question: Question, logs: list[Any]) -> Any:
    if logs:
        question.random.choice(logs)["removed"] = True
    return logs


@_logs
def manifest_hidden(question: Question, logs: list[Any]) -> Any:
    """A manifest's bytes left out and the logs after it renumbered: no gap is left, and no
    root of entries depends on it."""
    return _without_manifest(logs, _chosen_manifest(question.random, logs))


@_about("eth_getLogs", "eth_getBlockReceipts", "eth_getTransactionReceipt", "eth_getBlockByNumber",
        "eth_getBlockByHash")  # fmt: skip
def manifests_hidden_everywhere(question: Question, result: Any) -> Any:
    """All manifests left out, of logs and receipts alike, and the blocks show another root of
    receipts: whoever believes that root without hashing the header is taken in."""
    if question.method == "eth_getLogs":
        return _without_all_manifests(result)
    if question.method.startswith("eth_getBlockBy"):
        if result["logsBloom"].strip("0x"):
            result["receiptsRoot"] = "0x" + question.random.randbytes(32).hex()
        return result
    for receipt in result if isinstance(result, list) else [result]:
        receipt["logs"] = _without_all_manifests(receipt["logs"])
    return result


@_logs
def entry_made_up(question: Question, logs: list[Any]) -> Any:
    """The last entry once more under the next index, and a checkpoint with the root that the
    log would have: nothing but the contract's own state contradicts it."""
    if not logs:
        return None
    everything = {**question.params[0], "fromBlock": "0x0", "toBlock": logs[-1]["blockNumber"]}
    everything.pop("blockHash", None)
    entries = [
        bytes.fromhex(log["topics"][1][2:] + log["data"][2:])
        for log in question.ask("eth_getLogs", [everything])
        if log["topics"][0] == RECORDED
    ]
    entries.append(len(entries).to_bytes(32, "big") + entries[-1][32:])
    told = root([leaf_hash(each) for each in entries])
    last = int(logs[-1]["logIndex"], 16)
    new = {**logs[-1], "logIndex": hex(last + 1), "data": "0x" + entries[-1][32:].hex()}
    new["topics"] = [RECORDED, "0x" + entries[-1][:32].hex()]
    size = len(entries).to_bytes(32, "big")
    closing = {**logs[-1], "logIndex": hex(last + 2), "data": "0x" + (size + told).hex()}
    closing["topics"] = [CHECKPOINT]
    return [*logs, new, closing]


def _chosen_manifest(random: Random, logs: list[Any]) -> int | None:
    places = [at for at, log in enumerate(logs) if log["topics"][0] == MANIFEST_PUBLISHED]
    return random.choice(places) if places else None


def _without_manifest(logs: list[Any], at: int | None) -> list[Any]:
    if at is None:
        return logs
    block = logs[at]["blockNumber"]
    for log in logs[at + 1 :]:
        if log["blockNumber"] == block:
            log["logIndex"] = hex(int(log["logIndex"], 16) - 1)
    return logs[:at] + logs[at + 1 :]


def _without_all_manifests(logs: list[Any]) -> list[Any]:
    at = 0
    while at < len(logs):
        if logs[at]["topics"][0] == MANIFEST_PUBLISHED:
            logs = _without_manifest(logs, at)
        else:
            at += 1
    return logs


def _other_digit(random: Random, written: str) -> str:
    at = random.randrange(2, len(written))
    digit = random.choice([each for each in "0123456789abcdef" if each != written[at]])
    return written[:at] + digit + written[at + 1 :]


# Blocks


@_about("eth_getBlockByNumber", "eth_blockNumber")
def stale_head(question: Question, result: Any) -> Any:
    """The head of some blocks ago, and what was safe and final then."""
    ago = 1 + question.random.randrange(8)
    if question.method == "eth_blockNumber":
        return hex(max(int(result, 16) - ago, 0))
    if question.tag not in ("latest", "safe", "finalized"):
        return None
    number = max(int(result["number"], 16) - ago, 0)
    return question.ask("eth_getBlockByNumber", [hex(number), False])


@_block
def future_block(question: Question, block: Any) -> Any:
    """A head that there is not, on top of the one that there is."""
    if question.tag != "latest":
        return None
    block["parentHash"] = block["hash"]
    block["hash"] = "0x" + question.random.randbytes(32).hex()
    block["number"] = hex(int(block["number"], 16) + 1)
    block["timestamp"] = hex(int(block["timestamp"], 16) + 12)
    return block


def future_block_kept(question: Question, answer: Answer) -> Answer:
    """The same, and the node keeps to it: asked for that block by its number it shows it, and
    calls at it are answered as of the head."""
    head = question.ask("eth_getBlockByNumber", ["latest", False])
    made_up = hex(int(head["number"], 16) + 1)
    if question.method == "eth_getBlockByNumber" and question.params[0] in ("latest", made_up):
        made = sha256(head["hash"].encode()).hexdigest()
        later = {"number": made_up, "hash": "0x" + made, "parentHash": head["hash"]}
        timestamp = hex(int(head["timestamp"], 16) + 12)
        nothing = {"transactions": [], "logsBloom": "0x" + "00" * 256, "receiptsRoot": _NO_RECEIPTS}
        return {"result": {**head, **later, **nothing, "timestamp": timestamp}}
    if question.method in ("eth_call", "eth_getCode") and question.tag == made_up:
        return {"result": question.ask(question.method, [question.params[0], head["number"]])}
    return answer


LIES[future_block_kept.__name__] = future_block_kept


@_block
def block_hash_altered(question: Question, block: Any) -> Any:
    block["hash"] = _other_digit(question.random, block["hash"])
    return block


@_block
def parent_altered(question: Question, block: Any) -> Any:
    block["parentHash"] = _other_digit(question.random, block["parentHash"])
    return block


@_block
def timestamp_altered(question: Question, block: Any) -> Any:
    block["timestamp"] = hex(int(block["timestamp"], 16) + question.random.choice((-5, 1, 3600)))
    return block


@_block
def another_number(question: Question, block: Any) -> Any:
    """The block before, where this one was asked for."""
    return question.ask("eth_getBlockByHash", [block["parentHash"], False])


@_block
def no_such_block(question: Question, block: Any) -> Any:
    return NULL


@_block
def finalized_above_head(question: Question, block: Any) -> Any:
    if question.tag not in ("safe", "finalized"):
        return None
    block["number"] = hex(int(block["number"], 16) + 1000)
    return block


# State


@_about("eth_chainId")
def wrong_chain(question: Question, number: Any) -> Any:
    return hex(int(number, 16) + 1)


@_about("eth_getCode")
def another_code(question: Question, code: Any) -> Any:
    return _other_digit(question.random, code) if len(code) > 2 else None


@_about("eth_getCode")
def no_code(question: Question, code: Any) -> Any:
    return "0x"


@_about("eth_call")
def old_checkpoint(question: Question, result: Any) -> Any:
    """What the contract held a few blocks before."""
    what, head = question.params[0], question.number("latest")
    return question.ask("eth_call", [what, hex(max(head - 1 - question.random.randrange(12), 0))])


@_about("eth_call")
def checkpoint_altered(question: Question, result: Any) -> Any:
    return _other_digit(question.random, result) if len(result) > 2 else None


@_about("eth_call")
def checkpoint_of_nothing(question: Question, result: Any) -> Any:
    """As if there were no contract at this block."""
    return "0x"


# Refusals

_PRUNED = (
    (-32000, "missing trie node 1a2b3c (path ) state 0x1a2b3c is not available"),
    (-32000, "required historical state unavailable (reexec=128)"),
    (-32000, "historical state 1a2b3c is not available"),
    (-32602, "World state unavailable"),
    (-32000, "No state available for block 5 and root 0x1a2b3c"),
    (-32000, "state already pruned at block"),
    (4444, "pruned history unavailable"),
)
_TOO_MANY = (
    (-32005, "query returned more than 10000 results"),
    (-32602, "Log response size exceeded. this block range should work: [0x1, 0x5]"),
    (-32000, "query exceeds max results 20000, retry with the range 1-5"),
    (-32005, "logs matched by query exceeds limit of 10000"),
)
_TOO_WIDE = (
    (-32600, "eth_getLogs is limited to a 4 block range"),
    (-32000, "exceed maximum block range: 4"),
    (-32602, "block range is too wide"),
    (-32005, "Requested range exceeds maximum RPC range limit"),
)


@_about("eth_call", "eth_getCode")
def state_pruned(question: Question, result: Any) -> Any:
    """The state of all blocks but the newest is gone, the logs are there."""
    return _pruned(question) if _is_old(question) else None


@_about("eth_call", "eth_getCode", "eth_getLogs", "eth_getBlockReceipts")
def history_pruned(question: Question, result: Any) -> Any:
    """Neither the state nor the logs of old blocks are there."""
    if question.method == "eth_getLogs":
        first = question.params[0].get("fromBlock", "latest")
        old = first.startswith("0x") and int(first, 16) < question.number("latest") - 8
        return _pruned(question) if old else None
    return _pruned(question) if _is_old(question) else None


@_logs
def too_many_results(question: Question, logs: list[Any]) -> Any:
    return Refusal(*question.random.choice(_TOO_MANY)) if len(logs) > 6 else None


@_logs
def range_too_wide(question: Question, logs: list[Any]) -> Any:
    wanted = question.params[0]
    if "blockHash" in wanted:
        return None
    width = int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) + 1
    return Refusal(*question.random.choice(_TOO_WIDE)) if width > 4 else None


@_about("eth_getLogs", "eth_call", "eth_getBlockByNumber", "eth_chainId", "eth_getBlockReceipts")
def internal_error(question: Question, result: Any) -> Any:
    return Refusal(-32603, "Internal error")


@_about("eth_getBlockReceipts", "eth_getBlockByHash")
def method_missing(question: Question, result: Any) -> Any:
    return Refusal(-32601, f"the method {question.method} does not exist/is not available")


def _pruned(question: Question) -> Refusal:
    return Refusal(*question.random.choice(_PRUNED))


def _is_old(question: Question) -> bool:
    tag = question.tag
    if not tag.startswith("0x"):
        return False
    return len(tag) < 66 and int(tag, 16) < question.number("latest") - 8
