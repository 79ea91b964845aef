"""Documents from bytes to clauses, beside the same libraries' parsing alone: every document of the
corpus, in turn, in this process, by processor seconds; then through the limited reader, with one
worker and with one for each processor, by the clock."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lxml import etree
from markdown_it import MarkdownIt
from measure import CORPUS, interleaved

from registry.core.text.splitting import split
from registry.extraction.extract import extract
from registry.extraction.reader import TextReader


def measure_reading(rounds: int) -> dict[str, Any]:
    if not CORPUS.is_dir():
        raise SystemExit(f"{CORPUS} is not there: this measurement needs the corpus")
    found: dict[str, Any] = {}
    for name, ending, bare in (("markdown", "md", _markdown()), ("xml", "xml", etree.fromstring)):
        documents = [(path.name, path.read_bytes()) for path in sorted(CORPUS.rglob(f"*.{ending}"))]
        found[name] = _compared(documents, bare, rounds)
    both = [found[name] for name in ("markdown", "xml")]
    found["all"] = {
        "bare_cpu_seconds": round(sum(each["bare_cpu_seconds"] for each in both), 2),
        "clauses_cpu_seconds": round(sum(each["clauses_cpu_seconds"] for each in both), 2),
    }
    found["all"]["ratio"] = round(
        found["all"]["bare_cpu_seconds"] / found["all"]["clauses_cpu_seconds"], 2
    )
    paths = sorted(path for path in CORPUS.rglob("*.*") if path.suffix in {".md", ".xml"})
    for workers in sorted({1, len(os.sched_getaffinity(0))}):
        found[f"reader_of_{workers}"] = _through_reader(paths, workers)
    return found


def _markdown() -> Callable[[bytes], object]:
    parser = MarkdownIt("commonmark").enable("table")
    return lambda content: parser.parse(content.decode("utf-8"))


def _compared(
    documents: list[tuple[str, bytes]], bare: Callable[[bytes], object], rounds: int
) -> dict[str, Any]:
    def timed(read: Callable[[str, bytes], object]) -> float:
        started = time.process_time()
        for name, content in documents:
            read(name, content)
        return time.process_time() - started

    told = interleaved(
        rounds,
        {
            "bare": lambda: timed(lambda _, content: bare(content)),
            "extracted": lambda: timed(lambda name, content: extract(content, name)),
            "clauses": lambda: timed(lambda name, content: split(extract(content, name))),
        },
    )
    seconds = {name: statistics.median(values) for name, values in told.items()}
    return {
        "documents": len(documents),
        **{f"{name}_cpu_seconds": round(value, 2) for name, value in seconds.items()},
        "documents_a_cpu_second": round(len(documents) / seconds["clauses"]),
        "ratio": round(seconds["bare"] / seconds["clauses"], 2),
    }


def _through_reader(paths: list[Path], workers: int) -> dict[str, Any]:
    with TextReader(workers) as reader:
        reader.read(paths[0])
        started = time.perf_counter()
        read = sum(1 for _ in reader.read_many(paths))
        seconds = time.perf_counter() - started
    return {"documents": read, "documents_a_second": round(read / seconds)}
