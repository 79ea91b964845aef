"""One example per model, put together from the examples of its fields."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from pydantic import BaseModel


def example(model: type[BaseModel]) -> dict[str, Any]:
    """What an answer of this model looks like, as JSON values."""
    return {name: _value(field) for name, field in model.model_fields.items()}


def _value(field: Any) -> Any:
    if field.examples:
        return field.examples[0]
    return _of(field.annotation)


def _of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return example(annotation)
    # A list of models, or a model that may be null: an example shows what it is when it is there.
    (each,) = (each for each in get_args(annotation) if each is not type(None))
    return [_of(each)] if get_origin(annotation) is list else _of(each)
