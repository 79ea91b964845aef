"""A frozen value that was made quickly is the same as any other."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, astuple, dataclass, fields, replace
from typing import Any

import pytest
from hypothesis import given

from registry.core.entry import Entry
from registry.core.feed import Place
from registry.core.lifecycle import UNPUBLISHED, PolicyState
from registry.core.manifest import Manifest, ManifestState, Reading
from registry.core.quick import quick
from tests.unit.strategies import entries


@given(entries)
def test_it_is_of_the_class_itself(entry: Entry) -> None:
    made = quick(Entry)(*(getattr(entry, field.name) for field in fields(entry)))
    assert type(made) is Entry
    assert made == entry
    assert (hash(made), repr(made), astuple(made)) == (hash(entry), repr(entry), astuple(entry))
    assert pickle.loads(pickle.dumps(made)) == entry
    assert replace(made, sequence=7).sequence == 7


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Place, (1, b"hash", b"transaction", 2)),
        (PolicyState, astuple(UNPUBLISHED)),
        (Manifest, ({}, b"hash", None, None, None)),
        (Reading, (ManifestState.ABSENT, None, None)),
    ],
)
def test_it_is_as_frozen_as_any_other(kind: Any, values: tuple[Any, ...]) -> None:
    made = quick(kind)(*values)
    assert made == kind(*values)
    for field in fields(kind):
        with pytest.raises(FrozenInstanceError):
            setattr(made, field.name, None)


def test_all_fields_are_to_be_given() -> None:
    with pytest.raises(TypeError):
        quick(Reading)(ManifestState.ABSENT)


def test_what_does_more_than_to_set_its_fields_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Checked:
        value: int

        def __post_init__(self) -> None:
            raise ValueError

    with pytest.raises(TypeError, match="more than"):
        quick(Checked)
