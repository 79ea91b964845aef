"""Asking a node again after a fault that may pass: with back-off and jitter, a few times.

Guarantees: only what reads is ever sent twice; no more than a number of attempts, and none
begins after a total time; a node that says when to come back is obeyed, up to a cap. Logs
that are long in coming are not asked for again: a smaller range has to be (`ranges`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from registry.chain.faults import NodeFault
from registry.chain.reads import only_reads
from registry.chain.rpc import Call, RpcError, Transport
from registry.core.following import Fault

_log = logging.getLogger("polreg.chain")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Policy:
    """How often and how long a read is tried. The pauses are 0.2, 0.6 and 1.8 s, each with
    up to half a second more."""

    attempts: int = 4
    total_seconds: float = 30.0
    first_pause_seconds: float = 0.2
    factor: float = 3.0
    longest_pause_seconds: float = 5.0
    jitter_seconds: float = 0.5
    most_retry_after_seconds: float = 15.0


ONCE = Policy(attempts=1)

WITH_OTHERS = Policy(attempts=2, first_pause_seconds=0.1, jitter_seconds=0.2)
"""Where another node can be asked instead, which is quicker than waiting for this one."""


class Retrying:
    """`transport`, asked again where that may help."""

    def __init__(self, transport: Transport, policy: Policy | None = None) -> None:
        # What stamina does of itself is to log to structlog, whose default is standard output.
        set_on_retry_hooks([_told])
        self._transport = transport
        self._policy = policy or Policy()

    def __repr__(self) -> str:
        return f"Retrying({self._transport!r})"

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        if not only_reads(method):
            return self._transport.request(method, params)
        return self._again(method, lambda: self._asked(method, params))

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        methods = {method for method, _ in calls}
        if not only_reads(*methods):
            return self._transport.batch(calls)
        return self._again("+".join(sorted(methods)), lambda: self._all_asked(calls))

    def close(self) -> None:
        self._transport.close()

    def _asked(self, method: str, params: Sequence[Any]) -> Any:
        try:
            return self._transport.request(method, params)
        except RpcError as error:
            if error.rate_limited:
                raise _rate_limited(error) from None
            raise

    def _all_asked(self, calls: Sequence[Call]) -> list[Any]:
        answers = self._transport.batch(calls)
        for answer in answers:
            if isinstance(answer, RpcError) and answer.rate_limited:
                raise _rate_limited(answer)
        return answers

    def _again(self, what: str, ask: Callable[[], T]) -> T:
        def pause(error: Exception) -> bool | float:
            return self._pause(what, error)

        policy = self._policy
        for attempt in stamina.retry_context(
            on=pause,
            attempts=policy.attempts,
            timeout=policy.total_seconds,
            wait_initial=policy.first_pause_seconds,
            wait_max=policy.longest_pause_seconds,
            wait_jitter=policy.jitter_seconds,
            wait_exp_base=policy.factor,
        ).with_name(what, (), {}):
            with attempt:
                return ask()
        raise AssertionError("stamina made no attempt")

    def _pause(self, what: str, error: Exception) -> bool | float:
        """Whether to ask again, or in how many seconds."""
        if not isinstance(error, NodeFault) or not error.passing:
            return False
        if error.fault == Fault.TIMED_OUT and "eth_getLogs" in what:
            return False
        if error.retry_after is not None:
            return min(error.retry_after, self._policy.most_retry_after_seconds)
        return True


def _rate_limited(error: RpcError) -> NodeFault:
    return NodeFault(f"the node takes no more requests: {error.message}", Fault.RATE_LIMITED)


def _told(details: RetryDetails) -> None:
    _log.info(
        "asking again for %s in %.1f s: %s", details.name, details.wait_for, details.caused_by
    )
