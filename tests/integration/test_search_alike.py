"""Search finds the same on both databases: what the definition says, and nothing else."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from registry.core.entry import Action
from registry.core.search import folded, words
from registry.core.units import Day
from registry.mirror.engine import Engine, reading, sqlite_url
from registry.mirror.listing import PolicyFilter, count, page, statistics
from registry.services.lookup import find_policies
from tests.postgres import Server
from tests.unit.logs import Log, draft
from tests.unit.mirrors import mirror_at

ON = Day(20_000)
ALL = 100_000
ODD = [
    ("ＡＣＴ　№５", "100%_\\ 'quoted' \"twice\""),
    ("ПРИКАЗ", "Straße of ÉTAT"),
    ("İstanbul ıI", "ǅ ΣΑΣ ςσ"),
    ("𠮷野家𝔄", "a AND b* NEAR(c) ^d -e +f (g) {h}:i"),
    ("一", "ab"),
    ("二三", "\t tab\nline "),
]

Texts = tuple[str, ...]


@pytest.fixture(scope="module")
def mirrors(
    corpus: Path, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Engine, dict[int, Texts]]]:
    """The titles and numbers of all laws of the corpus, and some odd ones: in SQLite, in
    PostgreSQL, and folded, by the policy's id."""
    log, texts = Log(), dict[int, Texts]()
    with (corpus / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["number"], {row["language"]: row["title"]}) for row in csv.DictReader(file)]
    rows += [(f"odd {at}", {"zh": zh, "en": en}) for at, (zh, en) in enumerate(ODD)]
    for number, title in dict(rows).items():
        entry = log.record(draft(Action.PUBLISH, number, number, title=title))
        own = (title.get("zh"), title.get("en"), number)
        texts[entry.index] = tuple(folded(each) for each in own if each is not None)
    on_sqlite = mirror_at(sqlite_url(tmp_path_factory.mktemp("search") / "m.sqlite"), log.logged)
    on_postgres = mirror_at(postgres.fresh(), log.logged)
    yield on_sqlite, on_postgres, texts
    on_sqlite.dispose()
    on_postgres.dispose()


def found(engine: Engine, query: str) -> list[int]:
    with reading(engine) as connection:
        wanted = PolicyFilter(on=ON, text=query)
        rows = [row.id for row in page(connection, wanted, -1, ALL)]
        assert count(connection, wanted) == len(rows)
    return rows


def defined(texts: dict[int, Texts], query: str) -> list[int]:
    asked = words(query)
    return [
        at for at, own in texts.items() if all(any(word in each for each in own) for word in asked)
    ]


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_parts_of_real_titles_are_found_alike(
    mirrors: tuple[Engine, Engine, dict[int, Texts]], length: int
) -> None:
    on_sqlite, on_postgres, texts = mirrors
    whole = [each for some in texts.values() for each in some]
    step = max(1, len(whole) // 40)
    for at, text in enumerate(whole[::step]):
        query = text[at % max(1, len(text) - length) :][:length]
        expected = defined(texts, query)
        assert found(on_sqlite, query) == found(on_postgres, query) == expected, query
        assert expected or not words(query)


ALPHABET = st.characters(exclude_categories=["Cs"]) | st.sampled_from(
    "金融的法aAeElLwW%_\\'\"*（）０１ςΣßſKİ"
)
QUERIES = st.lists(st.text(ALPHABET, min_size=1, max_size=4), max_size=3).map(" ".join)


@settings(max_examples=60)
@given(QUERIES)
@example("%")
@example("_")
@example("\\")
@example('"')
@example("'")
@example("AND")
@example("b* NEAR(c)")
@example("ＡＣＴ")
@example("straße")
@example("STRASSE")
@example("σας")
@example("приказ")
@example("İstanbul")
@example("i\u0307stanbul")
@example("\ud800")
@example("a\0b")
@example("𠮷野")
@example("𝔄")
@example("　")
@example("")
def test_any_query_finds_on_both_what_the_definition_says(
    mirrors: tuple[Engine, Engine, dict[int, Texts]], query: str
) -> None:
    on_sqlite, on_postgres, texts = mirrors
    expected = defined(texts, query)
    if "\0" in query or "\ud800" in query:
        expected = []
    assert found(on_sqlite, query) == found(on_postgres, query) == expected


def test_pages_and_statistics_are_the_same(
    mirrors: tuple[Engine, Engine, dict[int, Texts]],
) -> None:
    on_sqlite, on_postgres, _ = mirrors
    told = []
    for engine in (on_sqlite, on_postgres):
        with reading(engine) as connection:
            counted = statistics(connection, PolicyFilter(on=ON, text="条例"))
        # Also the order in which they are told.
        told.append([(name, list(each.items())) for name, each in counted.items()])
    assert told[0] == told[1]
    wanted = PolicyFilter(on=ON, text="of")
    pages = [
        [[row.id for row in find_policies(engine, wanted, after, 20)[1]] for after in (-1, 50, ALL)]
        for engine in (on_sqlite, on_postgres)
    ]
    assert pages[0] == pages[1]


def test_a_word_of_two_characters_is_looked_up_in_the_index(
    mirrors: tuple[Engine, Engine, dict[int, Texts]],
) -> None:
    """Most Chinese words have two."""
    _, on_postgres, _ = mirrors
    from sqlalchemy import text

    from registry.mirror.search import having

    with reading(on_postgres) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        asked = having(connection, ["金融"])
        assert asked is not None
        plain = str(asked.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = "\n".join(row[0] for row in connection.execute(text(f"EXPLAIN {plain}")))
    assert "search_by_grams" in plan
