"""Commands that set up and run things: init, deploy, sync, serve, chain, demo."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json
from registry.config import LogFormat

if TYPE_CHECKING:
    from registry.config import Settings
    from registry.services.relaying import Paying
    from registry.services.sync import Synced
    from registry.services.workspace import Workspace


def init(as_json: Json = False) -> None:
    """Make a registry on this machine: home folder, development key, embedded chain."""
    from registry.services.setup import initialise

    with common.workspace() as opened:
        made = initialise(opened.settings)
        common.sync_quietly(opened)
        home = str(opened.settings.home)
    _tell_deployment(
        made.deployment, made.account, {"home": home, "created": made.created}, as_json
    )


def deploy(
    again: Annotated[
        bool, typer.Option("--again", help="Also where one is already known: a second registry.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Deploy the contract on the network of POLREG_RPC_URL; your account administers it."""
    from registry.config import read_deployment
    from registry.errors import InputError
    from registry.services.keys import signer_of
    from registry.services.setup import deploy as deploy_contract

    common.warn_of_key()
    with common.workspace() as opened:
        if opened.settings.rpc_url is None:
            raise InputError(
                "POLREG_RPC_URL is not set", hint="set it; for the embedded chain run polreg init"
            )
        known = read_deployment(opened.settings)
        if known is not None and not again:
            raise InputError(
                f"a registry at {known.contract} is already known on this network",
                hint="use it; for a second one, run polreg deploy --again",
            )
        signer = signer_of(opened.settings, common.ask_password)
        deployment = deploy_contract(opened.transport, signer, opened.settings)
    with common.workspace() as opened:
        common.sync_quietly(opened)
        home = str(opened.settings.home)
    _tell_deployment(deployment, signer.address, {"home": home, "created": True}, as_json)


def _tell_deployment(deployment: Any, account: Any, more: dict[str, Any], as_json: bool) -> None:
    from registry.chain.addresses import checksummed
    from registry.core.chain_id import caip2, caip10, is_development
    from registry.services.answers import DEVELOPMENT_NOTE

    shown = {
        "chain": caip2(deployment.chain_id),
        "contract": caip10(deployment.chain_id, deployment.contract),
        "first_block": deployment.first_block,
        "account": checksummed(account),
        **more,
    }
    if as_json:
        common.print_json(shown)
        return
    typer.echo("the registry is " + ("ready" if more["created"] else "already there"))
    for key, value in shown.items():
        if key != "created":
            typer.echo(f"  {key.replace('_', ' '):<12}{value}")
    if is_development(deployment.chain_id):
        typer.echo(f"This is {DEVELOPMENT_NOTE}.")


LogFormatOption = Annotated[
    LogFormat | None,
    typer.Option("--log-format", help="Else text on a terminal, json elsewhere."),
]


def sync(
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until told to stop (SIGTERM, Ctrl-C).")
    ] = False,
    every: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.05, max=3600, help="Following: how often to look."),
    ] = None,
    log_format: LogFormatOption = None,
    metrics: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Following: serve metrics for Prometheus there."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Bring the mirror up to the chain's head; with --follow, keep it there.

    Following tells what happens on standard error, one event a line. It tries again when a
    node fails. It ends with exit code 3 where the chain replaced a finalised block.
    """
    from registry.errors import InputError

    if follow:
        if as_json:
            raise InputError(
                "--json prints one answer, and --follow goes on", hint="use --log-format json"
            )
        return _follow(every, log_format, metrics)
    if (every, log_format, metrics) != (None, None, None):
        raise InputError("--every, --log-format and --metrics are of --follow")
    with common.workspace() as opened:
        _tell_synced(_synced(opened), as_json)
    return 0


def _follow(every: float | None, log_format: LogFormat | None, metrics: str | None) -> int:
    from registry.cli import daemon, logs
    from registry.services.workspace import Workspace

    settings = common.workspace().settings
    with logs.telling(settings, log_format), Workspace(settings, logs.warn) as opened:
        return daemon.follow(opened, every, metrics)


def _synced(opened: Workspace) -> Synced:
    with common.progress("reading the chain") as advance:
        return opened.sync(lambda done, total, _entries: advance(done, total))


def _tell_synced(done: Synced, as_json: bool) -> None:
    from registry.services import answers

    context = answers.context(done.position)
    if as_json:
        common.print_json(
            {
                "entries_added": done.entries_added,
                "entries_removed": done.entries_removed,
                "registry": context,
            }
        )
        return
    typer.echo(f"{done.entries_added} entries added", nl=False)
    typer.echo(f", {done.entries_removed} taken back" if done.entries_removed else "")
    common.say_context(context)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow/--no-follow", help="Keep the mirror up to date; else another process does."
        ),
    ] = True,
    relay: Annotated[
        bool,
        typer.Option("--relay", help="Send the signed acts that are handed in; your key pays."),
    ] = False,
    relay_limit: Annotated[
        int, typer.Option(min=1, help="With --relay: acts of one registrar in an hour.")
    ] = 60,
    log_format: LogFormatOption = None,
) -> None:
    """Serve the API and the web page, and keep the mirror up to date."""
    from api import serve as serve_api
    from registry.chain.addresses import checksummed
    from registry.cli import logs, systemd

    opened = common.workspace()
    settings = opened.settings
    paying = _paying(settings, relay_limit) if relay else None
    with logs.telling(settings, log_format) as told_as:

        def announce(url: str) -> None:
            payer = None if paying is None else checksummed(paying.signer.address)
            if told_as is LogFormat.TEXT:
                typer.echo(f"serving {url} — Ctrl-C ends it", err=True)
                said = "are not relayed" if payer is None else f"are relayed; {payer} pays"
                typer.echo(f"signed acts {said}", err=True)
            else:
                logs.serving(url, payer)
            systemd.notify(systemd.READY)

        every = opened.poll_seconds if follow else None
        serve_api(settings, host, port, follow_seconds=every, announce=announce, paying=paying)
        systemd.notify(systemd.STOPPING)


def _paying(settings: Settings, hourly: int) -> Paying:
    from registry.errors import InputError
    from registry.services.keys import signer_of
    from registry.services.relaying import Paying

    if settings.reads_only:
        raise InputError(
            "--relay keeps what is handed in, and POLREG_DATABASE_READ_URL is only read from",
            hint="set POLREG_DATABASE_URL to the primary as well",
        )
    common.warn_of_key()
    return Paying(signer_of(settings, common.ask_password), hourly)


def chain(
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8545,
) -> None:
    """Serve the embedded chain as JSON-RPC on this machine's loopback address."""
    from registry.services.setup import serve_chain

    with common.workspace() as opened:
        typer.echo(f"JSON-RPC on http://127.0.0.1:{port}/ — Ctrl-C ends it", err=True)
        serve_chain(opened, port)


def demo(
    serve_page: Annotated[bool, typer.Option("--serve/--no-serve")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
) -> None:
    """Build the registry of 23 published policies, verify some, and serve the page."""
    from registry.cli.demo import run_demo

    run_demo(serve_page=serve_page, port=port)


COMMANDS: dict[str, Callable[..., Any]] = {
    "init": init,
    "deploy": deploy,
    "sync": sync,
    "serve": serve,
    "chain": chain,
    "demo": demo,
}
