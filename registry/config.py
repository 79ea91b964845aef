"""Settings: from the environment and the home folder, read when asked, never at import.

POLREG_HOME            where everything is kept; else the platform's data folder
POLREG_RPC_URL         an Ethereum node, or several of one chain, separated by spaces or commas,
                       the preferred one first; without it, the embedded chain
POLREG_RPC_WS_URL      a node that announces new blocks over WebSocket (ws or wss)
POLREG_RPC_TIMEOUT     seconds for which a node may say nothing: 30 where it is not set
POLREG_CONTRACT        the contract, where it is not the one that `deploy` noted
POLREG_FIRST_BLOCK     the block it was deployed in, for a contract given by address
POLREG_DATABASE_URL    the mirror, where it is not to be in the home folder: sqlite:////path or
                       postgresql://user:password@host/database
POLREG_DATABASE_READ_URL  a replica of it to answer from; without POLREG_DATABASE_URL nothing
                       is followed or written here
POLREG_KEYSTORE        a V3 keystore; else the development one that `init` makes
POLREG_PASSWORD_FILE   a file that holds its password
POLREG_SIGNER_URL      a signer that is asked over JSON-RPC, such as Web3Signer
POLREG_SIGNER_ACCOUNT  which of its accounts signs
POLREG_KMS_KEY         a key that AWS KMS keeps: its id, ARN or alias
POLREG_PRIVATE_KEY     a key in hexadecimal: for development only
POLREG_MAX_FEE_GWEI    the most that a transaction may offer for a unit of gas, in gwei (or the
                       like of the network's currency); what the network asks more for waits
POLREG_STUCK_AFTER     seconds after which a transaction that is not mined is outbid: 90 where it
                       is not set
POLREG_DOCUMENTS       where documents are kept that are published with --keep-document, if not in
                       the home folder: a folder, or a URL that fsspec knows
POLREG_KEEP_DOCUMENTS  yes or no: whether each document that is published is kept, where the
                       command says nothing of it
POLREG_LOG_FORMAT      json or text: how what follows or serves tells of what happens; where it
                       is not set, text on a terminal and json elsewhere
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from registry.errors import InputError, LocalFailure

_CONFIG = "config.toml"
_SHORTEST_SECRET = 4
_SHORTEST_KEY_IN_A_PATH = 12


class LogFormat(StrEnum):
    """How events are written."""

    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A contract on a chain, and the block it was deployed in."""

    chain_id: int
    contract: str
    first_block: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment and the home folder say. URLs and keys stay out of `repr`."""

    home: Path
    rpc_url: str | None = field(default=None, repr=False)
    rpc_ws_url: str | None = field(default=None, repr=False)
    rpc_timeout: float = 30.0
    contract: str | None = None
    first_block: int = 0
    database_url: str | None = field(default=None, repr=False)
    database_read_url: str | None = field(default=None, repr=False)
    keystore: Path | None = None
    password_file: Path | None = None
    signer_url: str | None = field(default=None, repr=False)
    signer_account: str | None = None
    kms_key: str | None = None
    private_key: str | None = field(default=None, repr=False)
    max_fee: int | None = None
    """Wei a unit of gas."""
    stuck_after: float = 90.0
    documents: str | None = field(default=None, repr=False)
    keep_documents: bool = False
    log_format: LogFormat | None = None

    @property
    def secrets(self) -> frozenset[str]:
        """What may stand in no log: keys and passwords, also those within URLs."""
        others = (
            self.rpc_ws_url,
            self.database_url,
            self.database_read_url,
            self.signer_url,
            self.documents,
        )
        urls = [*split_urls(self.rpc_url or ""), *filter(None, others)]
        found = {secret for url in urls for secret in _secrets_in(url)}
        if self.private_key is not None:
            found |= {self.private_key, self.private_key.removeprefix("0x")}
        return frozenset(each for each in found if len(each) >= _SHORTEST_SECRET)

    @property
    def reads_only(self) -> bool:
        """Whether there is a replica to answer from, and no mirror to write."""
        return self.database_read_url is not None and self.database_url is None

    @property
    def embedded_chain(self) -> Path:
        return self.home / "chain" / "chain.sqlite"

    @property
    def development_keystore(self) -> Path:
        return self.home / "keys" / "development.json"

    @property
    def development_password(self) -> Path:
        return self.home / "keys" / "development.password"

    @property
    def rpc_urls(self) -> tuple[str, ...]:
        """The nodes to ask, the preferred one first."""
        return tuple(url for url in split_urls(self.rpc_url or "") if not _is_websocket(url))

    @property
    def heads_url(self) -> str | None:
        """The node that announces new blocks, if one does."""
        announcing = [url for url in split_urls(self.rpc_url or "") if _is_websocket(url)]
        return self.rpc_ws_url or next(iter(announcing), None)

    @property
    def networks(self) -> tuple[str, ...]:
        """The names under which this network's deployment is noted, one for each node, so that
        it is found by any of them. An RPC URL may hold a key, so its hash stands for it."""
        if self.rpc_url is None:
            return ("embedded",)
        return tuple(
            "rpc-" + hashlib.sha256(url.encode()).hexdigest()[:16]
            for url in dict.fromkeys(self.rpc_urls)
        )

    def mirror_path(self, deployment: Deployment) -> Path:
        name = f"mirror-{deployment.chain_id}-{deployment.contract[2:10].lower()}.sqlite"
        return self.home / name


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Settings from the environment's POLREG_ variables; raises InputError."""
    get = {name: value for name, value in environment.items() if value}.get
    first_block = get("POLREG_FIRST_BLOCK", "0")
    if not re.fullmatch("[0-9]{1,18}", first_block):
        raise InputError("POLREG_FIRST_BLOCK is not a block number")
    return Settings(
        home=_path(get("POLREG_HOME") or _platform_home()).absolute(),
        rpc_url=get("POLREG_RPC_URL"),
        rpc_ws_url=get("POLREG_RPC_WS_URL"),
        rpc_timeout=_seconds(get("POLREG_RPC_TIMEOUT", "30"), "POLREG_RPC_TIMEOUT"),
        contract=get("POLREG_CONTRACT"),
        first_block=int(first_block),
        database_url=get("POLREG_DATABASE_URL"),
        database_read_url=get("POLREG_DATABASE_READ_URL"),
        keystore=_optional_path(get("POLREG_KEYSTORE")),
        password_file=_optional_path(get("POLREG_PASSWORD_FILE")),
        signer_url=get("POLREG_SIGNER_URL"),
        signer_account=get("POLREG_SIGNER_ACCOUNT"),
        kms_key=get("POLREG_KMS_KEY"),
        private_key=get("POLREG_PRIVATE_KEY"),
        max_fee=_wei(get("POLREG_MAX_FEE_GWEI"), "POLREG_MAX_FEE_GWEI"),
        stuck_after=_seconds(get("POLREG_STUCK_AFTER", "90"), "POLREG_STUCK_AFTER"),
        documents=get("POLREG_DOCUMENTS"),
        keep_documents=_yes(get("POLREG_KEEP_DOCUMENTS", "no"), "POLREG_KEEP_DOCUMENTS"),
        log_format=_log_format(get("POLREG_LOG_FORMAT")),
    )


def read_deployment(settings: Settings, contract: str | None = None) -> Deployment | None:
    """The contract that `init` or `deploy` noted for this network, or `contract` if that is
    among those. Raises InputError where the nodes were noted with different ones."""
    noted = _read_notes(settings)
    found: dict[tuple[int, str], Deployment] = {}
    for network in settings.networks:
        if network in noted:
            each = _deployment(settings, network, noted[network])
            known = found.setdefault((each.chain_id, each.contract), each)
            # A contract that was given by address may be noted from a block before its own.
            if each.first_block < known.first_block:
                found[each.chain_id, each.contract] = each
    if contract is not None:
        return next((each for each in found.values() if each.contract == contract), None)
    if len(found) > 1:
        shown = ", ".join(f"{name} on chain {chain_id}" for chain_id, name in found)
        raise InputError(
            f"the nodes of POLREG_RPC_URL are known with different contracts: {shown}",
            hint="set POLREG_CONTRACT to the one that is meant; all nodes must be of its chain",
        )
    return next(iter(found.values()), None)


def known_deployments(settings: Settings) -> list[Deployment]:
    """The contracts that were noted for any network."""
    return [_deployment(settings, name, each) for name, each in _read_notes(settings).items()]


def _deployment(settings: Settings, network: str, found: Mapping[str, Any]) -> Deployment:
    try:
        return Deployment(int(found["chain_id"]), str(found["contract"]), int(found["block"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        path = settings.home / _CONFIG
        raise InputError(f"{path}: deployments.{network} is not complete") from None


def note_deployment(settings: Settings, deployment: Deployment) -> None:
    """Keep where the contract is. The file is replaced whole: a crash here leaves the old one."""
    path = settings.home / _CONFIG
    noted = _read_notes(settings)
    for network in settings.networks:
        noted[network] = {
            "chain_id": deployment.chain_id,
            "contract": deployment.contract,
            "block": deployment.first_block,
        }
    lines = ["# Written by polreg init and polreg deploy."]
    for network, values in noted.items():
        lines += ["", f"[deployments.{network}]"]
        lines += [
            f"{key} = {value}" if isinstance(value, int) else f'{key} = "{value}"'
            for key, value in values.items()
        ]
    fresh = path.with_suffix(".new")
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with fresh.open("w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise LocalFailure(f"{path} can not be written: {error.strerror}") from None


def _read_notes(settings: Settings) -> dict[str, dict[str, Any]]:
    """The deployments in the home folder's file, by network."""
    path = settings.home / _CONFIG
    try:
        noted = tomllib.loads(path.read_text("utf-8")).get("deployments", {})
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can not be read: {error}") from None
    except OSError as error:
        raise LocalFailure(f"{path} can not be read: {error.strerror}") from None
    if not isinstance(noted, dict) or not all(isinstance(each, dict) for each in noted.values()):
        raise InputError(f"{path}: deployments is not a table of tables")
    return noted


def split_urls(text: str) -> tuple[str, ...]:
    """URLs that spaces or commas separate. A comma inside a URL is its own."""
    found = re.split(r"[\s,]+(?=[A-Za-z]+://)|\s+", text.strip(" \t\r\n,"))
    return tuple(url for each in found if (url := each.rstrip(",")))


def _is_websocket(url: str) -> bool:
    return url.lower().startswith(("ws://", "wss://"))


def _seconds(text: str, name: str) -> float:
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text) or float(text) <= 0:
        raise InputError(f"{name} is not a number of seconds")
    return float(text)


def _wei(text: str | None, name: str) -> int | None:
    """A price in gwei, in wei."""
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        raise InputError(f"{name} is not a number of gwei")
    whole, _, part = text.partition(".")
    return int(whole) * 10**9 + int(part.ljust(9, "0"))


def _yes(text: str, name: str) -> bool:
    if text.lower() not in {"yes", "no", "1", "0"}:
        raise InputError(f"{name} is {text!r}, neither yes nor no")
    return text.lower() in {"yes", "1"}


def _log_format(text: str | None) -> LogFormat | None:
    try:
        return None if text is None else LogFormat(text)
    except ValueError:
        raise InputError(f"POLREG_LOG_FORMAT is {text!r}, neither json nor text") from None


def _secrets_in(url: str) -> set[str]:
    """The password of a URL, and what may be a provider's key: long parts of its path, and
    whatever its query says."""
    try:
        parts = urlsplit(url)
        # Without a port that is none: reading the password does not look at it.
        password = parts.password or ""
    except ValueError:
        return {url}
    in_path = {each for each in parts.path.split("/") if len(each) >= _SHORTEST_KEY_IN_A_PATH}
    in_query = {value for _, value in parse_qsl(parts.query)}
    # A database's path is where it is.
    of_a_node = parts.scheme.startswith(("http", "ws"))
    found = {password, *in_query, *(in_path if of_a_node else ())}
    return found | {unquote(each) for each in found}


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise InputError(f"{text} names the home of a user that there is not") from None


def _optional_path(text: str | None) -> Path | None:
    return _path(text) if text else None


def _platform_home() -> str:
    from platformdirs import user_data_dir

    return user_data_dir("policy-registry", appauthor=False)
