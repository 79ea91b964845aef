"""Is the process alive, and is it ready to answer?"""

from __future__ import annotations

from fastapi import APIRouter, Response

from api import answering
from api.documentation import answers as documented
from api.models import Alive, Ready, StatusAnswer
from api.parameters import Following, Registry
from registry.services.lookup import current_position
from registry.services.status import follower_status

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=Alive, responses={200: documented(Alive)[200]})
async def healthz() -> Response:
    """The process is alive. Looks at nothing."""
    return answering.json({"status": "alive"})


@router.get("/readyz", response_model=Ready, responses=documented(Ready))
def readyz(registry: Registry, following: Following) -> Response:
    """The mirror is open and holds the chain as of its block; 503 where not, and where the
    follower stopped because a finalised block was replaced.

    A mirror whose node fails is ready, and says under `follower` since when it fails.
    """
    position = current_position(registry.engine)
    following.require_caught_up(position)
    following.require_no_alarm()
    content = {"status": "ready", "follower": following.report()}
    return answering.from_registry(position, content)


@router.get("/status", response_model=StatusAnswer, responses=documented(StatusAnswer))
def status(registry: Registry, following: Following) -> Response:
    """How the mirror, its follower and the chain are doing, also while no answer can be had.

    `node` is what the follower last saw of the chain; no node is asked for this.
    """
    return answering.json(follower_status(registry.engine, following.own))
