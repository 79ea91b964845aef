"""The clauses in which an altered file differs, as an audit's page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any


def changes_html(verdict: Mapping[str, Any]) -> str:
    changes = (verdict.get("text") or {}).get("changes") or []
    items = "".join(f"<li>{escape(each['label'])}: {escape(each['kind'])}</li>" for each in changes)
    return f"<ul>{items}</ul>"
