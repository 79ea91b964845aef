"""What the mirror keeps of a policy beside its entries."""

from __future__ import annotations

from dataclasses import replace

import orjson

from registry.core.digest import sha256
from registry.core.entry import Action
from registry.core.snapshot import Logged
from registry.mirror.rows import DerivedRows
from tests.unit.logs import Log, draft, file_of


def test_the_root_over_a_collection_is_no_file() -> None:
    log = Log()
    rendition = file_of("the list of members", "members.csv")
    log.record(draft(Action.PUBLISH, "1", "root", renditions=[rendition]))
    (plain,) = log.logged
    fields = {**orjson.loads(plain.manifest or b""), "collection": {"members": 2}}
    content = orjson.dumps(fields)
    collection = Logged(replace(plain.entry, manifest=sha256(content)), content)
    for logged, roles in ((plain, ["document", "rendition"]), (collection, ["rendition"])):
        rows = DerivedRows()
        rows.add([logged])
        assert [row[2] for row in rows.documents] == roles
