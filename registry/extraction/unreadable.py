"""Why no text could be had of a file, said as the end of "FILE ..."."""

from __future__ import annotations


class Unreadable(Exception):
    """`str()` is a cause that follows a file's name: "is encrypted". It never leaves this layer."""


class MissingLibrary(Exception):
    """A library that reads a format is not installed. `str()` is its name."""
