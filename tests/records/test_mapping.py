"""Mapping rows as a stream declares it: columns, fallbacks, foreign rows, parts, derived codes, tags."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import pytest

from outsmart_sync.records.mapping import Mapper
from outsmart_sync.records.record import UNREADABLE, Field, Kind, Parent, Record
from outsmart_sync.records.staged import Origin, StagedRow, tag, tags_text
from outsmart_sync.records.streams import Belongs, Source, Stream, Tags
from outsmart_sync.records.values import code_key, content_hash, decode, encode
from outsmart_sync.store.tables import staging

TODAY = date(2026, 3, 1)

THING = Record(
    name="thing",
    label="thing",
    code="code",
    title="name",
    active="active",
    fields=(
        Field("code", "code", required=True),
        Field("name", "name", required=True, max_length=10),
        Field("phone", "telephone"),
        Field("active", "in use", Kind.FLAG),
    ),
)
CHILD = Record(
    name="child",
    label="child",
    code="child_code",
    title="child_name",
    parent=Parent("thing", "child_of"),
    fields=(
        Field("child_of", "thing", required=True),
        Field("child_code", "code", required=True),
        Field("child_name", "name", required=True),
    ),
)


def text(*columns: str) -> Source:
    return Source(columns, lambda value: str(value).strip() or None)


THINGS = Stream(
    name="things",
    record=THING,
    key="ID",
    fields={"code": text("Code"), "name": text("Name"), "phone": text("Phone", "Mobile")},
    blocked="Blocked",
    valid=("First", "Last"),
    tags=Tags(("Group",), lambda row: [("group", row["Group"])] if row["Group"] else []),
    belongs=Belongs(("Kind", "Group"), lambda row: row["Kind"] == "thing", "no_thing"),
)
CHILDREN = Stream(
    name="children",
    record=CHILD,
    key="ID",
    fields={"child_name": text("Name")},
    parent="Thing",
    derived_code=lambda provider_id: f"C-{provider_id}",
)
PRICES = Stream(
    name="prices", record=None, key="ID", fields={"price": text("Price")}, parent="Thing", valid=("First", "Last")
)

ROW: dict[str, Any] = {
    "ID": "id-1",
    "Code": "  A1 ",
    "Name": "Pump",
    "Phone": None,
    "Mobile": None,
    "Blocked": False,
    "First": None,
    "Last": None,
    "Group": None,
    "Kind": "thing",
    "Version": "4300000001",
}


def mapper(stream: Stream = THINGS, **changes: Any) -> Mapper:
    given: dict[str, Any] = {"today": TODAY, "version": "Version", "read_date": lambda value: value} | changes
    return Mapper(stream=stream, **given)


def mapped(stream: Stream = THINGS, row: dict[str, Any] | None = None, **values: Any) -> StagedRow:
    (made,) = mapper(stream).page([(row or ROW) | values]).rows
    return made


def payload_of(row: StagedRow) -> dict[str, Any]:
    return decode(row.payload or "")


def test_a_stream_asks_for_every_column_that_it_needs_once_and_in_order() -> None:
    assert THINGS.columns == (
        "Blocked", "Code", "First", "Group", "ID", "Kind", "Last", "Mobile", "Name", "Phone",
    )  # fmt: skip
    assert CHILDREN.columns == ("ID", "Name", "Thing")
    assert PRICES.columns == ("First", "ID", "Last", "Price", "Thing")


def test_the_columns_of_a_stream_are_enough_to_map_its_rows() -> None:
    row = {name: ROW[name] for name in THINGS.columns}
    assert mapper(version=None).page([row]).rows[0].code == "A1"


@pytest.mark.parametrize("column", THINGS.columns)
def test_a_column_that_the_package_left_out_is_an_error_and_not_an_empty_field(column: str) -> None:
    row = {name: value for name, value in (ROW | {"Phone": " "}).items() if name != column}
    with pytest.raises(KeyError, match=column):
        mapper().page([row])


def test_a_staged_row_has_the_columns_of_the_staging_table_in_its_order() -> None:
    names = [column.name for column in staging.columns]
    assert [name for name in names if name in StagedRow._fields] == list(StagedRow._fields)


def test_a_row_becomes_a_record_with_everything_that_follows_from_its_payload() -> None:
    row = mapped(Phone="030-1")
    payload = {"code": "A1", "name": "Pump", "phone": "030-1", "active": True}
    assert row == StagedRow(
        record="thing",
        provider_id="id-1",
        version=4_300_000_001,
        code="A1",
        code_key=code_key("A1"),
        title="Pump",
        payload=encode(payload),
        content_hash=content_hash(encode(payload)),
        tags="",
        blocked=False,
        valid_from=None,
        valid_until=None,
        due_on=None,
        parent_id=None,
        problems="",
        origin=Origin.PAGE,
    )


@pytest.mark.parametrize(
    ("columns", "phone"),
    [
        ({"Phone": "1", "Mobile": "2"}, "1"),
        ({"Phone": None, "Mobile": "2"}, "2"),
        ({"Phone": "  ", "Mobile": "2"}, "2"),
        ({"Phone": None, "Mobile": None}, None),
        ({"Phone": "", "Mobile": " "}, None),
    ],
    ids=["first", "second", "first blank", "none", "both blank"],
)
def test_the_first_column_with_a_value_gives_it(columns: dict[str, str | None], phone: str | None) -> None:
    assert payload_of(mapped(**columns)).get("phone") == phone


def test_a_field_without_a_value_is_left_out() -> None:
    assert set(payload_of(mapped())) == {"code", "name", "active"}


def test_a_record_without_a_code_is_mapped_with_an_empty_one() -> None:
    row = mapped(Code="  ")
    assert (row.code, row.code_key, row.problems) == ("", "", "code")


def test_what_outsmart_would_refuse_is_noted() -> None:
    assert mapped(Name="x" * 11).problems == "name>10"


@pytest.mark.parametrize(
    ("version", "read"), [("4300000001", 4_300_000_001), (7, 7), (None, None)], ids=["text", "number", "none"]
)
def test_a_version_is_a_number_however_the_package_writes_it(version: Any, read: int | None) -> None:
    assert mapped(Version=version).version == read


def test_a_look_up_has_no_versions() -> None:
    assert mapper(version=None).page([ROW]).rows[0].version is None


@pytest.mark.parametrize(
    ("values", "active", "due_on"),
    [
        ({}, True, None),
        ({"Blocked": True}, False, None),
        ({"First": date(2026, 3, 2)}, False, date(2026, 3, 2)),
        ({"Last": date(2026, 3, 1)}, True, date(2026, 3, 2)),
        ({"Last": date(2026, 2, 28)}, False, None),
    ],
    ids=["open", "blocked", "begins tomorrow", "last day", "over"],
)
def test_a_record_says_whether_it_is_in_use_and_when_that_changes(
    values: dict[str, Any], active: bool, due_on: date | None
) -> None:
    row = mapped(**values)
    assert (payload_of(row)["active"], row.due_on) == (active, due_on)
    assert (row.blocked, row.valid_from, row.valid_until) == (
        values.get("Blocked", False),
        values.get("First"),
        values.get("Last"),
    )


def test_dates_are_read_by_the_packages_own_function() -> None:
    page = mapper(read_date=lambda value: date(2026, 3, value) if value else None).page([ROW | {"First": 9}])
    assert page.rows[0].valid_from == date(2026, 3, 9)


def test_rows_of_another_kind_are_handed_on_with_id_and_version_only() -> None:
    page = mapper().page([ROW | {"Kind": "other", "Code": None}, ROW])
    assert page.foreign == [("id-1", 4_300_000_001)]
    assert len(page.rows) == 1


def test_rows_keep_the_pages_order() -> None:
    page = mapper().page(ROW | {"ID": str(number)} for number in range(50))
    assert [row.provider_id for row in page.rows] == [str(number) for number in range(50)]


def test_a_record_that_has_parts_is_staged_as_a_base_first() -> None:
    assert mapper(folded=True).page([ROW]).rows[0].origin == Origin.BASE


def test_a_child_gets_a_code_from_its_id_and_knows_its_parent() -> None:
    row = mapped(CHILDREN, {"ID": "7", "Name": "Ann", "Thing": "id-1", "Version": 5})
    assert (row.code, row.parent_id, row.problems) == ("C-7", "id-1", "")
    assert payload_of(row) == {"child_code": "C-7", "child_name": "Ann"}


def test_a_part_carries_its_payload_validity_and_parent_and_no_code() -> None:
    last = date(2026, 3, 1)
    row = mapped(PRICES, {"ID": "p", "Price": "4.5", "Thing": "id-1", "First": None, "Last": last, "Version": 6})
    assert (row.record, row.provider_id, row.version, row.origin) == ("prices", "p", 6, Origin.PART)
    assert (row.code, row.code_key, row.title, row.content_hash) == (None, None, None, None)
    assert (row.valid_from, row.valid_until, row.parent_id) == (None, last, "id-1")
    assert payload_of(row) == {"price": "4.5"}


def test_tags_are_written_so_that_one_can_be_found_between_bars() -> None:
    assert mapped(Group="HW").tags == "|group:HW|"
    assert tags_text([tag("type", "customer"), tag("type", "supplier")]) == "|type:customer|type:supplier|"
    assert tags_text([]) == ""


@pytest.mark.parametrize("group", ["A|B", "|", "A|group:B", "A:B", "%_"])
def test_a_tag_with_a_bar_in_it_is_found_by_its_own_value_only(group: str) -> None:
    tags = mapped(Group=group).tags
    assert tag("group", group) + "|" in tags
    for other in {"A", "B", "", "A|B", "|", "A|group:B", "A:B", "%_"} - {group}:
        assert tag("group", other) + "|" not in tags


def test_equal_rows_have_equal_fingerprints_and_a_changed_field_another() -> None:
    again = mapped(Version="4300000009", Phone="  ")
    assert again.content_hash == mapped().content_hash
    assert mapped(Name="Pumps").content_hash != mapped().content_hash


def unreadable(value: Any) -> Any:
    raise ValueError(f"'{value}' is not a date")


def test_a_row_that_cannot_be_read_is_staged_with_the_rest_of_it_and_stops_no_other() -> None:
    stream = dataclasses.replace(THINGS, fields=dict(THINGS.fields) | {"phone": Source(("Phone",), unreadable)})
    page = mapper(stream).page([ROW | {"ID": "bad", "Phone": "?"}, ROW])
    bad, good = page.rows
    assert (bad.provider_id, bad.code, bad.problems) == ("bad", "A1", f"phone{UNREADABLE}")
    assert payload_of(bad) == {"code": "A1", "name": "Pump"}
    assert (good.provider_id, good.problems) == ("id-1", "")


def test_a_date_that_cannot_be_read_and_a_missing_name_are_both_told() -> None:
    (row,) = mapper(read_date=unreadable).page([ROW | {"Name": " "}]).rows
    assert row.problems == f"{UNREADABLE},name"


def test_a_part_that_cannot_be_read_counts_as_gone() -> None:
    row = {"ID": "p", "Price": "4.5", "Thing": "id-1", "First": None, "Last": "?", "Version": 6}
    page = mapper(PRICES, read_date=unreadable).page([row])
    assert (page.rows, page.foreign) == ([], [("p", 6)])
