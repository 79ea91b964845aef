"""Whether the server is alive and ready."""

from __future__ import annotations

from api.models.base import Answer, FromRegistry, shown
from api.models.sample import MOMENT


class Alive(Answer):
    status: str = shown("alive")


class FollowerFailure(Answer):
    kind: str = shown("unreachable")
    detail: str = shown("the node does not answer")
    since: str = shown(MOMENT)


class FollowerReport(Answer):
    """The background reading of the chain."""

    state: str = shown("following")
    """off, starting, catching_up, following, failing, standby, alarm or stopped."""
    every_seconds: float | None = shown(2.0)
    last_sync: str | None = shown(MOMENT)
    failure: FollowerFailure | None = shown(None)


class Ready(FromRegistry):
    status: str = shown("ready")
    follower: FollowerReport
