"""Plain text: a line is a passage."""

from __future__ import annotations

from registry.core.text.passages import Passage
from registry.extraction.encodings import decode


def passages(content: bytes) -> tuple[Passage, ...]:
    return tuple(Passage(line) for line in decode(content).splitlines() if line.strip())
