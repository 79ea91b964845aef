"""The page names who issues a document together, and warns of a key that was reported."""

from __future__ import annotations

from pathlib import Path

from selenium import webdriver

from registry.config import settings_from
from tests.browser.test_page import Page, chromium
from tests.integration.api_registry import running
from tests.integration.command_line import User

__all__ = ["chromium"]


def test_the_page_warns_of_a_reported_key_and_names_all_who_issue(
    chromium: webdriver.Chrome, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    user = User(home, {})
    user.done("init")
    for code in ("CN.GD", "CN.GX", "CN.YN"):
        user.done("authority", "open", code, "--parents")
    file = tmp_path / "joint.txt"
    file.write_text("Joint measures\n", encoding="utf-8")
    words = ("--authority", "CN.GD", "--number", "1", "--title-en", "Joint")
    user.done("publish", file, *words, "--joint", "CN.GX", "--joint", "CN.YN")
    user.done("endorse", "CN.GD", "1", "--as", "CN.GX")
    with running(settings_from({"POLREG_HOME": str(home)})) as client:
        page = Page(chromium, str(client.base_url))
        (card,) = page.choose(file)
        assert "result good" in str(card.get_attribute("class"))
        assert "CN.GD: leads; CN.GX: endorsed; CN.YN: not endorsed yet" in card.text
        page.errors()
    grants = user.done("authority", "show", "CN.GD", "--json").json["authority"]["grants"]
    key = grants[0]["account"]
    user.done("authority", "compromised", "CN.GD", key, "--since", "2024-07-01")
    with running(settings_from({"POLREG_HOME": str(home)})) as client:
        page = Page(chromium, str(client.base_url))
        (card,) = page.choose(file)
        assert "result warn" in str(card.get_attribute("class"))
        assert ", by a key reported compromised" in card.text
        assert f"recorded by {key}, reported compromised since 2024-07-01T00:00:00Z" in card.text
        assert page.errors() == []
