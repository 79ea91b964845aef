"""Hashing uploads as they arrive. Nothing is stored and memory stays flat; where the texts are
asked for, too, files are held in memory up to a limit, and for as long as the request takes.

A framework's own form parser would write each file to disk first; here every piece of a
part goes into SHA-256 and is gone. What can not be taken for the file's own bytes
(transfer encodings, a form's text fields, a body that ends early) is refused or left out,
never hashed into a wrong "unknown".
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers

from api.problems import TooLarge, UnsupportedUpload
from registry.core.units import Digest
from registry.errors import InputError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_PARTS = 1_000
MAX_PART_HEADERS = 8
MAX_PART_HEADER_BYTES = 4_096
_MAX_BOUNDARY = 70
"""RFC 2046 §5.1.1."""

_HINT = (
    "send multipart/form-data (curl -F file=@FILE), or the file's bytes alone as "
    "application/octet-stream (curl --data-binary @FILE -H 'Content-Type: …')"
)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that was read to its end, `size` in bytes."""

    name: str | None
    sha256: Digest
    size: int
    content: bytes | None = None
    """Where it was to be held, and there was room for it."""


class _Room:
    """How many bytes of a request may be held."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, size: int) -> bool:
        self.left -= size
        return self.left >= 0


class _Body(Protocol):
    def write(self, piece: bytes) -> None: ...
    def finish(self) -> list[Uploaded]: ...


async def hash_upload(
    headers: Headers, pieces: AsyncIterator[bytes], hold: int = 0
) -> list[Uploaded]:
    """The files of a request's body, in its order, at least one. Up to `hold` bytes of them are
    held: of each file all or nothing.

    Raises InputError, TooLarge or UnsupportedUpload; what `pieces` raises goes through.
    """
    body = _body_for(headers, _Room(hold))
    async for piece in pieces:
        body.write(piece)
    files = body.finish()
    if not files:
        raise InputError("the request holds no file", hint=_HINT)
    return files


def _body_for(headers: Headers, room: _Room) -> _Body:
    if headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedUpload("the body has a Content-Encoding", hint="send the file as it is")
    kind, options = parse_options_header(headers.get("content-type"))
    match kind:
        case b"multipart/form-data":
            boundary = options.get(b"boundary", b"")
            if not 0 < len(boundary) <= _MAX_BOUNDARY:
                raise InputError("the form's boundary is missing or too long", hint=_HINT)
            return _Form(boundary, room)
        case b"application/octet-stream":
            return _Bytes(room)
        case _:
            shown = kind.decode("latin-1")[:60] or "no Content-Type"
            raise UnsupportedUpload(f"an upload with {shown} can not be checked", hint=_HINT)


class _Hasher:
    """One file as it comes in."""

    __slots__ = ("_hash", "_held", "_room", "name", "size")

    def __init__(self, name: str | None, room: _Room) -> None:
        self.name = name
        self.size = 0
        self._hash = hashlib.sha256()
        self._room = room
        self._held: bytearray | None = bytearray() if room.left > 0 else None

    def update(self, piece: bytes | memoryview) -> None:
        self.size += len(piece)
        self._hash.update(piece)
        if self._held is not None:
            if self._room.take(len(piece)):
                self._held += piece
            else:
                self._room.left += self.size
                self._held = None

    def uploaded(self) -> Uploaded:
        held = None if self._held is None else bytes(self._held)
        return Uploaded(self.name, Digest(self._hash.digest()), self.size, held)


class _Bytes:
    """A body that is one file."""

    def __init__(self, room: _Room) -> None:
        self._hasher = _Hasher(None, room)

    def write(self, piece: bytes) -> None:
        self._hasher.update(piece)

    def finish(self) -> list[Uploaded]:
        return [self._hasher.uploaded()] if self._hasher.size else []


class _Form:
    """RFC 7578: each part that has a file name is a file, every other part is passed over."""

    def __init__(self, boundary: bytes, room: _Room) -> None:
        self._room = room
        self._files: list[Uploaded] = []
        self._parts = 0
        self._ended = False
        self._headers: dict[bytes, bytes] = {}
        self._field = bytearray()
        self._value = bytearray()
        self._hasher: _Hasher | None = None
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin_part,
            "on_header_field": self._add_to_field,
            "on_header_value": self._add_to_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_content,
            "on_part_data": self._add_to_content,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }
        self._parser = MultipartParser(
            boundary,
            callbacks,
            max_header_count=MAX_PART_HEADERS,
            max_header_size=MAX_PART_HEADER_BYTES,
        )

    def write(self, piece: bytes) -> None:
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise InputError(f"the form can not be read: {error}", hint=_HINT) from None

    def finish(self) -> list[Uploaded]:
        if not self._ended:
            raise InputError("the form ends before its last boundary", hint="send it again")
        return self._files

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise TooLarge(f"the form has more than {MAX_PARTS} parts", hint="send several forms")
        self._headers = {}

    def _add_to_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field, self._value = bytearray(), bytearray()

    def _begin_content(self) -> None:
        encoding = self._headers.get(b"content-transfer-encoding", b"binary").strip().lower()
        if encoding not in (b"7bit", b"8bit", b"binary"):
            raise UnsupportedUpload("a part has a Content-Transfer-Encoding", hint=_HINT)
        disposition = self._headers.get(b"content-disposition", b"").decode("latin-1")
        _, options = parse_options_header(disposition)
        name = options.get(b"filename")
        self._hasher = (
            None if name is None else _Hasher(name.decode("utf-8", "replace") or None, self._room)
        )

    def _add_to_content(self, data: bytes, start: int, end: int) -> None:
        if self._hasher is not None:
            self._hasher.update(memoryview(data)[start:end])

    def _end_part(self) -> None:
        # Browsers send a nameless empty part for a file field in which nothing was chosen.
        if self._hasher is not None and (self._hasher.name or self._hasher.size):
            self._files.append(self._hasher.uploaded())
        self._hasher = None

    def _end(self) -> None:
        self._ended = True
