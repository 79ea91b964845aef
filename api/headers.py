"""Headers that every answer carries, HEAD as GET without its body, and the last resort for
errors that nobody foresaw."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems

_log = logging.getLogger("polreg.api")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ALWAYS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_OPEN_TO_OTHER_SITES = (b"access-control-allow-origin", b"*")
_REVALIDATE = (b"cache-control", b"no-cache")


class CommonHeaders:
    """ASGI middleware; streams pass through it untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        extra = list(_ALWAYS)
        if scope["method"] in ("GET", "HEAD") and scope["path"].startswith("/v1/"):
            extra.append(_OPEN_TO_OTHER_SITES)
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = list(message.get("headers", ()))
                if all(name != b"cache-control" for name, _ in given):
                    given.append(_REVALIDATE)
                message["headers"] = [*given, *extra]
            await send(message)

        # The server drops the body of an answer to HEAD by its own scope's method.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self._app(inner, receive, send_with_headers)
        except Exception:
            _log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            await problems.unexpected()(inner, receive, send_with_headers)
