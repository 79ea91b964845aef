"""docs/registrar.md: what it shows of signing and relaying is run as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import orjson
from eth_account import Account

from registry.chain.keystore import write_private
from registry.config import settings_from
from tests.conftest import ROOT
from tests.integration.command_line import User
from tests.integration.test_operations_page import ASK

PAGE = (ROOT / "docs" / "registrar.md").read_text("utf-8")
KEYS, SIGNED, TEXTS = (
    re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)[0]
    for title in ("Keys", "Signed here, sent there", "What documents say")
)
KIT, SIGN, RELAY, SERVE, HAND_IN = re.findall(r"^```sh\n(.*?)^```", SIGNED, re.M | re.S)
KEY = bytes.fromhex("c0ffee06" * 8)
PORT = "18739"


def shell(text: str, user: User, **more: str) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("POLREG_")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "POLREG_HOME": str(user.home),
        "PYTHONPATH": str(ROOT),
        **more,
    }
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text.replace("8000", PORT)],
        cwd=user.home.parent, env=environment, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_an_act_is_signed_and_relayed_as_the_page_says(user: User) -> None:
    folder = user.home.parent
    account = Account.from_key(KEY)
    user.done("authority", "appoint", "CN.GD", account.address)
    encrypted = Account.encrypt(KEY, "a password", kdf="scrypt", iterations=2)
    write_private(folder / "registrar.json", orjson.dumps(encrypted))
    write_private(folder / "registrar.password", b"a password\n")
    (folder / "notice.md").write_text("Article 1.", "utf-8")
    shell(KIT, user)
    assert account.address in shell(SIGN, user, POLREG_HOME=str(folder / "without a network"))
    said = shell(RELAY, user)
    assert f"registrar    {account.address}" in said
    assert "exact: as published" in said
    serving = (
        SERVE.replace("polreg serve", f"polreg serve --port {PORT}").rstrip() + " & serving=$!\n"
    )
    wait = f"{sys.executable} -c '{ASK}' http://127.0.0.1:{PORT}/readyz\n"
    answer = shell(f"{serving}{wait}{HAND_IN}\nkill $serving\n", user)
    # It was relayed already, by the command: the same database knows it.
    assert '"stage":"' in answer
    assert account.address in answer


def test_what_documents_say_is_registered_as_the_page_says(user: User) -> None:
    folder = user.home.parent
    (folder / "law.md").write_text("第一条 水归国家所有。\n\n第二条 节约用水。\n", "utf-8")
    (folder / "law-2.md").write_text("第一条 水归国家所有。\n\n第二条 少用水。\n", "utf-8")
    (folder / "budget.md").write_text("Article 1. The budget is 5 million.\n", "utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", TEXTS, re.M | re.S)
    *before, rebuilding, salted = blocks
    for block in before:
        shell(block, user)
    # Its clauses are here already, as the last line of the block would find.
    shell(rebuilding.replace("polreg text rebuild law.md\n", ""), user)
    for path in user.home.glob("mirror-*"):
        path.unlink()
    user.done("sync")
    assert "1 lists of clauses are here again" in shell("polreg text rebuild law.md", user)
    assert str(user.home / "salts") in shell(salted, user)


def test_every_setting_that_the_page_names_is_one(tmp_path: Path) -> None:
    names = set(re.findall(r"POLREG_\w+", KEYS + TEXTS))
    assert {"POLREG_SIGNER_URL", "POLREG_KMS_KEY", "POLREG_KEYSTORE"} <= names
    source = (ROOT / "registry" / "config.py").read_text("utf-8")
    assert [name for name in names if f"{name} " not in source] == []
    settings_from({"POLREG_HOME": str(tmp_path), **dict.fromkeys(names, "1")})
