"""The page says in which clauses an altered file differs, and what changed between versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from registry.config import Settings
from tests.browser.test_page import Page, chromium
from tests.conftest import CORPUS
from tests.integration.api_registry import running
from tests.integration.command_line import User

__all__ = ["chromium"]

LAW = "北京市优化营商环境条例"
FIRST, SECOND = (CORPUS / f"cn/bj/{LAW}({day}).md" for day in ("2020-03-27", "2024-11-29"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    user = User(tmp_path_factory.mktemp("changes") / "home", {})
    user.done("init")
    user.done("authority", "open", "CN.BJ", "--parents", "--name-zh", "北京市")
    law = ("--authority", "CN.BJ", "--number", LAW, "--title-zh", LAW, "--keep-document")
    user.done("publish", FIRST, *law, "--issued", "2020-03-27")
    user.done("amend", SECOND, *law, "--issued", "2024-11-29")
    return user.home


@pytest.fixture
def page(chromium: webdriver.Chrome, home: Path) -> Iterator[Page]:
    with running(Settings(home=home)) as client:
        opened = Page(chromium, str(client.base_url))
        yield opened
        assert opened.errors() == []


def compared(page: Page, name: str, content: str) -> Any:
    """The result once somebody asked to compare what the file says."""
    result = page.drop(name, content)
    assert result.get_dom_attribute("data-match") == "unknown"
    result.find_element("css selector", ".offer button").click()
    page.wait(lambda: page.one(".result").get_dom_attribute("data-match") != "unknown")
    return page.one(".result")


def test_an_altered_copy_is_shown_with_what_was_altered(page: Page) -> None:
    text = SECOND.read_text("utf-8").replace("健全优化营商环境", "健全<b>劣</b>营商环境", 1)
    result = compared(page, "copy.md", text)
    assert result.get_dom_attribute("data-match") == "altered"
    assert LAW in result.text
    (clause,) = result.find_elements("css selector", ".changes li")
    assert "changed" in clause.text
    assert "优化" in clause.find_element("css selector", "del").text
    # What a document says is shown, and is no markup.
    assert not result.find_elements("css selector", "ins b")
    page.screenshot("altered")


def test_the_same_text_in_other_bytes_is_not_called_authentic(page: Page) -> None:
    result = compared(page, "copy.md", "\ufeff" + SECOND.read_text("utf-8"))
    assert result.get_dom_attribute("data-match") == "same_text"
    assert "Other bytes, the same text" in result.text
    assert "byte order mark: only here" in result.text
    assert "Authentic" not in result.text
    page.screenshot("same-text")


def test_what_changed_between_versions_is_there_to_open(page: Page) -> None:
    (result,) = page.choose(SECOND)
    result.find_element("css selector", ".versions summary").click()
    page.wait(lambda: result.find_elements("css selector", ".versions .changes li"))
    shown = result.find_element("css selector", ".versions").text
    assert "Version 1 (entry" in shown
    assert "第六条 to 第七条 are now 第七条 to 第八条 renumbered" in shown
    assert result.find_elements("css selector", ".versions ins")
    page.screenshot("what-changed")
    page.one("#text").send_keys("营商环境")
    page.one("#search button").click()
    page.wait(lambda: page.all("#found .versions"))
