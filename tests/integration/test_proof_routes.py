"""Whoever has only the tiles and the receipts that are served can check everything."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.core import merkle, tiles
from registry.core.digest import sha256
from registry.core.receipt import read_receipt
from registry.core.receipt_check import Trace
from registry.core.receipt_document import FileFacts, check_file
from registry.core.tiles import TileId
from registry.core.units import Day
from registry.core.verdict import Standing
from registry.services.receipts import check_against_block
from registry.services.tiles import checkpoint_note, export_tiles
from registry.services.workspace import Workspace
from tests.integration.api_registry import SmallRegistry, client, problem, registry
from tests.integration.command_line import User

__all__ = ["client", "registry"]

TODAY = Day(20_500)


def read_all(size: int, read: Callable[[TileId, int], bytes]) -> dict[TileId, bytes]:
    """Every tile of a log of `size`, by asking for each."""
    found = {}
    for level in range(tiles.MAX_LEVEL + 1):
        number = 0
        while held := tiles.width(TileId(level, number), size):
            found[TileId(level, number)] = read(TileId(level, number), held)
            number += 1
    return found


def require_whole_log(entries: list[bytes], size: int, root: bytes, held: Any) -> None:
    """That the entries are the log, and every path from the tiles leads to the root."""
    assert len(entries) == size
    assert tiles.root(size, held) == root
    for index, encoded in enumerate(entries):
        leaf = merkle.leaf_hash(encoded)
        assert int.from_bytes(encoded[:32], "big") == index
        merkle.verify_inclusion(leaf, index, size, tiles.inclusion_path(index, size, held), root)


def test_served_tiles_prove_every_entry(client: httpx.Client, registry: SmallRegistry) -> None:
    checkpoint = client.get("/v1/checkpoint").json()
    size, root = checkpoint["size"], bytes.fromhex(checkpoint["root"])

    def served(tile: TileId, held: int) -> bytes:
        response = client.get("/v1/" + tiles.path(tile, held))
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/octet-stream"
        # The embedded chain settles each block at once.
        assert "immutable" in response.headers["cache-control"]
        return response.content

    held = read_all(size, served)
    with Workspace(registry.settings) as opened:
        exported = export_tiles(opened.engine, registry.folder / "tiles")
    assert exported.position.root == root
    bundle = registry.folder / "tiles" / tiles.path(TileId(0, 0), size).replace("/0/", "/entries/")
    entries = unbundled(bundle.read_bytes())
    require_whole_log(entries, size, root, held)


def unbundled(content: bytes) -> list[bytes]:
    """Entries of a C2SP bundle: each with its length in two bytes before it."""
    entries = []
    while content:
        length = int.from_bytes(content[:2], "big")
        entries.append(content[2 : 2 + length])
        content = content[2 + length :]
    return entries


def test_a_part_of_a_tile_is_its_beginning(client: httpx.Client) -> None:
    size = client.get("/v1/checkpoint").json()["size"]
    whole = client.get(f"/v1/tile/0/0.p/{size}").content
    assert client.get("/v1/tile/0/0.p/3").content == whole[:96]
    assert client.get("/v1/tile/0/000.p/3").content == whole[:96]
    assert client.get("/v1/tile/0/x000/000.p/3").content == whole[:96]


@pytest.mark.parametrize(
    "place",
    ["0/0", "0/1", "1/0", "8/0", "0/0.p/255", "0/0.p/0", "0/0.p/256", "0/99999999999999999"],
)
def test_a_tile_that_the_log_has_not_is_not_found(client: httpx.Client, place: str) -> None:
    response = client.get(f"/v1/tile/{place}")
    problem(response, 404, "not-found")


@pytest.mark.parametrize("place", ["0/x", "0/-1", "0/0.p/", "0/0.p/x", "0/0/0", "0/x1/000", "a/0"])
def test_what_names_no_tile_is_refused(client: httpx.Client, place: str) -> None:
    problem(client.get(f"/v1/tile/{place}"), 400, "input")


def test_a_served_receipt_verifies_from_a_block_hash_alone(
    client: httpx.Client, registry: SmallRegistry
) -> None:
    content = registry.files["finance-2020"].read_bytes()
    digest = sha256(content)
    response = client.get(f"/v1/documents/{digest.hex()}/receipt?chain_proof=true")
    assert response.status_code == 200, response.text
    assert "attachment" in response.headers["content-disposition"]
    receipt = read_receipt(response.content)
    trace = Trace()
    shown = check_against_block(receipt, receipt.block.hash, None, trace)
    verdict = check_file(shown, FileFacts(digest, len(content), content[:2]), TODAY, trace)
    assert verdict.standing is Standing.IN_FORCE
    assert verdict.leading is not None
    assert (verdict.leading.version, verdict.leading.versions) == (2, 2)


def test_a_receipt_without_a_chain_proof_is_small_and_has_none(
    client: httpx.Client, registry: SmallRegistry
) -> None:
    response = client.get(f"/v1/documents/{registry.sha256('finance-2020')}/receipt")
    assert read_receipt(response.content).state is None


def test_there_is_no_receipt_for_what_is_not_registered(client: httpx.Client) -> None:
    problem(client.get(f"/v1/documents/{'0' * 64}/receipt"), 404, "not-found")


def test_tiles_are_exported_once_and_brought_up_to_date(user: User, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    first = user.done("export", "tiles", folder, "--json").json
    assert first["written"] == first["files"] == 2
    assert user.done("export", "tiles", folder, "--json").json["written"] == 0
    for number in range(3):
        document = tmp_path / f"{number}.txt"
        document.write_text(f"Article {number}.")
        user.done(
            "publish", document, "--authority", "CN.GD", "--number", f"{number}",
            "--title-en", "A title",
        )  # fmt: skip
    assert user.done("export", "tiles", folder, "--json").json["written"] == 2
    origin, size, root, block = (folder / "checkpoint").read_text().splitlines()
    position = user.done("sync", "--json").json["registry"]
    assert origin == position["contract"]
    assert (int(size), base64.b64decode(root).hex()) == tuple(position["log"].values())
    assert block == f"block {position['block']['number']} {position['block']['hash']}"
    held = (folder / tiles.path(TileId(0, 0), int(size))).read_bytes()
    entries = unbundled((folder / "tile" / "entries" / f"000.p/{size}").read_bytes())
    require_whole_log(entries, int(size), base64.b64decode(root), {TileId(0, 0): held})


def test_another_logs_tiles_are_left_alone(user: User, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    folder.mkdir()
    (folder / "checkpoint").write_text("example.org/log\n5\nAAAA\n")
    refused = user("export", "tiles", folder)
    assert refused.code == 2
    assert "another log" in refused.err
    assert [each.name for each in folder.iterdir()] == ["checkpoint"]


def test_the_note_of_a_checkpoint_is_c2sp(registry: SmallRegistry) -> None:
    with Workspace(registry.settings) as opened:
        exported = export_tiles(opened.engine, registry.folder / "more-tiles")
    lines = checkpoint_note(exported.position).split("\n")
    assert lines[0].startswith("eip155:")
    assert lines[1].isdecimal()
    assert len(base64.b64decode(lines[2])) == 32
    assert lines[-1] == ""
