"""The process that reads documents, one after another: `python -m registry.extraction.worker`.

It is handed bytes and hands back text, over its standard input and output; it opens no file and
knows no secret. It ends when its input does.
"""

from __future__ import annotations

import os
import sys
from typing import IO

from registry.core.text.splitting import split
from registry.extraction import frames, limits
from registry.extraction.extract import extract
from registry.extraction.frames import Kind
from registry.extraction.unreadable import MissingLibrary, Unreadable


def main() -> None:
    answers = _own_output()
    limits.set_limits()
    frames.send(answers, Kind.READY.value)
    with sys.stdin.buffer as requests:
        while (
            frame := frames.receive(requests, limits.FILE + frames.MAX_NAME_BYTES + 2)
        ) is not None:
            limits.allow_processor_time(limits.SECONDS)
            kind, content = _answer(frame)
            del frame
            frames.send(answers, kind.value, content)
            if kind not in (Kind.TEXT, Kind.UNREADABLE):
                return


def _own_output() -> IO[bytes]:
    """The pipe to the reader, which nothing else then writes to: libraries print as well."""
    own = os.dup(1)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.close(silent)
    return os.fdopen(own, "wb")


def _answer(frame: bytes) -> tuple[Kind, bytes]:
    try:
        name, content = frames.read_request(frame)
        text = split(extract(content, name))
        if sum(len(clause.text.encode("utf-8")) for clause in text.clauses) > limits.TEXT:
            raise Unreadable(f"holds more than {limits.TEXT >> 20} MB of text")
        if not text.clauses:
            raise Unreadable("holds no text")
        return Kind.TEXT, frames.text_answer(text)
    except Unreadable as cause:
        return Kind.UNREADABLE, str(cause).encode("utf-8", "replace")
    except MissingLibrary as cause:
        return Kind.MISSING, str(cause).encode("utf-8", "replace")
    except MemoryError:
        return Kind.MEMORY, b""
    except RecursionError:
        return Kind.UNREADABLE, b"is nested too deeply"


if __name__ == "__main__":
    main()
