"""Logging of what runs for long: one event a line on standard error, as JSON or as text.

Configured by the commands that follow or serve, never at import; the other commands say what
they have to say themselves. All loggers of the process go through the one formatter: ours
(`polreg.…`), the server's, the database's. A secret of the settings is taken out of every line,
whoever wrote it; tracebacks never show variables.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Collection, Iterable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

import structlog
import typer
from structlog.stdlib import ExtraAdder, ProcessorFormatter

from registry.cli.outcome import exit_code
from registry.config import LogFormat, Settings
from registry.errors import RegistryError

_Event = MutableMapping[str, Any]

HIDDEN = "[hidden]"
_log = logging.getLogger("polreg.process")


@contextmanager
def telling(settings: Settings, wanted: LogFormat | None) -> Iterator[LogFormat]:
    """Events go to standard error, in the format that is `wanted` or set; else as text on a
    terminal, as JSON elsewhere. Where they are JSON, so is the error that ends the command."""
    by_default = LogFormat.TEXT if sys.stderr.isatty() else LogFormat.JSON
    log_format = wanted or settings.log_format or by_default
    configure(log_format, settings.secrets)
    try:
        yield log_format
    except RegistryError as error:
        if log_format is LogFormat.TEXT:
            raise
        told = {"kind": type(error).__name__, "hint": error.hint}
        _log.critical("%s", error, extra=told)
        raise typer.Exit(int(exit_code(error))) from None


def configure(log_format: LogFormat, secrets: Collection[str]) -> None:
    """Send every event of this process to standard error, and nothing anywhere else."""
    before: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    after: list[Any] = [
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _Hiding(secrets),
    ]
    match log_format:
        case LogFormat.JSON:
            after += [_in_order, structlog.processors.JSONRenderer(ensure_ascii=False)]
        case LogFormat.TEXT:
            after += [_on_one_line, _console()]
    handler = _StandardError()
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=before, processors=after))
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.INFO)
    # It tells of every request that it sends again, with its path.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[*before[:2], before[3], ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    sys.excepthook = _unexpected
    threading.excepthook = _unexpected_in_thread


def warn(text: str) -> None:
    """Something worth knowing that ends nothing."""
    _log.warning("%s", text)


def serving(url: str, payer: str | None) -> None:
    """Where this process answers, and whose account relays signed acts, if one does."""
    _log.info("serving", extra={"url": url, "relay": payer})


class _StandardError(logging.Handler):
    """Writes to what standard error is at the time, so that a progress bar can step aside.
    That nobody reads it any more is no reason to stop."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError):
            # Half a character of a stranger's would be refused by the stream.
            line = self.format(record).encode("utf-8", "backslashreplace").decode()
            sys.stderr.write(line + "\n")
            sys.stderr.flush()


class _Hiding:
    """Takes secrets out of an event's values, tracebacks included."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first: one may hold another.
        self._secrets = sorted({each for each in secrets if each}, key=len, reverse=True)

    def __call__(self, _logger: Any, _name: str, event: _Event) -> _Event:
        return {key: self._hidden(value) for key, value in event.items()}

    def _hidden(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        shown = value if isinstance(value, str) else repr(value)
        for secret in self._secrets:
            shown = shown.replace(secret, HIDDEN)
        return shown


def _in_order(_logger: Any, _name: str, event: _Event) -> _Event:
    first = {key: event.pop(key) for key in ("timestamp", "level", "event") if key in event}
    return {**first, **event}


def _on_one_line(_logger: Any, _name: str, event: _Event) -> _Event:
    """What nodes and files say is shown with escapes: it can not pass for a line of ours."""
    return {
        key: _printable(value) if isinstance(value, str) and key != "exception" else value
        for key, value in event.items()
    }


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _console() -> Any:
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        exception_formatter=structlog.dev.plain_traceback,
        pad_event_to=0,
        pad_level=False,
    )


def _unexpected(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    _log.critical("ended unexpectedly", exc_info=(kind, error, trace))


def _unexpected_in_thread(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None:
        _unexpected(what.exc_type, what.exc_value, what.exc_traceback)
