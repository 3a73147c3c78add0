"""An administration as the pipeline reads it: streams, look-ups, deletions, news."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

import pytest

from outsmart_sync.errors import RequestRefused, VendorUnavailable
from outsmart_sync.providers.exact_online.imports import (
    ACCOUNTS,
    ADDRESSES,
    CONTACTS,
    HOUR_TYPES_IMPORT,
    MATERIALS_IMPORT,
    PACKAGE,
    PRICES,
    RELATIONS_IMPORT,
    ExactStream,
)
from outsmart_sync.providers.exact_online.source import BEGINNING, ExactSource
from outsmart_sync.providers.exact_online.values import code_from_id, padded_code
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.exchange import DELETIONS, ReadPage
from outsmart_sync.records.staged import StagedRow
from outsmart_sync.records.streams import Stream
from outsmart_sync.records.values import decode
from sandbox import process
from sandbox.process import SandboxProcess
from support import MAIN, SMALL
from tests.providers.conftest import MakeClient
from tests.providers.scripted import Answer, ScriptedServer

TODAY = date(2026, 3, 1)
EMPTY = 2001006
ITEMS: Stream = MATERIALS_IMPORT.streams[0]
LABOUR: Stream = HOUR_TYPES_IMPORT.streams[0]
ROWS = {
    "accounts": "crm/Accounts",
    "contacts": "crm/Contacts",
    "addresses": "crm/Addresses",
    "items": "logistics/Items",
    "prices": "logistics/SalesItemPrices",
    "employees": "payroll/Employees",
}
CHANGING = [category for category in PACKAGE.imports if all(stream.name in ROWS for stream in category.streams)]
"""Master data whose streams are lists of changes; the others have files of their own in tests/pipeline."""
STREAMS = [(category, stream) for category in CHANGING for stream in category.streams]
STREAM_NAMES = [f"{category.name}.{stream.name}" for category, stream in STREAMS]


@pytest.fixture(scope="module")
def shared_vendors() -> Iterator[SandboxProcess]:
    """Vendors with more than a page in most streams."""
    with process.start(relations=1_200, items=1_100) as vendors:
        yield vendors


@pytest.fixture
def source(calm: SandboxProcess, exact_at: MakeClient) -> ExactSource:
    return source_of(calm, exact_at)


def source_of(vendors: SandboxProcess, exact_at: MakeClient, division: int = MAIN) -> ExactSource:
    token = vendors.control.give_tokens()["access_token"]
    return ExactSource(exact_at(vendors.exact_url, token, division=str(division)))


def read(
    source: ExactSource, category: ImportCategory, stream: Stream, after: str | None = None, resume: str | None = None
) -> list[ReadPage]:
    return list(source.pages(category, stream, TODAY, after=after, resume=resume))


def versions(pages: Iterable[ReadPage]) -> list[tuple[str, int | None]]:
    """Package id and row version of every row, whether of the category or not."""
    found: list[tuple[str, int | None]] = []
    for each in pages:
        found += [(row.provider_id, row.version) for row in each.mapped.rows]
        found += each.mapped.foreign
    return found


def stored(vendors: SandboxProcess, stream: Stream, division: int = MAIN) -> dict[str, int]:
    """Id and version of every row that Exact holds."""
    return {row["ID"]: int(row["Timestamp"]) for row in vendors.control.exact_rows(division, ROWS[stream.name])}


def cursor_now(vendors: SandboxProcess, stream: Stream, division: int = MAIN) -> str:
    return str(max(stored(vendors, stream, division).values(), default=int(BEGINNING)))


def looked_up(source: ExactSource, category: ImportCategory, stream: Stream, keys: Iterable[str]) -> list[StagedRow]:
    pages = source.lookup(category, stream, TODAY, list(keys))
    return [row for each in pages for row in each.mapped.rows]


# Streams


@pytest.mark.parametrize(("category", "stream"), STREAMS, ids=STREAM_NAMES)
def test_from_the_beginning_every_row_comes_once(
    calm: SandboxProcess, source: ExactSource, category: ImportCategory, stream: Stream
) -> None:
    pages = read(source, category, stream)
    there = stored(calm, stream)
    assert sorted(versions(pages)) == sorted(there.items())
    assert sum(each.fetched for each in pages) == len(there)
    assert len(pages) == -(-len(there) // 1_000)
    assert source.calls == len(pages) + bool(isinstance(stream, ExactStream) and stream.from_units)


@pytest.mark.parametrize(("category", "stream"), STREAMS, ids=STREAM_NAMES)
def test_the_cursor_is_the_largest_version_and_never_falls(
    calm: SandboxProcess, source: ExactSource, category: ImportCategory, stream: Stream
) -> None:
    cursors = [int(each.cursor) for each in read(source, category, stream)]
    assert cursors == sorted(cursors)
    assert str(cursors[-1]) == cursor_now(calm, stream)
    assert cursors[-1] > 2**32


def test_after_the_cursor_only_what_changed_comes(calm: SandboxProcess, source: ExactSource) -> None:
    cursor = cursor_now(calm, ACCOUNTS)
    touched = set(calm.control.touch_exact(MAIN, "crm/Accounts", 7, Remarks="changed"))
    (only,) = read(source, RELATIONS_IMPORT, ACCOUNTS, after=cursor)
    assert {row.provider_id for row in only.mapped.rows} == touched
    assert only.cursor == cursor_now(calm, ACCOUNTS)


def test_a_row_that_changed_twice_comes_once_with_its_last_state(calm: SandboxProcess, source: ExactSource) -> None:
    cursor = cursor_now(calm, ACCOUNTS)
    (account,) = calm.control.touch_exact(MAIN, "crm/Accounts", 1, City="First")
    calm.control.change_exact(MAIN, "crm/Accounts", account, City="Second")
    (only,) = read(source, RELATIONS_IMPORT, ACCOUNTS, after=cursor)
    (row,) = only.mapped.rows
    assert decode(row.payload or "")["city"] == "Second"


@pytest.mark.parametrize(("category", "stream"), STREAMS, ids=STREAM_NAMES)
def test_with_nothing_new_there_is_one_empty_page_and_the_cursor_stays(
    calm: SandboxProcess, source: ExactSource, category: ImportCategory, stream: Stream
) -> None:
    cursor = cursor_now(calm, stream)
    (only,) = read(source, category, stream, after=cursor)
    assert (versions([only]), only.fetched, only.next_page, only.cursor) == ([], 0, None, cursor)
    assert source.calls == 1


def test_an_empty_administration_begins_at_the_beginning(emptied: ExactSource) -> None:
    (only,) = read(emptied, RELATIONS_IMPORT, ACCOUNTS)
    assert (only.fetched, only.cursor) == (0, BEGINNING)


def test_versions_written_as_text_are_read_alike(calm: SandboxProcess, source: ExactSource) -> None:
    as_numbers = read(source, RELATIONS_IMPORT, CONTACTS)
    calm.control.switch(int64_as_string=True)
    as_text = read(source, RELATIONS_IMPORT, CONTACTS)
    assert [(each.mapped, each.cursor) for each in as_text] == [(each.mapped, each.cursor) for each in as_numbers]
    assert read(source, RELATIONS_IMPORT, CONTACTS, after=as_text[-1].cursor)[0].fetched == 0


def test_a_version_is_compared_as_a_number_and_not_as_text(server: ScriptedServer, exact_at: MakeClient) -> None:
    rows = [
        dict.fromkeys(ACCOUNTS.columns) | {"ID": f"id-{n}", "Code": "1", "Timestamp": n} for n in ("99", "100", "9")
    ]
    server.play(Answer(200, {"d": {"results": rows}}))
    (only,) = read(ExactSource(exact_at(server.url)), RELATIONS_IMPORT, ACCOUNTS)
    assert only.cursor == "100"


def test_an_interrupted_read_goes_on_at_its_page(calm: SandboxProcess, exact_at: MakeClient) -> None:
    first = next(source_of(calm, exact_at).pages(RELATIONS_IMPORT, ACCOUNTS, TODAY, after=None, resume=None))
    rest = read(source_of(calm, exact_at), RELATIONS_IMPORT, ACCOUNTS, after=first.cursor, resume=first.next_page)
    found = versions([first, *rest])
    assert sorted(found) == sorted(stored(calm, ACCOUNTS).items())
    assert rest[-1].cursor == cursor_now(calm, ACCOUNTS)


def test_nothing_is_lost_or_doubled_when_rows_change_while_pages_are_read(
    calm: SandboxProcess, source: ExactSource
) -> None:
    pages = source.pages(RELATIONS_IMPORT, ADDRESSES, TODAY, after=None, resume=None)
    first = next(pages)
    read_ids = [provider_id for provider_id, _ in versions([first])]
    unread_ids = sorted(set(stored(calm, ADDRESSES)) - set(read_ids))
    account = calm.control.exact_rows(MAIN, "crm/Accounts")[0]["ID"]
    calm.control.change_exact_rows(
        MAIN, "crm/Addresses", [{"ID": one, "City": "Changed"} for one in (*read_ids[:20], *unread_ids[:20])]
    )
    added = calm.control.add_exact(
        MAIN, "crm/Addresses", {"Account": account, "AddressLine1": "New 1", "City": "New", "Type": 4}
    )
    calm.control.delete_exact(MAIN, "crm/Addresses", read_ids[30], unread_ids[30])
    found = versions([first, *pages])
    latest: dict[str, int] = {}
    for provider_id, version in found:
        latest[provider_id] = max(latest.get(provider_id, 0), version or 0)
    there = stored(calm, ADDRESSES)
    assert {one: version for one, version in latest.items() if one in there} == there
    assert set(latest) - set(there) == {read_ids[30]}
    assert Counter(found).most_common(1)[0][1] == 1
    times = Counter(provider_id for provider_id, _ in found)
    assert {one for one, count in times.items() if count > 1} == set(read_ids[:20])
    assert added[0] in times


def test_what_changed_while_the_last_page_was_read_comes_with_the_next_run(
    calm: SandboxProcess, source: ExactSource
) -> None:
    pages = read(source, RELATIONS_IMPORT, ACCOUNTS)
    touched = set(calm.control.touch_exact(MAIN, "crm/Accounts", 3, seed=4))
    again = read(source, RELATIONS_IMPORT, ACCOUNTS, after=pages[-1].cursor)
    assert {row.provider_id for each in again for row in each.mapped.rows} == touched


def test_a_trouble_amid_the_pages_loses_nothing(calm: SandboxProcess, source: ExactSource) -> None:
    calm.control.add_fault("truncate", path="sync/CRM/Addresses", skip=1)
    calm.control.add_fault("reset", path="sync/CRM/Addresses", skip=1)
    assert sorted(versions(read(source, RELATIONS_IMPORT, ADDRESSES))) == sorted(stored(calm, ADDRESSES).items())


def test_a_stream_asks_for_its_columns_and_nothing_else(calm: SandboxProcess, source: ExactSource) -> None:
    read(source, MATERIALS_IMPORT, PRICES, after="9000000000")
    (call,) = calm.control.calls(path="sync/Logistics/SalesItemPrices")
    assert call["query"]["$filter"] == "Timestamp gt 9000000000L"
    assert call["query"]["$select"].split(",") == [*PRICES.columns, "Timestamp"]


# Look-ups by code


def add_accounts(vendors: SandboxProcess, *codes: str) -> None:
    vendors.control.add_exact(EMPTY, "crm/Accounts", *({"Code": code, "Name": f"Nr {code}"} for code in codes))


def add_items(vendors: SandboxProcess, *codes: str) -> None:
    vendors.control.add_exact(
        EMPTY, "logistics/Items", *({"Code": code, "Description": code, "IsSalesItem": True} for code in codes)
    )


@pytest.fixture
def emptied(calm: SandboxProcess, exact_at: MakeClient) -> Iterator[ExactSource]:
    """The administration without rows, which is without rows again afterwards."""
    yield source_of(calm, exact_at, EMPTY)
    for resource in ("crm/Accounts", "logistics/Items"):
        if ids := [row["ID"] for row in calm.control.exact_rows(EMPTY, resource)]:
            calm.control.delete_exact(EMPTY, resource, *ids)


def test_a_relation_is_found_by_its_code_without_padding(calm: SandboxProcess, emptied: ExactSource) -> None:
    add_accounts(calm, "7", "77", "17")
    (row,) = looked_up(emptied, RELATIONS_IMPORT, ACCOUNTS, ["7"])
    assert (row.code, row.title, row.version) == ("7", "Nr 7", None)


def test_blanks_around_a_code_make_no_difference(calm: SandboxProcess, emptied: ExactSource) -> None:
    add_accounts(calm, "7")
    assert [row.code for row in looked_up(emptied, RELATIONS_IMPORT, ACCOUNTS, [padded_code("7")])] == ["7"]


def test_leading_zeros_make_another_relation(calm: SandboxProcess, emptied: ExactSource) -> None:
    add_accounts(calm, "7", "007")
    assert [row.code for row in looked_up(emptied, RELATIONS_IMPORT, ACCOUNTS, ["007"])] == ["007"]
    assert [row.code for row in looked_up(emptied, RELATIONS_IMPORT, ACCOUNTS, ["7"])] == ["7"]


@pytest.mark.parametrize("code", ["A'B", "''", "007", "50% & more", "Ø+Ü", "a or 1 eq 1", "x') or (Code ne 'x"])
def test_an_item_is_found_by_a_code_of_any_letters(calm: SandboxProcess, emptied: ExactSource, code: str) -> None:
    add_items(calm, code, "7", "other")
    assert [row.code for row in looked_up(emptied, MATERIALS_IMPORT, ITEMS, [code])] == [code]


def test_a_code_that_exact_does_not_know_gives_an_empty_page(emptied: ExactSource) -> None:
    (only,) = emptied.lookup(RELATIONS_IMPORT, ACCOUNTS, TODAY, ["12345"])
    assert (only.fetched, only.mapped.rows, only.cursor) == (0, [], "")


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (20, 1), (21, 2), (45, 3)])
def test_any_number_of_codes_is_found_with_twenty_a_call(
    calm: SandboxProcess, emptied: ExactSource, count: int, calls: int
) -> None:
    codes = [f"{number:018}" for number in range(1, 46)]
    add_accounts(calm, *codes)
    wanted = codes[-count:]
    assert sorted(str(row.code) for row in looked_up(emptied, RELATIONS_IMPORT, ACCOUNTS, wanted)) == wanted
    assert emptied.calls == calls


def test_without_codes_nothing_is_asked(emptied: ExactSource) -> None:
    assert looked_up(emptied, RELATIONS_IMPORT, ACCOUNTS, []) == []
    assert emptied.calls == 0


@pytest.mark.parametrize("stream", [CONTACTS, ADDRESSES], ids=["contacts", "addresses"])
def test_what_belongs_to_relations_is_found_by_their_ids(
    calm: SandboxProcess, source: ExactSource, stream: ExactStream
) -> None:
    rows = calm.control.exact_rows(MAIN, ROWS[stream.name])
    wanted = sorted({row["Account"] for row in rows if row.get("Type", 4) == 4})[:25]
    expected = {row["ID"] for row in rows if row["Account"] in wanted and row.get("Type", 4) == 4}
    found = looked_up(source, RELATIONS_IMPORT, stream, wanted)
    assert {row.provider_id for row in found} == expected
    assert {row.code for row in found} == {code_from_id(one) for one in expected}


def test_a_look_up_reads_all_pages_of_what_it_finds(calm: SandboxProcess, emptied: ExactSource) -> None:
    (account,) = calm.control.add_exact(EMPTY, "crm/Accounts", {"Name": "Many", "Code": "1"})
    persons = ({"Account": account, "LastName": f"Nr {number}"} for number in range(130))
    added = calm.control.add_exact(EMPTY, "crm/Contacts", *persons)
    found = looked_up(emptied, RELATIONS_IMPORT, CONTACTS, [account])
    assert sorted(row.provider_id for row in found) == sorted(added)
    assert emptied.calls == 3


def test_a_looked_up_row_is_mapped_as_one_of_the_stream(calm: SandboxProcess, source: ExactSource) -> None:
    (page, *_) = read(source, RELATIONS_IMPORT, ACCOUNTS)
    row = page.mapped.rows[0]
    (found,) = looked_up(source, RELATIONS_IMPORT, ACCOUNTS, [str(row.code)])
    assert found == row._replace(version=None)


# Deletions


def deletions(source: ExactSource, category: ImportCategory, after: str | None = None) -> list[tuple[str, str]]:
    pages = source.deletions(category, after=after, resume=None)
    return [(one.stream, one.provider_id) for each in pages for one in each.deletions]


def last_deletion(vendors: SandboxProcess, division: int) -> int:
    rows = vendors.control.exact_rows(division, "sync/Deleted")
    return max((int(row["Timestamp"]) for row in rows), default=int(BEGINNING))


def test_deletions_are_told_apart_by_what_was_deleted(calm: SandboxProcess, exact_at: MakeClient) -> None:
    source = source_of(calm, exact_at, SMALL)
    gone = {}
    for resource in ("crm/Contacts", "crm/Addresses", "logistics/SalesItemPrices"):
        gone[resource] = calm.control.exact_rows(SMALL, resource)[0]["ID"]
        calm.control.delete_exact(SMALL, resource, gone[resource])
    (item,) = calm.control.add_exact(SMALL, "logistics/Items", {"Code": "GONE", "Description": "Gone"})
    (account,) = calm.control.add_exact(SMALL, "crm/Accounts", {"Name": "Gone", "Code": "987654"})
    calm.control.delete_exact(SMALL, "logistics/Items", item)
    calm.control.delete_exact(SMALL, "crm/Accounts", account)
    relations = deletions(source, RELATIONS_IMPORT)
    assert ("accounts", account) in relations
    assert ("contacts", gone["crm/Contacts"]) in relations
    assert ("addresses", gone["crm/Addresses"]) in relations
    assert not {item, gone["logistics/SalesItemPrices"]} & {one for _, one in relations}
    for category in (MATERIALS_IMPORT, HOUR_TYPES_IMPORT):
        assert sorted(deletions(source, category)) == sorted(
            [("items", item), ("prices", gone["logistics/SalesItemPrices"])]
        )


def test_a_deletion_carries_its_version_which_is_above_that_of_the_row(
    calm: SandboxProcess, emptied: ExactSource
) -> None:
    before = last_deletion(calm, EMPTY)
    (account,) = calm.control.add_exact(EMPTY, "crm/Accounts", {"Name": "Gone"})
    version = stored(calm, ACCOUNTS, EMPTY)[account]
    calm.control.delete_exact(EMPTY, "crm/Accounts", account)
    (page,) = emptied.deletions(RELATIONS_IMPORT, after=str(before), resume=None)
    (deletion,) = [one for one in page.deletions if one.provider_id == account]
    assert deletion.version is not None
    assert deletion.version > version
    assert page.cursor == str(last_deletion(calm, EMPTY))


def test_the_cursor_passes_deletions_of_other_categories(calm: SandboxProcess, emptied: ExactSource) -> None:
    before = last_deletion(calm, EMPTY)
    (account,) = calm.control.add_exact(EMPTY, "crm/Accounts", {"Name": "Gone"})
    calm.control.delete_exact(EMPTY, "crm/Accounts", account)
    (page,) = emptied.deletions(MATERIALS_IMPORT, after=str(before), resume=None)
    assert (page.deletions, page.cursor) == ([], str(last_deletion(calm, EMPTY)))


def test_thousands_of_deletions_come_in_pages_that_can_be_taken_up_again(
    calm: SandboxProcess, exact_at: MakeClient, emptied: ExactSource
) -> None:
    before = str(last_deletion(calm, EMPTY))
    ids = calm.control.add_exact(EMPTY, "crm/Accounts", *({"Name": f"Gone {number}"} for number in range(1_001)))
    calm.control.delete_exact(EMPTY, "crm/Accounts", *ids)
    first = next(emptied.deletions(RELATIONS_IMPORT, after=before, resume=None))
    assert len(first.deletions) == 1_000
    again = source_of(calm, exact_at, EMPTY)
    rest = list(again.deletions(RELATIONS_IMPORT, after=first.cursor, resume=first.next_page))
    found = [one.provider_id for each in (first, *rest) for one in each.deletions]
    assert sorted(found) == sorted(ids)
    assert rest[-1].cursor == str(last_deletion(calm, EMPTY))


@pytest.mark.parametrize(("days", "expired"), [(0, False), (30, False), (55, False), (55.5, True), (400, True)])
def test_a_cursor_is_no_longer_trusted_before_exact_forgets_deletions(
    source: ExactSource, days: float, expired: bool
) -> None:
    assert source.expired(days) is expired


# News


def positions(vendors: SandboxProcess, division: int = MAIN) -> dict[ImportCategory, dict[str, str]]:
    """Cursors of all categories that have read everything."""
    last = str(last_deletion(vendors, division))
    return {
        category: {stream.name: cursor_now(vendors, stream, division) for stream in category.streams}
        | {DELETIONS: last}
        for category in CHANGING
    }


def test_an_idle_look_costs_one_call_a_stream_and_one_for_deletions(calm: SandboxProcess, source: ExactSource) -> None:
    news = source.news(positions(calm))
    assert (news.categories, news.passed) == (set(), {})
    assert source.calls == 7
    asked = Counter(call["resource"] for call in calm.control.calls(vendor="exact"))
    paths = {stream.path for _, stream in STREAMS if isinstance(stream, ExactStream)} | {"sync/Deleted"}
    assert asked == dict.fromkeys(paths, 1)


def test_an_idle_look_fetches_no_row(calm: SandboxProcess, source: ExactSource) -> None:
    source.news(positions(calm))
    assert [call["rows"] for call in calm.control.calls(vendor="exact")] == [0] * 7


def test_a_look_at_many_changes_fetches_one_row_of_each_stream(calm: SandboxProcess, source: ExactSource) -> None:
    cursors = {stream.name: BEGINNING for stream in RELATIONS_IMPORT.streams} | {DELETIONS: BEGINNING}
    assert source.news({RELATIONS_IMPORT: cursors}).categories == {"relations"}
    assert [call["rows"] for call in calm.control.calls(vendor="exact")] == [1]


@pytest.mark.parametrize(
    ("resource", "categories"),
    [
        ("crm/Accounts", {"relations"}),
        ("crm/Contacts", {"relations"}),
        ("crm/Addresses", {"relations"}),
        ("logistics/Items", {"materials", "hour_types"}),
        ("logistics/SalesItemPrices", {"materials", "hour_types"}),
    ],
)
def test_a_change_is_news_for_the_categories_that_read_its_stream(
    calm: SandboxProcess, source: ExactSource, resource: str, categories: set[str]
) -> None:
    before = positions(calm)
    calm.control.touch_exact(MAIN, resource, 1)
    assert source.news(before).categories == categories


def test_categories_at_different_places_of_a_stream_are_asked_for_each(
    calm: SandboxProcess, source: ExactSource
) -> None:
    before = positions(calm)
    calm.control.touch_exact(MAIN, "logistics/Items", 1)
    before[HOUR_TYPES_IMPORT] = positions(calm)[HOUR_TYPES_IMPORT]
    assert source.news(before).categories == {"materials"}


def test_a_deletion_is_news_for_its_own_category_and_passed_by_the_others(
    calm: SandboxProcess, source: ExactSource
) -> None:
    (account,) = calm.control.add_exact(MAIN, "crm/Accounts", {"Name": "Gone"})
    before = positions(calm)
    calm.control.delete_exact(MAIN, "crm/Accounts", account)
    news = source.news(before)
    last = {DELETIONS: str(last_deletion(calm, MAIN))}
    assert news.categories == {"relations"}
    assert news.passed == {"materials": last, "hour_types": last, "employees": last}
    assert source.calls == 7


def test_a_deletion_that_a_category_has_passed_is_no_news_again(calm: SandboxProcess, source: ExactSource) -> None:
    (account,) = calm.control.add_exact(MAIN, "crm/Accounts", {"Name": "Gone"})
    old = positions(calm)
    calm.control.delete_exact(MAIN, "crm/Accounts", account)
    now = positions(calm)
    now[MATERIALS_IMPORT] = old[MATERIALS_IMPORT]
    news = source.news(now)
    assert news.categories == set()
    assert news.passed == {"materials": {DELETIONS: str(last_deletion(calm, MAIN))}}


def test_deletions_are_looked_for_from_the_cursor_that_is_farthest_behind(
    calm: SandboxProcess, source: ExactSource
) -> None:
    added = calm.control.add_exact(MAIN, "crm/Accounts", {"Name": "Gone"}, {"Name": "Gone too"})
    old = positions(calm)
    for account in added:
        calm.control.delete_exact(MAIN, "crm/Accounts", account)
    now = positions(calm)
    now[RELATIONS_IMPORT] = old[RELATIONS_IMPORT]
    news = source.news(now)
    assert (news.categories, news.passed) == ({"relations"}, {})


def test_deletions_of_nobody_are_passed_for_good(server: ScriptedServer, exact_at: MakeClient) -> None:
    strange = [{"EntityKey": "x", "EntityType": 42, "Timestamp": version} for version in ("9", "10")]
    server.play(*[Answer(200, {"d": []})] * 3, Answer(200, {"d": {"results": strange}}))
    cursors = {stream.name: "5" for stream in RELATIONS_IMPORT.streams} | {DELETIONS: "7"}
    news = ExactSource(exact_at(server.url)).news({RELATIONS_IMPORT: cursors})
    assert (news.categories, news.passed) == (set(), {"relations": {DELETIONS: "10"}})


def test_more_than_a_page_of_deletions_is_news_for_everybody(server: ScriptedServer, exact_at: MakeClient) -> None:
    strange = {"EntityKey": "x", "EntityType": 42, "Timestamp": 9}
    more = f"{server.url}/api/v1/{MAIN}/sync/Deleted?$skiptoken=9L"
    server.play(*[Answer(200, {"d": []})] * 3, Answer(200, {"d": {"results": [strange], "__next": more}}))
    cursors = {stream.name: "5" for stream in RELATIONS_IMPORT.streams} | {DELETIONS: "7"}
    news = ExactSource(exact_at(server.url)).news({RELATIONS_IMPORT: cursors})
    assert (news.categories, news.passed) == ({"relations"}, {})


def test_a_category_with_changes_is_not_asked_for_deletions(calm: SandboxProcess, source: ExactSource) -> None:
    before = positions(calm)
    calm.control.touch_exact(MAIN, "crm/Accounts", 1)
    source.news({RELATIONS_IMPORT: before[RELATIONS_IMPORT]})
    assert [call["resource"] for call in calm.control.calls(vendor="exact")] == ["sync/CRM/Accounts"]


def test_where_a_day_lies_is_asked_by_the_last_part_of_the_path(calm: SandboxProcess, source: ExactSource) -> None:
    rows = sorted(calm.control.exact_rows(MAIN, "crm/Accounts"), key=lambda row: str(row["Modified"]))
    first = date.fromisoformat(rows[600]["Modified"][:10])
    position = source.beginning(ACCOUNTS, first)
    (call,) = calm.control.calls(vendor="exact")
    assert call["query"] == {"modified": f"datetime'{first}T00:00:00'", "endPoint": "'Accounts'"}
    found = {key for key, _ in versions(read(source, RELATIONS_IMPORT, ACCOUNTS, after=position))}
    wanted = {row["ID"] for row in rows if row["Modified"][:10] >= first.isoformat()}
    assert wanted <= found
    assert len(found - wanted) <= 1  # the last row before that day, to be on the safe side


@pytest.mark.parametrize(
    ("answer", "position"),
    [
        ({"d": {"results": [{"TimeStampAsBigInt": "9876543210"}]}}, "9876543209"),
        ({"d": [{"TimeStampAsBigInt": 77}]}, "76"),
        ({"d": {"TimeStampAsBigInt": 77}}, "76"),
        ({"d": {"results": [{"TimeStampAsBigInt": 0}]}}, BEGINNING),
        ({"d": {"results": [{"TimeStampAsBigInt": None}]}}, BEGINNING),
        ({"d": {"results": []}}, BEGINNING),
    ],
    ids=str,
)
def test_a_position_is_read_in_every_form_and_its_absence_means_the_beginning(
    server: ScriptedServer, exact_at: MakeClient, answer: object, position: str
) -> None:
    server.play(Answer(200, answer))
    assert ExactSource(exact_at(server.url)).beginning(ACCOUNTS, TODAY) == position


def test_a_stream_that_exact_tells_no_position_of_is_read_from_its_beginning(
    server: ScriptedServer, exact_at: MakeClient
) -> None:
    server.play(Answer(400, {"error": {"message": {"value": "Unknown endPoint"}}}))
    assert ExactSource(exact_at(server.url)).beginning(ACCOUNTS, TODAY) == BEGINNING


def test_a_count_without_a_number_is_a_fault_of_the_vendor(server: ScriptedServer, exact_at: MakeClient) -> None:
    server.play(Answer(200, {"d": {"results": []}}))
    dated = replace(RELATIONS_IMPORT, streams=(replace(ACCOUNTS, dated="StartDate"),))
    with pytest.raises(VendorUnavailable, match="does not say how many"):
        ExactSource(exact_at(server.url)).count(dated, TODAY)


def test_a_link_that_is_resumed_may_not_lead_elsewhere(source: ExactSource, stranger: ScriptedServer) -> None:
    with pytest.raises(RequestRefused):
        read(source, RELATIONS_IMPORT, ACCOUNTS, after="5", resume=f"{stranger.url}/api/v1/{MAIN}/sync/CRM/Accounts")
    assert stranger.received == []


# Epochs

MOVED, LINKED = "/Date(1782900000000)/", "/Date(1782986400500)/"


@pytest.mark.parametrize(
    ("moved", "linked", "epoch"),
    [
        (None, None, "moved never, personnel data linked or unlinked never"),
        (MOVED, None, "moved 2026-07-01 10:00:00, personnel data linked or unlinked never"),
        (None, LINKED, "moved never, personnel data linked or unlinked 2026-07-02 10:00:00.500"),
    ],
)
def test_each_of_two_dates_makes_another_epoch(
    server: ScriptedServer, exact_at: MakeClient, moved: str | None, linked: str | None, epoch: str
) -> None:
    row = {"Code": MAIN, "DivisionMoveDate": moved, "DivisionHRLinkUnlinkDate": linked}
    server.play(Answer(200, {"d": {"results": [row]}}))
    assert ExactSource(exact_at(server.url, division=str(MAIN))).epoch() == epoch


def test_a_move_of_this_administration_makes_another_epoch_and_of_no_other(
    calm: SandboxProcess, exact_at: MakeClient
) -> None:
    token = calm.control.give_tokens()["access_token"]
    main, small = (ExactSource(exact_at(calm.exact_url, token, division=str(each))) for each in (MAIN, SMALL))
    before = main.epoch(), small.epoch()
    calm.control.move_division(SMALL, 500)
    assert main.epoch() == before[0]
    assert small.epoch() != before[1]
    assert (main.calls, small.calls) == (2, 2)
    assert [call["rows"] for call in calm.control.calls(vendor="exact")] == [1] * 4


def test_an_administration_that_is_not_listed_has_no_epoch(server: ScriptedServer, exact_at: MakeClient) -> None:
    server.play(Answer(200, {"d": {"results": []}}))
    assert ExactSource(exact_at(server.url, division=str(MAIN))).epoch() is None


def test_something_new_that_is_older_than_a_cursor_is_doubtful(calm: SandboxProcess, source: ExactSource) -> None:
    before = positions(calm)
    calm.control.touch_exact(MAIN, "crm/Accounts", 1)
    assert not source.news(before).doubtful
    now = positions(calm)
    now[RELATIONS_IMPORT] = before[RELATIONS_IMPORT]
    calm.control.touch_exact(MAIN, "logistics/Items", 1)
    now[MATERIALS_IMPORT] = positions(calm)[MATERIALS_IMPORT]
    assert source.news(now).doubtful


@pytest.mark.parametrize("path", ["sync/Logistics/Items", "sync/Logistics/SalesItemPrices"])
def test_a_stream_that_is_refused_is_left_to_the_tasks_of_those_who_read_it(
    calm: SandboxProcess, source: ExactSource, path: str
) -> None:
    before = positions(calm)
    calm.control.add_fault("status", vendor="exact", path=path, status=403, times=None)
    assert source.news(before).categories == {"materials", "hour_types"}
    assert len(calm.control.calls(path=path)) == 1
