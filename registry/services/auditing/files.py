"""An audit's report as a file: a page, the page as PDF, rows, or JSON."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from registry.core.auditing.page import page_pieces
from registry.core.auditing.report import csv_pieces, json_pieces
from registry.errors import LocalFailure
from registry.services.auditing.run import Audited
from registry.services.auditing.worklist import AuditWorklist
from registry.services.files import write_whole

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
# Chromium's sandbox does not work for root.
_AS_ROOT = ("--no-sandbox",) if os.geteuid() == 0 else ()
_SECONDS = 300


def write_report(done: Audited, worklist: AuditWorklist, output: Path) -> str:
    """Write the report in the format that the file's ending names; its SHA-256. Raises
    LocalFailure."""
    match output.suffix.lower():
        case ".json":
            pieces = json_pieces(done.heading, done.totals, worklist.findings())
        case ".csv":
            pieces = csv_pieces(worklist.findings(), done.totals.missing)
        case ".pdf":
            return _write_pdf(done, worklist, output)
        case _:
            pieces = _page(done, worklist)
    return write_whole(output, pieces)


def _page(done: Audited, worklist: AuditWorklist) -> Iterator[bytes]:
    return page_pieces(done.heading, done.totals, worklist.findings)


def _write_pdf(done: Audited, worklist: AuditWorklist, output: Path) -> str:
    """A browser of this machine prints the page: what is read on paper is what is read on
    the screen, in whatever script."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        raise LocalFailure(
            "there is no Chromium on this machine that could print the report",
            hint="write it as .html, and print that; or install Chromium",
        )
    with tempfile.TemporaryDirectory() as folder:
        page, printed = Path(folder) / "report.html", Path(folder) / "report.pdf"
        write_whole(page, _page(done, worklist))
        words = [
            browser, "--headless", *_AS_ROOT, "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--no-pdf-header-footer", f"--user-data-dir={folder}/profile",
            f"--print-to-pdf={printed}", page.as_uri(),
        ]  # fmt: skip
        try:
            ended = subprocess.run(  # noqa: S603  # a program of this machine, no shell
                words, capture_output=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            ended = None
        if ended is None or not printed.exists():
            raise LocalFailure(
                f"{browser} could not print the report", hint="write it as .html, and print that"
            )
        return write_whole(output, [printed.read_bytes()])
