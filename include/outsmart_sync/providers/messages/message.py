"""What a message holds, in the forms in which it is sent."""

from __future__ import annotations

from html import escape
from typing import Any

_NAMES = ("event", "connection", "package", "category", "code", "subject", "text")


def document_of(message: Any) -> dict[str, str]:
    """A message as a JSON document."""
    return {name: getattr(message, name) for name in _NAMES}


def failure_of(error: Exception) -> str:
    """What is told of an error: its class and HTTP status. Its text may hold an address, and that a token."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return type(error).__name__ + (f": HTTP {status}" if status else "")


def html_of(text: str) -> str:
    """Lines of text as HTML in which nothing runs."""
    lines = escape(text).replace("\n", "<br>")
    return f"<p>{lines}</p>"
