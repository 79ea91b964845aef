"""A small real registry on the embedded chain, and a real server on it, for the API's tests."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from api.app import create_app
from api.server import _listen
from registry.config import Settings
from registry.core.calendar import parse_day
from registry.core.draft import Draft
from registry.core.entry import Action
from registry.core.lifecycle import UNPUBLISHED
from registry.core.text.clauses import Clause, record_of, text_of
from registry.core.units import Digest
from registry.services import setup
from registry.services.authorities import open_authority
from registry.services.hashing import describe_file
from registry.services.publish import Published, publish
from registry.services.relaying import Paying
from registry.services.workspace import Workspace
from tests.conftest import CORPUS
from tests.texts import keep as keep_text

AUTHORITIES = {
    "CN": {"zh": "中华人民共和国", "en": "People's Republic of China"},
    "CN.GD": {"zh": "广东省人民政府", "en": "Guangdong Provincial People's Government"},
    "CN.GD.SHENZHEN": {"zh": "深圳市人民政府", "en": "Shenzhen Municipal People's Government"},
    "CN.GDP": {"en": "A code that begins like another one"},
    "US": {"en": "United States"},
    "US.DC": {"en": "District of Columbia"},
}
FINANCE = ("CN.GD.SHENZHEN", "深府〔2017〕71号")
FINANCE_TITLE = {
    "zh": "关于促进金融业发展的若干措施",
    "en": "Measures to Support the Financial Sector",
}
# As the later version says it; of the earlier one it is registered with a salt.
FINANCE_TEXT = text_of([Clause("第一条", "第一条 支持金融业高质量发展。")], "test/1")


@dataclass
class SmallRegistry:
    """What was published: `files` by a word, `policies` by the same word."""

    settings: Settings
    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    corpus: list[Path] = field(default_factory=list)

    def file(self, word: str, text: str) -> Path:
        path = self.folder / f"{word}.txt"
        path.write_text(text, "utf-8")
        self.files[word] = path
        return path

    def sha256(self, word: str) -> str:
        return hashlib.sha256(self.files[word].read_bytes()).hexdigest()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Writer]:
        with Workspace(self.settings) as workspace:
            yield Writer(self, workspace)


@dataclass
class Writer:
    registry: SmallRegistry
    workspace: Workspace

    def __post_init__(self) -> None:
        self.outbox = setup.outbox_for(self.workspace, lambda _: "")

    def act(
        self,
        action: Action,
        policy: tuple[str, str],
        title: Mapping[str, str],
        file: Path | None = None,
        **more: Any,
    ) -> Published:
        dates = {
            name: parse_day(more.pop(name))
            for name in ("issued", "effective_from", "effective_to")
            if name in more
        }
        document = describe_file(str(file)) if file else None
        draft = Draft(action, *policy, title, document, **dates, **more)
        return publish(draft, self.workspace.client, self.outbox)

    def publish_many(self, authority: str, numbers: Sequence[str]) -> None:
        """New policies, all in one transaction."""
        submissions = []
        for number in numbers:
            path = self.registry.file(f"many-{number}", f"the text of {number}\n")
            draft = Draft(
                Action.PUBLISH, authority, number, {"en": f"Act {number}"}, describe_file(str(path))
            )
            submissions.append(draft.submission(UNPUBLISHED))
        self.outbox.record(submissions, list(numbers))

    def sync(self) -> None:
        self.workspace.sync()


def build(folder: Path) -> SmallRegistry:
    """One policy of every standing, a joint issue, renditions, and a few real laws."""
    registry = SmallRegistry(Settings(home=folder / "home"), folder)
    setup.initialise(registry.settings)
    with registry.writing() as writer:
        for code, names in AUTHORITIES.items():
            open_authority(code, names, None, writer.workspace.client, writer.outbox)
        _publish_finance(registry, writer)
        _publish_each_standing(registry, writer)
        _publish_joint_issue(registry, writer)
        _publish_corpus(registry, writer)
        writer.sync()
    return registry


def _publish_finance(registry: SmallRegistry, writer: Writer) -> None:
    old = registry.file("finance-2017", "第一条 支持金融业发展。\n")
    new = registry.file("finance-2020", "第一条 支持金融业高质量发展。\n")
    english = registry.file("finance-2020-en", "Article 1. Support the financial sector.\n")
    done = writer.act(
        Action.PUBLISH, FINANCE, FINANCE_TITLE, old,
        type="notice", issued="2017-08-15", effective_from="2017-09-01",
        text=record_of(FINANCE_TEXT, [bytes(32)]),
    )  # fmt: skip
    writer.act(
        Action.AMEND, FINANCE, FINANCE_TITLE, new,
        type="notice", issued="2019-12-01", effective_from="2020-01-01",
        renditions=[describe_file(str(english), "en")],
        text=record_of(FINANCE_TEXT),
    )  # fmt: skip
    keep_text(writer.workspace.engine, FINANCE_TEXT, own=True)
    registry.policies["finance"] = done.policy_id.hex()


def _publish_each_standing(registry: SmallRegistry, writer: Writer) -> None:
    endings = {
        "suspended": Action.SUSPEND,
        "superseded": Action.SUPERSEDE,
        "repealed": Action.REPEAL,
        "withdrawn": Action.WITHDRAW,
    }
    for word, action in endings.items():
        policy, title = ("CN.GD", f"GD-{word}"), {"en": f"A {word} rule", "zh": "一项规则"}
        file = registry.file(word, f"This rule is {word}.\n")
        done = writer.act(Action.PUBLISH, policy, title, file, type="rules", issued="2018-03-01")
        writer.act(action, policy, title, type="rules", effective_from="2021-06-01")
        registry.policies[word] = done.policy_id.hex()
    for word, dates in (
        ("expired", {"issued": "2015-01-01", "effective_to": "2016-12-31"}),
        ("not_yet_in_force", {"issued": "2026-01-01", "effective_from": "2190-01-01"}),
    ):
        file = registry.file(word, f"This law is {word}.\n")
        done = writer.act(
            Action.PUBLISH, ("US.DC", f"D.C. Law {word}"), {"en": f"A law {word}"}, file,
            type="law", **dates,
        )  # fmt: skip
        registry.policies[word] = done.policy_id.hex()


def _publish_joint_issue(registry: SmallRegistry, writer: Writer) -> None:
    title = {"zh": "联合通知", "en": "A joint notice"}
    file = registry.file("joint", "Issued together.\n")
    lead = writer.act(
        Action.PUBLISH, ("CN", "国发〔2020〕1号"), title, file, type="notice", issued="2020-02-01"
    )
    writer.act(
        Action.PUBLISH, ("CN.GD", "国发〔2020〕1号"), title, file, type="notice",
        issued="2020-02-01", relations=[{"type": "endorses", "policy": lead.policy_id.hex()}],
    )  # fmt: skip
    registry.policies["joint"] = lead.policy_id.hex()


def _publish_corpus(registry: SmallRegistry, writer: Writer) -> None:
    if not CORPUS.is_dir():
        return
    with (CORPUS / "index.csv").open(encoding="utf-8", newline="") as index:
        rows = [row for row in csv.DictReader(index) if row["authority"] == "CN.GD"][:3]
    for row in rows:
        path = CORPUS / row["path"]
        dates = {name: row[name] for name in ("issued", "effective_from") if row[name]}
        writer.act(
            Action.PUBLISH, ("CN.GD", row["number"]), {"zh": row["title"]}, path,
            type=row["type"], **dates,
        )  # fmt: skip
        registry.corpus.append(path)


@contextlib.contextmanager
def running(
    settings: Settings, follow_seconds: float | None = None, paying: Paying | None = None
) -> Iterator[httpx.Client]:
    """A server on a free port, in this process, and a client that talks to it."""
    listening = _listen("127.0.0.1", 0)
    config = uvicorn.Config(
        create_app(settings, follow_seconds, paying),
        log_config=None,
        log_level="error",
        server_header=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}") as client:
            wait_until(lambda: server.started)
            yield client
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
        assert not thread.is_alive()


def wait_until(condition: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def digest(content: bytes) -> Digest:
    return Digest(hashlib.sha256(content).digest())


_BUILT: dict[str, SmallRegistry] = {}


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> SmallRegistry:
    """Built once in a session, however many modules import this fixture."""
    if "registry" not in _BUILT:
        _BUILT["registry"] = build(tmp_path_factory.mktemp("registry"))
    return _BUILT["registry"]


@pytest.fixture(scope="module")
def client(registry: SmallRegistry) -> Iterator[httpx.Client]:
    with running(registry.settings) as found:
        yield found


def problem(response: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem that an answer is, once it is shown to be this one."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = response.json()
    assert content["type"] == f"urn:polreg:problem:{kind}"
    assert content["status"] == status
    assert content.keys() == {"type", "title", "status", "detail", "hint"}
    return content
