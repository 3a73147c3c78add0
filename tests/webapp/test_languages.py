"""The page's languages: complete, up to date, and sentences of the store said in each."""

from __future__ import annotations

import re
from typing import Any

import pytest
from babel.messages.pofile import read_po

import messages
from outsmart_sync.languages.catalogue import DOMAIN, catalogue_file
from outsmart_sync.languages.sentences import say
from outsmart_sync.pipeline.outcomes import REASONS
from outsmart_sync.providers.packages import packages

_PLACES = re.compile(r"\{\w*\}|%\(\w+\)s")
OTHERS = ("nl", "pt")


def catalogue(language: str) -> Any:
    with catalogue_file(language).open("rb") as source:
        return read_po(source, locale=language, domain=DOMAIN)


def shown(message: Any) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_holds_every_sentence_of_the_source(language: str) -> None:
    there = {shown(message) for message in catalogue(language) if message.id}
    found = {shown(message) for message in messages.found() if message.id}
    assert found - there == set(), "run make messages, and translate what is new"


@pytest.mark.parametrize("language", OTHERS)
def test_everything_that_the_pages_themselves_say_is_translated(language: str) -> None:
    said = {shown(message) for message in messages.of_pages() if message.id}
    missing = [
        shown(each) for each in catalogue(language) if each.id and shown(each) in said and not all([each.string])
    ]
    assert missing == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_places_of_its_sentence_and_no_other(language: str) -> None:
    for message in catalogue(language):
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for string in strings if message.id else ():
            assert set(_PLACES.findall(string)) <= set(_PLACES.findall(shown(message))), shown(message)


@pytest.mark.parametrize("language", OTHERS)
def test_every_reason_for_leaving_a_record_out_is_said_in_the_language(language: str) -> None:
    for reason in REASONS.values():
        for text in (reason.text, reason.remedy):
            if text and text != "{detail}.":
                assert say(text.replace("{detail}", "12"), language) != text.replace("{detail}", "12"), text


@pytest.mark.parametrize("language", OTHERS)
def test_every_category_has_a_name_in_the_language(language: str) -> None:
    known = {shown(message): message.string for message in catalogue(language) if message.id}
    labels = [category.label for package in packages().values() for category in package.imports]
    assert [label for label in labels if not known.get(label)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_every_setting_of_the_exports_has_a_label_in_the_language(language: str) -> None:
    known = {shown(message): message.string for message in catalogue(language) if message.id}
    exports = [each for package in packages().values() for each in package.export_categories]
    labels = [each.label for each in exports] + [setting.label for each in exports for setting in each.filters]
    assert [label for label in labels if not known.get(label)] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "OutSmart needs: street, postcode. Fill it in in the bookkeeping package.",
            "OutSmart vraagt: straat, postcode. Vul het in het boekhoudpakket in.",
        ),
        (
            "Connection 3 is fixed to Van Dijk B.V. Something that nobody knows. Start the login again.",
            "Verbinding 3 ligt vast op Van Dijk B.V. Something that nobody knows. Begin de login opnieuw.",
        ),
        (
            "Work order W2: Exact Online does not have customer '9', material 'X'. Correct it in OutSmart.",
            "Werkbon W2: Exact Online kent deze niet: klant '9', materiaal 'X'. Verbeter het in OutSmart.",
        ),
        (
            "Work order W1 has the payment method 'contant voldaan', which the settings hold.",
            "Werkbon W1 heeft betaalwijze 'contant voldaan', en dat houden de instellingen aan.",
        ),
        (
            "Van Dijk B.V.: Relations, Materials is switched off. Peeters: its automatic sync is off.",
            "Van Dijk B.V.: Relaties, Materialen staat uit. Peeters: de automatische synchronisatie staat uit.",
        ),
        ("Van Dijk B.V.: every category is switched off.", "Van Dijk B.V.: elke categorie staat uit."),
        ("Product variant Pro.", "Productvariant Pro."),
        ("", ""),
        ("{0} is odd", "{0} is odd"),
    ],
)
def test_sentences_keep_their_names_and_figures(text: str, said: str) -> None:
    assert say(text, "nl") == said


_COMMAND = re.compile(r"outsmart-sync [a-z]|(?<![\w-])--[a-z]|\bpython -")
_HOLDS_ONE = ("Make one with: {0}", "Make a key with: {0}", "by hand once: {2}")
"""Ends of sentences whose place holds a command."""


@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_no_sentence_of_the_page_names_a_command(language: str) -> None:
    said = {shown(message): message.string for message in catalogue(language) if message.id}
    commands = [
        each
        for each in (shown(message) for message in messages.found() if message.id)
        if _COMMAND.search(each) or each.endswith(_HOLDS_ONE)
    ]
    assert len(commands) > len(_HOLDS_ONE)
    wrong = {
        each: text
        for each in commands
        if not (text := said.get(each)) or _COMMAND.search(text) or (each.endswith(_HOLDS_ONE) and each[-3:] in text)
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("If that is wrong: outsmart-sync unlink 1 relation 12", "If that is wrong, part them first."),
        (
            "The login itself went well and is kept: finish it in a few minutes with the same address again, with: outsmart-sync connect exact-online --return-address ADDRESS",  # noqa: E501
            "The login itself went well and is kept: load this page again in a few minutes to finish it.",
        ),
        (
            "Log in again and join another account: outsmart-sync connect exact-online --country nl --outsmart OTHER_CONNECTION. Or, if both belong in one account and no code is in both: outsmart-sync connect exact-online --connection 2 --administration 2001002 --share-account",  # noqa: E501
            "Log in again and choose another OutSmart account there. Or, if both belong in one account and no code is in both: tick that below and save again.",  # noqa: E501
        ),
    ],
)
def test_in_english_the_page_says_what_to_do_there_instead(text: str, said: str) -> None:
    assert say(text, "en") == said
