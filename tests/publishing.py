"""Publishing without a mirror, for tests of what reads the chain."""

from __future__ import annotations

from collections.abc import Sequence

from registry.chain.abi import record_data
from registry.chain.client import Client
from registry.chain.sender import Receipt, Sender, record_gas
from registry.core.draft import Draft
from registry.core.submission import Submission


def publish(draft: Draft, client: Client, sender: Sender, *, digest_only: bool = False) -> Receipt:
    """Record one act by a transaction of its own."""
    submission = draft.submission(client.policy(draft.key), digest_only=digest_only)
    return record([submission], client, sender)


def record(submissions: Sequence[Submission], client: Client, sender: Sender) -> Receipt:
    """Record these in one transaction."""
    return sender.call(client.address, record_data(submissions), record_gas(submissions))
