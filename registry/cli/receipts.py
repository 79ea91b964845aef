"""Receipts: `polreg prove` makes one, `polreg verify FILE --receipt` checks it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json

if TYPE_CHECKING:
    from registry.core.receipt import Receipt
    from registry.core.receipt_check import ShownPolicy, Trace
    from registry.core.units import Day
    from registry.core.verdict import Verdict
    from registry.errors import ProofError
    from registry.services.receipts import Registry
    from registry.services.workspace import Workspace


def prove(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|POLICY", help="A file, its SHA-256, a policy_id, or AUTHORITY NUMBER."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Else standard output.")
    ] = None,
    chain_proof: Annotated[
        bool,
        typer.Option(
            "--chain-proof", help="With a storage proof: it verifies from a block hash alone."
        ),
    ] = False,
    clause: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL",
            help="Show this clause of FILE alone, with those below it: 第五条, '§ 3(b)'.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a receipt: all that a stranger needs, beside the file, to verify it.

    It holds every entry of the policy with its path to the log's root. It verifies with
    any node of the chain; with --chain-proof also without one, against a block hash.

    With --clause it also holds what that clause says, and its path to the root in the manifest:
    whoever has the clause's text alone verifies it, and learns nothing of the other clauses.
    """
    from registry.core.digest import sha256
    from registry.core.receipt import write_receipt
    from registry.errors import InputError
    from registry.services.files import write_whole
    from registry.services.proving import make_receipt, subject_of

    if as_json and output is None:
        raise InputError("--json tells about the file that --output writes", hint="add --output")
    with common.workspace() as opened:
        if chain_proof:
            # Nodes keep the state of the latest blocks only.
            common.sync_quietly(opened)
        subject = subject_of(opened.reader, words, common.day(None))
        policy_id = subject.policy_id
        client = opened.client if chain_proof else None
        made = make_receipt(opened.reader, policy_id, client, subject.member)
        if clause is not None:
            made = _with_clause(opened, made, words, clause)
    content = write_receipt(made)
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    write_whole(output, [content])
    if as_json:
        written = {"file": str(output), "sha256": sha256(content).hex(), "size": len(content)}
        common.print_json({**written, "policy_id": policy_id.hex()})
        return
    common.say(f"{output}: a receipt of {len(content):,} bytes for policy {policy_id.hex()}")
    how = "--block-hash H, or " if chain_proof else ""
    if made.clause is not None:
        shown = ", ".join(made.clause.labels)
        common.say(f"  it shows {shown}: give the file, or a text file with what they say")
    common.say(f"  verify it anywhere: polreg verify FILE --receipt {output} {how}--rpc URL")


def _with_clause(opened: Workspace, made: Receipt, words: list[str], label: str) -> Receipt:
    from dataclasses import replace

    from registry.errors import InputError
    from registry.services.texts.proving_clauses import shown_clauses
    from registry.services.texts.reading import text_reader

    file = Path(words[0])
    if len(words) != 1 or not file.is_file():
        raise InputError("--clause shows a clause of a file", hint="give the registered file")
    with text_reader(1) as reader:
        part = shown_clauses(opened.reader, opened.settings.home, made, file, label, reader)
    return replace(made, clause=part)


def verify_by_receipt(
    paths: list[Path],
    receipt: Path,
    day: Day,
    *,
    block_hash: str | None,
    rpc: str | None,
    contract: str | None,
    explain: bool,
    authority: str | None,
    texts: bool,
    accepted: bool,
    as_json: bool,
) -> int:
    """Check one file against its receipt, and say what was done."""
    from dataclasses import replace

    from registry.core.receipt_check import Trace
    from registry.errors import CouldNotCheck, InputError, ProofError
    from registry.services import answers
    from registry.services.receipts import (
        check_alone,
        check_document,
        known_registry,
        load_receipt,
        parse_block_hash,
    )

    if len(paths) != 1 or paths[0].is_dir():
        raise InputError("a receipt is for one file", hint="polreg verify FILE --receipt RECEIPT")
    if block_hash is not None and rpc is not None:
        raise InputError("give --block-hash or --rpc, not both")
    trusted = None if block_hash is None else parse_block_hash(block_hash)
    meant = _meant(contract)
    trace = Trace()
    try:
        read = load_receipt(receipt)
        meant = meant or known_registry(read, common.workspace().settings)
        shown = _checked(read, trusted, rpc, meant, trace)
        if shown is None:
            check_document(check_alone(read, meant, trace), paths[0], day, trace)
            raise CouldNotCheck(
                "the receipt agrees with itself and with the file, and nothing here says that "
                "the chain holds this log",
                hint="give --block-hash H (the receipt needs a chain proof), or --rpc URL",
            )
        try:
            verdict = check_document(shown, paths[0], day, trace)
        except ProofError as error:
            found = _same_text(shown, paths[0], day, error, accepted=accepted) if texts else None
            if found is None:
                raise
            verdict = replace(found, steps=(*trace.steps, *found.steps))
        if authority is not None:
            verdict = verdict.expecting(authority)
    finally:
        # Also where a step failed: those before it held.
        if explain and not as_json:
            for step in trace.steps:
                common.say(f"  {step}")
    context = answers.receipt_context(shown, compared=meant is not None)
    _tell(paths[0], verdict, shown, context, day, explain=explain, as_json=as_json)
    return int(verdict.exit_code)


def _same_text(
    shown: ShownPolicy, path: Path, day: Day, error: ProofError, *, accepted: bool
) -> Verdict | None:
    """Where it is only that the file is no document of the receipt: whether it says the same as
    one."""
    from registry.core.receipt_check import FILE
    from registry.services.receipt_text import same_text
    from registry.services.texts.reading import text_reader

    if error.step != FILE:
        return None
    with text_reader(1) as reader:
        return same_text(shown, path, day, reader, accepted=accepted)


def _checked(
    receipt: Receipt, trusted: bytes | None, rpc: str | None, meant: Registry | None, trace: Trace
) -> ShownPolicy | None:
    """The policy, vouched for by the hash or the node that was given, else by this
    workspace's own node; None where there is neither."""
    from registry.services.receipts import (
        check_against_block,
        check_against_node,
        check_against_url,
    )

    if trusted is not None:
        return check_against_block(receipt, trusted, meant, trace)
    if rpc is not None:
        return check_against_url(receipt, rpc, meant, trace)
    with common.workspace() as opened:
        if not opened.has_chain:
            return None
        return check_against_node(receipt, opened.transport, meant, trace)


def _meant(contract: str | None) -> Registry | None:
    """The registry of --contract or POLREG_CONTRACT, if one is given."""
    import os

    from registry.services.receipts import parse_registry

    if contract is not None:
        return parse_registry(contract)
    given = os.environ.get("POLREG_CONTRACT")
    return parse_registry(given) if given else None


def _tell(
    path: Path,
    verdict: Verdict,
    shown: ShownPolicy,
    context: dict[str, Any],
    day: Day,
    *,
    explain: bool,
    as_json: bool,
) -> None:
    from registry.cli.checked_words import print_checked_json, say_checked
    from registry.services.verify import CheckedFile

    checked = [CheckedFile(str(path), path.stat().st_size, verdict)]
    if as_json:
        print_checked_json(context, checked, day)
        return
    say_checked(checked, steps=not explain)
    for line in _limits(verdict, shown):
        common.say(f"  {line}")
    common.say_context(context)
    if not context["contract_compared"]:
        typer.echo(
            "Only the receipt names this contract: compare it with the one that the authority "
            "published, or give it with --contract. Anybody can set up a registry of their own."
        )


def _limits(verdict: Verdict, shown: ShownPolicy) -> Iterator[str]:
    """What the answer does not say, and where it is said."""
    from registry.core.verdict import Evidence, Unsettled

    block = shown.anchor.policy_block if shown.anchor else shown.receipt.block.number
    match verdict.leading.unsettled if verdict.leading else None:
        case Unsettled.OUTDATED:
            acts = "act" if shown.later == 1 else "acts"
            yield (
                f"by block {block} the policy had {shown.later} later {acts}, and the contract's "
                f"status was {shown.status.word}: get a new receipt to see what applies"
            )
        case Unsettled.LAST_DAY_UNKNOWN:
            yield (
                "the receipt does not show the manifest, which may name a last day: get one that "
                "does"
            )
        case Unsettled.CLOSED | None:
            pass  # a closing is told with the place that the answer comes from
    yield (
        "reports that a key was compromised it knows only up to its own making, if it holds them: "
        "ask the registry for later ones (polreg verify without --receipt)"
    )
    if verdict.evidence is Evidence.RECEIPT:
        yield f"as of block {block}: whether acts were recorded later, only a node can tell (--rpc)"


COMMANDS: dict[str, Callable[..., Any]] = {"prove": prove}
