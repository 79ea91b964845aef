"""docs/contracts.md shows the code of contracts/examples and names every way the gate refuses."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "contracts.md").read_text("utf-8")
SOURCES = {path.name: path.read_text("utf-8") for path in ROOT.glob("contracts/examples/*.sol")}
BLOCKS = re.findall(r"^```solidity\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `(\w+(?:\.sol)?)` \|", re.MULTILINE)


def stands_in(block: str, source: str) -> bool:
    """Whether the block is some consecutive lines of the source, at whatever indentation."""
    wanted, lines = block.splitlines(), source.splitlines()
    windows = (lines[at : at + len(wanted)] for at in range(len(lines) - len(wanted) + 1))
    return any(dedent("\n".join(window)).splitlines() == wanted for window in windows)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_the_solidity_shown_is_the_examples_own(block: str) -> None:
    assert any(stands_in(block, source) for source in SOURCES.values())


def test_there_is_solidity_to_check() -> None:
    assert len(BLOCKS) == 3


def test_an_altered_line_would_be_noticed() -> None:
    altered = BLOCKS[-1].replace("!=", "==", 1)
    assert altered != BLOCKS[-1]
    assert not any(stands_in(altered, source) for source in SOURCES.values())


def test_the_page_lists_each_file_and_each_error_of_the_gate() -> None:
    gate = SOURCES["PolicyGated.sol"] + SOURCES["InForce.sol"]
    errors = re.findall(r"^ *error (\w+)\(", gate, re.MULTILINE)
    assert sorted(_ROW.findall(PAGE)) == sorted([*SOURCES, *errors])
