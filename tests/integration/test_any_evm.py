"""The main job from end to end on networks of every kind: deploy, publish, follow, verify, and
a receipt that stands without this registry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.chain.rpc import HttpTransport
from registry.chain.sender import Sender
from registry.chain.signers import signer_from_hex
from registry.errors import Rejected
from tests.anvil import DEV_KEYS, running_anvil
from tests.integration.command_line import Outcome, User
from tests.quirky_node import (
    Quirk,
    blocks_of_logs,
    legacy,
    nothing_settled,
    own_fields,
    quirky_node,
    unknown_tags,
    upper_case,
)

PENNILESS = "0x" + "11" * 32
FREE_GAS = ("--gas-price", "0", "--base-fee", "0")


@dataclass(frozen=True)
class Network:
    """How to start it, and who acts there. `header_known`: whether its header's form is."""

    anvil: tuple[str, ...] = ()
    quirks: tuple[Quirk, ...] = ()
    batches: bool = True
    key: str = DEV_KEYS[0]
    header_known: bool = True


NETWORKS = {
    "as Ethereum is": Network(),
    "Cancun, before Prague": Network(("--hardfork", "cancun")),
    "Osaka": Network(("--hardfork", "osaka")),
    "gas is free": Network(FREE_GAS),
    "gas is free and nobody holds anything": Network(FREE_GAS, key=PENNILESS),
    "without EIP-1559": Network(quirks=(legacy,), header_known=False),
    "without EIP-1559, and gas is free": Network(
        FREE_GAS, quirks=(legacy,), key=PENNILESS, header_known=False
    ),
    "four blocks a second": Network(("--block-time", "0.25", "--slots-in-an-epoch", "1")),
    "without the tags safe and finalized": Network(quirks=(unknown_tags,)),
    "nothing is ever safe or finalized": Network(quirks=(nothing_settled,)),
    "a rollup's fields": Network(quirks=(own_fields,)),
    "capital digits": Network(quirks=(upper_case,)),
    "no batches": Network(batches=False),
    "logs of two blocks at a time": Network(quirks=(blocks_of_logs(2),)),
    "logs of one block at a time, no batches, no tags": Network(
        quirks=(blocks_of_logs(1), unknown_tags), batches=False
    ),
    "small blocks": Network(("--gas-limit", "6000000")),
}


@contextmanager
def started(network: Network) -> Iterator[str]:
    with running_anvil(*network.anvil) as url:
        if not network.quirks and network.batches:
            yield url
            return
        with quirky_node(url, *network.quirks, batches=network.batches) as node:
            yield node.url


@pytest.mark.parametrize("name", NETWORKS)
def test_the_main_job_on_a_network(name: str, tmp_path: Path) -> None:
    network = NETWORKS[name]
    document, receipt = tmp_path / "document.md", tmp_path / "receipt.json"
    document.write_text("Article 1. The document.")
    with started(network) as url:
        user = User(tmp_path / "home", {"POLREG_RPC_URL": url, "POLREG_PRIVATE_KEY": network.key})
        user.done("deploy")
        user.done("authority", "open", "CN.GD", "--parents")
        about = ("--authority", "CN.GD", "--number", "1", "--title-en", "A title")
        user.done("publish", document, *about)
        user.done("sync")
        verified = user.done("verify", document, "--json").json
        assert "exact" in str(verified)
        wanted = ("--chain-proof",) if network.header_known else ()
        user.done("prove", document, *wanted, "--output", receipt)
        auditor = User(tmp_path / "auditor", {})
        auditor.done("verify", document, "--receipt", receipt, "--rpc", url)
        if not network.header_known:
            refused = user("prove", document, "--chain-proof")
            assert refused.code == 3
            assert "no header proof can be made" in refused.err
    if network.header_known:
        # With the block's hash alone, and no node at all.
        block = json.loads(receipt.read_text())["checkpoint"]["block"]["hash"]
        auditor.done("verify", document, "--receipt", receipt, "--block-hash", block)


@pytest.mark.parametrize("fork", ["berlin", "london", "shanghai"])
def test_a_network_that_can_not_run_the_contract_costs_nothing_to_find_out(
    fork: str, tmp_path: Path
) -> None:
    with running_anvil("--hardfork", fork) as url:
        user = User(tmp_path, {"POLREG_RPC_URL": url, "POLREG_PRIVATE_KEY": DEV_KEYS[0]})
        refused: Outcome = user("deploy")
        assert refused.code == 1
        assert "this network can not run the contract" in refused.err
        assert "Cancun" in refused.err
        with closing(HttpTransport(url)) as node:
            assert node.request("eth_blockNumber") == "0x0"


def test_blocks_too_small_for_the_contract_are_named(tmp_path: Path) -> None:
    with running_anvil("--gas-limit", "2000000") as url:
        user = User(tmp_path, {"POLREG_RPC_URL": url, "POLREG_PRIVATE_KEY": DEV_KEYS[0]})
        refused = user("deploy")
        assert refused.code == 1
        assert "can not be created on this network" in refused.err
        assert "gas in one block" in refused.err


def test_who_holds_nothing_where_gas_is_not_free_is_told_so(tmp_path: Path) -> None:
    with running_anvil() as url:
        user = User(tmp_path, {"POLREG_RPC_URL": url, "POLREG_PRIVATE_KEY": PENNILESS})
        refused = user("deploy")
        assert refused.code == 1
        assert "not enough funds" in refused.err
    with (
        running_anvil() as url,
        quirky_node(url, legacy) as node,
        closing(HttpTransport(node.url)) as transport,
    ):
        sender = Sender(transport, signer_from_hex(PENNILESS))
        with pytest.raises(Rejected) as caught:
            sender.call(sender.account, "0x", 21_000)
        assert "currency" in str(caught.value.hint)


def test_a_history_longer_than_a_node_serves_at_once_is_read_in_as_few_questions(
    tmp_path: Path,
) -> None:
    """900 blocks from a node that serves 200 at a time, and says so in its own words."""
    with running_anvil() as url, closing(HttpTransport(url)) as node:
        user = User(tmp_path, {"POLREG_RPC_URL": url, "POLREG_PRIVATE_KEY": DEV_KEYS[0]})
        user.done("deploy")
        for code in ("CA", "CB", "CC"):
            node.request("anvil_mine", [hex(300)])
            user.done("authority", "open", code)
        with quirky_node(url, blocks_of_logs(200)) as limited:
            found = user.done("status", "--json").json["registry"]["contract"]
            more = {
                "POLREG_RPC_URL": limited.url,
                "POLREG_DATABASE_URL": f"sqlite:///{tmp_path / 'fresh.sqlite'}",
                "POLREG_CONTRACT": found.rpartition(":")[2],
            }
            done = user.done("sync", "--json", **more).json
            assert done["entries_added"] == done["registry"]["log"]["size"] >= 3
            # From 10 blocks on twice as many, one of 320 that is refused, then 200 at a time.
            assert limited.methods.count("eth_getLogs") <= 10


def test_a_catalogue_goes_into_blocks_that_take_a_part_of_a_batch(tmp_path: Path) -> None:
    rows = ["path,authority,number,title,language,type,issued,effective_from"]
    for number in range(150):
        (tmp_path / f"{number}.md").write_text(f"Document {number}")
        rows.append(f"{number}.md,CN.GD,{number},Title {number},en,notice,2020-01-01,")
    (tmp_path / "index.csv").write_text("\n".join(rows) + "\n")
    with running_anvil("--gas-limit", "4500000") as url:
        user = User(tmp_path / "h", {"POLREG_RPC_URL": url, "POLREG_PRIVATE_KEY": DEV_KEYS[0]})
        user.done("deploy")
        user.done("authority", "open", "CN.GD", "--parents")
        done = user.done("import", tmp_path / "index.csv", "--json").json
        assert (done["published"], done["refused"]) == (150, [])
        assert done["transactions"] > 1
