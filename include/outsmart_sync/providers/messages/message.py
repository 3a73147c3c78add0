"""What a message holds, in the forms in which it is sent."""

from __future__ import annotations

from html import escape
from typing import Any

_NAMES = ("event", "connection", "package", "category", "code", "subject", "text")


def document_of(message: Any) -> dict[str, str]:
    """A message as a JSON document."""
    return {name: getattr(message, name) for name in _NAMES}


def html_of(text: str) -> str:
    """Lines of text as HTML in which nothing runs."""
    lines = escape(text).replace("\n", "<br>")
    return f"<p>{lines}</p>"
