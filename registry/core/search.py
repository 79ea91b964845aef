"""What it means that a word occurs in a text, said once for every database.

Both are folded: compatibility forms (full width, circled and squared letters) become what
they stand for, and upper case becomes lower in every script. A query is words between
spaces; each must occur, anywhere and of any length, in one of a policy's texts.
"""

from __future__ import annotations

import struct
import unicodedata
from functools import lru_cache


def folded(text: str) -> str:
    """The form in which texts are compared. Folding twice changes nothing (NFKC after case
    folding, as in Unicode's toNFKC_Casefold, but for characters that are invisible)."""
    if text.isascii():
        return text.lower()
    composed = _nfkc(text)
    lower = composed.casefold()
    if lower == composed:
        return composed
    # Case folding may bring forth what NFKC composes, and that may fold again.
    once = _nfkc(lower)
    return once if once.isascii() else _nfkc(once.casefold())


def words(query: str) -> list[str]:
    """The words of a query, folded. One that no text can hold is among them all the same."""
    return folded(query).split()


def is_text(word: str) -> bool:
    """Whether a database can be asked for it: no surrogates and no NUL."""
    return "\0" not in word and not any("\ud800" <= each <= "\udfff" for each in word)


def occurs(word: str, texts: tuple[str | None, ...]) -> bool:
    """The definition: a folded word in one of a policy's texts, which need not be folded."""
    return any(word in folded(text) for text in texts if text is not None)


def grams(*texts: str | None) -> list[int]:
    """Each pair of neighbours in these folded texts once, sorted: two units of UTF-16 as one
    signed number of 32 bits. A text that holds a word holds all the word's pairs."""
    found: set[int] = set()
    for text in texts:
        if text:
            units = text.encode("utf-16-le", "surrogatepass")
            pairs = len(units) // 2 - 1
            found.update(_numbers(pairs + 1 >> 1).unpack_from(units))
            found.update(_numbers(pairs >> 1).unpack_from(units, 2))
    return sorted(found)


@lru_cache(maxsize=1024)
def _numbers(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}i")


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
