"""What docs/security.md names is there: tests, commands, functions, pages."""

from __future__ import annotations

import re

import pytest

from registry.chain.abi import functions
from tests.anvil import ROOT
from tests.contract.ceremony import PAGE
from tests.integration.command_line import User

TEXT = PAGE.read_text("utf-8")
NAMED_TESTS = sorted(set(re.findall(r"`([\w/]+\.(?:py|t\.sol))::(\w+)`", TEXT)))
COMMANDS = sorted(set(re.findall(r"polreg ((?:admin |authority |snapshot |export )?[a-z]+)", TEXT)))
_DEFINITION = {"py": "def {}(", "sol": "function {}("}


def test_the_page_names_tests() -> None:
    assert len(NAMED_TESTS) > 40
    # Each mention is in the form that is checked below.
    assert TEXT.count("::test_") == len(re.findall(r"`[\w/]+\.(?:py|t\.sol)::test_\w+`", TEXT))


@pytest.mark.parametrize(("file", "name"), NAMED_TESTS)
def test_a_test_that_the_page_names_is_there(file: str, name: str) -> None:
    source = (ROOT / "tests" / file).read_text("utf-8")
    assert _DEFINITION[file.rpartition(".")[2]].format(name) in source


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_the_page_names_is_there(
    command: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    user = User(tmp_path_factory.getbasetemp() / "no home", {})
    assert user(*command.split(), "--help").code == 0


def test_a_function_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(\w+)\(…?\)`", TEXT))
    assert named
    assert named <= set(functions())


def test_a_page_that_it_leads_to_is_there() -> None:
    for page in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (PAGE.parent / page).is_file()


def test_other_pages_lead_to_it() -> None:
    assert "(docs/security.md)" in (ROOT / "README.md").read_text("utf-8")
    assert "(security.md)" in (ROOT / "docs" / "contracts.md").read_text("utf-8")
