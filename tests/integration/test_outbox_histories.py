"""Whatever happens to an account's transactions, and whichever process is killed on the way:
each act is recorded once, no nonce stays open, and stages follow each other as they may."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import event

from registry.core.digest import sha256
from registry.core.entry import Action
from registry.core.outbox import FOLLOWS, OPEN, Fees, Patience, Stage
from registry.core.policy import policy_key
from registry.core.submission import Submission
from registry.core.units import UnixSeconds
from registry.mirror import outbox as rows
from registry.mirror.engine import open_engine, reading, sqlite_url, writing
from registry.mirror.outbox import Act
from registry.services import outbox_rounds
from registry.services.outbox_rounds import Rounds
from tests.simulated_account import (
    ACCOUNT,
    OTHER,
    Chain,
    Fate,
    Killed,
    Node,
    Signed,
    calldata,
)

_WATCHED = """
CREATE TABLE moves (kind TEXT, id INTEGER, before TEXT, after TEXT);
CREATE TRIGGER acts_moved AFTER UPDATE OF stage ON acts WHEN old.stage != new.stage
BEGIN INSERT INTO moves VALUES ('act', old.id, old.stage, new.stage); END;
CREATE TRIGGER transactions_moved AFTER UPDATE OF stage ON transactions
WHEN old.stage != new.stage
BEGIN INSERT INTO moves VALUES ('transaction', old.id, old.stage, new.stage); END;
"""
POLICIES = [policy_key("CN", f"{number}") for number in range(4)]


class Histories(RuleBasedStateMachine):
    """Two processes with one key, a node, a pool and a chain."""

    @initialize()
    def begin(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.engine = open_engine(sqlite_url(Path(self._folder.name) / "mirror.sqlite"))
        event.listen(self.engine, "connect", lambda each, _: each.execute("PRAGMA synchronous=OFF"))
        self.engine.dispose()
        connection = self.engine.raw_connection()
        connection.executescript(_WATCHED)  # type: ignore[attr-defined]
        connection.close()
        self.chain, self.signed = Chain(), dict[bytes, Signed]()
        self.now, self.last, self.random = 1_000, 0, Random(0)
        self.sequences = [0] * len(POLICIES)
        self.cancelled: dict[int, int] = {}
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(outbox_rounds, "_calldata", calldata)
        self.nodes = [Node(self.chain, self.signed) for _ in range(2)]
        self.processes = [self.started(node) for node in self.nodes]

    def started(self, node: Node) -> Rounds:
        made = Rounds(
            self.engine,
            node,  # type: ignore[arg-type]
            ACCOUNT,
            object(),  # type: ignore[arg-type]
            catch_up=lambda: None,
            patience=Patience(60),
            batch=3,
            in_flight=3,
            clock=lambda: self.now,
            outgoing=node,  # type: ignore[arg-type]
        )
        made._recorded = self.recorded  # type: ignore[method-assign]
        made._is_behind = lambda look: look.seen.head < self.chain.head  # type: ignore[method-assign]
        return made

    def recorded(self, act: Act) -> tuple[int, bool] | None:
        key = (act.submission.policy.policy_id, act.submission.sequence)
        if key not in self.chain.recorded():
            return None
        return 1, key in self.chain.recorded(self.chain.finalized)

    @rule(policy=st.integers(0, len(POLICIES) - 1), count=st.integers(1, 3))
    def stage(self, policy: int, count: int) -> None:
        made = []
        for _ in range(count):
            self.sequences[policy] += 1
            made.append(act(policy, self.sequences[policy]))
        with writing(self.engine) as connection:
            ids = rows.stage_acts(
                connection, ACCOUNT, made, ["p"] * count, [None] * count, UnixSeconds(self.now)
            )
        self.last = max(self.last, *ids)

    @rule(process=st.integers(0, 1), seed=st.integers(0, 1000))
    def cancel(self, process: int, seed: int) -> None:
        """As `polreg outbox cancel` does, up to where it waits."""
        with writing(self.engine) as connection:
            known = rows.acts_by_id(connection, range(1, self.last + 1))
            waiting = [each for each in known if each.stage in OPEN - {Stage.INCLUDED}]
            if not waiting:
                return
            chosen = Random(seed).choice(waiting)
            if chosen.stage is Stage.STAGED:
                now = UnixSeconds(self.now)
                rows.settle_act(connection, chosen, Stage.REJECTED, now, reason="cancelled")
                return
        assert chosen.transaction is not None
        self.processes[process].outdo(chosen.transaction, [chosen.id])
        with reading(self.engine) as connection:
            before = rows.transaction_by_id(connection, chosen.transaction)
            if before.reason == "it was outbid":
                self.cancelled.setdefault(chosen.id, self.signed_so_often(chosen.id))

    def signed_so_often(self, id_: int) -> int:
        with reading(self.engine) as connection:
            found = connection.exec_driver_sql(
                "SELECT count(*) FROM moves WHERE kind = 'act' AND id = ? AND after = 'signed'",
                (id_,),
            )
            return int(found.scalar_one())

    @rule(process=st.integers(0, 1), fate=st.sampled_from(Fate))
    def go_on(self, process: int, fate: Fate) -> None:
        self.nodes[process].fate = lambda: fate
        self.processes[process].round((1, self.last))

    @rule(process=st.integers(0, 1), after=st.integers(0, 8), fate=st.sampled_from(Fate))
    def be_killed(self, process: int, after: int, fate: Fate) -> None:
        node = self.nodes[process]
        node.fate, node.alive_for = (lambda: fate), after
        try:
            self.processes[process].round((1, self.last))
        except Killed:
            self.processes[process] = self.started(node)
        node.alive_for = None

    @rule(process=st.integers(0, 1), lag=st.integers(1, 3))
    def ask_a_node_that_is_behind(self, process: int, lag: int) -> None:
        with reading(self.engine) as connection:
            before = connection.exec_driver_sql("SELECT count(*) FROM transactions").scalar_one()
        self.nodes[process].lag = min(lag, self.chain.head)
        self.processes[process].round((1, self.last))
        with reading(self.engine) as connection:
            after = connection.exec_driver_sql("SELECT count(*) FROM transactions").scalar_one()
        assert self.nodes[process].lag == 0 or before == after
        self.nodes[process].lag = 0

    @rule(most=st.integers(0, 3))
    def mine(self, most: int) -> None:
        self.chain.mine(most)

    @rule(depth=st.integers(1, 5), seed=st.integers(0, 1000))
    def reorganise(self, depth: int, seed: int) -> None:
        random = Random(seed)
        self.chain.reorganise(depth, lambda: random.random() < 0.5)

    @rule(seed=st.integers(0, 1000))
    def drop(self, seed: int) -> None:
        if self.chain.pool:
            del self.chain.pool[Random(seed).choice(sorted(self.chain.pool))]

    @rule(at=st.integers(0, 1))
    def another_program_sends(self, at: int) -> None:
        nonce = self.chain.pending() + at
        hash_ = sha256(f"other {len(self.signed)}".encode())
        self.chain.pool.setdefault(nonce, Signed(hash_, nonce, Fees(50, 5), OTHER, ()))
        self.signed[hash_] = self.chain.pool[nonce]

    @rule(seconds=st.sampled_from([1, 61]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def stages_follow_each_other(self) -> None:
        with reading(self.engine) as connection:
            moves = connection.exec_driver_sql("SELECT DISTINCT kind, before, after FROM moves")
            for kind, before, after in moves:
                assert Stage(after) in FOLLOWS[Stage(before)], (kind, before, after)

    @invariant()
    def nothing_that_is_cancelled_is_signed_again(self) -> None:
        for id_, often in self.cancelled.items():
            assert self.signed_so_often(id_) == often

    @invariant()
    def nothing_is_recorded_twice(self) -> None:
        recorded = self.chain.recorded()
        assert len(recorded) == len(set(recorded))

    def teardown(self) -> None:
        try:
            self.heal()
        finally:
            self.patch.undo()
            self.engine.dispose()
            self._folder.cleanup()

    def heal(self) -> None:
        """Nothing fails any more: what is in line is recorded, and nothing waits."""
        node = self.nodes[0]
        node.fate, node.lag = (lambda: Fate.TAKEN), 0
        rounds = self.started(node)
        for _ in range(400):
            rounds.round((1, self.last))
            self.chain.mine()
            self.now += 61
            if self.settled() and not self.retried():
                break
        with reading(self.engine) as connection:
            told = connection.exec_driver_sql("SELECT id, stage, reason FROM acts").fetchall()
        assert {each.stage for each in told} <= {"finalized"}, told
        assert sorted(self.chain.recorded()) == sorted(
            (key.policy_id, sequence)
            for key, most in zip(POLICIES, self.sequences, strict=True)
            for sequence in range(1, most + 1)
        )
        with reading(self.engine) as connection:
            assert rows.waiting_since(connection, ACCOUNT) == {}
            offers = connection.exec_driver_sql("SELECT max(most_fee) FROM transactions")
            # The market stands at 22.
            assert (offers.scalar_one() or 0) < 22 * 13
        assert not any(each.to != OTHER for each in self.chain.pool.values())

    def retried(self) -> bool:
        """Put what was cancelled, or came after that, in line again; whether there was any."""
        now = UnixSeconds(self.now)
        with writing(self.engine) as connection:
            known = rows.acts_by_id(connection, range(1, self.last + 1))
            refused = [each for each in known if each.stage is Stage.REJECTED]
            assert {each.reason for each in refused} <= {
                "cancelled",
                "the contract would refuse it",
                "an earlier act on this policy was refused",
            }
            for each in refused:
                rows.settle_act(connection, each, Stage.STAGED, now)
        return bool(refused)

    def settled(self) -> bool:
        with reading(self.engine) as connection:
            open_ = connection.exec_driver_sql(
                "SELECT (SELECT count(*) FROM acts WHERE stage NOT IN ('finalized', 'rejected')) "
                "+ (SELECT count(*) FROM transactions "
                "WHERE stage NOT IN ('finalized', 'replaced', 'rejected'))"
            )
            return open_.scalar_one() == 0


def act(policy: int, sequence: int) -> Submission:
    manifest = sha256(f"{policy} {sequence}".encode())
    action = Action.PUBLISH if sequence == 1 else Action.AMEND
    return Submission(POLICIES[policy], sequence, action, None, manifest, manifest)


class TestHistories(Histories.TestCase):  # type: ignore[misc]
    settings = settings(
        max_examples=int(os.environ.get("POLREG_OUTBOX_HISTORIES", "60")),
        stateful_step_count=30,
        # A history is read as it is: to shorten one takes minutes.
        phases=[Phase.explicit, Phase.generate],
    )
