"""Small documents in the formats that are read."""

from __future__ import annotations

import io
import zlib

import docx


def docx_of(*paragraphs: str) -> bytes:
    document = docx.Document()
    for each in paragraphs:
        document.add_paragraph(each)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def pdf_of(*pages: list[str], trailer: str = "", compressed: bool = False) -> bytes:
    """A PDF with these lines of text, in Helvetica."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    streams: dict[int, bytes] = {}
    for number, lines in enumerate(pages):
        shown = "".join(f"({_escaped(line)}) Tj T*\n" for line in lines)
        content = f"BT /F1 10 Tf 14 TL 50 780 Td\n{shown}ET".encode("cp1252")
        if compressed:
            content = zlib.compress(content)
        here = 4 + 2 * number
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {here + 1} 0 R"
            "/Resources<</Font<</F1 3 0 R>>>>>>"
        )
        objects.append(f"<</Length {len(content)}{'/Filter/FlateDecode' if compressed else ''}>>")
        streams[here + 1] = content
    return pdf_objects(*objects, streams=streams, trailer=trailer)


def pdf_objects(*objects: str, streams: dict[int, bytes] | None = None, trailer: str = "") -> bytes:
    """A PDF of these objects, the first of them its root."""
    streams = streams or {}
    out, places = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{each}\n".encode("cp1252")
        if number in streams:
            out += b"stream\n" + streams[number] + b"\nendstream\n"
        out += b"endobj\n"
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n" + "".join(
        f"{place:010} 00000 n \n" for place in places
    )
    end = f"trailer<</Size {len(objects) + 1}/Root 1 0 R{trailer}>>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + table.encode() + end.encode()


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
