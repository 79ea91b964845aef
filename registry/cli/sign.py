"""`polreg sign`: acts signed where the key is, to be relayed from anywhere.

Nothing here but `kit` needs a node or a mirror.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common, drafting, published_texts
from registry.cli.drafting import (
    Authority,
    DigestOnly,
    Effective,
    File,
    Issued,
    Joint,
    Number,
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
    from registry.core.lifecycle import PolicyState
    from registry.core.signed_act import SignedAct
    from registry.core.units import Address
    from registry.services.texts.registering import Choices

HELP = "Sign an act where the key is, without a network; polreg relay sends it from anywhere."

_DAY = 86_400
_Output = Annotated[Path, typer.Option("--output", "-o", help="Write the signed act here.")]
_Kit = Annotated[
    Path | None, typer.Option(metavar="FILE", help="What polreg sign kit made on another machine.")
]
_ChainId = Annotated[int | None, typer.Option(min=1, help="Without a kit: the chain.")]
_Contract = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Without a kit: the registry's contract.")
]
_Sequence = Annotated[
    int | None,
    typer.Option(min=1, help="Without a kit: which act of the policy this is, from 1."),
]
_Registrar = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="The wallet that is the registrar, if it is not the key."),
]
_ValidDays = Annotated[
    int, typer.Option(min=1, max=3660, help="For how many days it may be relayed.")
]


def _document_command(name: str) -> Callable[..., None]:
    def act(
        file: File,
        authority: Authority,
        number: Number,
        output: _Output,
        kit: _Kit = None,
        chain_id: _ChainId = None,
        contract: _Contract = None,
        sequence: _Sequence = None,
        registrar: _Registrar = None,
        valid_days: _ValidDays = 7,
        title_zh: TitleZh = None,
        title_en: TitleEn = None,
        type_: Type = None,
        issued: Issued = None,
        effective: Effective = None,
        until: Until = None,
        rendition: Rendition = None,
        relation: Relation = None,
        joint: Joint = None,
        reason: Reason = None,
        text: WithText = True,
        salted: Salted = False,
        digest_only: DigestOnly = False,
    ) -> None:
        given = locals()
        wanted = drafting.choices(text=text, salted=salted, keep_document=False)
        draft, told = _with_text(drafting.document_draft(name.upper(), given), file, wanted)
        _sign(draft, given)
        published_texts.say_kept(told)

    act.__doc__ = f"Sign without a network: {_lower(drafting.DOCUMENT_ACTS[name])}"
    return act


def _with_text(draft: Draft, file: Path, wanted: Choices) -> tuple[Draft, dict[str, Any]]:
    """The draft with what its document says. The list of its clauses is kept nowhere: whoever has
    the document and a mirror makes it again."""
    import os

    from registry.config import settings_from
    from registry.services.texts.registering import registering

    with registering(settings_from(os.environ), None, wanted, workers=1) as registered:
        return published_texts.complete(registered, draft, file)


def _status_command(name: str) -> Callable[..., None]:
    def act(
        policy: Annotated[list[str], typer.Argument(metavar="AUTHORITY NUMBER")],
        reason: Annotated[str, typer.Option(help="Why, in words.")],
        output: _Output,
        kit: _Kit = None,
        chain_id: _ChainId = None,
        contract: _Contract = None,
        sequence: _Sequence = None,
        registrar: _Registrar = None,
        valid_days: _ValidDays = 7,
        title_zh: TitleZh = None,
        title_en: TitleEn = None,
        effective: Annotated[
            str | None, typer.Option(metavar="DATE", help="From this day; else today.")
        ] = None,
        by: Annotated[
            str | None, typer.Option(metavar="POLICY_ID", help="The policy that replaces it.")
        ] = None,
        digest_only: DigestOnly = False,
    ) -> None:
        from dataclasses import replace

        from registry.errors import InputError

        given = locals()
        if len(policy) < 2:
            raise InputError("name the policy as AUTHORITY NUMBER: here nothing is looked up")
        draft = drafting.status_draft(
            name.upper(), (policy[0], " ".join(policy[1:])), reason, effective, by
        )
        titles = {"zh": title_zh, "en": title_en}
        title = {language: text for language, text in titles.items() if text}
        _sign(replace(draft, title=title), given)

    act.__doc__ = f"Sign without a network: {_lower(drafting.STATUS_ACTS[name])}"
    return act


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _sign(draft: Draft, given: dict[str, Any]) -> None:
    import os
    import time

    from registry.chain.addresses import parse_address
    from registry.config import settings_from
    from registry.core.signed_act import write_signed_act
    from registry.core.units import UnixSeconds
    from registry.services.files import write_whole
    from registry.services.keys import signer_of
    from registry.services.signing import Signing, sign_act

    draft, state, chain_id, contract = _stands(draft, given)
    registrar = given["registrar"]
    place = Signing(
        chain_id,
        contract,
        UnixSeconds(int(time.time()) + given["valid_days"] * _DAY),
        None if registrar is None else parse_address(registrar, "registrar"),
    )
    common.warn_of_key()
    signer = signer_of(settings_from(os.environ), common.ask_password)
    signed = sign_act(draft, state, place, signer, digest_only=given["digest_only"])
    write_whole(given["output"], [write_signed_act(signed)])
    _tell(signed, given["output"])


def _stands(draft: Draft, given: dict[str, Any]) -> tuple[Draft, PolicyState, int, Address]:
    """What the act is completed with, how its policy stands, and the contract: by the kit, else
    by the options."""
    from registry.chain.addresses import parse_address
    from registry.core.signing_kit import read_kit, state_before
    from registry.errors import InputError
    from registry.services.signing import completed_by

    options = [given[name] for name in ("chain_id", "contract", "sequence")]
    if given["kit"] is not None:
        if any(each is not None for each in options):
            raise InputError("--kit says all that --chain-id, --contract and --sequence do")
        kit = read_kit(_content(given["kit"]))
        return completed_by(draft, kit), kit.state(draft.key), kit.chain_id, kit.contract
    chain_id, contract, sequence = options
    if chain_id is None or contract is None or sequence is None:
        raise InputError(
            "it is not said for which registry this is, or which act of the policy",
            hint="give --kit, made by polreg sign kit on a machine with a network; or --chain-id, "
            "--contract and --sequence",
        )
    state = state_before(draft.action, sequence)
    return draft, state, chain_id, parse_address(contract, "contract")


def kit(
    authority: Annotated[
        list[str], typer.Option(help="An authority whose policies it knows; several if repeated.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Write the kit here.")],
) -> None:
    """Make what a machine without a network signs with: the registry, and how policies stand.

    Run it where there is a network, and carry the file over. It holds nothing secret."""
    from registry.core.signing_kit import write_kit
    from registry.services.files import write_whole
    from registry.services.signing_kits import make_kit

    with common.workspace() as opened:
        common.sync_quietly(opened)
        made = make_kit(opened.engine, opened.deployment, authority)
    write_whole(output, [write_kit(made)])
    typer.echo(f"{output}: {len(made.policies)} policies of {', '.join(made.authorities)}")


def countersign(
    act: Annotated[Path, typer.Argument(metavar="ACT", help="A signed act of a wallet.")],
    output: _Output,
) -> None:
    """Add your signature to an act of a wallet that asks for several."""
    import os

    from registry.config import settings_from
    from registry.core.signed_act import read_signed_act, write_signed_act
    from registry.services.files import write_whole
    from registry.services.keys import signer_of
    from registry.services.signing import countersigned

    signed = read_signed_act(_content(act))
    common.warn_of_key()
    _show(signed)
    signer = signer_of(settings_from(os.environ), common.ask_password)
    signed = countersigned(signed, signer)
    write_whole(output, [write_signed_act(signed)])
    _tell(signed, output)


def _show(signed: SignedAct) -> None:
    """Whoever signs is to see what."""
    from registry.chain.addresses import checksummed
    from registry.core.calendar import iso_or_none, iso_time
    from registry.core.chain_id import caip10
    from registry.core.signed_act import called

    acts = signed.acts
    for submission in acts.submissions:
        common.say(called([submission]))
        if submission.document:
            typer.echo(f"  document     sha256 {submission.document.hex()}")
        typer.echo(f"  manifest     sha256 {submission.manifest.hex()}")
        typer.echo(f"  act          {submission.sequence} on this policy")
        if submission.effective_on is not None:
            typer.echo(f"  applies from {iso_or_none(submission.effective_on)}")
    typer.echo(f"  registry     {caip10(acts.chain_id, checksummed(acts.contract))}")
    typer.echo(f"  registrar    {checksummed(acts.registrar)}")
    typer.echo(f"  valid until  {iso_time(acts.deadline)}")


def _tell(signed: SignedAct, output: Path) -> None:
    from registry.chain.addresses import checksummed
    from registry.services.signing import signers_of

    _show(signed)
    for account in signers_of(signed):
        typer.echo(f"  signed by    {checksummed(account)}")
    typer.echo(f"written to {output}: polreg relay {output} sends it, from any machine")


def _content(path: Path) -> bytes:
    from registry.errors import InputError

    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} can not be read: {error.strerror}") from None


COMMANDS: dict[str, Callable[..., Any]] = {
    **{name: _document_command(name) for name in drafting.DOCUMENT_ACTS},
    **{name: _status_command(name) for name in drafting.STATUS_ACTS},
    "kit": kit,
    "countersign": countersign,
}
