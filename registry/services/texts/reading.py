"""Reading what documents say, several at a time, in processes of their own.

That a text can not be read is told and in nobody's way: its document is verified by its bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from registry.core.draft import FileDescription
from registry.core.text.clauses import Text
from registry.errors import InputError, UnreadableText
from registry.services.hashing import hash_file


class Reader(Protocol):
    """What reads documents' texts; threads share it."""

    def read(self, document: Path | bytes, *, name: str | None = None) -> Text:
        """Raises UnreadableText with the cause, CouldNotCheck where nothing can be read because
        the libraries are not installed."""


Opening = Callable[[int], AbstractContextManager[Reader]]
"""Opens a reader of so many documents at once."""


def text_reader(workers: int) -> AbstractContextManager[Reader]:
    """The reader of all formats."""
    from registry.extraction.reader import TextReader

    return TextReader(workers)


def processors() -> int:
    """How many documents are read at once where there are many."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def read_text(reader: Reader, path: Path, file: FileDescription) -> Text:
    """What a file says that was described before. Raises as the reader does, and InputError where
    the file was changed meanwhile."""
    text = reader.read(path, name=file.name)
    if hash_file(path).sha256 != file.sha256:
        raise InputError(f"{path} was changed while it was read", hint="try again")
    if not text.clauses:
        raise UnreadableText("it holds no text")
    return text
