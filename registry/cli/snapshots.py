"""`polreg snapshot`: the state of every policy as one file, and whether such a file is right."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json

if TYPE_CHECKING:
    from registry.services.receipts import Registry
    from registry.services.workspace import Workspace


def snapshot(
    in_force_on: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only what is in force on this date.")
    ] = None,
    recorded_by: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what was recorded by then.")
    ] = None,
    size: Annotated[int | None, typer.Option(help="Only the log's first N entries.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Else standard output.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="ndjson or csv.")] = "ndjson",
    members: Annotated[
        bool, typer.Option("--members", help="The members of collections instead, a line each.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the state of every policy, as of the log's end or an earlier moment.

    A collection is one line. With --members a second file has its members: all of them, or none
    (exit code 3) where those of some collection are not known here.
    """
    from registry.core.calendar import parse_time
    from registry.core.snapshot import Filters
    from registry.errors import InputError
    from registry.services.files import write_whole
    from registry.services.member_snapshots import take_member_snapshot
    from registry.services.snapshots import take_snapshot

    if form not in {"ndjson", "csv"}:
        raise InputError(f"there is no snapshot format {form!r}", hint="use ndjson or csv")
    if as_json and output is None:
        raise InputError("--json tells about the file that --output writes", hint="add --output")
    filters = Filters(
        common.optional_day(in_force_on, "date"),
        None if recorded_by is None else parse_time(recorded_by),
    )
    with common.workspace() as opened:
        of_policies = take_snapshot(opened.reader, filters, size)
        taken = take_member_snapshot(of_policies) if members else of_policies
        lines = taken.ndjson() if form == "ndjson" else taken.csv()
        if output is None:
            sys.stdout.buffer.writelines(lines)
            sys.stdout.buffer.flush()
            return
        written = write_whole(output, lines)
    if as_json:
        common.print_json({"file": str(output), "sha256": written, "header": taken.header})
        return
    shown = "members" if members else "policies"
    typer.echo(
        f"{output}: {taken.header['count']} {shown}, log of {taken.size} entries, "
        f"root {taken.header['root']}\nsha256 {written}"
    )


def verify(
    file: Annotated[Path, typer.Argument(metavar="SNAPSHOT.ndjson")],
    log: Annotated[
        Path | None,
        typer.Option(metavar="LOG.ndjson", help="Replay this log, which export log wrote."),
    ] = None,
    from_chain: Annotated[
        bool, typer.Option("--from-chain", help="Replay the log as the chain has it now.")
    ] = False,
    rpc: Annotated[
        str | None, typer.Option(metavar="URL", help="The node to ask; else POLREG_RPC_URL's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Replay the log and compare what it gives with a snapshot, byte for byte.

    The log is the mirror's, unless another one is named; its root is compared with the
    chain's. With --rpc and another log no registry needs to be set up here. Exit codes: 0
    the snapshot is exact; 1 a step failed, which is named; 3 it could not be checked.
    """
    from registry.core.receipt_check import Trace
    from registry.errors import InputError
    from registry.services.snapshot_check import Against, verify_snapshot

    if log is not None and from_chain:
        raise InputError("give --log or --from-chain, not both")
    trace = Trace()
    with common.workspace() as opened:
        against = Against(log, from_chain, rpc, _meant(opened, named_by_file=rpc is not None))
        try:
            stated = verify_snapshot(file, against, opened, trace)
        finally:
            # Also where a step failed: those before it held.
            if not as_json:
                for step in trace.steps:
                    common.say(f"  ✓ {step}")
    if as_json:
        shown = {"file": str(file), "verified": True, "steps": trace.steps}
        common.print_json({**shown, "header": stated.fields})
        return
    common.say(f"{file}: verified, the log's own snapshot")


def _meant(opened: Workspace, *, named_by_file: bool) -> Registry | None:
    """The registry of POLREG_CONTRACT, else, where its node is asked, the one set up here."""
    from registry.services.receipts import parse_registry, registry_of

    given = opened.settings.contract
    if given is not None:
        return parse_registry(given)
    return None if named_by_file else registry_of(opened.noted)


COMMANDS: dict[str, Callable[..., Any]] = {"snapshot": snapshot}

BELOW: dict[str, dict[str, Callable[..., Any]]] = {"snapshot": {"verify": verify}}
