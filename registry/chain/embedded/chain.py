"""The default chain: a node in this process, whose blocks are on this disk.

Guarantees: what was answered as mined is on disk and is there again on open, block
hash for block hash, without executing anything again; threads may share an instance
and processes may share a file; a kill loses at most the block being written, and the
next open says so (`EmbeddedChain.lost`).

It is a local development chain: it proves no more than this machine does. No reorgs,
no peers, no accounts of its own; `safe` and `finalized` are the head.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from registry.chain.embedded import params
from registry.chain.embedded.lock import WriterLock
from registry.chain.embedded.store import LostBlock, Store
from registry.chain.rpc import Call, RpcError
from registry.errors import InputError, LocalFailure

if TYPE_CHECKING:
    from registry.chain.embedded.methods import Methods
    from registry.chain.embedded.writer import Writer

_SEND = "eth_sendRawTransaction"
_SEND_AND_WAIT = "eth_sendRawTransactionSync"
_METHOD_NOT_FOUND = -32601


class EmbeddedChain:
    """A transport (`registry.chain.rpc.Transport`) to a chain in one file. See `open`."""

    def __init__(self, store: Store, lock: WriterLock, methods: Methods, writer: Writer) -> None:
        self._store = store
        self._writer_lock = lock
        self._methods = methods
        self._writer = writer
        self._one_at_a_time = threading.RLock()
        self._is_open = True
        self.lost: LostBlock | None = None
        """A block that a process was writing when it died, found since `open`."""

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        create: bool = False,
        fund: Sequence[bytes] = (),
        lock_timeout_seconds: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> EmbeddedChain:
        """The chain in the file `path`. Beside it lie SQLite's own two files and `.lock`.

        With `create`, a file that is not there is made, and each 20-byte address in
        `fund` is rich in its genesis; for a file that is there, both mean nothing.
        `clock` gives seconds since 1970 for the timestamps of blocks.

        Raises LocalFailure (no file, not a chain, another format, no access, locked) and
        Inconsistent (damaged).
        """
        if any(len(address) != 20 for address in fund):
            raise InputError("an address to fund has not 20 bytes")
        from registry.chain.embedded import evm
        from registry.chain.embedded.methods import Methods
        from registry.chain.embedded.reader import Reader
        from registry.chain.embedded.writer import Writer

        lock = WriterLock(path.with_name(path.name + ".lock"), timeout_seconds=lock_timeout_seconds)
        store = Store.open(path, evm.keccak)
        if store is None:
            if not create:
                raise LocalFailure(
                    f"there is no chain at {path}",
                    hint="create one first (polreg init)",
                )
            store = _create(path, lock, fund)
        try:
            reader = Reader(store)
            reader.head()
            chain = cls(store, lock, Methods(store, reader, clock), Writer(store, reader, clock))
            chain._look_for_lost_block()
        except BaseException:
            store.close()
            raise
        return chain

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """The call's result as a node sends it; raises RpcError, or LocalFailure and
        Inconsistent where the store is in the way."""
        (result,) = self.batch([(method, params)])
        if isinstance(result, RpcError):
            raise result
        return result

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Results in the order of `calls`; a refused call's place holds its RpcError.

        Neighbouring raw transactions are mined as one block, as far as its gas allows.
        """
        from registry.chain.embedded.evm import nothing_missing

        results: list[Any] = []
        with self._one_at_a_time, nothing_missing():
            self._require_open()
            for sending, group in itertools.groupby(calls, lambda call: _is_send(call[0])):
                if sending:
                    results += self._send(list(group))
                else:
                    results += [self._answer(method, given) for method, given in group]
        return results

    def close(self) -> None:
        """Release the file. The chain can not be used afterwards; closing twice is fine."""
        with self._one_at_a_time:
            self._is_open = False
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _answer(self, method: str, given: Sequence[Any]) -> Any:
        known = self._methods.by_name.get(method)
        if known is None:
            return RpcError(
                _METHOD_NOT_FOUND, f"the method {method} does not exist/is not available"
            )
        try:
            return known(given)
        except RpcError as refusal:
            return refusal

    def _send(self, calls: Sequence[Call]) -> list[Any]:
        from registry.chain.embedded import admission

        results: list[Any] = [None] * len(calls)
        sendable = []
        for position, (method, given) in enumerate(calls):
            try:
                params.count(given, 1, 2 if method == _SEND_AND_WAIT else 1)
                sent = admission.decode(params.octets(given[0], "transaction"))
            except RpcError as refusal:
                results[position] = refusal
            else:
                sendable.append((position, sent))
        if not sendable:
            return results
        with self._writer_lock.held():
            self._take_over()
            outcomes = self._writer.mine([sent for _, sent in sendable])
        for (position, _), outcome in zip(sendable, outcomes, strict=True):
            if isinstance(outcome, RpcError):
                results[position] = outcome
            elif calls[position][0] == _SEND_AND_WAIT:
                results[position] = self._methods.receipt(outcome)
            else:
                results[position] = "0x" + outcome.hex()
        return results

    def _look_for_lost_block(self) -> None:
        """A note of a block is a lost block unless its writer still holds the lock."""
        if self._store.intent() is None:
            return
        with self._writer_lock.if_free() as is_free:
            if is_free:
                self._take_over()

    def _take_over(self) -> None:
        self.lost = self._writer.take_over() or self.lost

    def _require_open(self) -> None:
        if not self._is_open:
            raise LocalFailure("the chain is closed")


def _is_send(method: str) -> bool:
    return method in {_SEND, _SEND_AND_WAIT}


def _create(path: Path, lock: WriterLock, fund: Sequence[bytes]) -> Store:
    """Make the store, unless another process has just done so."""
    from registry.chain.embedded import evm

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise LocalFailure(f"cannot make the folder {path.parent}: {fault.strerror}") from fault
    with lock.held():
        found = Store.open(path, evm.keccak)
        return found or Store.create(path, evm.keccak, evm.genesis(fund))
