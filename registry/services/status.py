"""How the mirror and its chain are doing."""

from __future__ import annotations

from typing import Any

from registry.core.following import Report
from registry.errors import RegistryError
from registry.mirror import listing
from registry.mirror.engine import Engine, reading
from registry.mirror.operations import read_report
from registry.services import answers
from registry.services.verify import required_position
from registry.services.workspace import Workspace


def stored_report(engine: Engine) -> Report | None:
    """What the process says that follows the chain for this mirror; None where none has."""
    with reading(engine) as connection:
        return read_report(connection)


def chain_status(opened: Workspace) -> dict[str, Any]:
    """The mirror's place, its totals, and the node's head or why it can not be had."""
    with reading(opened.reader) as connection:
        position = required_position(connection)
        totals = listing.totals(connection)
    node: dict[str, Any] = {
        "head": None,
        "safe": None,
        "finalized": None,
        "lag_blocks": None,
        "error": None,
    }
    try:
        told = opened.client.head()
        head, finality = told.block, told.finality
        node |= {
            "head": head.number,
            "safe": finality.safe if finality.safe >= 0 else None,
            "finalized": finality.finalized if finality.finalized >= 0 else None,
            "lag_blocks": max(0, head.number - position.block),
        }
    except RegistryError as error:
        node["error"] = answers.error(error)
    return {
        "node": node,
        "totals": {"entries": position.size, **totals},
        "registry": answers.context(position),
    }
