"""Commands of the registrar on one policy: publish, amend, correct, suspend, repeal …"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common, drafting, published_texts
from registry.cli.common import Json
from registry.cli.drafting import (
    Authority,
    DigestOnly,
    Effective,
    File,
    Issued,
    Joint,
    KeepDocument,
    Number,
    Policy,
    Reason,
    Relation,
    Rendition,
    Salted,
    TitleEn,
    TitleZh,
    Type,
    Until,
    WithText,
)

if TYPE_CHECKING:
    from registry.core.draft import Draft
    from registry.services.texts.registering import Choices


def _document_command(name: str) -> Callable[..., None]:
    def act(
        file: File,
        authority: Authority,
        number: Number,
        title_zh: TitleZh = None,
        title_en: TitleEn = None,
        type_: Type = None,
        issued: Issued = None,
        effective: Effective = None,
        until: Until = None,
        rendition: Rendition = None,
        relation: Relation = None,
        reason: Reason = None,
        joint: Joint = None,
        text: WithText = True,
        salted: Salted = False,
        keep_document: KeepDocument = None,
        digest_only: DigestOnly = False,
        as_json: Json = False,
    ) -> None:
        given = locals()
        wanted = drafting.choices(text=text, salted=salted, keep_document=keep_document)
        draft = drafting.document_draft(name.upper(), given)
        perform(draft, digest_only=digest_only, as_json=as_json, document=(file, wanted))

    act.__doc__ = drafting.DOCUMENT_ACTS[name]
    return act


def _act_command(name: str) -> Callable[..., None]:
    def act(
        policy: Policy,
        reason: Annotated[str, typer.Option(help="Why, in words.")],
        effective: Annotated[
            str | None, typer.Option(metavar="DATE", help="From this day; else today.")
        ] = None,
        by: Annotated[
            str | None, typer.Option(metavar="POLICY_ID", help="The policy that replaces it.")
        ] = None,
        digest_only: DigestOnly = False,
        as_json: Json = False,
    ) -> None:
        draft = drafting.status_draft(name.upper(), _named(policy), reason, effective, by)
        perform(draft, digest_only=digest_only, as_json=as_json)

    act.__doc__ = drafting.STATUS_ACTS[name]
    return act


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


def perform(
    draft: Draft,
    *,
    digest_only: bool,
    as_json: bool,
    document: tuple[Path, Choices] | None = None,
) -> None:
    """Record the draft as the account that acts, and say where it is. Of a `document` that is
    given, what it says is registered as its choices have it."""
    from registry.services import answers
    from registry.services.publish import completed, publish
    from registry.services.setup import outbox_for

    common.warn_of_key()
    with common.workspace() as opened:
        common.sync_quietly(opened)
        draft = completed(draft, opened.engine)
        outbox = outbox_for(opened, common.ask_password)
        with published_texts.registered(opened, draft, document) as (draft, kept):
            done = publish(draft, opened.client, outbox, digest_only=digest_only)
        common.sync_quietly(opened)
        context = answers.workspace_context(opened.engine)
    shown = {**answers.published(done), **kept}
    if digest_only:
        # The chain does not have it, and nothing here keeps it.
        shown["manifest_text"] = draft.manifest().decode()
    if as_json:
        common.print_json({"published": shown, "registry": context})
        return
    common.say(f"{draft.action.word}: {draft.called}")
    if shown["document"]:
        typer.echo(f"  document     sha256 {shown['document']}")
    published_texts.say_kept(kept)
    typer.echo(f"  policy       {shown['policy_id']}")
    typer.echo(f"  entry        {shown['entry']} (act {shown['sequence']} on this policy)")
    gas = "" if shown["gas_used"] is None else f", {shown['gas_used']:,} gas"
    typer.echo(f"  transaction  {shown['transaction']}{gas}")
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
    **{name: _document_command(name) for name in drafting.DOCUMENT_ACTS},
    **{name: _act_command(name) for name in drafting.STATUS_ACTS},
}
