"""Answers as plain values: what `--json` prints and what the API sends.

One shape for both. Bytes become hexadecimal, days and moments RFC 3339, and every
answer names the chain, the contract, the block, the log and the mirror's age.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from registry.chain.addresses import checksummed
from registry.core.authority import Role
from registry.core.calendar import LAST_DAY, iso_date, iso_or_none, iso_time
from registry.core.chain_id import caip2, caip10, is_development
from registry.core.compromise import Mark, Report, doubted
from registry.core.compromise import mark as mark_on
from registry.core.joint import Issuer
from registry.core.position import Position
from registry.core.timeline import Standing
from registry.core.units import Address, Day, EntryIndex
from registry.core.verdict import Evidence, MemberOf, Registration, Verdict, unsettled
from registry.errors import RegistryError
from registry.mirror.engine import Engine, reading
from registry.mirror.registrations import title_of
from registry.services.verify import required_position

if TYPE_CHECKING:
    from registry.core.receipt_check import ShownPolicy, Trace
    from registry.core.text.clauses import TextRecord
    from registry.mirror.member_listing import ListedMember
    from registry.mirror.texts import ClauseList, RegisteredText
    from registry.services.lookup import FoundAuthority, FoundPolicy
    from registry.services.publish import Published

DEVELOPMENT_NOTE = "a local development chain, worth no more than this machine"


def context(position: Position) -> dict[str, Any]:
    """Where an answer comes from. `closed` is the successor of a registry that was closed."""
    synced_at = position.synced_at or 0
    return {
        "chain": caip2(position.chain_id),
        "contract": caip10(position.chain_id, checksummed(position.contract)),
        "block": {
            "number": position.block,
            "hash": "0x" + position.block_hash.hex(),
            "time": iso_time(position.block_time),
        },
        "log": {"size": position.size, "root": position.root.hex()},
        "mirror": {
            "synced_at": iso_time(synced_at),
            "lag_seconds": max(0, int(time.time()) - synced_at),
        },
        "closed": None if position.closed is None else checksummed(position.closed),
        "development": is_development(position.chain_id),
        "note": DEVELOPMENT_NOTE if is_development(position.chain_id) else None,
    }


def receipt_context(shown: ShownPolicy, *, compared: bool) -> dict[str, Any]:
    """Where an answer from a receipt comes from: the same, without a mirror. `compared` is
    whether the contract is known to be the one that is meant; `node_block` the block at
    which a node was asked for the policy's latest act."""
    receipt, anchor = shown.receipt, shown.anchor
    asked = anchor is not None and anchor.evidence is Evidence.CHAIN
    development = is_development(receipt.chain_id)
    return {
        "chain": caip2(receipt.chain_id),
        "contract": caip10(receipt.chain_id, checksummed(receipt.contract)),
        "block": {
            "number": receipt.block.number,
            "hash": "0x" + receipt.block.hash.hex(),
            "time": None,
        },
        "log": {"size": receipt.size, "root": receipt.root.hex()},
        "mirror": None,
        "contract_compared": compared,
        "node_block": anchor.policy_block if anchor and asked else None,
        "later_acts": shown.later,
        "contract_status": shown.status.word,
        "closed": anchor.closed if anchor else None,
        "development": development,
        "note": DEVELOPMENT_NOTE if development else None,
    }


def workspace_context(engine: Engine) -> dict[str, Any]:
    """Where an answer comes from, read from the mirror as it is now."""
    with reading(engine) as connection:
        return context(required_position(connection))


def published(done: Published) -> dict[str, Any]:
    """An act that is in the log."""
    submission = done.submission
    return {
        "policy_id": done.policy_id.hex(),
        "authority": submission.policy.authority,
        "action": submission.action.word,
        "entry": done.entry,
        "sequence": done.sequence,
        "document": submission.document.hex() if submission.document else None,
        "manifest": submission.manifest.hex(),
        "effective_on": iso_or_none(submission.effective_on),
        "transaction": "0x" + done.receipt.transaction.hex(),
        "block": done.receipt.block,
        "gas_used": done.receipt.gas_used,
    }


def verdict(found: Verdict, on: Day) -> dict[str, Any]:
    """One document's verdict on a date."""
    return {
        "sha256": found.sha256.hex(),
        "match": found.match.value,
        "standing": found.standing.value if found.standing else None,
        "unsettled": found.unsettled.value if found.unsettled else None,
        "doubted": found.doubted,
        "finality": found.finality.value if found.finality else None,
        "evidence": {"source": found.evidence.value, "steps": list(found.steps)},
        "on": iso_date(on),
        "expected_authority": found.expected,
        "registrations": [registration(each) for each in found.registrations],
        "unsearched_collections": found.unsearched,
        "text": _text(found),
    }


def _text(found: Verdict) -> dict[str, Any] | None:
    if found.text is None:
        return None
    from registry.services.texts.answers import text_finding

    return text_finding(found.text)


def error(found: RegistryError | None) -> dict[str, Any]:
    """Why there is no answer. Never to be read as "no"."""
    return {
        "kind": type(found).__name__,
        "message": str(found).encode("utf-8", "backslashreplace").decode(),
        "hint": found.hint if found else None,
    }


def registration(found: Registration) -> dict[str, Any]:
    return {
        "policy_id": found.policy_id.hex(),
        "authority": found.authority,
        "number": found.number,
        "title": found.title,
        "action": found.action,
        "role": found.role.value,
        "version": found.version,
        "versions": found.versions,
        "standing": found.standing.value if found.standing else None,
        "unsettled": found.unsettled.value if found.unsettled else None,
        "since": iso_or_none(found.since),
        "finality": found.finality.value,
        "entry": found.entry,
        "current_entry": found.current,
        "recorded_at": iso_time(found.recorded_at),
        "block": found.block,
        "registrar": found.registrar,
        "endorses": found.endorses,
        "collection": None if found.collection is None else member_of(found.collection),
        "issuers": [issuer(each) for each in found.issuers],
        "compromised": (
            None if found.compromised is None else [mark(each) for each in found.compromised]
        ),
        "doubted": found.doubted,
    }


def listed_member(found: ListedMember) -> dict[str, Any]:
    """A member of a collection as a list shows it."""
    return {
        "sha256": found.sha256.hex(),
        "type": found.type,
        "issued": iso_or_none(found.issued),
        **registration(found.registration),
    }


def member_of(found: MemberOf) -> dict[str, Any]:
    """Which member of which collection a document is."""
    return {
        "root": found.root.hex(),
        "index": found.index,
        "members": found.members,
        "number": found.number,
        "title": found.title,
    }


def text_record(found: TextRecord) -> dict[str, Any]:
    """What is registered of a document's text; whatever a manifest left out is there."""
    return {"extractor": None, "salted": False, **found.fields()}


def registered_text(found: RegisteredText, listed: ClauseList | None) -> dict[str, Any]:
    """The same with where it stands, and its clauses where they are known."""
    return {
        "document": found.document.hex(),
        "policy_id": found.policy_id.hex(),
        "entry": found.entry,
        "member": found.member,
        "text": text_record(found.record),
        "clauses": (
            None
            if listed is None
            else [{"label": each.label, "sha256": each.text_hash.hex()} for each in listed.hashes]
        ),
    }


def collection(row: Any) -> dict[str, Any]:
    """An entry that is a collection, from a row of mirror.members. `held`: its members are known
    here."""
    return {
        "root": row.root.hex(),
        "members": row.size,
        "policy_id": row.policy_id.hex(),
        "authority": row.authority,
        "number": row.number,
        "title": title_of(row),
        "entry": row.entry,
        "version": row.version,
        "recorded_at": iso_time(row.recorded_at),
        "held": bool(row.held),
    }


def issuer(found: Issuer) -> dict[str, Any]:
    """A body that issues a document, and what it has said of it."""
    return {
        "authority": found.authority,
        "state": found.state.value,
        "named": found.named,
        "policy_id": found.policy_id.hex() if found.policy_id else None,
    }


def mark(found: Mark) -> dict[str, Any]:
    """An act by a key that was reported compromised, and the report."""
    report = found.report
    return {
        "entry": found.entry,
        "account": checksummed(report.account),
        "since": iso_time(report.since),
        "reported_by": report.authority,
        "report": report.entry,
    }


def shown_policy(found: FoundPolicy) -> dict[str, Any]:
    """One policy with all that is known of it."""
    marked = tuple(found.compromised.values())
    row = found.row
    return {
        **policy(row, found.position, found.endorsed_by),
        "text": None if found.text is None else text_record(found.text),
        "issuers": [issuer(each) for each in found.issuers],
        "compromised": [mark(each) for each in marked],
        "doubted": doubted(marked, EntryIndex(row.document_entry), EntryIndex(row.head)),
    }


def policy(row: Any, position: Position, endorsed_by: Sequence[Any] = ()) -> dict[str, Any]:
    """A policy as a list shows it, from a row of mirror.listing and where the mirror stood."""
    from registry.core.lifecycle import Status

    standing = Standing(row.standing)
    why = unsettled(
        standing, closed=position.closed is not None, manifest_known=bool(row.manifest_known)
    )
    return {
        "policy_id": row.policy_id.hex(),
        "authority": row.authority,
        "number": row.number,
        "title": title_of(row),
        "type": row.type,
        "jurisdiction": row.jurisdiction,
        "issued": iso_or_none(row.issued),
        "status": Status(row.status).word,
        "standing": standing.value if why is None else None,
        "unsettled": why.value if why else None,
        "since": iso_or_none(row.since),
        "until": None if row.until > LAST_DAY else iso_date(row.until),
        "version": row.version,
        "versions": row.versions,
        "document": row.document.hex(),
        "entry": row.document_entry,
        "sequence": row.sequence,
        "head": row.head,
        "recorded_at": iso_time(row.recorded_at),
        "endorses": row.endorses,
        "endorsed_by": [
            {"policy_id": each.policy_id.hex(), "authority": each.authority} for each in endorsed_by
        ],
        # Of the one policy alone: `shown_policy`.
        "text": None,
        "issuers": None,
        "compromised": None,
        "doubted": None,
    }


def history_entry(row: Any, marked: Mark | None = None) -> dict[str, Any]:
    """One entry of a policy's history, from a row of `entries` with its manifest, and the mark
    on it."""
    from registry.core.manifest import ManifestState, read
    from registry.mirror.store import entry_of

    entry = entry_of(row)
    reading = read(entry, row.content)
    shown = reading.manifest if reading.state is ManifestState.PRESENT else None
    return {
        "entry": entry.index,
        "previous": entry.previous,
        "sequence": entry.sequence,
        "action": entry.action.word,
        "effective_on": iso_or_none(entry.effective_on),
        "document": entry.document.hex() if entry.document else None,
        "manifest": {
            "sha256": entry.manifest.hex() if entry.manifest else None,
            "state": reading.state.value,
            "problem": reading.problem,
            "content": dict(shown.fields) if shown else None,
        },
        "registrar": checksummed(entry.registrar),
        "recorded_at": iso_time(entry.recorded_at),
        "block": row.block,
        "transaction": "0x" + row.transaction.hex(),
        "compromised": None if marked is None else mark(marked),
    }


def history_proof(shown: ShownPolicy, trace: Trace) -> dict[str, Any]:
    """What shows a policy's entries to be in the log, and to be all: as a contract takes it."""
    receipt = shown.receipt
    return {
        "checkpoint": {"size": receipt.size, "root": receipt.root.hex()},
        "entries": [
            {
                "entry": each.entry.index,
                "encoded": each.encoded.hex(),
                "path": [sibling.hex() for sibling in each.path],
            }
            for each in receipt.entries
        ],
        "steps": list(trace.steps),
    }


def authority(row: Any) -> dict[str, Any]:
    names = {"zh": row.name_zh, "en": row.name_en}
    return {
        "code": row.code,
        "name": {language: name for language, name in names.items() if name},
        "policies": row.policies,
        "opened_by_entry": row.opened,
    }


def shown_authority(found: FoundAuthority) -> dict[str, Any]:
    """An authority's grants from entry to entry, each by whom, and its reported keys."""
    return {
        "authority": authority(found.row),
        "grants": [grant(each, found.reports) for each in found.grants],
        "compromised": [compromise(each) for each in found.compromises],
    }


def grant(row: Any, reports: Collection[Report]) -> dict[str, Any]:
    def change(entry: int, at: int, by: bytes) -> dict[str, Any]:
        marked = mark_on(reports, EntryIndex(entry), row.authority, by, at)
        return {
            "entry": entry,
            "at": iso_time(at),
            "by": checksummed(Address(by)),
            "compromised": None if marked is None else mark(marked),
        }

    return {
        "account": checksummed(Address(row.account)),
        "role": Role(row.role).name.lower(),
        "appointed": change(row.appointed, row.appointed_at, row.appointed_by),
        "dismissed": (
            None
            if row.dismissed is None
            else change(row.dismissed, row.dismissed_at, row.dismissed_by)
        ),
    }


def compromise(row: Any) -> dict[str, Any]:
    return {
        "account": checksummed(Address(row.account)),
        "since": iso_time(row.since),
        "entry": row.entry,
    }
