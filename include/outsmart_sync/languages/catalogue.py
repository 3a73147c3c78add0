"""The catalogues of the languages, read as they are written."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES = {"en": "English", "nl": "Nederlands", "pt": "Português"}
DEFAULT = "en"
FOLDER = Path(__file__).with_name("locales")
DOMAIN = "messages"


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
