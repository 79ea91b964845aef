"""Running the app on an address, until it is told to stop."""

from __future__ import annotations

import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn

from api.app import FOLLOW_SECONDS, create_app
from registry.config import Settings
from registry.errors import InputError, LocalFailure
from registry.services.relaying import Paying

_BACKLOG = 2048
_SHUTDOWN_SECONDS = 5


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8000,
    follow_seconds: float | None = FOLLOW_SECONDS,
    announce: Callable[[str], None] | None = None,
    paying: Paying | None = None,
) -> None:
    """Serve the API and the page until SIGINT or SIGTERM.

    `announce` is called with the page's URL once the port is taken; port 0 takes any that
    is free. `paying` is whose account relays signed acts, if one does. Raises LocalFailure
    where the port is not to be had, InputError for a host that is none.
    """
    listening = _listen(host, port)
    try:
        config = uvicorn.Config(
            create_app(settings, follow_seconds, paying),
            # Where its events go is for whoever runs this process.
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
        if announce is not None:
            announce(_url(listening))
        server = uvicorn.Server(config)
        with suppress(KeyboardInterrupt), _ended_by_sigterm(server):
            server.run(sockets=[listening])
    finally:
        listening.close()


@contextmanager
def _ended_by_sigterm(server: uvicorn.Server) -> Iterator[None]:
    """Signals arrive once more after everything was closed, and SIGTERM would then end the
    process as if it had not been."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def told(_number: int, _frame: object) -> None:
        server.should_exit = True

    before = signal.signal(signal.SIGTERM, told)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise InputError(f"{port} is not a port", hint="ports are 1 to 65535; 0 takes a free one")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise InputError(f"{host!r} is not an address of this machine") from None
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise _not_listening(host, port, error) from None
    return listening


def _not_listening(host: str, port: int, error: OSError) -> LocalFailure:
    match error.errno:
        case errno.EADDRINUSE:
            return LocalFailure(
                f"port {port} on {host} is taken by another program",
                hint="stop it, or choose another with --port",
            )
        case errno.EACCES:
            return LocalFailure(f"port {port} is not for this user", hint="use one above 1023")
        case errno.EADDRNOTAVAIL:
            return LocalFailure(f"{host} is not an address of this machine", hint="use 127.0.0.1")
        case _:
            return LocalFailure(f"port {port} on {host} can not be opened: {error.strerror}")


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/"
