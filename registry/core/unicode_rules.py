"""Which characters official text may hold.

Bidirectional controls let one number be shown as another; code points that Unicode
has not assigned may change their meaning later. Readers refuse only what every
Unicode version refuses alike, so that two mirrors never disagree about an entry;
writers refuse unassigned code points as well.
"""

from __future__ import annotations

import re
import unicodedata

from registry.errors import InputError

_NEVER = re.compile(
    "["
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"  # surrogates and noncharacters
    "]"
)


def refused_character(text: str) -> str | None:
    """Name the first character that no reader accepts, if any."""
    # Whatever is refused is not printable in any version; this test is fifty times faster.
    if text.isprintable():
        return None
    found = _NEVER.search(text)
    if found:
        return _named(found.group())
    beyond = next((c for c in text if ord(c) & 0xFFFE == 0xFFFE), None)
    return _named(beyond) if beyond else None


def refused_when_writing(text: str) -> str | None:
    """Name the first character that must not enter the registry, if any."""
    found = refused_character(text)
    if found or text.isascii():
        return found
    unassigned = next((c for c in text if unicodedata.category(c) == "Cn"), None)
    return _named(unassigned) if unassigned else None


def require_readable(text: str, what: str) -> None:
    """Raise InputError where `text` holds a character that no reader accepts."""
    _require_none(refused_character(text), what)


def require_writable(text: str, what: str) -> None:
    """Raise InputError where `text` holds a character that must not be written."""
    _require_none(refused_when_writing(text), what)


def _require_none(found: str | None, what: str) -> None:
    if found:
        raise InputError(
            f"the {what} holds {found}",
            hint="remove it: it can make one text look like another",
        )


def _named(character: str) -> str:
    name = unicodedata.name(character, "")
    return f"the character U+{ord(character):04X}" + (f" ({name})" if name else "")
