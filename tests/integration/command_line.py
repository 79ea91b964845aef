"""Runs `polreg` in this process: what a user types, without paying for its imports again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from typer.testing import CliRunner

from registry.cli.app import build


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.out)


@dataclass(frozen=True)
class User:
    """Somebody with a home folder and an environment."""

    home: Path
    settings: dict[str, str]

    def __call__(self, *words: str | Path, stdin: str | None = None, **settings: str) -> Outcome:
        """Run `polreg` with these words; `settings` are further POLREG_ variables."""
        arguments = [str(word) for word in words]
        given = {"POLREG_HOME": str(self.home), **self.settings, **settings}
        with _only(given):
            result = CliRunner().invoke(build(arguments), arguments, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    def done(self, *words: str | Path, **settings: str) -> Outcome:
        """The same for a command that must succeed."""
        outcome = self(*words, **settings)
        assert outcome.code == 0, outcome.err
        return outcome


@contextmanager
def _only(settings: dict[str, str]) -> Iterator[None]:
    """The environment with these POLREG_ variables and no others."""
    before = {name: value for name, value in os.environ.items() if name.startswith("POLREG_")}
    for name in before:
        del os.environ[name]
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            del os.environ[name]
        os.environ.update(before)
