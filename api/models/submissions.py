"""What becomes of acts that were handed in."""

from __future__ import annotations

from api.models.base import Answer, FromRegistry, shown
from api.models.sample import DOCUMENT, MOMENT, POLICY


class SubmittedAct(Answer):
    policy_id: str = shown(POLICY)
    authority: str = shown("CN.GD.SHENZHEN")
    action: str = shown("amend")
    sequence: int = shown(2)
    """Which act of the policy it is."""
    effective_on: str | None = shown("2020-01-01")
    document: str | None = shown(DOCUMENT)
    """SHA-256."""
    manifest: str = shown(DOCUMENT)
    """SHA-256."""


class Submission(Answer):
    """A signed act that was handed in."""

    id: str = shown("0x" + "5f" * 32)
    """The EIP-712 digest that was signed."""
    stage: str = shown("included")
    """staged (kept), signed (in a transaction), sent, unknown (sent, and not known whether a node
    took it), included (in a block), finalized; or rejected, for `reason`."""
    reason: str | None = shown(None)
    """Why it was rejected, or why it waits."""
    contract: str = shown("eip155:131277322940537:0xF2E246BB76DF876Cef8b38ae84130F4F55De395b")
    """CAIP-10."""
    registrar: str = shown("0xBDd305A14F46D140896DBF202606FFE8A8754A2a")
    """Whose signature it is."""
    relay: str = shown("0x4D988C62c25eD318ada2082cfef63C36D4ce914d")
    """Who pays."""
    received_at: str = shown(MOMENT)
    deadline: str = shown(MOMENT)
    """After this the signature is void."""
    acts: list[SubmittedAct]
    transaction: str | None = shown("0x" + "7a" * 32)
    block: int | None = shown(14)
    gas_used: int | None = shown(95000)
    entry: int | None = shown(12)
    """The first act's place in the log, once the mirror has it."""


class SubmissionAnswer(FromRegistry):
    submission: Submission
