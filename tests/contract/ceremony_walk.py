"""Walking a ceremony's steps on Anvil: each line is done as it stands, its outcome compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from registry.chain.abi import artifact, call_data, deployment_code, functions
from registry.chain.events import RECORDED
from registry.chain.rpc import HttpTransport
from registry.core.authority import encode_code
from registry.core.calendar import parse_time
from registry.core.digest import sha256
from registry.core.entry import Action, Entry, decode_entry
from tests.contract.anvil_registry import (
    Outcome,
    Registry,
    Submission,
    account,
    address,
    entries_of,
    fund,
    mined,
    pass_time,
    send,
    submission,
)
from tests.contract.ceremony import After, Call, Command, Step, Wait
from tests.contract.ceremony_words import (
    WALLETS,
    act_of,
    is_read,
    owners_of,
    seconds,
    selector,
    word32,
)
from tests.integration.command_line import User

FAR = 2**40


@dataclass
class Walk:
    """A node, what was deployed there, and the folder of everybody's files and mirror."""

    transport: HttpTransport
    url: str
    folder: Path
    wallet_code: str
    all: dict[str, list[Step]]
    contracts: dict[str, str] = field(default_factory=dict)
    deployment: str = ""

    def walk(self, name: str) -> None:
        """Do every step of a ceremony, those of the ones before it first."""
        for step in self.all[name]:
            match step:
                case After(before):
                    self.walk(before)
                case Wait(words):
                    pass_time(self.transport, seconds(words) + 1)
                case Command():
                    self._command(step)
                case Call(function="deploy"):
                    self._deploy(step)
                case Call(function="eth_getTransactionByHash"):
                    self._compare_deployment(step)
                case Call():
                    self._call(step)

    def _call(self, step: Call) -> None:
        registry = self._registry(step.contract)
        if is_read(step.function):
            arguments = self._arguments(step.function, step.arguments)
            self._answered(step, registry.call(step.function, *arguments))
            return
        signers = {"record": self._record, "recordBySignature": self._relay}
        make: Callable[[Call], Sequence[Any]] = signers.get(
            step.function, lambda step: self._arguments(step.function, step.arguments)
        )
        done = self._acts(step.who, registry.contract, call_data(step.function, make(step)))
        by = step.arguments[-1] if step.function == "recordBySignature" else step.who
        self._compare(step.outcome, done, by)

    def _acts(self, who: str, to: str, data: str) -> Outcome:
        """A transaction of an account, or through a wallet by two of its owners."""
        if who not in WALLETS:
            return send(self.transport, who, to, data)
        wallet = "0x" + self.address(who).hex()
        nonce = self.transport.request(
            "eth_call", [{"to": wallet, "data": selector("nonce()")}, "latest"]
        )
        content = bytes.fromhex(data[2:])
        chain_id = int(self.transport.request("eth_chainId"), 16)
        types = ["uint256", "address", "uint256", "address", "bytes"]
        digest = keccak(encode(types, [chain_id, wallet, int(nonce, 16), to, content]))
        act = encode(["address", "bytes", "bytes"], [to, content, self._owners_sign(who, digest)])
        return send(
            self.transport, "secretary", wallet, selector("act(address,bytes,bytes)") + act.hex()
        )

    def _owners_sign(self, wallet: str, digest: Any) -> bytes:
        first, second = sorted(owners_of(wallet), key=address)[:2]
        signed = [account(each).unsafe_sign_hash(digest).signature for each in (first, second)]
        return b"".join(map(bytes, signed))

    def _record(self, step: Call) -> Sequence[Any]:
        return [self._submission(step.contract, step.arguments[0])], []

    def _relay(self, step: Call) -> Sequence[Any]:
        given, signer = [self._submission(step.contract, step.arguments[0])], step.arguments[1]
        registrar = self.address(signer)
        digest = self._registry(step.contract).call("digestOf", given, registrar, FAR)
        if signer in WALLETS:
            return given, [], registrar, FAR, self._owners_sign(signer, digest)
        return given, [], registrar, FAR, bytes(account(signer).unsafe_sign_hash(digest).signature)

    def _submission(self, contract: str, words: str) -> Submission:
        """`amend CN.GD 1`: the next act of that policy."""
        action, code, number = words.split()
        policy = self._registry(contract).call("policy", encode_code(code), sha256(number.encode()))
        return submission(code, number, policy[1] + 1, act_of(action))

    def _deploy(self, step: Call) -> None:
        admin, delay = step.arguments
        code = "0x" + deployment_code(self.address(admin), seconds(delay)).hex()
        made = mined(self.transport, step.who, None, code)
        self.contracts[step.contract] = made["contractAddress"]
        self.deployment = made["transactionHash"]
        self._compare(step.outcome, Outcome(None, entries_of(made["logs"]), True), step.who)

    def _compare_deployment(self, step: Call) -> None:
        assert step.arguments == ("deployment",)
        found = self.transport.request("eth_getTransactionByHash", [self.deployment])
        what, admin, delay = (each.strip() for each in step.outcome.split(","))
        assert what == "the committed bytecode"
        expected = (
            artifact()["bytecode"]
            + encode(["address", "uint48"], [self.address(admin), seconds(delay)]).hex()
        )
        assert found["input"] == expected

    def _command(self, step: Command) -> None:
        """Run polreg as somebody; what it appended is what the log has more than before."""
        fund(self.transport, step.who)
        before = len(self._log()) if "registry" in self.contracts else 0
        environment = {
            "POLREG_RPC_URL": self.url,
            "POLREG_PRIVATE_KEY": account(step.who).key.hex(),
        }
        if "registry" in self.contracts:
            environment["POLREG_CONTRACT"] = to_checksum_address(self.contracts["registry"])
        user = User(self.folder / "home", environment)
        outcome = user(*(self._word(each) for each in step.words))
        if step.words[0] == "deploy":
            self.contracts["registry"] = outcome.out.split("eip155:31337:")[1].split()[0]
        if step.outcome.startswith("exit "):
            assert (step, outcome.code) == (step, int(step.outcome.removeprefix("exit "))), outcome
            assert len(self._log()) == before
            return
        assert outcome.code == 0, (step, outcome.err)
        self._compare(step.outcome, Outcome(None, self._log()[before:], True), step.who)

    def _word(self, word: str) -> str:
        """`$name` stands for an account's address; a file's name for a file that is there."""
        if word.startswith("$"):
            return to_checksum_address(self.address(word[1:]))
        if word.endswith(".md"):
            file = self.folder / word
            file.write_text(f"# {word}\n", encoding="utf-8")
            return str(file)
        return word

    def _log(self) -> tuple[Entry, ...]:
        wanted = {"address": self.contracts["registry"], "fromBlock": "0x0", "toBlock": "latest"}
        return tuple(
            decode_entry(bytes.fromhex(log["topics"][1][2:] + log["data"][2:]))
            for log in self.transport.request("eth_getLogs", [wanted])
            if log["topics"][0] == RECORDED
        )

    def _compare(self, outcome: str, done: Outcome, by: str) -> None:
        """The entries are the ones that are said, by who is said, or the error is."""
        if outcome.startswith("refused: "):
            assert (outcome, done.error) == (outcome, outcome.removeprefix("refused: "))
            return
        assert done.error is None, (outcome, done.error)
        expected = (
            [] if outcome == "nothing" else [self._entry(each) for each in outcome.split(";")]
        )
        found = [(each.action, each.authority, each.number) for each in done.entries]
        assert (outcome, found) == (outcome, expected)
        assert all(each.registrar == self.address(by) for each in done.entries)

    def _entry(self, words: str) -> tuple[Action, str, bytes]:
        """`appoint-registrar CN.GD fresh`, `publish CN.GD 1`, `retire successor`."""
        name, *rest = words.split()
        action = act_of(name)
        of_registry = action in {Action.APPOINT_ADMIN, Action.DISMISS_ADMIN, Action.RETIRE}
        code = "" if of_registry else rest.pop(0)
        if action in {Action.OPEN_AUTHORITY, Action.SET_PROFILE}:
            return action, code, bytes(32)
        subject = (
            sha256(rest[0].encode()) if action.on_policy else bytes(12) + self.address(rest[0])
        )
        return action, code, subject

    def _answered(self, step: Call, answer: Any) -> None:
        """The answer, or the first of several values, is what is said."""
        first = answer[0] if isinstance(answer, tuple) else answer
        words = {"yes": True, "no": False}
        expected = words.get(step.outcome)
        if expected is None:
            kind = functions()[step.function].outputs[0]
            expected = self._argument(kind, step.outcome)
            first = bytes.fromhex(first[2:]) if kind == "address" else first
        assert (step, first) == (step, expected)

    def _arguments(self, function: str, words: Sequence[str]) -> list[Any]:
        kinds = functions()[function].inputs
        return [self._argument(kind, each) for kind, each in zip(kinds, words, strict=True)]

    def _argument(self, kind: str, words: str) -> Any:
        if kind == "address":
            return self.address(words)
        if kind == "bytes":
            return b"" if words == "none" else words.encode()
        if kind == "bytes32":
            return word32(words)
        if words.isdecimal():
            return int(words)
        return int(parse_time(words)) if "T" in words else seconds(words)

    def address(self, name: str) -> bytes:
        """An account's address: a key's, a wallet's (made when it is first named), a contract's."""
        if name == "nobody":
            return bytes(20)
        if name in WALLETS and name not in self.contracts:
            self.contracts[name] = self._wallet(name)
        if name in self.contracts:
            return bytes.fromhex(self.contracts[name][2:])
        return address(name)

    def _wallet(self, name: str) -> str:
        owners = encode(["address[3]"], [[address(each) for each in owners_of(name)]]).hex()
        made = mined(self.transport, "secretary", None, self.wallet_code + owners)
        return str(made["contractAddress"])

    def _registry(self, name: str) -> Registry:
        return Registry(self.transport, self.contracts[name])
