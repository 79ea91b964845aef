"""The HTTP API and the web page: `create_app(settings)` makes it, `serve` runs it."""

from api.app import create_app
from api.server import serve

__all__ = ["create_app", "serve"]
