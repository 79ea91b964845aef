"""A registry of one's own on a node, with the command line that keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from registry.chain.client import Client
from registry.chain.rpc import HttpTransport
from registry.core.units import Address
from tests.contract.anvil_registry import Registry, account, fund
from tests.integration.command_line import User


@dataclass(frozen=True)
class Office:
    """A new registry, in which `officer` is administrator, controller and registrar of CN."""

    registry: Registry
    officer: User
    client: Client
    folder: Path

    def publish(self, name: str, *more: str) -> Path:
        """Publish a file as a policy of its own; its number is its name."""
        file = self.folder / name
        file.write_text(f"# {name}\n", encoding="utf-8")
        words = ("--authority", "CN", "--number", name, "--title-en", "Title")
        self.officer.done("publish", file, *words, *more)
        return file


def opened_office(transport: HttpTransport, url: str, tmp_path: Path) -> Office:
    """Deploy a registry, and open CN."""
    fund(transport, "officer")
    settings = {"POLREG_RPC_URL": url, "POLREG_PRIVATE_KEY": account("officer").key.hex()}
    officer = User(tmp_path / "home", settings)
    contract = officer.done("deploy", "--json").json["contract"].rpartition(":")[2]
    officer.done("authority", "open", "CN")
    client = Client(transport, Address(bytes.fromhex(contract[2:])))
    return Office(Registry(transport, contract), officer, client, tmp_path)
