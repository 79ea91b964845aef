"""The corpus audited, as it was published and with one character of each law altered; and altered
laws explained in a mirror with millions of clauses."""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from measure import CORPUS, run
from text_nearest import SIZE, fill, settle, told

from registry.config import Settings
from registry.core.calendar import parse_day
from registry.core.verdict import Match
from registry.services.texts.explaining import Asked, Explainer
from registry.services.texts.reading import text_reader
from registry.services.verify import verify_files
from registry.services.workspace import Workspace

_ARTICLE = re.compile(
    r"^第[〇零一二三四五六七八九十百千]+条(?:之[一二三四])?[ \u3000].{20,}$", re.M
)
_ASKED = 200


def measure_audit(work: Path) -> dict[str, Any]:
    home = _registry(work)
    altered = _altered(work / "altered")
    environment = {"POLREG_HOME": str(home)}
    found: dict[str, Any] = {}
    for name, folder in (("as_published", CORPUS), ("altered", altered)):
        report = work / f"{name}.json"
        words = [sys.executable, "-m", "registry", "audit", str(folder), "-o", str(report)]
        ended = run(words, environment)
        files = sum(path.is_file() for path in folder.rglob("*"))
        found[name] = {
            "files": files,
            "seconds": round(ended.wall, 1),
            "user_cpu_seconds": round(ended.user, 1),
            "exit_code": ended.code,
        }
    # The largest of all that ran: the command, and its readers.
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    found["largest_process_megabytes"] = round(most / 1024)
    return found


def measure_verify(work: Path, wanted: int) -> dict[str, Any]:
    home = _registry(work)
    folder = _altered(work / "altered")
    with Workspace(Settings(home=home)) as opened:
        engine = opened.engine
        with engine.connect() as connection:
            there, last = connection.exec_driver_sql(
                "SELECT count(*), max(list) FROM clauses"
            ).one()
        if there < wanted:
            fill(engine, (wanted - there) // SIZE, last + 1)
            settle(engine)
        paths = random.Random(5).sample(sorted(folder.rglob("*.md")), _ASKED)
        today = parse_day("2026-01-01", "date")
        took, matches = [], 0
        with text_reader(1) as reader:
            explainer = Explainer(opened.reader, reader, Asked(today))
            # What starts with the first one is not counted.
            for number, path in enumerate([paths[0], *paths]):
                started = time.perf_counter()
                _, checked = verify_files(opened.reader, [path], today)
                (answer,) = explainer.files(checked)
                if number:
                    took.append((time.perf_counter() - started) * 1000)
                    verdict = answer.verdict
                    matches += verdict is not None and verdict.match is Match.ALTERED
        with engine.connect() as connection:
            count = connection.exec_driver_sql("SELECT count(*) FROM clauses").scalar_one()
    return {"clauses": count, "asked": len(took), "altered": matches, "verify_ms": told(took)}


def _registry(work: Path) -> Path:
    """A home folder with the corpus published and its documents kept; made once."""
    if not CORPUS.is_dir():
        raise SystemExit(f"{CORPUS} is not there: this measurement needs the corpus")
    home = work / "home"
    if not home.exists():
        environment = {"POLREG_HOME": str(home)}
        for words in (
            ["init"],
            ["import", str(CORPUS / "index.csv"), "--open-authorities", "--keep-document"],
        ):
            run([sys.executable, "-m", "registry", *words], environment)
    return home


def _altered(folder: Path) -> Path:
    """The Chinese laws, one character of one article of each another."""
    chance = random.Random(3)
    shutil.rmtree(folder, ignore_errors=True)
    for path in sorted(CORPUS.rglob("*.md")):
        law = path.read_bytes().decode("utf-8")
        articles = list(_ARTICLE.finditer(law))
        if not articles:
            continue
        article = chance.choice(articles)
        at = chance.randrange(article.start() + 12, article.end())
        target = folder / path.relative_to(CORPUS)
        os.makedirs(target.parent, exist_ok=True)
        target.write_bytes((law[:at] + "龘" + law[at + 1 :]).encode())
    return folder
