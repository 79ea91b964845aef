"""Checking with a receipt, in a real browser: the verdict, the step that fails, no answer.

The page's own network is switched off while it verifies: nothing is needed, nothing is sent.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.test_page import Page, chromium, client
from tests.integration.api_registry import FINANCE, FINANCE_TITLE, SmallRegistry, registry
from tests.integration.command_line import User

__all__ = ["chromium", "client", "registry"]

ANOTHER_HASH = "0x" + "12" * 32


@dataclass(frozen=True)
class Held:
    """A receipt, and what its holder knows from elsewhere."""

    path: Path
    block_hash: str
    contract: str


@pytest.fixture(scope="module")
def receipts(registry: SmallRegistry, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Held]:
    folder = tmp_path_factory.mktemp("receipts")
    user = User(registry.settings.home, {})
    made = {}
    for name, options in (
        ("finance-2020", ["--chain-proof"]),
        ("suspended", ["--chain-proof"]),
        ("short", []),
    ):
        file = registry.files.get(name, registry.files["repealed"])
        path = folder / f"{name}.json"
        user.done("prove", file, *options, "-o", path)
        content = json.loads(path.read_bytes())
        made[name] = Held(path, content["checkpoint"]["block"]["hash"], content["contract"])
    return made


class Section:
    """The section "Check with a receipt", as a person uses it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def fill(self, file: Path, receipt: Path, block_hash: str, contract: str = "") -> None:
        self.page.one("#receipt-document").send_keys(str(file.resolve()))
        self.page.one("#receipt-file").send_keys(str(receipt.resolve()))
        for selector, text in (("#block-hash", block_hash), ("#contract", contract)):
            self.page.one(selector).clear()
            self.page.one(selector).send_keys(text)

    def verify(self) -> WebElement:
        self.page.one("#receipt-form button").click()
        finished = "#receipt-result .result[aria-busy='false']"
        self.page.wait(lambda: self.page.all(finished))
        return self.page.one(finished)


def step(result: WebElement) -> str | None:
    return result.get_dom_attribute("data-step")


def address(held: Held) -> str:
    return held.contract.rpartition(":")[2]


def tone(result: WebElement) -> str:
    return (result.get_dom_attribute("class") or "").split()[-1]


@pytest.fixture
def page(chromium: webdriver.Chrome, client: httpx.Client) -> Iterator[Page]:
    """The page, loaded; then its network is gone."""
    opened = Page(chromium, str(client.base_url))
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    chromium.execute_cdp_cmd("Network.enable", {})
    chromium.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    try:
        yield opened
    finally:
        online = {**offline, "offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
        chromium.execute_cdp_cmd("Network.emulateNetworkConditions", online)
    assert opened.errors() == []


@pytest.fixture
def section(page: Page) -> Section:
    return Section(page)


def test_a_registered_document_is_verified(
    section: Section, registry: SmallRegistry, receipts: dict[str, Held]
) -> None:
    held = receipts["finance-2020"]
    section.fill(registry.files["finance-2020"], held.path, held.block_hash)
    result = section.verify()
    assert (step(result), tone(result)) == ("none", "good")
    for words in (
        "Authentic, and in force",
        "version 2 of 2",
        *FINANCE,
        *FINANCE_TITLE.values(),
        address(held),
        "Compare it with the one that the authority published",
        held.block_hash,
        "Later blocks may hold later acts",
    ):
        assert words in result.text
    section.page.screenshot("receipt-verified")
    result.find_element(By.TAG_NAME, "summary").click()
    assert len(result.find_elements(By.TAG_NAME, "li")) == 12


def test_the_contract_that_was_given_is_compared(
    section: Section, registry: SmallRegistry, receipts: dict[str, Held]
) -> None:
    held = receipts["finance-2020"]
    file = registry.files["finance-2020"]
    section.fill(file, held.path, held.block_hash, held.contract)
    assert "the contract that you gave" in section.verify().text
    section.fill(file, held.path, held.block_hash, "0x" + "1" * 40)
    result = section.verify()
    assert (step(result), tone(result)) == ("2", "bad")
    assert "it shows nothing about the one you named" in result.text.lower()
    assert "This is not the contract that you gave" in result.text
    assert address(held) in result.text


def changed(held: Held, folder: Path, change: Callable[[list[Any]], object]) -> Path:
    """The receipt with its entries changed."""
    content = json.loads(held.path.read_bytes())
    change(content["entries"])
    path = folder / "changed.json"
    path.write_text(json.dumps(content), "utf-8")
    return path


def test_a_last_day_that_is_not_shown_can_not_be_told(
    section: Section, registry: SmallRegistry, receipts: dict[str, Held], tmp_path: Path
) -> None:
    held = receipts["finance-2020"]
    receipt = changed(held, tmp_path, lambda entries: entries[-1].update(manifest=None))
    section.fill(registry.files["finance-2020"], receipt, held.block_hash)
    result = section.verify()
    assert (step(result), tone(result)) == ("none", "apart")
    assert "could not be told" in result.text
    assert "ask for a receipt with it" in result.text
    assert address(held) in result.text
    section.page.screenshot("receipt-could-not-be-told")


def test_with_later_acts_there_is_no_standing(
    section: Section, registry: SmallRegistry, receipts: dict[str, Held], tmp_path: Path
) -> None:
    held = receipts["finance-2020"]
    receipt = changed(held, tmp_path, lambda entries: entries.pop())
    section.fill(registry.files["finance-2017"], receipt, held.block_hash)
    result = section.verify()
    assert (step(result), tone(result)) == ("none", "warn")
    assert "older than the policy's latest act" in result.text
    assert "1, which this receipt does not show" in result.text


@pytest.mark.parametrize(("name", "words"), [
    ("finance-2017", "not the document that applies"), ("suspended", "suspended"),
])  # fmt: skip
def test_an_authentic_document_that_does_not_apply(
    section: Section, registry: SmallRegistry, receipts: dict[str, Held], name: str, words: str
) -> None:
    held = receipts["finance-2020" if name == "finance-2017" else name]
    section.fill(registry.files[name], held.path, held.block_hash)
    result = section.verify()
    assert (step(result), tone(result)) == ("none", "warn")
    assert words in result.text


def test_an_altered_document_fails_at_the_last_step(
    section: Section, registry: SmallRegistry, receipts: dict[str, Held], tmp_path: Path
) -> None:
    held = receipts["finance-2020"]
    altered = tmp_path / "altered.txt"
    altered.write_bytes(registry.files["finance-2020"].read_bytes() + b" ")
    section.fill(altered, held.path, held.block_hash)
    result = section.verify()
    assert (step(result), tone(result)) == ("11", "bad")
    assert "Not verified: step 11 fails" in result.text
    assert "even one byte" in result.text
    assert address(held) in result.text
    assert len(result.find_elements(By.TAG_NAME, "li")) == 11
    section.page.screenshot("receipt-altered")


def test_another_block_s_hash_fails_at_step_3(
    section: Section, registry: SmallRegistry, receipts: dict[str, Held]
) -> None:
    section.fill(registry.files["finance-2020"], receipts["finance-2020"].path, ANOTHER_HASH)
    result = section.verify()
    assert (step(result), tone(result)) == ("3", "bad")


def test_a_tampered_receipt_fails_at_its_step(
    section: Section, registry: SmallRegistry, receipts: dict[str, Held], tmp_path: Path
) -> None:
    held = receipts["finance-2020"]
    content: dict[str, Any] = json.loads(held.path.read_bytes())
    entry = content["entries"][0]["entry"]
    content["entries"][0]["entry"] = entry[:-1] + ("0" if entry[-1] != "0" else "1")
    tampered = tmp_path / "tampered.json"
    tampered.write_text(json.dumps(content), "utf-8")
    section.fill(registry.files["finance-2020"], tampered, held.block_hash)
    assert step(section.verify()) == "7"


def test_what_can_not_be_checked_never_looks_like_no(
    section: Section, registry: SmallRegistry, receipts: dict[str, Held]
) -> None:
    short, file = receipts["short"], registry.files["repealed"]
    for block_hash in (short.block_hash, "0x12"):
        section.fill(file, short.path, block_hash)
        result = section.verify()
        assert (step(result), tone(result)) == ("could-not-check", "apart")
        assert "says nothing about the file" in result.text
        assert address(short) in result.text
    section.page.screenshot("receipt-could-not-check")


def test_the_receipt_says_which_block_to_look_up_and_not_its_hash(
    section: Section, registry: SmallRegistry, receipts: dict[str, Held]
) -> None:
    held = receipts["finance-2020"]
    section.fill(registry.files["finance-2020"], held.path, "")
    names = section.page.one("#receipt-names")
    block = json.loads(held.path.read_bytes())["checkpoint"]["block"]
    section.page.wait(lambda: f"block {block['number']} of chain" in names.text)
    assert held.block_hash not in section.page.one("main").text
    section.page.one("#receipt-form button").click()
    assert "all needed" in section.page.one("#receipt-result").text
    section.page.one("#receipt-file").send_keys(str(registry.files["repealed"].resolve()))
    section.page.wait(lambda: "no receipt" in names.text)


def test_both_files_dropped_find_their_places(
    section: Section, registry: SmallRegistry, receipts: dict[str, Held]
) -> None:
    held = receipts["finance-2020"]
    section.page.driver.execute_script(
        """const held = new DataTransfer();
        for (const [name, text] of arguments[0]) held.items.add(new File([text], name));
        const drop = document.getElementById("receipt-drop");
        for (const kind of ["dragover", "drop"]) drop.dispatchEvent(
          new DragEvent(kind, { dataTransfer: held, bubbles: true, cancelable: true }));""",
        [
            ("receipt.txt", held.path.read_text("utf-8")),
            ("<b>law</b>.json", registry.files["finance-2020"].read_text("utf-8")),
        ],
    )
    section.page.wait(lambda: section.page.one("#receipt-names").is_displayed())
    section.page.one("#block-hash").send_keys(held.block_hash)
    result = section.verify()
    assert step(result) == "none"
    assert "<b>law</b>.json" in result.text
    assert section.page.all("#results .result") == []


@pytest.mark.parametrize("width", [320, 390])
def test_nothing_is_cut_off_at_phone_width(
    section: Section, registry: SmallRegistry, receipts: dict[str, Held], width: int
) -> None:
    driver = section.page.driver
    size = {"width": width, "height": 1600, "deviceScaleFactor": 1, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        held = receipts["finance-2020"]
        section.fill(registry.files["finance-2020"], held.path, held.block_hash)
        section.verify().find_element(By.TAG_NAME, "summary").click()
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
        section.page.screenshot(f"receipt-phone-{width}")
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize(
    ("name", "expected", "said"),
    [
        ("clause-good", "none", "Clauses shown\n第一条"),
        ("clause-of-a-member-good", "none", "These are clauses of a member of a collection"),
        ("clause-text-altered", "13", "step 13 fails"),
        ("clause-file-altered", "11", "step 11 fails"),
    ],
)
def test_a_clause_is_verified_without_the_rest(
    section: Section, tmp_path: Path, name: str, expected: str, said: str
) -> None:
    vectors = Path(__file__).parents[1] / "vectors" / "receipts"
    vector = json.loads((vectors / f"{name}.json").read_bytes())
    file, receipt = tmp_path / "clause.txt", tmp_path / "receipt.json"
    file.write_bytes(base64.b64decode(vector["file_base64"]))
    receipt.write_text(vector["receipt"], "utf-8")
    section.fill(file, receipt, vector["block_hash"], vector["contract"])
    result = section.verify()
    assert step(result) == expected
    assert said in result.text
    section.page.screenshot(f"receipt-{name}")
