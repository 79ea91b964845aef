"""Passages whose clauses are labelled by the document's own structure: one label, one clause."""

from __future__ import annotations

from registry.core.text.clauses import MAX_LABEL_BYTES
from registry.core.text.normal import readable
from registry.core.text.passages import Passage


class Labelled:
    """Collects passages. A label waits for the first passage that shows anything; in one document
    each occurs once: a second is `LABEL [2]`."""

    def __init__(self) -> None:
        self.passages: list[Passage] = []
        self._times: dict[str, int] = {}
        self._waiting: str | None = None
        self._lead = ""

    def begin(self, label: str) -> None:
        """A clause begins with the next passage."""
        self.finish()
        self._waiting = label

    def lead(self, words: str) -> None:
        """Words that stand before the next passage's, on its line: a number."""
        self._lead = f"{self._lead} {words}" if self._lead else words

    def add(self, text: str, *, heading: int | None = None) -> None:
        if not _shows(text):
            return
        if self._lead:
            text, self._lead = f"{self._lead} {text}", ""
        label, self._waiting = self._waiting, None
        self.passages.append(Passage(text, heading, label and self._unique(label)))

    def finish(self) -> None:
        """Words that wait for a line stand alone, since none came."""
        if self._lead:
            lead, self._lead = self._lead, ""
            self.add(lead)

    def _unique(self, wanted: str) -> str:
        label = plain = _cut(readable(wanted), MAX_LABEL_BYTES) or "¶"
        while label in self._times:
            self._times[plain] += 1
            ending = f" [{self._times[plain]}]"
            label = _cut(plain, MAX_LABEL_BYTES - len(ending)) + ending
        self._times[label] = 1
        return label


def _shows(text: str) -> bool:
    if not text or text.isspace():
        return False
    return text[0].isalnum() or bool(readable(text))


def _cut(text: str, most: int) -> str:
    """At most so many bytes of UTF-8."""
    encoded = text.encode("utf-8")
    return text if len(encoded) <= most else encoded[:most].decode("utf-8", "ignore").rstrip()
