"""The committed artifact is what the sources compile to, and nothing of this machine is in it."""

from __future__ import annotations

import json

import pytest

from scripts.compile import (
    ARTIFACT,
    EIP170_LIMIT,
    ROOT,
    SETTINGS,
    SOLC_VERSION,
    compile_artifact,
    main,
)

MANIFEST = json.loads((ROOT / "package.json").read_bytes())


@pytest.fixture(scope="module")
def artifact() -> dict[str, object]:
    loaded: dict[str, object] = json.loads(ARTIFACT.read_bytes())
    return loaded


@pytest.fixture(scope="module")
def recompiled() -> bytes:
    return compile_artifact()


def test_recompiling_gives_the_same_bytes(recompiled: bytes) -> None:
    assert recompiled == ARTIFACT.read_bytes()


@pytest.mark.parametrize(("extra", "status"), [(b"", 0), (b" ", 1)])
def test_the_check_command_says_so(
    recompiled: bytes, monkeypatch: pytest.MonkeyPatch, extra: bytes, status: int
) -> None:
    monkeypatch.setattr("scripts.compile.compile_artifact", lambda: recompiled + extra)
    monkeypatch.setattr("sys.argv", ["compile.py", "--check"])
    assert main() == status


def test_the_compiler_is_the_pinned_one(artifact: dict[str, object]) -> None:
    assert MANIFEST["devDependencies"]["solc"] == SOLC_VERSION
    assert artifact["compiler"] == {"name": "solc", "settings": SETTINGS, "version": SOLC_VERSION}


def test_it_names_no_place_of_the_machine_that_made_it() -> None:
    assert str(ROOT).encode() not in ARTIFACT.read_bytes()


def test_the_contract_may_be_deployed(artifact: dict[str, object]) -> None:
    code = artifact["deployedBytecode"]
    assert isinstance(code, str)
    assert len(bytes.fromhex(code.removeprefix("0x"))) <= EIP170_LIMIT


def test_the_slots_that_receipts_prove_stay_where_they_are(artifact: dict[str, object]) -> None:
    layout = artifact["storageLayout"]
    assert isinstance(layout, list)
    first = [(variable["slot"], variable["label"], variable["type"]) for variable in layout[:4]]
    nested = "mapping(bytes32 => mapping(bytes32 => struct IPolicyRegistry.{}))"
    assert first == [
        (0, "_log", "struct PolicyLog.LogState"),
        (1, "_peaks", "bytes32[64]"),
        (65, "_policies", nested.format("PolicyState")),
        (66, "_acts", nested.format("ActState")),
    ]


def test_no_lock_file_names_a_registry() -> None:
    for lock in (ROOT / "package-lock.json", ROOT / "scripts" / "bench" / "package-lock.json"):
        assert "://" not in _without_funding(json.loads(lock.read_bytes()))


def _without_funding(lock: dict[str, dict[str, dict[str, object]]]) -> str:
    """The lock as text, but for the pages on which packages ask for support."""
    return json.dumps([{**package, "funding": None} for package in lock["packages"].values()])
