"""An audit's report as a page that stands by itself and prints well: no script, nothing loaded
from anywhere. Names of files and titles come from strangers: all of them are escaped. No IO."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from registry.core.auditing.findings import Finding, Missing, Outcome
from registry.core.auditing.report import Heading, Totals, changes_of, note_on

_COLOURS = {
    Outcome.IN_FORCE: "#1a7f4b",
    Outcome.NOT_IN_FORCE: "#8a6d00",
    Outcome.SAME_TEXT: "#2b6cb0",
    Outcome.ALTERED: "#b42318",
    Outcome.OTHERS: "#7a3e9d",
    Outcome.UNKNOWN: "#6b2d1f",
    Outcome.NOT_CHECKED: "#5f6b7a",
}
_TAGS = {"same": "span", "deleted": "del", "inserted": "ins"}
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; color: #1d2733;
  max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.result { font-size: 1.15rem; border-left: 5px solid; padding: .5rem .9rem; background: #f6f8fa; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 1rem 0; }
dt { color: #5f6b7a; } dd { margin: 0; overflow-wrap: anywhere; }
code, .hash { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .87em; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; overflow-wrap: anywhere;
  border-bottom: 1px solid #dde3ea; }
th { color: #5f6b7a; font-weight: 600; white-space: nowrap; }
.tag { display: inline-block; padding: 0 .45rem; border-radius: .7rem; color: #fff;
  white-space: nowrap; font-size: .82rem; }
.number { text-align: right; white-space: nowrap; }
article { border: 1px solid #dde3ea; border-radius: .4rem; padding: .6rem .9rem; margin: .8rem 0; }
article h3 { margin: 0; font-size: 1rem; overflow-wrap: anywhere; }
article p { white-space: pre-line; }
ins { background: #d9f2e3; text-decoration: underline; } del { background: #fbdcd8; }
.note { color: #5f6b7a; } svg text { font: 13px system-ui, sans-serif; }
@media print {
  body { max-width: none; margin: 0; font-size: 10.5pt; } @page { margin: 16mm 14mm; }
  thead { display: table-header-group; } tr, article { break-inside: avoid; }
  h2 { break-after: avoid; } .tag { color: #000; border: 1px solid #888; }
}
"""

_SHOWN_CHANGES = 200


def page_pieces(
    heading: Heading, totals: Totals, findings: Callable[[], Iterable[Finding]]
) -> Iterator[bytes]:
    """The page, in pieces. `findings` gives them from the beginning each time it is called."""
    for piece in _page(heading, totals, findings):
        yield piece.encode("utf-8", "backslashreplace")


def _page(
    heading: Heading, totals: Totals, findings: Callable[[], Iterable[Finding]]
) -> Iterator[str]:
    title = f"Audit of {heading.source}"
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
    )
    yield f"<h1>{escape(title)}</h1>"
    colour = _COLOURS[_worst(totals)]
    yield f'<p class="result" style="border-color:{colour}">{escape(totals.sentence)}</p>'
    yield _checkpoint(heading)
    yield _chart(totals)
    yield _missing(totals.missing)
    yield from _altered(findings())
    yield from _attention(findings())
    yield _duplicates(totals.duplicates)
    yield from _all(findings())
    yield _how(heading)
    yield "</main></body></html>\n"


def _worst(totals: Totals) -> Outcome:
    for each in (
        Outcome.ALTERED,
        Outcome.UNKNOWN,
        Outcome.OTHERS,
        Outcome.SAME_TEXT,
        Outcome.NOT_CHECKED,
        Outcome.NOT_IN_FORCE,
    ):
        if totals.counts.get(each):
            return each
    return Outcome.UNKNOWN if totals.missing else Outcome.IN_FORCE


def _checkpoint(heading: Heading) -> str:
    registry = heading.registry
    block, log = registry["block"], registry["log"]
    rows = {
        "Made": heading.made_at,
        "For the day": heading.on,
        "Expected": heading.expected or "nothing in particular",
        "Registry": registry["contract"],
        "Block": f"{block['number']}, {block['time'] or ''} {block['hash']}",
        "Log": f"{log['size']} entries, root {log['root']}",
    }
    if registry.get("closed"):
        rows["Closed"] = f"the registry was closed, and goes on at {registry['closed']}"
    if registry.get("note"):
        rows["Note"] = f"This is {registry['note']}."
    told = "".join(f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in rows.items())
    return f"<dl>{told}</dl>"


_BAR, _LINE, _LEFT = 420, 26, 190


def _chart(totals: Totals) -> str:
    """How many files there are of each outcome, as bars with their numbers."""
    shown = [(each, totals.counts[each]) for each in Outcome if totals.counts.get(each)]
    if not shown:
        return ""
    most, height = max(count for _, count in shown), _LINE * len(shown) + 6
    bars = []
    for place, (outcome, count) in enumerate(shown):
        y, width = place * _LINE + 4, max(2, _BAR * count // most)
        bars.append(
            f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(outcome.value)}</text>'
            f'<rect x="{_LEFT}" y="{y}" width="{width}" height="18" rx="2" '
            f'fill="{_COLOURS[outcome]}"/>'
            f'<text x="{_LEFT + width + 6}" y="{y + 14}">{count:,}</text>'
        )
    said = "; ".join(f"{outcome.value}: {count:,}" for outcome, count in shown)
    return (
        f"<h2>{totals.files:,} files</h2>"
        f'<svg role="img" aria-label="{escape(said)}" width="100%" style="max-width:46rem" '
        f'viewBox="0 0 {_LEFT + _BAR + 90} {height}">{"".join(bars)}</svg>'
    )


def _missing(missing: Sequence[Missing]) -> str:
    if not missing:
        return ""
    rows = "".join(
        f"<tr><td>{escape(each.authority)}</td><td>{escape(each.number or '')}</td>"
        f"<td>{escape(_title(each.title))}</td><td>{escape(each.why.value)}"
        f"{_small(each.file)}</td><td>{_hash(each.sha256)}</td></tr>"
        for each in missing
    )
    return (
        f"<h2>Missing: {len(missing):,}</h2><table><thead><tr><th>Authority<th>Number<th>Title"
        f"<th>Why<th>Document, SHA-256</tr></thead><tbody>{rows}</tbody></table>"
    )


def _altered(findings: Iterable[Finding]) -> Iterator[str]:
    begun = False
    for each in findings:
        if each.outcome is not Outcome.ALTERED or each.verdict is None:
            continue
        if not begun:
            yield "<h2>Altered: what differs from the registered text</h2>"
            begun = True
        lead = each.lead or {}
        yield (
            f"<article><h3>{escape(each.file)}</h3>"
            f'<p class="note">beside {escape(_policy(lead))}{_hash(each.sha256)}</p>'
            f"{_changes(changes_of(each.verdict))}</article>"
        )


def _changes(changes: Sequence[Mapping[str, Any]]) -> str:
    if not changes:
        return "<p>Its clauses are the registered ones; only how they are numbered differs.</p>"
    told = "".join(map(_change, changes[:_SHOWN_CHANGES]))
    more = len(changes) - _SHOWN_CHANGES
    return told + (f"<p>… and {more:,} clauses more</p>" if more > 0 else "")


def _change(change: Mapping[str, Any]) -> str:
    """One clause: its label, what happened to it, and what was deleted and inserted."""
    place = " ".join([change["label"], *change["places"]])
    runs = "".join(
        f"<{_TAGS[run['kind']]}>{escape(run['text'])}</{_TAGS[run['kind']]}>"
        for run in change["redline"] or ()
    )
    body = runs or '<span class="note">what it said is not kept here: only its hash is</span>'
    if change["change"] == "moved":
        body = (
            f"now {escape(change['new_label'] or '')}, before {escape(change['old_label'] or '')}"
        )
    return f"<p><b>{escape(place)}</b> {escape(change['change'])}<br>{body}</p>"


def _attention(findings: Iterable[Finding]) -> Iterator[str]:
    """What is neither as published and in force nor altered, with the reason."""
    begun = False
    for each in findings:
        if each.outcome in {Outcome.IN_FORCE, Outcome.ALTERED}:
            continue
        if not begun:
            yield (
                "<h2>To be looked at</h2><table><thead><tr><th>File<th>Result<th>Why"
                "</tr></thead><tbody>"
            )
            begun = True
        yield (
            f"<tr><td>{escape(each.file)}</td><td>{_tag(each.outcome)}</td>"
            f"<td>{escape(_why(each))}</td></tr>"
        )
    if begun:
        yield "</tbody></table>"


def _why(found: Finding) -> str:
    if found.verdict is None:
        return str((found.error or {}).get("message") or "it could not be read")
    verdict, lead = found.verdict, found.lead or {}
    if found.outcome is Outcome.NOT_CHECKED:
        return str(verdict["unsettled"] or "collections whose members are not known here").replace(
            "_", " "
        )
    if found.outcome is Outcome.UNKNOWN:
        return note_on(verdict) or "no document of the registry has these bytes or this text"
    if found.outcome is Outcome.SAME_TEXT:
        return ": ".join(each for each in (_policy(lead), note_on(verdict)) if each)
    if found.outcome is Outcome.OTHERS:
        others = dict.fromkeys(str(each["authority"]) for each in verdict["registrations"])
        return f"not by {verdict['expected_authority']}, by {', '.join(others)}"
    standing = str(verdict["standing"] or verdict["unsettled"] or "").replace("_", " ")
    said = [standing, _policy(lead), note_on(verdict)]
    if verdict.get("doubted"):
        said.insert(1, "recorded by a key that was reported compromised")
    return ": ".join(each for each in said if each)


def _duplicates(groups: Sequence[Sequence[str]]) -> str:
    if not groups:
        return ""
    items = "".join(f"<li>{'<br>'.join(map(escape, group))}</li>" for group in groups)
    return f"<h2>Files with the same bytes</h2><ul>{items}</ul>"


def _all(findings: Iterable[Finding]) -> Iterator[str]:
    yield (
        "<h2>All files</h2><table><thead><tr><th>File<th>Result<th>Policy<th>Finality"
        "<th>SHA-256</tr></thead><tbody>"
    )
    for each in findings:
        verdict = each.verdict or {}
        yield (
            f"<tr><td>{escape(each.file)}</td><td>{_tag(each.outcome)}</td>"
            f"<td>{escape(_policy(each.lead or {}))}</td>"
            f"<td>{escape(str(verdict.get('finality') or ''))}</td>"
            f"<td>{_hash(each.sha256)}</td></tr>"
        )
    yield "</tbody></table>"


def _how(heading: Heading) -> str:
    return (
        "<h2>How to check this</h2><p>The SHA-256 of a file is what <code>sha256sum</code> prints. "
        "Each was looked up in a copy of the registry's log whose root was compared with the "
        f"contract's, <code>{escape(str(heading.registry['contract']))}</code>. "
        "<code>polreg verify FILE</code> asks again; <code>polreg prove FILE</code> makes a "
        "receipt that anybody can check without this registry.</p>"
    )


def _policy(lead: Mapping[str, Any]) -> str:
    if not lead:
        return ""
    title = _title(lead.get("title") or {})
    return f"{lead['authority']} {lead['number'] or ''}, version {lead['version']}: {title}"


def _title(title: Mapping[str, str]) -> str:
    return " / ".join(title.values())


def _tag(outcome: Outcome) -> str:
    return f'<span class="tag" style="background:{_COLOURS[outcome]}">{outcome.value}</span>'


def _hash(sha256: str | None) -> str:
    return f' <span class="hash">{escape(sha256)}</span>' if sha256 else ""


def _small(text: str | None) -> str:
    return f' <span class="note">{escape(text)}</span>' if text else ""
