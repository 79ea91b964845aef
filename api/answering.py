"""How answers are sent: made once as plain values, encoded once, never validated again."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Response

from registry.core.position import Position
from registry.services import answers


def from_registry(position: Position, content: dict[str, Any]) -> Response:
    """An answer with the place it comes from, under `registry`."""
    return json({**content, "registry": answers.context(position)})


def json(content: dict[str, Any]) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
