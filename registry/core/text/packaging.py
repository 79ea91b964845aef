"""What kind of file a registered one is, by what is said of it. No IO."""

from __future__ import annotations

from dataclasses import dataclass

_MEDIA_TYPES = {
    "application/pdf": "PDF",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
    "application/xml": "XML",
    "text/xml": "XML",
    "application/akn+xml": "XML",
    "text/html": "HTML",
    "application/xhtml+xml": "HTML",
    "text/markdown": "Markdown",
    "text/plain": "plain text",
}
_ENDINGS = {
    ".pdf": "PDF", ".docx": "DOCX", ".xml": "XML", ".html": "HTML", ".htm": "HTML",
    ".xhtml": "HTML", ".md": "Markdown", ".markdown": "Markdown", ".txt": "plain text",
}  # fmt: skip
TEXTUAL = {"XML", "HTML", "Markdown", "plain text"}


@dataclass(frozen=True, slots=True)
class Packaging:
    """`format` is a word of the two tables; `maker` the program and its version, if it says so."""

    format: str | None
    maker: str | None = None


def format_named(name: str | None, media_type: str | None = None) -> str | None:
    """What a file is by what is said of it."""
    known = _MEDIA_TYPES.get((media_type or "").split(";")[0].strip().lower())
    if known not in (None, "plain text"):
        return known
    ending = "." + name.rpartition(".")[2].lower() if name and "." in name else ""
    return _ENDINGS.get(ending, known)
