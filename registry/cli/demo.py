"""`polreg demo`: the main job from nothing to a page in the browser, told step by step."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from registry.cli import common, published_texts

if TYPE_CHECKING:
    from pathlib import Path

    from registry.config import Settings
    from registry.services.demo import Sample
    from registry.services.verify import CheckedFile
    from registry.services.workspace import Workspace

_BAR = 40


def run_demo(*, serve_page: bool, port: int) -> None:
    """Build, verify, count, and serve. Everything is kept below POLREG_HOME/demo."""
    from registry.services.setup import initialise
    from registry.services.workspace import Workspace

    settings = _demo_settings()
    _step(1, "a registry of its own, on a chain inside this process")
    made = initialise(settings)
    typer.echo(f"   {'made' if made.created else 'found'} in {settings.home}")
    with Workspace(settings) as opened:
        samples = _samples(settings.home)
        _publish(opened, samples[0].path.parent)
        _verify(opened, samples)
        _count(opened)
    if serve_page:
        _serve(settings, samples, port)


def _demo_settings() -> Settings:
    """The user's own home folder, but nothing of another network or key."""
    from registry.config import Settings, settings_from

    given = settings_from(os.environ)
    return Settings(home=given.home / "demo")


def _step(number: int, text: str) -> None:
    typer.secho(f"\n{number}. {text}", bold=True)


def _publish(opened: Workspace, folder: Path) -> None:
    from registry.services.demo import open_demo_authorities, publish_demo
    from registry.services.setup import development_outbox
    from registry.services.texts.own_lists import OwnLists
    from registry.services.texts.registering import Choices, registering

    _step(2, "23 policies of 2016 to 2018, joint issues, an amendment, a repeal")
    outbox = development_outbox(opened)
    with common.progress("opening authorities"):
        authorities = open_demo_authorities(opened.client, outbox)
    lists = OwnLists(opened.engine)
    with registering(opened.settings, lists, Choices(), workers=1) as registered:
        acts = publish_demo(opened.client, outbox, (registered, folder))
    published_texts.note_left_out(registered.left_out)
    common.sync_quietly(opened)
    if acts:
        typer.echo(f"   opened {authorities} authorities, recorded {acts} acts")
    else:
        typer.echo("   already published by an earlier run")


def _samples(home: Path) -> list[Sample]:
    from registry.services.demo import write_samples

    return write_samples(home / "documents")


def _verify(opened: Workspace, samples: list[Sample]) -> None:
    from registry.cli.check import explained
    from registry.services.texts.explaining import Asked
    from registry.services.verify import verify_files

    _step(3, "is this file the one that was published?")
    today = common.day(None)
    _, checked = verify_files(opened.engine, [each.path for each in samples], today)
    with common.progress("reading texts") as advance:
        checked = explained(opened, checked, Asked(today), advance)
    for sample, found in zip(samples, checked, strict=True):
        typer.echo(f"   {sample.shows}: {sample.path.name}")
        word = found.word.replace("_", " ") + _where(found)
        typer.echo(f"     -> {word} (exit code {found.exit_code:d})")


def _where(found: CheckedFile) -> str:
    """In which clauses an altered copy differs."""
    from registry.core.text.comparing import Change

    text = None if found.verdict is None else found.verdict.text
    if text is None or text.altered is None:
        return ""
    changed = text.altered.compared.comparison.of(Change.CHANGED)
    return ", ".join(["", *(row.label for row in changed)])


def _count(opened: Workspace) -> None:
    from registry.core.snapshot import Filters
    from registry.mirror.listing import PolicyFilter
    from registry.services.lookup import count_policies
    from registry.services.snapshots import take_snapshot

    _step(4, "policies by jurisdiction")
    wanted = PolicyFilter(on=common.day(None), leading_only=True)
    _, number, statistics, _ = count_policies(opened.engine, wanted)
    by_jurisdiction = statistics["jurisdiction"]
    unit = max(1, _BAR // max(by_jurisdiction.values()))
    for jurisdiction, count in by_jurisdiction.items():
        typer.echo(f"   {jurisdiction:<6} {'█' * (count * unit)} {count}")
    typer.echo(f"   {number} policies; a joint issue is counted once")
    _step(5, "the whole registry as one snapshot")
    header = take_snapshot(opened.engine, Filters()).header
    typer.echo(f"   {header['count']} rows, log of {header['size']} entries")
    typer.echo(f"   root {header['root']}")


def _serve(settings: Settings, samples: list[Sample], port: int) -> None:
    from api import serve

    def announce(url: str) -> None:
        _step(6, f"open {url} and drop a file of")
        typer.echo(f"   {samples[0].path.parent}")
        typer.echo(f"   first {samples[0].path.name}, then {samples[1].path.name}. Ctrl-C ends it.")

    serve(settings, "127.0.0.1", port, follow_seconds=2.0, announce=announce)
