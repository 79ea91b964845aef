"""What is to be known of a network that its nodes do not tell: `networks.toml` in the home
folder, written by whoever operates this machine, read when asked.

    ["eip155:100"]
    confirmations = 20    a block is final once 20 follow it; without it, by the node's own
                          `safe` and `finalized`. For chains that have no finality to show.
    poll_seconds = 5      how often a follower looks for new blocks; else every 2 seconds
    currency = "xDAI"     what gas is paid in, for messages: "ETH" where it is not set
    check_headers = false do not hold the blocks' headers against their hashes, where the network
                          has a form of them that this program does not know
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.errors import InputError, LocalFailure

FILE = "networks.toml"
_MOST_CONFIRMATIONS = 1_000_000
_LONGEST_POLL_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Network:
    """How one network is followed."""

    confirmations: int | None = None
    poll_seconds: float = 2.0
    check_headers: bool = True
    currency: str = "ETH"


def network_of(home: Path, chain_id: int) -> Network:
    """What is noted for the chain with this EIP-155 id; raises InputError or LocalFailure."""
    path = home / FILE
    try:
        noted = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Network()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can not be read: {error}") from None
    except OSError as error:
        raise LocalFailure(f"{path} can not be read: {error.strerror}") from None
    name = f"eip155:{chain_id}"
    values = noted.get(name, {})
    if not isinstance(values, dict):
        raise InputError(
            f'{path}: "{name}" is not a table', hint=f'write ["{name}"] above its keys'
        )
    known: dict[str, Any] = {key: _checked(path, name, key, values[key]) for key in values}
    return Network(**known)


def _checked(path: Path, name: str, key: str, value: Any) -> int | float | str:
    match key:
        case "confirmations":
            if type(value) is int and 0 <= value <= _MOST_CONFIRMATIONS:
                return value
            wanted = "a whole number of blocks"
        case "poll_seconds":
            if type(value) in {int, float} and 0 < value <= _LONGEST_POLL_SECONDS:
                return float(value)
            wanted = "a number of seconds, at most an hour"
        case "check_headers":
            if type(value) is bool:
                return value
            wanted = "true or false"
        case "currency":
            if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9]{1,12}", value):
                return value
            wanted = "a currency's letters"
        case _:
            raise InputError(
                f'{path}: "{name}" has the key {key}, which there is not',
                hint="there are confirmations, poll_seconds, check_headers and currency",
            )
    raise InputError(f'{path}: {key} of "{name}" is not {wanted}')
