"""`Polreg-Min-Size: N` on any request: an answer from at least the log's first N entries, or
none (503). It is checked in the transaction that the answer is read in, so that it holds
behind a balancer over several replicas too."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems
from registry.services.freshness import at_least

HEADER = b"polreg-min-size"


class MinimumSize:
    """ASGI middleware; what it sets is seen by the threads that answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope.get("headers", ()) if scope["type"] == "http" else ()
        given = [value for name, value in headers if name == HEADER]
        if not given:
            await self._app(scope, receive, send)
        elif len(given) == 1 and re.fullmatch(rb"[0-9]{1,18}", given[0]):
            with at_least(int(given[0])):
                await self._app(scope, receive, send)
        else:
            detail = "the header Polreg-Min-Size is not one number of entries"
            await problems.problem(problems.INPUT, detail)(scope, receive, send)
