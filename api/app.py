"""Putting the app together. Nothing is opened before the first request or the follower
asks for it, so the app starts whether or not the chain can be reached."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from anyio import to_thread
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from api import documentation, pages, problems
from api.follower import Follower
from api.freshness import MinimumSize
from api.headers import CommonHeaders
from api.opened import Opened
from api.relaying import Relaying
from api.routes import (
    collections,
    documents,
    health,
    log,
    metrics,
    policies,
    proofs,
    snapshot,
    submissions,
    versions,
)
from api.streaming import Streams
from registry.config import Settings
from registry.services.relaying import Paying

FOLLOW_SECONDS = 2.0
_DESCRIPTION = (
    "Check that a policy document is exactly the one an authority published, and which "
    "version is in force on a date. Every answer names the chain, the contract, the block, "
    "the log's size and root, and the mirror's lag. Errors are RFC 9457 problems; one of "
    "them is never an answer about a document."
)

_THREADS = 8
"""More than there are would wait for each other, and for the engine's 15 connections."""

_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def create_app(
    settings: Settings,
    follow_seconds: float | None = FOLLOW_SECONDS,
    paying: Paying | None = None,
) -> FastAPI:
    """The app for the registry that `settings` name. While it runs, its mirror is brought
    to the chain's head every `follow_seconds`; None leaves that to others, as settings that
    only read do. `paying` is whose account relays signed acts; without it none is relayed."""
    opened = Opened(settings)
    follower = Follower(opened, None if settings.reads_only else follow_seconds)

    relaying = Relaying(opened, paying)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = _THREADS
        follower.start()
        relaying.start()
        yield
        stopped = relaying.stop()
        if follower.stop() and stopped:
            opened.close()

    app = FastAPI(
        title="Policy registry",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Which documents people check is sent to nobody, whatever the environment says.
        telemetry=_NO_TELEMETRY,
    )
    app.state.opened, app.state.follower, app.state.streams = opened, follower, Streams()
    app.state.relaying = relaying
    app.add_middleware(MinimumSize)
    app.add_middleware(CommonHeaders)
    problems.install(app)
    versioned = (
        documents,
        policies,
        versions,
        collections,
        proofs,
        snapshot,
        log,
        submissions,
        health,
    )
    for part in versioned:
        app.include_router(part.router, prefix="/v1")
    for part in (health, metrics):
        app.include_router(part.router, include_in_schema=False)
    app.include_router(pages.router())
    app.openapi = partial(documentation.describe, app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app
