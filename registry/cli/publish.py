"""Commands of the registrar on one policy: publish, amend, correct, suspend, repeal …"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json

if TYPE_CHECKING:
    from registry.core.draft import Draft
    from registry.core.entry import Action

_Authority = Annotated[str, typer.Option(help="The authority's code, such as CN.GD.SHENZHEN.")]
_Number = Annotated[str, typer.Option(help="The policy's number, as the authority printed it.")]
_TitleZh = Annotated[str | None, typer.Option(help="Title in Chinese.")]
_TitleEn = Annotated[str | None, typer.Option(help="Title in English.")]
_Type = Annotated[str | None, typer.Option("--type", help="plan, notice, law, rules …")]
_Issued = Annotated[str | None, typer.Option(metavar="DATE", help="When it was issued.")]
_Effective = Annotated[str | None, typer.Option(metavar="DATE", help="First day it applies.")]
_Until = Annotated[str | None, typer.Option(metavar="DATE", help="Last day it applies.")]
_Rendition = Annotated[
    list[Path] | None, typer.Option(help="Another file of the same version, such as its PDF.")
]
_Relation = Annotated[
    list[str] | None,
    typer.Option(metavar="TYPE=POLICY|CITATION", help="Such as implements=<policy_id>."),
]
_Reason = Annotated[str | None, typer.Option(help="Why, in words.")]
_DigestOnly = Annotated[
    bool,
    typer.Option(
        "--digest-only",
        help="Keep the manifest off the chain: cheaper. Whoever checks without it can not tell "
        "the last day, and never gets the answer in force. It is printed: keep it.",
    ),
]
_File = Annotated[Path, typer.Argument(metavar="FILE", help="The document.")]
_Policy = Annotated[
    list[str],
    typer.Argument(metavar="POLICY", help="A policy_id, a prefix of one, or AUTHORITY NUMBER."),
]


_DOCUMENT_ACTS = {
    "publish": "Publish a document as the first version of a policy.",
    "amend": "Publish a document as the next version of a policy. Title and type stay as they "
    "are where none is given.",
    "correct": "Replace the document of the present version (an erratum).",
}


def _document_command(name: str) -> Callable[..., None]:
    def act(
        file: _File,
        authority: _Authority,
        number: _Number,
        title_zh: _TitleZh = None,
        title_en: _TitleEn = None,
        type_: _Type = None,
        issued: _Issued = None,
        effective: _Effective = None,
        until: _Until = None,
        rendition: _Rendition = None,
        relation: _Relation = None,
        reason: _Reason = None,
        digest_only: _DigestOnly = False,
        as_json: Json = False,
    ) -> None:
        _document_act(name.upper(), locals())

    act.__doc__ = _DOCUMENT_ACTS[name]
    return act


def _document_act(action_name: str, given: dict[str, Any]) -> None:
    from registry.core.draft import Draft
    from registry.core.entry import Action
    from registry.services.publish import describe_file

    action = Action[action_name]
    title = {"zh": given["title_zh"], "en": given["title_en"]}
    draft = Draft(
        action=action,
        authority=given["authority"],
        number=given["number"],
        title={language: text for language, text in title.items() if text},
        document=describe_file(str(given["file"])),
        renditions=[describe_file(str(path)) for path in given["rendition"] or ()],
        type=given["type_"],
        issued=common.optional_day(given["issued"], "issue date"),
        effective_from=common.optional_day(given["effective"], "effective date"),
        effective_to=common.optional_day(given["until"], "last date"),
        relations=[_relation(text) for text in given["relation"] or ()],
        reason=given["reason"],
    )
    _perform(draft, digest_only=given["digest_only"], as_json=given["as_json"])


def _relation(text: str) -> dict[str, str]:
    import re

    from registry.errors import InputError

    kind, found, target = text.partition("=")
    if not found or not target:
        raise InputError(
            f"{text!r} is not a relation", hint="write TYPE=POLICY_ID or TYPE=CITATION"
        )
    key = "policy" if re.fullmatch(r"[0-9a-f]{64}", target) else "citation"
    return {"type": kind, key: target}


_ACTS = {
    "suspend": "Suspend a policy until it is reinstated.",
    "reinstate": "Put a suspended or ended policy into force again.",
    "supersede": "End a policy that another one replaces.",
    "repeal": "Repeal a policy.",
    "withdraw": "Withdraw a policy.",
}


def _act_command(name: str) -> Callable[..., None]:
    def act(
        policy: _Policy,
        reason: Annotated[str, typer.Option(help="Why, in words.")],
        effective: Annotated[
            str | None, typer.Option(metavar="DATE", help="From this day; else today.")
        ] = None,
        by: Annotated[
            str | None, typer.Option(metavar="POLICY_ID", help="The policy that replaces it.")
        ] = None,
        digest_only: _DigestOnly = False,
        as_json: Json = False,
    ) -> None:
        from registry.core.entry import Action

        _status_act(Action[name.upper()], policy, reason, effective, by, digest_only, as_json)

    act.__doc__ = _ACTS[name]
    return act


def _status_act(
    action: Action,
    words: list[str],
    reason: str,
    effective: str | None,
    by: str | None,
    digest_only: bool,
    as_json: bool,
) -> None:
    from registry.core.draft import Draft

    authority, number = _named(words)
    draft = Draft(
        action=action,
        authority=authority,
        number=number,
        title={},
        effective_from=common.day(effective),
        relations=[_relation(f"superseded_by={by}")] if by else (),
        reason=reason,
    )
    _perform(draft, digest_only=digest_only, as_json=as_json)


def _named(words: list[str]) -> tuple[str, str]:
    """Authority and number of the policy that the words name. With both given, nothing
    needs to be looked up."""
    from registry.errors import InputError
    from registry.services.lookup import find_policy

    if len(words) > 1:
        return words[0], " ".join(words[1:])
    with common.workspace() as opened:
        opened.sync()
        row = find_policy(opened.engine, words, common.day(None)).row
    if row.number is None:
        raise InputError(
            "this policy's manifest is not known here, so neither is its number",
            hint="name it as AUTHORITY NUMBER",
        )
    return row.authority, row.number


def _perform(draft: Draft, *, digest_only: bool, as_json: bool) -> None:
    from registry.services import answers
    from registry.services.publish import completed, publish
    from registry.services.setup import outbox_for

    common.warn_of_key()
    with common.workspace() as opened:
        common.sync_quietly(opened)
        draft = completed(draft, opened.engine)
        outbox = outbox_for(opened, common.ask_password)
        done = publish(draft, opened.client, outbox, digest_only=digest_only)
        common.sync_quietly(opened)
        context = answers.workspace_context(opened.engine)
    shown = answers.published(done)
    if digest_only:
        # The chain does not have it, and nothing here keeps it.
        shown["manifest_text"] = draft.manifest().decode()
    if as_json:
        common.print_json({"published": shown, "registry": context})
        return
    common.say(f"{draft.action.word}: {draft.called}")
    if shown["document"]:
        typer.echo(f"  document     sha256 {shown['document']}")
    typer.echo(f"  policy       {shown['policy_id']}")
    typer.echo(f"  entry        {shown['entry']} (act {shown['sequence']} on this policy)")
    typer.echo(f"  transaction  {shown['transaction']}, {shown['gas_used']:,} gas")
    if digest_only:
        _say_what_it_costs(shown["manifest_text"], carries_document=bool(shown["document"]))
    common.say_context(context)


def _say_what_it_costs(manifest: str, *, carries_document: bool) -> None:
    """The manifest as it is, so that it can be kept: the log has its digest."""
    if carries_document:
        typer.echo("The log has the manifest's digest alone, and the manifest may name a last day:")
        typer.echo("polreg verify will say that the standing is not known (exit code 3), not that")
        typer.echo("it is in force. A receipt into which the manifest is put settles it.")
    typer.echo("Nothing here keeps the manifest. Keep it: the next line, without its line feed.")
    typer.echo(manifest)


COMMANDS: dict[str, Callable[..., Any]] = {
    **{name: _document_command(name) for name in _DOCUMENT_ACTS},
    **{name: _act_command(name) for name in _ACTS},
}
