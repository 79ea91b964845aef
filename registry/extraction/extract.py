"""From a file's bytes to its passages, whatever its format. Loads the format's library, so it
runs in the worker; see `reader` for the other side."""

from __future__ import annotations

from functools import cache
from importlib import import_module, metadata

from registry.core.text.passages import Extracted, Passage
from registry.extraction.formats import Format, format_of
from registry.extraction.unreadable import MissingLibrary, Unreadable

_MODULES = {
    Format.MARKDOWN: "markdown",
    Format.PLAIN: "plain",
    Format.HTML: "html",
    Format.XML: "xml",
    Format.DOCX: "docx",
    Format.PDF: "pdf",
}
_LIBRARIES = {
    Format.MARKDOWN: "markdown-it-py",
    Format.PLAIN: "charset-normalizer",
    Format.HTML: "selectolax",
    Format.XML: "lxml",
    Format.DOCX: "python-docx",
    Format.PDF: "pypdfium2",
}


def extract(content: bytes, name: str = "") -> Extracted:
    """The passages of a document; `name` counts only where its bytes leave its format open.

    Raises Unreadable, or MissingLibrary where the extra `text` is not installed.
    """
    found = format_of(content, name)
    passages = _read(content, found)
    if not passages:
        raise Unreadable("holds no text")
    return Extracted(passages, extractor(found))


def _read(content: bytes, found: Format) -> tuple[Passage, ...]:
    try:
        module = import_module(f"registry.extraction.{_MODULES[found]}")
        passages: tuple[Passage, ...] = module.passages(content)
    except (Unreadable, MissingLibrary, MemoryError):
        raise
    except ModuleNotFoundError as error:
        raise MissingLibrary(_LIBRARIES[found]) from error
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    except Exception as error:
        # Of a broken file a library raises what it happens on.
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise Unreadable(f"can not be read as {found}: {said}") from None
    return passages


@cache
def extractor(found: Format) -> str:
    """With what a format is read: this project's version, and the library's."""
    library = _LIBRARIES[found]
    own = f"policy-registry {_version('policy-registry')}"
    return own if found is Format.PLAIN else f"{own}, {library} {_version(library)}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
