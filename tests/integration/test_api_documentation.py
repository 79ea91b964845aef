"""The API's documentation is what the API does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from api import models
from api.examples import example
from tests.integration.api_registry import (
    SmallRegistry,
    client,
    registry,
)

__all__ = ["client", "registry"]

_PLACES = {
    "/v1/documents/{sha256}": lambda r: "/v1/documents/" + r.sha256("finance-2020"),
    "/v1/documents/{sha256}/text": lambda r: f"/v1/documents/{r.sha256('finance-2020')}/text",
    "/v1/policies/by-number": lambda _: (
        "/v1/policies/by-number?authority=CN.GD.SHENZHEN&number=深府〔2017〕71号"
    ),
    "/v1/policies/{policy_id}": lambda r: "/v1/policies/" + r.policies["joint"],
    "/v1/policies/{policy_id}/history": lambda r: f"/v1/policies/{r.policies['finance']}/history",
    "/v1/policies/{policy_id}/text": lambda r: f"/v1/policies/{r.policies['finance']}/text",
    "/v1/policies/{policy_id}/blame": lambda r: f"/v1/policies/{r.policies['finance']}/blame",
    "/v1/authorities/{code}": lambda _: "/v1/authorities/CN.GD",
}
_WRONG = {
    "/v1/documents/{sha256}": "/v1/documents/x",
    "/v1/policies": "/v1/policies?limit=0",
    "/v1/policies/by-number": "/v1/policies/by-number",
    "/v1/policies/{policy_id}": "/v1/policies/x",
    "/v1/policies/{policy_id}/history": "/v1/policies/x/history",
    "/v1/policies/{policy_id}/text": "/v1/policies/x/text",
    "/v1/documents/{sha256}/text": "/v1/documents/x/text",
    "/v1/policies/{policy_id}/diff": "/v1/policies/x/diff",
    "/v1/policies/{policy_id}/blame": "/v1/policies/x/blame",
    "/v1/authorities/{code}": "/v1/authorities/x",
    "/v1/documents/{sha256}/receipt": "/v1/documents/x/receipt",
    "/v1/tile/{level}/{index}": "/v1/tile/0/x",
    "/v1/snapshot": "/v1/snapshot?format=x",
    "/v1/members": "/v1/members?limit=0",
    "/v1/collections/{root}": "/v1/collections/x",
    "/v1/stats": "/v1/stats?on=x",
}


# Of a server that relays: test_submissions. Of a policy with two texts: test_explaining.
_ELSEWHERE = ("/v1/submissions", "/v1/policies/{policy_id}/diff")


def described(client: httpx.Client) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/openapi.json").json()
    return document


def model_of(document: dict[str, Any], route: dict[str, Any]) -> type[BaseModel]:
    content = route["responses"]["200"]["content"]["application/json"]
    model: type[BaseModel] = getattr(models, content["schema"]["$ref"].rpartition("/")[2])
    return model


def answer_of(client: httpx.Client, registry: SmallRegistry, method: str, path: str) -> Any:
    if method == "post":
        content = registry.files["finance-2020"].read_bytes()
        response = client.post(path, files={"file": ("finance.txt", content)})
    else:
        place = _PLACES.get(path)
        response = client.get(place(registry) if place else path)
    assert response.status_code == 200, response.text
    return response.json()


def assert_same_shape(shown: Any, real: Any, place: str) -> None:
    """Same keys, same kinds of value; null stands for any, a list for its first element."""
    if shown is None or real is None:
        return
    if isinstance(shown, dict):
        if place.endswith((".by", ".title", ".name", ".content")):
            return
        assert isinstance(real, dict), place
        assert shown.keys() == real.keys(), place
        for key in shown:
            assert_same_shape(shown[key], real[key], f"{place}.{key}")
    elif isinstance(shown, list):
        assert isinstance(real, list), place
        if shown and real:
            assert_same_shape(shown[0], real[0], f"{place}[0]")
    elif isinstance(shown, float):
        assert isinstance(real, int | float), place
    else:
        assert type(shown) is type(real), place


def test_every_route_answers_as_it_is_documented(
    client: httpx.Client, registry: SmallRegistry
) -> None:
    document = described(client)
    checked = 0
    for path, methods in document["paths"].items():
        if path.startswith(_ELSEWHERE):
            continue
        for method, route in methods.items():
            content = route["responses"]["200"]["content"]
            if "application/json" not in content:
                continue
            shown = content["application/json"]["example"]
            model = model_of(document, route)
            model.model_validate(shown)
            real = answer_of(client, registry, method, path)
            model.model_validate(real)
            assert_same_shape(shown, real, f"{method} {path}")
            checked += 1
    assert checked == 18


def test_every_route_refuses_as_it_is_documented(client: httpx.Client) -> None:
    document = described(client)
    for path, wrong in _WRONG.items():
        response = client.get(wrong)
        documented = document["paths"][path]["get"]["responses"]
        assert response.status_code == 400
        shown = documented["400"]["content"]["application/problem+json"]["example"]
        assert response.json().keys() == shown.keys()
        assert response.json()["type"] == shown["type"]
        models.Problem.model_validate(response.json())


def test_every_route_is_described(client: httpx.Client) -> None:
    document = described(client)
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            assert route["description"].strip(), path
            assert "422" not in route["responses"], path
            for parameter in route.get("parameters", ()):
                described_as = parameter.get("description") or parameter["schema"].get(
                    "description"
                )
                assert described_as, f"{method} {path} {parameter['name']}"
    assert "Problem" in document["components"]["schemas"]


@pytest.mark.parametrize(
    "model",
    [
        each
        for each in vars(models).values()
        if isinstance(each, type) and issubclass(each, BaseModel) and each is not BaseModel
    ],
    ids=lambda model: model.__name__,
)
def test_every_model_has_an_example_that_it_accepts(model: type[BaseModel]) -> None:
    model.model_validate(example(model))


def test_the_docs_page_names_every_route(client: httpx.Client) -> None:
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
    for path in described(client)["paths"]:
        for part in re.split(r"{[^}]*}", path):
            assert part in text, path
