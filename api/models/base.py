"""What all answers have in common, and the problem."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.models.sample import BLOCK, MOMENT


def shown(example: Any) -> Any:
    """A required field with an example."""
    return Field(examples=[example])


class Answer(BaseModel):
    """Base of every model: no field but the documented ones."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Block(Answer):
    number: int = shown(12)
    hash: str = shown(BLOCK)
    time: str = shown(MOMENT)
    """The block's own timestamp."""


class Log(Answer):
    size: int = shown(11)
    """Number of entries."""
    root: str = shown("6b06b7a4e9c1a8f2d3e4b5c6a7f8091a2b3c4d5e6f708192a3b4c5d6e7f80912")
    """RFC 9162 Merkle tree hash of all entries."""


class Mirror(Answer):
    synced_at: str = shown(MOMENT)
    """When this server last read the chain to its head."""
    lag_seconds: int = shown(1)
    """Seconds since then."""


class Context(Answer):
    """Where an answer comes from: chain, contract, block, log, and the mirror's age."""

    chain: str = shown("eip155:131277322940537")
    """CAIP-2."""
    contract: str = shown("eip155:131277322940537:0xF2E246BB76DF876Cef8b38ae84130F4F55De395b")
    """CAIP-10."""
    block: Block
    log: Log
    mirror: Mirror
    closed: str | None = shown(None)
    """Where the log goes on, if the registry was closed: the address that the administrator named,
    zeros for none. Confirm it with the authority by another way before you trust it."""
    development: bool = shown(True)
    """Whether this is a development chain, which proves nothing to others."""
    note: str | None = shown("a local development chain, worth no more than this machine")


class FromRegistry(Answer):
    """Every answer about the registry says where it comes from."""

    registry: Context


class Problem(BaseModel):
    """RFC 9457. An error is never an answer about a document: "could not check" is not "no"."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    type: str = shown("urn:polreg:problem:could-not-check")
    title: str = shown("Could not check")
    status: int = shown(503)
    detail: str = shown("the mirror has never been synced")
    hint: str | None = shown("run polreg sync")
    """What can be done about it."""
