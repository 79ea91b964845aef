"""Hypothesis strategies for the registry's values."""

from __future__ import annotations

from hypothesis import strategies as st

from registry.core.digest import ZERO_DIGEST
from registry.core.entry import Action, Entry

digests = st.binary(min_size=32, max_size=32).filter(lambda value: value != ZERO_DIGEST)
uint32 = st.integers(0, 2**32 - 1)
uint64 = st.integers(0, 2**64 - 1)
indexes = st.integers(0, 2**64 - 2)
any_day = st.integers(-(2**31) + 1, 2**31 - 1)
likely_day = st.integers(-800_000, 3_000_000)
segments = st.text("ABCXYZ0189", min_size=1, max_size=6)


@st.composite
def codes(draw: st.DrawFn) -> str:
    """Authority codes: segments joined by dots or hyphens, at most 31 characters."""
    code = draw(segments)
    for each in draw(st.lists(segments, max_size=5)):
        longer = code + draw(st.sampled_from(".-")) + each
        code = longer if len(longer) <= 31 else code
    return code


entries = st.builds(
    Entry,
    index=indexes,
    previous=st.none() | indexes,
    authority=codes() | st.just(""),
    number=st.binary(min_size=32, max_size=32),
    sequence=uint32,
    action=st.sampled_from(Action),
    effective_on=st.none() | any_day | likely_day,
    document=st.none() | digests,
    manifest=st.none() | digests,
    registrar=st.binary(min_size=20, max_size=20),
    recorded_at=uint64,
)
