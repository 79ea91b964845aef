"""The reader of texts: what a hostile or broken file does to the process that reads it is a named
cause here, and the next document is read all the same."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.core.text.clauses import Text
from registry.errors import CouldNotCheck, UnreadableText
from registry.extraction import frames, limits, process
from registry.extraction.frames import Kind
from registry.extraction.reader import TextReader
from tests.documents import docx_of, pdf_objects, pdf_of

ROOT = Path(__file__).resolve().parents[2]
WORDS = ["Law on waters", "Article 1. Rivers.", "Article 2. Lakes."]


@pytest.fixture(scope="module")
def reader() -> Iterator[TextReader]:
    with TextReader() as made:
        yield made


@pytest.fixture(scope="module")
def hasty() -> Iterator[TextReader]:
    """A reader that gives a document one second, so that the tests do not take ten."""
    with TextReader(seconds=1) as made:
        yield made


def cause(reader: TextReader, content: bytes, name: str) -> str:
    """Why it could not be read; and a good document is read after it."""
    with pytest.raises(UnreadableText) as raised:
        reader.read(content, name=name)
    assert reader.read(b"words", name="a.txt").clauses[0].text == "words"
    assert str(raised.value).startswith(f"{name}: it")
    return str(raised.value)


SAME = {
    "a.md": "\n\n".join(WORDS).encode(),
    "a.txt": "\r\n".join(WORDS).encode("utf-16"),
    "a.html": ("<!DOCTYPE html>" + "".join(f"<p>{word}" for word in WORDS)).encode(),
    "a.xml": ("<a>" + "".join(f"<p>{word}</p>" for word in WORDS) + "</a>").encode(),
    "a.docx": docx_of(*WORDS),
    "a.pdf": pdf_of(WORDS),
}


@pytest.mark.parametrize("name", SAME)
def test_one_text_in_six_formats_has_one_digest_and_the_same_clauses(
    reader: TextReader, name: str
) -> None:
    first, text = reader.read(SAME["a.md"], name="a.md"), reader.read(SAME[name], name=name)
    assert text.digest == first.digest
    assert text.hashed() == first.hashed()
    assert text.extractor.startswith("policy-registry ")


def test_a_file_is_read_by_its_path(reader: TextReader, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(SAME["a.md"])
    assert reader.read(path) == reader.read(SAME["a.md"], name="a.md")
    with pytest.raises(UnreadableText, match="it can not be opened: No such file"):
        reader.read(tmp_path / "none.md")
    os.mkfifo(tmp_path / "fifo.md")
    for other in (tmp_path, tmp_path / "fifo.md"):
        with pytest.raises(UnreadableText, match="it can not be opened: Not a file"):
            reader.read(other)


@pytest.mark.parametrize("ordered", [True, False])
def test_many_are_read_by_several_workers_and_each_has_its_answer(
    tmp_path: Path, ordered: bool
) -> None:
    paths = []
    for number in range(40):
        paths.append(tmp_path / f"{number}.txt")
        paths[-1].write_bytes(b"\x00\x01\x02" if number % 7 == 0 else f"text {number}".encode())
    with TextReader(2) as reader:
        found = list(reader.read_many(paths, ordered=ordered))
    assert ([path for path, _ in found] == paths) or not ordered
    assert {path for path, _ in found} == set(paths)
    for path, made in found:
        if int(path.stem) % 7 == 0:
            assert isinstance(made, UnreadableText)
        else:
            assert isinstance(made, Text)
            assert made.clauses[0].text == f"text {path.stem}"


def test_whoever_stops_in_the_middle_leaves_no_worker(tmp_path: Path) -> None:
    paths = []
    for number in range(20):
        paths.append(tmp_path / f"{number}.txt")
        paths[-1].write_text("text")
    with TextReader(2) as reader:
        assert next(reader.read_many(paths))[0] == paths[0]
        worker = reader._idle.get()
        reader._idle.put(worker)
        assert worker is not None
    with pytest.raises(ProcessLookupError):
        os.kill(worker.process_id, 0)


# What the file tries, its name, and the cause that is named.
ENTITY_BOMB = (
    '<!DOCTYPE a [<!ENTITY e0 "aaaaaaaaaa">'
    + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    + "]><a>&e11;</a>"
)
HOSTILE = {
    "entities within entities": (ENTITY_BOMB.encode(), "a.xml", "not well-formed|entities"),
    "an entity a file": (
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        "a.xml",
        "entities of its own",
    ),
    "XML nested 100,000 deep": (b"<a>" * 10**5 + b"</a>" * 10**5, "a.xml", "[Dd]epth"),
    "quotes nested 100,000 deep": (b"> " * 10**5 + b"x", "a.md", "nested more than"),
    "lists nested 1,000 deep": (b"- " * 1000 + b"x", "a.md", "nested more than"),
    "controls": (b"\x00\x01\x02" * 100, "a.txt", "no text holds"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "a.pdf", "a picture"),
    "a broken PDF": (b"%PDF-1.7\n" + b"\xff" * 1000, "a.pdf", "broken PDF"),
    "pages that hold themselves": (
        pdf_objects("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 2/Kids[2 0 R 2 0 R]>>"),
        "a.pdf",
        "no text layer|broken PDF",
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_with_its_cause(reader: TextReader, what: str) -> None:
    content, name, expected = HOSTILE[what]
    assert re.search(expected, cause(reader, content, name))


def test_zip_bombs_are_refused(reader: TextReader) -> None:
    bomb = zip_bomb(300 << 20)
    assert "unpacks to more than 256 MB" in cause(reader, bomb, "a.docx")
    # One whose directory says that it is small meets the limit on memory.
    lie = bomb.replace((300 << 20).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert "more than 512 MB" in cause(reader, lie, "a.docx")


def zip_bomb(size: int) -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(docx_of("words"))) as good,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for part in good.namelist():
            bomb = part == "word/document.xml"
            archive.writestr(part, bytes(size) if bomb else good.read(part))
    return stream.getvalue()


def test_a_bomb_in_a_pdf_does_not_get_its_memory(hasty: TextReader) -> None:
    squeezed = zlib.compress(zlib.compress(bytes(400 << 20), 1), 9)
    content = pdf_objects(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Count 1/Kids[3 0 R]>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        f"<</Length {len(squeezed)}/Filter[/FlateDecode/FlateDecode]>>",
        streams={4: squeezed},
    )
    assert_limited(cause(hasty, content, "a.pdf"))


def test_a_table_of_a_million_columns_ends(hasty: TextReader) -> None:
    row = b"|a" * 10**6 + b"|\n"
    assert_limited(cause(hasty, row + b"|-" * 10**6 + b"|\n" + row, "a.md"))
    page = b"<!DOCTYPE html><table><tr>" + b"<td>a" * 10**6
    assert_limited(cause(hasty, page, "a.html"))


def test_html_nested_100_000_deep_ends(hasty: TextReader) -> None:
    assert_limited(cause(hasty, b"<!DOCTYPE html>" + b"<div>" * 10**5 + b"x", "a.html"))


def assert_limited(said: str) -> None:
    assert any(
        each in said for each in ("more than 1 s", "more than 512 MB", "no text layer", "of text")
    ), said


def test_too_much_memory_is_the_cause_that_is_named(reader: TextReader) -> None:
    assert "more than 512 MB" in cause(reader, b"a" * (200 << 20), "a.txt")


def test_a_gigabyte_is_refused_by_its_size_unread(reader: TextReader, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(UnreadableText, match="it has more than 256 MB"):
        reader.read(path)


def test_controls_of_direction_are_part_of_the_text(reader: TextReader) -> None:
    plain, turned = "pay 10 to A", "pay \u202e01\u202c to A"
    digests = [reader.read(each.encode(), name="a.txt").digest for each in (plain, turned)]
    assert digests[0] != digests[1]
    assert "\u202e" in reader.read(turned.encode(), name="a.txt").clauses[0].text


def test_a_worker_that_was_worn_out_by_others_is_no_reason(tmp_path: Path) -> None:
    """Memory that earlier documents left behind does not make the next unreadable."""
    with TextReader() as reader:
        reader.read(b"one", name="a.txt")
        worker = reader._idle.get()
        assert worker is not None
        os.kill(worker.process_id, signal.SIGKILL)
        reader._idle.put(worker)
        assert reader.read(b"two", name="a.txt").clauses[0].text == "two"


def test_a_worker_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLREG_PRIVATE_KEY", "0x" + "42" * 32)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    worker = process.Worker()
    try:
        environment = Path(f"/proc/{worker.process_id}/environ").read_bytes()
    finally:
        worker.close()
    assert b"POLREG" not in environment
    assert b"secret" not in environment
    assert b"4242" not in environment


def test_a_worker_is_limited_by_the_system_too() -> None:
    worker = process.Worker()
    try:
        said = Path(f"/proc/{worker.process_id}/limits").read_text()
    finally:
        worker.close()
    table = {line[:26].strip(): line[26:].split()[0] for line in said.splitlines()[1:]}
    assert table["Max address space"] == str(limits.MEMORY)
    assert table["Max core file size"] == "0"
    assert table["Max file size"] == "0"
    assert table["Max processes"] == "0"


READS_FOR_EVER = """
import sys
from registry.extraction.process import Worker
worker = Worker(3600)
print(worker.process_id, flush=True)
worker.ask("a.html", b"<!DOCTYPE html>" + b"<div>" * 3 * 10**5)
"""


def test_a_reader_that_is_killed_leaves_no_worker_that_waits() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", READS_FOR_EVER.replace("3 * 10**5", "10")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert ends(worker, 10)


def test_a_worker_that_can_not_notice_runs_out_of_processor_time() -> None:
    """One that is deep in a library when its reader is killed."""
    parent = subprocess.Popen(
        [sys.executable, "-c", READS_FOR_EVER], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    time.sleep(1)
    said = Path(f"/proc/{worker}/limits").read_text()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    allowed = next(line for line in said.splitlines() if line.startswith("Max cpu time"))
    assert int(allowed.split()[3]) <= limits.SECONDS + 2
    os.kill(worker, signal.SIGKILL)


def ends(process_id: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"", "was not understood"),
        (b"\x00" * 7 + b"\x02T[", "was not understood"),
        (b"\xff" * 8, "was not understood"),
        (b"\x00" * 7 + b"\x01?", "was not understood"),
        (b"\x00" * 7 + b"\x03T[]", "was not understood"),
        (b"\x00" * 7 + b"\x01R", "was not understood"),
    ],
)
def test_nonsense_from_a_worker_is_no_text(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, expected: str
) -> None:
    """A file that takes its worker over may answer what it likes; it is parsed strictly."""
    program = (
        "import sys; out = sys.stdout.buffer; out.write(bytes([0] * 7 + [1]) + b'R'); out.flush();"
        f"sys.stdin.buffer.read(8); out.write({answer!r}); out.flush();"
        "import os; os.close(1); os.dup2(2, 1); import time; time.sleep(60)"
    )
    real = subprocess.Popen

    def imposter(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        return real([sys.executable, "-c", program], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(process.subprocess, "Popen", imposter)
    with TextReader() as reader, pytest.raises(UnreadableText, match=expected):
        reader.read(b"x", name="a.txt")


def test_a_missing_library_is_could_not_check_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process.Worker, "ask", lambda *_: (Kind.MISSING, b"lxml"))
    with TextReader() as reader, pytest.raises(CouldNotCheck, match="lxml") as raised:
        reader.read(b"<a/>", name="a.xml")
    assert not isinstance(raised.value, UnreadableText)
    assert raised.value.hint == "pip install policy-registry[text]"


def test_answers_survive_their_frame() -> None:
    stream = io.BytesIO()
    frames.send(stream, b"ab", b"c")
    stream.seek(0)
    assert frames.receive(stream, 3) == b"abc"
    assert frames.receive(stream, 3) is None
    stream.seek(0)
    with pytest.raises(frames.Malformed):
        frames.receive(stream, 2)


@pytest.mark.parametrize("name", SAME)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(
    reader: TextReader, name: str, data: st.DataObject
) -> None:
    content = bytearray(SAME[name])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(content)))
    damaged = bytes(content[:cut] if data.draw(st.booleans()) else content)
    try:
        said = reader.read(damaged, name=name).clauses[0].text
    except UnreadableText as error:
        said = str(error).removeprefix(f"{name}: it")
    assert said
