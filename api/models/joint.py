"""Who issues a document together, and what reported keys recorded."""

from __future__ import annotations

from api.models.base import Answer, shown
from api.models.sample import ACCOUNT, AUTHORITY, MOMENT
from registry.core.joint import Endorsed


class Issuer(Answer):
    """A body that issues a document, and what it has said of it."""

    authority: str = shown(AUTHORITY)
    state: Endorsed = shown("lead")
    """`missing`: the lead names it and it has not endorsed; `other_document`: it endorsed another
    one; `ended`: its own policy is no longer in force."""
    named: bool = shown(True)
    """Whether the lead authority's manifest names it."""
    policy_id: str | None = shown(None)
    """Its own policy, the endorsement."""


class MarkedAct(Answer):
    """An act by a key that was reported compromised, at that moment or later."""

    entry: int = shown(10)
    account: str = shown(ACCOUNT)
    since: str = shown(MOMENT)
    """Since when the key is not to be trusted."""
    reported_by: str = shown(AUTHORITY)
    """The authority in whose name it was reported: the act's own, or one above it."""
    report: int = shown(15)
    """The entry of the report."""
