"""In what two files of one text differ, named."""

from __future__ import annotations

import io
import zipfile

import pytest

from registry.core.digest import sha256
from registry.core.text.differing import Difference, Registered
from registry.services.texts.packaging import named_differences, packaging_of

TEXT = "# 条例\n\n第一条 为了促进发展é，制定本条例。\n\n第二条 自公布之日起施行。\n"
UTF8 = TEXT.encode()


def told(mine: bytes, theirs: bytes, *, kept: bool = False, name: str = "a.md") -> Difference:
    known = Registered(sha256(theirs), len(theirs), None, "b.md", theirs if kept else None)
    return named_differences(mine, name, known)


@pytest.mark.parametrize(
    ("mine", "theirs", "named"),
    [
        (TEXT.replace("\n", "\r\n").encode(), UTF8, ["line ends: CRLF, registered LF"]),
        (UTF8, TEXT.replace("\n", "\r\n").encode(), ["line ends: LF, registered CRLF"]),
        (b"\xef\xbb\xbf" + UTF8, UTF8, ["byte order mark: only here"]),
        (UTF8, b"\xef\xbb\xbf" + UTF8, ["byte order mark: none here, registered with one"]),
        (TEXT.encode("gb18030"), UTF8, ["encoding: GB18030, registered UTF-8"]),
        (
            TEXT.encode("utf-16"),
            UTF8,
            ["encoding: UTF-16-LE with a byte order mark, registered UTF-8"],
        ),
        (UTF8.rstrip(), UTF8, ["a line end at the end of the file"]),
        (UTF8 + b"\n\n", UTF8.rstrip(), ["white space at the end of the file"]),
        (UTF8.replace("。".encode(), "。  ".encode()), UTF8, ["white space at the ends of lines"]),
        (UTF8.replace("发".encode(), "\u200b发".encode()), UTF8, ["characters that show nothing"]),
        (
            UTF8.replace("é".encode(), "e\u0301".encode()),
            UTF8,
            ["Unicode composition: registered in NFC"],
        ),
        (
            b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode(),
            UTF8,
            ["byte order mark: only here", "line ends: CRLF, registered LF"],
        ),
    ],
)
def test_without_the_registered_bytes_their_digest_shows_in_what_they_differ(
    mine: bytes, theirs: bytes, named: list[str]
) -> None:
    assert told(mine, theirs) == Difference(tuple(named), proven=True)


def test_what_no_way_leads_to_is_compared_where_the_bytes_are_kept() -> None:
    wrapped = UTF8.replace("，".encode(), "，\n".encode())
    assert told(UTF8, wrapped, kept=True) == Difference(("white space",))
    full = TEXT.replace("，", ",").encode()
    assert told(UTF8, full, kept=True) == Difference(("full-width forms",))
    plain = TEXT.replace("# ", "").encode()
    assert told(UTF8, plain, kept=True) == Difference(("Markdown syntax",))
    assert told(UTF8, wrapped).named[0].startswith("white space, mark-up or other packaging")


def docx(program: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
        archive.writestr(
            "docProps/app.xml",
            f"<Properties><Application>{program}</Application>"
            "<AppVersion>16.0000</AppVersion></Properties>",
        )
    return made.getvalue()


def test_programs_are_named_as_the_files_name_them() -> None:
    pdf = b"%PDF-1.6\n1 0 obj<</Producer(LibreOffice 7.4 \\(X\\))>>endobj"
    assert packaging_of(pdf).maker == "LibreOffice 7.4 (X)"
    hexed = "LibreOffice 7.4".encode("utf-16-be").hex().encode()
    assert packaging_of(b"%PDF-1.6 <</Producer<FEFF" + hexed + b">>>").maker == "LibreOffice 7.4"
    assert packaging_of(docx("Microsoft Office Word")).maker == "Microsoft Office Word 16.0000"
    assert packaging_of(b"PK\x03\x04 no archive").format == "ZIP"
    assert told(docx("LibreOffice/7.4"), UTF8).named == (
        "another format: DOCX, made by LibreOffice/7.4 16.0000; registered as Markdown",
    )
    word, office = docx("Word"), docx("LibreOffice")
    known = Registered(sha256(word), len(word), None, "b.docx", word)
    assert named_differences(office, "a.docx", known).named == (
        "saved again as DOCX by LibreOffice 16.0000; the registered one by Word 16.0000",
    )


@pytest.mark.parametrize("way", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_broken_archive_is_no_more_than_one(way: int) -> None:
    """Whatever is raised for whichever way it was packed: the file still says the same."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", way) as archive:
        archive.writestr("word/document.xml", "<w/>")
        archive.writestr("docProps/app.xml", "<Application>Word</Application>" * 40)
        place = archive.getinfo("docProps/app.xml").header_offset + 30 + len("docProps/app.xml")
    content = bytearray(written.getvalue())
    for at in range(place + 9, place + 30):
        content[at] ^= 0xFF
    assert packaging_of(bytes(content)).maker is None
