"""What an audit reads: a folder, a ZIP archive, or the files at a list of addresses.

Nothing is unpacked to disk, and nothing in an archive can name a place outside it: its names are
only shown. What can not be read is an item with its error, and never ends the audit.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from registry.errors import CouldNotCheck, InputError, RegistryError
from registry.services.hashing import files_below

MAX_FILE = 256 * 2**20
"""Bytes of one file in an archive or at an address; a file in a folder may be of any size."""
_MAX_RATIO = 200
_SMALL = 2**20
_MAX_LIST = 16 * 2**20
_SCHEMES = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Item:
    """One file to be checked: its place on disk, or its bytes, or why they are not there."""

    name: str
    path: str | None = None
    content: bytes | None = None
    error: RegistryError | None = None


def items(path: Path, besides: Collection[Path] = ()) -> Iterator[Item]:
    """Everything at `path`, in the order of names, but for the audit's own files, `besides`. Raises
    InputError where it is nothing that can be audited."""
    if path.is_dir():
        return _of_folder(path, {os.path.realpath(each) for each in besides})
    if not path.is_file():
        raise InputError(f"there is no folder, archive or list {path}")
    if zipfile.is_zipfile(path):
        return _of_archive(path)
    addresses = _addresses(path)
    if addresses is None:
        raise InputError(
            f"{path} is neither a folder, nor a ZIP archive, nor a list of addresses, one a line",
            hint="check a single file with polreg verify",
        )
    return _of_addresses(addresses)


def how_many(path: Path) -> int:
    """About how many items there are, for whoever waits; 0 where that is not known."""
    if path.is_dir():
        return sum(1 for _ in files_below(path))
    try:
        with zipfile.ZipFile(path) as archive:
            return len(archive.infolist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return len(_addresses(path) or ())


def _of_folder(folder: Path, besides: Collection[str]) -> Iterator[Item]:
    empty = True
    for found in files_below(folder):
        empty = False
        if besides and isinstance(found, str) and os.path.realpath(found) in besides:
            continue
        if isinstance(found, RegistryError):
            yield Item(str(folder), error=found)
            continue
        # Names that are no UTF-8 are shown with their bytes.
        name = os.fsencode(os.path.relpath(found, folder)).decode("utf-8", "backslashreplace")
        yield Item(name, found)
    if empty:
        raise InputError(f"{folder} holds no file")


def _of_archive(path: Path) -> Iterator[Item]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
            if not members:
                raise InputError(f"{path} holds no file")
            for each in sorted(members, key=lambda each: each.filename):
                try:
                    yield Item(_name(each), content=_unpacked(archive, each))
                except CouldNotCheck as error:
                    yield Item(_name(each), error=error)
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise CouldNotCheck(f"{path} can not be read as a ZIP archive: {error}") from None


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member's bytes. What its header says of its size is not believed."""
    if member.flag_bits & 1:
        raise CouldNotCheck("it is encrypted", hint="unpack the archive, and audit the folder")
    most = min(MAX_FILE, max(_SMALL, member.compress_size * _MAX_RATIO))
    try:
        with archive.open(member) as stream:
            content = stream.read(most + 1)
    except Exception as error:  # zipfile, zlib, bz2 and lzma have errors of their own
        raise CouldNotCheck(f"it can not be unpacked: {error}") from None
    if len(content) > most:
        raise CouldNotCheck(
            f"it unpacks to more than {most:,} bytes, {_MAX_RATIO} times its size in the archive"
            if most < MAX_FILE
            else f"it unpacks to more than {MAX_FILE:,} bytes"
        )
    return content


def _name(member: zipfile.ZipInfo) -> str:
    """Archives of Chinese Windows programs name their files in GBK and do not say so: what
    zipfile took for code page 437."""
    if member.flag_bits & 0x800 or member.filename.isascii():
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return member.filename


def _addresses(path: Path) -> list[str] | None:
    """The addresses that a file lists; None where it is no such list."""
    try:
        if path.stat().st_size > _MAX_LIST:
            return None
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return found if found and all(each.startswith(_SCHEMES) for each in found) else None


def _of_addresses(addresses: list[str]) -> Iterator[Item]:
    from registry.fetching import Fetcher, shown

    with Fetcher(MAX_FILE) as fetcher:
        for each in dict.fromkeys(addresses):
            try:
                yield Item(shown(each), content=fetcher.fetch(each))
            except CouldNotCheck as error:
                yield Item(shown(each), error=error)
