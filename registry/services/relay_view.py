"""What a relayed act looks like in answers: what `polreg relay` prints and the API sends."""

from __future__ import annotations

from typing import Any

from registry.chain.addresses import checksummed
from registry.core.calendar import iso_or_none, iso_time
from registry.core.chain_id import caip10
from registry.core.signed_act import read_signed_act
from registry.core.submission import Submission
from registry.services.relaying import Progress


def shown(found: Progress) -> dict[str, Any]:
    """The act, who signed and who pays, and how far it has come."""
    row, acts = found.row, read_signed_act(found.row.content).acts
    sent = found.transaction
    return {
        "id": "0x" + row.id.hex(),
        "stage": found.stage.value,
        "reason": row.reason,
        "contract": caip10(acts.chain_id, checksummed(acts.contract)),
        "registrar": checksummed(acts.registrar),
        "relay": checksummed(row.account),
        "received_at": iso_time(row.received_at),
        "deadline": iso_time(acts.deadline),
        "acts": [_act(each) for each in acts.submissions],
        "transaction": None if sent is None else "0x" + sent.attempt.transaction.hex(),
        "block": None if sent is None else sent.attempt.block,
        "gas_used": None if sent is None else sent.gas_used,
        "entry": found.entry,
    }


def _act(submission: Submission) -> dict[str, Any]:
    return {
        "policy_id": submission.policy.policy_id.hex(),
        "authority": submission.policy.authority,
        "action": submission.action.word,
        "sequence": submission.sequence,
        "effective_on": iso_or_none(submission.effective_on),
        "document": submission.document.hex() if submission.document else None,
        "manifest": submission.manifest.hex(),
    }
