"""On every document of the corpus: the clauses are the whole text, in its order, nothing twice;
and the articles are those that an independent rule counts."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from registry.core.text.normal import normal
from registry.core.text.splitting import split
from registry.extraction.extract import extract

# Independent of the product: a line that begins with the heading of an article, unless the line
# goes on as a reference does.
_NUMBER = "[〇零一二三四五六七八九十百千]+"
_ARTICLE = re.compile(rf"^[\s\u3000\u200b]*第{_NUMBER} ?条(?:之{_NUMBER})?(?![的、至和])", re.M)
_LABEL = re.compile(r"第[^条]+条(之.+)?")
_NAMESPACE = "{https://code.dccouncil.us/schemas/dc-library}"


@pytest.fixture(scope="module")
def laws(corpus: Path) -> list[Path]:
    found = sorted(corpus.rglob("*.md"))
    return [path for path in found if path.name != "README.md"]


def test_chinese_laws_have_the_articles_that_their_headings_count(laws: list[Path]) -> None:
    assert len(laws) == 2036
    counted = 0
    for path in laws:
        content = path.read_bytes()
        extracted = extract(content, path.name)
        text = split(extracted)
        whole = normal("\n".join(each.text for each in extracted.passages))
        assert normal("\n".join(each.text for each in text.clauses)) == whole, path
        labels = [each.label for each in text.clauses]
        assert len(set(labels)) == len(labels), path
        articles = [label for label in labels if _LABEL.fullmatch(label)]
        assert len(articles) == len(_ARTICLE.findall(content.decode())), path
        counted += len(articles)
    assert counted == 92_877


def test_laws_of_the_district_have_a_clause_for_each_section(corpus: Path) -> None:
    paths = sorted(corpus.rglob("*.xml"))
    assert len(paths) == 892
    for path in paths:
        extracted = extract(path.read_bytes(), path.name)
        text = split(extracted)
        whole = normal("\n".join(each.text for each in extracted.passages))
        assert normal("\n".join(each.text for each in text.clauses)) == whole, path
        labels = [each.label for each in text.clauses]
        assert len(set(labels)) == len(labels), path
        root = ElementTree.parse(path).getroot()
        for section in root.findall(f"{_NAMESPACE}section"):
            number = (section.findtext(f"{_NAMESPACE}num") or "").strip().rstrip(".")
            assert any(
                each == f"§ {number}" or each.startswith((f"§ {number}(", f"§ {number} "))
                for each in labels
            ), (path, number)
