"""The log, the authorities, the numbers."""

from __future__ import annotations

from api.models.base import Answer, FromRegistry, shown
from api.models.joint import MarkedAct
from api.models.sample import ACCOUNT, AUTHORITY, MOMENT


class SettledBlocks(Answer):
    safe_block: int | None = shown(12)
    finalized_block: int | None = shown(12)


class CheckpointAnswer(FromRegistry):
    """The log's size and root, to be compared with the contract's own `checkpoint()`."""

    size: int = shown(11)
    root: str = shown("6b06b7a4e9c1a8f2d3e4b5c6a7f8091a2b3c4d5e6f708192a3b4c5d6e7f80912")
    settled: SettledBlocks
    """The newest blocks that the network calls safe and finalized; null for none."""


class Authority(Answer):
    code: str = shown(AUTHORITY)
    name: dict[str, str] = shown({"zh": "深圳市人民政府", "en": "Shenzhen Municipal Government"})
    policies: int = shown(1)
    """Its own, without its children's."""
    opened_by_entry: int = shown(7)


class AuthoritiesAnswer(FromRegistry):
    authorities: list[Authority]


class RoleChange(Answer):
    entry: int = shown(8)
    at: str = shown(MOMENT)
    by: str = shown(ACCOUNT)
    compromised: MarkedAct | None = shown(None)
    """Where the key that did it was reported compromised, as of then."""


class Grant(Answer):
    account: str = shown(ACCOUNT)
    role: str = shown("registrar")
    appointed: RoleChange
    dismissed: RoleChange | None = shown(None)


class Compromise(Answer):
    account: str = shown("0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF")
    since: str = shown(MOMENT)
    """Since when the key is not to be trusted."""
    entry: int = shown(9)


class AuthorityAnswer(FromRegistry):
    authority: Authority
    grants: list[Grant]
    """Who held which role, from which entry to which."""
    compromised: list[Compromise]


class Totals(Answer):
    policies: int = shown(1)
    documents: int = shown(1)
    """Files, renditions included."""
    authorities: int = shown(3)


class StatsAnswer(FromRegistry):
    on: str = shown("2026-11-22")
    policies: int = shown(1)
    """How many policies the filters leave."""
    by: dict[str, dict[str, int]] = shown(
        {
            "jurisdiction": {"CN-GD": 1},
            "level": {"regional": 1},
            "type": {"notice": 1},
            "year": {"2017": 1},
            "authority": {AUTHORITY: 1},
            "standing": {"in_force": 1},
        }
    )
    """Their numbers, the most first; `unknown` where a manifest does not say. Of `standing`,
    `last_day_unknown` and `closed` are those that have none."""
    totals: Totals
    """Of everything, without filters."""
