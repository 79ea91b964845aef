"""The web page's files: a fixed list, read once, so that no path leads anywhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from registry.core.digest import sha256

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FILES = {
    "/": "index.html",
    "/docs": "docs.html",
    "/page.css": "page.css",
    "/icon.svg": "icon.svg",
    "/page.js": "page.js",
    "/check.js": "check.js",
    "/changes.js": "changes.js",
    "/words.js": "words.js",
    "/search.js": "search.js",
    "/elements.js": "elements.js",
    "/sha256.js": "sha256.js",
    "/docs.js": "docs.js",
    **{
        f"/{name}.js": f"{name}.js"
        for name in (
            "receipt_page",
            "receipt_words",
            "standing",
            "receipt",
            "receipt_format",
            "log",
            "manifest",
            "trie",
            "strict_json",
            "keccak",
            "text",
            "bytes",
        )
    },
}


def router() -> APIRouter:
    """A route for each file."""
    pages = APIRouter(include_in_schema=False)
    for path, name in _FILES.items():
        content = (files("api") / "web" / name).read_bytes()
        pages.add_api_route(path, _page(content, _TYPES[name.rpartition(".")[2]]), methods=["GET"])
    return pages


def _page(content: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    headers = {"ETag": f'"{sha256(content).hex()[:32]}"'}

    async def page(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=media_type)

    return page
