"""The lists of clauses of what is being published, in the mirror."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from registry.core.text.list_file import Listed
from registry.core.units import Digest
from registry.mirror.engine import Engine, writing
from registry.mirror.own_lists import forget_unregistered, keep_own_lists


@dataclass(frozen=True, slots=True)
class OwnLists:
    """Each call is one transaction."""

    engine: Engine

    def keep(self, lists: Sequence[Listed]) -> list[Digest]:
        """Keep these; the roots of those that are new."""
        with writing(self.engine) as connection:
            return keep_own_lists(connection, lists)

    def forget(self, roots: Sequence[Digest]) -> None:
        """Take away those of these that no manifest in the log tells of."""
        with writing(self.engine) as connection:
            forget_unregistered(connection, roots)
