"""Compile the contracts into the artifact that the Python package carries.

    python scripts/compile.py            writes registry/chain/artifacts/PolicyRegistry.json
    python scripts/compile.py --check    recompiles and compares byte for byte

The artifact depends on nothing but the sources, the compiler's version and the settings
below: sources are named as they are imported, and no metadata is appended to the bytecode.
`npm ci` must have installed OpenZeppelin and, unless a native compiler of exactly the right
version is on PATH, solc. Does not fetch a compiler.
"""

from __future__ import annotations

import argparse
import json
import posixpath
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import solcx

ROOT = Path(__file__).resolve().parent.parent
ARTIFACT = ROOT / "registry" / "chain" / "artifacts" / "PolicyRegistry.json"
SOURCE = "contracts/PolicyRegistry.sol"
CONTRACT = "PolicyRegistry"
SOLC_VERSION = "0.8.37"
SETTINGS: dict[str, Any] = {
    "evmVersion": "prague",
    "viaIR": True,
    "optimizer": {"enabled": True, "runs": 10_000},
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
}
OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode", "storageLayout"]
EIP170_LIMIT = 24_576

_IMPORT = re.compile(r'^\s*import\s[^;]*?"([^"]+)"\s*;', re.MULTILINE)


class CompileError(Exception):
    """The contracts did not compile, or a part of the toolchain is missing."""


def compiler() -> Path:
    """The native compiler of the pinned version, else the npm package's."""
    native = shutil.which("solc")
    if native is not None:
        version = solcx.wrapper.get_solc_version(native)
        if str(version) == SOLC_VERSION:
            return Path(native)
    if not (ROOT / "node_modules" / "solc").is_dir():
        raise CompileError(f"no solc {SOLC_VERSION} on PATH and none in node_modules: run npm ci")
    return ROOT / "scripts" / "solcjs"


def collect_sources(entry: str) -> dict[str, dict[str, str]]:
    """`entry` and all that it imports, by import name."""
    sources: dict[str, dict[str, str]] = {}
    pending = [entry]
    while pending:
        name = pending.pop()
        if name in sources:
            continue
        base = ROOT / "node_modules" if name.startswith("@") else ROOT
        try:
            content = (base / name).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise CompileError(f"{name} is missing: run npm ci") from error
        sources[name] = {"content": content}
        for target in _IMPORT.findall(content):
            relative = target.startswith(".")
            pending.append(
                posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
                if relative
                else target
            )
    return dict(sorted(sources.items()))


def compile_artifact() -> bytes:
    """The artifact's bytes.

    Raises CompileError for any error or warning: a warning that is right is to be fixed.
    """
    request = {
        "language": "Solidity",
        "sources": collect_sources(SOURCE),
        "settings": {**SETTINGS, "outputSelection": {SOURCE: {CONTRACT: OUTPUTS}}},
    }
    try:
        output = solcx.compile_standard(request, solc_binary=compiler())
    except solcx.exceptions.SolcError as error:
        raise CompileError(error.message) from error
    problems = [error["formattedMessage"] for error in output.get("errors", [])]
    if problems:
        raise CompileError("\n".join(problems))
    compiled = output["contracts"][SOURCE][CONTRACT]
    deployed = compiled["evm"]["deployedBytecode"]
    size = len(deployed["object"]) // 2
    if size > EIP170_LIMIT:
        raise CompileError(f"{CONTRACT} is {size} bytes, more than EIP-170's {EIP170_LIMIT}")
    artifact = {
        "contractName": CONTRACT,
        "sourceName": SOURCE,
        "compiler": {"name": "solc", "version": SOLC_VERSION, "settings": SETTINGS},
        "abi": compiled["abi"],
        "bytecode": "0x" + compiled["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutableReferences": sorted(
            (place for places in deployed["immutableReferences"].values() for place in places),
            key=lambda place: place["start"],
        ),
        "storageLayout": storage_layout(compiled["storageLayout"]),
    }
    return (json.dumps(artifact, indent=2, sort_keys=True) + "\n").encode()


def storage_layout(layout: dict[str, Any]) -> list[dict[str, Any]]:
    """Each variable's name, slot, byte offset and type, without the compiler's internal ids."""
    return [
        {
            "label": variable["label"],
            "slot": int(variable["slot"]),
            "offset": variable["offset"],
            "type": layout["types"][variable["type"]]["label"],
        }
        for variable in layout["storage"]
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Compile the contracts into the committed artifact."
    )
    parser.add_argument(
        "--check", action="store_true", help="compare with the committed artifact and write nothing"
    )
    arguments = parser.parse_args()
    try:
        artifact = compile_artifact()
    except CompileError as error:
        print(error, file=sys.stderr)
        return 1
    name = ARTIFACT.relative_to(ROOT)
    if not arguments.check:
        ARTIFACT.parent.mkdir(parents=True, exist_ok=True)
        ARTIFACT.write_bytes(artifact)
        print(f"wrote {name}")
        return 0
    if not ARTIFACT.is_file() or ARTIFACT.read_bytes() != artifact:
        print(f"{name} is not what the sources compile to: run scripts/compile.py", file=sys.stderr)
        return 1
    print(f"{name} is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
