"""The catalogue: every package's declarations fit together, and what they offer is found by name."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from outsmart_sync.providers.packages import packages
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.exchange import DELETIONS
from outsmart_sync.records.record import Kind
from outsmart_sync.records.setting_kinds import Choice, Switch
from outsmart_sync.records.streams import DerivedStream, FoldContext, Part, Stream

CATEGORIES = [category for package in packages().values() for category in package.imports]
STREAMS = [(category, stream) for category in CATEGORIES for stream in category.streams]

each_category = pytest.mark.parametrize("category", CATEGORIES, ids=lambda category: category.name)
each_stream = pytest.mark.parametrize(
    ("category", "stream"), STREAMS, ids=[f"{category.name}-{stream.name}" for category, stream in STREAMS]
)


@each_category
def test_a_category_knows_its_records_parents_before_children(category: ImportCategory) -> None:
    assert category.record is category.streams[0].record
    seen: set[str] = set()
    for record in category.records:
        assert record.parent is None or record.parent.record in seen
        assert category.stream_of(record.name).record is record
        seen.add(record.name)
    derived = [name for name in seen if isinstance(category.stream_of(name), DerivedStream)]
    assert seen - set(derived) == {stream.record.name for stream in category.streams if stream.record}
    assert len(category.records) == len(seen)  # each once, whichever streams make it


@each_category
def test_the_names_under_which_a_category_keeps_cursors_are_all_different(category: ImportCategory) -> None:
    names = [*(stream.name for stream in category.streams), DELETIONS]
    assert len(names) == len(set(names))


@each_category
def test_parts_are_folded_by_somebody(category: ImportCategory) -> None:
    assert category.fold is not None or not category.parts
    assert all(part.parent for part in category.parts)


@each_category
def test_a_filter_has_a_name_of_its_own_and_choices_have_tags_to_choose_by(category: ImportCategory) -> None:
    names = [each.name for each in category.filters]
    assert len(names) == len(set(names))
    for each in category.filters:
        if isinstance(each, Switch):
            left_out = {reason for stream in category.streams if stream.left_out for reason in stream.left_out.reasons}
            assert each.lets in {"blocked", "inactive", "", *left_out}
        if isinstance(each, Choice):
            assert category.stream_of(each.record or category.record.name).tags is not None
            assert set(each.default) <= set(each.values)


@each_category
def test_a_category_whose_documents_bear_a_date_has_a_start_date_and_no_other_has(category: ImportCategory) -> None:
    dated = [stream for stream in category.streams if stream.dated is not None]
    assert bool(dated) == (category.start is not None)
    assert all(stream.record is not None for stream in dated)


@each_category
def test_categories_come_after_those_they_refer_to(category: ImportCategory) -> None:
    names = [each.name for each in _siblings(category)]
    assert all(names.index(earlier) < names.index(category.name) for earlier in category.after)


@each_category
def test_categories_come_after_all_that_make_what_they_refer_to(category: ImportCategory) -> None:
    """Also what is only put in where it is there: side by side, it would be left out by chance."""
    makers = {record.name: each for each in _siblings(category) for record in each.records}
    earlier = _all_before(category)
    for record in category.records:
        for reference in record.references:
            needed = {makers[name].name for name in reference.fields if name in makers} - {category.name}
            # Which materials are in a category waits for the materials, which come after their categories.
            assert needed <= earlier or (record.name, needed) == ("material_category", {"materials"})


def _siblings(category: ImportCategory) -> tuple[ImportCategory, ...]:
    """All categories of the same package."""
    (own,) = (package for package in packages().values() if category in package.imports)
    return own.imports


def _all_before(category: ImportCategory) -> set[str]:
    by_name = {each.name: each for each in _siblings(category)}
    return {name for each in category.after for name in (each, *_all_before(by_name[each]))}


def test_categories_come_before_materials() -> None:
    assert "categories" in packages()["exact_online"].category("materials").after


@each_stream
def test_a_stream_fills_fields_that_its_record_has(category: ImportCategory, stream: Stream) -> None:
    if stream.record is None:
        return
    known = {reference.key for reference in stream.record.references}
    for name in stream.fields:
        if stream.record.travels(name):
            assert stream.record.field(name).kind in (Kind.TEXT, Kind.DECIMAL, Kind.DATE)
        else:
            assert name in known or stream.compose is not None or category.fold is not None
    own_code = stream.record.code in stream.fields or bool(stream.record.keys)
    assert own_code != (stream.derived_code is not None)
    assert stream.record.parent is None or stream.parent is not None


@each_category
def test_a_fold_fills_a_field_of_the_record_and_may_run_twice(category: ImportCategory) -> None:
    if category.fold is None or category.record.made_once or category.record.amount or category.record.kept:
        return
    part = Part("p", {"price": "4.5", "quantity": "1"}, None, None)
    context = FoldContext(today=date(2026, 3, 1), currency="")
    once = category.fold({"code": "A"}, [part], context)
    twice = category.fold(once.payload, [part], context)
    assert once == twice
    (added,) = set(once.payload) - {"code"}
    assert category.record.field(added).kind is Kind.DECIMAL


def test_an_unknown_category_or_record_is_an_error() -> None:
    exact = packages()["exact_online"]
    assert exact.category("relations").name == "relations"
    with pytest.raises(KeyError, match="planets"):
        exact.category("planets")
    with pytest.raises(KeyError, match="relations has no stream for planet"):
        exact.category("relations").stream_of("planet")


def test_a_category_whose_first_stream_is_a_part_is_a_mistake() -> None:
    part = Stream(name="prices", record=None, key="ID", fields={}, parent="Item")
    with pytest.raises(ValueError, match="the first stream of broken makes no record"):
        _ = ImportCategory(name="broken", label="Broken", streams=(part,)).record


@pytest.mark.parametrize(
    ("payload", "number"),
    [({"price": "4.50"}, Decimal("4.50")), ({}, None), ({"price": True}, None)],
    ids=["there", "absent", "flag"],
)
def test_a_parts_number_is_exact(payload: Any, number: Decimal | None) -> None:
    assert Part("p", payload, None, None).number("price") == number
