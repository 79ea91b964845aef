"""Documents a second from files on disk to a block, on Anvil with one-second blocks.

    .venv/bin/python scripts/bench/publish.py [DOCUMENTS] [ROUNDS]

In turn, each on a node and a contract of its own:

- import: what `polreg import` does, from reading the index to the last batch in a block;
- raw: the same batches, signed before the clock starts, sent in JSON-RPC batches and waited for;
- transact: web3's `transact`, a document a transaction, as a loop, and the last one waited for.

Prints JSON: documents a second, and the ratios pair by pair.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import interleaved, median, median_ratio, no_password, registry_on_anvil

from registry.chain.abi import artifact, record_data
from registry.chain.addresses import checksummed
from registry.chain.fees import read_market
from registry.chain.sender import record_gas
from registry.core.authority import encode_code
from registry.core.draft import Draft
from registry.core.entry import Action
from registry.core.lifecycle import UNPUBLISHED
from registry.core.submission import Submission
from registry.core.units import Day
from registry.services.authorities import open_authority
from registry.services.hashing import describe_file
from registry.services.importing import describe_files, read_index, stage_all
from registry.services.keys import signer_of
from registry.services.setup import outbox_for
from registry.services.worklist import Worklist
from registry.services.workspace import Workspace

BATCH = 100
BLOCKS = ("--block-time", "1", "--enable-tx-gas-limit")
_TRANSACT_SHARE = 10
_HEADER = "path,authority,number,title,language,type,issued,effective_from\n"


def main() -> None:
    documents = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as folder:
        index = write_documents(Path(folder), documents)
        few = max(BATCH, documents // _TRANSACT_SHARE)
        found = interleaved(
            rounds,
            {
                "import": lambda: on_a_node(lambda at: importing(at, index, documents), documents),
                "raw": lambda: on_a_node(lambda at: raw(at, index.parent, documents), documents),
                "transact": lambda: on_a_node(lambda at: transact(at, index.parent, few), few),
            },
        )
    told: dict[str, Any] = {"documents": documents, "batch": BATCH, "rounds": rounds}
    told |= {f"{name}_per_second": median(values) for name, values in found.items()}
    told["import_to_raw"] = median_ratio(found["import"], found["raw"])
    told["import_to_transact"] = median_ratio(found["import"], found["transact"])
    print(json.dumps(told, indent=2))


def write_documents(folder: Path, count: int) -> Path:
    lines = [_HEADER]
    for number in range(count):
        (folder / f"{number}.md").write_text(f"第一条 第{number}号文件。\n" * 40, "utf-8")
        title = f"关于第{number}号事项的若干措施"
        lines.append(f"{number}.md,CN,国发〔2020〕{number}号,{title},zh,notice,2020-01-01,\n")
    index = folder / "index.csv"
    index.write_text("".join(lines), "utf-8")
    return index


def on_a_node(measure: Callable[[Workspace], float], documents: int) -> float:
    with (
        tempfile.TemporaryDirectory() as home,
        registry_on_anvil(Path(home) / "home", *BLOCKS) as opened,
    ):
        opened.sync()
        open_authority("CN", {}, None, opened.client, outbox_for(opened, no_password))
        opened.sync()
        before, _ = opened.client.checkpoint()
        found = measure(opened)
        # What is measured is what is done: no document is missing, and none is there twice.
        after, _ = opened.client.checkpoint()
        if after - before != documents:
            raise AssertionError(f"{after - before} entries were recorded, not {documents}")
        return found


def importing(opened: Workspace, index: Path, documents: int) -> float:
    outbox = outbox_for(opened, no_password, batch=BATCH)
    begun = time.perf_counter()
    with Worklist() as worklist:
        read_index(index, worklist)
        describe_files(worklist, index.parent)
        acts = stage_all(worklist, opened.engine, outbox)
        outbox.finish(acts)
    seconds = time.perf_counter() - begun
    return documents / seconds


def raw(opened: Workspace, folder: Path, documents: int) -> float:
    ready = submissions(folder, documents)
    signed = presigned(opened, [ready[at : at + BATCH] for at in range(0, documents, BATCH)])
    transport = opened.transport
    begun = time.perf_counter()
    # Ten at a time: Anvil takes two megabytes a request.
    for at in range(0, len(signed), 10):
        some = signed[at : at + 10]
        sent = transport.batch([("eth_sendRawTransaction", [each]) for each in some])
    while transport.request("eth_getTransactionReceipt", [sent[-1]]) is None:
        time.sleep(0.02)
    seconds = time.perf_counter() - begun
    return documents / seconds


def presigned(opened: Workspace, batches: list[list[Submission]]) -> list[str]:
    signer = signer_of(opened.settings, no_password)
    account = "0x" + signer.address.hex()
    nonce, head, tip, price, balance = opened.transport.batch(
        [
            ("eth_getTransactionCount", [account, "pending"]),
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_maxPriorityFeePerGas", []),
            ("eth_gasPrice", []),
            ("eth_getBalance", [account, "latest"]),
        ]
    )
    offers = read_market(head, tip, price, balance).offers
    return [
        "0x"
        + signer.sign_transaction(
            {
                "chainId": opened.client.chain_id(),
                "nonce": int(nonce, 16) + at,
                "gas": record_gas(batch),
                "value": 0,
                "to": checksummed(opened.client.address),
                "data": record_data(batch),
                **offers,
            }
        ).hex()
        for at, batch in enumerate(batches)
    ]


def transact(opened: Workspace, folder: Path, documents: int) -> float:
    from web3 import HTTPProvider, Web3

    ready = submissions(folder, documents)
    web3 = Web3(HTTPProvider(str(opened.settings.rpc_url)))
    account = checksummed(signer_of(opened.settings, no_password).address)
    contract = web3.eth.contract(
        address=checksummed(opened.client.address),  # type: ignore[arg-type]
        abi=artifact()["abi"],
    )
    begun = time.perf_counter()
    for each in ready:
        words = (
            encode_code(each.policy.authority),
            each.policy.number_hash,
            each.sequence,
            int(each.action),
            each.effective_word,
            each.document,
            each.manifest,
        )
        last = contract.functions.record([words], [each.content]).transact({"from": account})
    web3.eth.wait_for_transaction_receipt(last, poll_latency=0.02)
    seconds = time.perf_counter() - begun
    return documents / seconds


def submissions(folder: Path, documents: int) -> list[Submission]:
    return [
        Draft(
            action=Action.PUBLISH,
            authority="CN",
            number=f"国发〔2020〕{number}号",
            title={"zh": f"关于第{number}号事项的若干措施"},
            document=describe_file(str(folder / f"{number}.md"), "zh"),
            type="notice",
            issued=Day(18_262),
        ).submission(UNPUBLISHED)
        for number in range(documents)
    ]


if __name__ == "__main__":
    main()
