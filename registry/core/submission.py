"""A submission: an act on a policy as a registrar hands it to the contract."""

from __future__ import annotations

from dataclasses import dataclass

from registry.core.calendar import NO_DATE
from registry.core.entry import Action
from registry.core.policy import PolicyKey
from registry.core.units import Day, Digest


@dataclass(frozen=True, slots=True)
class Submission:
    """One act. `content` is the manifest's bytes where they are to be kept in the log,
    and empty where only their digest is anchored."""

    policy: PolicyKey
    sequence: int
    action: Action
    effective_on: Day | None
    document: Digest | None
    manifest: Digest
    content: bytes = b""

    @property
    def effective_word(self) -> int:
        """`effectiveOn` as the contract keeps it."""
        return NO_DATE if self.effective_on is None else self.effective_on
