"""Measure what publishing costs in gas, beside EAS on the same node. Prints JSON.

    npm ci && npm ci --prefix scripts/bench
    python scripts/bench/gas.py
    python scripts/bench/gas.py --breakdown     what the gas is spent on, by groups of opcodes

Starts its own Anvil and deploys the committed artifact and EAS's own. A single publish is
the mean over 32 consecutive transactions, because it reads one peak for each set bit of the
log's size (`mean_peaks`, each at least 2,100 gas). 32 more come before it, so that the low
peaks' slots exist, as they do for all but the first entries of a log. A batch is the gas of
one transaction divided by its documents. Sizes of the log are those before the first
transaction measured. The authority, the digests and the dates are such as real ones are; the
inline manifest has 298 bytes, as the one the design's prototype was measured with.

A collection is one publish with the manifest that the product writes for it, in a new registry, and
is divided by its members; they cost nothing but their share of it. `signed_publish` is the same
publish recorded by the registrar and by somebody else with the registrar's signature.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from web3 import HTTPProvider, Web3

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from registry.core.collection import CollectionHeader  # noqa: E402
from registry.core.draft import Draft  # noqa: E402
from registry.core.entry import Action  # noqa: E402
from registry.services.collections import draft_of  # noqa: E402
from scripts.bench.gas_breakdown import breakdown  # noqa: E402
from tests.anvil import DEV_KEYS, running_anvil  # noqa: E402

REGISTRY = ROOT / "registry" / "chain" / "artifacts" / "PolicyRegistry.json"
EAS = (
    ROOT / "scripts" / "bench" / "node_modules" / "@ethereum-attestation-service"
    / "eas-contracts" / "artifacts" / "contracts"
)  # fmt: skip

AUTHORITY = b"CN.GD.SHENZHEN".ljust(32, b"\0")
TOP = b"CN".ljust(32, b"\0")
PARENTS = (TOP, b"CN.GD".ljust(32, b"\0"))
LIMITS = {
    "publish": 66_000,
    "publish_inline": 81_000,
    "batch_100": 31_500,
    "batch_100_inline": 42_400,
    "collection_1000": 90,
    "collection_100000": 1,
    "signed_publish": 15_000,
}
COLLECTIONS = (1_000, 100_000)
FAR = 2**40  # a deadline, in Unix seconds
SIGNER = Account.from_key(DEV_KEYS[1])
PUBLISH = 1
MANIFEST_BYTES = 298
SINGLES = 32
BATCH = 100
GAS_LIMIT = 16_777_216  # EIP-7825
EARLY_SIZE = 96
LATER_SIZE = 3_008


@dataclass
class Bench:
    """One node, one sender, and documents that were never published before."""

    web3: Web3
    sender: str
    published: int = 0
    result: dict[str, Any] = field(default_factory=dict)

    def deploy(self, path: Path, *arguments: Any) -> Any:
        """The contract of a compiler's artifact, deployed."""
        artifact = json.loads(path.read_bytes())
        factory = self.web3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
        receipt = self._mined(factory.constructor(*arguments))
        return self.web3.eth.contract(address=receipt["contractAddress"], abi=artifact["abi"])

    def gas(self, call: Any) -> int:
        return int(self._mined(call)["gasUsed"])

    def _mined(self, call: Any) -> Any:
        sent = call.transact({"from": self.sender, "gas": GAS_LIMIT})
        receipt = self.web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
        if receipt["status"] != 1:
            raise RuntimeError(f"reverted: {receipt}")
        return receipt

    def documents(self, count: int) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Number hash, document digest and manifest bytes of documents not yet seen."""
        for _ in range(count):
            self.published += 1
            seed = str(self.published)
            manifest = f'{{"number":"{seed}","title":"'.ljust(MANIFEST_BYTES - 2, "x") + '"}'
            yield _sha256(b"number" + seed.encode()), _sha256(seed.encode()), manifest.encode()


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def record(
    bench: Bench, registry: Any, count: int, *, inline: bool, authority: bytes = AUTHORITY
) -> int:
    """Gas of publishing `count` new policies in one transaction."""
    submissions, manifests = [], []
    for number, document, manifest in bench.documents(count):
        effective_on = 20_000 + bench.published
        submissions.append(
            (authority, number, 1, PUBLISH, effective_on, document, _sha256(manifest))
        )
        manifests.append(manifest)
    return bench.gas(registry.functions.record(submissions, manifests if inline else []))


def open_registry(bench: Bench, *codes: bytes) -> Any:
    """A registry in which the sender may publish for the last of `codes`."""
    registry = bench.deploy(REGISTRY, bench.sender, 0)
    for code in codes:
        bench.gas(registry.functions.openAuthority(code, bench.sender, bytes(32), b""))
    role = registry.functions.registrarRole(codes[-1]).call()
    bench.gas(registry.functions.grantRole(role, bench.sender))
    return registry


def measure_new(bench: Bench) -> dict[str, int]:
    """One publish in a new registry, whose log of 4 entries has a single peak, by an
    authority with the shortest code: the least that it costs, and what the design's
    prototype was measured at. Each character of a code adds 12 gas, each peak 2,600."""
    return {
        "publish": record(bench, open_registry(bench, TOP), 1, inline=False, authority=TOP),
        "publish_inline": record(bench, open_registry(bench, TOP), 1, inline=True, authority=TOP),
    }


def measure_collection(bench: Bench, members: int) -> float:
    """Gas a member of a collection, which is one publish with its manifest inline."""
    registry = open_registry(bench, TOP)
    ((number, root, _),) = bench.documents(1)
    act = Draft(
        action=Action.PUBLISH,
        authority="CN",
        number="back catalogue 1990-2010",
        title={"en": "Back catalogue of notices, 1990 to 2010"},
        type="collection",
        issued=20_000,  # type: ignore[arg-type]
    )
    manifest = draft_of(CollectionHeader(root, members), act).manifest()  # type: ignore[arg-type]
    given = [(TOP, number, 1, PUBLISH, 20_000, root, _sha256(manifest))]
    return round(bench.gas(registry.functions.record(given, [manifest])) / members, 2)


def measure_signed(bench: Bench) -> dict[str, int]:
    """The same publish in a new registry, by the registrar and by somebody who relays it."""
    gas: dict[str, int] = {}
    for name in ("own", "relayed"):
        registry = open_registry(bench, TOP)
        role = registry.functions.registrarRole(TOP).call()
        bench.gas(registry.functions.grantRole(role, SIGNER.address))
        ((number, document, manifest),) = bench.documents(1)
        given = [(TOP, number, 1, PUBLISH, 20_000, document, _sha256(manifest))]
        if name == "own":
            gas[name] = bench.gas(registry.functions.record(given, []))
            continue
        digest = registry.functions.digestOf(given, SIGNER.address, FAR).call()
        signature = SIGNER.unsafe_sign_hash(digest).signature
        words = (given, [], SIGNER.address, FAR, signature)
        gas[name] = bench.gas(registry.functions.recordBySignature(*words))
    return {**gas, "signed_publish": gas["relayed"] - gas["own"]}


def measure_authority_acts(bench: Bench) -> dict[str, int]:
    """What the chain of command costs, an act each."""
    registry = open_registry(bench, *PARENTS, AUTHORITY)
    functions = registry.functions
    role = functions.registrarRole(AUTHORITY).call()
    profile = b'{"name":"'.ljust(MANIFEST_BYTES - 2, b"x") + b'"}'
    child = b"CN.GD.GUANGZHOU".ljust(32, b"\0")
    controllers = functions.controllerRole(AUTHORITY).call()
    return {
        "open_authority": bench.gas(functions.openAuthority(child, bench.sender, bytes(32), b"")),
        "set_profile": bench.gas(functions.setProfile(AUTHORITY, _sha256(profile), profile)),
        "appoint": bench.gas(functions.grantRole(role, SIGNER.address)),
        "dismiss": bench.gas(functions.revokeRole(role, SIGNER.address)),
        "report_compromise": bench.gas(
            functions.reportCompromised(controllers, bench.sender, 1_600_000_000)
        ),
    }


def measure_registry(bench: Bench, registry: Any) -> dict[str, Any]:
    def size() -> int:
        return int(registry.functions.checkpoint().call()[0])

    for _ in range(SINGLES):
        record(bench, registry, 1, inline=False)
    result: dict[str, Any] = {}
    for name, inline in (("publish", False), ("publish_inline", True)):
        start = size()
        gas = [record(bench, registry, 1, inline=inline) for _ in range(SINGLES)]
        peaks = sum((start + i).bit_count() for i in range(SINGLES))
        result[name] = {
            "log_size": start,
            "mean_peaks": round(peaks / SINGLES, 2),
            "mean": round(sum(gas) / SINGLES),
            "min": min(gas),
            "max": max(gas),
        }
    for name, inline in (("batch_100", False), ("batch_100_inline", True)):
        start = size()
        gas_used = record(bench, registry, BATCH, inline=inline)
        result[name] = {"log_size": start, "per_document": round(gas_used / BATCH)}
    return result


def grow(bench: Bench, registry: Any, size: int) -> None:
    """Publishes in batches until the log has `size` entries."""
    while (missing := size - int(registry.functions.checkpoint().call()[0])) > 0:
        record(bench, registry, min(missing, 4 * BATCH), inline=False)


def measure_eas(bench: Bench) -> dict[str, int]:
    """The least that EAS can do: an attestation over the document's hash and nothing else."""
    schemas = bench.deploy(EAS / "SchemaRegistry.sol" / "SchemaRegistry.json")
    eas = bench.deploy(EAS / "EAS.sol" / "EAS.json", schemas.address)
    text, resolver, revocable = "bytes32 document", "0x" + "00" * 20, True
    bench.gas(schemas.functions.register(text, resolver, revocable))
    schema = Web3.solidity_keccak(
        ["string", "address", "bool"], [text, Web3.to_checksum_address(resolver), revocable]
    )

    def attestation() -> tuple[Any, ...]:
        ((_, document, _),) = bench.documents(1)
        return (resolver, 0, revocable, bytes(32), document, 0)

    def attest() -> int:
        return bench.gas(eas.functions.attest((schema, attestation())))

    attestations = [attestation() for _ in range(BATCH)]
    hashes = [document for _, document, _ in bench.documents(BATCH)]
    return {
        "eas_attest": round(sum(attest() for _ in range(SINGLES)) / SINGLES),
        "eas_multi_attest_100": round(
            bench.gas(eas.functions.multiAttest([(schema, attestations)])) / BATCH
        ),
        "eas_multi_timestamp_100": round(bench.gas(eas.functions.multiTimestamp(hashes)) / BATCH),
    }


def explain() -> dict[str, Any]:
    """A publish in a new registry, one of the log's usual size, and a batch, by opcode groups."""
    with running_anvil("--steps-tracing") as url:
        web3 = Web3(HTTPProvider(url, request_kwargs={"timeout": 120}))
        bench = Bench(web3, web3.eth.accounts[0])

        def last(documents: int) -> dict[str, Any]:
            (transaction,) = web3.eth.get_block("latest")["transactions"]
            return breakdown(web3, Web3.to_hex(transaction), documents)  # type: ignore[arg-type]

        record(bench, open_registry(bench, TOP), 1, inline=False, authority=TOP)
        result = {"publish": last(1)}
        registry = open_registry(bench, *PARENTS, AUTHORITY)
        grow(bench, registry, LATER_SIZE)
        record(bench, registry, 1, inline=False)
        result["publish_in_a_larger_log"] = last(1)
        record(bench, registry, BATCH, inline=False)
        result["batch_100"] = last(BATCH)
    return {"unit": "gas per document", "log_size": LATER_SIZE, **result}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what publishing costs in gas.")
    parser.add_argument(
        "--breakdown", action="store_true", help="say what the gas is spent on, by opcode groups"
    )
    if parser.parse_args().breakdown:
        print(json.dumps(explain(), indent=2))
        return 0
    if not EAS.is_dir():
        print("EAS is missing: run npm ci --prefix scripts/bench", file=sys.stderr)
        return 1
    with running_anvil() as url:
        web3 = Web3(HTTPProvider(url))
        bench = Bench(web3, web3.eth.accounts[0])
        registry = open_registry(bench, *PARENTS, AUTHORITY)
        result: dict[str, Any] = {
            "unit": "gas per document",
            "node": web3.client_version,
            "singles": SINGLES,
            "manifest_bytes": MANIFEST_BYTES,
        }
        new: dict[str, float] = dict(measure_new(bench))
        new |= {f"collection_{each}": measure_collection(bench, each) for each in COLLECTIONS}
        signed = measure_signed(bench)
        new["signed_publish"] = signed["signed_publish"]
        acts = measure_authority_acts(bench)
        grow(bench, registry, EARLY_SIZE)
        early = measure_registry(bench, registry)
        grow(bench, registry, LATER_SIZE)
        later = measure_registry(bench, registry)
        eas = measure_eas(bench)
    batches = {name: later[name]["per_document"] for name in ("batch_100", "batch_100_inline")}
    found = {**new, **batches}
    result |= {name: {"gas": gas, "limit": LIMITS[name]} for name, gas in found.items()}
    result["signed_publish"] |= {"own": signed["own"], "relayed": signed["relayed"]}
    result["authority_acts"] = acts
    result |= eas
    result["by_log_size"] = {"small": early, "larger": later}
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
