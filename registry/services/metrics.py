"""How it goes, for Prometheus.

Every value but the process's own is read from the mirror when it is asked for, so that whoever
reads the mirror can show them: the process that follows the chain, or any server beside it.
What is not known (a head that nothing has seen) is left out; what can only be counted is there
from the start, with 0.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from registry.chain.addresses import checksummed
from registry.core.chain_id import caip2, caip10
from registry.core.following import Fault, Report, State
from registry.errors import InputError, LocalFailure, RegistryError, Unavailable
from registry.mirror.engine import Engine
from registry.services.status import Status, stored_status

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_log = logging.getLogger("polreg.metrics")


def exposition(status: Status) -> bytes:
    """The metrics of `status`, and of this process. Raises InputError where the library for
    it is missing."""
    require_library()
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.registry import Collector

    class Collected(Collector):
        def collect(self) -> Iterable[Metric]:
            yield from _metrics(status)
            yield from _process().collect()

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collected())
    return generate_latest(registry)


def require_library() -> None:
    """Raise InputError where prometheus-client is not installed."""
    try:
        import prometheus_client  # noqa: F401 - whether it is there
    except ImportError:
        raise InputError(
            "metrics need prometheus-client, which is not installed",
            hint="pip install 'policy-registry[serve]'",
        ) from None


@cache
def _process() -> ProcessCollector:
    from prometheus_client import ProcessCollector

    return ProcessCollector(registry=None)


def _metrics(status: Status) -> Iterator[Metric]:
    from prometheus_client.core import InfoMetricFamily

    yield InfoMetricFamily("polreg_build", "The program.", {"version": _version()})
    yield InfoMetricFamily("polreg_database", "What holds the mirror.", {"kind": status.database})
    position, report = status.position, status.report
    if position is not None:
        where = {
            "chain": caip2(position.chain_id),
            "contract": caip10(position.chain_id, checksummed(position.contract)),
        }
        yield InfoMetricFamily("polreg_registry", "What the mirror is of.", where)
    for name, help_text, value in _gauges(status):
        if value is not None:
            yield _gauge(name, help_text, value)
    yield from _of_the_follower(report)
    yield from _of_faults(status)


def _gauges(status: Status) -> Iterator[tuple[str, str, float | None]]:
    position, report = status.position, status.report
    if report is not None:
        yield "head_block", "Newest block that the node told of.", report.head
        yield "head_timestamp_seconds", "Its time.", report.head_time
    if position is not None:
        finality = position.finality
        yield "mirror_block", "Block up to which the mirror has read the chain.", position.block
        yield "mirror_block_timestamp_seconds", "Its time.", position.block_time
        yield "safe_block", "Newest safe block.", _known(finality.safe)
        yield "finalized_block", "Newest finalized block.", _known(finality.finalized)
        proven = "Last block at which the contract was seen to have the mirror's root."
        yield "proven_block", proven, _known(position.proven_block)
        yield "synced_timestamp_seconds", "When the mirror last held all.", position.synced_at
    yield "log_entries", "Entries in the mirror's log.", position.size if position else 0
    yield "lag_blocks", "How many blocks the mirror is behind the head.", status.lag_blocks
    held = "How long ago the mirror last held all that its node had."
    yield "lag_seconds", held, status.lag_seconds
    yield "alarm", "Whether the follower stopped for a person.", int(status.alarm is not None)


def _of_the_follower(report: Report | None) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    state = GaugeMetricFamily(
        "polreg_follower_state", "1 for what the follower is doing.", labels=["state"]
    )
    for each in State:
        state.add_metric([each.value], int(report is not None and report.state is each))
    yield state
    polls = report.polls if report else 0
    yield CounterMetricFamily("polreg_polls", "How often a node was asked for news.", polls)
    if report is None:
        return
    yield _gauge("follower_since_timestamp_seconds", "When that state began.", report.since)
    yield _gauge("follower_seen_timestamp_seconds", "Its last sign of life.", report.seen_at)
    rate = report.entries_per_second
    yield _gauge("entries_per_second", "Of the last poll that found any.", rate or 0)


def _of_faults(status: Status) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    met = {each.fault: each for each in status.faults}
    counted = CounterMetricFamily("polreg_faults", "Polls that failed, by why.", labels=["kind"])
    last = GaugeMetricFamily(
        "polreg_fault_last_timestamp_seconds", "When it was last met.", labels=["kind"]
    )
    for kind in Fault:
        counted.add_metric([kind.value], met[kind].count if kind in met else 0)
        if kind in met:
            last.add_metric([kind.value], met[kind].last_at)
    yield counted
    yield last


def _gauge(name: str, help_text: str, value: float) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(f"polreg_{name}", help_text, value)


def _known(number: int) -> int | None:
    return number if number >= 0 else None


def _version() -> str:
    try:
        return version("policy-registry")
    except PackageNotFoundError:
        return "unknown"


@contextmanager
def serving(
    address: str, engine: Callable[[], Engine | None], own: Callable[[], Report | None]
) -> Iterator[str]:
    """Serve the metrics at /metrics of `address` (HOST:PORT) from a thread; the URL. `engine`
    is the mirror, None while it is not open. Raises InputError or LocalFailure."""
    require_library()
    host, port = _host_and_port(address)

    def answer() -> bytes:
        opened = engine()
        if opened is None:
            raise Unavailable("the mirror is not open yet")
        return exposition(stored_status(opened, own()))

    try:
        server = _server(host, port, answer)
    except (OSError, OverflowError) as error:
        raise LocalFailure(f"metrics can not be served at {address}: {error}") from None
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield f"http://{address.rpartition(':')[0]}:{server.server_address[1]}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise InputError(
            f"{address!r} is not HOST:PORT", hint="write 127.0.0.1:9464, or [::1]:9464"
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def _server(host: str, port: int, answer: Callable[[], bytes]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self._send(404, "text/plain", b"metrics are at /metrics\n")
                return
            try:
                self._send(200, CONTENT_TYPE, answer())
            except RegistryError as error:
                self._send(503, "text/plain; charset=utf-8", f"{error}\n".encode())
            except Exception:
                _log.exception("the metrics can not be told")
                self._send(500, "text/plain", b"unexpected; see the log\n")

        def _send(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Scrapes are no events."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

    return Server((host, port), Handler)
