"""What commands that publish tell of the texts of their documents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from registry.cli import common

if TYPE_CHECKING:
    from registry.core.draft import Draft
    from registry.services.texts.registering import Choices, LeftOut, Registering
    from registry.services.workspace import Workspace

_LISTED = 10


@contextmanager
def registered(
    opened: Workspace, draft: Draft, document: tuple[Path, Choices] | None
) -> Iterator[tuple[Draft, dict[str, Any]]]:
    """The draft with what is registered of its document's text, and what is told of that. Where
    the act is then refused, what was kept for it is forgotten."""
    from registry.errors import Rejected
    from registry.services.texts.own_lists import OwnLists
    from registry.services.texts.registering import registering

    if document is None:
        yield draft, {}
        return
    path, wanted = document
    with registering(opened.settings, OwnLists(opened.engine), wanted, workers=1) as texts:
        prepared, told = complete(texts, draft, path)
        try:
            yield prepared, told
        except Rejected:
            texts.take_back()
            raise


def complete(texts: Registering, draft: Draft, path: Path) -> tuple[Draft, dict[str, Any]]:
    """The draft with what is registered of its document's text, and what is told of that."""
    from registry.errors import InputError

    (prepared,) = texts.prepared([draft], [path])
    if isinstance(prepared, InputError):
        raise prepared
    note_left_out(texts.left_out)
    salts = texts.salts_file(prepared)
    return prepared, {
        "text": prepared.text.fields() if prepared.text else None,
        "salts": None if salts is None else str(salts),
        "kept": texts.choices.keep,
    }


def nothing_left_out() -> LeftOut:
    from registry.services.texts.registering import LeftOut

    return LeftOut()


def note_left_out(left_out: LeftOut) -> None:
    """Say whose text is not registered, and why."""
    for cause, files in left_out.files.items():
        shown = ", ".join(files[:_LISTED]) + (" …" if len(files) > _LISTED else "")
        what = "its text" if len(files) == 1 else f"the texts of {len(files):,} documents"
        common.note(f"published without {what}: {cause} ({shown})")
        if cause in left_out.hints:
            common.note(f"  {left_out.hints[cause]}")


def say_kept(told: dict[str, Any]) -> None:
    """The record, where the salts are, and that the document is kept."""
    record = told.get("text")
    if record is not None:
        salted = ", salted" if record.get("salted") else ""
        typer.echo(f"  text         sha256 {record['sha256']}")
        typer.echo(f"  clauses      {record['clauses']}{salted}, root {record['clauses_root']}")
    if told.get("salts"):
        common.say(f"  salts        {told['salts']}")
        typer.echo("               nowhere else: without them no clause can be proved. Keep a copy")
    if told.get("kept"):
        typer.echo("  kept         the document: polreg document get SHA256 -o FILE")
