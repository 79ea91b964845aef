"""`polreg text`: what documents say, clause by clause, and their clauses' lists as files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json, On

if TYPE_CHECKING:
    from registry.core.text.clauses import Text, TextRecord
    from registry.services.texts.rebuilding import Rebuilt

HELP = "Show what documents say, clause by clause; carry the lists of clauses, of which the chain "
HELP += "holds the root alone."

_FIRST_WORDS = 40
_LISTED = 20


def show(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|POLICY", help="A document; or a policy_id, or AUTHORITY NUMBER."
        ),
    ],
    on: On = None,
    as_json: Json = False,
) -> None:
    """Show a document's text as the registry has it: its digest, and its clauses with their hashes.

    Of a FILE it is read anew, whether or not it is registered.
    """
    if len(what) == 1 and Path(what[0]).is_file():
        _show_file(Path(what[0]), as_json=as_json)
        return
    from registry.errors import NotFound
    from registry.services import answers
    from registry.services.texts.clause_lists import salted_list, text_of_policy

    day = common.day(on)
    with common.workspace() as opened:
        found = text_of_policy(opened.reader, what, day)
        listed = found.listed
        if listed is None:
            with suppress(NotFound):
                listed = salted_list(found, opened.settings.home)
    shown = answers.registered_text(found.registered, listed)
    context = answers.context(found.position)
    if as_json:
        common.print_json({**shown, "registry": context})
        return
    _say_record(shown["text"])
    typer.echo(f"document   {shown['document']}")
    typer.echo(f"entry      {shown['entry']} of policy {shown['policy_id']}")
    if listed is None:
        salted = found.registered.record.salted
        common.say(_SALTS_ELSEWHERE if salted else _NOT_KNOWN)
    else:
        said = listed.texts or [""] * len(listed.hashes)
        _say_clauses(
            [(e.label, t, e.text_hash.hex()) for e, t in zip(listed.hashes, said, strict=True)]
        )
    common.say_context(context)


_NOT_KNOWN = (
    "its clauses are not known here: polreg text import takes them from another mirror's export, "
    "polreg text rebuild from the document"
)
_SALTS_ELSEWHERE = (
    "its clauses are salted, and their list is where it was published: not in this home folder"
)


def _show_file(path: Path, *, as_json: bool) -> None:
    from registry.core.text.clauses import record_of
    from registry.errors import NotFound, RegistryError
    from registry.services import answers
    from registry.services.hashing import describe_file
    from registry.services.texts.clause_lists import text_of_document
    from registry.services.texts.reading import read_text, text_reader

    file = describe_file(str(path))
    with text_reader(1) as reader:
        text = read_text(reader, path, file)
    record, registered, problem = record_of(text), None, None
    try:
        with common.workspace() as opened:
            found = text_of_document(opened.reader, file.sha256)
        registered = answers.registered_text(found.registered, None)
    except NotFound as error:
        problem = str(error)
    except RegistryError as error:
        problem = f"not compared with the registry: {error}"
    hashes = [each.text_hash.hex() for each in text.hashed()]
    if as_json:
        clauses = [
            {"label": each.label, "sha256": digest, "text": each.text}
            for each, digest in zip(text.clauses, hashes, strict=True)
        ]
        shown = {"document": file.sha256.hex(), "text": answers.text_record(record)}
        registered_text = None if registered is None else registered["text"]
        common.print_json({**shown, "clauses": clauses, "registered": registered_text})
        return
    _say_record(answers.text_record(record))
    typer.echo(f"document   {file.sha256.hex()}")
    common.say(_compared(text, record, registered) if registered else str(problem))
    _say_clauses(
        [(e.label, e.text, digest) for e, digest in zip(text.clauses, hashes, strict=True)]
    )


def _compared(text: Text, record: TextRecord, registered: dict[str, Any]) -> str:
    told = registered["text"]
    if told["sha256"] != text.digest.hex():
        return f"registered with another text: sha256 {told['sha256']}, by {told['extractor']}"
    if told["salted"]:
        return "registered with this text; its clauses are salted"
    if told["clauses_root"] != record.root.hex():
        return f"registered with this text in other clauses, as {told['extractor']} had them"
    return "registered with this text and these clauses"


def _say_record(record: dict[str, Any]) -> None:
    salted = ", salted" if record["salted"] else ""
    typer.echo(f"text       {record['profile']}, sha256 {record['sha256']}")
    typer.echo(f"clauses    {record['clauses']}{salted}, root {record['clauses_root']}")
    common.say(f"extractor  {record['extractor'] or 'not told'}")


def _say_clauses(clauses: list[tuple[str, str, str]]) -> None:
    typer.echo()
    for label, text, digest in clauses:
        words = " ".join(text.split())
        words = words if len(words) <= _FIRST_WORDS else words[: _FIRST_WORDS - 1] + "…"
        common.say(f"{digest[:16]}  {label}  {words}".rstrip())


def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Else standard output.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write all lists of clauses as NDJSON: labels and hashes, no texts, none of a salted document.

    The same bytes from every mirror with these lists. Whoever imports them compares each with the
    root that a manifest in the log says.
    """
    from registry.errors import InputError
    from registry.services.files import write_whole
    from registry.services.texts.clause_lists import ListsExport

    if as_json and output is None:
        raise InputError("--json tells about the file that --output writes", hint="add --output")
    with common.workspace() as opened, common.progress("exporting") as advance:
        found = ListsExport(opened.reader)
        if output is None:
            sys.stdout.buffer.writelines(found.lines())
            sys.stdout.buffer.flush()
            return
        count = 0

        def counted(done: int, total: int) -> None:
            nonlocal count
            count = done
            advance(done, total)

        written = write_whole(output, found.lines(counted))
    if as_json:
        common.print_json({"file": str(output), "sha256": written, "lists": count})
        return
    common.say(f"{output}: {count} lists")
    common.say(f"sha256 {written}")


def import_lists(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What polreg text export wrote.")],
    as_json: Json = False,
) -> None:
    """Take lists of clauses from a file, all of them or none.

    Each has to have the root that a manifest in the log says. Exit code 1 where one was altered,
    or is not of this log: it is named.
    """
    from registry.services.texts.clause_lists import import_lists as take

    with common.workspace() as opened, common.progress("importing") as advance:
        done = take(file, opened.engine, advance)
    if as_json:
        common.print_json({"lists": done.lists, "new": done.new})
        return
    common.say(f"{done.lists} lists, each with a root that the log has; {done.new} are new here")


def rebuild(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE…]", help="Documents; else those that are kept."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Read documents again to have the clauses of which this mirror has the root alone.

    Exit code 1 where one was read otherwise than when it was published: its manifest names what
    read it then.
    """
    from registry.services.documents import documents_of
    from registry.services.texts.reading import text_reader
    from registry.services.texts.rebuilding import rebuild_from, rebuild_kept

    with (
        common.workspace() as opened,
        text_reader(1) as reader,
        common.progress("reading") as advance,
    ):
        if files:
            done = rebuild_from(opened.engine, files, reader, advance)
        else:
            documents = documents_of(opened.settings)
            done = rebuild_kept(opened.engine, documents, reader, advance)
    if as_json:
        failed = [{"document": name, "reason": reason} for name, reason in done.failed]
        common.print_json({"rebuilt": done.rebuilt, "not_kept": done.not_kept, "failed": failed})
    else:
        _say_rebuilt(done)
    return 1 if done.failed else 0


def _say_rebuilt(done: Rebuilt) -> None:
    for name, reason in done.failed[:_LISTED]:
        common.say(f"{name}: {reason}")
    if len(done.failed) > _LISTED:
        common.say(f"… and {len(done.failed) - _LISTED} more; --json lists them all")
    left = f", {done.not_kept} more are of documents that are not kept" if done.not_kept else ""
    common.say(f"{done.rebuilt} lists of clauses are here again, {len(done.failed)} are not{left}")


COMMANDS: dict[str, Callable[..., Any]] = {
    "show": show,
    "export": export,
    "import": import_lists,
    "rebuild": rebuild,
}
