"""Uploads: hashed exactly, never stored, and refused where the hash could be wrong."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers

from api.upload import MAX_PARTS, Uploaded, hash_upload
from registry.errors import InputError
from tests.integration.api_registry import SmallRegistry, client, problem, registry

__all__ = ["client", "registry"]

BOUNDARY = "--frontier"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def form(*files: bytes, boundary: str = BOUNDARY) -> bytes:
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="{number}"\r\n'
        "Content-Type: application/pdf\r\n\r\n".encode()
        + content
        + b"\r\n"
        for number, content in enumerate(files)
    )
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def hashed(headers: dict[str, str], pieces: Sequence[bytes]) -> list[Uploaded]:
    async def arriving() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return asyncio.run(hash_upload(Headers(headers), arriving()))


# Content made of what boundaries are made of, cut anywhere.
_TRICKY = st.lists(
    st.sampled_from(
        [
            b"\r",
            b"\n",
            b"-",
            b"--",
            b"\r\n--",
            b"\r\n----fron",
            b"----frontie",
            b"x",
            b"\0",
            b"\xff",
        ]
    ),
    max_size=30,
).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(
    files=st.lists(_TRICKY.filter(lambda c: b"\r\n----frontier" not in c), min_size=1, max_size=3),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=20),
)
def test_any_content_in_any_pieces_is_hashed_exactly(files: list[bytes], cuts: list[int]) -> None:
    body = form(*files)
    pieces, at = [], 0
    while at < len(body):
        cut = cuts[len(pieces) % len(cuts)]
        pieces.append(body[at : at + cut])
        at += cut
    found = hashed(FORM, pieces)
    assert [each.sha256 for each in found] == [hashlib.sha256(each).digest() for each in files]
    assert [each.size for each in found] == [len(each) for each in files]
    assert [each.name for each in found] == [str(number) for number in range(len(files))]


def test_several_files_are_answered_in_order_with_their_names(
    client: httpx.Client, registry: SmallRegistry
) -> None:
    new, old = (registry.files[word].read_bytes() for word in ("finance-2020", "finance-2017"))
    files = [
        ("a", ("金融措施.txt", new)),
        ("b", ("old.txt", old, "text/plain")),
        ("a", ("altered.txt", new + b"\n")),
        ("a", ("again.txt", new)),
    ]
    answer = client.post("/v1/verify", files=files, data={"comment": "no file"}).json()
    assert [(each["name"], each["match"], each["standing"]) for each in answer["files"]] == [
        ("金融措施.txt", "exact", "in_force"),
        ("old.txt", "exact", "amended"),
        ("altered.txt", "unknown", None),
        ("again.txt", "exact", "in_force"),
    ]
    assert answer["files"][0]["size"] == len(new)
    assert answer["registry"]["log"]["size"] > 0


def test_a_raw_body_is_one_file(client: httpx.Client, registry: SmallRegistry) -> None:
    content = registry.files["finance-2017"].read_bytes()
    headers = {"Content-Type": "application/octet-stream"}
    response = client.post(
        "/v1/verify", content=content, headers=headers, params={"on": "2018-01-01"}
    )
    (file,) = response.json()["files"]
    assert (file["name"], file["match"], file["standing"]) == (None, "exact", "in_force")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form",
        f"--{BOUNDARY}--\r\n".encode(),
        form(b"content")[:-6],
        form(b"content")[:70],
        form(b"content").replace(b"Content-Type", b"Content Type"),
        form(b"content").replace(b"application/pdf", b"x" * 5000),
        form(b"content").replace(b"Content-Type", b"A: b\r\n" * 9 + b"Content-Type"),
        form(b"").replace(b'filename="0"', b'filename=""'),
        form(b"text").replace(b'; filename="0"', b""),
    ],
)
def test_a_malformed_or_empty_form_is_refused(client: httpx.Client, body: bytes) -> None:
    problem(client.post("/v1/verify", content=body, headers=FORM), 400, "input")


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary="])
def test_a_form_without_a_boundary_is_refused(client: httpx.Client, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    problem(client.post("/v1/verify", content=form(b"x"), headers=headers), 400, "input")


def test_an_empty_raw_body_is_no_file(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    problem(client.post("/v1/verify", headers=headers), 400, "input")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json"},
        {"Content-Type": "application/octet-stream", "Content-Encoding": "gzip"},
        {},
    ],
)
def test_bytes_that_may_not_be_the_files_are_refused(
    client: httpx.Client, headers: dict[str, str]
) -> None:
    problem(
        client.post("/v1/verify", content=b"content", headers=headers), 415, "unsupported-upload"
    )


def test_an_encoded_part_is_refused(client: httpx.Client) -> None:
    body = form(b"Y29udGVudA==").replace(
        b"Content-Type", b"Content-Transfer-Encoding: base64\r\nContent-Type"
    )
    problem(client.post("/v1/verify", content=body, headers=FORM), 415, "unsupported-upload")


def test_too_many_parts_are_refused(client: httpx.Client) -> None:
    most = client.post("/v1/verify", content=form(*[b"x"] * MAX_PARTS), headers=FORM)
    assert len(most.json()["files"]) == MAX_PARTS
    body = form(*[b"x"] * (MAX_PARTS + 1))
    problem(client.post("/v1/verify", content=body, headers=FORM), 413, "too-large")


def test_a_client_that_goes_away_in_the_middle_leaves_the_server_well(
    client: httpx.Client, registry: SmallRegistry
) -> None:
    host, port = client.base_url.host, client.base_url.port
    for _ in range(5):
        with socket.create_connection((host, port)) as connection:
            connection.sendall(
                b"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
                b"Content-Type: application/octet-stream\r\n\r\n" + b"x" * 50_000
            )
    assert client.get("/v1/healthz").status_code == 200
    content = registry.files["joint"].read_bytes()
    answer = client.post("/v1/verify", files={"f": ("joint.txt", content)}).json()
    assert answer["files"][0]["match"] == "exact"


def test_nothing_is_hashed_of_a_form_that_ends_early() -> None:
    with pytest.raises(InputError, match="ends before"):
        hashed(FORM, [form(b"content" * 100)[:300]])
