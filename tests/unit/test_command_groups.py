"""A command with others below it: the first word decides which of them is meant."""

from __future__ import annotations

import os

import pytest
import typer
from typer.testing import CliRunner

from registry.cli.groups import DEFAULT, DefaultCommand, DefaultGroup


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer(
        rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]}
    )
    group = typer.Typer(cls=DefaultGroup, help="Take one.", rich_markup_mode=None)

    @group.command(DEFAULT, cls=DefaultCommand, hidden=True)
    def take(name: str = typer.Argument("nothing"), size: int = 0) -> None:
        """Take one."""
        typer.echo(f"took {name} of {size}")

    @group.command("verify")
    def verify(file: str) -> None:
        """Verify one."""
        typer.echo(f"verified {file}")

    app.add_typer(group, name="snapshot")

    @app.command("other")
    def other() -> None:
        """Be another."""

    return app


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "took nothing of 0"),
        ("one", "took one of 0"),
        ("--size 3 one", "took one of 3"),
        ("--size 3 verify", "took verify of 3"),
        ("./verify", "took ./verify of 0"),
        (DEFAULT, f"took {DEFAULT} of 0"),
        ("verify one", "verified one"),
        ("verify verify", "verified verify"),
    ],
)
def test_the_first_word_decides(app: typer.Typer, words: str, said: str) -> None:
    assert CliRunner().invoke(app, ["snapshot", *words.split()]).stdout == f"{said}\n"


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_tells_of_the_command_and_of_those_below(app: typer.Typer, flag: str) -> None:
    said = CliRunner().invoke(app, ["snapshot", flag]).stdout
    assert "Usage: root snapshot [OPTIONS]" in said
    assert "--size" in said
    assert "verify  Verify one." in said
    assert "./verify" in said
    assert DEFAULT not in said


def test_a_wrong_option_is_told_in_the_command_s_own_name(app: typer.Typer) -> None:
    ended = CliRunner().invoke(app, ["snapshot", "--bad"])
    assert ended.exit_code == 2
    assert "Usage: root snapshot [OPTIONS]" in ended.stderr


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("root snap", {"snapshot"}),
        ("root snapshot ", {"verify"}),
        ("root snapshot --s", {"--size"}),
        ("root snapshot one --s", {"--size"}),
        ("root snapshot verify --h", {"--help"}),
    ],
)
def test_the_shell_completes_both(app: typer.Typer, typed: str, offered: set[str]) -> None:
    asked = {"_ROOT_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    ended = CliRunner().invoke(
        app, prog_name="root", env={**os.environ, **asked, "_TYPER_COMPLETE_ARGS": typed}
    )
    assert {line.partition("\t")[0] for line in ended.stdout.splitlines()} == offered
