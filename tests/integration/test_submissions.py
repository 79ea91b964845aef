"""Signed acts over HTTP: without accounts, at the server's expense, and once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from api import models
from registry.chain.signers import LocalSigner
from registry.core.signed_act import MAX_BYTES, write_signed_act
from registry.core.units import UnixSeconds
from registry.services.relaying import Paying
from tests.anvil import running_anvil
from tests.integration.api_registry import problem, running, wait_until
from tests.integration.test_api_documentation import assert_same_shape, described
from tests.relaying import FAR, OWNERS, PAYER, World, make_world

pytestmark = pytest.mark.xdist_group("submissions")
LIMIT = 5


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_anvil() as url:
        yield make_world(url, tmp_path_factory.mktemp("submissions"))


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[httpx.Client]:
    paying = Paying(LocalSigner(bytes.fromhex(PAYER[2:])), LIMIT)
    with running(world.settings("server"), 0.1, paying) as found:
        wait_until(lambda: found.get("/readyz").status_code == 200)
        yield found


def hand_in(client: httpx.Client, content: bytes) -> httpx.Response:
    return client.post("/v1/submissions", content=content)


def ended(client: httpx.Client, place: str) -> dict[str, Any]:
    """What became of it, once it is in the log or refused."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        found.append(client.get(place).raise_for_status().json()["submission"])
        return found[-1]["stage"] == "rejected" or found[-1]["entry"] is not None

    wait_until(look)
    return found[-1]


def test_an_act_that_is_handed_in_is_recorded_once_and_said_where(
    client: httpx.Client, world: World
) -> None:
    signed = world.signed("api 1")
    taken = hand_in(client, write_signed_act(signed))
    assert taken.status_code == 202, taken.text
    place = taken.headers["location"]
    assert place == "/v1/submissions/" + taken.json()["submission"]["id"]
    done = ended(client, place)
    assert done["stage"] in ("included", "finalized")
    assert done["acts"][0]["manifest"] == signed.acts.submissions[0].manifest.hex()
    again = hand_in(client, write_signed_act(signed))
    assert again.status_code == 202
    assert again.json()["submission"] == client.get(place).json()["submission"]
    history = client.get(f"/v1/policies/{done['acts'][0]['policy_id']}/history").json()
    assert [each["entry"] for each in history["entries"]] == [done["entry"]]
    (entry,) = history["entries"]
    assert entry["registrar"] == done["registrar"]


def test_the_answers_are_as_they_are_documented(client: httpx.Client, world: World) -> None:
    document = described(client)
    taken = hand_in(client, write_signed_act(world.signed("api documented")))
    done = ended(client, taken.headers["location"])
    assert done["transaction"] is not None
    real = client.get(taken.headers["location"]).json()
    for path, method, status in (
        ("/v1/submissions", "post", "202"),
        ("/v1/submissions/{id}", "get", "200"),
    ):
        route = document["paths"][path][method]
        shown = route["responses"][status]["content"]["application/json"]["example"]
        models.SubmissionAnswer.model_validate(shown)
        models.SubmissionAnswer.model_validate(real)
        assert_same_shape(shown, real, path)
    assert {"400", "409", "413", "429", "501", "503"} <= document["paths"]["/v1/submissions"][
        "post"
    ]["responses"].keys()


def test_what_can_not_be_recorded_is_refused_before_anything_is_paid(
    client: httpx.Client, world: World
) -> None:
    account = LocalSigner(bytes.fromhex(PAYER[2:])).address

    def nonce() -> Any:
        return world.transport.request("eth_getTransactionCount", ["0x" + account.hex(), "pending"])

    before = nonce()
    stranger = world.signed("api stranger", key=OWNERS[0])
    late = world.signed("api late", deadline=UnixSeconds(1_700_000_000))
    elsewhere = world.signed("api elsewhere", chain_id=1)
    changed = orjson.loads(write_signed_act(world.signed("api changed")))
    changed["typed_data"]["message"]["deadline"] += 1
    for content, why in (
        (write_signed_act(stranger), "is not a registrar of CN.GD"),
        (write_signed_act(late), "deadline has passed"),
        (write_signed_act(elsewhere), "eip155:1:"),
        (orjson.dumps(changed), "over exactly these acts"),
    ):
        assert why in problem(hand_in(client, content), 409, "rejected")["detail"]
    for content in (b"", b"{}", b"\xff", write_signed_act(stranger)[:-3]):
        assert "not a signed act" in problem(hand_in(client, content), 400, "input")["detail"]
    problem(hand_in(client, b" " * (MAX_BYTES + 1)), 413, "too-large")
    problem(client.get("/v1/submissions/0x" + "00" * 32), 404, "not-found")
    problem(client.get("/v1/submissions/x"), 400, "input")
    assert nonce() == before


def test_a_registrar_has_so_many_an_hour(client: httpx.Client, world: World) -> None:
    answers = [
        hand_in(client, write_signed_act(world.signed(f"api many {number}")))
        for number in range(LIMIT + 1)
    ]
    assert {each.status_code for each in answers[:-1]} <= {202, 429}
    problem(answers[-1], 429, "too-many")


def test_a_server_without_an_account_that_pays_relays_nothing_and_says_so(world: World) -> None:
    with running(world.settings("without")) as client:
        said = problem(
            hand_in(client, write_signed_act(world.signed("api off", deadline=FAR))),
            501,
            "not-offered",
        )
        assert "relays nothing" in said["detail"]
        problem(client.get("/v1/submissions/0x" + "00" * 32), 501, "not-offered")
