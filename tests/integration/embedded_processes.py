"""Other processes on an embedded chain: to be killed, waited for, or raced with.

They are forked from one process that has imported py-evm (a fork server), so each
starts in a few hundredths of a second and shares nothing with the tests.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from registry.chain.embedded import EmbeddedChain
from registry.errors import LocalFailure
from tests.integration.embedded_accounts import SEND, Sender, word

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["registry.chain.embedded.writer", __name__])

READY = "ready"


class Other:
    """A process that tells through a pipe, and waits for `go` where it says so."""

    def __init__(self, act: Callable[..., None], *arguments: Any) -> None:
        self._pipe, theirs = _forks.Pipe()
        self.process: BaseProcess = _forks.Process(target=act, args=(theirs, *arguments))
        self.process.start()
        theirs.close()

    def hear(self) -> Any:
        """The next thing it tells."""
        assert self._pipe.poll(30)
        return self._pipe.recv()

    def go(self) -> None:
        self._pipe.send("go")

    def rest(self) -> list[Any]:
        """Everything it tells until it ends, however it ends; a torn message is left out."""
        told = []
        try:
            while True:
                told.append(self._pipe.recv())
        except (EOFError, OSError):
            self.process.join(30)
        return told

    def kill(self) -> None:
        self.process.kill()

    @property
    def was_killed(self) -> bool:
        return self.process.exitcode == -signal.SIGKILL


@contextmanager
def other(act: Callable[..., None], *arguments: Any) -> Iterator[Other]:
    """One that is gone at the end, whatever the test does."""
    process = Other(act, *arguments)
    try:
        yield process
    finally:
        process.kill()
        process.process.join(30)


def send_without_end(pipe: Connection, path: Path, logger: str, at: str, after: int) -> None:
    """Send batches and tell each hash once it is acknowledged; at step `at`, when it has
    been passed `after` times, this process kills itself."""
    _kill_at(at, after)
    chain = EmbeddedChain.open(path)
    sender = Sender()
    sender.resume(chain)
    pipe.send(READY)
    number = 0
    while True:
        number += 1
        raws = [sender.sign(to=logger, data=word(number)) for _ in range(1 + number % 3)]
        for answer in chain.batch([(SEND, [raw]) for raw in raws]):
            pipe.send(answer)


def send_some(pipe: Connection, path: Path, logger: str, key: int, amount: int) -> None:
    """Send one by one, from the moment of `go`, and tell each hash."""
    sender = Sender(key)
    with EmbeddedChain.open(path) as chain:
        pipe.send(READY)
        pipe.recv()
        for number in range(amount):
            pipe.send(chain.request(SEND, [sender.sign(to=logger, data=word(number))]))


def hold_the_lock(pipe: Connection, lock: Path) -> None:
    """Hold it until `go`, under the name of `holder`."""
    from registry.chain.embedded.lock import WriterLock

    sys.argv[0] = "/some/where/holder"
    with WriterLock(lock, timeout_seconds=1).held():
        pipe.send(READY)
        pipe.recv()


def make_a_chain(pipe: Connection, path: Path, fund: bytes) -> None:
    """Tell the hash of its genesis."""
    with EmbeddedChain.open(path, create=True, fund=[fund]) as chain:
        pipe.send(chain.request("eth_getBlockByNumber", ["0x0", False])["hash"])


def die_making_a_chain(pipe: Connection, path: Path) -> None:
    from registry.chain.embedded.store import Store

    _wrap(Store, "_put", lambda: os.kill(os.getpid(), signal.SIGKILL), first=False)
    EmbeddedChain.open(path, create=True)


def send_until_files_may_not_grow(pipe: Connection, path: Path, most_bytes: int) -> None:
    """Send until a write fails for the limit (EFBIG); tell each hash, then the failure's
    words and hint, then the head."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    sender = Sender()
    with EmbeddedChain.open(path) as chain:
        sender.resume(chain)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
        try:
            while True:
                raw = sender.sign(data=b"\0" + b"\xaa" * 8_000, gas=2_000_000)
                pipe.send(chain.request(SEND, [raw]))
        except LocalFailure as fault:
            pipe.send((str(fault), fault.hint))
        pipe.send(chain.request("eth_blockNumber"))


def _kill_at(at: str, after: int) -> None:
    from registry.chain.embedded.store import Store
    from registry.chain.embedded.writer import BlockBuilder

    remaining = after

    def pass_or_die() -> None:
        nonlocal remaining
        remaining -= 1
        if remaining < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    match at:
        case "before the note":
            _wrap(Store, "note_intent", pass_or_die, first=True)
        case "after the note":
            _wrap(Store, "note_intent", pass_or_die, first=False)
        case "while executing":
            _wrap(BlockBuilder, "add", pass_or_die, first=False)
        case "before the commit":
            _wrap(Store, "commit_block", pass_or_die, first=True)
        case "within the commit":
            _wrap(Store, "_put", pass_or_die, first=False)
        case "after the commit":
            _wrap(Store, "commit_block", pass_or_die, first=False)
        case "never":
            return
        case _:
            raise ValueError(at)


def _wrap(owner: type, name: str, act: Callable[[], None], *, first: bool) -> None:
    """Have `act` done before or after a method of `owner`."""
    real = getattr(owner, name)

    def step(*arguments: Any) -> Any:
        if first:
            act()
        result = real(*arguments)
        if not first:
            act()
        return result

    setattr(owner, name, step)
