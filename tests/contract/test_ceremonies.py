"""The ceremonies of docs/security.md are walked, line by line, on a real node."""

from __future__ import annotations

from pathlib import Path

import pytest
import solcx

from registry.chain.rpc import HttpTransport
from scripts.compile import collect_sources, compiler
from tests.anvil import running_anvil
from tests.contract.anvil_registry import mutating_functions
from tests.contract.ceremony import PAGE, Call, ceremonies
from tests.contract.ceremony_walk import Walk

CEREMONIES = ceremonies(PAGE.read_text("utf-8"))
SOURCE, WALLET = "tests/contract/ActingTwoOfThree.sol", "ActingTwoOfThree"

# One process compiles the wallet, once.
pytestmark = pytest.mark.xdist_group("ceremonies")


@pytest.fixture(scope="module")
def wallet_code() -> str:
    """The creation code of a wallet of which two of three owners sign."""
    request = {
        "language": "Solidity",
        "sources": collect_sources(SOURCE),
        "settings": {
            "evmVersion": "prague",
            "outputSelection": {SOURCE: {WALLET: ["evm.bytecode.object"]}},
        },
    }
    output = solcx.compile_standard(request, solc_binary=compiler())
    return "0x" + str(output["contracts"][SOURCE][WALLET]["evm"]["bytecode"]["object"])


@pytest.mark.parametrize("name", CEREMONIES)
def test_a_ceremony_goes_as_it_is_written(name: str, wallet_code: str, tmp_path: Path) -> None:
    with running_anvil() as url:
        Walk(HttpTransport(url), url, tmp_path, wallet_code, CEREMONIES).walk(name)


def test_no_act_is_without_a_ceremony() -> None:
    steps = [step for steps in CEREMONIES.values() for step in steps]
    called = {step.function for step in steps if isinstance(step, Call)}
    assert mutating_functions() <= called


def test_a_step_that_is_miswritten_is_no_step() -> None:
    for wrong in ("minister grantRole(x) => nothing", "minister: grantRole => nothing", "x: y()"):
        with pytest.raises(AssertionError, match="this is n"):
            ceremonies(f"```ceremony wrong\n{wrong}\n```\n")


@pytest.mark.parametrize(
    "altered",
    [
        "appoint-admin council",
        "nothing",
        "dismiss-admin board",
        "refused: Retired",
        "appoint-admin board; appoint-admin board",
    ],
)
def test_a_walk_notices_another_outcome(altered: str, wallet_code: str, tmp_path: Path) -> None:
    page = f"```ceremony altered\ndeployer: deploy(board, 5 days) => {altered}\n```\n"
    with running_anvil() as url:
        walk = Walk(HttpTransport(url), url, tmp_path, wallet_code, ceremonies(page))
        with pytest.raises(AssertionError):
            walk.walk("altered")
