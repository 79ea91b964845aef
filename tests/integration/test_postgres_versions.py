"""The oldest PostgreSQL of the wheel does what the newest does, which all other tests use.

With POLREG_TEST_POSTGRES=15 they all use Debian's, where it is installed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.core.verdict import ExitCode
from registry.mirror.engine import open_engine
from registry.mirror.leader import leadership
from registry.mirror.schema import SIDE_DATA
from tests.databases import content
from tests.integration.command_line import User
from tests.postgres import running_postgres


@pytest.mark.parametrize("version", [16])
def test_an_older_server_holds_the_same_mirror(user: User, tmp_path: Path, version: int) -> None:
    document = tmp_path / "a.md"
    document.write_text("第一条", "utf-8")
    with running_postgres(version) as server:
        url = server.empty()
        on_postgres = User(user.home, {"POLREG_DATABASE_URL": url})
        about = ("--authority", "CN.GD", "--number", "1", "--title-zh", "支持金融业的措施")
        on_postgres.done("publish", document, *about)
        user.done("sync")
        assert on_postgres("verify", document).code == ExitCode.VERIFIED
        assert "支持金融业的措施" in on_postgres.done("search", "金融").out
        assert on_postgres.done("fsck", "--json").json["findings"] == []
        assert on_postgres.done("snapshot").out == user.done("snapshot").out
        (path,) = user.home.glob("mirror-*.sqlite")
        mirrors = [open_engine(each) for each in (url, f"sqlite:///{path}")]
        rows = [content(each) for each in mirrors]
        for each in rows:
            # What is not from the chain is only where it was published.
            for beside in ("headers", *SIDE_DATA):
                del each[beside]
        assert rows[0] == rows[1]
        with leadership(mirrors[0]) as lead:
            assert lead.wait(0)
        for each in mirrors:
            each.dispose()
