"""The contract as clients meet it: the same flows on eth-tester and on Anvil.

What is expected is computed here from the RFC's, the EIP's and the design's text, not with the
product's own code.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from hashlib import sha256
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_account import Account
from eth_tester.exceptions import TransactionFailed  # type: ignore[import-untyped] # has no types
from eth_utils.crypto import keccak
from web3 import EthereumTesterProvider, HTTPProvider, Web3
from web3.exceptions import ContractCustomError
from web3.logs import DISCARD

from scripts.compile import ARTIFACT
from tests.anvil import running_anvil

CN = b"CN".ljust(32, b"\0")
NO_ENTRY = 2**64 - 1
ENTRY_TYPES = (
    *("uint64", "uint64", "bytes32", "bytes32", "uint32", "uint8", "int32"),
    *("bytes32", "bytes32", "address", "uint64"),
)
PUBLISH, AMEND, CORRECT, SUSPEND, REINSTATE, SUPERSEDE, REPEAL, WITHDRAW = range(1, 9)
OPEN_AUTHORITY, APPOINT_CONTROLLER, APPOINT_REGISTRAR, APPOINT_ADMIN = 9, 11, 13, 16
IN_FORCE, SUSPENDED, REPEALED = 1, 2, 4


@dataclass(frozen=True)
class Entry:
    index: int
    previous: int
    authority: bytes
    number: bytes
    sequence: int
    action: int
    effective_on: int
    document: bytes
    manifest: bytes
    registrar: str
    recorded_at: int


Submission = tuple[bytes, bytes, int, int, int, bytes, bytes]


def digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


def submission(number: str, sequence: int, action: int, effective_on: int = -7305) -> Submission:
    """`effective_on` is 1950-01-01 unless given: dates before 1970 are real input."""
    document = digest(f"{number} {sequence}") if action <= CORRECT else bytes(32)
    manifest = digest(f"manifest of {number} {sequence}")
    return (CN, digest(number), sequence, action, effective_on, document, manifest)


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, as it is defined."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else sha256(b"").digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


def path_of(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162 §2.1.3.1, as it is defined."""
    if len(leaves) == 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if index < k:
        return [*path_of(index, leaves[:k]), root_of(leaves[k:])]
    return [*path_of(index - k, leaves[k:]), root_of(leaves[:k])]


@dataclass
class Chain:
    web3: Web3
    registry: Any
    admin: str
    controller: str
    registrar: str
    stranger: str

    def sends(self, sender: str, call: Any) -> Any:
        sent = call.transact({"from": sender, "gas": 8_000_000})
        receipt = self.web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
        assert receipt["status"] == 1
        return receipt

    def records(self, *submissions: Submission, manifests: tuple[bytes, ...] = ()) -> Any:
        return self.sends(self.registrar, self.registry.functions.record(submissions, manifests))

    def logs(self, index: int | None = None) -> list[Any]:
        """The `Recorded` logs: all, or the one with this index, asked for by its topic."""
        signature = "Recorded(" + ",".join(["uint64", *ENTRY_TYPES[1:]]) + ")"
        topics: list[Any] = ["0x" + keccak(text=signature).hex()]
        if index is not None:
            topics.append("0x" + index.to_bytes(32, "big").hex())
        return self.web3.eth.get_logs(
            {
                "fromBlock": 0,
                "toBlock": "latest",
                "address": self.registry.address,
                "topics": topics,
            }
        )

    def words(self) -> list[bytes]:
        return [bytes(log["topics"][1]) + bytes(log["data"]) for log in self.logs()]

    def entry(self, index: int) -> Entry:
        (log,) = self.logs(index)
        entry = Entry(*decode(ENTRY_TYPES, bytes(log["topics"][1]) + bytes(log["data"])))
        return replace(entry, registrar=Web3.to_checksum_address(entry.registrar))

    def leaves(self) -> list[bytes]:
        return [sha256(b"\0" + words).digest() for words in self.words()]

    def history(self, number: str) -> list[Entry]:
        """A policy's entries, newest first: from the head in storage back through `previous`."""
        _, sequence, index, _ = self.registry.functions.policy(CN, digest(number)).call()
        entries: list[Entry] = []
        while sequence and index != NO_ENTRY:
            entries.append(self.entry(index))
            index = entries[-1].previous
        assert len(entries) == sequence
        return entries


@pytest.fixture(scope="module", params=["eth-tester", "anvil"])
def web3(request: pytest.FixtureRequest) -> Iterator[Web3]:
    if request.param == "eth-tester":
        yield Web3(EthereumTesterProvider())
    else:
        with running_anvil() as url:
            yield Web3(HTTPProvider(url))


@pytest.fixture
def chain(web3: Web3) -> Chain:
    """A new registry in which CN is open and has a registrar."""
    admin, controller, registrar, stranger = list(web3.eth.accounts)[:4]
    compiled = json.loads(ARTIFACT.read_bytes())
    factory = web3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
    sent = factory.constructor(admin, 0).transact({"from": stranger, "gas": 8_000_000})
    address = web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)["contractAddress"]
    registry = web3.eth.contract(address=address, abi=compiled["abi"])
    chain = Chain(web3, registry, admin, controller, registrar, stranger)
    profile = b'{"title":"CN"}'
    opening = registry.functions.openAuthority(CN, controller, sha256(profile).digest(), profile)
    chain.sends(admin, opening)
    role = registry.functions.registrarRole(CN).call()
    chain.sends(controller, registry.functions.grantRole(role, registrar))
    return chain


def assert_refuses(call: Any, sender: str, error: str, *values: Any) -> None:
    """`call` reverts with exactly this custom error."""
    types = error.partition("(")[2].removesuffix(")").split(",")
    with pytest.raises((ContractCustomError, TransactionFailed)) as refused:
        call.call({"from": sender})
    assert revert_data(refused.value) == keccak(text=error)[:4] + encode(types, values)


def revert_data(error: BaseException) -> bytes:
    """What the call reverted with: a node says it in `data`, eth-tester as bytes in its message."""
    if isinstance(error, ContractCustomError):
        assert isinstance(error.data, str)
        return bytes.fromhex(error.data.removeprefix("0x"))
    reverted = ast.literal_eval(str(error).removeprefix("execution reverted: "))
    assert isinstance(reverted, bytes)
    return reverted


def assert_log_is_sound(chain: Chain) -> None:
    """Indexes have no gap, and root, peaks and last checkpoint are those of the entries' leaves."""
    leaves = chain.leaves()
    indexes = [int.from_bytes(words[:32], "big") for words in chain.words()]
    assert indexes == list(range(len(leaves)))
    assert chain.registry.functions.checkpoint().call() == [len(leaves), root_of(leaves)]
    event = chain.registry.events.Checkpoint
    last = event().get_logs(from_block=0)[-1]["args"]
    assert (last["size"], last["root"]) == (len(leaves), root_of(leaves))
    peaks = chain.registry.functions.peaks().call()
    assert len(peaks) == len(leaves).bit_count()


def test_setting_up_is_in_the_log(chain: Chain) -> None:
    entries = [chain.entry(index) for index in range(4)]
    assert [entry.action for entry in entries] == [
        APPOINT_ADMIN,
        OPEN_AUTHORITY,
        APPOINT_CONTROLLER,
        APPOINT_REGISTRAR,
    ]
    account = int(chain.registrar, 16).to_bytes(32, "big")
    assert (entries[3].authority, entries[3].number) == (CN, account)
    assert entries[3].registrar == chain.controller
    assert_log_is_sound(chain)


def test_a_published_policy_is_read_back(chain: Chain) -> None:
    manifest = '{"title":"深府〔2017〕71号"}'.encode()
    published = (*submission("深府〔2017〕71号", 1, PUBLISH)[:6], sha256(manifest).digest())
    receipt = chain.records(published, manifests=(manifest,))
    block = chain.web3.eth.get_block(receipt["blockNumber"])
    entry = chain.entry(4)
    assert entry == Entry(4, NO_ENTRY, *published, chain.registrar, block["timestamp"])
    state = chain.registry.functions.policy(CN, published[1]).call()
    assert tuple(state) == (IN_FORCE, 1, 4, block["timestamp"])
    published_event = chain.registry.events.ManifestPublished()
    (emitted,) = published_event.process_receipt(receipt, errors=DISCARD)
    assert (emitted["args"]["digest"], emitted["args"]["content"]) == (published[6], manifest)
    assert_log_is_sound(chain)


def test_a_batch_of_100_is_one_transaction_with_one_checkpoint(chain: Chain) -> None:
    receipt = chain.records(*(submission(str(i), 1, PUBLISH) for i in range(100)))
    assert len(receipt["logs"]) == 101
    assert len(chain.leaves()) == 104
    assert_log_is_sound(chain)


def test_a_policys_life_is_walked_back_from_its_head(chain: Chain) -> None:
    life = [PUBLISH, AMEND, CORRECT, SUSPEND, REINSTATE, REPEAL]
    for sequence, action in enumerate(life, start=1):
        chain.records(submission("D.C. Law 23-100", sequence, action))
        chain.records(submission(f"another, {sequence}", 1, PUBLISH))
    assert [entry.action for entry in chain.history("D.C. Law 23-100")] == life[::-1]
    state = chain.registry.functions.policy(CN, digest("D.C. Law 23-100")).call()
    assert state[0] == REPEALED
    assert_log_is_sound(chain)


def test_entries_are_proved_by_the_contract_itself(chain: Chain) -> None:
    chain.records(*(submission(str(i), 1, PUBLISH) for i in range(9)))
    leaves = chain.leaves()
    for index in range(len(leaves)):
        path = path_of(index, leaves)
        chain.registry.functions.verifyInclusion(astuple(chain.entry(index)), path).call()
    altered = replace(chain.entry(5), effective_on=0)
    verify = chain.registry.functions.verifyInclusion(astuple(altered), path_of(5, leaves))
    with pytest.raises((ContractCustomError, TransactionFailed)) as refused:
        verify.call()
    assert revert_data(refused.value)[:4] == keccak(text="RootMismatch(bytes32,bytes32)")[:4]


def typed_data(
    chain: Chain, registrar: str, deadline: int, given: list[Submission]
) -> dict[str, Any]:
    names = ("authority", "number", "sequence", "action", "effectiveOn", "document", "manifest")
    types = ("bytes32", "bytes32", "uint32", "uint8", "int32", "bytes32", "bytes32")
    fields = [{"name": name, "type": kind} for name, kind in zip(names, types, strict=True)]
    return {
        "primaryType": "Submissions",
        "domain": {
            "name": "PolicyRegistry",
            "version": "1",
            "chainId": chain.web3.eth.chain_id,
            "verifyingContract": chain.registry.address,
        },
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Submission": fields,
            "Submissions": [
                {"name": "registrar", "type": "address"},
                {"name": "deadline", "type": "uint64"},
                {"name": "submissions", "type": "Submission[]"},
            ],
        },
        "message": {
            "registrar": registrar,
            "deadline": deadline,
            "submissions": [dict(zip(names, one, strict=True)) for one in given],
        },
    }


def test_what_an_account_signed_is_relayed_once(chain: Chain) -> None:
    signer = Account.create()
    role = chain.registry.functions.registrarRole(CN).call()
    chain.sends(chain.controller, chain.registry.functions.grantRole(role, signer.address))
    given = [submission("1", 1, PUBLISH), submission("2", 1, PUBLISH, effective_on=-(2**31))]
    deadline = chain.web3.eth.get_block("latest")["timestamp"] + 600
    message = typed_data(chain, signer.address, deadline, given)
    signature = signer.sign_typed_data(full_message=message).signature
    relay = chain.registry.functions.recordBySignature(
        given, [], signer.address, deadline, signature
    )
    chain.sends(chain.stranger, relay)
    assert chain.history("2")[0].registrar == signer.address
    assert chain.history("2")[0].effective_on == -(2**31)
    assert_log_is_sound(chain)
    error = "SequenceMismatch(bytes32,bytes32,uint32,uint32)"
    assert_refuses(relay, chain.stranger, error, CN, digest("1"), 2, 1)


def test_a_refusal_names_what_is_wrong(chain: Chain) -> None:
    chain.records(submission("1", 1, PUBLISH))
    record = chain.registry.functions.record
    error = "InvalidTransition(bytes32,bytes32,uint8,uint8)"
    reinstated = record([submission("1", 2, REINSTATE)], [])
    assert_refuses(reinstated, chain.registrar, error, CN, digest("1"), IN_FORCE, REINSTATE)
    error = "AccessControlUnauthorizedAccount(address,bytes32)"
    amended = record([submission("1", 2, AMEND)], [])
    assert_refuses(amended, chain.stranger, error, chain.stranger, CN[:31] + b"\x01")


def test_storage_lies_where_receipts_look_for_it(chain: Chain) -> None:
    receipt = chain.records(submission("1", 1, PUBLISH))
    time = chain.web3.eth.get_block(receipt["blockNumber"])["timestamp"]
    leaves = chain.leaves()

    def slot(position: int) -> int:
        return int.from_bytes(
            chain.web3.eth.get_storage_at(chain.registry.address, position), "big"
        )

    assert slot(0) == len(leaves) == 5
    assert slot(1 + 0) == int.from_bytes(leaves[4], "big")
    assert slot(1 + 2) == int.from_bytes(root_of(leaves[:4]), "big")
    authority = keccak(CN + (65).to_bytes(32, "big"))
    place = int.from_bytes(keccak(digest("1") + authority), "big")
    assert slot(place) == time << 104 | 4 << 40 | 1 << 8 | IN_FORCE


def test_a_retired_registry_takes_nothing_and_shows_everything(chain: Chain) -> None:
    chain.records(submission("1", 1, PUBLISH))
    chain.sends(chain.admin, chain.registry.functions.retire(chain.stranger))
    amended = chain.registry.functions.record([submission("1", 2, AMEND)], [])
    assert_refuses(amended, chain.registrar, "Retired(address)", chain.stranger)
    assert chain.history("1")[0].action == PUBLISH
    assert_log_is_sound(chain)
