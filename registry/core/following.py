"""How following a chain goes: what the follower is doing, and what may go wrong with it.

Both sets are closed, and their values are stored, shown and counted under these names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from registry.core.units import BlockNumber, UnixSeconds


class State(StrEnum):
    """What the follower is doing."""

    STARTING = "starting"
    CATCHING_UP = "catching_up"
    FOLLOWING = "following"
    FAILING = "failing"
    """The last poll failed; the next one may succeed."""
    STANDBY = "standby"
    """Another follower writes this mirror; this one takes over when that one ends."""
    ALARM = "alarm"
    """A finalised row would have to change: it stopped, and waits for a person."""
    STOPPED = "stopped"


class Fault(StrEnum):
    """Why a poll failed. The first six are how a node did not answer, the others what was
    wrong with what it said, or with the mirror's own database."""

    UNREACHABLE = "unreachable"
    """No connection, or one that broke."""
    TIMED_OUT = "timed_out"
    RATE_LIMITED = "rate_limited"
    """HTTP 429, or the node's own words for it."""
    SERVER_ERROR = "server_error"
    """Any other HTTP status than success."""
    MALFORMED = "malformed"
    """Not JSON-RPC: half a body, too large a body, a web page, another call's answer."""
    REFUSED = "refused"
    """A JSON-RPC error object."""

    INCONSISTENT_LOGS = "inconsistent_logs"
    """Logs that the contract can not have emitted in this order, or a gap among them."""
    WRONG_ROOT = "wrong_root"
    """The root of the entries is not the contract's."""
    WRONG_CHAIN = "wrong_chain"
    WRONG_CONTRACT = "wrong_contract"
    STALE_HEAD = "stale_head"
    """The node is behind what was read before."""
    UNLINKED_BLOCKS = "unlinked_blocks"
    """A block whose parent is not the block before it."""
    PRUNED_HISTORY = "pruned_history"
    """The node does not keep the state or the logs of a block that it has."""
    FINALIZED_CHANGED = "finalized_changed"
    """The chain has another block in the place of a finalised one."""

    DATABASE = "database"
    """This machine's store, disk or lock, or the database server."""
    CONFIGURATION = "configuration"
    """The settings name another chain or contract than the mirror follows, or none at all."""
    UNEXPECTED = "unexpected"
    """A fault of this program; its log has the traceback."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the last poll failed, and since when polls have."""

    fault: Fault
    detail: str
    since: UnixSeconds


@dataclass(frozen=True, slots=True)
class Report:
    """How the following goes. `since` is when the state began, `last_sync` when the mirror last
    held all that the node had; `head` is the newest block that the node told of. `polls` counts
    how often it was asked, failures included, over all runs. `alarm` says why the follower
    stopped and what to do; it stands until a poll succeeds, also while a later run tries."""

    state: State
    since: UnixSeconds
    seen_at: UnixSeconds
    last_sync: UnixSeconds | None = None
    head: BlockNumber | None = None
    head_time: UnixSeconds | None = None
    entries_per_second: float | None = None
    polls: int = 0
    blocks_left: int = 0
    failure: Failure | None = None
    alarm: str | None = None


@dataclass(frozen=True, slots=True)
class FaultCount:
    """How often a kind of fault was met, and when, and what was said of it the last time."""

    fault: Fault
    count: int
    first_at: UnixSeconds
    last_at: UnixSeconds
    detail: str
