"""`polreg import`: a whole back catalogue from an index file, or a mirror from a log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json

if TYPE_CHECKING:
    from registry.core.backlog import Refused, Row
    from registry.services.importing import Imported
    from registry.services.outbox import Outbox
    from registry.services.workspace import Workspace

_LISTED = 10


def import_index(
    index: Annotated[Path, typer.Argument(metavar="INDEX.csv", help="One document a row.")],
    root: Annotated[
        Path | None, typer.Option(help="The folder of the files; else that of the index.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=400, help="Documents a transaction.")] = 100,
    open_authorities: Annotated[
        bool | None,
        typer.Option(
            "--open-authorities/--no-open-authorities",
            help="Open authorities that are not open yet; the default on a development chain.",
        ),
    ] = None,
    as_json: Json = False,
) -> int:
    """Publish every document of an index; a later-dated row of one number amends.

    What is in the registry already is left alone, so an interrupted import is simply run
    again. Exit code 1 where some row could not be published: each is listed with its
    reason.
    """
    from registry.services.importing import Imported, read_index
    from registry.services.setup import outbox_for

    common.warn_of_key()
    rows, refused = read_index(index)
    done = Imported(rows=len(rows) + len(refused), refused=refused)
    with common.workspace() as opened:
        common.sync_quietly(opened)
        outbox = outbox_for(opened, common.ask_password, batch=batch)
        allowed = opened.development if open_authorities is None else open_authorities
        try:
            rows = _authorities(opened, outbox, rows, done, allowed=allowed)
            _publish_rows(opened, outbox, rows, root or index.parent, done)
        finally:
            # Also after Ctrl-C: what was sent is in the log and has to be told.
            common.sync_quietly(opened)
            _tell(done, as_json=as_json)
    return 1 if done.refused else 0


def _authorities(
    opened: Workspace, outbox: Outbox, rows: list[Row], done: Imported, *, allowed: bool
) -> list[Row]:
    """Open what is missing where that is allowed; else refuse the rows that need it."""
    from registry.core.backlog import Refused
    from registry.services.authorities import become_registrar, open_authority
    from registry.services.importing import missing_authorities

    missing = missing_authorities(rows, opened.client)
    if allowed:
        for code in missing:
            open_authority(code, {}, None, opened.client, outbox)
            done.opened.append(code)
        become_registrar({row.authority for row in rows}, opened.client, outbox)
        return rows
    for row in rows:
        if row.authority in missing:
            reason = f"the authority {row.authority} is not open"
            done.refused.append(Refused(row.line, row.path, reason))
    return [row for row in rows if row.authority not in missing]


def _publish_rows(
    opened: Workspace, outbox: Outbox, rows: list[Row], root: Path, done: Imported
) -> None:
    from registry.services.importing import describe_files, make_plan, run_plan

    with common.progress("hashing") as advance:
        files = describe_files(rows, root, advance)
    plan = make_plan(rows, files, opened.engine)
    done.present = len(plan.present)
    done.refused.extend(plan.refused)
    with common.progress("publishing") as advance:
        run_plan(plan, opened.client, outbox, done, progress=advance)


def _tell(done: Imported, *, as_json: bool) -> None:
    done.refused.sort(key=lambda each: each.line)
    if as_json:
        common.print_json(
            {
                "rows": done.rows,
                "published": done.published,
                "already_present": done.present,
                "transactions": done.transactions,
                "gas_used": done.gas_used,
                "authorities_opened": done.opened,
                "refused": [
                    {"line": each.line, "path": each.path, "reason": each.reason}
                    for each in done.refused
                ],
            }
        )
        return
    for code in done.opened:
        common.say(f"opened {code}")
    for reason, some in _by_reason(done):
        common.say(f"{len(some)} not published: {reason}")
        for each in some[:_LISTED]:
            common.say(f"  line {each.line}: {each.path}")
        if len(some) > _LISTED:
            common.say(f"  … and {len(some) - _LISTED} more; --json lists them all")
    common.say(
        f"{done.rows} rows: {done.published} published in {done.transactions} transactions "
        f"({done.gas_used:,} gas), {done.present} already in the registry, "
        f"{len(done.refused)} not published"
    )


def _by_reason(done: Imported) -> list[tuple[str, list[Refused]]]:
    reasons: dict[str, list[Refused]] = {}
    for each in done.refused:
        reasons.setdefault(each.reason, []).append(each)
    return sorted(reasons.items(), key=lambda pair: -len(pair[1]))


def import_log(
    file: Annotated[Path, typer.Argument(metavar="LOG.ndjson", help="What export log wrote.")],
    as_json: Json = False,
) -> None:
    """Build an empty mirror from a log that polreg export log wrote.

    Every entry and manifest is checked against the root that the chain itself has, and the
    blocks against the node's; that no manifest came with an entry that has none there, against
    the node's logs. Then polreg sync goes on from there. With which transactions the other
    entries came is the exporter's word. Exit code 1 where the chain has another log, 3 where
    it could not be asked: nothing is written then.
    """
    from registry.core.chain_id import caip2, caip10
    from registry.services.log_export import import_log as import_into

    with common.workspace() as opened, common.progress("importing") as advance:
        done = import_into(file, opened.client, opened.engine, advance)
    contract = caip10(done.chain_id, opened.deployment.contract)
    if as_json:
        common.print_json(
            {
                "chain": caip2(done.chain_id),
                "contract": contract,
                "size": done.size,
                "root": done.root.hex(),
                "block": {"number": done.block, "hash": "0x" + done.block_hash.hex()},
                "synced": done.synced_at is not None,
            }
        )
        return
    common.say(f"{done.size} entries imported, root {done.root.hex()} is the chain's")
    common.say(f"{contract}, block {done.block}; the transactions' hashes are the exporter's word")
    if done.synced_at is None:
        common.say("The chain is ahead of it: run polreg sync.")


COMMANDS: dict[str, Callable[..., Any]] = {"import": import_index}

BELOW: dict[str, dict[str, Callable[..., Any]]] = {"import": {"log": import_log}}
