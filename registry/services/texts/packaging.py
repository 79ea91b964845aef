"""What kind of file bytes are, and which program made them, as far as that is cheap to see.

For saying in what two files of one text differ. Nothing is parsed that could do harm: patterns are
looked for in the bytes, and of an archive one small part is read up to a bound.
"""

from __future__ import annotations

import io
import re
import zipfile

from registry.core.text.differing import Difference, Registered, differences
from registry.core.text.packaging import TEXTUAL, Packaging, format_named

_HEAD = 4_096
_ENDS = 1 << 20
"""Bytes at each end in which a PDF's producer is looked for."""
_PART = 1 << 16

_PRODUCER = re.compile(
    rb"/Producer\s*(?:\((?P<text>(?:[^()\\]|\\.){1,200})\)|<(?P<hex>[0-9A-Fa-f\s]{2,800})>)",
    re.DOTALL,
)
_XMP = re.compile(rb"<pdf:Producer>([^<]{1,200})</pdf:Producer>")
_APPLICATION = re.compile(rb"<(?:\w+:)?Application>([^<]{1,100})</")
_VERSION = re.compile(rb"<(?:\w+:)?AppVersion>([^<]{1,40})</")
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|(.))", re.DOTALL)


def named_differences(content: bytes, name: str | None, registered: Registered) -> Difference:
    """In what a file differs from a registered one with the same text."""
    return differences(content, packaging_of(content, name), registered, _of_registered(registered))


def _of_registered(registered: Registered) -> Packaging:
    if registered.content is not None:
        return packaging_of(registered.content, registered.name)
    return Packaging(format_named(registered.name, registered.media_type))


def packaging_of(content: bytes, name: str | None = None) -> Packaging:
    """What a file is by its bytes, and by its name where the bytes do not say."""
    head = content[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    if content[:1024].find(b"%PDF-") >= 0:
        return Packaging("PDF", _pdf_maker(content))
    if content.startswith(b"PK\x03\x04"):
        return _archive(content)
    lowered = head[:1024].lower()
    if lowered.startswith((b"<!doctype html", b"<html")):
        return Packaging("HTML")
    if lowered.startswith(b"<?xml"):
        return Packaging("HTML" if b"<html" in lowered else "XML")
    named = format_named(name)
    return Packaging(named if named in TEXTUAL else "plain text" if _is_text(content) else None)


def _is_text(content: bytes) -> bool:
    return not re.search(rb"[\x01-\x06\x0e-\x1a]", content[:_HEAD])


def _pdf_maker(content: bytes) -> str | None:
    ends = content if len(content) <= 2 * _ENDS else content[:_ENDS] + content[-_ENDS:]
    found = list(_PRODUCER.finditer(ends))
    if found:
        raw = found[-1]["text"]
        if raw is None:
            digits = re.sub(rb"\s", b"", found[-1]["hex"])
            raw = bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
        else:
            raw = _ESCAPE.sub(_unescaped, raw.decode("latin-1")).encode("latin-1", "replace")
        return _shown(raw)
    described = _XMP.search(ends)
    return _shown(described[1]) if described else None


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 8) & 0xFF) if found[1] else found[2]


def _archive(content: bytes) -> Packaging:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            if "word/document.xml" not in names:
                return Packaging("ZIP")
            if "docProps/app.xml" not in names:
                return Packaging("DOCX")
            with archive.open("docProps/app.xml") as part:
                said = part.read(_PART)
    except Exception:
        # The file comes from strangers, and each way of packing has errors of its own.
        return Packaging("ZIP")
    program, version = _APPLICATION.search(said), _VERSION.search(said)
    maker = " ".join(shown for each in (program, version) if each and (shown := _shown(each[1])))
    return Packaging("DOCX", maker or None)


def _shown(raw: bytes) -> str | None:
    encoding = "utf-16" if raw[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8"
    text = raw.decode(encoding, "replace")
    return "".join(each for each in text if each.isprintable()).strip()[:120] or None
