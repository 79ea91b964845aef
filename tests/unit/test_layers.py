"""Imports point one way: core ← chain, mirror ← services ← cli, api.

What an import statement says anywhere in a file counts, inside functions too. Imports
under TYPE_CHECKING load nothing; they may name the types of chain and mirror.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# For each layer, what of this project it may import. A layer is the longest prefix.
MAY_IMPORT = {
    "registry": set(),
    "registry.__main__": {"registry.cli"},
    "registry.errors": set(),
    "registry.config": {"registry.errors"},
    "registry.networks": {"registry.errors"},
    "registry.core": {"registry.core", "registry.errors"},
    "registry.chain": {"registry.chain", "registry.core", "registry.errors"},
    "registry.mirror": {"registry.mirror", "registry.core", "registry.errors"},
    "registry.extraction": {"registry.extraction", "registry.core", "registry.errors"},
    "registry.fetching": {"registry.errors"},
    "registry.demo": {"registry.demo", "registry.core", "registry.errors"},
    "registry.services": {
        "registry.services",
        "registry.chain",
        "registry.mirror",
        "registry.extraction",
        "registry.fetching",
        "registry.demo",
        "registry.core",
        "registry.config",
        "registry.networks",
        "registry.errors",
    },
    "registry.cli": {
        "registry.cli",
        "registry.services",
        "registry.core",
        "registry.config",
        "registry.networks",
        "registry.errors",
        # values only: how an account is written, and the filter of a list
        "registry.chain.addresses",
        "registry.mirror.listing",
    },
    "api": {
        "api",
        "registry.services",
        "registry.core",
        "registry.config",
        "registry.errors",
        "registry.mirror.listing",
    },
}
TYPES_ONLY = {"registry.cli": {"registry.chain"}, "api": {"registry.chain", "registry.mirror"}}

# Arrows against the rule that stand today, each to be removed or made a rule.
# The test fails when one of them is gone, so that this list never overstates.
DEBTS: set[tuple[str, str]] = set()

# Packages that belong to one layer.
OWNERS = {
    "registry.chain": {
        "ckzg", "coincurve", "eth", "eth_abi", "eth_account", "eth_bloom", "eth_hash",
        "eth_keyfile", "eth_keys", "eth_rlp", "eth_tester", "eth_typing", "eth_utils",
        "boto3", "botocore", "hexbytes", "rlp", "stamina", "trie", "urllib3", "web3", "websockets",
    },
    "registry.extraction": {
        "charset_normalizer", "docx", "lxml", "markdown_it", "pypdfium2", "pypdfium2_raw",
        "selectolax",
    },
    "registry.mirror": {"alembic", "psycopg", "sqlalchemy"},
    "registry.cli": {"click", "rich", "structlog", "typer"},
    "registry.config": {"platformdirs"},
    "registry.services": {"fsspec", "prometheus_client"},
    "api": {"fastapi", "multipart", "pydantic", "python_multipart", "starlette", "uvicorn"},
}  # fmt: skip
SHARED = {("registry.fetching", "urllib3")}
NOBODYS = {"aiohttp", "httpx", "requests", "pytest", "hypothesis", "tests"}

# What decides nothing about the world outside: no files, sockets, clocks, processes.
PURE = {
    "__future__", "abc", "base64", "bisect", "collections", "csv", "dataclasses", "datetime",
    "difflib", "enum", "functools", "hashlib", "html", "io", "itertools", "json", "math",
    "operator", "re", "string", "struct", "typing", "unicodedata", "unicodedata2", "orjson",
    "rfc8785",
}  # fmt: skip
IMPURE_CALLS = {
    "open",
    "print",
    "input",
    "exec",
    "eval",
    "breakpoint",
    "exit",
    "quit",
    "__import__",
}
IMPURE_NAMES = {("io", "open"), ("io", "FileIO"), ("hashlib", "file_digest")}
CLOCKS = {"now", "utcnow", "today"}


@dataclass(frozen=True)
class Import:
    file: str
    line: int
    module: str
    names: tuple[str, ...]
    typing_only: bool
    in_function: bool


@cache
def imports(file: str, source: str) -> tuple[Import, ...]:
    """Every import of a file; `from package import module` names the module too."""

    def walk(node: ast.AST, typing_only: bool, in_function: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for each in node.names:
                yield Import(file, node.lineno, each.name, (), typing_only, in_function)
            return
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: a relative import"
            module, names = str(node.module), tuple(each.name for each in node.names)
            submodules = [name for name in names if is_module(f"{module}.{name}")]
            for name in submodules:
                yield Import(file, node.lineno, f"{module}.{name}", (), typing_only, in_function)
            rest = tuple(name for name in names if name not in submodules)
            if rest:
                yield Import(file, node.lineno, module, rest, typing_only, in_function)
            return
        in_function |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for name, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    only = typing_only or (checking and name == "body")
                    yield from walk(child, only, in_function)

    return tuple(walk(ast.parse(source), False, False))


@cache
def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()


def within(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


def layer_of(file: str) -> str:
    module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return max((each for each in MAY_IMPORT if within(module, each)), key=len)


def problem(found: Import) -> str | None:
    """What is wrong with an import, or None."""
    layer, package = layer_of(found.file), found.module.partition(".")[0]
    if package in {"registry", "api"}:
        allowed = set(MAY_IMPORT[layer])
        if found.typing_only:
            allowed |= TYPES_ONLY.get(layer, set())
        if any(within(found.module, each) for each in allowed):
            return None
        if layer == "registry.cli" and found.module == "api":
            served = found.in_function and found.names == ("serve",)
            return None if served else "the command line imports api only to serve"
        return f"{layer} does not import {found.module}"
    if layer == "registry.core" and package not in PURE:
        return f"the core is pure and does not import {found.module}"
    owner = next((each for each, owned in OWNERS.items() if package in owned), layer)
    if owner != layer and (layer, package) not in SHARED:
        return f"only {owner} imports {package}"
    return f"nothing imports {package}" if package in NOBODYS else None


def sources(*folders: str) -> list[tuple[str, str]]:
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]


def test_no_import_points_the_other_way() -> None:
    found = [each for file, source in sources("registry", "api") for each in imports(file, source)]
    assert {layer_of(each.file) for each in found} >= set(MAY_IMPORT) - {
        "registry",
        "registry.errors",
    }
    wrong = {
        (each.file, each.module): f"{each.file}:{each.line}: {why}"
        for each in found
        if (why := problem(each))
    }
    assert [text for key, text in wrong.items() if key not in DEBTS] == []
    assert sorted(DEBTS - wrong.keys()) == [], "no longer a debt: take it off the list"


def test_only_chain_knows_ethereum_libraries_and_only_mirror_sql() -> None:
    """Said once more by name, since the design says it by name."""
    for file, source in sources("registry", "api", "scripts"):
        packages = {each.module.partition(".")[0] for each in imports(file, source)}
        if not file.startswith(("registry/chain/", "scripts/")):
            assert not packages & {"web3", "eth_account", "eth_abi", "eth_hash"}, file
        if not file.startswith(("registry/mirror/", "scripts/")):
            assert not packages & {"sqlalchemy", "alembic"}, file


def test_the_core_reads_no_file_and_no_clock() -> None:
    for file, source in sources("registry/core"):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Name):
                assert node.id not in IMPURE_CALLS, f"{file}:{node.lineno}: {node.id}"
            if isinstance(node, ast.Attribute):
                assert node.attr not in CLOCKS, f"{file}:{node.lineno}: {node.attr}"
                if isinstance(node.value, ast.Name):
                    used = node.value.id, node.attr
                    assert used not in IMPURE_NAMES, f"{file}:{node.lineno}: {used}"


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("registry/core/x.py", "import os"),
        ("registry/core/x.py", "from pathlib import Path"),
        ("registry/core/x.py", "import time"),
        ("registry/core/x.py", "def f():\n    import urllib.request"),
        ("registry/core/x.py", "from registry.mirror import schema"),
        ("registry/core/x.py", "from registry import config"),
        ("registry/core/x.py", "from registry.config import Settings"),
        ("registry/errors.py", "from registry.core import digest"),
        ("registry/config.py", "from registry.core.digest import sha256"),
        ("registry/chain/x.py", "from registry.mirror.store import append"),
        ("registry/chain/x.py", "from registry.config import Settings"),
        ("registry/mirror/x.py", "def f():\n    from registry.chain.client import Client"),
        ("registry/mirror/x.py", "import eth_hash.auto"),
        ("registry/demo/x.py", "from registry.services import publish"),
        ("registry/services/x.py", "from registry.cli import common"),
        ("registry/services/x.py", "if TYPE_CHECKING:\n    from api import models"),
        ("registry/services/x.py", "from sqlalchemy import select"),
        ("registry/services/x.py", "import httpx"),
        ("registry/services/x.py", "from lxml import etree"),
        ("registry/extraction/x.py", "from registry.services import verify"),
        ("registry/mirror/x.py", "from registry.extraction.reader import TextReader"),
        ("registry/cli/x.py", "from registry.extraction.reader import TextReader"),
        ("registry/cli/x.py", "from registry.chain.client import Client"),
        ("registry/cli/x.py", "if TYPE_CHECKING:\n    pass\nelse:\n    import registry.chain.rpc"),
        ("registry/cli/x.py", "from api import serve"),
        ("registry/cli/x.py", "def f():\n    from api.app import create_app"),
        ("api/x.py", "from registry.cli.common import Json"),
        ("api/x.py", "from registry.chain.client import Client"),
        ("api/x.py", "import sqlalchemy.orm"),
    ],
)
def test_a_wrong_arrow_is_seen(file: str, source: str) -> None:
    assert [each for each in imports(file, source) if problem(each)]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("registry/core/x.py", "import hashlib, io\nfrom registry.errors import InputError"),
        ("registry/cli/x.py", "if TYPE_CHECKING:\n    from registry.chain.sender import Receipt"),
        ("registry/cli/x.py", "def serve():\n    from api import serve"),
        ("registry/services/x.py", "from registry.mirror.engine import Engine"),
        ("registry/services/x.py", "from registry.chain.client import Client"),
    ],
)
def test_a_right_arrow_is_let_through(file: str, source: str) -> None:
    assert [problem(each) for each in imports(file, source) if problem(each)] == []


HEAVY = ("web3", "eth_account", "eth_abi", "eth_tester", "eth", "fastapi", "httpx", "requests")


def loaded_by(program: str) -> set[str]:
    """The modules that a fresh interpreter holds after running `program`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return set(done.stdout.split())


def test_verifying_loads_neither_chain_nor_server() -> None:
    core = [file for file, _ in sources("registry/core")]
    modules = [
        file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for file in core
    ]
    program = "import " + ", ".join(
        [*modules, "registry.services.verify", "registry.mirror.queries", "registry.mirror.listing"]
    )
    loaded = loaded_by(program)
    assert set(modules) <= loaded
    assert not loaded & {*HEAVY, "sqlalchemy.orm", "alembic", "registry.chain"}


def test_the_core_alone_loads_no_database_and_no_network() -> None:
    core = [file.removesuffix(".py").replace("/", ".") for file, _ in sources("registry/core")]
    program = "import " + ", ".join(each for each in core if "__init__" not in each)
    assert not loaded_by(program) & {*HEAVY, "sqlalchemy", "sqlite3", "socket", "ssl", "urllib3"}


def test_the_command_line_starts_without_what_a_command_may_need() -> None:
    loaded = loaded_by("from registry.cli.app import build; build()")
    assert not loaded & {*HEAVY, "sqlalchemy", "alembic", "eth_hash", "urllib3", "rich.progress"}
    assert not loaded & OWNERS["registry.extraction"]


def test_the_reader_of_texts_loads_what_reads_a_format_in_its_worker_alone() -> None:
    loaded = loaded_by("from registry.extraction.reader import TextReader")
    assert "registry.extraction.reader" in loaded
    assert not loaded & {*HEAVY, *OWNERS["registry.extraction"], "registry.extraction.extract"}
