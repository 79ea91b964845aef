"""`polreg status`: how the chain, the mirror and its follower are doing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from registry.cli import common
from registry.cli.common import Json

_SILENT_SECONDS = 120
"""A follower that says nothing for so long has been killed, or hangs."""

_NEEDS_SOMEBODY = 3


def status(as_json: Json = False) -> int:
    """Say how far the mirror has read the chain, how the following goes, and what went wrong.

    Exit code 3 where the node can not be asked, or where the follower stopped with an alarm.
    """
    from registry.services.status import chain_status

    with common.workspace() as opened:
        shown = chain_status(opened)
    if as_json:
        common.print_json(shown)
    else:
        _say(shown)
    return _NEEDS_SOMEBODY if shown["node"]["error"] or shown["alarm"] else 0


def _say(shown: dict[str, Any]) -> None:
    if shown["alarm"]:
        common.say(f"ALARM: the follower stopped: {shown['alarm']}")
    _say_node(shown["node"])
    _say_mirror(shown["mirror"], shown["node"])
    _say_follower(shown["follower"])
    for fault in shown["faults"]:
        common.say(
            f"  {fault['count']:>8}  {fault['kind']}, last at {fault['last_at']}: {fault['detail']}"
        )
    for name, number in shown["totals"].items():
        typer.echo(f"  {number:>8}  {name}")
    if shown["registry"]:
        common.say_context(shown["registry"])


def _say_node(node: dict[str, Any]) -> None:
    if node["error"]:
        common.say(f"the chain could not be reached: {node['error']['message']}")
        return
    common.say(
        f"chain at block {node['head']} of {node['head_time']}, "
        f"safe {_or_none(node['safe'])}, finalized {_or_none(node['finalized'])}"
    )


def _say_mirror(mirror: dict[str, Any] | None, node: dict[str, Any]) -> None:
    if mirror is None:
        typer.echo("the mirror has read nothing yet: run polreg sync")
        return
    behind = "" if node["lag_blocks"] is None else f", {node['lag_blocks']} blocks behind"
    synced = (
        "the first reading of the chain is not finished"
        if node["lag_seconds"] is None
        else f"up to date {node['lag_seconds']} s ago"
    )
    common.say(f"mirror ({mirror['database']}) at block {mirror['block']}{behind}, {synced}")


def _say_follower(follower: dict[str, Any] | None) -> None:
    if follower is None:
        typer.echo("nothing follows the chain: polreg sync --follow or polreg serve does")
        return
    rate = follower["entries_per_second"]
    told = "" if rate is None else f", {rate:,.0f} entries a second"
    common.say(
        f"follower {follower['state'].replace('_', ' ')} since {follower['since']}, "
        f"{follower['polls']} polls{told}"
    )
    silent = follower["silent_seconds"]
    if silent > _SILENT_SECONDS and follower["state"] not in {"stopped", "alarm"}:
        common.say(f"  it has said nothing for {silent} s: is it running?")
    if follower["failure"]:
        common.say(f"  since {follower['failure']['since']}: {follower['failure']['detail']}")


def _or_none(number: int | None) -> str:
    return "none" if number is None else str(number)


COMMANDS: dict[str, Callable[..., Any]] = {"status": status}
