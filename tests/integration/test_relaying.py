"""Signed here, sent there: the relay pays, and the registrar's signature decides."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from registry.chain.abi import record_by_signature_data
from registry.chain.client import Client
from registry.chain.refusals import refusal
from registry.chain.rpc import HttpTransport, NodeFault, RpcError
from registry.chain.signatures import ORDER, Signature, decode_signature
from registry.chain.signers import LocalSigner
from registry.core.entry import Action
from registry.core.following import Fault
from registry.core.outbox import Patience, Stage
from registry.core.policy import PolicyKey
from registry.core.signed_act import SignedAct, write_signed_act
from registry.core.signing_kit import state_before
from registry.core.units import Address, Day, Digest, UnixSeconds
from registry.errors import (
    InputError,
    LimitReached,
    NotFound,
    RegistryError,
    Rejected,
    Unavailable,
)
from registry.mirror.engine import reading
from registry.mirror.relayed import open_relayed
from registry.services.relaying import Relay
from registry.services.signing import countersigned
from tests.anvil import DEV_KEYS, ROOT, running_anvil
from tests.relaying import (
    FAR,
    OWNERS,
    PAYER,
    REGISTRAR,
    World,
    address_of,
    make_world,
)
from tests.signing_server import Fault as Wrong
from tests.signing_server import signing_server

pytestmark = pytest.mark.xdist_group("relaying")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_anvil() as url:
        yield make_world(url, tmp_path_factory.mktemp("relaying"), wallet=True)


REMOTE = bytes.fromhex("c0ffee07" * 8)
OFFLINE = """
import socket, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"web3", "eth", "eth_tester", "sqlalchemy", "urllib3"}:
            raise ImportError(f"{name} is not to be imported")
sys.meta_path.insert(0, Blocked())
def refuse(*_):
    raise OSError("there is no network")
socket.socket.connect = socket.getaddrinfo = refuse
from registry.cli import main
main()
"""


def offline(*words: str | Path, home: Path, key: bytes) -> str:
    """Run polreg on a machine without a network, a node or a mirror."""
    ended = subprocess.run(
        [sys.executable, "-c", OFFLINE, *map(str, words)],
        env={
            "PYTHONPATH": str(ROOT),
            "POLREG_HOME": str(home),
            "POLREG_PRIVATE_KEY": "0x" + key.hex(),
        },
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_an_act_signed_without_a_network_is_recorded_by_whoever_relays_it(
    world: World, tmp_path: Path
) -> None:
    relay = world.user("someone", POLREG_PRIVATE_KEY=PAYER)
    document, kit, act = tmp_path / "d.md", tmp_path / "kit.json", tmp_path / "act.json"
    document.write_text("Article 1.")
    relay.done("sign", "kit", "--authority", "CN.GD", "-o", kit)
    words = (document, "--authority", "CN.GD", "--number", "offline 1", "--kit", kit, "-o", act)
    said = offline(
        "sign", "publish", *words, "--title-en", "One", "--joint", "CN",
        home=tmp_path / "air", key=REGISTRAR,
    )  # fmt: skip
    assert f"signed by    {address_of(REGISTRAR)}" in said
    told = relay.done("relay", act, "--json").json["submission"]
    assert told["stage"] == "included"
    assert told["registrar"] == address_of(REGISTRAR)
    assert told["relay"] != told["registrar"]
    assert relay.done("relay", act, "--json").json["submission"] == told
    verified = relay.done("verify", document, "--json").json["files"][0]["verdict"]
    assert (verified["match"], verified["standing"]) == ("exact", "in_force")
    assert verified["registrations"][0]["entry"] == told["entry"]
    balance = world.transport.request("eth_getBalance", [address_of(REGISTRAR), "latest"])
    assert int(balance, 16) == 0

    # The next act: the kit knows title, status and sequence.
    relay.done("sign", "kit", "--authority", "CN.GD", "-o", kit)
    document.write_text("Article 1, amended.")
    offline("sign", "amend", *words, home=tmp_path / "air", key=REGISTRAR)
    assert relay.done("relay", act, "--json").json["submission"]["acts"][0]["sequence"] == 2
    amended = orjson.loads(orjson.loads(act.read_bytes())["manifests"][0])
    assert (amended["title"], amended["issued_with"]) == ({"en": "One"}, ["CN"])
    ended = ("CN.GD", "offline 1", "--reason", "over", "--title-en", "One", "-o", act)
    place = ("--chain-id", "31337", "--contract", "0x" + world.contract.hex(), "--sequence", "3")
    offline("sign", "repeal", *ended, *place, home=tmp_path / "air", key=REGISTRAR)
    assert relay.done("relay", act).out.startswith("repeal: CN.GD, act 3")
    assert relay("verify", document).code == 4


def test_what_is_signed_offline_is_refused_where_the_kit_says_so(
    world: World, tmp_path: Path
) -> None:
    user = world.user("kits", POLREG_PRIVATE_KEY="0x" + REGISTRAR.hex())
    kit, act, document = tmp_path / "kit.json", tmp_path / "act.json", tmp_path / "d.md"
    document.write_text("x")
    user.done("sign", "kit", "--authority", "CN.GD", "-o", kit)
    base = (document, "--number", "kit 1", "--title-en", "One", "-o", act)
    assert "not published" in user("sign", "amend", *base, "--authority", "CN.GD", "--kit", kit).err
    other = user("sign", "publish", *base, "--authority", "CN", "--kit", kit)
    assert "says nothing of the policies of CN" in other.err
    bare = user("sign", "publish", *base, "--authority", "CN.GD")
    assert (bare.code, "polreg sign kit" in bare.err) == (2, True)
    wrong = ("--chain-id", "1", "--contract", "0x" + "11" * 20, "--sequence", "2")
    assert user("sign", "publish", *base, "--authority", "CN.GD", *wrong).code == 2
    assert user("sign", "kit", "--authority", "XX", "-o", kit).code == 2
    assert not act.exists()
    kit.write_text("{}")
    assert (
        "not a signing kit"
        in user("sign", "amend", *base, "--authority", "CN.GD", "--kit", kit).err
    )


def test_a_wallet_of_two_owners_is_a_registrar_like_any_other(world: World, tmp_path: Path) -> None:
    relay = world.user("wallets", POLREG_PRIVATE_KEY=PAYER)
    document, one, two = (tmp_path / name for name in ("d.md", "one.json", "two.json"))
    document.write_text("By two of three.")
    assert world.wallet is not None
    place = ("--chain-id", "31337", "--contract", "0x" + world.contract.hex(), "--sequence", "1")
    words = ("--authority", "CN.GD", "--number", "wallet 1", "--title-en", "Two", *place)
    offline(
        "sign", "publish", document, *words, "--registrar", world.wallet, "-o", one,
        home=tmp_path, key=OWNERS[2],
    )  # fmt: skip
    refused = relay("relay", one)
    assert (refused.code, "over exactly these acts" in refused.err) == (1, True)
    for key in (OWNERS[0], OWNERS[2]):
        ended = relay("sign", "countersign", one, "-o", two, POLREG_PRIVATE_KEY="0x" + key.hex())
        assert ended.code == (2 if key is OWNERS[2] else 0)
    told = relay.done("relay", two, "--json").json["submission"]
    assert told["registrar"].lower() == world.wallet.lower()
    assert relay.done("verify", document).code == 0


def mutations(world: World, good: SignedAct) -> dict[str, SignedAct]:
    """The same signature under something else, field by field; and other signatures."""
    acts = good.acts
    (one,) = acts.submissions
    signature = decode_signature(good.signature)
    fields: dict[str, dict[str, Any]] = {
        "authority": {"policy": PolicyKey("CN", one.policy.number_hash)},
        "number": {"policy": PolicyKey("CN.GD", Digest(b"N" * 32))},
        "sequence": {"sequence": 2},
        "action": {"action": Action.AMEND},
        "effective_on": {"effective_on": Day(1)},
        "document": {"document": Digest(b"D" * 32)},
        "manifest": {"manifest": Digest(b"M" * 32), "content": b""},
    }
    outer: dict[str, dict[str, Any]] = {
        "registrar": {"registrar": Address(bytes.fromhex(address_of(OWNERS[0])[2:]))},
        "deadline": {"deadline": UnixSeconds(acts.deadline - 1)},
        "twice": {"submissions": (one, replace(one, sequence=2, action=Action.AMEND))},
    }
    high = Signature(signature.r, ORDER - signature.s, 1 - signature.parity)
    found = {
        **{
            name: replace(good, acts=replace(acts, submissions=(replace(one, **change),)))
            for name, change in fields.items()
        },
        **{name: replace(good, acts=replace(acts, **change)) for name, change in outer.items()},
        "high_s": replace(good, signature=high.encode()),
        "other_v": replace(good, signature=good.signature[:64] + b"\x02"),
        "cut": replace(good, signature=good.signature[:64]),
        "none": replace(good, signature=b""),
    }
    # Signed for elsewhere, or by somebody else, and brought here.
    for name, change in {
        "chain_id": {"chain_id": 1},
        "contract": {"contract": Address(b"\x11" * 20)},
        "signer": {"key": OWNERS[0], "registrar": acts.registrar},
    }.items():
        other = world.signed("mutated", **change)
        found[name] = replace(good, signature=other.signature)
    return found


MUTATED = (
    "authority", "number", "sequence", "action", "effective_on", "document", "manifest",
    "registrar", "deadline", "twice", "high_s", "other_v", "cut", "none", "chain_id", "contract",
    "signer",
)  # fmt: skip


@pytest.mark.parametrize("name", MUTATED)
def test_whatever_is_changed_is_refused_here_and_by_the_contract(world: World, name: str) -> None:
    good = world.signed("mutated")
    every = mutations(world, good)
    assert set(every) == set(MUTATED)
    bad = every[name]
    with world.relay("mutations") as relay:
        with pytest.raises(Rejected):
            relay.accept(write_signed_act(bad))
        assert kept(relay) == 0
    client = Client(world.transport, world.contract)
    assert on_chain(client, bad) == "SignatureInvalid"
    assert on_chain(client, good) == "taken"


def on_chain(client: Client, signed: SignedAct) -> str:
    """What the contract itself makes of it."""
    call = {"to": "0x" + client.address.hex(), "data": record_by_signature_data(signed)}
    try:
        client.transport.request("eth_call", [call, "latest"])
    except RpcError as error:
        said = str(refusal(error))
        return "SignatureInvalid" if "the signature is not" in said else said
    return "taken"


def kept(relay: Relay) -> int:
    with reading(relay._engine) as connection:
        return len(open_relayed(connection, relay.account))


def test_what_is_for_another_place_or_too_late_is_refused_before_the_node_is_asked(
    world: World,
) -> None:
    with world.relay("places") as relay:
        for changed, why in (
            ({"chain_id": 1}, "eip155:1:"),
            ({"contract": Address(b"\x11" * 20)}, "0x1111"),
            ({"deadline": UnixSeconds(1_700_000_000)}, "deadline has passed"),
        ):
            with pytest.raises(Rejected, match=why):
                relay.accept(write_signed_act(world.signed("place", **changed)))
        assert kept(relay) == 0


def test_a_registrar_of_nothing_costs_nothing(world: World) -> None:
    with world.relay("strangers") as relay:
        before = world.transport.request(
            "eth_getTransactionCount", ["0x" + relay.account.hex(), "pending"]
        )
        with pytest.raises(Rejected, match=r"is not a registrar of CN\.GD"):
            relay.accept(write_signed_act(world.signed("stranger", key=OWNERS[1])))
        for text in (b"", b"{}", b"[]", b"\xff"):
            with pytest.raises(InputError, match="not a signed act"):
                relay.accept(text)
        with pytest.raises(NotFound):
            relay.progress(bytes(32))
        after = world.transport.request(
            "eth_getTransactionCount", ["0x" + relay.account.hex(), "pending"]
        )
    assert before == after


def test_no_more_are_taken_in_an_hour_than_the_limit(
    world: World, databases: Callable[[], str]
) -> None:
    now, url = [1_900_000_000.0], databases()
    with world.relay("limits", database=url, hourly=2, clock=lambda: now[0]) as relay:
        for number in range(2):
            relay.accept(write_signed_act(world.signed(f"limit {number}")))
        # What is known already counts once.
        relay.accept(write_signed_act(world.signed("limit 1")))
        third = write_signed_act(world.signed("limit 3"))
        with pytest.raises(LimitReached, match="2 acts within an hour"):
            relay.accept(third)
        now[0] += 3601
        relay.accept(third)


def test_two_acts_for_one_place_are_not_both_paid_for(world: World) -> None:
    with world.relay("places of acts") as relay:
        first = relay.accept(write_signed_act(world.signed("one place")))
        other = world.signed("one place", deadline=UnixSeconds(FAR - 5))
        with pytest.raises(Rejected, match="on its way"):
            relay.accept(write_signed_act(other))
        assert relay.drive(first).stage is Stage.INCLUDED
        with pytest.raises(Rejected, match="came first, or this one was recorded"):
            relay.accept(write_signed_act(other))


class _Broken(HttpTransport):
    """A node to which nothing can be sent, or whose answers to that are lost."""

    lost = False

    def request(self, method: str, params: Any = ()) -> Any:
        if method == "eth_sendRawTransaction":
            if self.lost:
                super().request(method, params)
            raise NodeFault("the connection broke", Fault.UNREACHABLE)
        return super().request(method, params)


@pytest.mark.parametrize("lost", [False, True], ids=["not sent", "answer lost"])
def test_who_comes_next_sends_the_same_bytes(
    world: World, monkeypatch: pytest.MonkeyPatch, databases: Callable[[], str], lost: bool
) -> None:
    url = databases()
    name = f"next {lost} {url.partition(':')[0]}"
    with world.relay(name, database=url) as relay:
        broken = _Broken(world.url)
        broken.lost = lost
        monkeypatch.setattr(relay._rounds._outgoing, "_transport", broken)
        id_ = relay.accept(write_signed_act(world.signed(name)))
        relay.round()
        before = relay.progress(id_)
        assert before.stage is Stage.UNKNOWN
        assert before.transaction is not None
    with world.relay(name, database=url) as relay:
        after = relay.drive(id_)
    assert after.stage is Stage.INCLUDED
    assert after.transaction is not None
    assert after.transaction.raw == before.transaction.raw


def test_two_relays_of_one_act_record_it_once(world: World) -> None:
    act = write_signed_act(world.signed("two relays"))
    with world.relay("first of two") as one, world.relay("second of two", key=DEV_KEYS[2]) as two:
        id_ = one.accept(act)
        assert two.accept(act) == id_
        done = one.drive(id_)
        # The other one finds it there, and pays nothing.
        found = two.drive(id_)
        assert (found.stage, found.transaction) == (Stage.INCLUDED, None)
        assert found.entry is not None
        assert done.row.id == found.row.id


def test_an_act_that_is_there_is_not_called_refused_by_a_mirror_that_is_behind(
    world: World,
) -> None:
    act = write_signed_act(world.signed("behind"))
    with world.relay("ahead") as one, world.relay("behind", key=DEV_KEYS[2]) as two:
        id_ = two.accept(act)
        one.relay(act)
        catch_up, two._catch_up = two._catch_up, lambda: None
        two.round()
        assert two.progress(id_).stage is Stage.STAGED
        two._catch_up = catch_up
        assert two.drive(id_).stage is Stage.INCLUDED


def test_a_relay_that_comes_second_in_a_block_says_what_became_of_the_act(world: World) -> None:
    act = write_signed_act(world.signed("same block"))
    with world.relay("block one") as one, world.relay("block two", key=DEV_KEYS[2]) as two:
        world.transport.request("evm_setAutomine", [False])
        try:
            id_ = one.accept(act)
            two.accept(act)
            one.round()
            two.round()
        finally:
            world.transport.request("evm_setAutomine", [True])
            world.transport.request("evm_mine")
        results = [each.drive(id_) for each in (one, two)]
        assert [each.stage for each in results] == [Stage.INCLUDED] * 2
        two.round()
        assert two.progress(id_).entry is not None


def test_a_relay_without_money_says_so_and_keeps_nothing(world: World) -> None:
    poor = "0x" + "05" * 32
    with world.relay("poor", key=poor) as relay:
        with pytest.raises(RegistryError, match="funds"):
            relay.relay(write_signed_act(world.signed("poor")))
        assert kept(relay) == 0


def test_what_the_network_asks_too_much_for_is_said_and_not_paid(world: World) -> None:
    act = write_signed_act(world.signed("too dear"))
    with world.relay("thrifty") as relay:
        relay._rounds._patience = Patience(most_fee=1)
        id_ = relay.accept(act)
        with pytest.raises(Rejected, match="more than the 1 allowed"):
            relay.round()
        assert relay.progress(id_).stage is Stage.STAGED
        with pytest.raises(Rejected, match="more than the 1 allowed"):
            relay.relay(act)
        assert kept(relay) == 0


def test_an_act_whose_registrar_was_dismissed_meanwhile_is_not_paid_for(world: World) -> None:
    key = bytes.fromhex("0d" * 32)
    world.admin.done("authority", "appoint", "CN.GD", address_of(key))
    with world.relay("dismissed") as relay:
        id_ = relay.accept(write_signed_act(world.signed("dismissed", key=key)))
        world.admin.done("authority", "dismiss", "CN.GD", address_of(key))
        found = relay.drive(id_)
        assert found.stage is Stage.REJECTED
        assert "is not a registrar" in str(found.row.reason)
        # It may be handed in again, and then it is looked at again.
        with pytest.raises(Rejected):
            relay.accept(write_signed_act(world.signed("dismissed", key=key)))
        world.admin.done("authority", "appoint", "CN.GD", address_of(key))
        assert relay.relay(write_signed_act(world.signed("dismissed", key=key))).ended


def test_a_wallet_s_signatures_may_be_added_in_any_order(world: World) -> None:
    assert world.wallet is not None
    registrar = Address(bytes.fromhex(world.wallet[2:]))
    keys = [LocalSigner(key) for key in OWNERS]
    found = {
        countersigned(
            world.signed("any order", key=OWNERS[first], registrar=registrar), keys[second]
        ).signature
        for first, second in ((0, 1), (1, 0))
    }
    assert len(found) == 1
    (signature,) = found
    client = Client(world.transport, world.contract)
    signed = replace(world.signed("any order", registrar=registrar), signature=signature)
    assert on_chain(client, signed) == "taken"
    swapped = replace(signed, signature=signature[65:] + signature[:65])
    assert on_chain(client, swapped) == "SignatureInvalid"


def test_several_acts_may_be_under_one_signature(world: World) -> None:
    first = world.signed("together")
    (published,) = first.acts.submissions
    (amended,) = world.signed(
        "together", Action.AMEND, state_before(Action.AMEND, 2)
    ).acts.submissions
    acts = replace(first.acts, submissions=(published, amended))
    signed = SignedAct(acts, LocalSigner(REGISTRAR).sign_typed_data(acts))
    with world.relay("together") as relay:
        done = relay.relay(write_signed_act(signed))
        assert done.stage is Stage.INCLUDED
        relay._catch_up()
        assert relay.progress(done.row.id).entry is not None
        assert Client(world.transport, world.contract).policy(amended.policy).sequence == 2
        # In another order they are not two acts of this policy.
        acts = replace(acts, submissions=(amended, published))
        signed = SignedAct(acts, LocalSigner(REGISTRAR).sign_typed_data(acts))
        with pytest.raises(Rejected, match="came first"):
            relay.accept(write_signed_act(signed))


def test_what_a_remote_signer_does_wrong_is_not_sent_and_leaves_nothing(
    world: World, tmp_path: Path
) -> None:
    document = tmp_path / "d.md"
    document.write_text("By a remote signer.")
    account = address_of(REMOTE)
    world.admin.done("authority", "appoint", "CN.GD", account)
    world.transport.request("anvil_setBalance", [account, hex(10**20)])
    words = ("publish", document, "--authority", "CN.GD", "--number", "remote", "--title-en", "R")
    with signing_server(REMOTE) as server:
        user = world.user("remote", POLREG_SIGNER_URL=server.url, POLREG_SIGNER_ACCOUNT=account)
        for fault in (
            Wrong.WRONG_ACCOUNT,
            Wrong.WRONG_SIGNATURE,
            Wrong.HIGH_S,
            Wrong.ANOTHER_TRANSACTION,
            Wrong.NONSENSE,
            Wrong.REFUSES,
        ):
            server.fault = fault
            outcome = user(*words)
            assert (outcome.code, "canary-of-the-path" in outcome.err) == (1, False), outcome.err
        nonce = world.transport.request("eth_getTransactionCount", [account, "pending"])
        assert int(nonce, 16) == 0
        assert user.done("outbox", "list", "--stage", "staged", "--json").json["acts"] == []
        server.fault = Wrong.NONE
        user.done(*words)
        place = ("--chain-id", "31337", "--contract", "0x" + world.contract.hex())
        act = tmp_path / "act.json"
        signed = ("sign", "suspend", "CN.GD", "remote", "--reason", "x", "--title-en", "R")
        user.done(*signed, *place, "--sequence", "2", "-o", act)
        user.done("relay", act)
    assert "eth_signTypedData_v4" in server.asked


def test_a_node_that_is_away_is_not_a_refusal(world: World) -> None:
    with world.relay("away") as relay:
        act = write_signed_act(world.signed("away"))
        relay._client.transport.close()
        away = Client(HttpTransport("http://127.0.0.1:9"), world.contract)
        relay._client = away
        with pytest.raises(Unavailable):
            relay.accept(act)
