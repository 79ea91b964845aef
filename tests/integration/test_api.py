"""The API's answers about documents, policies, authorities and numbers."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.streaming import MAX_STREAMS
from registry.core.calendar import parse_day
from registry.core.entry import Action
from registry.core.snapshot import Filters
from registry.services.snapshots import Snapshot, take_snapshot
from registry.services.workspace import Workspace
from tests.integration.api_registry import (
    AUTHORITIES,
    CORPUS,
    FINANCE,
    FINANCE_TITLE,
    SmallRegistry,
    client,
    problem,
    registry,
    running,
    wait_until,
)

__all__ = ["client", "registry"]

STANDINGS = ("suspended", "superseded", "repealed", "withdrawn", "expired", "not_yet_in_force")


def get(client: httpx.Client, path: str, **parameters: Any) -> Any:
    response = client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def test_a_published_document_is_exact_and_in_force(
    client: httpx.Client, registry: SmallRegistry
) -> None:
    answer = get(client, f"/v1/documents/{registry.sha256('finance-2020')}")
    assert (answer["match"], answer["standing"], answer["finality"]) == (
        "exact",
        "in_force",
        "finalized",
    )
    (found,) = answer["registrations"]
    assert (found["authority"], found["number"]) == FINANCE
    assert found["title"] == FINANCE_TITLE
    assert (found["version"], found["versions"]) == (2, 2)


def test_an_upper_case_digest_is_the_same_digest(
    client: httpx.Client, registry: SmallRegistry
) -> None:
    answer = get(client, f"/v1/documents/{registry.sha256('finance-2020').upper()}")
    assert answer["match"] == "exact"


def test_one_byte_more_is_unknown_and_still_an_answer(
    client: httpx.Client, registry: SmallRegistry
) -> None:
    altered = hashlib.sha256(registry.files["finance-2020"].read_bytes() + b" ").hexdigest()
    answer = get(client, f"/v1/documents/{altered}")
    assert (answer["match"], answer["standing"], answer["registrations"]) == ("unknown", None, [])
    assert answer["registry"]["development"] is True


def test_the_date_decides_which_version_is_in_force(
    client: httpx.Client, registry: SmallRegistry
) -> None:
    path = f"/v1/documents/{registry.sha256('finance-2017')}"
    assert get(client, path)["standing"] == "amended"
    assert get(client, path, on="2019-12-31")["standing"] == "in_force"
    assert get(client, path, on="2017-08-31")["standing"] == "not_yet_in_force"


@pytest.mark.parametrize("standing", STANDINGS)
def test_each_standing_is_told(
    client: httpx.Client, registry: SmallRegistry, standing: str
) -> None:
    assert get(client, f"/v1/documents/{registry.sha256(standing)}")["standing"] == standing
    policy = get(client, f"/v1/policies/{registry.policies[standing]}")["policy"]
    assert policy["standing"] == standing


def test_a_rendition_is_known_as_one(client: httpx.Client, registry: SmallRegistry) -> None:
    answer = get(client, f"/v1/documents/{registry.sha256('finance-2020-en')}")
    assert answer["registrations"][0]["role"] == "rendition"


def test_a_joint_issue_names_the_lead_first(client: httpx.Client, registry: SmallRegistry) -> None:
    answer = get(client, f"/v1/documents/{registry.sha256('joint')}")
    assert [each["authority"] for each in answer["registrations"]] == ["CN", "CN.GD"]
    policy = get(client, f"/v1/policies/{registry.policies['joint']}")["policy"]
    assert [each["authority"] for each in policy["endorsed_by"]] == ["CN.GD"]


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real laws is not there")
def test_real_laws_are_found(client: httpx.Client, registry: SmallRegistry) -> None:
    for path in registry.corpus:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert get(client, f"/v1/documents/{digest}")["match"] == "exact"


@pytest.mark.parametrize("digest", ["zz", "ab" * 31, "ab" * 33, "g" * 64, "0x" + "ab" * 32])
def test_a_malformed_digest_is_refused(client: httpx.Client, digest: str) -> None:
    problem(client.get(f"/v1/documents/{digest}"), 400, "input")


@pytest.mark.parametrize("on", ["2020-02-30", "20200101", "1580515200", "yesterday", ""])
def test_a_date_that_is_none_is_refused(client: httpx.Client, on: str) -> None:
    problem(client.get("/v1/documents/" + "ab" * 32, params={"on": on}), 400, "input")
    problem(client.get("/v1/policies", params={"on": on}), 400, "input")


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"authority": "CN.GD.SHENZHEN"}, {FINANCE[1]}),
        ({"authority": "US"}, {"D.C. Law expired", "D.C. Law not_yet_in_force"}),
        ({"authority": "CN.GDP"}, set()),
        ({"jurisdiction": "US-DC"}, {"D.C. Law expired", "D.C. Law not_yet_in_force"}),
        ({"type": "rules", "standing": "repealed"}, {"GD-repealed"}),
        ({"type": "rules", "standing": "repealed", "on": "2020-01-01"}, set()),
        ({"text": "金融"}, {FINANCE[1]}),
        ({"text": "促进金融业"}, {FINANCE[1]}),
        ({"text": "FINANCIAL support"}, {FINANCE[1]}),
        ({"text": "深府"}, {FINANCE[1]}),
        ({"text": 'no "such" words'}, set()),
        ({"text": "%"}, set()),
        ({"issued_from": "2020-02-01", "issued_to": "2020-02-01"}, {"国发〔2020〕1号"}),
        ({"issued_to": "2015-06-01", "authority": "US"}, {"D.C. Law expired"}),
    ],
)
def test_filters(client: httpx.Client, filters: dict[str, str], numbers: set[str]) -> None:
    answer = get(client, "/v1/policies", **filters)
    assert {each["number"] for each in answer["policies"]} == numbers
    leading = [each for each in answer["policies"] if each["endorses"] is None]
    assert get(client, "/v1/stats", **filters)["policies"] == len(leading)


def test_a_policy_by_id_prefix_and_number_is_the_same(
    client: httpx.Client, registry: SmallRegistry
) -> None:
    policy_id = registry.policies["finance"]
    whole = get(client, f"/v1/policies/{policy_id}")
    authority, number = FINANCE
    assert whole["policy"]["policy_id"] == policy_id
    assert get(client, f"/v1/policies/{policy_id[:8].upper()}")["policy"] == whole["policy"]
    by_number = get(client, "/v1/policies/by-number", authority=authority, number=number)
    assert by_number["policy"] == whole["policy"]


def test_the_history_is_every_entry_with_its_manifest(
    client: httpx.Client, registry: SmallRegistry
) -> None:
    answer = get(client, f"/v1/policies/{registry.policies['finance']}/history")
    assert [each["action"] for each in answer["entries"]] == ["publish", "amend"]
    assert [each["sequence"] for each in answer["entries"]] == [1, 2]
    assert answer["entries"][1]["previous"] == answer["entries"][0]["entry"]
    assert answer["entries"][0]["document"] == registry.sha256("finance-2017")
    assert answer["entries"][0]["manifest"]["state"] == "present"
    assert answer["entries"][0]["manifest"]["content"]["title"] == FINANCE_TITLE


def test_what_is_not_there_is_not_found_and_what_is_malformed_is_refused(
    client: httpx.Client,
) -> None:
    problem(client.get("/v1/policies/" + "0" * 64), 404, "not-found")
    problem(client.get("/v1/policies/" + "0" * 64 + "/history"), 404, "not-found")
    problem(client.get("/v1/authorities/XX"), 404, "not-found")
    asked = {"authority": "CN", "number": "none"}
    problem(client.get("/v1/policies/by-number", params=asked), 404, "not-found")
    for path in ("/v1/policies/abc", "/v1/policies/wxyz", "/v1/authorities/cn"):
        problem(client.get(path), 400, "input")


def test_authorities_with_their_names_and_roles(client: httpx.Client) -> None:
    listed = get(client, "/v1/authorities")["authorities"]
    assert {each["code"]: each["name"] for each in listed} == AUTHORITIES
    one = get(client, "/v1/authorities/CN.GD")
    assert one["authority"] == next(each for each in listed if each["code"] == "CN.GD")
    assert {each["role"] for each in one["grants"]} == {"controller", "registrar"}
    assert one["compromised"] == []


def test_statistics_add_up_and_count_a_joint_issue_once(client: httpx.Client) -> None:
    answer = get(client, "/v1/stats")
    listed = get(client, "/v1/policies", limit=200)["policies"]
    endorsements = sum(each["endorses"] is not None for each in listed)
    assert endorsements
    assert set(answer["by"]) == {"jurisdiction", "level", "type", "year", "authority", "standing"}
    for counted in answer["by"].values():
        assert sum(counted.values()) == answer["policies"]
    assert answer["policies"] + endorsements == answer["totals"]["policies"]
    assert answer["by"]["standing"]["repealed"] == 1
    assert answer["by"]["level"]["national"] >= 1
    assert answer["totals"]["authorities"] == len(AUTHORITIES)


def test_every_answer_names_the_same_place(client: httpx.Client, registry: SmallRegistry) -> None:
    paths = [
        "/v1/checkpoint",
        "/v1/policies",
        "/v1/authorities",
        "/v1/stats",
        "/v1/readyz",
        "/readyz",
        f"/v1/documents/{registry.sha256('joint')}",
        f"/v1/policies/{registry.policies['joint']}/history",
    ]
    places = [get(client, path)["registry"] for path in paths]
    for place in places:
        place["mirror"].pop("lag_seconds")
        assert place == places[0]
    checkpoint = get(client, "/v1/checkpoint")
    assert places[0]["log"] == {"size": checkpoint["size"], "root": checkpoint["root"]}


@pytest.mark.parametrize("written_as", ["ndjson", "csv"])
@pytest.mark.parametrize("in_force_on", [None, "2019-06-01"])
def test_a_snapshot_is_the_services_bytes(
    client: httpx.Client, registry: SmallRegistry, written_as: str, in_force_on: str | None
) -> None:
    day = None if in_force_on is None else parse_day(in_force_on)
    with Workspace(registry.settings) as workspace:
        taken = take_snapshot(workspace.engine, Filters(in_force_on=day))
        expected = b"".join(taken.ndjson() if written_as == "ndjson" else taken.csv())
    asked = {"format": written_as} | ({"in_force_on": in_force_on} if in_force_on else {})
    response = client.get("/v1/snapshot", params=asked)
    assert response.content == expected
    media_type = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}[written_as]
    assert response.headers["content-type"] == media_type
    assert response.headers["content-disposition"].endswith(f'.{written_as}"')


def test_a_snapshots_etag_is_its_questions(client: httpx.Client, registry: SmallRegistry) -> None:
    synced = client.get("/v1/checkpoint").json()["registry"]["mirror"]["synced_at"]
    questions: list[dict[str, str]] = [
        {},
        {"format": "csv"},
        {"in_force_on": "2019-06-01"},
        {"size": "20"},
        {"recorded_by": synced},
    ]
    tags = [client.get("/v1/snapshot", params=asked).headers["etag"] for asked in questions]
    assert len(set(tags)) == len(tags)
    with running(registry.settings) as another:
        again = [another.get("/v1/snapshot", params=asked).headers["etag"] for asked in questions]
    assert again == tags
    for asked, tag in zip(questions, tags, strict=True):
        for sent in (tag, f'W/{tag}, "other"'):
            same = client.get("/v1/snapshot", params=asked, headers={"If-None-Match": sent})
            assert (same.status_code, same.content) == (304, b"")
    other = client.get("/v1/snapshot", headers={"If-None-Match": tags[1]})
    assert other.status_code == 200


def test_what_may_still_be_recorded_is_no_snapshot(client: httpx.Client) -> None:
    answer = client.get("/v1/snapshot", params={"recorded_by": "2099-01-01"})
    problem(answer, 503, "could-not-check")


def test_few_snapshots_at_once_and_each_gives_its_place_back(
    registry: SmallRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def endless(_: Snapshot) -> Iterator[bytes]:
        while not release.is_set():
            yield b"x" * 100_000

    monkeypatch.setattr(Snapshot, "csv", endless)
    with running(registry.settings) as client, contextlib.ExitStack() as open_streams:
        for _ in range(MAX_STREAMS):
            started = open_streams.enter_context(
                client.stream("GET", "/v1/snapshot", params={"format": "csv"})
            )
            assert started.status_code == 200
        problem(client.get("/v1/snapshot"), 503, "could-not-check")
        assert client.get("/v1/checkpoint").status_code == 200
        open_streams.close()
        wait_until(lambda: client.get("/v1/snapshot").status_code == 200)
        release.set()


@pytest.mark.parametrize(
    "asked",
    [
        {"size": "0"},
        {"size": "100000"},
        {"size": str(2**70)},
        {"size": "5", "recorded_by": "2026-01-01"},
        {"recorded_by": "noon"},
        {"recorded_by": "1960-01-01"},
        {"in_force_on": "2020-13-01"},
        {"format": "xml"},
    ],
)
def test_an_impossible_snapshot_is_refused(client: httpx.Client, asked: dict[str, str]) -> None:
    problem(client.get("/v1/snapshot", params=asked), 400, "input")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/policies?standng=repealed",
        "/v1/policies?standing=gone",
        "/v1/policies?limit=0",
        "/v1/policies?limit=201",
        "/v1/policies?authority=cn",
        "/v1/policies?text=%00abc",
        "/v1/policies?text=" + "x" * 201,
        "/v1/policies?issued_from=2020",
        "/v1/policies?after=",
        "/v1/policies?after=AAAAAAAAAAA%3D",
        "/v1/policies?after=__________8",
        "/v1/policies?after=Ä",
        "/v1/policies?after=AAAAAAAAAAB",
        "/v1/policies/by-number?authority=CN",
        "/v1/policies/by-number?authority=CN&number=%00",
        "/v1/stats?limit=5",
        "/v1/snapshot?sise=5",
        "/v1/documents/" + "ab" * 32 + "?when=2020-01-01",
    ],
)
def test_what_can_not_be_understood_is_never_answered_with_everything(
    client: httpx.Client, path: str
) -> None:
    problem(client.get(path), 400, "input")


def test_unknown_addresses_and_methods_are_problems_too(client: httpx.Client) -> None:
    problem(client.get("/v1/nothing"), 404, "no-such-page")
    problem(client.get("/../api/app.py"), 404, "no-such-page")
    refused = client.delete("/v1/policies")
    problem(refused, 405, "method-not-allowed")
    assert refused.headers["allow"] == "GET"


def test_head_is_get_without_the_body(client: httpx.Client) -> None:
    for path in ("/v1/checkpoint", "/healthz", "/"):
        response = client.head(path)
        assert (response.status_code, response.content) == (200, b"")
    assert client.head("/v1/nothing").status_code == 404


def test_security_headers_on_every_answer(client: httpx.Client) -> None:
    for path in ("/", "/docs", "/page.js", "/v1/checkpoint", "/v1/documents/x", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert ("access-control-allow-origin" in headers) == path.startswith("/v1/")
        assert "server" not in headers


def test_the_page_loads_nothing_from_elsewhere(client: httpx.Client) -> None:
    for path in ("/", "/docs", "/page.css", "/page.js", "/check.js", "/search.js", "/docs.js"):
        response = client.get(path)
        assert response.status_code == 200
        assert not re.search(r"https?:|[\"'(]//", response.text), path
        tag = response.headers["etag"]
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_pages_are_complete_and_stable_while_policies_are_added(
    registry: SmallRegistry, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with registry.writing() as writer:
        writer.publish_many("US", [f"Act {number}" for number in range(25)])
        writer.sync()
        with running(registry.settings) as client:
            before = client.get("/v1/policies", params={"limit": 200}).json()
            expected = [each["policy_id"] for each in before["policies"]]
            assert before["next"] is None
            seen: list[str] = []
            after: dict[str, str] = {}
            for added in range(100):
                page = get(client, "/v1/policies", limit=4, **after)
                seen += [each["policy_id"] for each in page["policies"]]
                if page["next"] is None:
                    break
                after = {"after": page["next"]}
                if added == 2:
                    writer.publish_many("US.DC", ["in between 1", "in between 2"])
                    file = registry.file("amended", "An act that was amended.\n")
                    writer.act(Action.AMEND, ("US", "Act 3"), {"en": "Act 3, amended"}, file)
                    writer.sync()
    assert len(seen) == len(set(seen))
    assert seen[: len(expected)] == expected
    assert len(seen) == len(expected) + 2


def test_the_follower_brings_what_is_published(registry: SmallRegistry) -> None:
    with registry.writing() as writer, running(registry.settings, follow_seconds=0.1) as client:
        file = registry.file("followed", "Published while the server runs.\n")
        path = f"/v1/documents/{registry.sha256('followed')}"
        assert get(client, path)["match"] == "unknown"
        writer.act(Action.PUBLISH, ("US", "Followed"), {"en": "Followed"}, file)
        wait_until(lambda: get(client, path)["match"] == "exact")
        follower = get(client, "/readyz")["follower"]
        assert (follower["state"], follower["failure"]) == ("following", None)
