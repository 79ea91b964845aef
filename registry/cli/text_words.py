"""What texts show, in words: the same text, altered clauses, redlines on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from registry.cli import common

if TYPE_CHECKING:
    from registry.core.text.comparing import Comparison, Row
    from registry.core.text.finding import Altered, Compared, Document, SameText
    from registry.core.text.redline import Run
    from registry.core.verdict import Registration, Verdict

_AROUND = 30
"""Characters that are shown of what stayed, on either side of an edit."""
_SHOWN = 40
"""Clauses that are listed of one file; --json has them all."""


def say_text(verdict: Verdict) -> None:
    """What the text of a file of unknown bytes shows."""
    found = verdict.text
    if found is None:
        return
    for each in found.same:
        _say_same(each)
    if found.same and not verdict.text_accepted:
        common.say(
            "  not verified: the bytes are not the published ones; to whom the text is enough: "
            "--accept-same-text"
        )
    if found.altered is not None:
        _say_altered(found.altered)
    if found.clauses is not None:
        _say_document("of", found.clauses.document)
    if found.note is not None:
        common.say(f"  {found.note}")


def headline(verdict: Verdict) -> str:
    """The first line on such a file."""
    found = verdict.text
    if found is not None and found.clauses is not None:
        labels = found.clauses.labels
        called = labels[0] if len(labels) == 1 else f"{labels[0]} to {labels[-1]}"
        return f"a part of a registered document: this is what its {called} says"
    if found is not None and found.same:
        return "same text: other bytes than the registered file's, and it says the same"
    if found is not None and found.altered is not None:
        return "altered: these are not the published bytes, nor is this the published text"
    return "unknown: this exact file is not in the registry"


def _say_same(each: SameText) -> None:
    _say_document("as", each.document)
    how = "differs in" if each.difference.proven else "differs, as far as can be seen, in"
    common.say(f"    {how}: {'; '.join(each.difference.named) or 'nothing that is known'}")


def _say_document(how: str, document: Document) -> None:
    named = f" {document.name}" if document.name else ""
    common.say(f"  {how}{named} (sha256 {document.sha256.hex()})")
    for found in document.registrations:
        title = " / ".join(found.title.values()) or "(no readable manifest)"
        common.say(
            f"    {title}: {found.authority} {found.number or '(number not known)'}, version "
            f"{found.version} of {found.versions}, entry {found.entry}, {told_of(found)}"
        )


def _say_altered(altered: Altered) -> None:
    _say_document("nearest registered text:", altered.document)
    common.say(f"    {counted(altered.compared.comparison)}")
    say_clauses(altered.compared, indent="    ")


def counted(found: Comparison) -> str:
    """1 changed, 2 missing, 37 unchanged."""
    told = [f"{count} {change.value}" for change, count in found.counts.items() if count]
    return ", ".join(told) or "no clauses"


def say_clauses(compared: Compared, indent: str = "", limit: int = _SHOWN) -> None:
    """The clauses to which something happened, with redlines where the texts are known. Those that
    were only renumbered, one after another, are one line."""
    from registry.core.text.comparing import Change

    rows = [row for row in compared.comparison.rows if row.change is not Change.UNCHANGED]
    shown = 0
    for group in _grouped(rows):
        if shown == limit:
            common.say(f"{indent}… and more like these; --json lists them all")
            return
        shown += 1
        if len(group) > 1:
            common.say(
                f"{indent}renumbered  {group[0].old_label} to {group[-1].old_label} are now "
                f"{group[0].new_label} to {group[-1].new_label}"
            )
            continue
        _say_row(compared, group[0], indent)
    if compared.old_texts is None and any(row.change is Change.CHANGED for row in rows):
        common.say(f"{indent}what the clauses said before is not kept here: only hashes are known")


def _grouped(rows: Sequence[Row]) -> Iterator[list[Row]]:
    group: list[Row] = []
    for row in rows:
        if group and not (_is_renumbered(row) and _is_renumbered(group[-1])):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _is_renumbered(row: Row) -> bool:
    from registry.core.text.comparing import Change

    return row.change is Change.MOVED and row.in_order and row.is_renumbered


def _say_row(compared: Compared, row: Row, indent: str) -> None:
    from registry.core.text.comparing import Change
    from registry.core.text.finding import places

    runs = compared.runs(row) if row.change is not Change.MOVED else None
    where = " ".join(places(row.label, runs)) if runs and row.change is Change.CHANGED else ""
    change = "renumbered" if _is_renumbered(row) else row.change.value
    label = row.label if not row.is_renumbered else f"{row.old_label} → {row.new_label}"
    common.say(f"{indent}{change:<10}  {label}" + (f" {where}" if where else ""))
    if runs:
        for line in marked(runs):
            typer.echo(f"{indent}    {line}")


def marked(runs: Sequence[Run], *, colour: bool | None = None) -> list[str]:
    """A redline as lines for a terminal: coloured, or [-deleted-]{+inserted+}. What stayed far from
    any edit is left out."""
    colour = _has_colour() if colour is None else colour
    text = "".join(_marked(run, at, len(runs), colour=colour) for at, run in enumerate(runs))
    return [line for line in text.split("\n") if line.strip()]


def _has_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _marked(run: Run, at: int, count: int, *, colour: bool) -> str:
    from registry.core.text.redline import Kind

    if run.kind is Kind.SAME:
        return _shown(_shortened(run.text, first=at == 0, last=at == count - 1))
    lines = [_shown(line) for line in run.text.split("\n")]
    return "\n".join(_styled(line, run.kind, colour=colour) if line else "" for line in lines)


def _styled(line: str, kind: str, *, colour: bool) -> str:
    deleted = kind == "deleted"
    if not colour:
        return f"[-{line}-]" if deleted else f"{{+{line}+}}"
    if deleted:
        return typer.style(line, fg=typer.colors.RED, strikethrough=True)
    return typer.style(line, fg=typer.colors.GREEN, underline=True)


def _shortened(text: str, *, first: bool, last: bool) -> str:
    if first and last:
        return text
    room = _AROUND if first or last else 2 * _AROUND
    if len(text) <= room + 10:
        return text
    head = "" if first else text[:_AROUND]
    tail = "" if last else text[-_AROUND:]
    return f"{head}…{tail}"


def _shown(text: str) -> str:
    """Characters of strangers that could pass for something else are escapes."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def told_of(found: Registration) -> str:
    """What a document is worth, or why that is not known."""
    if found.unsettled is not None:
        return common.not_known(found.unsettled)
    return found.standing.value.replace("_", " ") if found.standing else "standing not known"
