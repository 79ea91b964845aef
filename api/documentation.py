"""What every route says of itself in /openapi.json: its answers, with examples."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api import models, problems
from api.examples import example

_SCHEMA = {"$ref": "#/components/schemas/Problem"}
_CAN_ALWAYS_HAPPEN = (problems.INPUT, problems.COULD_NOT_CHECK)


def answers(
    model: type[BaseModel], *further: problems.Kind, description: str = "The answer"
) -> dict[int | str, dict[str, Any]]:
    """A route's answers: this model, the problems any route may have, and further ones."""
    return {200: {"description": description, "model": model}, **failures(*further)}


def failures(*further: problems.Kind) -> dict[int | str, dict[str, Any]]:
    """The problems of a route. `default` stands for those that any server may have."""
    kinds = sorted({*_CAN_ALWAYS_HAPPEN, *further}, key=lambda kind: kind.status)
    found: dict[int | str, dict[str, Any]] = {kind.status: _failure(kind) for kind in kinds}
    return {**found, "default": _failure(problems.UNEXPECTED)}


def _failure(kind: problems.Kind) -> dict[str, Any]:
    shown = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": "what is wrong, in words",
        "hint": "what can be done about it, or null",
    }
    content = {problems.MEDIA_TYPE: {"schema": _SCHEMA, "example": shown}}
    return {"description": kind.title, "content": content}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document. Problems are no route's model, so their schema is added; examples
    are added last, since FastAPI takes the nulls out of what it is given."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
        )
        document["components"]["schemas"]["Problem"] = models.Problem.model_json_schema()
        _add_examples(document)
        app.openapi_schema = document
    return app.openapi_schema


def _add_examples(document: dict[str, Any]) -> None:
    for methods in document["paths"].values():
        for route in methods.values():
            good = route["responses"].get("200") or route["responses"]["202"]
            shown = good["content"].get("application/json")
            if shown is not None:
                name = shown["schema"]["$ref"].rpartition("/")[2]
                shown["example"] = example(getattr(models, name))
