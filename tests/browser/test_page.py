"""The web page in a real browser: Chromium, without a window.

Screenshots go to POLREG_SCREENSHOTS, where that is set.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.integration.api_registry import (
    FINANCE,
    FINANCE_TITLE,
    SmallRegistry,
    registry,
    running,
)

__all__ = ["registry"]

_SECONDS = 15


@pytest.fixture(scope="module")
def chromium() -> Iterator[webdriver.Chrome]:
    found = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in found:
        message = "chromium and chromedriver are needed to test the web page, and are not here"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--window-size=1000,900",
    ):
        options.add_argument(argument)
    options.binary_location = str(found[0])
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(found[1])))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def client(registry: SmallRegistry) -> Iterator[httpx.Client]:
    with running(registry.settings) as found:
        yield found


class Page:
    """What a person does on the page, and sees."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver = driver
        driver.get(url)
        self.wait(lambda: self.one("#context").text)

    def wait(self, condition: Any) -> Any:
        return WebDriverWait(self.driver, _SECONDS, 0.05).until(lambda _: condition())

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def choose(self, *paths: Path) -> list[WebElement]:
        """Choose files; returns their finished results, in order."""
        before = len(self.all(".result"))
        self.one("#files").send_keys("\n".join(str(path.resolve()) for path in paths))
        return self._finished(before + len(paths))[: len(paths)]

    def drop(self, name: str, content: str) -> WebElement:
        """Drop a file with this content on the page."""
        before = len(self.all(".result"))
        self.driver.execute_script(
            """const held = new DataTransfer();
            held.items.add(new File([arguments[1]], arguments[0]));
            for (const kind of ["dragover", "drop"]) document.getElementById("drop").dispatchEvent(
              new DragEvent(kind, { dataTransfer: held, bubbles: true, cancelable: true }));""",
            name,
            content,
        )
        return self._finished(before + 1)[0]

    def _finished(self, count: int) -> list[WebElement]:
        self.wait(lambda: len(self.all('.result[aria-busy="false"]')) == count)
        return self.all(".result")

    def errors(self) -> list[str]:
        return [each["message"] for each in self.driver.get_log("browser")]

    def run(self, script: str, *arguments: Any) -> Any:
        """What an async function's body returns."""
        wrapped = (
            "const done = arguments[arguments.length - 1];"
            f"(async (...given) => {{ {script} }})(...arguments)"
            ".then(done, (error) => done(String(error)));"
        )
        self.driver.set_script_timeout(120)
        return self.driver.execute_async_script(wrapped, *arguments)

    def screenshot(self, name: str) -> None:
        folder = os.environ.get("POLREG_SCREENSHOTS")
        if folder:
            self.driver.save_screenshot(str(Path(folder) / f"{name}.png"))


@pytest.fixture
def page(chromium: webdriver.Chrome, client: httpx.Client) -> Iterator[Page]:
    opened = Page(chromium, str(client.base_url))
    yield opened
    assert opened.errors() == []


def test_an_unaltered_file_is_in_force(page: Page, registry: SmallRegistry) -> None:
    (result,) = page.choose(registry.files["finance-2020"])
    assert (result.get_dom_attribute("data-match"), "good") == (
        "exact",
        result.get_dom_attribute("class").split()[-1],
    )
    for words in (
        "Authentic, and in force",
        "version 2 of 2",
        *FINANCE,
        *FINANCE_TITLE.values(),
        "深圳市人民政府",
        "finalized",
        "local development chain",
    ):
        assert words in result.text
    page.screenshot("in-force")


def test_what_was_checked_and_where_is_shown(
    page: Page, registry: SmallRegistry, client: httpx.Client
) -> None:
    (result,) = page.choose(registry.files["finance-2020"])
    result.find_element(By.TAG_NAME, "summary").click()
    place = client.get("/v1/checkpoint").json()["registry"]
    for words in (
        registry.sha256("finance-2020"),
        place["chain"],
        place["contract"].rpartition(":")[2],
        place["block"]["hash"],
        place["log"]["root"],
        "SHA-256 of the bytes",
    ):
        assert words in result.text


def test_an_answer_has_the_documents_receipt(
    page: Page, registry: SmallRegistry, client: httpx.Client
) -> None:
    (result,) = page.choose(registry.files["finance-2020"])
    link = result.find_element(By.LINK_TEXT, "Download its receipt")
    receipt = client.get(str(link.get_dom_attribute("href")))
    assert receipt.json()["schema"] == "policy-registry/receipt/1"
    assert receipt.json()["state"] is not None


def test_an_altered_copy_is_not_in_the_registry(
    page: Page, registry: SmallRegistry, tmp_path: Path
) -> None:
    altered = tmp_path / "altered.txt"
    altered.write_bytes(registry.files["finance-2020"].read_bytes() + b" ")
    (result,) = page.choose(altered)
    assert result.get_dom_attribute("data-match") == "unknown"
    assert "This exact file is not in the registry" in result.text
    assert "even one byte" in result.text


def test_an_old_version_is_authentic_and_no_longer_in_force(
    page: Page, registry: SmallRegistry
) -> None:
    (result,) = page.choose(registry.files["finance-2017"])
    assert result.get_dom_attribute("data-standing") == "amended"
    assert "Authentic, but an older version" in result.text
    assert "version 1 of 2" in result.text
    assert "version 2 since 2020-01-01" in result.text


def test_the_date_asked_about_decides(page: Page, registry: SmallRegistry) -> None:
    page.driver.execute_script("document.getElementById('on').value = '2018-01-01'")
    (result,) = page.choose(registry.files["finance-2017"])
    assert "in force on 2018-01-01" in result.text


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        ("suspended", "suspended since 2021-06-01"),
        ("superseded", "took this one's place since 2021-06-01"),
        ("repealed", "repealed since 2021-06-01"),
        ("withdrawn", "withdrew the policy since 2021-06-01"),
        ("expired", "run out since 2017-01-01"),
        ("not_yet_in_force", "applies from 2190-01-01"),
    ],
)
def test_why_a_document_is_not_in_force(
    page: Page, registry: SmallRegistry, standing: str, words: str
) -> None:
    (result,) = page.choose(registry.files[standing])
    assert result.get_dom_attribute("data-standing") == standing
    assert words in result.text
    assert "Authentic, but" in result.text


def test_several_files_are_answered_in_their_order(page: Page, registry: SmallRegistry) -> None:
    names = ["repealed", "joint", "finance-2020-en"]
    results = page.choose(*(registry.files[name] for name in names))
    assert [each.text.split(".txt")[0] for each in results] == names
    assert "Registered also by or as: 广东省人民政府" in results[1].text
    assert "a rendition" in results[2].text


def test_a_dropped_file_is_checked(page: Page, registry: SmallRegistry) -> None:
    result = page.drop("法规.txt", registry.files["joint"].read_text("utf-8"))
    assert result.get_dom_attribute("data-match") == "exact"
    assert "法规.txt" in result.text


def test_markup_in_a_name_stays_text(page: Page) -> None:
    result = page.drop("<img src=x onerror=alert(1)>", "content")
    assert "<img src=x" in result.text
    assert page.all(".result img") == []


def test_only_digests_are_sent(page: Page, registry: SmallRegistry) -> None:
    page.choose(registry.files["repealed"])
    asked = page.driver.execute_script(
        "return performance.getEntriesByType('resource').map((each) => each.name)"
    )
    assert any(registry.sha256("repealed") in each for each in asked)
    assert not any("verify" in each for each in asked)
    own = page.driver.current_url
    assert all(each.startswith(own) for each in asked)


def test_searching_by_a_chinese_word(page: Page) -> None:
    page.one("#text").send_keys("金融" + Keys.ENTER)
    page.wait(lambda: page.all("#found li"))
    assert FINANCE_TITLE["en"] in page.one("#found").text


def test_everything_is_reached_by_keyboard(page: Page) -> None:
    reached = []
    for _ in range(10):
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        reached.append(page.driver.switch_to.active_element.get_attribute("id"))
    assert {"files", "on", "text"} <= set(reached)


@pytest.mark.parametrize("width", [320, 390])
def test_nothing_is_cut_off_at_phone_width(page: Page, registry: SmallRegistry, width: int) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        (result,) = page.choose(registry.files["finance-2017"])
        result.find_element(By.TAG_NAME, "summary").click()
        assert page.driver.execute_script("return document.documentElement.scrollWidth") <= width
        page.screenshot(f"phone-{width}")
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_server_that_is_gone_could_not_check_and_says_so(
    chromium: webdriver.Chrome, registry: SmallRegistry
) -> None:
    with running(registry.settings) as client:
        page = Page(chromium, str(client.base_url))
    (result,) = page.choose(registry.files["finance-2020"])
    assert result.get_dom_attribute("data-match") == "could-not-check"
    assert "Could not check" in result.text
    assert "says nothing about the file" in result.text
    assert "can not be reached" in result.text
    assert "apart" in result.get_dom_attribute("class").split()
    page.screenshot("could-not-check")
    assert all("ERR_CONNECTION" in each for each in page.errors())


def test_a_server_that_can_not_check_is_no_answer_either(
    chromium: webdriver.Chrome, registry: SmallRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api.opened import Opened
    from registry.errors import LocalFailure

    with running(registry.settings) as client:
        page = Page(chromium, str(client.base_url))

        def broken(_: Opened) -> None:
            raise LocalFailure("the disk is full")

        monkeypatch.setattr(Opened, "engine", property(broken))
        (result,) = page.choose(registry.files["finance-2020"])
        assert result.get_dom_attribute("data-match") == "could-not-check"
        assert "the disk is full" in result.text
        monkeypatch.undo()
        result.find_element(By.TAG_NAME, "button").click()
        page.wait(lambda: result.get_dom_attribute("data-match") == "exact")
        assert "good" in result.get_dom_attribute("class").split()
        assert all("503" in each for each in page.errors())


def test_the_docs_page_shows_every_route(page: Page, client: httpx.Client) -> None:
    page.driver.get(f"{str(client.base_url).rstrip('/')}/docs")
    page.wait(lambda: page.all(".route"))
    described = client.get("/openapi.json").json()["paths"]
    assert len(page.all(".route")) == len(described)
    page.screenshot("docs")


def test_the_pages_own_sha256_is_exact(page: Page) -> None:
    """Every length around the block's edges, added in pieces of several sizes."""
    content = random.Random(1).randbytes(1000)
    lengths = [*range(200), 447, 448, 511, 512, 513, 1000]
    found = page.run(
        """const { Sha256 } = await import("/sha256.js");
        const [bytes, lengths] = [new Uint8Array(given[0]), given[1]];
        return lengths.map((length) => [1, 7, 63, 64, 65, 1000].map((step) => {
          const sum = new Sha256();
          for (let at = 0; at < length; at += step)
            sum.update(bytes.subarray(at, Math.min(at + step, length)));
          return sum.hex();
        }));""",
        list(content),
        lengths,
    )
    assert found == [[hashlib.sha256(content[:length]).hexdigest()] * 6 for length in lengths]


def test_the_pages_own_sha256_counts_past_two_to_the_32_bits(page: Page) -> None:
    megabytes = 520
    expected = hashlib.sha256()
    for _ in range(megabytes):
        expected.update(b"\xa7" * (1 << 20))
    found = page.run(
        """const { Sha256 } = await import("/sha256.js");
        const sum = new Sha256(), piece = new Uint8Array(1 << 20).fill(0xa7);
        for (let count = 0; count < given[0]; count++) sum.update(piece);
        return sum.hex();""",
        megabytes,
    )
    assert found == expected.hexdigest()


def test_a_file_read_by_slices_has_the_same_digest(page: Page) -> None:
    """What happens above 256 MiB, and where the browser has no crypto.subtle."""
    found = page.run(
        """const { digestBySlices, digestOf } = await import("/check.js");
        const file = new File([new Uint8Array(9 * 1024 * 1024 + 5).fill(0x5a)], "large");
        let last = 0;
        const sliced = await digestBySlices(file, (done) => { last = done; });
        return [sliced, await digestOf(file), last];"""
    )
    expected = hashlib.sha256(b"\x5a" * (9 * 1024 * 1024 + 5)).hexdigest()
    assert found == [expected, expected, 1]
