"""What goes over the pipes between a reader and its worker.

A frame is a length, eight bytes big-endian, and that many bytes. A request is a name and a file;
an answer is a kind, one byte, and what it says: a text as JSON, or a cause in UTF-8.
"""

from __future__ import annotations

from enum import Enum
from typing import IO

import orjson

from registry.core.text.clauses import MAX_CLAUSES, MAX_LABEL_BYTES, Clause, Text
from registry.core.units import Digest

_LENGTH = 8
MAX_NAME_BYTES = 4096
_LONGEST_EXTRACTOR = 200


class Kind(Enum):
    """What a worker answers. After all but TEXT and UNREADABLE it ends."""

    READY = b"R"
    TEXT = b"T"
    UNREADABLE = b"U"
    MISSING = b"L"  # a library; its name
    MEMORY = b"M"


class Malformed(Exception):
    """What came is no frame, or no answer: whoever sent it is not to be trusted any longer."""


def send(pipe: IO[bytes], *parts: bytes) -> None:
    pipe.write(sum(map(len, parts)).to_bytes(_LENGTH, "big"))
    for part in parts:
        pipe.write(part)
    pipe.flush()


def receive(pipe: IO[bytes], most: int) -> bytes | None:
    """A frame's bytes; None at the end. Raises Malformed."""
    head = pipe.read(_LENGTH)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if len(head) != _LENGTH or length > most:
        raise Malformed
    content = pipe.read(length)
    if len(content) != length:
        raise Malformed
    return content


def request(name: str, content: bytes) -> tuple[bytes, bytes, bytes]:
    written = name.encode("utf-8", "replace")[-MAX_NAME_BYTES:]
    return len(written).to_bytes(2, "big"), written, content


def read_request(frame: bytes) -> tuple[str, bytes]:
    length = int.from_bytes(frame[:2], "big")
    return frame[2 : 2 + length].decode("utf-8", "replace"), frame[2 + length :]


def text_answer(text: Text) -> bytes:
    return orjson.dumps(
        [
            text.digest.hex(),
            text.extractor,
            [each.label for each in text.clauses],
            [each.text for each in text.clauses],
        ]
    )


def read_text(content: bytes) -> Text:
    """Raises Malformed."""
    try:
        digest, extractor, labels, texts = orjson.loads(content)
        found = Digest(bytes.fromhex(digest))
    except (ValueError, TypeError):
        raise Malformed from None
    if len(found) != 32 or not isinstance(extractor, str) or len(extractor) > _LONGEST_EXTRACTOR:
        raise Malformed
    if not _are_texts(labels) or not _are_texts(texts) or len(labels) != len(texts):
        raise Malformed
    if len(labels) > MAX_CLAUSES or max(map(len, labels), default=0) > MAX_LABEL_BYTES:
        raise Malformed
    return Text(found, tuple(map(Clause, labels, texts)), extractor)


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(type(each) is str for each in values)
