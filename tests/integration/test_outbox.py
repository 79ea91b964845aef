"""What a registrar has to record ends on the chain once, whatever happens on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from registry.chain.client import Client
from registry.chain.outgoing import Look, Sent, Taken
from registry.chain.rpc import HttpTransport
from registry.chain.signers import LocalSigner, signer_from_hex
from registry.config import Settings
from registry.core.authority import Role, role_id
from registry.core.digest import sha256
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action
from registry.core.lifecycle import UNPUBLISHED
from registry.core.outbox import Patience, Stage
from registry.core.submission import Submission
from registry.core.units import Address, BlockNumber, Day
from registry.errors import Rejected, Unavailable, UnknownOutcome
from registry.mirror import outbox as rows
from registry.mirror.engine import reading
from registry.services.authorities import appoint, open_authority
from registry.services.outbox import Outbox
from registry.services.outbox_rounds import Round, Rounds, watch
from registry.services.setup import deploy
from registry.services.workspace import Workspace
from tests.anvil import DEV_KEYS, running_anvil
from tests.integration.command_line import User


@pytest.fixture(scope="module")
def node() -> Iterator[HttpTransport]:
    with running_anvil() as url:
        transport = HttpTransport(url)
        yield transport
        transport.close()


class Registrar:
    """A registrar with a contract of their own."""

    def __init__(self, opened: Workspace, signer: LocalSigner) -> None:
        self.opened, self.signer = opened, signer
        self.client: Client = opened.client

    def rounds(self, signer: LocalSigner | None = None, **options: object) -> Rounds:
        opened = self.opened
        account = self.signer.address
        return Rounds(
            opened.engine,
            opened.client,
            account,
            signer,
            catch_up=opened.sync,
            **options,  # type: ignore[arg-type]
        )

    def outbox(self, *, wait_seconds: float = 20.0, **options: object) -> Outbox:
        return Outbox(self.rounds(self.signer, **options), wait_seconds=wait_seconds)

    def node(self, method: str, *params: object) -> object:
        return self.client.transport.request(method, params)

    def another_program_sends(self) -> object:
        """A transaction of the same account, with the nonce that the node gives it; its hash."""
        nothing = {"from": "0x" + self.signer.address.hex(), "to": "0x" + "11" * 20}
        return self.node("eth_sendTransaction", nothing)

    def mine(self, blocks: int = 1) -> None:
        self.node("anvil_mine", hex(blocks))

    def stages(self, ids: list[int]) -> list[Stage]:
        with reading(self.opened.engine) as connection:
            return [act.stage for act in rows.acts_by_id(connection, ids)]

    def recorded(self) -> list[bytes]:
        """The documents in the log, in its order."""
        self.opened.sync()
        with reading(self.opened.engine) as connection:
            found = connection.exec_driver_sql(
                "SELECT document FROM entries WHERE document IS NOT NULL ORDER BY entry"
            )
            return list(found.scalars())


@pytest.fixture
def registrar(node: HttpTransport, tmp_path: Path) -> Iterator[Registrar]:
    settings = Settings(home=tmp_path / "home", rpc_url=f"{node.node}", private_key=DEV_KEYS[0])
    signer = signer_from_hex(DEV_KEYS[0])
    node.request("evm_setAutomine", [True])
    deploy(node, signer, settings)
    with Workspace(settings) as opened:
        opened.sync()
        made = Registrar(opened, signer)
        open_authority("CN", {}, None, opened.client, made.outbox())
        opened.sync()
        yield made
    node.request("evm_setAutomine", [True])
    node.request("anvil_mine", ["0x1"])


def policy(number: int, action: Action = Action.PUBLISH, sequence: int = 1) -> Submission:
    draft = Draft(
        action=action,
        authority="CN",
        number=f"国发〔2026〕{number}号",
        title={"zh": f"第{number}号"},
        document=FileDescription(sha256(f"{action}{number}".encode()), 7, "a.md"),
        issued=Day(20_000 + sequence),
    )
    if sequence == 1:
        return draft.submission(UNPUBLISHED)
    published = policy(number)
    return replace(
        published,
        action=action,
        sequence=sequence,
        document=sha256(f"{action}{number}".encode()),
        manifest=sha256(draft.manifest()),
        content=draft.manifest(),
    )


def stage(outbox: Outbox, numbers: range) -> list[int]:
    return outbox.stage([policy(n) for n in numbers], [f"CN {n}" for n in numbers])


def test_many_acts_go_in_few_transactions_and_each_knows_its_entry(registrar: Registrar) -> None:
    outbox = registrar.outbox(batch=20)
    acts = outbox.drive(stage(outbox, range(50)))
    assert {act.stage for act in acts} == {Stage.INCLUDED}
    assert [act.entry for act in acts] == list(range(acts[0].entry or 0, (acts[0].entry or 0) + 50))
    assert len({act.transaction for act in acts}) == 3
    assert len(registrar.recorded()) == 50


def test_to_stage_the_same_again_is_nothing_and_another_in_its_place_is_refused(
    registrar: Registrar,
) -> None:
    outbox = registrar.outbox()
    ids = stage(outbox, range(3))
    assert stage(outbox, range(3)) == ids
    with pytest.raises(Rejected, match="on its way already"):
        outbox.stage([replace(policy(1), document=sha256(b"other"))], ["CN 1"])


def test_versions_of_one_policy_are_recorded_in_their_order(registrar: Registrar) -> None:
    outbox = registrar.outbox(batch=1)
    acts = [policy(1), policy(1, Action.AMEND, 2), policy(1, Action.AMEND, 3)]
    driven = outbox.drive(outbox.stage(acts, ["CN 1"] * 3))
    assert [act.stage for act in driven] == [Stage.INCLUDED] * 3
    assert sorted(act.entry or 0 for act in driven) == [act.entry for act in driven]


def test_one_bad_act_takes_no_other_down_and_those_after_it_are_told_why(
    registrar: Registrar,
) -> None:
    outbox = registrar.outbox()
    outbox.drive(stage(outbox, range(1)))
    # Another act has this one's place on the chain, and the outbox that knew is lost.
    with registrar.opened.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM acts")
    bad = replace(policy(0), document=sha256(b"another document"))
    after = policy(0, Action.AMEND, 2)
    good = [policy(n) for n in range(1, 30)]
    ids = outbox.stage([*good[:10], bad, after, *good[10:]], ["CN"] * 31)
    acts = outbox.drive(ids)
    refused = [act for act in acts if act.stage is Stage.REJECTED]
    assert [act.id for act in refused] == ids[10:12]
    assert "already" in (refused[0].reason or "") or "sequence" in (refused[0].reason or "")
    assert refused[1].reason == "an earlier act on this policy was refused"


def test_what_is_on_the_chain_already_is_found_there_and_not_recorded_again(
    registrar: Registrar,
) -> None:
    outbox = registrar.outbox()
    outbox.drive(stage(outbox, range(3)))
    with registrar.opened.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM acts")
        connection.exec_driver_sql("DELETE FROM transactions")
    ids = stage(outbox, range(3))
    assert {act.stage for act in outbox.drive(ids)} == {Stage.INCLUDED}
    assert len(registrar.recorded()) == 3
    # It is not final yet: what took it there is not ours, so that nobody else would send it again.
    registrar.node("anvil_rollback", 1)
    registrar.mine(2)
    assert registrar.recorded() == []
    assert {act.stage for act in registrar.outbox().drive(ids)} == {Stage.INCLUDED}
    assert len(registrar.recorded()) == 3
    registrar.mine(100)
    watch(registrar.opened.engine, registrar.client)
    assert {*registrar.stages(ids)} == {Stage.FINALIZED}


def test_what_is_there_already_is_not_called_refused_by_a_mirror_that_is_behind(
    registrar: Registrar,
) -> None:
    """Of several nodes behind one address one may lack what another has."""
    outbox = registrar.outbox()
    outbox.drive(stage(outbox, range(1)))
    with registrar.opened.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM acts")
        connection.exec_driver_sql("DELETE FROM transactions")
    (id_,) = stage(outbox, range(1))
    rounds = registrar.rounds(registrar.signer)
    catch_up, rounds._catch_up = rounds._catch_up, lambda: None
    with pytest.raises(Unavailable, match="does not show which"):
        rounds.round((id_, id_))
    assert registrar.stages([id_]) == [Stage.STAGED]
    rounds._catch_up = catch_up
    rounds.round((id_, id_))
    assert registrar.stages([id_]) == [Stage.INCLUDED]


def test_what_was_found_in_the_log_is_followed_by_whoever_watches(registrar: Registrar) -> None:
    outbox = registrar.outbox()
    outbox.drive(stage(outbox, range(1)))
    with registrar.opened.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM acts")
        connection.exec_driver_sql("DELETE FROM transactions")
    ids = stage(outbox, range(1))
    outbox.drive(ids)
    registrar.mine(100)
    registrar.opened.sync()
    watch(registrar.opened.engine, registrar.client)
    assert registrar.stages(ids) == [Stage.FINALIZED]


def test_what_another_process_saw_mined_is_not_given_up(registrar: Registrar) -> None:
    ids = stage(registrar.outbox(), range(2))
    rounds, account = registrar.rounds(registrar.signer), registrar.signer.address
    rounds.round((min(ids), max(ids)))
    with reading(registrar.opened.engine) as connection:
        *_, seen = rows.under_way(connection, account).values()
    registrar.rounds().round()
    rounds._give_up(seen, "another transaction took its nonce")
    rounds._reverted(seen[0], seen, BlockNumber(1), Round())
    assert set(registrar.stages(ids)) == {Stage.INCLUDED}


def test_bytes_that_were_signed_and_never_sent_are_the_ones_that_are_sent(
    registrar: Registrar,
) -> None:
    """As after a kill between the two."""
    outbox = registrar.outbox()
    ids = stage(outbox, range(2))
    rounds = registrar.rounds(registrar.signer)
    rounds._send = lambda *_: None  # type: ignore[method-assign]
    rounds.round((min(ids), max(ids)))
    assert set(registrar.stages(ids)) == {Stage.SIGNED}
    with reading(registrar.opened.engine) as connection:
        *_, before = rows.under_way(connection, registrar.signer.address).values()
    # Without a key: the bytes are all that is needed.
    watch(registrar.opened.engine, registrar.client)
    watch(registrar.opened.engine, registrar.client)
    assert set(registrar.stages(ids)) == {Stage.INCLUDED}
    receipt = registrar.node(
        "eth_getTransactionReceipt", "0x" + before[0].attempt.transaction.hex()
    )
    assert receipt is not None


def test_a_dropped_transaction_is_sent_again(registrar: Registrar) -> None:
    registrar.node("evm_setAutomine", False)
    outbox = registrar.outbox()
    ids = stage(outbox, range(2))
    rounds = registrar.rounds(registrar.signer)
    rounds.round((min(ids), max(ids)))
    with reading(registrar.opened.engine) as connection:
        *_, sent = rows.under_way(connection, registrar.signer.address).values()
    assert registrar.node("anvil_dropTransaction", "0x" + sent[0].attempt.transaction.hex())
    rounds.round()
    registrar.mine()
    rounds.round()
    assert set(registrar.stages(ids)) == {Stage.INCLUDED}
    assert len(registrar.recorded()) == 2


def test_what_a_reorganisation_takes_back_is_in_line_again_and_recorded_once(
    registrar: Registrar,
) -> None:
    outbox = registrar.outbox()
    ids = stage(outbox, range(3))
    outbox.drive(ids)
    registrar.node("anvil_rollback", 1)
    registrar.mine(2)
    watch(registrar.opened.engine, registrar.client)
    assert set(registrar.stages(ids)) <= {Stage.SENT, Stage.INCLUDED}
    registrar.mine()
    watch(registrar.opened.engine, registrar.client)
    assert set(registrar.stages(ids)) == {Stage.INCLUDED}
    assert len(registrar.recorded()) == 3
    registrar.mine(100)
    watch(registrar.opened.engine, registrar.client)
    assert set(registrar.stages(ids)) == {Stage.FINALIZED}


def test_what_waits_too_long_is_outbid_and_either_may_be_mined(registrar: Registrar) -> None:
    registrar.node("evm_setAutomine", False)
    outbox = registrar.outbox()
    ids = stage(outbox, range(2))
    rounds = registrar.rounds(registrar.signer, patience=Patience(stuck_after_seconds=0))
    rounds.round((min(ids), max(ids)))
    rounds.round()
    with reading(registrar.opened.engine) as connection:
        *_, attempts = rows.under_way(connection, registrar.signer.address).values()
    newer, older = attempts
    assert (newer.nonce, older.attempt.stage) == (older.nonce, Stage.REPLACED)
    assert newer.attempt.fees.most * 10 >= older.attempt.fees.most * 11
    rounds.round()
    registrar.mine()
    rounds.round()
    assert set(registrar.stages(ids)) == {Stage.INCLUDED}
    assert len(registrar.recorded()) == 2


def test_a_nonce_that_another_program_took_costs_no_act(registrar: Registrar) -> None:
    registrar.node("evm_setAutomine", False)
    outbox = registrar.outbox()
    ids = stage(outbox, range(2))
    rounds = registrar.rounds(registrar.signer)
    rounds._send = lambda *_: None  # type: ignore[method-assign]
    rounds.round((min(ids), max(ids)))
    registrar.another_program_sends()
    registrar.node("evm_setAutomine", True)
    registrar.mine()
    acts = registrar.outbox().drive(ids)
    assert {act.stage for act in acts} == {Stage.INCLUDED}
    assert len(registrar.recorded()) == 2


def test_a_node_that_lacks_a_receipt_for_a_moment_costs_nothing(registrar: Registrar) -> None:
    """Of several nodes behind one address one has the block already."""
    (id_,) = stage(registrar.outbox(), range(1))
    rounds = registrar.rounds(registrar.signer)
    rounds.round((id_, id_))
    look = rounds._outgoing.look

    def behind(*asked: object) -> Look:
        found = look(*asked)  # type: ignore[arg-type]
        return replace(found, seen=replace(found.seen, mined={}), receipts={})

    rounds._outgoing.look = behind  # type: ignore[method-assign]
    for _ in range(4):
        rounds.round((id_, id_))
    rounds._outgoing.look = look  # type: ignore[method-assign]
    rounds.round((id_, id_))
    assert registrar.stages([id_]) == [Stage.INCLUDED]
    with reading(registrar.opened.engine) as connection:
        (act,) = rows.acts_by_id(connection, [id_])
        assert act.transaction is not None
        sent = rows.transaction_by_id(connection, act.transaction)
        assert len(rows.nonces_from(connection, registrar.signer.address, sent.nonce)) == 1


def test_a_nonce_that_another_program_left_unused_is_filled(registrar: Registrar) -> None:
    registrar.node("evm_setAutomine", False)
    outbox = registrar.outbox()
    ids = stage(outbox, range(2))
    theirs = registrar.another_program_sends()
    rounds = registrar.rounds(registrar.signer, patience=Patience(stuck_after_seconds=0))
    rounds.round((min(ids), max(ids)))
    assert registrar.node("anvil_dropTransaction", theirs) == theirs
    rounds.round()
    registrar.mine()
    rounds.round()
    assert set(registrar.stages(ids)) == {Stage.INCLUDED}
    assert len(registrar.recorded()) == 2


def test_what_waits_for_an_unused_nonce_is_not_paid_more_for_and_the_nonce_is_filled(
    registrar: Registrar,
) -> None:
    registrar.node("evm_setAutomine", False)
    (id_,) = stage(registrar.outbox(), range(1))
    theirs = registrar.another_program_sends()
    now = [1_000.0]
    rounds = registrar.rounds(registrar.signer, patience=Patience(60), clock=lambda: now[0])
    rounds.round((id_, id_))
    registrar.node("anvil_dropTransaction", theirs)
    for _ in range(3):
        now[0] += 31
        rounds.round((id_, id_))
    with reading(registrar.opened.engine) as connection:
        *_, filler, ours = rows.under_way(connection, registrar.signer.address).values()
    assert filler[0].to == registrar.signer.address
    assert len(ours) == 1
    registrar.mine()
    rounds.round()
    assert registrar.stages([id_]) == [Stage.INCLUDED]


def test_a_nonce_that_was_given_up_and_is_free_again_is_filled(registrar: Registrar) -> None:
    """Another program took it, and a reorganisation took that back."""
    registrar.node("evm_setAutomine", False)
    ids = stage(registrar.outbox(), range(2))
    never_sent = registrar.rounds(registrar.signer)
    never_sent._send = lambda *_: None  # type: ignore[method-assign]
    never_sent.round((min(ids), max(ids)))
    registrar.another_program_sends()
    registrar.mine()
    rounds = registrar.rounds(
        registrar.signer,
        patience=Patience(stuck_after_seconds=0),
        clock=count(time.time(), 5).__next__,
    )
    for _ in range(3):
        rounds.round((min(ids), max(ids)))
    registrar.mine()
    rounds.round()
    assert set(registrar.stages(ids)) == {Stage.INCLUDED}
    registrar.node("anvil_rollback", 2)
    for _ in range(4):
        rounds.round()
        registrar.mine()
    rounds.round()
    assert set(registrar.stages(ids)) == {Stage.INCLUDED}
    assert len(registrar.recorded()) == 2


def test_what_was_refused_for_want_of_money_is_recorded_once_there_is_some(
    registrar: Registrar,
) -> None:
    """Where the price is the same as before, so are the bytes."""
    account = "0x" + registrar.signer.address.hex()
    balance = registrar.node("eth_getBalance", account, "latest")
    outbox = registrar.outbox()
    ids = stage(outbox, range(2))
    registrar.node("anvil_setBalance", account, "0x1")
    with pytest.raises(Rejected, match="funds"):
        outbox.drive(ids)
    registrar.node("anvil_setBalance", account, balance)
    assert {act.stage for act in outbox.drive(ids)} == {Stage.INCLUDED}
    assert len(registrar.recorded()) == 2


def test_a_call_that_left_the_chain_and_whose_nonce_is_taken_is_signed_anew(
    registrar: Registrar,
) -> None:
    """Whoever made it was told that it is recorded, and waits no more."""
    other = Address(bytes([7]) * 20)
    controller = role_id("CN", Role.CONTROLLER)
    outbox = registrar.outbox()
    appoint("CN", other, Role.CONTROLLER, registrar.client, outbox)
    registrar.node("evm_setAutomine", False)
    registrar.node("anvil_rollback", 1)
    registrar.another_program_sends()
    registrar.mine(2)
    for _ in range(4):
        # Without the key it waits.
        watch(registrar.opened.engine, registrar.client)
    assert registrar.client.has_roles([controller], other) == [False]
    rounds = registrar.rounds(registrar.signer)
    rounds.round()
    registrar.mine()
    rounds.round()
    assert registrar.client.has_roles([controller], other) == [True]
    with reading(registrar.opened.engine) as connection:
        assert rows.waiting_since(connection, registrar.signer.address) == {}


def test_a_call_is_not_told_by_what_had_its_nonce_before(registrar: Registrar) -> None:
    outbox, account = registrar.outbox(), registrar.signer.address
    balance = registrar.node("eth_getBalance", "0x" + account.hex(), "latest")
    registrar.node("anvil_setBalance", "0x" + account.hex(), "0x1")
    other = Address(bytes([7]) * 20)
    with pytest.raises(Rejected, match="funds"):
        appoint("CN", other, Role.CONTROLLER, registrar.client, outbox)
    registrar.node("anvil_setBalance", "0x" + account.hex(), balance)
    registrar.node("evm_setAutomine", False)
    rounds = outbox._rounds
    send = rounds._outgoing.send

    def usurped(raw: bytes) -> Sent:
        rounds._outgoing.send = send  # type: ignore[method-assign]
        registrar.another_program_sends()
        registrar.node("evm_setAutomine", True)
        registrar.mine()
        return send(raw)

    rounds._outgoing.send = usurped  # type: ignore[method-assign]
    appoint("CN", other, Role.CONTROLLER, registrar.client, outbox)
    assert registrar.client.has_roles([role_id("CN", Role.CONTROLLER)], other) == [True]


def test_what_no_node_takes_for_its_price_is_outbid_in_the_end(registrar: Registrar) -> None:
    """The node has nothing of this nonce, and wants more than was offered."""
    outbox = registrar.outbox()
    ids = stage(outbox, range(2))
    rounds = registrar.rounds(registrar.signer, patience=Patience(stuck_after_seconds=0))
    send, refused = rounds._outgoing.send, list[bytes]()

    def dear(raw: bytes) -> Sent:
        if not refused:
            refused.append(raw)
        return Sent(Taken.UNDERPRICED, "underpriced") if raw in refused else send(raw)

    rounds._outgoing.send = dear  # type: ignore[method-assign]
    rounds.round((min(ids), max(ids)))
    for _ in range(4):
        rounds.round()
    assert set(registrar.stages(ids)) == {Stage.INCLUDED}
    assert len(registrar.recorded()) == 2


def cancelled(registrar: Registrar, rounds: Rounds, id_: int) -> rows.Transaction:
    """Sign and send an act, and what is to cancel it; the transaction that carries the act."""
    rounds.round((id_, id_))
    with reading(registrar.opened.engine) as connection:
        (act,) = rows.acts_by_id(connection, [id_])
        assert act.transaction is not None
        carrier = rows.transaction_by_id(connection, act.transaction)
    rounds.outdo(carrier.id, [id_])
    return carrier


def test_what_is_being_cancelled_is_not_recorded_when_another_program_takes_its_nonce(
    registrar: Registrar,
) -> None:
    registrar.node("evm_setAutomine", False)
    (id_,) = stage(registrar.outbox(), range(1))
    rounds = registrar.rounds(registrar.signer)
    rounds._send = lambda *_: Taken.UNKNOWN  # type: ignore[method-assign]
    cancelled(registrar, rounds, id_)
    registrar.another_program_sends()
    registrar.node("evm_setAutomine", True)
    registrar.mine()
    (act,) = registrar.outbox().drive([id_])
    assert (act.stage, act.reason) == (Stage.REJECTED, "cancelled")
    assert registrar.recorded() == []


def test_what_went_with_what_is_cancelled_is_in_line_again(registrar: Registrar) -> None:
    registrar.node("evm_setAutomine", False)
    outbox = registrar.outbox()
    ids = stage(outbox, range(3))
    rounds = registrar.rounds(registrar.signer)
    rounds.round((min(ids), max(ids)))
    with reading(registrar.opened.engine) as connection:
        (act,) = rows.acts_by_id(connection, ids[1:2])
    assert act.transaction is not None
    rounds.outdo(act.transaction, [act.id])
    rounds.round()
    registrar.mine()
    rounds.round()
    registrar.node("evm_setAutomine", True)
    assert registrar.stages(ids) == [Stage.STAGED, Stage.REJECTED, Stage.STAGED]
    outbox.drive(ids)
    assert registrar.recorded() == [policy(0).document, policy(2).document]


def test_what_is_cancelled_and_mined_for_nothing_is_cancelled(registrar: Registrar) -> None:
    registrar.node("evm_setAutomine", False)
    (id_,) = stage(registrar.outbox(), range(1))
    rounds = registrar.rounds(registrar.signer)
    cancelled(registrar, rounds, id_)
    # Whatever the contract's reason is.
    registrar.node("anvil_setCode", "0x" + registrar.client.address.hex(), "0x5f5ffd")
    registrar.mine()
    rounds.round()
    assert registrar.stages([id_]) == [Stage.REJECTED]


def test_a_reorganisation_that_undoes_a_cancelling_stops_nothing(registrar: Registrar) -> None:
    registrar.node("evm_setAutomine", False)
    outbox = registrar.outbox()
    (id_,) = stage(outbox, range(1))
    rounds = registrar.rounds(registrar.signer)
    carrier = cancelled(registrar, rounds, id_)
    rounds.round()
    registrar.mine()
    rounds.round()
    assert registrar.stages([id_]) == [Stage.REJECTED]
    (other,) = outbox.stage([replace(policy(0), document=sha256(b"another"))], ["CN 0"])
    registrar.node("anvil_rollback", 1)
    registrar.node("eth_sendRawTransaction", "0x" + carrier.raw.hex())
    registrar.mine(2)
    registrar.node("evm_setAutomine", True)
    for _ in range(3):
        rounds.round((id_, other))
    assert registrar.recorded() == [policy(0).document]
    assert registrar.stages([id_, other]) == [Stage.REJECTED, Stage.REJECTED]
    with reading(registrar.opened.engine) as connection:
        (act,) = rows.acts_by_id(connection, [id_])
    assert act.reason == "it was recorded after all"
    assert act.entry is not None


def test_to_cancel_pays_no_more_than_is_allowed(registrar: Registrar) -> None:
    registrar.node("evm_setAutomine", False)
    (id_,) = stage(registrar.outbox(), range(1))
    rounds = registrar.rounds(registrar.signer)
    rounds.round((id_, id_))
    with reading(registrar.opened.engine) as connection:
        *_, (sent,) = rows.under_way(connection, registrar.signer.address).values()
    limit = Patience(most_fee=sent.attempt.fees.most)
    with pytest.raises(Rejected, match="more than the"):
        registrar.outbox(patience=limit).outdo([id_])
    with reading(registrar.opened.engine) as connection:
        assert len(rows.attempts_at(connection, registrar.signer.address, sent.nonce)) == 1


def test_what_is_not_mined_in_time_is_unknown_and_stays_in_line(registrar: Registrar) -> None:
    registrar.node("evm_setAutomine", False)
    outbox = registrar.outbox(wait_seconds=0.5)
    ids = stage(outbox, range(1))
    with pytest.raises(UnknownOutcome, match="in no block"):
        outbox.drive(ids)
    registrar.node("evm_setAutomine", True)
    registrar.mine()
    assert {act.stage for act in registrar.outbox().drive(ids)} == {Stage.INCLUDED}


def test_a_registrar_sees_cancels_and_tries_again(anvil_user: User, tmp_path: Path) -> None:
    transport = HttpTransport(anvil_user.settings["POLREG_RPC_URL"])
    document = tmp_path / "document.md"
    document.write_text("第一条 支持金融业发展。\n", "utf-8")
    transport.request("evm_setAutomine", [False])
    try:
        process = started(
            anvil_user,
            "publish",
            document,
            "--authority",
            "CN.GD",
            "--number",
            "1",
            "--title-zh",
            "一",
        )
        wait_for(lambda: "sent" in anvil_user("outbox", "list").out)
        process.kill()
        process.wait()
        shown = anvil_user("outbox", "list", "--json").json["acts"][0]
        assert (shown["stage"], shown["policy"], shown["action"]) == ("sent", "CN.GD 1", "publish")
        one = anvil_user("outbox", "show", str(shown["id"]), "--json").json
        assert [each["stage"] for each in one["transactions"]] == ["sent"]
        cancelling = started(anvil_user, "outbox", "cancel", str(shown["id"]))
        wait_for(lambda: stages(anvil_user, shown["id"]) == {"replaced", "sent"})
        transport.request("anvil_mine", ["0x1"])
        assert cancelling.wait(60) == 0
    finally:
        transport.request("evm_setAutomine", [True])
        transport.close()
    assert anvil_user("outbox", "list", "--json").json["acts"][0]["reason"] == "cancelled"
    assert anvil_user("verify", document).code == 1
    anvil_user.done("outbox", "retry", str(shown["id"]))
    assert anvil_user("outbox", "run", "--json").json == {"recorded": 1, "refused": []}
    assert anvil_user("verify", document).code == 0
    unknown = anvil_user("outbox", "show", "99")
    assert (unknown.code, "has no act 99" in unknown.err) == (2, True)


def started(
    user: User, *words: str | Path, err: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """`polreg` in a process of its own."""
    settings = {"POLREG_HOME": str(user.home), **user.settings}
    return subprocess.Popen(
        [sys.executable, "-m", "registry", *map(str, words)],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=err,
        # Where the tests run in the background, Ctrl-C is ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def stages(user: User, act: int) -> set[str]:
    """Of the transactions that were signed for an act."""
    found = user("outbox", "show", str(act), "--json").json["transactions"]
    return {each["stage"] for each in found}


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it never came about")
