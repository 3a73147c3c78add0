"""Sentences of errors and reasons in another language, found again by their form.

Services say what happened in English, with names and figures put in, and much of it is kept so in the store. The
catalogue knows each sentence with its places, ``{0} is connected already.``; a sentence that fits is said in the other
language with the same names and figures. One that fits nothing stays English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from outsmart_sync.languages.catalogue import translations

_PLACE = re.compile(r"\{(\w*)\}")
_LETTERS = 4
"""A sentence of fewer letters than these, besides its places, would fit anything."""

_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class _Form:
    """One sentence of the catalogue.

    Attributes:
        begins: Fits the sentence, alone or with more behind.
        words: The sentence in the other language.
        weight: Letters that are no place; of two that fit, the one with more is meant.
        ends: It ends as a sentence does, and is no caption.
    """

    begins: re.Pattern[str]
    words: str
    weight: int
    ends: bool


@lru_cache(maxsize=4_096)
def say(text: str, language: str) -> str:
    """A text of one or more sentences in a language."""
    text = text.strip()
    if not text:
        return ""
    for form in _forms(language):
        if found := form.begins.match(text):
            said = _filled(form, found, language)
            stop = "." if found[0].rstrip().endswith(".") and not said.endswith((".", "!", "?")) else ""
            return f"{said}{stop} {say(text[found.end() :], language)}".rstrip()
    first, *rest = _END.split(text, maxsplit=1)
    return f"{first} {say(rest[0], language)}" if rest else first


def _filled(form: _Form, found: re.Match[str], language: str) -> str:
    """The other language's sentence with this one's names and figures; a place may hold words of the catalogue, too."""
    known = translations(language)

    def in_it(value: str | None) -> str:
        parts = (value or "").split(", ")
        said = [_part(part, language) if part else "" for part in parts]
        # What is no list of words may be a sentence within one.
        return ", ".join(said) if said != parts else say(value or "", language)

    def _part(part: str, language: str) -> str:
        found = known.gettext(part)
        return say(part, language) if found == part and "'" in part else found

    places = {name: in_it(value) for name, value in found.groupdict().items()}
    return _PLACE.sub(lambda place: places.get(f"p{place[1]}", place[0]), form.words)


@cache
def _forms(language: str) -> list[_Form]:
    catalogue: dict[object, object] = getattr(translations(language), "_catalog", {})
    pairs = [(key, value) for key, value in catalogue.items() if isinstance(key, str) and isinstance(value, str)]
    made = [_form(key, value) for key, value in pairs if key and value]
    return sorted((form for form in made if form.weight >= _LETTERS), key=lambda form: (-form.weight, not form.ends))


def _form(sentence: str, words: str) -> _Form:
    parts = _PLACE.split(sentence.removesuffix("."))  # text, place, text, ...
    seen: set[str] = set()
    pattern = ""
    for number, part in enumerate(parts):
        if number % 2 == 0:
            pattern += re.escape(part)
        elif part in seen:
            pattern += f"(?P=p{part})"
        else:
            seen.add(part)
            pattern += f"(?P<p{part}>.+?)"
    weight = sum(len(part) for part in parts[::2])
    begins = re.compile(f"{pattern}(?:(?<=[.!?])(?:\\s+|$)|\\.(?:\\s+|$)|$)", re.DOTALL)
    return _Form(begins, words, weight, sentence.endswith("."))
