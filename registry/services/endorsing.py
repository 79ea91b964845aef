"""A co-issuing authority's own entry in a joint issue.

The endorsement has the lead's document, and what the lead's manifest says of it, under the
co-issuing authority's own name, with the relation `endorses` to the lead's policy. Where the
lead has amended or corrected since, the endorsement follows by an amendment of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from registry.core.digest import parse_digest
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action
from registry.core.lifecycle import Status
from registry.core.manifest import Manifest, ManifestState, read
from registry.core.policy import policy_key
from registry.core.units import Day
from registry.errors import InputError, Rejected
from registry.mirror.engine import Engine, reading
from registry.mirror.queries import history, policies_with_prefix
from registry.mirror.store import entry_of
from registry.services.lookup import FoundPolicy, find_policy


@dataclass(frozen=True, slots=True)
class Endorsing:
    """What to record, and whether the lead's manifest names the authority."""

    draft: Draft
    lead: str
    named: bool


def endorsement(
    engine: Engine, words: Sequence[str], authority: str, number: str | None, on: Day
) -> Endorsing:
    """The draft by which `authority` endorses the policy that `words` name, under the lead's
    number unless another is given. Raises Rejected where there is nothing to endorse."""
    found = find_policy(engine, words, on)
    called = f"{found.row.authority} {found.row.number or found.row.policy_id.hex()[:12]}"
    manifest = _lead_manifest(found, called)
    if authority == found.row.authority:
        raise Rejected(f"{authority} leads {called}: the others endorse it")
    own = number or manifest.number
    draft = Draft(
        action=Action.PUBLISH,
        authority=authority,
        number=own,
        title=manifest.title,
        document=_file(manifest.fields["document"]),
        renditions=[_file(each) for each in manifest.renditions],
        type=manifest.type,
        issued=manifest.issued,
        effective_from=manifest.effective_from,
        effective_to=manifest.effective_to,
        relations=[{"type": "endorses", "policy": found.row.policy_id.hex()}],
        jurisdiction=manifest.jurisdiction,
        extra=_month(manifest),
    )
    named = authority in {each.authority for each in found.issuers if each.named}
    action = _action(engine, draft, found.row.policy_id.hex())
    return Endorsing(replace(draft, action=action), called, named)


def _lead_manifest(found: FoundPolicy, called: str) -> Manifest:
    """What the lead says of its latest document."""
    if found.row.endorses is not None:
        raise Rejected(
            f"{called} is an endorsement itself",
            hint=f"endorse the lead's policy: {found.row.endorses}",
        )
    if found.row.status != Status.IN_FORCE:
        raise Rejected(f"{called} is {Status(found.row.status).word}: nothing is to be endorsed")
    latest = next(each for each in reversed(found.entries) if each.document is not None)
    reading = read(entry_of(latest), latest.content)
    if reading.state is not ManifestState.PRESENT or reading.manifest is None:
        raise InputError(
            f"the manifest of {called} is {reading.state.value} here",
            hint="publish the document yourself, with --relation endorses=POLICY_ID",
        )
    if reading.manifest.is_collection or "document" not in reading.manifest.fields:
        raise InputError(f"{called} is a collection, not one document")
    return reading.manifest


def _action(engine: Engine, draft: Draft, lead: str) -> Action:
    """Publish, or Amend where the authority endorsed an older version."""
    key = policy_key(draft.authority, draft.number)
    with reading(engine) as connection:
        rows = policies_with_prefix(connection, key.policy_id.hex())
        acts = history(connection, rows[0].id) if rows else []
    if not rows:
        return Action.PUBLISH
    if rows[0].endorses != lead:
        raise Rejected(
            f"{draft.called} is a policy of its own already", hint="give another --number"
        )
    present = next(each for each in reversed(acts) if each.document is not None)
    if draft.document is not None and present.document == draft.document.sha256:
        raise Rejected(f"{draft.authority} has endorsed this document already")
    return Action.AMEND


def _file(fields: Any) -> FileDescription:
    return FileDescription(
        sha256=parse_digest(fields["sha256"]),
        size=int(fields.get("size") or 0),
        name=fields.get("name"),
        media_type=fields.get("media_type"),
        language=fields.get("language"),
    )


def _month(manifest: Manifest) -> dict[str, str]:
    month = manifest.fields.get("issued_month")
    return {"issued_month": month} if month else {}
