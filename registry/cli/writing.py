"""Files that a command writes: whole, or not there."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from registry.errors import LocalFailure


def write_whole(output: Path, pieces: Iterable[bytes]) -> str:
    """Write a file; returns its SHA-256.

    A new or a plain file is replaced once all is on disk, so that a crash leaves the old
    one. What is no plain file (a pipe, a device, a link) is written through instead.
    Raises LocalFailure.
    """
    try:
        if os.path.lexists(output) and (output.is_symlink() or not output.is_file()):
            with output.open("wb") as file:
                return _write(file, pieces)
        return _replace(output, pieces)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise LocalFailure(f"{output} can not be written: {error.strerror}") from None


def _replace(output: Path, pieces: Iterable[bytes]) -> str:
    descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name[:100]}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            digest = _write(file, pieces)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, output)
    except BaseException:
        os.unlink(name)
        raise
    return digest


def _write(file: IO[bytes], pieces: Iterable[bytes]) -> str:
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(piece)
        file.write(piece)
    return hasher.hexdigest()
