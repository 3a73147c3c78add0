"""The page's languages: complete, up to date, and sentences of the store said in each."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

import messages
from outsmart_sync.languages.catalogue import DOMAIN, catalogue_file
from outsmart_sync.languages.sentences import say
from outsmart_sync.pipeline.hours import Impossible, minutes_of
from outsmart_sync.pipeline.money import Disagree, discount_of
from outsmart_sync.pipeline.outcomes import CANCELLED, REASONS, explain
from outsmart_sync.providers.exact_online import errors as exact_errors
from outsmart_sync.providers.exact_online import rights
from outsmart_sync.providers.exact_online.price_lists import NEEDS
from outsmart_sync.providers.outcomes import Outcome, error_of, quoted
from outsmart_sync.providers.outsmart import errors as outsmart_errors
from outsmart_sync.providers.packages import packages
from outsmart_sync.providers.visma_eaccounting import errors as visma_errors
from outsmart_sync.records.completed_work_order import Period
from outsmart_sync.store.failures import _FAILURES
from support import Rig
from webapp.conftest import Browser

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
def test_every_sentence_is_translated(language: str) -> None:
    strings = {shown(each): each.string for each in catalogue(language) if each.id}
    untold = [each for each, said in strings.items() if not all(said if isinstance(said, tuple) else [said])]
    assert untold == []


def test_what_a_function_returns_in_words_is_found_and_what_else_it_returns_is_not(tmp_path: Path) -> None:
    file = tmp_path / "says.py"
    file.write_text(
        """
def one(name, there):
    if there:
        return f"{name} needs another look."
    return None, f"it has no {name}" if name else "there is nothing left"

def several(names):
    yield "This one is yielded."
    return {"a": "here it is", **{name: f"{name} has gone away" for name in names}} or [f"all of {names} are well"]

def added(name):
    return "The last one is: " + name

def other(name):
    return f"{name}/api/v1", f"{name} eq 'true'", "some_name", f"Secret({name})"

def epoch(name):
    return f"{name} is not for people"
"""
    )
    assert set(messages.sentences_of(file)) == {
        "{0} needs another look.",
        "it has no {0}",
        "there is nothing left",
        "This one is yielded.",
        "here it is",
        "{0} has gone away",
        "all of {0} are well",
        "The last one is: {0}",
    }


def test_what_is_given_a_name_in_words_is_found(tmp_path: Path) -> None:
    file = tmp_path / "names.py"
    file.write_text(
        """
_REMEDY = "Start the login again."
_SHORT = "Start again."
_CODE, QUERY = "some_code", "Type eq 20"
_COMMAND = "outsmart-sync connect the administration"
_VERBS = {False: "read", True: "write"}
_EXPORTS = {"crm/Accounts": ("relations", "Crm accounts")}
_FAILURES = (_Failure(("53100",), ("no space left",), "store_full", "The disk is full.", "Make room."),)
_TITLE: str = f"The title of {_CODE}"

def one(name, there):
    done = "it is not there"
    if there:
        done = f"it has the status {name} now"
    needed = {"look": f"the right to read {name}"}
    kept[name] = f"{name} is switched off"
    names = ", ".join(there) or "another one"
    left = [f"the quantity {each} is not ours" for each in there]
    left += [f"'{each}' is there otherwise than we sent it" for each in there]
    self.unknown.append(f"article '{name}'")
    done.left.append("nothing")
    raise LoginExpired("No longer.", remedy=_SHORT, code=_CODE) from Disagree(f"{name} or else")

def two(name):
    raise LoginExpired("No longer.", remedy="Somebody else logged in. " + _SHORT)
"""
    )
    assert set(messages.sentences_of(file)) == {
        "Start the login again.",
        "The disk is full.",
        "Make room.",
        "The title of {0}",
        "read",
        "write",
        "relations",
        "it is not there",
        "it has the status {0} now",
        "the right to read {0}",
        "another one",
        "the quantity {0} is not ours",
        "'{0}' is there otherwise than we sent it",
        "article '{0}'",
        "nothing",
        "No longer.",
        "Start again.",
        "{0} or else",
        "Somebody else logged in. {0}",
    }


_END = re.compile(r"(?<=[.!?])\s+")
_ENGLISH = re.compile(
    r"outsmart-sync |\b(the|has|not|again|with|from|which|this|it|at|there|and|by|been|must|cannot)\b", re.IGNORECASE
)


def english_rest(text: str, language: str) -> str:
    """What of a text is said in English in another language; '' where it is said as it should be."""
    told = say(text, language)
    own = re.sub(r"“[^”]*”", "", told)
    same = [each for each in _END.split(re.sub(r"“[^”]*”", "", text)) if each and each in own]
    return told if same or _ENGLISH.search(own) else ""


def rows_of(module: Any) -> list[Outcome]:
    """The rows of all failure tables of a vendor."""
    held = [each for value in vars(module).values() for each in (value if isinstance(value, tuple) else (value,))]
    return [each for each in held if isinstance(each, Outcome)]


@pytest.mark.parametrize("module", [exact_errors, visma_errors, outsmart_errors])
@pytest.mark.parametrize("language", OTHERS)
def test_every_failure_of_a_vendor_is_said_whole_in_the_language(language: str, module: Any) -> None:
    rows = rows_of(module)
    assert len(rows) > 10
    texts = {text for row in rows for text in (row.what.format(text=quoted("No access")), row.remedy) if text}
    whole = {str(error_of(row, "No access", "")) for row in rows}
    assert {each: rest for each in texts | whole if (rest := english_rest(each, language))} == {}


@pytest.mark.parametrize("module", [exact_errors, visma_errors, outsmart_errors])
def test_no_failure_of_a_vendor_names_a_command_in_english_either(module: Any) -> None:
    assert [row.remedy for row in rows_of(module) if "outsmart-sync " in say(row.remedy, "en")] == []


@pytest.mark.parametrize("language", OTHERS)
def test_every_failure_of_the_store_is_said_whole_in_the_language(language: str) -> None:
    texts = [text for each in _FAILURES for text in (each.what, each.remedy, f"{each.what} {each.remedy}")]
    assert {each: rest for each in texts if (rest := english_rest(each, language))} == {}
    assert [each.remedy for each in _FAILURES if "outsmart-sync " in say(each.remedy, "en")] == []


@pytest.mark.parametrize("language", OTHERS)
def test_what_a_right_is_needed_for_is_said_in_the_language(language: str) -> None:
    needs = [rights.need_of(path) for path in rights._EXPORTS] + [*NEEDS.values(), rights.DELETED, rights.DIVISIONS]
    assert [need.what for need in needs if say(need.what, language) == need.what and need.what != "items"] == []


def impossible() -> str:
    with pytest.raises(Impossible) as caught:
        minutes_of(Period(day=date(2026, 1, 31)))
    return str(caught.value)


def disagreeing(total: str | None) -> str:
    with pytest.raises(Disagree) as caught:
        discount_of(Decimal(3), Decimal(10), Decimal(5), Decimal(total) if total else None, None)
    return str(caught.value)


_LEFT_ALONE = ("'Pipe' is not there as it was sent", "'Tap, large' is there otherwise than we sent it, or is not ours")


@pytest.mark.parametrize(
    "text",
    [
        f"Exact Online no longer accepts the login. {exact_errors._RECONNECT}",
        explain(CANCELLED, "the work order has been fetched or completed, and stays as it is")[0],
        explain(CANCELLED, "no work status is chosen for that, so the work order stays as it is")[0],
        explain(CANCELLED, "the work order has the work status Klaar now")[0],
        explain("other_document", "W12, of another administration")[0],
        f"What the office did to the document was left alone: {'; '.join(_LEFT_ALONE)}.",
        "It needs the right to edit the Airflow connection exact_online in Airflow.",
        "The OutSmart account 'x' is joined with another administration already, so Peeters was not connected.",
        "The Exact Online user that connected lacks the right to see sales invoices (salesinvoice/SalesInvoices).",
        "The document counts without it. To try the file again: outsmart-sync export resend.",
        "Longer than OutSmart takes: name (at most 50 characters), street (at most 40 characters).",
    ],
)
@pytest.mark.parametrize("language", OTHERS)
def test_no_part_of_what_the_page_says_stays_english(language: str, text: str) -> None:
    assert english_rest(text, language) == ""


@pytest.mark.parametrize("language", OTHERS)
def test_why_hours_and_amounts_cannot_be_billed_is_said_in_the_language(language: str) -> None:
    for why in (impossible(), disagreeing(None), disagreeing("7")):
        assert english_rest(f"Material 1, X: {why}.", language) == "", why
    told = say("Material 1, X: 3 at 10 comes to 30.00, but OutSmart says 7.00. Correct it in OutSmart.", "nl")
    assert told == "Materiaal 1, X: 3 à 10 komt uit op 30.00, maar OutSmart zegt 7.00. Verbeter het in OutSmart."


@pytest.mark.parametrize("sign", ["\ue000", "\uf0b7", "\U000f0000", "\U000f0001"])
def test_signs_that_programs_paste_stay_where_they_are(sign: str) -> None:
    text = f"{sign} Work order W1 “{sign} Relations” and “more” {sign}"
    assert say(text, "nl") == text
    assert say(f"{sign} one “two” three", "nl") == f"{sign} one “two” three"


def test_what_is_wrong_with_settings_is_said_in_the_page_s_language_and_in_its_words(page: Browser, exact: Rig) -> None:
    wrong = {
        "relations.types": ["friend"],
        "sales_orders.enabled": "on",
        "sales_orders.start_date": "tomorrow",
        "sales_orders.work_type": "Dancing",
        "relations.classifications": ["Nonsense"],
        "work_orders.payment_methods/op rekening": "journal:999",
        "work_orders.document": "quotation",
        "work_orders.cut_off": "then",
    }
    names = {name.partition("/")[0] for name in wrong}
    answer = page.post("connections/1", data={"shown": sorted(names), **wrong}, headers={"Accept-Language": "nl"})
    assert answer.status_code == 422
    told = [
        re.sub(r"<[^>]*>", "", each).replace("&#39;", "'")
        for each in re.findall(r'<p class="wrong".*?</p>|<li><a href="#.*?</li>', answer.text)
    ]
    assert len(told) > len(wrong), "in the list, and beside the fields"
    types = "Te importeren relatietypen: 'friend' is geen van deze: Klanten, Prospects, Suspects, Leveranciers."
    assert [each for each in told if each.startswith("Relaties ") and each.endswith(types)]
    english = re.compile(r"outsmart-sync |\b(must|not|the|none|has|such|choose)\b")
    assert [each for each in told if english.search(each)] == []
    assert [each for each in told if any(name in each for name in names)] == []
    assert [each for each in told if re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", each)] == []


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


@pytest.mark.parametrize(
    "theirs",
    [
        "The product variant does not have access to salespricelists",
        "Customer 7, Materials is switched off. Connection 3 is fixed to X. “Relations” is connected already",
    ],
)
@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_a_vendor_s_own_words_stay_as_they_are(language: str, theirs: str) -> None:
    what = "The product variant of this company in VISMA eAccounting does not have this: "
    text = f"{what}{quoted(theirs)}. Correct it in OutSmart."
    told = say(text, language)
    assert quoted(theirs) in told
    assert told == text if language == "en" else not told.startswith(what)
    assert told.endswith(say("Correct it in OutSmart.", language))


def test_a_vendor_s_words_of_older_runs_are_not_quoted_and_stay_too() -> None:
    theirs = "The product variant does not have access to salespricelists"
    told = say(f"VISMA eAccounting does not allow this: {theirs}", "nl")
    assert told == f"VISMA eAccounting staat dit niet toe: {theirs}"
    assert (
        say("VISMA eAccounting does not allow this: no text", "nl")
        == "VISMA eAccounting staat dit niet toe: geen tekst"
    )


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
