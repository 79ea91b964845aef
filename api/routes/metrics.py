"""How it goes, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.parameters import Following, Registry
from registry.services.metrics import CONTENT_TYPE, exposition
from registry.services.status import stored_status

router = APIRouter()


@router.get("/metrics")
def metrics(registry: Registry, following: Following) -> Response:
    """The metrics of the mirror, of whatever follows the chain for it, and of this process."""
    status = stored_status(registry.engine, following.own)
    return Response(exposition(status), media_type=CONTENT_TYPE)
