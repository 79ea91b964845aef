"""One follower at a time leads, and a standby takes over when it dies, on both databases."""

from __future__ import annotations

import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from registry.errors import Unavailable
from registry.mirror.engine import Engine, open_engine, open_unchecked
from registry.mirror.leader import Leadership, leadership
from tests.conftest import ROOT
from tests.postgres import Server, running_postgres

PATIENCE = 30.0
# Stands by, says when it leads, and holds until it is killed or its input ends.
CANDIDATE = """
import sys
from registry.mirror.engine import open_unchecked
from registry.mirror.leader import leadership
with leadership(open_unchecked(sys.argv[1])) as lead:
    print("standing by", flush=True)
    while not lead.wait(1):
        pass
    print("leads" if lead.held() else "lost", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def url(databases: Callable[[], str]) -> str:
    found = databases()
    open_engine(found).dispose()
    return found


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_unchecked(url)
    yield engine
    engine.dispose()


@pytest.fixture
def candidates(engine: Engine) -> Iterator[Callable[[], Leadership]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(leadership(engine))


class Process:
    """A candidate in a process of its own."""

    def __init__(self, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CANDIDATE, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Else what was said would wait here, and `select` would not see it.
            bufsize=0,
            cwd=ROOT,
        )
        assert self.says() == "standing by"

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().strip()

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.communicate()


def test_one_leads_and_the_other_stands_by(candidates: Callable[[], Leadership]) -> None:
    first, second = candidates(), candidates()
    assert not first.held()
    assert first.holder() is None
    assert first.wait(0)
    assert first.wait(0)
    assert (first.held(), second.wait(0), second.wait(0.05), second.held()) == (
        True,
        False,
        False,
        False,
    )
    assert second.holder() is not None


def test_whoever_gives_up_is_followed(engine: Engine, candidates: Callable[[], Leadership]) -> None:
    standby = candidates()
    with leadership(engine) as first:
        assert first.wait(0)
        assert not standby.wait(0)
    assert standby.wait(PATIENCE)
    assert standby.held()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_standby_takes_over_when_the_first_dies(
    url: str, candidates: Callable[[], Leadership], how: signal.Signals
) -> None:
    first = Process(url)
    assert first.says() == "leads"
    standby = candidates()
    assert not standby.wait(0)
    took_over = threading.Event()
    waiting = threading.Thread(target=lambda: standby.wait(PATIENCE) and took_over.set())
    waiting.start()
    assert not took_over.is_set()
    first.end(how)
    waiting.join()
    assert took_over.is_set()
    assert standby.held()


def test_never_two_at_once(url: str, candidates: Callable[[], Leadership]) -> None:
    """Each of three is killed when it leads: until then nobody else does, and then somebody."""
    watcher = candidates()
    waiting = [Process(url) for _ in range(3)]
    while waiting:
        leads = next_leader(waiting)
        assert leads.says() == "leads"
        assert not watcher.wait(0)
        leads.end()
        waiting.remove(leads)
    assert watcher.wait(PATIENCE)


def next_leader(waiting: list[Process]) -> Process:
    streams = {each.process.stdout: each for each in waiting}
    ready, _, _ = select.select(list(streams), [], [], PATIENCE)
    (stream,) = ready
    return streams[stream]


def test_a_holder_notices_that_its_connection_is_lost(postgres: Server) -> None:
    engine = open_engine(postgres.fresh())
    with leadership(engine) as first, leadership(engine) as second:
        assert first.wait(0)
        postgres.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        )
        assert second.wait(PATIENCE)
        assert not first.held()
        assert not first.wait(0)
    engine.dispose()


def test_a_server_that_is_gone_is_unavailable_and_leads_nobody() -> None:
    with running_postgres() as server:
        engine = open_engine(server.fresh())
        with leadership(engine) as lead:
            assert lead.wait(0)
            server.kill()
            assert not lead.held()
            with pytest.raises(Unavailable):
                lead.wait(0)
            assert not lead.held()
        engine.dispose()


def test_a_lock_file_that_was_deleted_leads_nobody(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("lock")
    engine = open_unchecked(f"sqlite:///{folder}/mirror.sqlite")
    with leadership(engine) as first, leadership(engine) as second:
        assert first.wait(0)
        (folder / "mirror.sqlite.follower").unlink()
        assert not first.held()
        assert second.wait(0)
        assert not first.wait(0)
    engine.dispose()


def test_mirrors_in_two_schemas_of_a_database_have_a_leader_each(postgres: Server) -> None:
    url = postgres.empty()
    postgres.sql("CREATE SCHEMA other", url.rpartition("/")[2].partition("?")[0])
    other = f"{url}&options=-csearch_path%3Dother"
    with ExitStack() as stack:
        for each in (url, other):
            engine = open_engine(each)
            stack.callback(engine.dispose)
            assert stack.enter_context(leadership(engine)).wait(0)
