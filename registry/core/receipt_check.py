"""Checking a receipt, step by step. Each step is numbered once, here, and cited by
every failure (ProofError) and every answer.

     1  the receipt reads (registry.core.receipt)
     2  it is of the chain and the contract that were asked about
     3  the block header's keccak-256 is the block hash, and it is the checkpoint's block
     4  the account proof leads from the header's state root to the contract
     5  the storage proof leads from there to the log's size, its peaks and the policy's slot
     6  the checkpoint's size and root are the contract's at that block
     7  each entry's path leads from its leaf to that root
     8  the entries are one policy's, from its first on, none left out
     9  the policy's slot: whether the last of them is the latest there is
    10  each manifest's SHA-256 is its entry's
    11  the file is a document of one of the entries, or says what the shown clauses do
    12  what it is worth on the date
    13  the shown clauses are leaves of the text that an entry's manifest tells of

Steps 3 to 5 are done by `registry.chain.state_proof` against a block hash, or a node that
is asked takes their place; 11 to 13 by `registry.core.receipt_document`. Nothing is
trusted but the `Anchor` that is given.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.core.closing import goes_on
from registry.core.compromise import Report, marks, report_of
from registry.core.digest import sha256
from registry.core.entry import Action
from registry.core.lifecycle import PolicyState, Status
from registry.core.merkle import verify_inclusion
from registry.core.receipt import Receipt, ShownEntry, ShownReport
from registry.core.snapshot import Logged, PolicyHistory, policy_history
from registry.core.units import BlockNumber, Digest
from registry.core.verdict import Evidence, Finality
from registry.errors import Inconsistent, ProofError

CONTRACT, HEADER, ACCOUNT, STORAGE, CHECKPOINT, PATH = 2, 3, 4, 5, 6, 7
HISTORY, LATEST, MANIFEST, FILE, STANDING = 8, 9, 10, 11, 12


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the place that the verifier trusts says of the contract's log.

    `size` and `root` are the log's at the receipt's block, None where only the policy's
    slot is known; `policy` is the slot at `policy_block`, which may be a later one.
    """

    evidence: Evidence
    source: str
    size: int
    root: Digest
    policy: PolicyState
    policy_block: BlockNumber
    finality: Finality
    closed: str | None = None


@dataclass(slots=True)
class Trace:
    """The steps that were done and have held, in words."""

    steps: list[str] = field(default_factory=list)

    def held(self, step: int, words: str) -> None:
        self.steps.append(f"{step}: {words}")


@dataclass(frozen=True, slots=True)
class ShownPolicy:
    """A policy that a receipt has shown. `later` is the number of acts that the slot knows
    of and the receipt does not; `state` is None where no slot was there to compare."""

    receipt: Receipt
    history: PolicyHistory
    anchor: Anchor | None
    reports: tuple[Report, ...] = ()

    @property
    def later(self) -> int:
        if self.anchor is None:
            return 0
        return self.anchor.policy.sequence - self.history.state.sequence

    @property
    def status(self) -> Status:
        return (self.anchor.policy if self.anchor else self.history.state).status


def check_policy(receipt: Receipt, anchor: Anchor | None, trace: Trace) -> ShownPolicy:
    """Steps 6 to 10. Without an anchor 6 and 9 are left out: whoever calls must not take
    what remains for more than a receipt that agrees with itself."""
    if anchor is not None:
        _check_checkpoint(receipt, anchor, trace)
    for each in receipt.entries:
        _check_path(receipt, each)
    for report in receipt.reports:
        _check_path(receipt, report)
    count = len(receipt.entries)
    trace.held(PATH, f"{count} {'path leads' if count == 1 else 'paths lead'} to the log's root")
    history = _history(receipt)
    policy_id = receipt.entries[0].entry.policy.policy_id.hex()
    trace.held(HISTORY, f"the entries are the first {count} of policy {policy_id}, none left out")
    reports = _reports(receipt, history, trace)
    shown = ShownPolicy(receipt, history, anchor, reports)
    if anchor is not None:
        _check_slot(shown, anchor, trace)
    _check_manifests(receipt, history, trace)
    return shown


def _check_checkpoint(receipt: Receipt, anchor: Anchor, trace: Trace) -> None:
    if (receipt.size, receipt.root) != (anchor.size, anchor.root):
        raise ProofError(
            CHECKPOINT,
            f"the receipt names a log of {receipt.size} entries with root {receipt.root.hex()}; "
            f"the contract had {anchor.size} with root {anchor.root.hex()}",
        )
    trace.held(
        CHECKPOINT, f"the contract's log had {receipt.size} entries and this root ({anchor.source})"
    )


def _check_path(receipt: Receipt, each: ShownEntry | ShownReport) -> None:
    try:
        verify_inclusion(each.leaf, each.entry.index, receipt.size, each.path, receipt.root)
    except ProofError as error:
        raise ProofError(PATH, f"entry {each.entry.index} is not in the log ({error})") from None


def _history(receipt: Receipt) -> PolicyHistory:
    key = receipt.entries[0].entry.policy
    try:
        for each in receipt.entries:
            if each.entry.policy != key:
                raise Inconsistent(f"entry {each.entry.index} is another policy's")
        return policy_history([Logged(each.entry, each.manifest) for each in receipt.entries])
    except Inconsistent as error:
        raise ProofError(HISTORY, str(error)) from None


def _reports(receipt: Receipt, history: PolicyHistory, trace: Trace) -> tuple[Report, ...]:
    """The reports that the receipt shows: each marks one of the entries, or has no place here."""
    found: list[Report] = []
    for each in receipt.reports:
        index = each.entry.index
        if each.entry.action is not Action.REPORT_COMPROMISE:
            raise ProofError(HISTORY, f"entry {index} reports no key")
        if found and found[-1].entry >= index:
            raise ProofError(HISTORY, f"the report of entry {index} is not in the log's order")
        report = report_of(each.entry)
        if not marks([report], history.entries):
            raise ProofError(HISTORY, f"the report of entry {index} is about none of the entries")
        found.append(report)
    if found:
        trace.held(HISTORY, f"{len(found)} of the log's entries report a key that recorded some")
    return tuple(found)


def _check_slot(shown: ShownPolicy, anchor: Anchor, trace: Trace) -> None:
    known, slot = shown.history.state, anchor.policy
    if slot.sequence < known.sequence and anchor.evidence is Evidence.CHAIN:
        # The paths held: these acts are in the log that the same node says there was.
        raise Inconsistent(
            f"the node knows {slot.sequence} acts of the policy at block {anchor.policy_block}, "
            f"the receipt shows {known.sequence}",
            hint="the node may be lagging or faulty: try again, or use another",
        )
    if slot.sequence < known.sequence:
        raise ProofError(
            LATEST,
            f"the policy has {slot.sequence} acts in the contract, the receipt shows "
            f"{known.sequence}",
        )
    if slot.sequence == known.sequence:
        if slot != known:
            raise ProofError(LATEST, "the policy's slot and its last entry do not agree")
        words = f"entry {known.head} is the policy's latest at block {anchor.policy_block}"
    else:
        words = (
            f"the policy has {shown.later} later {'act' if shown.later == 1 else 'acts'} at block "
            f"{anchor.policy_block}, the last of them entry {slot.head}, and is {slot.status.word}"
        )
    if anchor.closed is not None:
        words += f"; {goes_on(anchor.closed)}"
    trace.held(LATEST, words)


def _check_manifests(receipt: Receipt, history: PolicyHistory, trace: Trace) -> None:
    for each, reading in zip(receipt.entries, history.readings, strict=True):
        if each.manifest is not None and sha256(each.manifest) != each.entry.manifest:
            raise ProofError(MANIFEST, f"the manifest of entry {each.entry.index} is another one")
        if reading.problem is not None:
            trace.held(MANIFEST, f"manifest of entry {each.entry.index}: {reading.problem}")
    given = sum(each.manifest is not None for each in receipt.entries)
    trace.held(MANIFEST, f"{given} of {len(receipt.entries)} manifests are here, as anchored")
