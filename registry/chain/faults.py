"""How a node fails to answer, as errors that say which kind and whether to ask again.

Unavailable
└── NodeFault     by this node, this time; `passing` where it may well answer next time
    └── TooLarge  its answer was longer than is read here: ask for less at a time
"""

from __future__ import annotations

from registry.core.following import Fault
from registry.errors import Unavailable


class NodeFault(Unavailable):
    """A node did not answer, or not with JSON-RPC.

    `passing` says that asking the same again may help; `retry_after` is in how many
    seconds the node asked to be asked again.
    """

    def __init__(
        self,
        message: str,
        kind: Fault,
        *,
        hint: str | None = None,
        passing: bool = True,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint, fault=kind)
        self.passing = passing
        self.retry_after = retry_after


class TooLarge(NodeFault):
    """An answer was longer than is read here."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Fault.MALFORMED, passing=False)
