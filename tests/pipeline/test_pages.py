"""No row is lost or doubled when rows change between pages, or share a time across a page boundary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count as count_from
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outsmart_sync.errors import VendorUnavailable
from outsmart_sync.pipeline import extract as extracting
from outsmart_sync.providers.exact_online.source import ExactSource
from outsmart_sync.records.exchange import ReadPage
from outsmart_sync.store.tables import mirror
from pipeline.world import DIVISION, Work, World
from sandbox import process

ITEMS, GROUPS = "logistics/Items", "logistics/ItemGroups"
numbers = count_from(1)
EDITS = ("change", "touch", "delete", "add")
quickly = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def small_vendors() -> Iterator[process.SandboxProcess]:
    """Vendors of their own: what other tests deleted would be read here, too, a row a page."""
    with process.start(relations=1, items=1) as vendors:
        yield vendors


@dataclass
class Meddled:
    """A source of which somebody changes the rows between two pages."""

    source: ExactSource
    meddle: list[Callable[[], None]] = field(default_factory=list)

    def pages(self, *arguments: Any, **options: Any) -> Iterator[ReadPage]:
        for page in self.source.pages(*arguments, **options):
            yield page
            if self.meddle:
                self.meddle.pop(0)()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)


class Office:
    """Somebody who edits rows of one resource."""

    def __init__(self, world: World, resource: str, make: Callable[[str], str]) -> None:
        self.world, self.resource, self.make = world, resource, make

    def rows(self) -> list[dict[str, Any]]:
        return list(self.world.control.exact_rows(DIVISION, self.resource))

    def edit(self, what: str, place: int) -> None:
        rows = self.rows()
        if what == "add" or not rows:
            self.make(f"N{next(numbers)}")
            return
        row = rows[place % len(rows)]
        if what == "delete":
            self.world.delete(self.resource, row["ID"])
        elif what == "touch":
            self.world.touch(self.resource, row["ID"])
        else:
            self.world.change(self.resource, row["ID"], Description=f"Text {next(numbers)}")


steps = st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 9)), max_size=4)


@pytest.mark.parametrize("category", ["materials", "categories"])
@given(count=st.integers(0, 7), page=st.integers(1, 3), between=st.lists(steps, max_size=4), full=st.booleans())
@quickly
def test_rows_that_change_between_two_pages_are_neither_lost_nor_doubled(
    quick_world: World, category: str, count: int, page: int, between: list[list[tuple[str, int]]], *, full: bool
) -> None:
    world = quick_world
    whole = category == "categories"
    record = "category" if whole else "material"
    world.settings(relations={"enabled": False}, hour_types={"enabled": False}, **{category: {"enabled": True}})
    office = Office(world, GROUPS if whole else ITEMS, world.group if whole else world.item)
    for _ in range(count):
        office.make(f"N{next(numbers)}")
    world.control.switch(shorter_pages=page)
    work = world.work(category, full=full)
    meddled = Meddled(
        work.doors.source, [lambda edits=edits: [office.edit(*each) for each in edits] for edits in between]
    )
    extract_through(work, meddled, whole=whole)
    counts = world.counts(category)
    assert counts.rejected == counts.waiting == 0
    live = [row for row in world.rows(mirror, record=record) if row.source_gone_at is None and row.provider_id]
    assert Counter(row.provider_id for row in live) == Counter(row["ID"] for row in office.rows())
    titles = {row.provider_id: row.title for row in live}
    assert titles == {row["ID"]: row["Description"] for row in office.rows()}
    world.control.switch(shorter_pages=0)


def extract_through(work: Work, source: Any, *, whole: bool) -> None:
    """One run that reads while somebody edits; a whole list that changed meanwhile may refuse to be read."""
    try:
        extracting.extract(work.store, work.job, source, work.doors.destination)
    except VendorUnavailable:
        assert whole
        return
    work.filter()
    work.match()
    work.upsert()


@given(count=st.integers(2, 9), page=st.integers(1, 4))
@quickly
def test_rows_that_share_their_time_across_a_page_boundary_all_come(quick_world: World, count: int, page: int) -> None:
    world = quick_world
    world.settings(relations={"enabled": False}, materials={"enabled": False}, categories={"enabled": True})
    for row in world.control.exact_rows(DIVISION, GROUPS):
        world.delete(GROUPS, row["ID"])
    rows = [{"Code": f"S{next(numbers)}", "Description": "Same"} for _ in range(count)]
    made = world.control.add_exact(DIVISION, GROUPS, *rows)
    world.control.switch(shorter_pages=page)
    world.counts("categories", full=True)
    live = [row for row in world.rows(mirror, record="category") if row.source_gone_at is None and row.provider_id]
    assert sorted(row.provider_id for row in live) == sorted(map(str, made))
    world.control.switch(shorter_pages=0)
