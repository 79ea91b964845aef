"""One example per model, put together from the examples of its fields."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel


def example(model: type[BaseModel]) -> dict[str, Any]:
    """What an answer of this model looks like, as JSON values."""
    return {name: _value(field) for name, field in model.model_fields.items()}


def _value(field: Any) -> Any:
    if field.examples:
        return field.examples[0]
    annotation = field.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return example(annotation)
    (each,) = get_args(annotation)
    return [example(each)]
