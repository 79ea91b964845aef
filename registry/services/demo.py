"""The demonstration: a registry of the catalogue's 23 published policies.

Two transactions publish everything; what an earlier run already published is left alone.
Beside the registry a folder is filled with files to try: as published, altered by one
character, an older version, a repealed one, and the draft that never was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from registry.chain.client import Client
from registry.core.calendar import parse_day
from registry.core.digest import sha256
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action
from registry.core.lifecycle import PolicyState, Status
from registry.core.policy import PolicyKey, policy_key
from registry.demo.catalogue import (
    AMENDMENT,
    REPEAL,
    DemoPolicy,
    authorities,
    document,
    policies,
)
from registry.errors import InputError
from registry.services.authorities import become_registrar, open_authority
from registry.services.outbox import Outbox
from registry.services.texts.registering import Registering

_ALTERED = "altered-copy.md"


@dataclass(frozen=True, slots=True)
class Sample:
    """A file to try, and what it shows."""

    path: Path
    shows: str


def open_demo_authorities(client: Client, outbox: Outbox) -> int:
    """Open every authority of the catalogue that is not open yet; returns how many."""
    listed = authorities()
    states = client.open_authorities([each.code for each in listed])
    missing = [each for each, is_open in zip(listed, states, strict=True) if not is_open]
    for each in missing:
        names = {"zh": each.name_zh, "en": each.name_en}
        open_authority(each.code, names, None, client, outbox, with_registrar=False)
    become_registrar(_publishers(), client, outbox)
    return len(missing)


Texts = tuple[Registering, Path]
"""What registers what documents say, and the folder that `write_samples` put them into."""


def publish_demo(client: Client, outbox: Outbox, texts: Texts | None = None) -> int:
    """Publish the policies, the joint issues' endorsements, the amendment and the repeal.
    Returns the number of acts."""
    catalogue = [each for each in policies() if each.published]
    first = [_publication(each, catalogue) for each in catalogue]
    later = [*_endorsements(catalogue), *_later_acts(catalogue)]
    return sum(_record_new(each, client, outbox, texts) for each in (first, later))


def write_samples(folder: Path) -> list[Sample]:
    """Fill `folder` with the documents and the files to try."""
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = {each.id: each for each in policies()}
    names = [each.document_name for each in catalogue.values()] + [AMENDMENT.document_name]
    for name in names:
        (folder / name).write_bytes(document(name))
    current = folder / AMENDMENT.document_name
    altered = folder / _ALTERED
    altered.write_bytes(current.read_bytes().replace(b"every year", b"every second year"))
    draft = next(each for each in catalogue.values() if not each.published)
    return [
        Sample(current, "the current version, as published"),
        Sample(altered, "a copy of it with a few words altered"),
        Sample(folder / catalogue[AMENDMENT.policy].document_name, "its older version"),
        Sample(folder / catalogue[REPEAL.policy].document_name, "a policy that was repealed"),
        Sample(folder / draft.document_name, "a draft that was never published"),
    ]


def _publishers() -> list[str]:
    published = [each for each in policies() if each.published]
    codes = {each.authority for each in published}
    return sorted(codes | {co.code for each in published for co in each.co_issuers})


def _publication(policy: DemoPolicy, catalogue: list[DemoPolicy]) -> Draft:
    relations = [
        {"type": each.type, "policy": _key_of(each.policy, catalogue).policy_id.hex()}
        if each.policy is not None
        else {"type": each.type, "citation": str(each.citation)}
        for each in policy.relations
    ]
    return Draft(
        action=Action.PUBLISH,
        authority=policy.authority,
        number=policy.number,
        title=policy.title,
        document=_described(policy.document_name),
        type=policy.type,
        issued=None if policy.issued is None else parse_day(policy.issued),
        relations=relations,
        jurisdiction=policy.jurisdiction,
        extra={"issued_month": policy.issued_month} if policy.issued_month else {},
    )


def _endorsements(catalogue: list[DemoPolicy]) -> Iterator[Draft]:
    """Each co-issuing authority's own entry, with the same document."""
    for policy in catalogue:
        lead = _publication(policy, catalogue)
        endorses = [{"type": "endorses", "policy": lead.key.policy_id.hex()}]
        for each in policy.co_issuers:
            yield replace(lead, authority=each.code, relations=endorses)


def _later_acts(catalogue: list[DemoPolicy]) -> list[Draft]:
    published = {each.id: _publication(each, catalogue) for each in catalogue}
    return [
        replace(
            published[AMENDMENT.policy],
            action=Action.AMEND,
            document=_described(AMENDMENT.document_name),
            issued=None,
            effective_from=parse_day(AMENDMENT.effective_from),
            reason=AMENDMENT.reason,
        ),
        replace(
            published[REPEAL.policy],
            action=Action.REPEAL,
            document=None,
            issued=None,
            effective_from=parse_day(REPEAL.effective_from),
            reason=REPEAL.reason,
            extra={},
        ),
    ]


def _record_new(drafts: list[Draft], client: Client, outbox: Outbox, texts: Texts | None) -> int:
    states = client.policies([each.key for each in drafts])
    new = [each for each in zip(drafts, states, strict=True) if not _done(*each)]
    told = _with_texts([draft for draft, _ in new], texts)
    submissions = [draft.submission(state) for draft, (_, state) in zip(told, new, strict=True)]
    outbox.record(submissions, [draft.called for draft in told])
    return len(submissions)


def _with_texts(drafts: list[Draft], texts: Texts | None) -> list[Draft]:
    if texts is None:
        return drafts
    registering, folder = texts
    names = [(each.document and each.document.name) or "" for each in drafts]
    told: list[Draft] = []
    for each in registering.prepared(drafts, [folder / name for name in names]):
        if isinstance(each, InputError):
            raise each
        told.append(each)
    return told


def _done(draft: Draft, state: PolicyState) -> bool:
    """Whether an earlier run already did this: each policy has at most one later act."""
    if draft.action is Action.PUBLISH:
        return state.status is not Status.NONE
    return state.sequence > 1


def _key_of(identity: str, catalogue: list[DemoPolicy]) -> PolicyKey:
    found = next(each for each in catalogue if each.id == identity)
    return policy_key(found.authority, found.number)


def _described(name: str) -> FileDescription:
    content = document(name)
    return FileDescription(
        sha256=sha256(content),
        size=len(content),
        name=name,
        media_type="text/markdown",
        language="en",
    )
