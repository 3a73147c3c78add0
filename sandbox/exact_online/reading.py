"""GET: one row by its key, or a page of rows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from aiohttp import web
from msgspec import structs

from sandbox.calls import ROWS
from sandbox.clock import Clock
from sandbox.exact_online.calling import Call
from sandbox.exact_online.dates import day_ms, wall_clock, wall_clock_ms
from sandbox.exact_online.errors import not_found
from sandbox.exact_online.odata.answers import answer
from sandbox.exact_online.odata.literals import read_literal
from sandbox.exact_online.odata.options import Query, parse_query, parse_shape
from sandbox.exact_online.odata.paging import Page, read_page
from sandbox.exact_online.odata.projection import Render, property_reader, renderer
from sandbox.exact_online.resources import RESOURCES, Resource
from sandbox.exact_online.row_types import Row
from sandbox.exact_online.rows import EVERYWHERE, RowStore
from sandbox.exact_online.surroundings import Near
from sandbox.exact_online.table import Table
from sandbox.fixed_world import DIVISIONS
from sandbox.switches import SwitchBoard

DELETIONS_KEPT = timedelta(days=61)
"""Two months (https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncDeleted)."""

Visible = Callable[[Row], bool]


class Reader:
    """Answers GET requests for rows.

    Args:
        store: All rows.
        clock: The time.
        switches: How the vendor behaves at this moment.
    """

    def __init__(self, store: RowStore, clock: Clock, switches: SwitchBoard) -> None:
        self._store = store
        self._clock = clock
        self._switches = switches

    def read(self, call: Call) -> web.Response:
        """Answer a GET.

        Raises:
            VendorError: The question is not understood, or there is no such row.
        """
        if call.collection is not None:
            return self._read_collection(call)
        if call.key is not None:
            return self._read_one(call)
        query = parse_query(self._paged(call.resource), call.request.query)
        near = self._near(call)
        page = read_page(
            query, self._table(call), property_reader(call.resource, near), self._visible(call.resource, call)
        )
        call.request[ROWS] = len(page.rows)
        return answer(call.request, _content(call, query, page, self._renderer(call, query, near)))

    def _paged(self, resource: Resource) -> Resource:
        most = self._switches.now.shorter_pages
        return structs.replace(resource, page_size=min(resource.page_size, most)) if most else resource

    def find(self, call: Call) -> Row:
        """The row whose key is in the address.

        Raises:
            VendorError: There is none, or the key cannot be read.
        """
        edm = call.resource.properties[call.resource.key].edm
        row = self._table(call).by_key.get(read_literal(call.key or "", edm))
        visible = self._visible(call.resource, call)
        if row is None or (visible is not None and not visible(row)):
            raise not_found()
        return row

    def render(self, call: Call, row: Row) -> dict[str, Any]:
        """A whole row as its own answer shows it."""
        return self._renderer(call, Query(call.resource), self._near(call))(row)

    def _read_one(self, call: Call) -> web.Response:
        if call.resource.kind != "single":
            # Only single endpoints are documented to take a key.
            raise not_found()
        query = parse_shape(call.resource, call.request.query)
        row = self.find(call)
        call.request[ROWS] = 1
        return answer(call.request, self._renderer(call, query, self._near(call))(row))

    def _read_collection(self, call: Call) -> web.Response:
        known = call.resource.properties.get(call.collection or "")
        if known is None or not known.is_collection or call.resource.kind != "single":
            raise not_found()
        outer = self.find(call)
        if known.name not in call.resource.collections:
            return answer(call.request, {"results": []})
        path, leads_back = call.resource.collections[known.name]
        # What is asked below one row needs no further filter.
        inner = structs.replace(RESOURCES[path], filter_mandatory=False)
        query, near = parse_query(inner, call.request.query), self._near(call)
        key = getattr(outer, call.resource.key)
        table = self._store.table(call.division, inner.rows)
        page = read_page(query, table, property_reader(inner, near), lambda row: bool(getattr(row, leads_back) == key))
        call.request[ROWS] = len(page.rows)
        return answer(call.request, _content(call, query, page, self._renderer(call, query, near)))

    def _renderer(self, call: Call, query: Query, near: Near) -> Render:
        return renderer(query, call.base, near, int64_as_string=self._switches.now.int64_as_string)

    def _near(self, call: Call) -> Near:
        today = day_ms(wall_clock(self._clock.now()).date())
        return Near(self._store, call.division, today, call.session.user.current_division)

    def _table(self, call: Call) -> Table:
        division = EVERYWHERE if call.resource.rows == "system/Divisions" else call.division
        return self._store.table(division, call.resource.rows)

    def _visible(self, resource: Resource, call: Call) -> Visible | None:
        if resource.rows == "sync/Deleted":
            oldest = wall_clock_ms(self._clock.now() - DELETIONS_KEPT)
            return lambda row: bool(row.DeletedDate >= oldest)
        if resource.rows == "system/Divisions":
            shown = _divisions_shown(resource, call)
            return lambda row: row.Code in shown
        if resource.only:
            return lambda row: all(getattr(row, name) == value for name, value in resource.only.items())
        return None


def _divisions_shown(resource: Resource, call: Call) -> frozenset[int]:
    """Which companies a list of divisions shows.

    `system/Divisions`: those granted to the app, across licences. `hrm/Divisions`: of these, one licence's.
    `system/AllDivisions`: everything of that licence the user may open, granted or not
    (https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SystemSystemAllDivisions).
    """
    granted = call.session.divisions
    if resource.path == "system/Divisions":
        return granted
    licence = DIVISIONS[call.division].licence
    shown = granted if resource.path == "hrm/Divisions" else frozenset(call.session.user.divisions)
    return frozenset(code for code in shown if DIVISIONS[code].licence == licence)


def _content(call: Call, query: Query, page: Page, render: Render) -> Any:
    rows = [render(row) for row in page.rows]
    if page.is_bare(query):
        return rows
    content: dict[str, Any] = {"results": rows}
    if page.count is not None:
        content["__count"] = str(page.count)
    if page.skiptoken is not None:
        content["__next"] = _next_address(call.request, page)
    return content


def _next_address(request: web.Request, page: Page) -> str:
    """The same question for the next page, on the host the caller knows this server by."""
    options = {name: value for name, value in request.query.items() if name not in {"$skip", "$skiptoken", "$top"}}
    if page.top is not None:
        options["$top"] = str(page.top)
    options["$skiptoken"] = page.skiptoken or ""
    return str(request.url.with_query(options))
