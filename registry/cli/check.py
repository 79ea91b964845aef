"""Commands of the auditor and the client: verify, show, history, search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.checked_words import MANIFEST_NEEDED, print_checked_json, say_checked
from registry.cli.common import Json, On
from registry.cli.issue_words import issuers_in_words, mark_in_words, marks_in_words

if TYPE_CHECKING:
    from registry.core.units import Day
    from registry.services.texts.explaining import Asked
    from registry.services.verify import CheckedFile
    from registry.services.workspace import Workspace

_Policy = Annotated[
    list[str],
    typer.Argument(metavar="POLICY", help="A policy_id, a prefix of one, or AUTHORITY NUMBER."),
]


def verify(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE|DIR...", show_default=False)],
    on: On = None,
    receipt: Annotated[
        Path | None, typer.Option(help="Check one file by its receipt, without the registry.")
    ] = None,
    block_hash: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="The block that you trust: no network is used."),
    ] = None,
    rpc: Annotated[str | None, typer.Option(metavar="URL", help="The node that you trust.")] = None,
    contract: Annotated[
        str | None, typer.Option(metavar="0x…", help="The registry that the receipt must be of.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print every step.")] = False,
    authority: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="The authority whose documents they are to be."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="POLICY[@N]",
            help="Compare the text with this policy's, or with its version N, whatever it shares.",
        ),
    ] = None,
    accept_same_text: Annotated[
        bool,
        typer.Option("--accept-same-text", help="Other bytes that say the same are verified too."),
    ] = False,
    no_text: Annotated[
        bool, typer.Option("--no-text", help="Bytes alone: do not read what unknown files say.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Check files, or every file below a folder, against the registry; or one file by its
    receipt. Of a file of unknown bytes the text is read: it may say the same as a registered one
    (saved again, sent by mail), or be an altered copy, and then of which clauses.

    Exit codes: 0 every file is exactly as published and in force; 1 some file is not in
    the registry (the same text in other bytes is not, without --accept-same-text), or not by that
    --authority, or a step of its receipt failed; 2 usage; 3 some
    file could not be checked, or is authentic and its standing can not be told: its manifest,
    which may name a last day, is not known, or the registry was closed; 4 authentic, but some
    file is no longer, or not yet, in force, or rests on a key that was reported compromised, or
    its receipt is older than the policy's latest act.
    """
    from registry.core.authority import check_code
    from registry.errors import InputError
    from registry.services import answers
    from registry.services.verify import verify_files

    day = common.day(on)
    if no_text and (against or accept_same_text):
        raise InputError("--no-text reads no text, which --against and --accept-same-text go by")
    expected = None if authority is None else check_code(authority)
    if receipt is not None:
        if against is not None:
            raise InputError("--against compares with the registry: leave out --receipt")
        from registry.cli.receipts import verify_by_receipt

        return verify_by_receipt(
            paths,
            receipt,
            day,
            block_hash=block_hash,
            rpc=rpc,
            contract=contract,
            explain=explain,
            authority=expected,
            texts=not no_text,
            accepted=accept_same_text,
            as_json=as_json,
        )
    if block_hash or rpc or contract:
        raise InputError("--block-hash, --rpc and --contract go with --receipt")
    with common.workspace() as opened, common.progress("checking") as advance:
        position, checked = verify_files(opened.reader, paths, day, advance, expected)
        if not no_text:
            checked = explained(
                opened, checked, _asked(day, against, accepted=accept_same_text), advance
            )
    if against is not None and any(each.verdict and each.verdict.registrations for each in checked):
        common.note("--against compares what is not registered; versions that are: polreg diff")
    context = answers.context(position)
    if as_json:
        print_checked_json(context, checked, day)
    else:
        say_checked(checked)
        common.say_context(context)
    return _worst(checked)


def _asked(day: Day, against: str | None, *, accepted: bool) -> Asked:
    from registry.services.texts.explaining import Asked

    if against is None:
        return Asked(day, accepted=accepted)
    policy, at, number = against.rpartition("@")
    if not (at and number.isdecimal()):
        policy, number = against, ""
    words = tuple(policy.split(maxsplit=1))
    return Asked(day, words, int(number) if number else None, accepted=accepted)


def explained(
    opened: Workspace, checked: list[CheckedFile], asked: Asked, advance: common.Advance
) -> list[CheckedFile]:
    """The same, with what the texts of unknown files show."""
    from registry.core.verdict import Match

    unknown = sum(
        each.verdict is not None and each.verdict.match is Match.UNKNOWN for each in checked
    )
    if not unknown:
        return checked
    from registry.services.documents import documents_of
    from registry.services.texts.explaining import Explainer
    from registry.services.texts.reading import text_reader

    with text_reader(1) as reader:
        kept, home = documents_of(opened.settings), opened.settings.home
        explainer = Explainer(opened.reader, reader, asked, kept, home)
        return explainer.files(checked, lambda done: advance(done, unknown))


def _worst(checked: list[CheckedFile]) -> int:
    from registry.core.verdict import worst

    return int(worst({each.exit_code for each in checked}))


def show(policy: _Policy, on: On = None, as_json: Json = False) -> None:
    """Show one policy as it stands."""
    from registry.services import answers
    from registry.services.lookup import find_policy

    with common.workspace() as opened:
        found = find_policy(opened.reader, policy, common.day(on))
    shown = answers.shown_policy(found)
    context = answers.context(found.position)
    if as_json:
        common.print_json({"policy": shown, "registry": context})
        return
    common.say(" / ".join(shown["title"].values()) or "(no readable manifest)")
    if shown["unsettled"]:
        common.say(f"  {common.not_known(shown['unsettled'])}")
    if shown["unsettled"] == "last_day_unknown":
        common.say(f"  {MANIFEST_NEEDED}")
    for key in (
        "authority", "number", "standing", "status", "type", "jurisdiction", "issued", "since",
        "until", "version", "versions", "document", "policy_id", "endorses",
    ):  # fmt: skip
        if shown[key] is not None:
            # The contract's status knows no dates: it must not pass for the standing.
            more = ", by its latest act" if key == "status" else ""
            common.say(f"  {key.replace('_', ' '):<13}{shown[key]}{more}")
    if shown["text"] is not None:
        record = shown["text"]
        salted = ", salted" if record["salted"] else ""
        common.say(f"  {'text':<13}sha256 {record['sha256']}")
        common.say(f"  {'clauses':<13}{record['clauses']}{salted}, root {record['clauses_root']}")
    for each in shown["endorsed_by"]:
        common.say(f"  {'endorsed by':<13}{each['authority']}")
    for line in issuers_in_words(shown["issuers"]):
        common.say(f"  {line}")
    for line in marks_in_words(shown["compromised"], shown["entry"], doubted=shown["doubted"]):
        common.say(f"  {line}")
    common.say_context(context)


def history(
    policy: _Policy,
    prove: Annotated[
        bool, typer.Option("--prove", help="Show that these are all, by the contract's own head.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List every act on one policy, in the order of the log.

    With --prove each is shown to be in the log, and none to be left out: from the head in
    the contract's storage along `previous` to the first.
    """
    from registry.core.receipt_check import Trace
    from registry.services import answers
    from registry.services.lookup import find_policy

    trace, shown = Trace(), None
    with common.workspace() as opened:
        if prove:
            common.sync_quietly(opened)
        found = find_policy(opened.reader, policy, common.day(None))
        policy_id = found.row.policy_id
        if prove:
            # The plain list needs nothing that talks to a chain.
            from registry.services.proving import prove_history

            shown = prove_history(opened.reader, found, opened.client, trace)
    entries = [
        answers.history_entry(row, found.compromised.get(row.entry)) for row in found.entries
    ]
    context = answers.context(found.position)
    if as_json:
        answer = {"policy_id": policy_id.hex(), "entries": entries, "registry": context}
        if shown is not None:
            answer["proof"] = answers.history_proof(shown, trace)
        common.print_json(answer)
        return
    for each in entries:
        _say_entry(each)
    if shown is not None:
        common.say(f"These {len(entries)} acts are all there are:")
        for step in trace.steps:
            common.say(f"  {step}")
    common.say_context(context)


def _say_entry(each: dict[str, Any]) -> None:
    from registry.core.text.clauses import read_record

    common.say(
        f"{each['entry']:>7}  {each['action']:<10}"
        f"{'from ' + each['effective_on'] if each['effective_on'] else 'no date':<16}"
        f"recorded {each['recorded_at']} by {each['registrar']}"
    )
    if each["document"]:
        common.say(f"         document {each['document']}")
    content = each["manifest"]["content"] or {}
    record = read_record(content.get("text"))
    if each["document"] and record is not None:
        salted = ", salted" if record.salted else ""
        common.say(f"         text {record.digest.hex()}, {record.count} clauses{salted}")
    reason = content.get("reason")
    if reason:
        common.say(f"         reason: {reason}")
    if each["manifest"]["problem"]:
        common.say(f"         manifest: {each['manifest']['problem']}")
    if each["compromised"]:
        common.say(f"         KEY REPORTED COMPROMISED: {mark_in_words(each['compromised'])}")


def search(
    text: Annotated[
        list[str], typer.Argument(help="Words of a title or a number, in any language.")
    ],
    authority: Annotated[str | None, typer.Option(help="This authority and its children.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    on: On = None,
    as_json: Json = False,
) -> int:
    """Find policies, and members of collections, by words of their titles or numbers. Exit code
    1 where there is none."""
    from registry.mirror.listing import MemberFilter, PolicyFilter
    from registry.services import answers
    from registry.services.collections import find_members
    from registry.services.lookup import find_policies

    wanted = PolicyFilter(on=common.day(on), text=" ".join(text), authority=authority)
    with common.workspace() as opened:
        position, rows, more = find_policies(opened.reader, wanted, limit=limit)
        among = MemberFilter(on=wanted.on, text=wanted.text, authority=authority)
        _, listed, more_members = find_members(opened.reader, among, limit=limit)
    found = [answers.policy(row, position) for row in rows]
    members = [answers.listed_member(each) for each in listed]
    context = answers.context(position)
    if as_json:
        common.print_json(
            {
                "policies": found,
                "more": more,
                "members": members,
                "more_members": more_members,
                "registry": context,
            }
        )
        return 0 if found or members else 1
    for each in found:
        common.say(
            f"{each['policy_id'][:12]}  {each['standing'] or each['unsettled']:<17}"
            f"{each['issued'] or '':<11}{each['authority']}  {' / '.join(each['title'].values())}"
        )
    for each in members:
        say_member(each)
    if not found and not members:
        common.say("nothing found")
    elif more or more_members:
        common.say(f"… more than {limit}: narrow the search, or give a larger --limit")
    common.say_context(context)
    return 0 if found or members else 1


def say_member(each: dict[str, Any]) -> None:
    """A member as a list shows it."""
    common.say(
        f"{each['sha256'][:12]}  {each['standing'] or each['unsettled']:<17}"
        f"{each['issued'] or '':<11}{each['authority']}  {' / '.join(each['title'].values())}"
        f" (member of {each['collection']['number'] or each['policy_id'][:12]})"
    )


COMMANDS: dict[str, Callable[..., Any]] = {
    "verify": verify,
    "show": show,
    "history": history,
    "search": search,
}
