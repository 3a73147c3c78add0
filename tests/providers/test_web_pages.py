"""Addresses of records in the vendors' web applications."""

from __future__ import annotations

from typing import Any

import pytest

from outsmart_sync.errors import NotConfigured
from outsmart_sync.providers.web_pages import page_of
from outsmart_sync.records.exchange import WebPage

BASE = "https://app.example"
PAGES = {"relation": "card?of={administration}&id=%7b{id}%7d"}


def page(record: str, number: str, **extras: Any) -> WebPage:
    values = {"administration": "12", "id": number}
    return page_of(record, values, base=BASE, pages=PAGES, start="first?of={administration}", extras=extras)


def test_a_record_has_its_own_page_where_that_is_known() -> None:
    assert page("relation", "a-1") == WebPage(f"{BASE}/card?of=12&id=%7ba-1%7d", of_record=True)
    assert page("material", "a-1") == WebPage(f"{BASE}/first?of=12", of_record=False)
    assert page("relation", "") == WebPage(f"{BASE}/first?of=12", of_record=False)


def test_an_id_cannot_lead_elsewhere() -> None:
    assert page("relation", "x&y=/../?#").address == f"{BASE}/card?of=12&id=%7bx%26y%3D%2F..%2F%3F%23%7d"


def test_who_knows_more_pages_or_another_address_can_say_so() -> None:
    told = {"material": "/item/{id}", "relation": "other/{id}"}
    assert page("material", "7", web_pages=told, web_url="https://shop.example/") == WebPage(
        "https://shop.example/item/7", of_record=True
    )
    assert page("relation", "7", web_pages=told).address == f"{BASE}/other/7"


@pytest.mark.parametrize(
    ("extras", "said"),
    [
        ({"web_pages": {"material": "item/{code}"}}, "cannot be used: .*item/{code}"),
        ({"web_pages": {"material": "item/{id"}}, "cannot be used: .*item/{id'"),
        ({"web_pages": {"material": 7}}, "cannot be used: .*7"),
        ({"web_pages": "item/{id}"}, "cannot be used: item/{id}"),
        ({"web_url": "javascript:alert(1)"}, "web_url is not a web address"),
    ],
)
def test_what_cannot_be_used_says_so(extras: dict[str, Any], said: str) -> None:
    with pytest.raises(NotConfigured, match=said):
        page("material", "7", **extras)
