"""One small edit to the contract each: those listed by hand and those made by rule.

A listed edit names a text that occurs exactly once in its file, so that the list can not rot
unnoticed. An edit made by rule changes one operator, one number or one statement; where the
result is one that is listed already, it is left out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CONTRACTS = ROOT / "contracts"
LISTS = Path(__file__).resolve().parent
BY_RULE = LISTS / "by_rule.toml"


class ListError(Exception):
    """A list does not fit the sources: says which edit and why."""


@dataclass(frozen=True)
class Mutant:
    """`source` is the whole file after the edit; `equivalent` says why no test could tell."""

    file: str
    line: int
    before: str
    after: str
    breaks: str
    source: str
    listed: bool
    equivalent: str | None = None


def listed() -> list[Mutant]:
    """All edits of the lists, one list a contract file. Raises ListError for one that fits not."""
    return [mutant for path in _lists() for mutant in _of(path)]


def _lists() -> list[Path]:
    return [path for path in sorted(LISTS.glob("*.toml")) if path.name != "by_rule.toml"]


def _of(path: Path) -> Iterator[Mutant]:
    name = f"{path.stem}.sol"
    source = (CONTRACTS / name).read_text(encoding="utf-8")
    seen = set()
    for edit in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]:
        find, put = edit["find"], edit["put"]
        occurrences = source.count(find)
        if occurrences != 1:
            raise ListError(f"{path.name}: {find!r} occurs {occurrences} times in {name}, not once")
        mutated = source.replace(find, put)
        if mutated == source or mutated in seen:
            raise ListError(f"{path.name}: {find!r} to {put!r} changes nothing, or is listed twice")
        seen.add(mutated)
        line = source[: source.index(find)].count("\n") + 1
        yield Mutant(name, line, find, put, edit["breaks"], mutated, True, edit.get("equivalent"))


_SWAPS = {
    "==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">",
    "&&": "||", "||": "&&", "+": "-", "-": "+", "++": "--", "--": "++",
    "<<": ">>", ">>": "<<", "&": "|", "^": "&", "true": "false", "false": "true",
}  # fmt: skip
_TOKEN = re.compile(r"=>|:=|>>=|<<=|[-+*&|^]=|[=!<>]=|&&|\|\||\+\+|--|<<|>>|[-+<>&^]|\b\w+\b")
_NUMBER = re.compile(r"\d[\d_]*")
_COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"[^"\n]*"', re.DOTALL)
_NO_CODE = re.compile(r"pragma|import|error|event|using|mapping|\}|function")
_DECLARATION = re.compile(r"(return|revert|else)\b|\(|[\w.\[\]]+(?: \w+)+ =|[\w.\[\]]+(?: \w+)+;")
_ASSEMBLY = re.compile(r"\w+ := .*[^{]|(mstore8?|sstore|mcopy|calldatacopy|log2)\(.*\)")


def by_rule() -> list[Mutant]:
    """One edit for each operator, number and statement in the bodies of functions.

    Numbers that something is compared with for equality stay: those are not bounds.
    """
    equivalent = _reasons()
    known = {_words(mutant) for mutant in listed()}
    made: dict[str, Mutant] = {}
    for path in _lists():
        for mutant in _made(CONTRACTS / f"{path.stem}.sol", equivalent):
            if _words(mutant) not in known:
                made.setdefault(_words(mutant), mutant)
    unmatched = equivalent.keys() - {(m.file, m.before, m.after) for m in made.values()}
    if unmatched:
        raise ListError(f"{BY_RULE.name}: no such edit is made: {sorted(unmatched)}")
    return list(made.values())


def _words(mutant: Mutant) -> str:
    """The source but for its white space."""
    return " ".join(mutant.source.split())


def _reasons() -> dict[tuple[str, str, str], str]:
    edits = tomllib.loads(BY_RULE.read_text(encoding="utf-8"))["equivalent"]
    return {(edit["file"], edit["find"], edit["put"]): edit["reason"] for edit in edits}


def _made(path: Path, equivalent: dict[tuple[str, str, str], str]) -> Iterator[Mutant]:
    source = path.read_text(encoding="utf-8")
    lines = source.split("\n")
    bare = _COMMENT_OR_TEXT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source).split("\n")
    for number, (line, code) in enumerate(zip(lines, bare, strict=True)):
        for after in _edits(line, code):
            mutated = "\n".join([*lines[:number], after, *lines[number + 1 :]])
            key = (path.name, line.strip(), after.strip())
            reason = equivalent.get(key)
            yield Mutant(*key[:1], number + 1, *key[1:], "by rule", mutated, False, reason)


def _edits(line: str, code: str) -> Iterator[str]:
    """The line with one token changed, or without its statement."""
    statement = code.strip()
    if not line.startswith(" " * 8) or _NO_CODE.match(statement):
        return
    for token in _TOKEN.finditer(code):
        text = token[0]
        if _NUMBER.fullmatch(text) and not code[: token.start()].endswith(("== ", "!= ")):
            other: str | None = str(int(text) + 1)
        else:
            other = _SWAPS.get(text)
        if other is not None:
            yield line[: token.start()] + other + line[token.end() :]
    whole = statement.endswith(";") and statement.count("(") == statement.count(")")
    if (whole and not _DECLARATION.match(statement)) or _ASSEMBLY.fullmatch(statement):
        yield ""
