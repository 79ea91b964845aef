"""Writing a file: whole, or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from registry.errors import LocalFailure


def write_whole(output: Path, pieces: Iterable[bytes], *, mode: int = 0o644) -> str:
    """Write a file that is either whole or not there; returns its SHA-256 in hexadecimal.

    A link, a pipe or a device is written to and stays what it is. Raises LocalFailure.
    """
    try:
        if output.is_symlink() or (output.exists() and not output.is_file()):
            with output.open("wb") as file:
                return _written(file, pieces)
        return _replaced(output, pieces, mode)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise LocalFailure(f"{output} can not be written: {error.strerror}") from None


def _replaced(output: Path, pieces: Iterable[bytes], mode: int) -> str:
    descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            digest = _written(file, pieces)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, output)
        _keep_name(output.parent)
    except BaseException:
        os.unlink(name)
        raise
    return digest


def _keep_name(folder: Path) -> None:
    """After a power cut the file is there under its name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written(file: IO[bytes], pieces: Iterable[bytes]) -> str:
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(piece)
        file.write(piece)
    return hasher.hexdigest()
