"""Ceremonies as docs/security.md writes them, and walking them on a real node.

A block is fenced as ```ceremony NAME; every line of it is a step, `after: NAME` (first walk that
one), `wait: 5 days`, or a comment after `#`. A step is `who: what => outcome`:

    what      a function of the contract with its arguments, or a polreg command
    outcome   the entries that it appends, `act [authority] subject`, joined by `;` or `nothing`,
              `refused: Error`, `exit N`, or what a question answers

Nothing is done but what the lines say: the document is the test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.anvil import ROOT

PAGE = ROOT / "docs" / "security.md"

_BLOCK = re.compile(r"^```ceremony (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"(\S+): (.*?)\s+=> (.+)")
_CALL = re.compile(r"(?:(\w+)\.)?(\w+)\((.*)\)")


@dataclass(frozen=True)
class After:
    """Another ceremony comes first."""

    name: str


@dataclass(frozen=True)
class Wait:
    """Time passes: a second more than is said, since a delay must have passed."""

    words: str


@dataclass(frozen=True)
class Command:
    """Somebody runs polreg."""

    who: str
    words: tuple[str, ...]
    outcome: str


@dataclass(frozen=True)
class Call:
    """Somebody calls a function of a contract."""

    who: str
    contract: str
    function: str
    arguments: tuple[str, ...]
    outcome: str


Step = After | Wait | Command | Call


def ceremonies(page: str) -> dict[str, list[Step]]:
    """The ceremonies of a page, by name."""
    found = _BLOCK.findall(page)
    assert len({name for name, _ in found}) == len(found)
    return {name: list(_steps(block)) for name, block in found}


def _steps(block: str) -> Iterator[Step]:
    for line in block.splitlines():
        step = line.partition("#")[0].strip()
        if step:
            yield _step(step)


def _step(line: str) -> Step:
    for kind, word in ((After, "after: "), (Wait, "wait: ")):
        if line.startswith(word):
            return kind(line.removeprefix(word))
    parts = _STEP.fullmatch(line)
    assert parts, f"this is no step: {line}"
    who, what, outcome = parts.groups()
    if what.startswith("polreg "):
        return Command(who, tuple(what.split()[1:]), outcome)
    call = _CALL.fullmatch(what)
    assert call, f"this is neither a call nor a command: {what}"
    arguments = tuple(each.strip() for each in call[3].split(",")) if call[3] else ()
    return Call(who, call[1] or "registry", call[2], arguments, outcome)
