"""Frozen values, made as quickly as others.

A frozen dataclass sets each of its fields past its own refusal, which takes three times as
long as setting them. A mirror makes half a dozen such values for each entry, of millions: there
they are made as objects of a twin class that is not frozen, and become what they are to be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def quick(kind: Callable[P, T]) -> Callable[P, T]:
    """What makes values of the frozen dataclass `kind`, which has slots, from all its fields by
    position; it fills in no defaults and calls no `__post_init__`."""
    if hasattr(kind, "__post_init__"):
        raise TypeError(f"{kind} does more than to set its fields")
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # a dataclass
    lines = [f"    self.{name} = {name}" for name in names]
    source = "\n".join(
        [f"def __init__(self, {', '.join(names)}):", *lines, "    self.__class__ = kind"]
    )
    made: dict[str, Any] = {"kind": kind}
    # As dataclasses does itself; the names are those of attributes.
    exec(source, made)  # noqa: S102
    return type(
        f"{kind.__name__}InTheMaking", (), {"__slots__": names, "__init__": made["__init__"]}
    )
