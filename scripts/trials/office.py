"""What an office suite does to a text: corpus documents through LibreOffice, as JSON.

    python scripts/trials/office.py [--documents 200] [--keep FOLDER]

Each document becomes HTML (Markdown as markdown-it-py renders it, a law in XML a paragraph for
each of its passages), which LibreOffice writes as DOCX, PDF and HTML. Counted is where the text
is the same in the normal form; where it is not, the first difference is shown. Goal: 95% of DOCX
and HTML, 85% of PDF. Then one character of one clause of each is changed and all is converted
again: beside the same format's first file exactly that clause has to differ. Goal: all.

Needs `soffice` with Writer, a font with Chinese characters, the corpus.
"""

from __future__ import annotations

import argparse
import difflib
import html
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt

from registry.core.text.clauses import Text
from registry.core.text.comparing import Change, compare_texts
from registry.core.text.normal import normal
from registry.errors import UnreadableText
from registry.extraction.extract import extract
from registry.extraction.reader import TextReader

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
FILTERS = {
    "docx": "docx:MS Word 2007 XML",
    "pdf": "pdf:writer_pdf_Export",
    "html": "html:HTML (StarWriter)",
}
GOALS = {"docx": 0.95, "html": 0.95, "pdf": 0.85}
SEED = 7
AT_A_TIME = 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--keep", type=Path, help="leave the files that were made here")
    options = parser.parse_args()
    office = shutil.which("soffice")
    if office is None:
        raise SystemExit("soffice is not there: this trial needs LibreOffice's Writer")
    if not options.corpus.is_dir():
        raise SystemExit(f"{options.corpus} is not there: this trial needs the corpus")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        sources = chosen(options.corpus, options.documents)
        made = write_pages(sources, folder / "source")
        for name in FILTERS:
            convert(office, made, name, folder)
        report = compared(sources, made, folder)
        report["one_character"] = altered(office, sources, made, folder)
        json.dump(report, sys.stdout, ensure_ascii=False, indent=1)
        print()


def chosen(corpus: Path, count: int) -> list[Path]:
    """A sample of each kind in the share that it has of the corpus."""
    kinds = [sorted(corpus.rglob("*.md")), sorted(corpus.rglob("*.xml"))]
    total = sum(map(len, kinds))
    draw = random.Random(SEED)
    share = [round(count * len(kind) / total) for kind in kinds]
    return [
        path for kind, some in zip(kinds, share, strict=True) for path in draw.sample(kind, some)
    ]


def write_pages(sources: list[Path], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, source in enumerate(sources):
        page = folder / f"{number:04}.html"
        page.write_text(
            f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>{body(source)}'
            "</body></html>",
            encoding="utf-8",
        )
        made.append(page)
    return made


def body(source: Path) -> str:
    if source.suffix == ".md":
        parser = MarkdownIt("commonmark").enable("table")
        return str(parser.render(source.read_text(encoding="utf-8")))
    passages = extract(source.read_bytes(), source.name).passages
    return "\n".join(f"<p>{html.escape(each.text)}</p>" for each in passages)


def convert(office: str, pages: list[Path], name: str, folder: Path) -> None:
    for start in range(0, len(pages), AT_A_TIME):
        subprocess.run(
            [
                office,
                f"-env:UserInstallation={(folder / 'profile').resolve().as_uri()}",
                "--headless",
                "--infilter=HTML (StarWriter)",
                "--convert-to",
                FILTERS[name],
                "--outdir",
                str(folder / name),
                *map(str, pages[start : start + AT_A_TIME]),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=600,
        )


def compared(sources: list[Path], pages: list[Path], folder: Path) -> dict[str, object]:
    report: dict[str, object] = {"documents": len(sources)}
    with TextReader(2) as reader:
        originals = dict(reader.read_many(sources))
        for name, goal in GOALS.items():
            paths = [folder / name / page.with_suffix(f".{name}").name for page in pages]
            results = [made for _, made in reader.read_many(paths)]
            failures = [
                {"document": f"{source.parent.name}/{source.name}", "page": path.name, **found}
                for source, path, made in zip(sources, paths, results, strict=True)
                for found in difference(originals[source], made)
            ]
            same = len(sources) - len(failures)
            report[name] = {
                "same_text": same,
                "share": round(same / len(sources), 3),
                "goal": goal,
                "failures": failures,
            }
    return report


def altered(office: str, sources: list[Path], pages: list[Path], folder: Path) -> dict[str, object]:
    """Each page with one character changed, through the same conversions."""
    draw = random.Random(SEED)
    changed: dict[Path, str] = {}
    other = folder / "altered"
    (other / "source").mkdir(parents=True, exist_ok=True)
    with TextReader(2) as reader:
        originals = dict(reader.read_many(sources))
        for source, page in zip(sources, pages, strict=True):
            text, written = originals[source], page.read_text(encoding="utf-8")
            place = None if isinstance(text, UnreadableText) else chosen_place(text, written, draw)
            if place is not None:
                at, mark = place
                target = other / "source" / page.name
                target.write_text(written[:at] + mark + written[at + 1 :], encoding="utf-8")
                changed[page] = mark
        report: dict[str, object] = {"documents": len(changed)}
        for name in FILTERS:
            convert(office, [other / "source" / page.name for page in changed], name, other)
            wrong = [
                {"page": page.name, **found}
                for page, mark in changed.items()
                for found in not_one_clause(
                    reader, folder / name, other / name, page.with_suffix(f".{name}").name, mark
                )
            ]
            report[name] = {"exactly_one": len(changed) - len(wrong), "wrong": wrong}
    return report


def chosen_place(text: Text, written: str, draw: random.Random) -> tuple[int, str] | None:
    """A letter inside a clause, where it stands in the page, and another one in its place."""
    for _ in range(50):
        clause = draw.choice(text.clauses)
        line = draw.choice(clause.text.split("\n"))
        middle = len(line) // 2
        words = line[middle - 6 : middle + 6]
        if len(words) == 12 and words[6].isalpha() and written.count(words) == 1:
            return written.index(words) + 6, "龘" if words[6] > "\u3000" else "Ж"
    return None


def not_one_clause(
    reader: TextReader, before: Path, after: Path, name: str, mark: str
) -> Iterator[dict[str, object]]:
    """Nothing where one clause differs, and that is the one with the new letter."""
    try:
        old, new = reader.read(before / name), reader.read(after / name)
    except UnreadableText as error:
        yield {"error": str(error)}
        return
    rows = [
        row
        for row in compare_texts(old.clauses, new.clauses).rows
        if row.change is not Change.UNCHANGED
    ]
    hit = [clause.label for clause in new.clauses if mark in clause.text]
    if [(row.change, row.label) for row in rows] != [(Change.CHANGED, each) for each in hit[:1]]:
        yield {"rows": [[row.change.value, row.label] for row in rows][:6], "in": hit}


def difference(
    before: Text | UnreadableText, after: Text | UnreadableText
) -> Iterator[dict[str, object]]:
    """Nothing where the texts are the same."""
    if isinstance(before, UnreadableText) or isinstance(after, UnreadableText):
        yield {"error": f"{before if isinstance(before, UnreadableText) else after}"}
        return
    if before.digest == after.digest:
        return
    one, other = whole(before), whole(after)
    changes = (
        difflib.SequenceMatcher(None, one, other, autojunk=False) if len(one) < 20_000 else None
    )
    if changes is None:
        at = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
        yield {"first": [one[max(0, at - 30) : at + 30], other[max(0, at - 30) : at + 30]]}
        return
    places = [each for each in changes.get_opcodes() if each[0] != "equal"]
    yield {
        "differences": len(places),
        "some": [
            [one[max(0, a - 20) : b + 20], other[max(0, c - 20) : d + 20]]
            for _, a, b, c, d in places[:3]
        ],
    }


def whole(text: Text) -> str:
    return normal("\n".join(clause.text for clause in text.clauses))


if __name__ == "__main__":
    main()
