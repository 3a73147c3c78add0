"""Value forms: exact numbers, comparable codes, and payloads whose equal contents are equal bytes."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsmart_sync.records.values import code_key, content_hash, decimal_text, decode, encode, parse_decimal

NUMBERS = st.builds(
    lambda negative, digits, exponent: Decimal((int(negative), tuple(digits), exponent)),
    st.booleans(),
    st.lists(st.integers(0, 9), min_size=1, max_size=40),
    st.integers(-40, 40),
)
PAYLOADS = st.dictionaries(st.text(min_size=1, max_size=8), st.one_of(st.text(max_size=20), st.booleans()), max_size=8)


@given(NUMBERS)
def test_a_number_is_written_exactly(number: Decimal) -> None:
    assert Decimal(decimal_text(number)) == number


@given(NUMBERS)
def test_a_written_number_has_no_exponent_no_idle_zeros_and_no_negative_zero(number: Decimal) -> None:
    text = decimal_text(number)
    whole, _, fraction = text.removeprefix("-").partition(".")
    assert whole.isdigit()
    assert whole == "0" or not whole.startswith("0")
    assert not fraction.endswith("0")
    assert "." not in text or fraction
    assert text != "-0"


@given(NUMBERS, st.integers(0, 12))
def test_equal_numbers_are_written_alike(number: Decimal, zeros: int) -> None:
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    longer = Decimal((sign, (*digits, *(0,) * zeros), exponent - zeros))
    assert decimal_text(longer) == decimal_text(number)


@given(NUMBERS)
def test_what_was_written_reads_back_with_point_or_comma(number: Decimal) -> None:
    text = decimal_text(number)
    assert parse_decimal(text) == number
    assert parse_decimal(text.replace(".", ",")) == number
    assert decimal_text(parse_decimal(f" {text} ")) == text


@given(st.integers())
def test_a_whole_number_is_written_as_it_is(number: int) -> None:
    assert decimal_text(number) == str(number)


@pytest.mark.parametrize(
    "digits", ["0.1", "4.55", "1234567890123456789.123456789", "0.00000000000000000001"], ids=lambda text: text
)
def test_a_number_never_passes_through_a_float(digits: str) -> None:
    assert decimal_text(Decimal(digits)) == digits


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_finite_number_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        decimal_text(Decimal(number))
    with pytest.raises(ValueError, match="not a number"):
        parse_decimal(number)


@pytest.mark.parametrize("text", ["", " ", "abc", "1.234,56", "1,2,3", "€ 4", "--1", "0x10"])
def test_text_that_is_no_number_is_refused_and_named(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        parse_decimal(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("              1001", "1001"), ("ART-1", "art-1"), (" Kit 5 ", "kit 5"), ("STRASSE", "straße")],
    ids=["padding", "case", "both", "sharp s"],
)
def test_codes_that_differ_in_padding_or_case_are_one_code(one: str, other: str) -> None:
    assert code_key(one) == code_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("0012", "12"), ("A 1", "A1"), ("O'RING", "ORING"), ("1.0", "1")],
    ids=["leading zeros", "inner blank", "apostrophe", "decimals"],
)
def test_codes_that_differ_in_anything_else_are_two_codes(one: str, other: str) -> None:
    assert code_key(one) != code_key(other)


@given(st.text(max_size=20))
def test_the_compared_form_of_a_code_is_its_own_compared_form(code: str) -> None:
    assert code_key(code_key(code)) == code_key(code)


@given(PAYLOADS)
def test_a_payload_survives_being_stored(payload: dict[str, str | bool]) -> None:
    assert decode(encode(payload)) == payload


@given(PAYLOADS, st.randoms())
def test_the_order_in_which_fields_were_filled_makes_no_difference(payload: dict[str, str | bool], chance: Any) -> None:
    names = list(payload)
    chance.shuffle(names)
    assert encode({name: payload[name] for name in names}) == encode(payload)


@given(PAYLOADS, PAYLOADS)
def test_a_fingerprint_tells_payloads_apart(one: dict[str, str | bool], other: dict[str, str | bool]) -> None:
    assert (content_hash(encode(one)) == content_hash(encode(other))) == (one == other)


def test_a_flag_and_the_text_of_it_are_different_values() -> None:
    assert encode({"active": True}) != encode({"active": "true"})


def test_a_fingerprint_is_the_same_in_every_process_and_release() -> None:
    text = encode({"name": "Café 't Hoekje", "active": True, "debtor_number": "0012"})
    assert text == '{"active":true,"debtor_number":"0012","name":"Café \'t Hoekje"}'
    assert content_hash(text) == FINGERPRINT
    code = f"from outsmart_sync.records.values import content_hash; print(content_hash({text!r}))"
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert again.stdout.strip() == FINGERPRINT


FINGERPRINT = "b6f0714ef415cc798e10c97e92b40d08"
"""Stored in every mirror: another value would make the next sync write everything again."""
