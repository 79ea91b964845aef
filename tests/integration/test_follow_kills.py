"""A follower that is killed, at whatever it is doing, loses nothing and doubles nothing.

The next start goes on by the same code: nothing is cleaned up, no note is read of what was
under way. What the kill left is true at the block at which the mirror stands.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.anvil import ROOT
from tests.postgres import Server

KILLS = int(os.environ.get("POLREG_KILLS", "180"))
KILLS_ON_POSTGRES = 20
PARTS = 2


def killed(job: dict[str, Any]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.killed_followers"],
        cwd=ROOT, input=json.dumps(job), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def require_nothing_lost(outcomes: list[dict[str, Any]], kills: int) -> None:
    assert len(outcomes) == kills
    assert [each for each in outcomes if each["problem"]] == []
    at_commits = [each for each in outcomes if "commit" in each["point"]]
    # Before and after each one. Who is to die there does; at any moment one may be done before.
    assert len(at_commits) == min(2 * outcomes[0]["commits"], kills)
    assert all(each["was_killed"] for each in at_commits)
    died = [each for each in outcomes if each["was_killed"]]
    assert len(died) > kills // 2
    # They died all along the chain.
    assert len({each["stood_at"] for each in died}) > 4


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_every_commit_and_at_any_moment(part: int) -> None:
    outcomes = killed({"seed": part, "kills": KILLS // PARTS})
    require_nothing_lost(outcomes, KILLS // PARTS)


def test_killed_on_postgresql(postgres: Server) -> None:
    urls = [postgres.fresh() for _ in range(KILLS_ON_POSTGRES + 1)]
    outcomes = killed({"seed": 7, "kills": KILLS_ON_POSTGRES, "urls": urls})
    require_nothing_lost(outcomes, KILLS_ON_POSTGRES)
