"""Which rows answer a query, one page of them, and where the next page begins."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sandbox.exact_online.odata.filters import Read, compile_filter, lower_bound
from sandbox.exact_online.odata.literals import write_literal
from sandbox.exact_online.odata.options import Query
from sandbox.exact_online.row_types import Row
from sandbox.exact_online.table import Table


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows.

    Attributes:
        rows: The rows.
        count: The number of all rows that meet the filter, where it was asked for.
        skiptoken: Where the next page begins; None after the last.
        top: Rows still wanted after this page, where `$top` was given.
    """

    rows: list[Row]
    count: int | None
    skiptoken: str | None
    top: int | None

    def is_bare(self, query: Query) -> bool:
        """Whether the rows come without `results` around them.

        In recordings (https://github.com/NangoHQ/integration-templates/tree/main/integrations/exact-online) a `$top`
        up to the page size gives a bare list; a count needs a place beside the rows.
        """
        return query.top is not None and query.top <= query.resource.page_size and self.count is None


def read_page(
    query: Query,
    table: Table,
    reader: Callable[[str], Read],
    visible: Callable[[Row], bool] | None = None,
) -> Page:
    """Find the rows of one page.

    Args:
        query: What is asked.
        table: The rows.
        reader: Gives the function that reads a property of a row.
        visible: Tells whether the user may see a row at all.

    Returns:
        The page.
    """
    tests = [test for test in (visible, query.condition and compile_filter(query.condition, reader)) if test]

    def meeting(rows: Iterable[Row]) -> Iterator[Row]:
        return (row for row in rows if all(test(row) for test in tests))

    size = query.resource.page_size if query.top is None else min(query.top, query.resource.page_size)
    if query.order:
        candidates = _sorted(query, meeting(table.by_key.values()), reader)
    else:
        candidates = meeting(_in_order(query, table))
    found = list(islice(candidates, query.skip, query.skip + size + 1))
    rows = found[:size]
    left = None if query.top is None else query.top - len(rows)
    more = len(found) > size and left != 0
    return Page(
        rows=rows,
        count=sum(1 for _ in meeting(table.by_key.values())) if query.count else None,
        skiptoken=_skiptoken(query, rows[-1], reader) if more and rows else None,
        top=left,
    )


def _in_order(query: Query, table: Table) -> Iterator[Row]:
    """Rows in the resource's own order, from behind the previous page."""
    by_version = query.resource.key == "Timestamp"
    keys, rows = table.version_order() if by_version else table.key_order()
    bounds = [] if query.after is None else [query.after[-1]]
    if by_version and (bound := lower_bound(query.condition, "Timestamp")) is not None:
        bounds.append(bound)
    start = bisect_right(keys, max(bounds)) if bounds else 0  # type: ignore[type-var]
    return islice(rows, start, None)


class _Falling:
    """Turns an order around, for `desc`."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: "_Falling") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Falling) and bool(other.value == self.value)

    __hash__ = None  # type: ignore[assignment]


def _sorted(query: Query, meeting: Iterable[Row], reader: Callable[[str], Read]) -> Iterator[Row]:
    """Rows in the order of `$orderby` and then the key, from behind the previous page."""
    reads = [reader(one.field) for one in query.order] + [reader(query.resource.key)]

    def place(values: Iterable[Any]) -> tuple[Any, ...]:
        *wanted, key = ((value is not None, value) for value in values)
        turned = (_Falling(value) if one.falling else value for value, one in zip(wanted, query.order, strict=True))
        return (*turned, key)

    rows = sorted(meeting, key=lambda row: place(read(row) for read in reads))
    if query.after is None:
        return iter(rows)
    places = [place(read(row) for read in reads) for row in rows]
    return islice(rows, bisect_right(places, place(query.after)), None)


def _skiptoken(query: Query, last: Row, reader: Callable[[str], Read]) -> str:
    names = [one.field for one in query.order] + [query.resource.key]
    edm = {name: query.resource.properties[name].edm for name in names}
    return ",".join(write_literal(reader(name)(last), edm[name]) for name in names)
