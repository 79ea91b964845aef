"""Numbers that mostly follow each other, kept as the ranges that they make up: as small as
they are orderly, however many they are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """A set of numbers."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._ranges: list[tuple[int, int]] = []
        self._count = 0
        for number in numbers:
            self.add(number)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        return (number for first, last in self._ranges for number in range(first, last + 1))

    @property
    def all(self) -> list[tuple[int, int]]:
        """The first and the last of each range, from the lowest on."""
        return list(self._ranges)

    def add(self, number: int) -> None:
        at = bisect_right(self._ranges, (number, number))
        if at < len(self._ranges) and self._ranges[at][0] == number:
            return
        if at and self._ranges[at - 1][1] >= number:
            return
        self._count += 1
        first = last = number
        if at < len(self._ranges) and self._ranges[at][0] == number + 1:
            last = self._ranges.pop(at)[1]
        if at and self._ranges[at - 1][1] == number - 1:
            at -= 1
            first = self._ranges.pop(at)[0]
        self._ranges.insert(at, (first, last))
