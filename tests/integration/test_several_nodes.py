"""A user with several nodes: found by any of them, served by whichever is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from registry.chain.nodes import open_nodes
from registry.config import Settings, known_deployments
from registry.errors import InputError
from registry.services.workspace import Workspace
from tests.anvil import DEV_KEYS, running_anvil
from tests.integration.command_line import User
from tests.quirky_node import quirky_node
from tests.scripted_node import result

DOWN = "http://127.0.0.1:9"


@contextmanager
def another_name(node: str, chain: int | None = None) -> Iterator[str]:
    """The same node under another URL, and where that is given with another chain's id."""

    def renamed(call: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if chain is not None and call["method"] == "eth_chainId":
            return result(call, hex(chain))
        return answer

    with quirky_node(node, renamed) as other:
        yield other.url


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "document.md"
    path.write_text("the document")
    return path


def test_a_registrar_and_a_reader_work_on_while_a_node_is_down(
    anvil: str, tmp_path: Path, document: Path
) -> None:
    user = User(
        tmp_path / "home",
        {"POLREG_RPC_URL": f"{DOWN}, {anvil}", "POLREG_PRIVATE_KEY": DEV_KEYS[0]},
    )
    user.done("deploy")
    user.done("authority", "open", "CN.GD", "--parents")
    about = ("--authority", "CN.GD", "--number", "1", "--title-en", "A title")
    user.done("publish", document, *about)
    # In another order, and with the one that is there alone.
    for urls in (f"{anvil} {DOWN}", anvil):
        user.done("verify", document, POLREG_RPC_URL=urls)
        assert user.done("status", "--json", POLREG_RPC_URL=urls).json["registry"]["log"]["size"]
    down = user("sync", POLREG_RPC_URL=f"{DOWN} http://127.0.0.1:13")
    assert down.code == 3
    assert "no answer from http://127.0.0.1:9" in down.err
    assert "no answer from http://127.0.0.1:13" in down.err


def test_a_node_of_another_chain_among_them_is_not_asked(anvil: str) -> None:
    with another_name(anvil, chain=5) as other:
        transport = open_nodes([anvil, other])
        assert transport.request("eth_chainId") == "0x7a69"
        transport.distrust("for the test")
        assert transport.request("eth_blockNumber")
        assert transport.node == anvil.replace("0.0.0.0", "127.0.0.1")
        transport.close()


def test_on_a_development_chain_the_id_says_nothing_of_which_chain_it_is(
    anvil: str, tmp_path: Path
) -> None:
    User(tmp_path, {"POLREG_RPC_URL": anvil, "POLREG_PRIVATE_KEY": DEV_KEYS[0]}).done("deploy")
    with (
        another_name(anvil) as renamed,
        Workspace(Settings(home=tmp_path, rpc_url=renamed)) as opened,
        pytest.raises(InputError, match="no contract is known"),
    ):
        _ = opened.deployment


@pytest.mark.parametrize("registries", [1, 2])
def test_a_new_key_in_the_url_does_not_lose_a_registry_that_is_the_only_one_on_its_chain(
    registries: int, tmp_path: Path
) -> None:
    with running_anvil("--chain-id", "4242") as node:
        user = User(tmp_path, {"POLREG_RPC_URL": node, "POLREG_PRIVATE_KEY": DEV_KEYS[0]})
        user.done("deploy")
        with Workspace(Settings(home=tmp_path, rpc_url=node)) as opened:
            deployed = opened.deployment
        if registries == 2:
            with another_name(node) as second:
                user.done("deploy", "--again", POLREG_RPC_URL=second)
        with another_name(node) as renamed:
            settings = Settings(home=tmp_path, rpc_url=renamed)
            if registries == 1:
                with Workspace(settings) as opened:
                    assert opened.deployment == deployed
            else:
                with Workspace(settings) as opened, pytest.raises(InputError):
                    _ = opened.deployment


def test_announcements_alone_are_no_node(tmp_path: Path) -> None:
    outcome = User(tmp_path, {})(
        "sync", POLREG_RPC_URL="ws://127.0.0.1:9", POLREG_CONTRACT="0x" + "12" * 20
    )
    assert outcome.code == 2
    assert "no http(s) URL" in outcome.err


def test_a_node_that_contradicts_itself_is_not_the_last_word(
    anvil: str, tmp_path: Path, document: Path
) -> None:
    """It leaves out logs; the other one does not, and the command goes on with that."""

    def leaves_out_logs(call: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        return result(call, []) if call["method"] == "eth_getLogs" else answer

    honest = {"POLREG_RPC_URL": anvil, "POLREG_PRIVATE_KEY": DEV_KEYS[0]}
    User(tmp_path / "home", honest).done("deploy")
    User(tmp_path / "home", honest).done("authority", "open", "CN.GD", "--parents")
    with quirky_node(anvil, leaves_out_logs) as liar:
        mirror = f"sqlite:///{tmp_path / 'fresh.sqlite'}"
        user = User(tmp_path / "home", {"POLREG_DATABASE_URL": mirror})
        alone = user("sync", POLREG_RPC_URL=liar.url, POLREG_CONTRACT=contract(tmp_path / "home"))
        assert alone.code == 3
        both = user("sync", "--json", POLREG_RPC_URL=f"{liar.url} {anvil}")
        assert both.code == 0, both.err
        assert both.json["registry"]["log"]["size"] > 0
        assert "eth_getLogs" in liar.methods


def contract(home: Path) -> str:
    (found,) = {each.contract for each in known_deployments(Settings(home=home))}
    return found
