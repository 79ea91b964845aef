"""Units as types, so that a block number never passes for a time or an index."""

from __future__ import annotations

from typing import NewType

Digest = NewType("Digest", bytes)
"""32 bytes of SHA-256."""

EntryIndex = NewType("EntryIndex", int)
"""Position of an entry in the log, from 0."""

BlockNumber = NewType("BlockNumber", int)

UnixSeconds = NewType("UnixSeconds", int)

Day = NewType("Day", int)
"""A calendar date as days from 1970-01-01, negative before it."""

Address = NewType("Address", bytes)
"""20 bytes of an Ethereum account."""
