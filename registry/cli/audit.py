"""polreg audit: a folder, an archive or a list of addresses, and a report of what was found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.cli import common
from registry.cli.common import Json, On

if TYPE_CHECKING:
    from registry.services.auditing.expected import Expected
    from registry.services.auditing.run import Audited, Question
    from registry.services.auditing.worklist import AuditWorklist
    from registry.services.texts.explaining import Explainer
    from registry.services.workspace import Workspace

_SUFFIXES = (".html", ".pdf", ".csv", ".json")


def audit(
    path: Annotated[Path, typer.Argument(metavar="DIR|ZIP|LIST", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The report: .html, .pdf, .csv or .json."),
    ] = None,
    expect: Annotated[
        Path | None,
        typer.Option(
            metavar="INDEX.csv", help="The files that should be there, and what they are."
        ),
    ] = None,
    authority: Annotated[
        str | None,
        typer.Option(
            metavar="CODE", help="Whose documents they are: all in force should be there."
        ),
    ] = None,
    on: On = None,
    no_text: Annotated[
        bool, typer.Option("--no-text", help="Bytes alone: do not read what unknown files say.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Check every file of a folder, a ZIP archive, or a list of addresses (a file with one a
    line), and write a report.

    An audit that is interrupted goes on where it stood when the same command runs again.

    Exit codes: 0 every file is exactly as published and in force, and nothing that is expected is
    missing; 1 some file is not, or something is missing; 2 usage; 3 some file could not be
    checked; 4 all are authentic, and some are not in force.
    """
    from datetime import UTC, datetime

    from registry.core.calendar import iso_time
    from registry.core.units import UnixSeconds
    from registry.errors import InputError
    from registry.services.auditing.run import Question, audit

    if expect is not None and authority is not None:
        raise InputError("--expect and --authority do not go together", hint="give one of them")
    if output is not None and output.suffix.lower() not in _SUFFIXES:
        raise InputError(f"a report is a file that ends in {', '.join(_SUFFIXES)}, not {output}")
    question = Question(common.day(on), authority, explains=not no_text)
    made_at = iso_time(UnixSeconds(int(datetime.now(UTC).timestamp())))
    expected = _expected(path, expect, authority)
    with (
        common.workspace() as opened,
        common.meter("checking") as tell,
        _explaining(opened, question) as explainer,
        _progress_file(path, output) as kept,
    ):
        done, worklist = audit(
            opened.reader,
            path,
            question,
            expected,
            kept,
            explainer=explainer,
            made_at=made_at,
            besides=[each for each in (output, expect) if each is not None],
            progress=lambda number, total: tell(number, total, ""),
        )
        if output is not None:
            _write(done, worklist, output)
        if as_json:
            _print_json(done, worklist)
        else:
            _say(done, worklist, output)
        worklist.forget()
    return int(done.totals.exit_code)


def _expected(path: Path, expect: Path | None, authority: str | None) -> Expected | None:
    from registry.services.auditing.expected import expected_of_authority, expected_of_index

    if authority is not None:
        return expected_of_authority(authority)
    return None if expect is None else expected_of_index(expect, path)


@contextmanager
def _explaining(opened: Workspace, question: Question) -> Iterator[Explainer | None]:
    from registry.services.documents import documents_of
    from registry.services.texts.explaining import Asked, Explainer
    from registry.services.texts.reading import processors, text_reader

    if not question.explains:
        yield None
        return
    with text_reader(processors()) as reader:
        kept, home = documents_of(opened.settings), opened.settings.home
        yield Explainer(opened.reader, reader, Asked(question.on), kept, home)


@contextmanager
def _progress_file(path: Path, output: Path | None) -> Iterator[Path]:
    """Where findings are kept until the report is written: beside it, or, where there is none,
    nowhere that lasts."""
    import tempfile

    if output is not None:
        kept = output.with_name(f"{output.name}.progress")
        if kept.exists():
            common.note(f"going on with what {kept} holds")
        yield kept
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / path.name


def _write(done: Audited, worklist: AuditWorklist, output: Path) -> None:
    from registry.services.auditing.files import write_report

    write_report(done, worklist, output)


def _print_json(done: Audited, worklist: AuditWorklist) -> None:
    import sys

    from registry.core.auditing.report import json_pieces

    sys.stdout.flush()
    for piece in json_pieces(done.heading, done.totals, worklist.findings()):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


_LISTED = 20


def _say(done: Audited, worklist: AuditWorklist, output: Path | None) -> None:
    from registry.core.auditing.findings import Outcome

    totals = done.totals
    noteworthy = 0
    for each in worklist.findings():
        if each.outcome is Outcome.IN_FORCE:
            continue
        noteworthy += 1
        if noteworthy <= _LISTED:
            reason = "" if each.error is None else f" ({each.error['message']})"
            common.say(f"{each.outcome.value}: {each.file}{reason}")
    if noteworthy > _LISTED:
        common.say(f"… and {noteworthy - _LISTED} more; the report lists them all")
    for lost in totals.missing[:_LISTED]:
        common.say(f"missing: {lost.authority} {lost.number or ''} ({lost.why.value})")
    if len(totals.missing) > _LISTED:
        common.say(f"… and {len(totals.missing) - _LISTED} more that are missing")
    common.say(totals.sentence)
    for outcome in Outcome:
        if totals.counts.get(outcome):
            common.say(f"  {totals.counts[outcome]:>7,}  {outcome.value}")
    if totals.missing:
        common.say(f"  {len(totals.missing):>7,}  missing")
    if totals.duplicates:
        common.say(f"  {len(totals.duplicates):>7,}  groups of files with the same bytes")
    common.say_context(dict(done.heading.registry))
    if output is not None:
        common.say(f"report: {output}")


COMMANDS = {"audit": audit}
