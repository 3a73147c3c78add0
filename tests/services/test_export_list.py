"""The list of work orders, on each database."""

from __future__ import annotations

from typing import Any

import pytest

from exports.conftest import exporting_anywhere  # noqa: F401  # a fixture
from exports.world import ExportWorld, line
from outsmart_sync.errors import InvalidSettings
from outsmart_sync.services import export_list
from pipeline.conftest import small_vendors, world  # noqa: F401  # fixtures


@pytest.fixture
def here(exporting_anywhere: Any) -> ExportWorld:  # noqa: F811
    """Some work orders in several states."""
    found: ExportWorld = exporting_anywhere
    found.work_order("W1", line())
    found.run()
    for number, day in (("W4", "06-11-2026"), ("W3", "05-11-2026"), ("W2", "04-11-2026")):
        found.work_order(number, line("NOPE"), WorkEndDate=day)
    found.work_order("W5", line(), WorkEndDate="01-11-2025")
    found.run()
    return found


def numbers(rows: list[export_list.Listed]) -> list[str]:
    return [each.shown.number for each in rows]


def test_open_ones_are_in_order_of_completion_and_come_in_pages(here: ExportWorld) -> None:
    number = here.world.connection.id
    assert numbers(export_list.in_order(here.store, number)) == ["W2", "W3", "W4"]
    assert numbers(export_list.in_order(here.store, number, limit=1, offset=1)) == ["W3"]
    assert numbers(export_list.in_order(here.store, number, "older")) == ["W5"]
    assert len(export_list.in_order(here.store, number, export_list.ALL)) == 5
    with pytest.raises(InvalidSettings, match="no state"):
        export_list.in_order(here.store, number, "odd")


def test_where_exports_stand_in_figures(here: ExportWorld) -> None:
    found = export_list.standing(here.store, here.world.connection)
    assert (found.open, found.trouble, found.on) == (3, 3, True)
    assert found.oldest is not None
    assert found.oldest.shown.number == "W2"
    (cause,) = export_list.troubles(here.store, [here.world.connection.id])
    assert (cause.state, cause.number) == ("failed", 3)


@pytest.mark.parametrize("text", ["W1", "w1", " W1 ", "JANSEN"])
def test_a_search_finds_by_number_and_customer_without_regard_to_case(here: ExportWorld, text: str) -> None:
    assert "W1" in numbers(export_list.search(here.store, [here.world.connection.id], text))
    assert export_list.search(here.store, [99], text) == []
    assert export_list.search(here.store, [here.world.connection.id], "W_") == []
