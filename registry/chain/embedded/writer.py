"""Making blocks: the only code that changes the chain.

Guarantees: a block is valid under the EVM's rules and can be executed again from its
parent to the same hash; transactions go in as given, save that one whose nonce is
early waits for the one before it. A transaction that reverts is mined with status 0.

A kill before a block's commit loses that block and no other, and leaves a note of it
(`Store.note_intent`); any other failure takes the note away again and leaves the chain
at its last block.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from eth.abc import ReceiptAPI, SignedTransactionAPI
from eth_utils.exceptions import ValidationError

from registry.chain.embedded import admission
from registry.chain.embedded.evm import EmbeddedRules, Header, transaction_key
from registry.chain.embedded.limits import BLOCK_GAS_LIMIT
from registry.chain.rpc import RpcError
from registry.errors import LocalFailure

if TYPE_CHECKING:
    from registry.chain.embedded.reader import Reader
    from registry.chain.embedded.store import LostBlock, Store

Outcome = bytes | RpcError
"""A transaction's hash once it is mined, or why it was refused."""


class BlockBuilder:
    """One block in the making."""

    def __init__(self, rules: EmbeddedRules, parent: Header, *, timestamp: int) -> None:
        self._rules = rules
        header = rules.child(parent, timestamp=timestamp, mix_hash=os.urandom(32))
        self._base_fee = header.base_fee_per_gas
        self._vm = rules.vm_at(header)
        self._header = self._vm.get_header()
        self._transactions: list[SignedTransactionAPI] = []
        self._receipts: list[ReceiptAPI] = []

    @property
    def is_empty(self) -> bool:
        return not self._transactions

    def has_room_for(self, sent: SignedTransactionAPI) -> bool:
        return bool(self._header.gas_used + sent.gas <= BLOCK_GAS_LIMIT)

    def check_nonce_unused(self, sent: SignedTransactionAPI) -> None:
        admission.check_nonce_unused(sent, self._vm.state)

    def add(self, sent: SignedTransactionAPI) -> None:
        """Execute one more; raises RpcError when it is not admissible."""
        admission.check_state(sent, self._vm.state, self._base_fee)
        try:
            receipt, _ = self._vm.apply_transaction(self._header, sent)
        except ValidationError as fault:
            raise RpcError(admission.REFUSED, str(fault)) from None
        self._header = self._vm.add_receipt_to_header(self._header, receipt)
        self._transactions.append(sent)
        self._receipts.append(receipt)

    def seal(self) -> None:
        """Write the block to the rules' database."""
        filled = self._vm.set_block_transactions_and_withdrawals(
            self._vm.get_block(), self._header, self._transactions, self._receipts
        )
        mined = self._vm.mine_block(filled).block
        self._rules.chaindb.persist_block(mined)


class Writer:
    """Mines transactions onto one store. Its caller holds the writer's lock."""

    def __init__(self, store: Store, reader: Reader, clock: Callable[[], float]) -> None:
        self._store = store
        self._reader = reader
        self._clock = clock
        self._rules, self._buffer = EmbeddedRules.over(store)

    def mine(self, batch: Sequence[SignedTransactionAPI]) -> list[Outcome]:
        """Mine a batch into as few blocks as its gas allows; outcomes are in its order.

        LocalFailure where a block could not be written: it is not in the chain, nor is
        any after it; send again to learn which transactions are.
        """
        outcomes: dict[int, Outcome] = {}
        waiting = deque(self._unknown(batch, outcomes))
        while waiting:
            self._mine_block(waiting, batch, outcomes)
        return [outcomes[position] for position in range(len(batch))]

    def take_over(self) -> LostBlock | None:
        """The block a dead process was writing, if any; its note is taken away."""
        lost = self._store.intent()
        if lost is not None:
            self._store.clear_intent()
        return lost

    def _unknown(
        self, batch: Sequence[SignedTransactionAPI], outcomes: dict[int, Outcome]
    ) -> list[int]:
        """Positions of what is neither mined already nor in the batch before."""
        positions, seen = [], set()
        for position, sent in enumerate(batch):
            if sent.hash in seen or self._store.get(transaction_key(sent.hash)) is not None:
                outcomes[position] = admission.already_known()
                continue
            seen.add(sent.hash)
            positions.append(position)
        return positions

    def _mine_block(
        self,
        waiting: deque[int],
        batch: Sequence[SignedTransactionAPI],
        outcomes: dict[int, Outcome],
    ) -> None:
        parent = self._reader.head()
        number = parent.block_number + 1
        builder = BlockBuilder(self._rules, parent, timestamp=self._next_timestamp(parent))
        if not self._drop_hopeless(builder, waiting, batch, outcomes):
            return
        self._store.note_intent(number, [batch[position].hash for position in waiting])
        try:
            self._fill(builder, waiting, batch, outcomes)
            if builder.is_empty:
                self._store.clear_intent()
            else:
                builder.seal()
                self._store.commit_block(number, self._buffer.writes)
        except BaseException:
            self._forget_intent()
            raise
        finally:
            self._buffer.discard()

    def _drop_hopeless(
        self,
        builder: BlockBuilder,
        waiting: deque[int],
        batch: Sequence[SignedTransactionAPI],
        outcomes: dict[int, Outcome],
    ) -> bool:
        """Refuse what no block can take; says whether any is left. A note of a block
        that will not be costs two commits, so it is not made for these."""
        for position in list(waiting):
            try:
                builder.check_nonce_unused(batch[position])
            except RpcError as refusal:
                outcomes[position] = refusal
                waiting.remove(position)
        return bool(waiting)

    def _fill(
        self,
        builder: BlockBuilder,
        waiting: deque[int],
        batch: Sequence[SignedTransactionAPI],
        outcomes: dict[int, Outcome],
    ) -> None:
        """Move transactions from `waiting` into the block until it is full or they end.

        One that came too early gets another chance after each that went in.
        """
        early: deque[tuple[int, RpcError]] = deque()
        while waiting and builder.has_room_for(batch[waiting[0]]):
            position = waiting.popleft()
            try:
                builder.add(batch[position])
            except admission.NonceTooHigh as refusal:
                early.append((position, refusal))
            except RpcError as refusal:
                outcomes[position] = refusal
            else:
                outcomes[position] = batch[position].hash
                waiting.extendleft(held for held, _ in reversed(early))
                early.clear()
        if waiting:  # the block is full: whoever was early may fit the next one
            waiting.extendleft(held for held, _ in reversed(early))
        else:
            outcomes.update(early)

    def _forget_intent(self) -> None:
        try:
            self._store.clear_intent()
        except LocalFailure:
            # A disk that took no block may take no deletion either. The note stays and
            # is told as a lost block later, which is what it is.
            return

    def _next_timestamp(self, parent: Header) -> int:
        """The wall clock, or one second after the parent where that is later."""
        return max(int(self._clock()), parent.timestamp + 1)
