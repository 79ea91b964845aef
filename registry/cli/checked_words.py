"""How answers on files are printed: in words, and as JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from registry.cli import common
from registry.cli.issue_words import issuers_in_words, marks_in_words
from registry.cli.text_words import headline, say_text, told_of

if TYPE_CHECKING:
    from registry.core.verdict import MemberOf, Registration, Verdict
    from registry.services.verify import CheckedFile

MANIFEST_NEEDED = (
    "the log does not hold the manifest, which may name a last day: get a receipt that shows it"
)


def _needs_manifest(each: CheckedFile) -> bool:
    """Whether the mirror lacks the manifest. What a receipt lacks is said with the receipt."""
    from registry.core.verdict import Evidence, Unsettled

    verdict = each.verdict
    if verdict is None or verdict.evidence is not Evidence.MIRROR:
        return False
    return verdict.unsettled is Unsettled.LAST_DAY_UNKNOWN


_REMEMBERED = 1000


def print_checked_json(context: dict[str, Any], checked: list[CheckedFile], on: Any) -> None:
    """One object, a file a line, written as it goes. A verdict that many files share is serialised
    once, as long as there are few others."""
    import orjson

    from registry.services import answers

    fragments: dict[int, orjson.Fragment] = {}
    out = sys.stdout.buffer
    out.write(b'{"registry":' + orjson.dumps(context))
    out.write(b',"summary":' + orjson.dumps(_summary(checked)) + b',"files":[\n')
    between = b""
    for each in checked:
        value: dict[str, Any] = {"file": _utf8(each.path)}
        if each.verdict is None:
            value["error"] = answers.error(each.error)
        else:
            key = id(each.verdict)
            if key not in fragments:
                if len(fragments) == _REMEMBERED:
                    fragments.clear()
                shown = answers.verdict(each.verdict, on)
                fragments[key] = orjson.Fragment(orjson.dumps(shown))
            value["size"], value["verdict"] = each.size, fragments[key]
        out.write(between + orjson.dumps(value))
        between = b",\n"
    out.write(b"\n]}\n")
    out.flush()


def _utf8(path: str) -> str:
    """A file name as JSON can hold it; bytes that are not UTF-8 become escapes."""
    return path.encode("utf-8", "backslashreplace").decode()


def _summary(checked: list[CheckedFile]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in checked:
        counts[each.word] = counts.get(each.word, 0) + 1
    return dict(sorted(counts.items()))


_FEW = 5
_LISTED = 20


def say_checked(checked: list[CheckedFile], *, steps: bool = True) -> None:
    """What was found, in words; `steps` are what was done for it."""
    if len(checked) <= _FEW:
        for each in checked:
            _say_one(each, steps=steps)
        return
    noteworthy = [each for each in checked if each.exit_code in {1, 2, 3}]
    noteworthy += [each for each in checked if each.exit_code == 4]
    for each in noteworthy[:_LISTED]:
        reason = f" ({each.error})" if each.error else ""
        common.say(f"{each.word.replace('_', ' ')}: {each.path}{reason}")
    if len(noteworthy) > _LISTED:
        common.say(f"… and {len(noteworthy) - _LISTED} more like these; --json lists them all")
    common.say(f"{len(checked)} files:")
    for word, count in _summary(checked).items():
        common.say(f"  {count:>7}  {word.replace('_', ' ')}")
    if any(_needs_manifest(each) for each in checked):
        common.say(f"last day unknown: {MANIFEST_NEEDED}")


def _say_one(each: CheckedFile, *, steps: bool) -> None:
    from registry.core.calendar import iso_or_none, iso_time

    common.say(each.path)
    if each.verdict is None:
        common.say(f"  could not check: {each.error}")
        return
    verdict = each.verdict
    common.say(f"  sha256 {verdict.sha256.hex()}")
    lead = verdict.leading
    if verdict.only_by_others:
        others = ", ".join(dict.fromkeys(each.authority for each in verdict.registrations))
        common.say(f"  not by {verdict.expected}: this exact file is registered, by {others}")
    elif lead is None:
        common.say(f"  {_unknown(verdict)}")
        say_text(verdict)
        return
    else:
        common.say(f"  exact: as published · {told_of(lead)} · {lead.finality.value}")
    for found in verdict.registrations:
        common.say(f"  {' / '.join(found.title.values()) or '(no readable manifest)'}")
        role = "" if found.role.value == "document" else f", {found.role.value}"
        role += ", endorses another authority's policy" if found.endorses else ""
        common.say(
            f"    {found.authority} {found.number or '(number not known)'}"
            f", version {found.version} of {found.versions}{role}"
            + (f" ({told_of(found)})" if lead is None or told_of(found) != told_of(lead) else "")
        )
        since = iso_or_none(found.since)
        block = "" if found.block is None else f" in block {found.block}"
        common.say(
            f"    applies from {since or 'no stated date'}; recorded {iso_time(found.recorded_at)} "
            f"as entry {found.entry}{block} by {found.registrar}"
        )
        if found.collection is not None:
            common.say(f"    {_member_of(found.collection)}")
        common.say(f"    policy {found.policy_id.hex()}")
        _say_issue(found)
    if steps and len(verdict.steps) > _FEW:
        common.say(f"  checked: {len(verdict.steps)} steps, which all hold; --explain prints them")
    elif steps:
        common.say(f"  checked: {'; '.join(verdict.steps)}")
    if _needs_manifest(each):
        common.say(f"  {MANIFEST_NEEDED}")


def _unknown(verdict: Verdict) -> str:
    if not verdict.unsearched or verdict.text_accepted:
        return headline(verdict)
    return (
        f"could not check: not found, but the members of {verdict.unsearched} collection(s) are "
        "not known here, and it may be one: see polreg collection list"
    )


def _member_of(found: MemberOf) -> str:
    called = " / ".join(found.title.values()) or found.number or found.root.hex()
    number = f" ({found.number})" if found.number else ""
    return f"member {found.index + 1} of the {found.members} of the collection {called}{number}"


def _say_issue(found: Registration) -> None:
    """Who issued it together, and whose keys are not to be trusted."""
    from registry.services import answers

    shown = answers.registration(found)
    for line in issuers_in_words(shown["issuers"]):
        common.say(f"    {line}")
    for line in marks_in_words(shown["compromised"], found.entry, doubted=found.doubted):
        common.say(f"    {line}")
