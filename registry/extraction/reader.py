"""Documents in, texts out: read in processes of their own, with limits (see `limits`).

Whatever a file does to the process that reads it, here it is an UnreadableText that names the
cause: never a crash, never a wait without end, and no change of what is known of its bytes.
"""

from __future__ import annotations

import errno
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import LifoQueue
from types import TracebackType
from typing import Self

from registry.core.text.clauses import Text
from registry.errors import CouldNotCheck, UnreadableText
from registry.extraction import frames, limits
from registry.extraction.frames import Kind, Malformed
from registry.extraction.process import Ended, Worker

_AHEAD = 4
"""Documents for each worker that may be read or wait to be handed out."""


class TextReader:
    """Reads documents, as many at a time as it has workers. Threads may share it. A worker starts
    with the first document that needs it, and ends with the reader."""

    def __init__(self, workers: int = 1, *, seconds: float = limits.SECONDS) -> None:
        self._workers = workers
        self._seconds = seconds
        self._idle: LifoQueue[Worker | None] = LifoQueue()
        for _ in range(workers):
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the workers; waits for documents that are being read."""
        for _ in range(self._workers):
            worker = self._idle.get()
            if worker is not None:
                worker.close()
        for _ in range(self._workers):
            self._idle.put(None)

    def read(self, document: Path | bytes, *, name: str | None = None) -> Text:
        """What a document says. `name` is its file's, where it has none of its own: its ending
        counts where the bytes leave the format open.

        Raises UnreadableText, which names the cause; CouldNotCheck where the libraries are not
        installed.
        """
        content, name = _loaded(document, name)
        worker = self._idle.get()
        try:
            while True:
                fresh = worker is None or not worker.answered
                if worker is None:
                    worker = Worker(self._seconds)
                try:
                    kind, answer = worker.ask(name, content)
                except Ended as ended:
                    worker = None
                    if fresh or ended.late:
                        raise UnreadableText(f"{name}: {ended}") from None
                    continue  # what it had read before may be to blame
                if kind in (Kind.MEMORY, Kind.MISSING):
                    worker.close()
                    worker = None
                    if kind is Kind.MEMORY and not fresh:
                        continue
                return _understood(kind, answer, name)
        finally:
            self._idle.put(worker)

    def read_many(
        self, paths: Iterable[Path], *, ordered: bool = True
    ) -> Iterator[tuple[Path, Text | UnreadableText]]:
        """What each document says or why it could not be read, in the order of `paths` or, as
        they get ready. Reads a few documents ahead of whoever takes them."""
        with ThreadPoolExecutor(self._workers) as threads:
            coming = iter(paths)
            pending: deque[Future[tuple[Path, Text | UnreadableText]]] = deque()
            try:
                while True:
                    while len(pending) < self._workers * _AHEAD:
                        path = next(coming, None)
                        if path is None:
                            break
                        pending.append(threads.submit(self._outcome, path))
                    if not pending:
                        return
                    if not ordered and not pending[0].done():
                        done, _ = wait(pending, return_when=FIRST_COMPLETED)
                        first = next(each for each in pending if each in done)
                        pending.remove(first)
                    else:
                        first = pending.popleft()
                    yield first.result()
            finally:
                for each in pending:
                    each.cancel()

    def _outcome(self, path: Path) -> tuple[Path, Text | UnreadableText]:
        try:
            return path, self.read(path)
        except UnreadableText as cause:
            return path, cause


def _loaded(document: Path | bytes, name: str | None) -> tuple[bytes, str]:
    if isinstance(document, bytes):
        name, content = name or "the document", document
    else:
        name = name or document.name
        try:
            content = _content(document)
        except OSError as error:
            raise UnreadableText(f"{name}: it can not be opened: {error.strerror}") from None
    if len(content) > limits.FILE:
        raise UnreadableText(_too_large(name))
    return content, name


def _too_large(name: str) -> str:
    return f"{name}: it has more than {limits.FILE >> 20} MB"


def _content(path: Path) -> bytes:
    """A file's bytes; they may be more than are read, by one. What is no file is not waited for."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "Not a file")
    if found.st_size > limits.FILE:
        raise UnreadableText(_too_large(path.name))
    with path.open("rb") as file:
        return file.read(limits.FILE + 1)


def _understood(kind: Kind, answer: bytes, name: str) -> Text:
    match kind:
        case Kind.TEXT:
            try:
                return frames.read_text(answer)
            except Malformed:
                raise UnreadableText(f"{name}: its reader's answer was not understood") from None
        case Kind.UNREADABLE:
            raise UnreadableText(f"{name}: it {answer.decode('utf-8', 'replace')}")
        case Kind.MEMORY:
            raise UnreadableText(f"{name}: it takes more than {limits.MEMORY >> 20} MB to read")
        case Kind.MISSING:
            library = answer.decode("utf-8", "replace")
            raise CouldNotCheck(
                f"what documents say can not be read: {library} is not installed",
                hint="pip install policy-registry[text]",
            )
        case Kind.READY:
            raise UnreadableText(f"{name}: its reader's answer was not understood")
