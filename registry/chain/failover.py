"""Several nodes of one chain as one: the first that answers, until it does not.

Guarantees: a call is answered by one node, a batch too; `generation` changes whenever
another node is in charge than before, so that whoever needs several answers from one node
can tell; a node of another chain is never answered from; what may act is sent to the node in
charge alone. Only that no node at all answered is an error, which names each and why.

A node that failed is left alone for a while, longer each time. After that the earlier
nodes of the list are tried again, since they are listed first for a reason.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from registry.chain.faults import NodeFault, TooLarge
from registry.chain.reads import only_reads
from registry.chain.rpc import Call, RpcError, Transport
from registry.core.following import Fault
from registry.errors import Unavailable

SHORTEST_REST = 30.0
LONGEST_REST = 600.0
"""Seconds for which a node that failed is not asked, where there is another."""

_log = logging.getLogger("polreg.chain")

T = TypeVar("T")


@dataclass
class Node:
    """One node, and how it did. `shown` is its URL without secrets; over `probe` it is asked
    whether it is back, where that is to take less time than over `transport`."""

    shown: str
    transport: Transport
    probe: Transport | None = None
    chain_id: int | None = None
    failures: int = 0
    rests_until: float = 0.0
    why: str = ""


class FailoverTransport:
    """`nodes`, the preferred one first."""

    def __init__(self, nodes: Sequence[Node], clock: Callable[[], float] = time.monotonic) -> None:
        if not nodes:
            raise ValueError("a transport needs a node")
        self._nodes = list(nodes)
        self._clock = clock
        self._lock = threading.Lock()
        self._current = self._nodes[0]
        self._chain_id: int | None = None
        self._generation = 0

    def __repr__(self) -> str:
        return f"FailoverTransport({', '.join(node.shown for node in self._nodes)})"

    @property
    def node(self) -> str:
        """The node in charge, as it may be shown."""
        return self._current.shown

    @property
    def generation(self) -> int:
        """Grows whenever another node takes charge."""
        return self._generation

    def distrust(self, reason: str) -> bool:
        """The node in charge contradicted itself or the chain: ask another from now on.
        False where there is no other that has not failed too."""
        with self._lock:
            accused = self._current
            self._rest(accused, reason)
            return self._take_charge(self._best({accused.shown}, awake=True))

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        return self._ask(lambda node: node.request(method, params), only_reads(method), method)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        methods = [method for method, _ in calls]
        return self._ask(lambda node: node.batch(calls), only_reads(*methods), "+".join(methods))

    def close(self) -> None:
        for node in self._nodes:
            node.transport.close()
            if node.probe is not None:
                node.probe.close()

    def _ask(self, send: Callable[[Transport], T], may_move: bool, what: str) -> T:
        self._return_to_an_earlier_node()
        if not may_move and self._unknown(self._current):
            # What reads may move on, so that what acts goes to a node that is there.
            self.request("eth_chainId")
        failed: dict[str, Unavailable] = {}
        while True:
            node = self._current
            try:
                self._require_same_chain(node, node.transport)
                answer = send(node.transport)
            except TooLarge:
                raise
            except Unavailable as error:
                # Too many logs at once is nothing that another node would do better.
                if error.fault == Fault.TIMED_OUT and "eth_getLogs" in what:
                    raise
                failed[node.shown] = error
                if not self._move_on(node, error, set(failed)) or not may_move:
                    raise self._all(failed) from None
                continue
            self._answered(node)
            return answer

    def _unknown(self, node: Node) -> bool:
        return len(self._nodes) > 1 and node.chain_id is None

    def _require_same_chain(self, node: Node, transport: Transport) -> None:
        if not self._unknown(node):
            return
        try:
            found = int(transport.request("eth_chainId"), 16)
        except (RpcError, TypeError, ValueError):
            raise NodeFault(
                f"{node.shown} does not say which chain it is on", Fault.MALFORMED
            ) from None
        with self._lock:
            if self._chain_id is None:
                self._chain_id = found
            if found != self._chain_id:
                raise NodeFault(
                    f"{node.shown} is on chain {found}, not {self._chain_id}", Fault.WRONG_CHAIN
                )
            node.chain_id = found

    def _answered(self, node: Node) -> None:
        if node.failures and self._clock() > node.rests_until + LONGEST_REST:
            with self._lock:
                node.failures, node.why = 0, ""

    def _move_on(self, failed: Node, error: Unavailable, tried: set[str]) -> bool:
        """Put a node in charge that was not tried yet; False where there is none."""
        with self._lock:
            self._rest(failed, str(error))
            if self._current is not failed and self._current.shown not in tried:
                # Another thread moved on already, to one that is still to be tried here.
                return True
            return self._take_charge(self._best(tried, awake=False))

    def _return_to_an_earlier_node(self) -> None:
        with self._lock:
            place = self._nodes.index(self._current)
            now = self._clock()
            due = [node for node in self._nodes[:place] if node.rests_until <= now]
        for node in due:
            try:
                node.chain_id = None
                self._require_same_chain(node, node.probe or node.transport)
            except Unavailable as error:
                with self._lock:
                    self._rest(node, str(error))
                continue
            with self._lock:
                self._take_charge(node)
            return

    def _best(self, excluded: set[str], *, awake: bool) -> Node | None:
        """The first node that does not rest; else the one that does so the shortest."""
        others = [node for node in self._nodes if node.shown not in excluded]
        now = self._clock()
        rested = [node for node in others if node.rests_until <= now]
        if rested or awake:
            return rested[0] if rested else None
        return min(others, key=lambda node: node.rests_until, default=None)

    def _rest(self, node: Node, why: str) -> None:
        seconds = min(SHORTEST_REST * 2.0 ** min(node.failures, 16), LONGEST_REST)
        node.failures += 1
        node.rests_until = self._clock() + seconds
        node.chain_id = None
        node.why = why

    def _take_charge(self, node: Node | None) -> bool:
        if node is None:
            return False
        if node is not self._current:
            _log.warning("asking %s instead of %s: %s", node.shown, self.node, self._current.why)
            self._current = node
            self._generation += 1
        return True

    def _all(self, failed: dict[str, Unavailable]) -> Unavailable:
        faults = list(failed.values())
        if len(self._nodes) == 1 or len(failed) == 1:
            return faults[0]
        return Unavailable(
            f"no node answered: {'; '.join(map(str, faults))}",
            hint=next((fault.hint for fault in faults if fault.hint), None),
            fault=faults[0].fault,
        )
