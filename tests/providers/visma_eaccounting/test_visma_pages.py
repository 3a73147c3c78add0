"""Lists of several pages: read to their end although rows come, go and change meanwhile, and in spite of faults."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import requests

from outsmart_sync.errors import VendorUnavailable
from outsmart_sync.providers.visma_eaccounting.client import VismaClient
from outsmart_sync.providers.visma_eaccounting.imports import PACKAGE
from outsmart_sync.providers.visma_eaccounting.source import VismaSource
from outsmart_sync.records.exchange import ReadPage
from outsmart_sync.records.values import decode
from outsmart_sync.store.tables import mirror
from support import Rig

COMPANY = "leeg"
TODAY = date(2026, 11, 27)
CUSTOMERS = PACKAGE.category("customers")
MORE_THAN_TWO_PAGES = 2_300


def customers(rig: Rig, *numbers: int) -> None:
    given = {"InvoiceAddress1": "Kerkstraat 1", "InvoicePostalCode": "1234 AB", "InvoiceCity": "Delft"}
    rows = [{"CustomerNumber": str(each), "Name": f"Customer {each}", "IsPrivatePerson": False} for each in numbers]
    rig.vendors.control.add_visma(COMPANY, "customers", *(given | row for row in rows))


class Token:
    """One that is never renewed."""

    def __init__(self, text: str) -> None:
        self._text = text

    def access_token(self, refused: str | None = None) -> str:
        assert refused is None
        return self._text


@pytest.fixture
def source(sqlite_visma: Rig) -> VismaSource:
    """Reads two rows at a time, one page after the other."""
    token = Token(sqlite_visma.vendors.control.give_visma_tokens(company=COMPANY)["access_token"])
    client = VismaClient(
        requests.Session, sqlite_visma.vendors.visma_url, token, sleep=lambda _: None, parallel=1, page_size=2
    )
    return VismaSource(client, COMPANY)


def read(source: VismaSource, between: Callable[[int], None] = lambda _: None, **where: Any) -> list[ReadPage]:
    found = []
    position = {"after": None, "resume": None, **where}
    for page in source.pages(CUSTOMERS, CUSTOMERS.streams[0], TODAY, **position):
        found.append(page)
        between(len(found))
    return found


def codes(pages: list[ReadPage]) -> list[str]:
    return sorted(str(row.code) for page in pages for row in page.mapped.rows)


def test_all_pages_come_once(sqlite_visma: Rig, source: VismaSource) -> None:
    customers(sqlite_visma, *range(1, 6))
    pages = read(source)
    assert codes(pages) == ["1", "2", "3", "4", "5"]
    assert [page.fetched for page in pages] == [2, 2, 1]


def test_an_interrupted_read_goes_on_at_its_page(sqlite_visma: Rig, source: VismaSource) -> None:
    customers(sqlite_visma, *range(1, 6))
    first = read(source)[0]
    rest = read(source, resume=first.next_page)
    assert [page.fetched for page in rest] == [2, 1]
    assert codes([first, *rest]) == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("change", ["added", "gone"])
def test_a_row_that_comes_or_goes_between_pages_makes_them_be_read_again(
    sqlite_visma: Rig, source: VismaSource, change: str
) -> None:
    customers(sqlite_visma, *range(1, 8))

    def between(page: int) -> None:
        if page == 1 and change == "added":
            customers(sqlite_visma, 8)
        elif page == 1:
            known = sorted(sqlite_visma.vendors.control.visma_rows(COMPANY, "customers"), key=lambda row: row["Id"])
            sqlite_visma.vendors.control.delete_visma(COMPANY, "customers", known[0]["Id"])

    pages = read(source, between)
    there = {row["CustomerNumber"] for row in sqlite_visma.vendors.control.visma_rows(COMPANY, "customers")}
    assert there <= set(codes(pages))
    assert pages[-1].next_page is None
    assert len(pages) > 4
    assert sum(page.next_page is None for page in pages) == 1


def test_a_list_that_never_stands_still_is_no_whole_list(sqlite_visma: Rig, source: VismaSource) -> None:
    customers(sqlite_visma, *range(1, 8))
    with pytest.raises(VendorUnavailable, match="keeps changing"):
        read(source, lambda page: customers(sqlite_visma, 100 + page))


def test_a_change_while_pages_come_is_in_the_next_read(sqlite_visma: Rig, source: VismaSource) -> None:
    customers(sqlite_visma, *range(1, 6))

    def between(page: int) -> None:
        if page == 3:
            sqlite_visma.vendors.control.change_visma(COMPANY, "customers", "1", Name="Anders")

    cursor = read(source, between)[-1].cursor
    again = {
        str(row.code): decode(row.payload)["name"] for page in read(source, after=cursor) for row in page.mapped.rows
    }
    assert again["1"] == "Anders"


def test_more_than_two_full_pages_come_through_all_steps_in_spite_of_a_lost_page(visma: Rig) -> None:
    connection = visma.connect_visma(COMPANY, customers={"enabled": True})
    customers(visma, *range(1, MORE_THAN_TWO_PAGES + 1))
    visma.vendors.control.add_fault("reset", vendor="visma", path="/v2/customers", query="page=3&", times=None)
    stopped = visma.sync("customers", package="visma_eaccounting")["customers"]
    assert stopped.error_code == "vendor_unreachable"
    visma.vendors.control.clear_faults()
    done = visma.sync("customers", package="visma_eaccounting")["customers"]
    assert done.error_code == ""
    assert {row.state for row in visma.rows(mirror, connection_id=connection.id)} == {"synced"}
    sent = visma.vendors.control.outsmart_records("south", "relations")
    assert len(sent) == len({row["debtor_number"] for row in sent}) == MORE_THAN_TWO_PAGES


def test_a_full_read_whose_second_page_is_missing_marks_nothing_as_gone(sqlite_visma: Rig) -> None:
    sqlite_visma.connect_visma(COMPANY, customers={"enabled": True})
    customers(sqlite_visma, *range(1, 1_202))
    assert sqlite_visma.sync("customers", package="visma_eaccounting")["customers"].error_code == ""
    meta = {"CurrentPage": 2, "PageSize": 1000, "TotalNumberOfPages": 2, "TotalNumberOfResults": 1201}
    body = {"Meta": {**meta, "ServerTimeUtc": "2026-11-26T12:00:00.1234567Z"}, "Data": []}
    sqlite_visma.vendors.control.add_fault(
        "status", vendor="visma", path="/v2/customers", query="page=2&", status=200, body=body, times=None
    )
    cut = sqlite_visma.sync("customers", package="visma_eaccounting", full=True)["customers"]
    assert cut.error_code == "vendor_unavailable"
    sqlite_visma.vendors.control.clear_faults()
    again = sqlite_visma.sync("customers", package="visma_eaccounting", full=True)["customers"]
    assert (again.error_code, again.counts.deleted) == ("", 0)
    assert {row.state for row in sqlite_visma.rows(mirror, record="relation")} == {"synced"}
