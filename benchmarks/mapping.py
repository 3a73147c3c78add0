"""Mapping Exact's accounts to relations: plain loops, as the product does it, beside a pandas frame per page."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec

from outsmart_sync.providers.exact_online.imports import ACCOUNTS
from outsmart_sync.providers.exact_online.values import exact_date
from outsmart_sync.records.mapping import Mapper

PAGE = 1_000


def run(rows: int) -> None:
    """Print milliseconds per page for both."""
    pages = [_page(start) for start in range(0, rows, PAGE)]
    mapper = Mapper(stream=ACCOUNTS, today=date(2026, 11, 20), version="Timestamp", read_date=exact_date)
    loops = _timed(lambda page: mapper.page(page).rows, pages)
    start = time.perf_counter()
    import pandas as pd

    loading = time.perf_counter() - start
    frames = _timed(lambda page: _with_pandas(pd, page), pages)
    print(f"\nMapping pages of {PAGE:,} accounts of {len(ACCOUNTS.columns)} columns, milliseconds per page")
    print(
        f"  plain loops {loops:6.2f}\n"
        f"  pandas      {frames:6.2f}   ratio {frames / loops:.1f}; importing pandas {loading:.2f} s\n"
    )


def _timed(work: Callable[[list[dict[str, Any]]], Any], pages: list[list[dict[str, Any]]]) -> float:
    start = time.perf_counter()
    for page in pages:
        work(page)
    return (time.perf_counter() - start) / len(pages) * 1_000


def _with_pandas(pd: Any, page: list[dict[str, Any]]) -> list[Any]:
    """The same fields, stripped and without blanks, as encoded records; without tags, dates and fingerprints."""
    frame = pd.DataFrame.from_records(page, columns=list(ACCOUNTS.columns))
    mapped = pd.DataFrame(
        {name: frame[source.columns[0]].astype("str").str.strip() for name, source in ACCOUNTS.fields.items()}
    )
    records = mapped.astype(object).where(
        frame[[s.columns[0] for s in ACCOUNTS.fields.values()]].notna().to_numpy(), None
    )
    return [msgspec.json.encode(record) for record in records.to_dict("records")]


def _page(start: int) -> list[dict[str, Any]]:
    blank: dict[str, Any] = dict.fromkeys((*ACCOUNTS.columns, "Timestamp"))
    return [
        blank
        | {
            "ID": f"00000000-0000-4000-8000-{number:012d}",
            "Timestamp": number,
            "Code": str(number).rjust(18),
            "Name": f"Installatiebedrijf De Vries & Zn. {number}",
            "AddressLine1": f"Dorpsstraat {number % 300}",
            "Postcode": "1234 AB",
            "City": "Utrecht",
            "Country": "NL ",
            "Email": f"info{number}@example.com",
            "Status": "C",
            "Blocked": False,
            "IsSupplier": False,
            "StartDate": "/Date(1723420800000)/",
        }
        for number in range(start, start + PAGE)
    ]
