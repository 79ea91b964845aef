"""Checking a mirror to its last bit, and repairing it row by row.

Steps: 1 the database file and its full-text index; 2 every entry's leaf, place and policy,
every manifest; 3 every tile; 4 all that is derived, computed by the code that wrote it;
5 blocks and position; 6 against the chain: the contract's size and root at the mirror's
block, each block's hash. Where the chain can not be asked, the first five are done all
the same, with the mirror's own position for the right root.

A repair fetches again only what no other row vouches for, computes the rest, and is kept
only where the same audit then finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from registry.chain.client import Client
from registry.config import Settings
from registry.core.units import BlockNumber
from registry.core.verdict import ExitCode
from registry.errors import CouldNotCheck, InputError, RegistryError
from registry.mirror.audit import (
    Audited,
    Reference,
    audit,
    holds_nothing,
    to_be_read,
)
from registry.mirror.engine import (
    Connection,
    Engine,
    open_unchecked,
    sqlite_url,
    writing,
)
from registry.mirror.findings import Finding, Remedy
from registry.mirror.repair import mend
from registry.mirror.storage import (
    as_stored,
    index_findings,
    inspecting,
    is_empty,
    knows_schema,
    locked_index_findings,
)
from registry.services.chain_audit import ChainSource, reference, replaced_blocks
from registry.services.workspace import Workspace

Progress = Callable[[int, int], None]
"""Called with entries done, and entries to do in all."""

_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Checked:
    """What fsck found. `chain_problem` says why the chain could not be asked, `failure` why
    a repair was taken back."""

    audited: Audited
    chain_problem: RegistryError | None
    repaired: bool = False
    failure: RegistryError | None = None

    @property
    def findings(self) -> list[Finding]:
        return self.audited.findings

    @property
    def exit_code(self) -> ExitCode:
        if self.findings and not self.repaired:
            return ExitCode.NOT_VERIFIED
        return ExitCode.COULD_NOT_CHECK if self.chain_problem else ExitCode.VERIFIED


def fsck_workspace(opened: Workspace, *, repair: bool, progress: Progress) -> Checked:
    """Check, and if wanted repair, the mirror of a workspace."""
    engine = open_unchecked(_mirror_url(opened, repair=repair))
    try:
        return fsck(
            engine,
            lambda: opened.client,
            BlockNumber(opened.deployment.first_block),
            repair=repair,
            progress=progress,
        )
    finally:
        engine.dispose()


def fsck(
    engine: Engine,
    connect: Callable[[], Client],
    first_block: BlockNumber,
    *,
    repair: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Checked:
    """Check, and if wanted repair, a mirror. `connect` gives the chain's client, or raises
    what keeps it from being had."""
    with inspecting(engine) as connection:
        _require_mirror(connection)
    client, problem = _connected(connect)
    in_index = locked_index_findings(engine)
    with inspecting(engine) as connection:
        audited, problem = _checked(connection, client, problem, progress)
    audited.findings = in_index + audited.findings
    if not repair or not audited.findings:
        return Checked(audited, problem)
    source = None if client is None or problem else ChainSource(client, first_block)
    try:
        _repair(engine, client, source, problem, progress)
    except RegistryError as error:
        return Checked(audited, problem, failure=error)
    return Checked(audited, problem, repaired=True)


def _require_mirror(connection: Connection) -> None:
    if is_empty(connection):
        raise CouldNotCheck("there is no mirror yet", hint="run polreg sync")
    if not knows_schema(connection):
        raise CouldNotCheck(
            "the mirror's database is not of this program's schema",
            hint="run polreg sync; if that does not help, delete the database first",
        )
    if holds_nothing(connection):
        raise CouldNotCheck("the mirror has never been synced", hint="run polreg sync")


def _connected(connect: Callable[[], Client]) -> tuple[Client | None, RegistryError | None]:
    try:
        client = connect()
        client.chain_id()
    except RegistryError as error:
        return None, error
    return client, None


def _checked(
    connection: Connection,
    client: Client | None,
    problem: RegistryError | None,
    progress: Progress,
) -> tuple[Audited, RegistryError | None]:
    """The audit, and why the chain could not be asked, if so."""
    told: Reference | None = None
    if client is not None:
        try:
            told = reference(client, connection)
        except RegistryError as error:
            problem = error
    audited = audit(connection, told, _counting(connection, progress))
    if client is not None and told is not None:
        try:
            known = {each.key for each in audited.findings if each.table == "blocks"}
            wrong = replaced_blocks(client, connection)
            audited.findings += [each for each in wrong if each.key not in known]
        except RegistryError as error:
            problem = error
    return audited, problem


def _repair(
    engine: Engine,
    client: Client | None,
    source: ChainSource | None,
    problem: RegistryError | None,
    progress: Progress,
) -> None:
    """Mend and audit in one transaction until nothing is found. Raises CouldNotCheck, and
    leaves everything as it was, where that does not come about."""
    before: list[Finding] = []
    with writing(engine) as connection, as_stored(connection):
        for _ in range(_ROUNDS):
            audited, _problem = _checked(connection, client, problem, progress)
            audited.findings += index_findings(connection)
            if not audited.findings:
                return
            if audited.findings == before or _beyond(audited.findings):
                break
            before = audited.findings
            mend(connection, audited, source)
        raise CouldNotCheck(
            "the mirror could not be repaired and was left as it is",
            hint="delete it and run polreg sync, which rebuilds it from the chain",
        )


def _beyond(findings: list[Finding]) -> bool:
    return any(each.remedy is Remedy.NONE for each in findings)


def _counting(connection: Connection, progress: Progress) -> Callable[[int], None]:
    total, done = to_be_read(connection), 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(min(done, total), total)

    return count


def _mirror_url(opened: Workspace, *, repair: bool) -> str:
    settings: Settings = opened.settings
    if settings.database_read_url is not None and settings.reads_only:
        if repair:
            raise InputError(
                "POLREG_DATABASE_READ_URL alone is only read from: a replica is repaired with "
                "its primary",
                hint="set POLREG_DATABASE_URL to the primary",
            )
        return settings.database_read_url
    return settings.database_url or sqlite_url(settings.mirror_path(opened.deployment))
