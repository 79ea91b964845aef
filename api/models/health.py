"""Whether the server is alive and ready."""

from __future__ import annotations

from api.models.base import Answer, Context, FromRegistry, shown
from api.models.log import Totals
from api.models.sample import MOMENT


class Alive(Answer):
    status: str = shown("alive")


class FollowerFailure(Answer):
    kind: str = shown("unreachable")
    detail: str = shown("the node does not answer")
    since: str = shown(MOMENT)


class FollowerReport(Answer):
    """The reading of the chain."""

    state: str = shown("following")
    """off, starting, catching_up, following, failing, standby, alarm or stopped."""
    every_seconds: float | None = shown(2.0)
    last_sync: str | None = shown(MOMENT)
    failure: FollowerFailure | None = shown(None)


class Ready(FromRegistry):
    status: str = shown("ready")
    follower: FollowerReport


class NodeError(Answer):
    kind: str = shown("unreachable")
    message: str = shown("the node does not answer")
    hint: str | None = shown(None)


class NodeStatus(Answer):
    """The chain's head. `/v1/status` has it from the follower, `polreg status` from the node."""

    head: int | None = shown(120)
    head_time: str | None = shown(MOMENT)
    safe: int | None = shown(88)
    finalized: int | None = shown(56)
    lag_blocks: int | None = shown(0)
    """How many blocks the mirror is behind the head."""
    lag_seconds: int | None = shown(1)
    """How long ago the mirror last held all that its node had; null before the first time."""
    error: NodeError | None = shown(None)


class MirrorStatus(Answer):
    database: str = shown("sqlite")
    """sqlite or postgresql."""
    block: int = shown(120)
    block_time: str = shown(MOMENT)
    safe: int | None = shown(88)
    finalized: int | None = shown(56)
    proven_block: int | None = shown(120)
    """The last block at which the contract itself was seen to have the mirror's root."""
    synced_at: str | None = shown(MOMENT)
    """Null while the chain is being read for the first time: nothing is answered until then."""


class FollowerStatus(Answer):
    """What the process that follows the chain last said of itself."""

    state: str = shown("following")
    """starting, catching_up, following, failing, standby, alarm or stopped."""
    since: str = shown(MOMENT)
    seen_at: str = shown(MOMENT)
    silent_seconds: int = shown(1)
    """How long ago that is: a process that was killed says nothing any more."""
    entries_per_second: float | None = shown(1250.0)
    """Of the last poll that found any."""
    polls: int = shown(240)
    failure: FollowerFailure | None = shown(None)
    """While polls fail: why the last one did, and since when they do."""


class FaultMet(Answer):
    kind: str = shown("timed_out")
    count: int = shown(3)
    first_at: str = shown(MOMENT)
    last_at: str = shown(MOMENT)
    detail: str = shown("the node did not answer within 30 seconds")


class StatusTotals(Totals):
    entries: int = shown(11)


class StatusAnswer(Answer):
    """How it goes. Nothing here is an answer about a policy."""

    node: NodeStatus
    mirror: MirrorStatus | None = shown(None)
    """Null before anything was read."""
    follower: FollowerStatus | None = shown(None)
    """Null where nothing has followed the chain for this mirror yet."""
    faults: list[FaultMet]
    """Each kind that was met, the latest first."""
    alarm: str | None = shown(None)
    """Why the follower stopped, and what to do."""
    totals: StatusTotals
    registry: Context | None = shown(None)
    """Null until the first reading of the chain is complete."""
