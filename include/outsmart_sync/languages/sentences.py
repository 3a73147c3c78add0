"""Sentences of errors and reasons in another language, found again by their form.

Services say what happened in English, with names and figures put in, and much of it is kept so in the store. The
catalogue knows each sentence with its places, ``{0} is connected already.``; a sentence that fits is said in the other
language with the same names and figures. One that fits nothing stays English.

What a vendor says is quoted, “No access to module”, and stays as it is: it is no sentence of ours, however like one.
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
_QUOTATION = re.compile(r"“(?:[^“”]|“[^“”]*”)*”")
_STAND_INS = range(0xF0000, 0xFFFFE)  # characters that hardly a text has, but programs paste such signs of their own
_VENDORS = "text"
"""The place of a vendor's own words in a sentence; in older ones of the store they are not quoted."""


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


def say(text: str, language: str) -> str:
    """A text of one or more sentences in a language."""
    quoted = _QUOTATION.findall(text)
    if not quoted:
        return _say(text, language)
    free = (sign for sign in map(chr, _STAND_INS) if sign not in text)
    stand_ins = dict(zip(free, quoted, strict=False))
    signs = iter(stand_ins)
    said = _say(_QUOTATION.sub(lambda _: next(signs), text), language)
    return "".join(stand_ins.get(each, each) for each in said)


@lru_cache(maxsize=4_096)
def _say(text: str, language: str) -> str:
    text = text.strip()
    if not text:
        return ""
    for form in _forms(language):
        if found := form.begins.match(text):
            said = _filled(form, found, language)
            stop = "." if found[0].rstrip().endswith(".") and not said.endswith((".", "!", "?")) else ""
            return f"{said}{stop} {_say(text[found.end() :], language)}".rstrip()
    first, *rest = _END.split(text, maxsplit=1)
    return f"{first} {_say(rest[0], language)}" if rest else first


def _filled(form: _Form, found: re.Match[str], language: str) -> str:
    """The other language's sentence with this one's names and figures; a place may hold words of the catalogue, too."""
    places = {name: _put(name.removeprefix("p"), value or "", language) for name, value in found.groupdict().items()}
    return _PLACE.sub(lambda place: places.get(f"p{place[1]}", place[0]), form.words)


def _put(place: str, value: str, language: str) -> str:
    """What a place holds: one word of the catalogue, a list of them, or a sentence within the sentence."""
    word = _word(value, language)
    if word != value or place == _VENDORS:
        return word
    for between in ("; ", ", ") if "; " in value else (", ",):
        parts = value.split(between)
        said = [_part(part, language) for part in parts]
        if all(after != before for after, before in zip(said, parts, strict=True)):
            return between.join(said)
    sentence = _within(value, language)
    return ", ".join(said) if sentence == value else sentence


def _part(part: str, language: str) -> str:
    word = _word(part, language)
    return _within(part, language) if word == part and ("'" in part or " (" in part) else word


def _within(text: str, language: str) -> str:
    """A sentence within a sentence, which ends as it does."""
    said = _say(text, language)
    return said if text.endswith(".") else said.removesuffix(".")


def _word(text: str, language: str) -> str:
    """A word of the catalogue; a label within a sentence may be written small, and one at its beginning large."""
    known = translations(language)
    if not text or (found := known.gettext(text)) != text:
        return found if text else ""
    other = text[0].swapcase() + text[1:]
    found = known.gettext(other)
    if found == other:
        return text
    return (found[0].upper() if text[0].isupper() else found[0].lower()) + found[1:]


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
            # What a sentence begins with and the other words leave out is a name that commands take, without blanks.
            anything = r"\S+?" if not pattern and f"{{{part}}}" not in words else ".+?"
            seen.add(part)
            pattern += f"(?P<p{part}>{anything})"
    weight = sum(len(part) for part in parts[::2])
    begins = re.compile(f"{pattern}(?:(?<=[.!?])(?:\\s+|$)|\\.(?:\\s+|$)|$)", re.DOTALL)
    return _Form(begins, words, weight, sentence.endswith("."))
