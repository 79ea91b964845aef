"""Errors as RFC 9457 problem+json: one kind, one status, one type URI.

A client is told what is wrong and what can be done, never how this server is built: an
error that nobody foresaw is logged and answered without its words.
"""

from __future__ import annotations

import http
import logging
from dataclasses import dataclass

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from registry.errors import (
    CouldNotCheck,
    InputError,
    LimitReached,
    LocalFailure,
    NotFound,
    RegistryError,
    Rejected,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5

_log = logging.getLogger("polreg.api")


class UnsupportedUpload(InputError):
    """The body is of a kind whose bytes may not be the file's."""


class TooLarge(InputError):
    """A part of the request is beyond its limit."""


class NotOffered(RegistryError):
    """This server was not started with what it takes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of problem."""

    name: str
    status: int
    title: str

    @property
    def type(self) -> str:
        return f"urn:polreg:problem:{self.name}"


INPUT = Kind("input", 400, "The request is wrong")
NOT_FOUND = Kind("not-found", 404, "Not in the registry")
NO_SUCH_PAGE = Kind("no-such-page", 404, "There is nothing at this address")
METHOD = Kind("method-not-allowed", 405, "This address does not take this method")
REJECTED = Kind("rejected", 409, "Refused")
TOO_LARGE = Kind("too-large", 413, "The request is too large")
UNSUPPORTED = Kind("unsupported-upload", 415, "This kind of upload can not be checked")
TOO_MANY = Kind("too-many", 429, "Too many for now")
UNEXPECTED = Kind("unexpected", 500, "The server failed")
NOT_OFFERED = Kind("not-offered", 501, "This server does not do this")
COULD_NOT_CHECK = Kind("could-not-check", 503, "Could not check")
LOCAL_FAILURE = Kind("local-failure", 503, "The server's own store is in the way")

KINDS = (
    INPUT,
    NOT_FOUND,
    NO_SUCH_PAGE,
    METHOD,
    REJECTED,
    TOO_LARGE,
    UNSUPPORTED,
    TOO_MANY,
    UNEXPECTED,
    NOT_OFFERED,
    COULD_NOT_CHECK,
    LOCAL_FAILURE,
)

# Subclasses stand before their base.
_KIND_OF: tuple[tuple[type[RegistryError], Kind], ...] = (
    (NotFound, NOT_FOUND),
    (UnsupportedUpload, UNSUPPORTED),
    (TooLarge, TOO_LARGE),
    (InputError, INPUT),
    (LimitReached, TOO_MANY),
    (Rejected, REJECTED),
    (CouldNotCheck, COULD_NOT_CHECK),
    (LocalFailure, LOCAL_FAILURE),
    (NotOffered, NOT_OFFERED),
)


def kind_of(error: RegistryError) -> Kind:
    return next((kind for raised, kind in _KIND_OF if isinstance(error, raised)), UNEXPECTED)


def problem(kind: Kind, detail: str, hint: str | None = None) -> Response:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if kind.status == 503 else {}
    return _response(kind.type, kind.title, kind.status, detail, hint, headers)


def unexpected() -> Response:
    """The answer to a fault of this program."""
    return problem(UNEXPECTED, "an unexpected error happened; it was noted in the server's log")


def install(app: FastAPI) -> None:
    """Answer every error of this app as a problem."""
    app.add_exception_handler(RegistryError, _registry_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(ClientDisconnect, _disconnected)


# FastAPI calls a handler in a thread unless it is a coroutine function.


async def _registry_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RegistryError)  # noqa: S101  the type it is registered for
    kind = kind_of(error)
    if kind is UNEXPECTED:
        _log.error("an error that no answer is made for", exc_info=error)
        return unexpected()
    return problem(kind, str(error), error.hint)


async def _validation_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    wrong = [f"{_place(each['loc'])}: {each['msg']}" for each in error.errors()]
    return problem(INPUT, "; ".join(wrong[:5]), "see /docs for what this address takes")


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    match error.status_code:
        case 404:
            return problem(
                NO_SUCH_PAGE, f"{request.url.path[:200]} is not an address here", "see /docs"
            )
        case 405:
            allowed = (error.headers or {}).get("Allow", "GET")
            answer = problem(METHOD, f"{request.method} is not possible here", f"use {allowed}")
            answer.headers["Allow"] = allowed
            return answer
        case status:
            title = http.HTTPStatus(status).phrase
            return _response("about:blank", title, status, str(error.detail), None, {})


async def _disconnected(_request: Request, _error: Exception) -> Response:
    """Nobody is there to read this."""
    return Response(status_code=400)


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(each) for each in location[1:]) or str(location[0])


def _response(
    uri: str, title: str, status: int, detail: str, hint: str | None, headers: dict[str, str]
) -> Response:
    content = {"type": uri, "title": title, "status": status, "detail": detail, "hint": hint}
    return Response(
        orjson.dumps(content),
        status,
        {"Cache-Control": "no-store", **headers},
        MEDIA_TYPE,
    )
