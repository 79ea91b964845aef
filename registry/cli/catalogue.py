"""`polreg import`: a whole back catalogue from an index file, or a mirror from a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common, drafting, published_texts
from registry.cli.common import Json
from registry.cli.drafting import KeepDocument, Salted, WithText

if TYPE_CHECKING:
    from registry.core.ranges import Ranges
    from registry.services.import_costs import Spending
    from registry.services.outbox import Outbox
    from registry.services.texts.registering import Choices, LeftOut
    from registry.services.worklist import Worklist
    from registry.services.workspace import Workspace

_LISTED = 10
_SYNCED_AFTER = 2_000


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
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Write what became of every row to PATH.csv and PATH.json, also after Ctrl-C.",
        ),
    ] = None,
    text: WithText = True,
    salted: Salted = False,
    keep_document: KeepDocument = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say what it would do and cost now; stage and send nothing."
        ),
    ] = False,
    as_json: Json = False,
) -> int:
    """Publish every document of an index; a later-dated row of one number amends.

    What is in the registry already is left alone and what is on its way goes on, so an
    interrupted import is simply run again. Exit code 1 where some row could not be published:
    each is listed with its reason.
    """
    from registry.services.import_report import require_writable
    from registry.services.importing import read_index
    from registry.services.worklist import Worklist

    if report is not None:
        require_writable(report)
    wanted = drafting.choices(text=text, salted=salted, keep_document=keep_document)
    common.warn_of_key()
    with Worklist() as worklist, common.workspace() as opened:
        read_index(index, worklist)
        opened.write_much()
        common.sync_quietly(opened)
        run = _Import(
            opened, worklist, root or index.parent, batch, report, wanted, as_json=as_json
        )
        allowed = opened.development if open_authorities is None else open_authorities
        return run.rehearse(allowed=allowed) if dry_run else run.perform(allowed=allowed)


class _Import:
    """One run of the command."""

    def __init__(
        self,
        opened: Workspace,
        worklist: Worklist,
        root: Path,
        batch: int,
        report: Path | None,
        wanted: Choices,
        *,
        as_json: bool,
    ) -> None:
        self._opened, self._worklist, self._root, self._batch = opened, worklist, root, batch
        self._wanted = wanted
        self._report, self._as_json = report, as_json
        self._newly_open: list[str] = []
        self._left_out: LeftOut = published_texts.nothing_left_out()
        self._synced = 0

    def perform(self, *, allowed: bool) -> int:
        from registry.services.setup import outbox_for

        outbox = outbox_for(self._opened, common.ask_password, batch=self._batch)
        try:
            self._authorities(outbox, allowed=allowed)
            self._describe()
            self._finish(outbox, self._stage(outbox))
        except KeyboardInterrupt:
            self._say_what_is_in_line(outbox)
            raise
        finally:
            # Also after Ctrl-C: what was sent is in the log and has to be told.
            common.sync_quietly(self._opened)
            refused = self._tell()
        return 1 if refused else 0

    def rehearse(self, *, allowed: bool) -> int:
        """Say what would be done."""
        from registry.services.import_costs import estimate
        from registry.services.importing import missing_authorities
        from registry.services.worklist import Outcome

        missing = missing_authorities(self._worklist.authorities(), self._opened.client)
        if not allowed:
            self._refuse(missing)
            missing = []
        self._describe()
        found = estimate(
            self._worklist,
            self._opened.engine,
            self._opened.client,
            self._batch,
            text=self._wanted.text,
        )
        counts = self._worklist.counts()
        summary = {
            "dry_run": True,
            "rows": sum(counts.values()),
            "would_publish": found.published,
            "would_amend": found.amended,
            "already_present": counts.get(Outcome.PRESENT, 0),
            "transactions": found.transactions,
            "gas": found.gas,
            "gas_price": found.price,
            "cost": found.cost,
            "would_open": missing,
        }
        self._write_report(summary)
        if self._as_json:
            common.print_json({**summary, "refused": self._refused()})
        else:
            for code in missing:
                common.say(f"would open {code}")
            self._list_refused()
            currency = self._opened.network.currency
            common.say(
                f"{summary['rows']} rows: {found.published} would be published and "
                f"{found.amended} amend, in {found.transactions} transactions, about "
                f"{found.gas:,} gas, {common.amount(found.cost, currency)} at the present "
                f"{found.price / 10**9:.9g} gwei; {summary['already_present']} already in the "
                f"registry, {counts.get(Outcome.REFUSED, 0)} not published"
            )
            common.say("Nothing was sent, and nothing put in line.")
        return 1 if counts.get(Outcome.REFUSED) else 0

    def _authorities(self, outbox: Outbox, *, allowed: bool) -> None:
        """Open what is missing where that is allowed; else refuse the rows that need it."""
        from registry.errors import Rejected
        from registry.services.authorities import become_registrar, open_authority
        from registry.services.importing import missing_authorities

        codes, client = self._worklist.authorities(), self._opened.client
        missing = missing_authorities(codes, client)
        if not allowed:
            self._refuse(missing)
            return
        for code in missing:
            try:
                open_authority(code, {}, None, client, outbox)
            except Rejected:
                # What a run that was interrupted had sent may have come in meanwhile.
                if not client.open_authorities([code])[0]:
                    raise
            self._newly_open.append(code)
        become_registrar(codes, client, outbox)

    def _refuse(self, missing: list[str]) -> None:
        for code in missing:
            self._worklist.refuse_authority(code, f"the authority {code} is not open")

    def _describe(self) -> None:
        from registry.services.importing import describe_files

        with common.progress("hashing") as advance:
            describe_files(self._worklist, self._root, advance)

    def _stage(self, outbox: Outbox) -> Ranges:
        from registry.services.importing import stage_all
        from registry.services.texts.own_lists import OwnLists
        from registry.services.texts.registering import registering

        opened = self._opened
        with (
            registering(opened.settings, OwnLists(opened.engine), self._wanted) as registered,
            common.progress("staging") as advance,
        ):

            def progress(done: int, total: int) -> None:
                self._read_along(done)
                advance(done, total)

            try:
                return stage_all(
                    self._worklist, opened.engine, outbox, (registered, self._root), progress
                )
            finally:
                self._left_out = registered.left_out

    def _finish(self, outbox: Outbox, acts: Ranges) -> None:
        from registry.services.import_costs import Spending

        if not len(acts):
            return
        spending = Spending(self._opened.engine, self._opened.client)
        within = acts.all[0][0], acts.all[-1][1]
        currency, begun = self._opened.network.currency, time.monotonic()
        before, self._synced = -1, 0
        with common.meter("publishing") as tell:

            def progress(done: int, total: int) -> None:
                nonlocal before
                if done != before:
                    before = done
                    spending.count_acts(outbox, within)
                self._read_along(done)
                seconds = time.monotonic() - begun
                tell(done, total, _words(done, total, seconds, spending, currency))

            outbox.finish(acts, progress)

    def _read_along(self, done: int) -> None:
        """Bring the mirror up a little at a time: all of an import, read at once at its end, would
        be in memory at once."""
        from registry.errors import CouldNotCheck

        if done - self._synced >= _SYNCED_AFTER:
            self._synced = done
            with suppress(CouldNotCheck):
                self._opened.sync()

    def _say_what_is_in_line(self, outbox: Outbox) -> None:
        waiting = len(outbox.in_line())
        common.note(
            f"{waiting:,} acts are in line, written down and safe: to go on with them run "
            "polreg outbox run, or this import again, which also does what it did not come to; "
            "polreg outbox list shows them"
            if waiting
            else "nothing is in line: run this import again to go on"
        )

    def _tell(self) -> int:
        """Say what became of the rows, and write the report; how many were refused."""
        from registry.services.import_costs import Spending
        from registry.services.importing import settle
        from registry.services.worklist import Outcome

        carriers = settle(self._worklist, self._opened.engine)
        spending = Spending(self._opened.engine, self._opened.client)
        spending.count(list(carriers))
        counts = self._worklist.counts()
        summary = {
            "rows": sum(counts.values()),
            "published": counts.get(Outcome.PUBLISHED, 0),
            "already_present": counts.get(Outcome.PRESENT, 0),
            "in_line": counts.get(Outcome.IN_LINE, 0),
            "not_reached": counts.get(Outcome.NOT_REACHED, 0),
            "transactions": spending.transactions,
            "gas_used": spending.gas_used,
            "paid": spending.paid,
            "authorities_opened": self._newly_open,
            "without_text": sum(map(len, self._left_out.files.values())),
        }
        published_texts.note_left_out(self._left_out)
        self._write_report(summary)
        if self._as_json:
            common.print_json({**summary, "refused": self._refused()})
        else:
            self._say(summary, counts.get(Outcome.REFUSED, 0))
        return counts.get(Outcome.REFUSED, 0)

    def _say(self, summary: dict[str, Any], refused: int) -> None:
        for code in self._newly_open:
            common.say(f"opened {code}")
        self._list_refused()
        paid = common.amount(summary["paid"], self._opened.network.currency)
        left = "".join(
            f", {summary[name]} {word}"
            for name, word in (("in_line", "in line"), ("not_reached", "not reached"))
            if summary[name]
        )
        common.say(
            f"{summary['rows']} rows: {summary['published']} published in "
            f"{summary['transactions']} transactions ({summary['gas_used']:,} gas, {paid}), "
            f"{summary['already_present']} already in the registry, {refused} not published{left}"
        )

    def _refused(self) -> list[dict[str, Any]]:
        return [
            {"line": each.line, "path": each.path, "reason": each.reason}
            for each in self._worklist.refused()
        ]

    def _list_refused(self) -> None:
        for reason, number, some in self._worklist.reasons(_LISTED):
            common.say(f"{number} not published: {reason}")
            for each in some:
                common.say(f"  line {each.line}: {each.path}")
            if number > len(some):
                common.say(f"  … and {number - len(some)} more; --report lists them all")

    def _write_report(self, summary: dict[str, Any]) -> None:
        from registry.services.import_report import write_report

        if self._report is not None:
            for path in write_report(self._report, self._worklist, summary):
                common.note(f"report: {path}")


def _words(done: int, total: int, seconds: float, spending: Spending, currency: str) -> str:
    """Rate, time left, gas and cost so far."""
    rate = done / seconds if seconds else 0.0
    left = f"{(total - done) / rate:,.0f} s left" if rate else "time left not known"
    paid = common.amount(spending.paid, currency)
    return f", {rate:,.0f} a second, {left}, {spending.gas_used:,} gas, {paid}"


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
