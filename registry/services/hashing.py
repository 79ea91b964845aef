"""Digests of files, read in pieces so that memory stays flat whatever their size."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from registry.core.draft import FileDescription
from registry.core.units import Digest
from registry.errors import InputError, LocalFailure, RegistryError

_PIECE = 1 << 20
_SMALL = 1 << 18


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file that was read to its end."""

    path: str
    sha256: Digest
    size: int


def hash_file(path: str | Path) -> HashedFile:
    """The file's SHA-256. Raises InputError where there is no such file, LocalFailure
    where there is one that this user or this machine can not read."""
    name = os.fspath(path)
    try:
        # Never wait for a writer: opening a FIFO would.
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(name, error) from None
    except ValueError:
        raise InputError(f"{name!r} can not be a file's name") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise InputError(
                f"{name} is {_kind(status.st_mode)}, not a file", hint="give the document itself"
            )
        return HashedFile(name, *_digest(descriptor, status.st_size))
    except OSError as error:
        raise _unreadable(name, error) from None
    finally:
        os.close(descriptor)


def _digest(descriptor: int, expected: int) -> tuple[Digest, int]:
    if expected <= _SMALL:
        content = os.read(descriptor, _SMALL + 1)
        if len(content) <= expected and not os.read(descriptor, 1):
            return Digest(hashlib.sha256(content).digest()), len(content)
        hasher, size = hashlib.sha256(content), len(content)
        os.lseek(descriptor, size, os.SEEK_SET)
    else:
        hasher, size = hashlib.sha256(), 0
    buffer = bytearray(_PIECE)
    view = memoryview(buffer)
    while count := os.readv(descriptor, [buffer]):
        hasher.update(view[:count])
        size += count
    return Digest(hasher.digest()), size


def files_below(path: Path) -> Iterator[str | RegistryError]:
    """Everything below a folder that is no folder, in the order of names, and an error for
    each folder that can not be read. Links to folders are not followed but named."""
    unread: list[OSError] = []
    for folder, folders, names in os.walk(path, onerror=unread.append):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in sorted([*names, *links]):
            yield os.path.join(folder, name)
    for error in unread:
        yield _unreadable(str(error.filename), error)


def _unreadable(name: str, error: OSError) -> RegistryError:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return InputError(f"{name}: there is no such file")
        case PermissionError():
            return LocalFailure(f"{name} may not be read by this user")
        case _:
            return LocalFailure(f"{name} can not be read: {error.strerror}")


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def describe_file(path: str, language: str | None = None) -> FileDescription:
    """A file as a manifest describes it; raises InputError where it can not be read."""
    hashed = hash_file(path)
    return file_description(path, hashed.sha256, hashed.size, language)


def file_description(
    path: str, sha256: Digest, size: int, language: str | None = None
) -> FileDescription:
    """The same for a file that was read before."""
    import mimetypes

    media_type = _KNOWN_TYPES.get(os.path.splitext(path)[1].lower())
    return FileDescription(
        sha256=sha256,
        size=size,
        name=os.path.basename(path),
        media_type=media_type or mimetypes.guess_type(path)[0],
        language=language,
    )


# What differs between systems' own tables.
_KNOWN_TYPES = {
    ".md": "text/markdown",
    ".xml": "application/xml",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
