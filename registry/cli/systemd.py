"""What a service manager is told: ready, alive, stopping (sd_notify(3)).

Nothing is told where nobody asked for it (NOTIFY_SOCKET is not set), and nobody listening is
no error: a service must not fail because its manager does.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

READY = "READY=1"
STOPPING = "STOPPING=1"
ALIVE = "WATCHDOG=1"


def notify(*lines: str) -> None:
    """Send these lines, `VARIABLE=value` each, to NOTIFY_SOCKET."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    # A name with @ is in the abstract namespace: it begins with a zero byte.
    name = "\0" + address[1:] if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        sending.connect(name)
        sending.sendall("\n".join(lines).encode())


def watchdog_seconds() -> float | None:
    """How often the manager wants a sign of life; None where it wants none of this process."""
    told, whose = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID")
    if not told.isdecimal() or int(told) == 0 or whose not in (None, str(os.getpid())):
        return None
    # Half of the time after which it would be killed, as sd_watchdog_enabled(3) advises.
    return int(told) / 2_000_000
