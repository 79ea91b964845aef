"""Having lists of clauses again: from documents that are kept, or that somebody has.

A document is read again, and what it says is kept where it has the root that its manifest says. It
may have another one: readers change, and a manifest names the one that read it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from registry.core.text.clauses import Text, record_of
from registry.core.text.list_file import Listed
from registry.core.units import Digest
from registry.errors import Inconsistent, UnreadableText
from registry.mirror.engine import Engine, reading, writing
from registry.mirror.own_lists import keep_own_lists
from registry.mirror.text_sources import TextSource, text_sources
from registry.services.documents import Documents, content_of
from registry.services.hashing import hash_file
from registry.services.texts.reading import Reader
from registry.services.verify import required_position

Progress = Callable[[int, int], None]
"""Called with documents done and documents in all."""


@dataclass(slots=True)
class Rebuilt:
    """What became of the documents whose clauses were not known here. `failed`: which, and why
    not."""

    rebuilt: int = 0
    not_kept: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def rebuild_kept(
    engine: Engine, documents: Documents, reader: Reader, progress: Progress | None = None
) -> Rebuilt:
    """From kept documents: their clauses, and what these say."""
    sources = {(each.document, each.record.root): each for each in _sources(engine)}
    wanted = [each for each in sources.values() if not each.said]
    done = Rebuilt()
    for number, each in enumerate(wanted, 1):
        if not documents.holds(each.document):
            done.not_kept += not each.held
        else:
            _rebuild(engine, each, each.document.hex(), _kept(documents, reader, each), done)
        if progress:
            progress(number, len(wanted))
    return done


def rebuild_from(
    engine: Engine, paths: Sequence[Path], reader: Reader, progress: Progress | None = None
) -> Rebuilt:
    """From files that somebody has: their clauses alone."""
    wanted: dict[Digest, TextSource] = {}
    for each in _sources(engine):
        if not each.held:
            wanted[each.document] = each
    done = Rebuilt()
    for number, path in enumerate(paths, 1):
        source = wanted.get(hash_file(path).sha256)
        if source is None:
            done.failed.append(
                (str(path), "no manifest tells of its text, or its clauses are here")
            )
        else:
            _rebuild(engine, source, str(path), _file(path, reader), done, said=False)
        if progress:
            progress(number, len(paths))
    return done


def _sources(engine: Engine) -> list[TextSource]:
    with reading(engine) as connection:
        required_position(connection)
        return list(text_sources(connection))


Reading = Callable[[], Text]


def _kept(documents: Documents, reader: Reader, source: TextSource) -> Reading:
    return lambda: reader.read(content_of(documents, source.document), name=source.name)


def _file(path: Path, reader: Reader) -> Reading:
    return lambda: reader.read(path)


def _rebuild(
    engine: Engine,
    source: TextSource,
    called: str,
    read: Reading,
    done: Rebuilt,
    *,
    said: bool = True,
) -> None:
    try:
        text = read()
    except (UnreadableText, Inconsistent) as error:
        done.failed.append((called, str(error)))
        return
    record = record_of(text)
    if (record.root, record.count) != (source.record.root, source.record.count):
        done.failed.append((called, _another_root(source, text)))
        return
    texts = [each.text for each in text.clauses] if said else None
    with writing(engine) as connection:
        keep_own_lists(connection, [Listed(record.root, text.hashed(), texts)])
    done.rebuilt += 1


def _another_root(source: TextSource, text: Text) -> str:
    made = source.record.extractor or "a reader that its manifest does not name"
    same = ", though the text is the same" if text.digest == source.record.digest else ""
    return (
        f"read by {text.extractor} its clauses have another root than its manifest says{same}; "
        f"the manifest's was made by {made}"
    )
