"""A vendor's table of failures: the first row that fits counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsmart_sync.errors import (
    AccessDenied,
    ConfigurationError,
    RecordError,
    RequestRefused,
    SyncError,
    TransientError,
    VendorUnavailable,
)
from outsmart_sync.providers.exact_online import errors as exact
from outsmart_sync.providers.outcomes import Outcome, Reaction, error_of, outcome_of
from outsmart_sync.providers.outsmart import errors as outsmart

TABLE = (
    Outcome(403, ("scope", "rights"), AccessDenied, "first", "Scope.", "Do this."),
    Outcome(403, (), AccessDenied, "second", "Right."),
    Outcome(range(500, 600), (), VendorUnavailable, "third", "Fault: {text}"),
    Outcome(None, (), RequestRefused, "last", "Anything: {text}", "Do that."),
)
TABLES = {
    "exact api": exact.API_OUTCOMES,
    "exact token": exact.TOKEN_OUTCOMES,
    "outsmart read": outsmart.READ_OUTCOMES,
    "outsmart write": outsmart.WRITE_OUTCOMES,
    "outsmart http": outsmart.HTTP_OUTCOMES,
}
SINGLE = (
    exact.RENEWAL_FAILED,
    exact.CODE_REFUSED,
    exact.LOGIN_UNFINISHED,
    outsmart.UNREADABLE,
    outsmart.UNREACHABLE,
)
ROWS = [*(row for table in TABLES.values() for row in table), *SINGLE]


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (403, "Application SCOPE violated", "first"),
        (403, "no Rights", "first"),
        (403, "", "second"),
        (499, "", "last"),
        (500, "", "third"),
        (599, "scope", "third"),
        (600, "", "last"),
        (200, "", "last"),
    ],
)
def test_the_first_row_that_fits_counts(status: int, text: str, code: str) -> None:
    assert outcome_of(TABLE, status, text).code == code


def test_a_table_without_a_last_row_is_a_mistake() -> None:
    with pytest.raises(LookupError, match="418"):
        outcome_of(TABLE[:3], 418, "")


@given(st.integers(-1, 100_000), st.text(max_size=40))
def test_every_vendors_table_has_a_row_for_anything(status: int, text: str) -> None:
    for table in TABLES.values():
        outcome_of(table, status, text)


def test_an_error_speaks_to_both_readers() -> None:
    error = error_of(TABLE[3], "what the vendor says", "GET x: HTTP 418")
    assert isinstance(error, RequestRefused)
    assert (error.what, error.remedy) == ("Anything: “what the vendor says”", "Do that.")
    assert (error.code, error.technical) == ("last", "GET x: HTTP 418")


def test_a_vendor_that_says_nothing_is_quoted_as_saying_nothing() -> None:
    assert error_of(TABLE[3], "", "t").what == "Anything: no text"


@given(st.text(max_size=60), st.sampled_from(ROWS))
def test_whatever_a_vendor_says_can_be_quoted(text: str, row: Outcome) -> None:
    error = error_of(row, text, "t")
    assert "{text}" not in row.what or (text or "no text") in error.what


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_every_row_says_what_happened_and_what_to_do(row: Outcome) -> None:
    assert row.what
    assert row.remedy
    assert row.code.replace("_", "").isalnum()
    assert row.code == row.code.lower()
    assert all(mark == mark.lower() for mark in row.marks)  # else it would never be found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_only_what_may_pass_by_itself_is_tried_again(row: Outcome) -> None:
    kinds: dict[Reaction, tuple[type[SyncError], ...]] = {
        Reaction.REPEAT: (TransientError,),
        Reaction.WAIT: (TransientError,),
        Reaction.RENEW: (ConfigurationError,),
        Reaction.RAISE: (ConfigurationError, RecordError, TransientError),
    }
    assert issubclass(row.error, kinds[row.reaction])


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_row_of_a_table_hides_behind_another(table: tuple[Outcome, ...]) -> None:
    seen: list[Outcome] = []
    for row in table:
        for other in seen:
            covered = other.status is None or other.status == row.status
            assert not (covered and not other.marks), (other.code, row.code)
        seen.append(row)


def test_codes_of_different_meaning_have_different_names() -> None:
    by_code: dict[str, set[type[SyncError]]] = {}
    for row in ROWS:
        by_code.setdefault(row.code, set()).add(row.error)
    assert {code for code, errors in by_code.items() if len(errors) > 1} == set()
