"""What the mirror keeps of a policy beside its entries."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.core.calendar import FIRST_DAY, LAST_DAY
from registry.core.digest import sha256
from registry.core.entry import Action, Entry
from registry.core.snapshot import Logged, policy_history
from registry.errors import Inconsistent
from registry.mirror.rows import COLLECTION, DerivedRows
from tests.unit.logs import Log, draft, file_of
from tests.unit.strategies import any_day, likely_day


def test_the_root_over_a_collection_is_no_file() -> None:
    log = Log()
    rendition = file_of("the list of members", "members.csv")
    log.record(draft(Action.PUBLISH, "1", "root", renditions=[rendition]))
    (plain,) = log.logged
    fields = {**orjson.loads(plain.manifest or b""), "collection": {"members": 2}}
    content = orjson.dumps(fields)
    collection = Logged(replace(plain.entry, manifest=sha256(content)), content)
    for logged, roles in (
        (plain, ["document", "rendition"]),
        (collection, [COLLECTION, "rendition"]),
    ):
        rows = DerivedRows()
        rows.add([logged])
        assert [row[2] for row in rows.documents] == roles


def published(**more: Any) -> tuple[Entry, dict[str, Any]]:
    """A Publish, and its manifest's fields."""
    log = Log()
    log.record(draft(Action.PUBLISH, "1", "text", **more))
    (found,) = log.logged
    return found.entry, orjson.loads(found.manifest or b"")


DATES = st.sampled_from(["0001-01-01", "1949-10-01", "2017-09-01", "2024-02-30", "9999-12-31", 7])
FILES = st.lists(
    st.fixed_dictionaries(
        {"sha256": st.sampled_from(["ab" * 32, sha256(b"text").hex(), "AB" * 32])},
        optional={"name": st.text(max_size=3) | st.integers(), "size": st.integers(-1, 2**53)},
    ),
    max_size=3,
)
ODD_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "issued": DATES,
        "issued_month": st.sampled_from(["2017-09", "2017-13"]),
        "effective_from": DATES,
        "effective_to": DATES,
        "title": st.dictionaries(st.sampled_from(["zh", "en", "fr", "ZH"]), st.text(max_size=5)),
        "type": st.text(max_size=4) | st.none(),
        "jurisdiction": st.sampled_from(["CN-GD", "cn", ""]),
        "number": st.sampled_from(["1", "2", " 1"]),
        "collection": st.just({"members": 2}),
        "renditions": FILES,
        "relations": st.lists(
            st.fixed_dictionaries(
                {"type": st.sampled_from(["endorses", "cites", "likes"])},
                optional={
                    "policy": st.sampled_from(["ab" * 32, "cd" * 32, "x"]),
                    "citation": st.just("Law 7"),
                },
            ),
            max_size=3,
        ),
    },
)
DIFFERING = st.fixed_dictionaries(
    {},
    optional={
        "effective_on": st.none() | any_day | likely_day | st.sampled_from([FIRST_DAY, LAST_DAY]),
        "action": st.sampled_from(Action),
        "sequence": st.integers(0, 2),
        "previous": st.sampled_from([None, 0]),
        "document": st.none() | st.just(sha256(b"another")),
        "recorded_at": st.integers(0, 2**64 - 1),
    },
)


@given(ODD_FIELDS, DIFFERING, st.sampled_from(["there", "absent", "altered", "not JSON"]))
def test_a_publish_alone_has_the_rows_of_a_history_of_one(
    odd: dict[str, Any], differing: dict[str, Any], manifest: str
) -> None:
    entry, fields = published()
    content = b"{" if manifest == "not JSON" else json.dumps({**fields, **odd}).encode()
    entry = replace(entry, manifest=sha256(content), **differing)
    if manifest == "altered":
        content += b" "
    logged = [Logged(entry, None if manifest == "absent" else content)]
    found, right = DerivedRows(), DerivedRows()
    try:
        right.add_history(policy_history(logged))
    except Inconsistent:
        with pytest.raises(Inconsistent):
            found.add(logged)
        assert found == DerivedRows()
    else:
        found.add(logged)
        assert found == right
        assert found.policies
        assert found.intervals
