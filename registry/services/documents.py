"""Where the files of published documents are kept, where their registrar chose to: by their
SHA-256, in the home folder or anywhere that fsspec writes to.

What is read is hashed again: a file that was changed there is Inconsistent, and never handed out.
A kill while one is kept leaves a file with a name of its own, which nothing reads.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from registry.core.units import Digest
from registry.errors import Inconsistent, InputError, LocalFailure, NotFound, RegistryError

if TYPE_CHECKING:
    from registry.config import Settings

_PIECE = 1 << 20


class Documents(Protocol):
    """Files by the SHA-256 of their bytes."""

    def keep(self, path: Path, sha256: Digest) -> None:
        """Keep a file, whole or not at all; nothing where it is there. Raises InputError where its
        bytes are not those, LocalFailure where it can not be kept."""

    def holds(self, sha256: Digest) -> bool: ...

    def read(self, sha256: Digest) -> Iterator[bytes]:
        """A file's bytes, piece by piece; only once the last has come are they known to be right.
        Raises NotFound, LocalFailure, and Inconsistent for other bytes."""


def documents_of(settings: Settings) -> Documents:
    """The store of these settings: POLREG_DOCUMENTS, else `documents` in the home folder."""
    place = settings.documents
    if place is None or "://" not in place:
        return LocalDocuments(settings.home / "documents" if place is None else Path(place))
    return UrlDocuments(place)


def content_of(documents: Documents, sha256: Digest) -> bytes:
    """A file's bytes at once."""
    return b"".join(documents.read(sha256))


class LocalDocuments:
    """In a folder: `ab/cdef…`. For this user alone: what is published is no secret, but of a
    confidential document only its hash is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, path: Path, sha256: Digest) -> None:
        kept = self._path(sha256)
        if kept.exists():
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            kept.parent.mkdir(exist_ok=True, mode=0o700)
            descriptor, name = tempfile.mkstemp(dir=kept.parent, prefix=".keeping.")
            try:
                with path.open("rb") as source, os.fdopen(descriptor, "wb") as file:
                    _copy(source, file, sha256, path)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(name, kept)
            except BaseException:
                os.unlink(name)
                raise
        except OSError as error:
            reason = error.strerror
            raise LocalFailure(f"{path} can not be kept in {self._folder}: {reason}") from None

    def holds(self, sha256: Digest) -> bool:
        return self._path(sha256).is_file()

    def read(self, sha256: Digest) -> Iterator[bytes]:
        try:
            with self._path(sha256).open("rb") as file:
                yield from _checked(file, sha256, str(self._folder))
        except FileNotFoundError:
            raise _not_kept(sha256) from None
        except OSError as error:
            raise LocalFailure(
                f"the document {sha256.hex()} can not be read: {error.strerror}"
            ) from None

    def _path(self, sha256: Digest) -> Path:
        return self._folder / sha256.hex()[:2] / sha256.hex()[2:]


class UrlDocuments:
    """At a URL that fsspec knows: `s3://bucket/documents`, `sftp://host/path`."""

    def __init__(self, url: str) -> None:
        try:
            import fsspec  # type: ignore[import-untyped]  # it has no stubs
        except ImportError:
            raise InputError(
                "documents are to be kept at a URL, and fsspec is not installed",
                hint="run pip install 'policy-registry[stores]'",
            ) from None
        try:
            self._system, self._root = fsspec.core.url_to_fs(url)
        except ImportError as error:
            raise InputError(f"POLREG_DOCUMENTS can not be used: {error}") from None
        except Exception as error:
            # What it says may hold the URL, and that a password.
            raise InputError(
                f"POLREG_DOCUMENTS is no URL that fsspec can use ({type(error).__name__})",
                hint="write it as s3://bucket/folder, sftp://host/folder; or name a folder",
            ) from None

    def keep(self, path: Path, sha256: Digest) -> None:
        kept = self._path(sha256)
        with _at_the_url(sha256):
            if self._system.exists(kept):
                return
            folder, _, name = kept.rpartition("/")
            self._system.makedirs(folder, exist_ok=True)
            under_way = f"{folder}/.keeping.{name[:8]}.{secrets.token_hex(8)}"
            try:
                with path.open("rb") as source, self._system.open(under_way, "wb") as file:
                    _copy(source, file, sha256, path)
                self._system.mv(under_way, kept)
            except BaseException:
                if self._system.exists(under_way):
                    self._system.rm_file(under_way)
                raise

    def holds(self, sha256: Digest) -> bool:
        with _at_the_url(sha256):
            return bool(self._system.exists(self._path(sha256)))

    def read(self, sha256: Digest) -> Iterator[bytes]:
        with _at_the_url(sha256):
            try:
                with self._system.open(self._path(sha256), "rb") as file:
                    yield from _checked(file, sha256, "POLREG_DOCUMENTS")
            except FileNotFoundError:
                raise _not_kept(sha256) from None

    def _path(self, sha256: Digest) -> str:
        return f"{self._root}/{sha256.hex()[:2]}/{sha256.hex()[2:]}"


@contextmanager
def _at_the_url(sha256: Digest) -> Iterator[None]:
    """What a store says where it fails is its library's: an error of ours names the document."""
    try:
        yield
    except RegistryError:
        raise
    except Exception as error:
        raise LocalFailure(
            f"the store of POLREG_DOCUMENTS failed at the document {sha256.hex()}: "
            f"{type(error).__name__}",
            hint="is it reachable, and may this user write there?",
        ) from None


def _copy(source: IO[bytes], file: Any, sha256: Digest, path: Path) -> None:
    hasher = hashlib.sha256()
    while piece := source.read(_PIECE):
        hasher.update(piece)
        file.write(piece)
    if hasher.digest() != sha256:
        raise InputError(f"{path} was changed while it was read", hint="try again")


def _checked(file: Any, sha256: Digest, place: str) -> Iterator[bytes]:
    hasher = hashlib.sha256()
    while piece := file.read(_PIECE):
        hasher.update(piece)
        yield piece
    if hasher.digest() != sha256:
        raise Inconsistent(
            f"the document {sha256.hex()} was changed where it is kept ({place})",
            hint="its bytes are not those that were published: put the right file there again",
        )


def _not_kept(sha256: Digest) -> NotFound:
    return NotFound(
        f"the document {sha256.hex()} is not kept here",
        hint="documents are kept where they are published with --keep-document",
    )
