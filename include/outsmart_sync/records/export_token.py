"""Short names by which exported documents, and lines of them, are found again at a package."""

from __future__ import annotations

import re
from base64 import b32encode
from hashlib import blake2b

_TOKEN = re.compile(r"\bOS-[A-Z2-7]{10}\b")


def token_of(account: str, row_id: str, copy: int = 1, line: str = "") -> str:
    """The token of a work order's document, or of one of its lines.

    Args:
        account: Our name of the OutSmart account: row ids count within it.
        row_id: The work order's row id.
        copy: A second document that a person asked for has another token.
        line: The line's key; '' for the document.
    """
    digest = blake2b("\x00".join((account, row_id, str(copy), line)).encode(), digest_size=7).digest()
    return f"OS-{b32encode(digest).decode()[:10]}"


def tokens_in(text: str) -> list[str]:
    """Every token that stands in a text."""
    return _TOKEN.findall(text)
