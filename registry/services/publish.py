"""Publishing one act: from a draft to an entry in the log.

The draft is checked against the contract's own state of the policy, written into the outbox,
and found in the log before it is called published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from registry.chain.client import Client
from registry.chain.sender import Receipt
from registry.core.authority import check_code
from registry.core.digest import sha256
from registry.core.draft import Draft
from registry.core.entry import Action
from registry.core.joint import named_issuers
from registry.core.manifest import read
from registry.core.submission import Submission
from registry.core.units import Digest, EntryIndex
from registry.errors import Inconsistent, Rejected
from registry.mirror.compromised import mark_of, reports
from registry.mirror.engine import Engine, reading
from registry.mirror.queries import history, policies_with_prefix
from registry.mirror.registrations import title_of
from registry.mirror.store import entry_of
from registry.services.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Published:
    """An act that is in the log."""

    policy_id: Digest
    entry: EntryIndex
    sequence: int
    submission: Submission
    receipt: Receipt


def publish(
    draft: Draft, client: Client, outbox: Outbox, *, digest_only: bool = False
) -> Published:
    """Record one act and say where it is. One that is on its way, or was just recorded, is not
    recorded again: the command that was interrupted is simply run once more."""
    if not client.open_authorities([check_code(draft.authority)])[0]:
        raise Rejected(
            f"the authority {draft.authority} is not open in this registry",
            hint="check its code with polreg authority list, or open it: "
            f"polreg authority open {draft.authority}",
        )
    state = client.policy(draft.key)
    again = outbox.latest(draft.key, state.sequence, sha256(draft.manifest()))
    if again is None:
        submission = draft.submission(state, digest_only=digest_only)
        (act,) = outbox.record([submission], [draft.called])
    else:
        (act,) = outbox.drive([again.id])
    if act.entry is None:
        raise Inconsistent("the act was mined and its entry is not in its transaction's logs")
    submission = act.submission
    entry = EntryIndex(act.entry)
    receipt = outbox.receipt_of(act)
    return Published(draft.key.policy_id, entry, submission.sequence, submission, receipt)


def completed(draft: Draft, engine: Engine) -> Draft:
    """The draft with title and type as they stand, where it gives none of its own: every
    manifest is to be readable by itself."""
    with reading(engine) as connection:
        rows = policies_with_prefix(connection, draft.key.policy_id.hex())
        if not rows:
            return draft
        present, known = history(connection, rows[0].id), reports(connection)
    latest = next(each for each in present if each.entry == rows[0].document)
    again = draft.document is not None and latest.document == draft.document.sha256
    # What a reported key recorded may be the authority's own: it says so by a Correct.
    confirms = draft.action is Action.CORRECT and mark_of(known, latest) is not None
    if again and not confirms and draft.action is not Action.PUBLISH:
        raise Rejected(
            f"this file already is the current document of {draft.called}",
            hint="it needs no second act: look at it with polreg history",
        )
    return replace(
        draft,
        title=draft.title or title_of(rows[0]),
        type=draft.type or rows[0].type,
        jurisdiction=draft.jurisdiction or rows[0].jurisdiction,
        issued_with=_issued_with(draft, latest),
    )


def _issued_with(draft: Draft, latest: Any) -> Sequence[str]:
    """Those who issue the next version: those of the version before, where none are named."""
    if draft.issued_with or not draft.action.carries_document:
        return draft.issued_with
    manifest = read(entry_of(latest), latest.content).manifest
    return named_issuers(None if manifest is None else manifest.fields)
