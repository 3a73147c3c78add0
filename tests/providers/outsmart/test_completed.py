"""Completed work orders as OutSmart sends them: what is read, what cannot be, and when they were completed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from outsmart_sync.providers.outsmart.completed import read


def fields(**more: Any) -> dict[str, Any]:
    return {"id": 7, "WorkorderNo": "W1", "status": "Compleet", "CustomerDebtorNr": "100", **more}


def test_figures_come_with_a_comma_and_days_as_people_write_them() -> None:
    material = {"MaterialCode": "A1", "MaterialNr": "2,5", "MaterialPrice": "4,55", "MaterialTotalPrice": "11,38"}
    period = {"WorkDate": "05-11-2026", "BeginTime": "7:30", "EndTime": "16:00", "Break": "30", "TotalTime": "08:00"}
    found = read(fields(WorkEndDate="05-11-2026", Materials=[material], Workperiods=[period], MinimumHours="1,5"))
    assert (found.row_id, found.end_day, found.minimum_hours) == ("7", date(2026, 11, 5), Decimal("1.5"))
    assert (found.materials[0].quantity, found.materials[0].total) == (Decimal("2.5"), Decimal("11.38"))
    assert (found.periods[0].begin, found.periods[0].pause, found.periods[0].total) == (time(7, 30), 30, 480)
    assert found.unreadable == []


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"WorkEndDate": "2026-11-05"}, "WorkEndDate '2026-11-05'"),
        ({"Materials": [{"MaterialNr": "two"}]}, "material 1: MaterialNr 'two'"),
        ({"Workperiods": [{"BeginTime": "eight"}]}, "period 1: BeginTime 'eight'"),
        ({"Workperiods": [{"TotalTime": "1.5"}]}, "period 1: TotalTime '1.5'"),
        ({"RoundingAmount": "7,5"}, "RoundingAmount '7.5'"),
    ],
)
def test_what_cannot_be_read_is_named(more: dict[str, Any], named: str) -> None:
    assert read(fields(**more)).unreadable == [named]


@pytest.mark.parametrize(
    ("more", "moment"),
    [
        (
            {
                "StatusChanges": [
                    {"timestamp": "2026-11-05 10:00:00", "status": "Compleet"},
                    {"timestamp": "2026-11-06 09:00:00", "status": "Compleet"},
                    {"timestamp": "2026-11-07 09:00:00", "status": "Afgehandeld"},
                ]
            },
            datetime(2026, 11, 6, 9, tzinfo=UTC),
        ),
        ({"WorkEndDate": "05-11-2026", "MutationDate": "2026-12-01 10:00:00"}, None),
        ({"MutationDate": "2026-12-01 10:00"}, datetime(2026, 12, 1, 10, tzinfo=UTC)),
        ({}, None),
    ],
)
def test_when_it_was_completed(more: dict[str, Any], moment: datetime | None) -> None:
    assert read(fields(**more)).completed_at == moment


def test_statuses_and_addresses_of_files_make_no_other_work_order() -> None:
    before = read(fields(PdfUrl="https://one", WorkStatus="1"))
    after = read(fields(PdfUrl="https://two", WorkStatus="2", status="Afgehandeld"))
    assert before.fingerprint == after.fingerprint != read(fields(WorkDescription="more")).fingerprint
    assert read(fields(CustomerDebtorNrInvoice="200")).payer == "200"
    assert read(fields(CustomerDebtorNrInvoice="100")).payer == "100"
