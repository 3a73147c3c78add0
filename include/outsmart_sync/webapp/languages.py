"""The page's languages: which one a browser gets, and the catalogues, read as they are written."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from fastapi import Request

LANGUAGES = {"en": "English", "nl": "Nederlands", "pt": "Português"}
FORMATS = {"en": "en_GB", "nl": "nl_NL", "pt": "pt_PT"}
"""Language → the country whose dates and figures are written."""

COOKIE = "outsmart_language"
FOLDER = Path(__file__).with_name("locales")
DOMAIN = "messages"


def language_of(request: Request) -> str:
    """The language that a person chose, else the first of their browser's that we speak, else English."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    wanted = [part.split(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    found = negotiate_locale([part for part in wanted if part], list(LANGUAGES), sep="-")
    return found or "en"


def catalogue_file(language: str) -> Path:
    """Where a language's catalogue is."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def translations(language: str) -> NullTranslations:
    """A language's catalogue, compiled in memory: there is no build step, and no second file to keep."""
    file = catalogue_file(language)
    if not file.exists():
        return NullTranslations()
    with file.open("rb") as source:
        catalogue = read_po(source, locale=language, domain=DOMAIN)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)
