"""Two versions of a policy as one HTML file: it needs nothing else, prints well, and is read aloud
as it is seen. All that comes from documents and manifests is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from registry.core.calendar import iso_or_none, iso_time
from registry.core.text.comparing import Change, Row
from registry.core.text.finding import Compared, places
from registry.core.text.redline import Kind, Run
from registry.mirror.registrations import title_of
from registry.services.texts.versions import Difference, Version

_STYLE = """
body{font:16px/1.6 system-ui,"Noto Sans CJK SC",sans-serif;max-width:60rem;margin:2rem auto;
padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.4rem;line-height:1.3}h2{font-size:1.1rem;margin-top:2rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#555}dd{margin:0;
overflow-wrap:anywhere}
article{border-top:1px solid #ccc;padding:.8rem 0;break-inside:avoid-page}
article h3{font-size:1rem;margin:0 0 .3rem}article p{margin:.2rem 0;white-space:pre-wrap;
overflow-wrap:anywhere}
.change{font-weight:normal;color:#555}
del{color:#8f1d14;background:#fdecea;text-decoration:line-through}
ins{color:#0b5a2b;background:#e6f4ea;text-decoration:underline}
.aloud{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);
white-space:nowrap}
@media print{body{margin:0;max-width:none;font-size:10.5pt}}
@media (prefers-color-scheme:dark){@media screen{body{background:#161616;color:#eee}
dt,.change{color:#aaa}del{color:#ffb4ab;background:#4a1512}ins{color:#9be7b4;background:#123d22}}}
"""


def page(found: Difference, source: str) -> str:
    """The file. `source` says where it comes from: contract, block, log."""
    row = found.policy.row
    title = " / ".join(title_of(row).values()) or row.number or row.policy_id.hex()
    parts = [
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}: what changed</title>\n<style>{_STYLE}</style>\n<main>\n"
        f"<h1>{escape(title)}: what changed</h1>\n<dl>",
        *_facts("Authority", row.authority),
        *_facts("Number", row.number),
        *_facts("From", _version(found.old)),
        *_facts("To", _version(found.new)),
        *_facts("Source", source),
        "</dl>\n<h2>Clauses</h2>",
        f"<p>{escape(_counts(found.compared))}</p>\n",
        *clauses(found.compared),
        "</main>\n</html>\n",
    ]
    return "".join(parts)


def clauses(found: Compared) -> Iterator[str]:
    """Each clause to which something happened, as an article."""
    for row in found.comparison.rows:
        if row.change is not Change.UNCHANGED:
            yield _article(found, row)


def redline_html(runs: Sequence[Run]) -> str:
    """Runs as ins and del, which are also announced where they are read aloud."""
    return "".join(_run(run) for run in runs)


def _run(run: Run) -> str:
    text = escape(run.text)
    match run.kind:
        case Kind.SAME:
            return text
        case Kind.DELETED:
            return f"<del>{_aloud('[deleted: ')}{text}{_aloud(']')}</del>"
        case Kind.INSERTED:
            return f"<ins>{_aloud('[inserted: ')}{text}{_aloud(']')}</ins>"


def _aloud(words: str) -> str:
    return f'<span class="aloud">{words}</span>'


def _article(found: Compared, row: Row) -> str:
    runs = None if row.change is Change.MOVED else found.runs(row)
    label = row.label if not row.is_renumbered else f"{row.old_label} → {row.new_label}"
    where = " ".join(places(row.label, runs)) if runs and row.change is Change.CHANGED else ""
    change = "renumbered" if row.is_renumbered and row.change is Change.MOVED else row.change.value
    heading = f'{escape(f"{label} {where}".strip())} <span class="change">{change}</span>'
    if runs is not None:
        body = f"<p>{redline_html(runs)}</p>"
    elif row.change is Change.MOVED:
        body = ""
    else:
        body = "<p>What it said is not kept here: only its hash is known.</p>"
    return f"<article><h3>{heading}</h3>{body}</article>\n"


def _facts(name: str, value: str | None) -> Iterator[str]:
    if value:
        yield f"<dt>{name}</dt><dd>{escape(value)}</dd>"


def _version(found: Version) -> str:
    since = iso_or_none(found.since)
    return (
        f"version {found.number}, entry {found.entry} ({found.action}), "
        + (f"applies from {since}, " if since else "")
        + f"recorded {iso_time(found.recorded_at)}, SHA-256 {found.document.hex()}"
    )


def _counts(found: Compared) -> str:
    told = found.comparison.counts.items()
    return ", ".join(f"{count} {change.value}" for change, count in told if count) + "."
