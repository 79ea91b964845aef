"""`polreg endorse`: a co-issuing authority says that it issues a document too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json

_Policy = Annotated[
    list[str],
    typer.Argument(
        metavar="POLICY",
        help="The lead authority's: a policy_id, a prefix of one, or AUTHORITY NUMBER.",
    ),
]


def endorse(
    policy: _Policy,
    as_: Annotated[
        str, typer.Option("--as", metavar="AUTHORITY", help="The authority that endorses it.")
    ],
    number: Annotated[
        str | None, typer.Option(help="Its own number for it; else the lead's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Endorse another authority's policy as a co-issuing authority: record its document in
    one's own name. Where the lead has amended since, endorse again."""
    from registry.cli.publish import perform
    from registry.core.authority import check_code
    from registry.services.endorsing import endorsement

    authority = check_code(as_)
    with common.workspace() as opened:
        common.sync_quietly(opened)
        found = endorsement(opened.engine, policy, authority, number, common.day(None))
    if not found.named:
        common.note(f"{found.lead} does not name {authority} among those who issue it")
    perform(found.draft, digest_only=False, as_json=as_json)


COMMANDS: dict[str, Callable[..., Any]] = {"endorse": endorse}
