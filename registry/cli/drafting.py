"""What publish, amend and the others ask for, here and where an act is only signed: their
options, and the draft that those make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common

if TYPE_CHECKING:
    from registry.core.draft import Draft
    from registry.services.texts.registering import Choices

Authority = Annotated[str, typer.Option(help="The authority's code, such as CN.GD.SHENZHEN.")]
Number = Annotated[str, typer.Option(help="The policy's number, as the authority printed it.")]
TitleZh = Annotated[str | None, typer.Option(help="Title in Chinese.")]
TitleEn = Annotated[str | None, typer.Option(help="Title in English.")]
Type = Annotated[str | None, typer.Option("--type", help="plan, notice, law, rules …")]
Issued = Annotated[str | None, typer.Option(metavar="DATE", help="When it was issued.")]
Effective = Annotated[str | None, typer.Option(metavar="DATE", help="First day it applies.")]
Until = Annotated[str | None, typer.Option(metavar="DATE", help="Last day it applies.")]
Rendition = Annotated[
    list[Path] | None, typer.Option(help="Another file of the same version, such as its PDF.")
]
Relation = Annotated[
    list[str] | None,
    typer.Option(metavar="TYPE=POLICY|CITATION", help="Such as implements=<policy_id>."),
]
Joint = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CODE",
        help="An authority that issues it too, and is to say so: polreg endorse. Without it an "
        "amendment keeps those of the version before.",
    ),
]
Reason = Annotated[str | None, typer.Option(help="Why, in words.")]
DigestOnly = Annotated[
    bool,
    typer.Option(
        "--digest-only",
        help="Keep the manifest off the chain: cheaper. Whoever checks without it can not tell "
        "the last day, and never gets the answer in force. It is printed: keep it.",
    ),
]
WithText = Annotated[
    bool,
    typer.Option(
        "--text/--no-text",
        help="Register what the document says: its text's digest and the root over its clauses.",
    ),
]
Salted = Annotated[
    bool,
    typer.Option(
        "--salted",
        help="For a confidential document: nobody can guess a short clause from its hash. The "
        "salts are kept in the home folder, and nowhere else.",
    ),
]
KeepDocument = Annotated[
    bool | None,
    typer.Option(
        "--keep-document/--no-keep-document",
        help="Keep the file here, and what its clauses say; else as POLREG_KEEP_DOCUMENTS says.",
    ),
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The document.")]
Policy = Annotated[
    list[str],
    typer.Argument(metavar="POLICY", help="A policy_id, a prefix of one, or AUTHORITY NUMBER."),
]

DOCUMENT_ACTS = {
    "publish": "Publish a document as the first version of a policy.",
    "amend": "Publish a document as the next version of a policy. Title and type stay as they "
    "are where none is given.",
    "correct": "Replace the document of the present version (an erratum).",
}

STATUS_ACTS = {
    "suspend": "Suspend a policy until it is reinstated.",
    "reinstate": "Put a suspended or ended policy into force again.",
    "supersede": "End a policy that another one replaces.",
    "repeal": "Repeal a policy.",
    "withdraw": "Withdraw a policy.",
}


def document_draft(action_name: str, given: dict[str, Any]) -> Draft:
    """The draft of an act that brings a document, from its command's options."""
    from registry.core.draft import Draft
    from registry.core.entry import Action
    from registry.services.hashing import describe_file

    action = Action[action_name]
    title = {"zh": given["title_zh"], "en": given["title_en"]}
    return Draft(
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
        relations=[relation(text) for text in given["relation"] or ()],
        reason=given["reason"],
        issued_with=given["joint"] or (),
    )


def choices(*, text: bool, salted: bool, keep_document: bool | None) -> Choices:
    """What is wanted of the text of what is published."""
    import os

    from registry.config import settings_from
    from registry.errors import InputError
    from registry.services.texts.registering import Choices

    if salted and not text:
        raise InputError(
            "--salted is for the clauses that --no-text leaves out", hint="give one of the two"
        )
    if keep_document is None:
        keep_document = settings_from(os.environ).keep_documents
    return Choices(text=text, salted=salted, keep=keep_document)


def status_draft(
    action_name: str,
    policy: tuple[str, str],
    reason: str,
    effective: str | None,
    by: str | None,
) -> Draft:
    """The draft of an act that brings none, on the policy with this authority and number."""
    from registry.core.draft import Draft
    from registry.core.entry import Action

    authority, number = policy
    return Draft(
        action=Action[action_name],
        authority=authority,
        number=number,
        title={},
        effective_from=common.day(effective),
        relations=[relation(f"superseded_by={by}")] if by else (),
        reason=reason,
    )


def relation(text: str) -> dict[str, str]:
    import re

    from registry.errors import InputError

    kind, found, target = text.partition("=")
    if not found or not target:
        raise InputError(
            f"{text!r} is not a relation", hint="write TYPE=POLICY_ID or TYPE=CITATION"
        )
    key = "policy" if re.fullmatch(r"[0-9a-f]{64}", target) else "citation"
    return {"type": kind, key: target}
