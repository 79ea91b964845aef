"""Followers that are killed, one after the other, and what each of them leaves behind.

A program of its own, so that it may fork: it has no threads. A warm parent forks each follower,
which follows a chain in memory through growth and reorganisations and is killed by SIGKILL;
then another process that looks at what is there, and starts again. Called by
`test_follow_kills`, with a job as JSON on its input; prints an outcome a line.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from registry.chain.client import Client
from registry.core.units import BlockNumber
from registry.mirror.engine import open_engine, sqlite_url
from registry.services.sync import sync
from tests.databases import content
from tests.interruptions import When, each_commit
from tests.mirrored_truth import folder, new_mirror, require_log, stands_at
from tests.simulated_acts import random_transaction, replace_blocks
from tests.simulated_chain import Chain, Node, founded
from tests.simulated_contract import ADDRESS

FIRST = BlockNumber(1)
STEPS = 5
_BLOCKS_PER_STEP = 6
# So that the history is read in several ranges, each with a commit of its own.
_WIDEST = 24


@dataclass(frozen=True)
class Outcome:
    """One follower's end. `point` is where it was to be killed."""

    point: str
    was_killed: bool
    stood_at: int | None
    # commits in the whole life of a follower that nobody kills
    commits: int
    problem: str | None


@dataclass(frozen=True)
class Story:
    """A chain as it was at each step, and what a mirror of it holds in the end."""

    chains: list[Chain]
    rows: dict[str, Any]


def told(seed: int) -> Story:
    """A chain that grows at each step, and at every other one replaces blocks first."""
    random, chain = Random(seed), founded(72).copy()
    chains = []
    for step in range(STEPS):
        if step % 2:
            replace_blocks(chain, random.randint(1, 64), random)
        for _ in range(_BLOCKS_PER_STEP):
            sent = random.choice((0, 1, 2))
            chain.mine(*(random_transaction(chain.head.contract, random) for _ in range(sent)))
        chains.append(chain.copy())
    mirror = new_mirror("whole")
    sync(Client(Node(chain), ADDRESS), mirror, FIRST)
    rows = content(mirror)
    mirror.dispose()
    return Story(chains, rows)


def follow(story: Story, url: str) -> None:
    """A follower's life: it starts, and polls once at each step of the chain."""
    engine = open_engine(url)
    node = Node(story.chains[0])
    node.widest = _WIDEST
    for chain in story.chains:
        node.chain = chain
        sync(Client(node, ADDRESS), engine, FIRST)
    engine.dispose()


def start_again(story: Story, url: str) -> int | None:
    """What was left is true; and the next start makes of it what it would have been. Returns
    the block at which the killed follower left the mirror."""
    engine = open_engine(url)
    left = stands_at(engine)
    chain = story.chains[-1]
    if left is not None:
        block = chain.known[left.block_hash]
        assert (left.size, left.root) == (block.contract.size, block.contract.root)
        require_log(engine, block.recorded)
    else:
        require_log(engine, ())
    sync(Client(Node(chain), ADDRESS), engine, FIRST)
    found = content(engine)
    engine.dispose()
    assert found == story.rows
    return None if left is None else left.block


def in_a_child(do: Callable[[], Any]) -> tuple[int, int]:
    """Run this in a forked process; its id, and what its value, as JSON, can be read from."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    code = 1
    try:
        os.close(reading)
        value: Any = {"value": do()}
        code = 0
    except BaseException:
        value = {"problem": traceback.format_exc()}
    os.write(writing, json.dumps(value).encode()[-60_000:])
    # Past everything that the parent means to do at its own end.
    os._exit(code)


def ended(child: int, reading: int) -> tuple[bool, dict[str, Any]]:
    """Wait for a child; whether it was killed, and what it said before its end."""
    said = b""
    while some := os.read(reading, 1 << 16):
        said += some
    os.close(reading)
    _, status = os.waitpid(child, 0)
    was_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return was_killed, json.loads(said) if said else {}


def commits_of(story: Story, url: str) -> int:
    """How many commits there are in a follower's whole life."""

    def counted() -> int:
        seen = 0

        def count(number: int, _: When) -> None:
            nonlocal seen
            seen = number

        with each_commit(count):
            follow(story, url)
        return seen

    was_killed, said = ended(*in_a_child(counted))
    assert not was_killed, said
    return int(said["value"])


def killed_at(story: Story, url: str, number: int, when: When) -> tuple[bool, dict[str, Any]]:
    def die(seen: int, side: When) -> None:
        if (seen, side) == (number, when):
            os.kill(os.getpid(), signal.SIGKILL)

    def live() -> None:
        with each_commit(die):
            follow(story, url)

    return ended(*in_a_child(live))


def killed_after(story: Story, url: str, seconds: float) -> tuple[bool, dict[str, Any]]:
    """Killed from the outside at whatever it is doing then, if it is not done."""
    child, reading = in_a_child(lambda: follow(story, url))
    # Its end of the pipe closes when it is done: no process that has ended is ever killed.
    done, _, _ = select.select([reading], [], [], seconds)
    if not done:
        os.kill(child, signal.SIGKILL)
    return ended(child, reading)


def outcomes(job: dict[str, Any]) -> Iterator[Outcome]:
    """Both sides of every commit of a story, and then random moments, `kills` in all. `urls` are
    new databases; without them each follower has a SQLite file."""
    random, urls = Random(job["seed"]), iter(job.get("urls", ()))

    def fresh(name: str) -> str:
        given = next(urls, None)
        if given is not None:
            return str(given)
        if name != "nothing":
            new_mirror(name).dispose()
        path = folder() / f"{name}.sqlite"
        if name == "nothing":
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        return sqlite_url(path)

    story, left = told(job["seed"]), int(job["kills"])
    started = time.monotonic()
    commits = commits_of(story, fresh("killed"))
    lasted = time.monotonic() - started
    points = [(number, when) for number in range(1, commits + 1) for when in When]
    if len(points) > left:
        points = random.sample(points, left)
    for number, when in points:
        url = fresh("killed")
        was_killed, said = killed_at(story, url, number, when)
        yield _outcome(story, url, f"{when} commit {number}", commits, was_killed, said)
    for number in range(left - len(points)):
        # Now and then there is no database yet, and it dies while it makes one.
        url = fresh("nothing" if number % 4 == 0 else "killed")
        was_killed, said = killed_after(story, url, random.uniform(0.0, lasted))
        yield _outcome(story, url, "any moment", commits, was_killed, said)


def _outcome(
    story: Story, url: str, point: str, commits: int, was_killed: bool, said: dict[str, Any]
) -> Outcome:
    if "problem" in said:
        return Outcome(point, was_killed, None, commits, f"the follower: {said['problem']}")
    _, after = ended(*in_a_child(lambda: start_again(story, url)))
    return Outcome(point, was_killed, after.get("value"), commits, after.get("problem"))


def main() -> None:
    with ExitStack() as stack:
        stack.callback(sys.stdout.flush)
        for outcome in outcomes(json.load(sys.stdin)):
            sys.stdout.write(json.dumps(asdict(outcome)) + "\n")


if __name__ == "__main__":
    main()
