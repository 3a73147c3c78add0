"""Which of the languages a browser gets."""

from __future__ import annotations

from babel.core import negotiate_locale
from fastapi import Request

from outsmart_sync.languages.catalogue import DEFAULT, LANGUAGES

FORMATS = {"en": "en_GB", "nl": "nl_NL", "pt": "pt_PT"}
"""Language → the country whose dates and figures are written."""

COOKIE = "outsmart_language"


def language_of(request: Request) -> str:
    """The language that a person chose, else the first of their browser's that we speak, else English."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    wanted = [part.split(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    found = negotiate_locale([part for part in wanted if part], list(LANGUAGES), sep="-")
    return found or DEFAULT
