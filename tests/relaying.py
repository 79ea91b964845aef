"""A registry on a node, a registrar without money, a wallet with a threshold, and relays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import solcx
from eth_abi.abi import encode
from eth_account import Account

from registry.chain.rpc import HttpTransport
from registry.chain.signers import LocalSigner
from registry.config import Settings
from registry.core.digest import sha256
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action
from registry.core.lifecycle import UNPUBLISHED, PolicyState
from registry.core.signed_act import SignedAct
from registry.core.units import Address, UnixSeconds
from registry.services.relaying import Relay
from registry.services.setup import relay_for
from registry.services.signing import Signing, sign_act
from registry.services.workspace import Workspace
from scripts.compile import collect_sources, compiler
from tests.anvil import CHAIN_ID, DEV_KEYS
from tests.contract.anvil_registry import mined
from tests.integration.command_line import User

REGISTRAR = bytes.fromhex("c0ffee05" * 8)
OWNERS = tuple(bytes([number]) * 32 for number in (21, 22, 23))
PAYER = DEV_KEYS[1]
FAR = UnixSeconds(4_000_000_000)
SOURCE, WALLET = "tests/contract/TwoOfThree.sol", "TwoOfThree"


def address_of(key: bytes) -> str:
    return str(Account.from_key(key).address)


@cache
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


@dataclass
class World:
    """`admin` administers; the registrar and the wallet are registrars of CN.GD."""

    url: str
    admin: User
    contract: Address
    wallet: str | None
    folder: Path

    @property
    def transport(self) -> HttpTransport:
        return HttpTransport(self.url)

    def draft(self, number: str, action: Action = Action.PUBLISH) -> Draft:
        document = FileDescription(sha256(f"text of {number}, {action}".encode()), 9)
        return Draft(
            action, "CN.GD", number, {"en": f"Act {number}"}, document if action <= 3 else None
        )

    def signed(
        self,
        number: str,
        action: Action = Action.PUBLISH,
        state: PolicyState = UNPUBLISHED,
        key: bytes = REGISTRAR,
        **changed: Any,
    ) -> SignedAct:
        place = {"chain_id": CHAIN_ID, "contract": self.contract, "deadline": FAR, **changed}
        return sign_act(self.draft(number, action), state, Signing(**place), LocalSigner(key))

    @contextmanager
    def relay(
        self, name: str = "relay", key: str = PAYER, database: str | None = None, **options: Any
    ) -> Iterator[Relay]:
        """A relay with a database of its own by its name, or with this one."""
        with Workspace(replace(self.settings(name), database_url=database)) as opened:
            opened.sync()
            yield relay_for(opened, LocalSigner(bytes.fromhex(key[2:])), **options)

    def settings(self, name: str) -> Settings:
        return Settings(
            home=self.folder / name, rpc_url=self.url, contract="0x" + self.contract.hex()
        )

    def user(self, name: str, **more: str) -> User:
        contract = "0x" + self.contract.hex()
        given = {"POLREG_RPC_URL": self.url, "POLREG_CONTRACT": contract, **more}
        return User(self.folder / name, given)


def make_world(url: str, folder: Path, *, wallet: bool = False) -> World:
    admin = User(folder / "admin", {"POLREG_RPC_URL": url, "POLREG_PRIVATE_KEY": DEV_KEYS[0]})
    contract = admin.done("deploy", "--json").json["contract"].rpartition(":")[2]
    admin.done("authority", "open", "CN.GD", "--parents")
    admin.done("authority", "appoint", "CN.GD", address_of(REGISTRAR))
    made = None
    if wallet:
        owners = sorted(address_of(key) for key in OWNERS)
        data = wallet_code() + encode(["address[3]"], [owners]).hex()
        made = str(mined(HttpTransport(url), "deployer", None, data)["contractAddress"])
        admin.done("authority", "appoint", "CN.GD", made)
    return World(url, admin, Address(bytes.fromhex(contract[2:])), made, folder)
