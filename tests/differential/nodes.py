"""The two nodes of the differential test, each told to mine a history block by block.

Both get the same signed transactions and the same times, so that the contract lies at the
same address and every entry is to be the same byte for byte. A revert's data is that of the
very execution that was mined: Anvil's trace of it, py-evm's computation.
"""

from __future__ import annotations

import ast
import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import rlp  # type: ignore[import-untyped]  # it ships no types
from eth_hash.auto import keccak
from trie import HexaryTrie  # type: ignore[attr-defined]  # not in its __all__

from registry.chain.rpc import HttpTransport, RpcError
from tests.anvil import running_anvil
from tests.differential.accounts import CHAIN_ID
from tests.differential.history import BEGINNING, History
from tests.differential.wire import Log, Outcome, encode_call

RICH = 10**24
"""Wei of each account, enough for the gas of any history."""

_BLOCK_GAS = 30_000_000
_AT_ONCE = 200
_T = TypeVar("_T")

Call = tuple[str, tuple[Any, ...]]
"""A function of the registry and its arguments."""


class NodeError(Exception):
    """The node did not do as it was told, so nothing is known of the registry."""


class Node(Protocol):
    outcomes: list[Outcome]
    """What each transaction of the history did, in its order."""

    def read(self, calls: Sequence[Call]) -> list[Outcome]:
        """What each call answers at the history's end: `revert`, or one log that is its result."""

    def storage(self, slots: Sequence[bytes]) -> list[bytes]:
        """The words in these slots of the registry."""

    def storage_root(self) -> bytes:
        """Root of the trie of all the registry's storage."""


def answered(result: bytes) -> Outcome:
    return Outcome(None, (Log((), result),))


class Anvil:
    """A node of its own process, spoken to over JSON-RPC."""

    def __init__(self, url: str, history: History) -> None:
        self._rpc = HttpTransport(url, timeout_seconds=120)
        self._registry = "0x" + history.deployment.registry.hex()
        rich = [history.deployment.deployer, *history.people]
        self._batch([("anvil_setBalance", ["0x" + each.hex(), hex(RICH)]) for each in rich])
        hashes = []
        for block in history.blocks:
            # One by one: the calls of a JSON-RPC batch are not answered in their order.
            for step in block:
                sent = self._rpc.request("eth_sendRawTransaction", ["0x" + step.raw.hex()])
                hashes.append(sent)
            self._rpc.request("evm_mine", [{"timestamp": block[0].time, "blocks": 1}])
        self.outcomes = self._outcomes(hashes)

    def read(self, calls: Sequence[Call]) -> list[Outcome]:
        asked = [{"to": self._registry, "data": "0x" + encode_call(*call).hex()} for call in calls]
        results: list[Any] = []
        for some in _some(asked):
            results += self._rpc.batch([("eth_call", [each, "latest"]) for each in some])
        return [_answer_of(result) for result in results]

    def storage(self, slots: Sequence[bytes]) -> list[bytes]:
        asked = [
            ("eth_getStorageAt", [self._registry, "0x" + slot.hex(), "latest"]) for slot in slots
        ]
        return [_octets(result) for result in self._batch(asked)]

    def storage_root(self) -> bytes:
        # Computed from all its words: the root in Anvil's eth_getProof counts zeros too.
        dump = json.loads(gzip.decompress(_octets(self._rpc.request("anvil_dumpState"))))
        accounts = {address.lower(): account for address, account in dump["accounts"].items()}
        trie = HexaryTrie({})
        for slot, word in accounts[self._registry]["storage"].items():
            if int(word, 16):
                trie[keccak(_octets(slot).rjust(32, b"\0"))] = rlp.encode(int(word, 16))
        return bytes(trie.root_hash)

    def _outcomes(self, hashes: list[str]) -> list[Outcome]:
        receipts = self._batch([("eth_getTransactionReceipt", [each]) for each in hashes])
        places = [(int(each["blockNumber"], 16), int(each["transactionIndex"], 16))
                  for each in receipts if each is not None]  # fmt: skip
        if len(places) != len(hashes) or places != sorted(places):
            raise NodeError("Anvil left transactions out, or mined them in another order")
        traced = {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}
        reverted = [each["transactionHash"] for each in receipts if each["status"] == "0x0"]
        traces = self._batch([("debug_traceTransaction", [each, traced]) for each in reverted])
        data = {each: _revert_of(trace) for each, trace in zip(reverted, traces, strict=True)}
        return [
            Outcome(data.get(each["transactionHash"]), tuple(map(_log_of, each["logs"])))
            for each in receipts
        ]

    def _batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        results: list[Any] = []
        for some in _some(calls):
            results += self._rpc.batch(some)
        for result in results:
            if isinstance(result, RpcError):
                raise result
        return results


class EthTester:
    """A node in this process: eth-tester's back end, over py-evm."""

    def __init__(self, history: History) -> None:
        # Takes two seconds to import, which tests that need no node should not.
        from eth_tester import (  # type: ignore[import-untyped]  # has no types
            EthereumTester,
            PyEVMBackend,
        )

        rich = [history.deployment.deployer, *history.people]
        backend = PyEVMBackend(
            genesis_parameters=PyEVMBackend.generate_genesis_params({"timestamp": BEGINNING - 1}),
            genesis_state={
                each: {"balance": RICH, "nonce": 0, "code": b"", "storage": {}} for each in rich
            },
        )
        self._tester = EthereumTester(backend)
        self._registry = history.deployment.registry
        self.outcomes: list[Outcome] = []
        # The back end drops what a transaction returned; it is wanted for the reverts.
        execute = backend.chain.apply_transaction

        def kept(transaction: Any) -> Any:
            done = execute(transaction)
            self.outcomes.append(_executed(done[1], done[2]))
            return done

        backend.chain.apply_transaction = kept
        for block in history.blocks:
            backend.chain.set_header_timestamp(block[0].time)
            for step in block:
                # EthereumTester itself would mine a block for each transaction.
                backend.send_raw_transaction(step.raw)
            self._tester.mine_block()

    def read(self, calls: Sequence[Call]) -> list[Outcome]:
        return [self._read(call) for call in calls]

    def _read(self, call: Call) -> Outcome:
        from eth_tester.exceptions import TransactionFailed  # type: ignore[import-untyped]

        asked = {"from": bytes(20), "to": self._registry, "data": encode_call(*call)}
        try:
            return answered(self._tester.backend.call({**asked, "gas": _BLOCK_GAS}))
        except TransactionFailed as failed:
            # Its message is the revert's data as Python writes bytes.
            data = ast.literal_eval(str(failed))
            assert isinstance(data, bytes)
            return Outcome(data, ())

    def storage(self, slots: Sequence[bytes]) -> list[bytes]:
        state = self._tester.backend.chain.get_vm().state
        numbers = (int.from_bytes(slot, "big") for slot in slots)
        return [state.get_storage(self._registry, each).to_bytes(32, "big") for each in numbers]

    def storage_root(self) -> bytes:
        state = self._tester.backend.chain.get_vm().state
        return bytes(state._account_db._get_storage_root(self._registry))


@contextmanager
def anvil_after(history: History) -> Iterator[Anvil]:
    """Anvil when it has mined the history. Raises NodeError or RpcError where it would not."""
    with running_anvil(
        *("--chain-id", str(CHAIN_ID), "--hardfork", "prague", "--no-mining", "--order", "fifo"),
        *("--timestamp", str(BEGINNING - 1), "--gas-limit", str(_BLOCK_GAS)),
    ) as url:
        yield Anvil(url, history)


def _some(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


def _octets(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _answer_of(result: Any) -> Outcome:
    if isinstance(result, RpcError):
        if result.data is None:
            raise result
        return Outcome(_octets(result.data), ())
    return answered(_octets(result))


def _revert_of(trace: dict[str, Any]) -> bytes:
    if trace.get("error") != "execution reverted":
        raise NodeError(f"a transaction failed otherwise than by a revert: {trace.get('error')}")
    return _octets(trace.get("output", ""))


def _log_of(log: dict[str, Any]) -> Log:
    return Log(tuple(_octets(topic) for topic in log["topics"]), _octets(log["data"]))


def _executed(receipt: Any, computation: Any) -> Outcome:
    if computation.is_error:
        if type(computation.error).__name__ != "Revert":
            raise NodeError(f"a transaction failed otherwise than by a revert: {computation.error}")
        return Outcome(bytes(computation.output), ())
    logs = (
        Log(tuple(topic.to_bytes(32, "big") for topic in log.topics), bytes(log.data))
        for log in receipt.logs
    )
    return Outcome(None, tuple(logs))
