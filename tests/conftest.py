"""What all tests share: hypothesis runs the same examples every time, and the corpus.

pytest                          quick and deterministic
pytest --hypothesis-profile=ci  more examples; what CI runs
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import new_database
from tests.postgres import NEWEST, Server, running_postgres

ROOT = Path(__file__).resolve().parent.parent
# Where the working copy is not beside it, as with further ones of git's.
CORPUS = Path(os.environ.get("POLREG_TEST_CORPUS") or ROOT.parent / "shared" / "corpus")
IN_CI = os.environ.get("CI") == "true"

# The machine is shared with other work, so a slow example is no failure.
settings.register_profile(
    "default",
    max_examples=50,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "ci", parent=settings.get_profile("default"), max_examples=400, print_blob=True
)
settings.load_profile("ci" if IN_CI else "default")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real laws beside the repository. In CI its absence is a failure."""
    if not (CORPUS / "index.csv").is_file():
        absent = "the corpus is not there: ../shared/corpus from the repository's root"
        if IN_CI:
            pytest.fail(absent)
        pytest.skip(absent)
    return CORPUS


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server of the newest version, or of the one that POLREG_TEST_POSTGRES
    names. That there is none is a failure."""
    with running_postgres(int(os.environ.get("POLREG_TEST_POSTGRES") or NEWEST)) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes a new mirror's database at each call, as its URL: once SQLite, once PostgreSQL."""
    return new_database(request, tmp_path)
