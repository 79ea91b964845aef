"""A registry on the embedded chain, made once and copied for each test that writes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.anvil import DEV_KEYS, running_anvil
from tests.integration.command_line import User


@pytest.fixture(scope="session")
def fresh_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder after `polreg init`, with the authority CN.GD open."""
    home = tmp_path_factory.mktemp("fresh") / "home"
    user = User(home, {})
    user.done("init")
    user.done("authority", "open", "CN.GD", "--parents", "--name-zh", "广东省")
    return home


@pytest.fixture
def user(fresh_home: Path, tmp_path: Path) -> User:
    """A user with a registry of their own."""
    home = tmp_path / "home"
    shutil.copytree(fresh_home, home)
    return User(home, {})


@pytest.fixture(scope="session")
def anvil() -> Iterator[str]:
    """The URL of a running Anvil."""
    with running_anvil() as url:
        yield url


@pytest.fixture
def anvil_user(anvil: str, tmp_path: Path) -> User:
    """A user of a contract of their own on Anvil."""
    user = User(tmp_path / "home", {"POLREG_RPC_URL": anvil, "POLREG_PRIVATE_KEY": DEV_KEYS[0]})
    user.done("deploy")
    user.done("authority", "open", "CN.GD", "--parents")
    return user
