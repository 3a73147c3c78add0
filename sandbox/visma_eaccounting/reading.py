"""Lists and single rows."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from sandbox.calls import ROWS
from sandbox.switches import SwitchBoard
from sandbox.visma_eaccounting.errors import bad_query, missing
from sandbox.visma_eaccounting.moments import read_moment
from sandbox.visma_eaccounting.odata.filters import parse_filter
from sandbox.visma_eaccounting.odata.options import Options, read_options
from sandbox.visma_eaccounting.resources import Resource, Row
from sandbox.visma_eaccounting.rows import RowStore
from sandbox.visma_eaccounting.showing import Shown, reader, show

_encode = msgspec.json.Encoder().encode


class Reader:
    """Answers GET."""

    def __init__(self, store: RowStore, switches: SwitchBoard) -> None:
        self._store = store
        self._switches = switches

    def single(self, company: str, resource: Resource, key: str) -> Shown:
        """One row.

        Raises:
            ApiError: There is none.
        """
        row = self._store.find(company, resource.name, key) or self._by_own_key(company, resource, key)
        if row is None:
            raise missing(f"{resource.schema} {key}")
        return show(self._store, company, resource.name, row)

    def settings(self, company: str) -> Shown:
        """The company's settings."""
        return show(self._store, company, "companysettings", self._store.settings(company))

    def page(self, request: web.Request, company: str, resource: Resource, within: Mapping[str, str]) -> web.Response:
        """A page of a list.

        Args:
            request: The call.
            company: The company.
            resource: The resource.
            within: Values that rows must have, from the path.
        """
        options = read_options(request.query, resource)
        rows = self._rows(request, company, resource, options, within)
        pages = math.ceil(len(rows) / options.page_size)
        start = (options.page - 1) * options.page_size
        some = rows[start : start + options.page_size]
        request[ROWS] = len(some)
        body = {
            "Meta": {
                "CurrentPage": options.page,
                "PageSize": options.page_size,
                "TotalNumberOfPages": pages,
                "TotalNumberOfResults": len(rows),
                "ServerTimeUtc": self._store.now(),
            },
            "Data": self._shown(request, company, resource, some, options),
        }
        headers = {"Link": link} if (link := _link(request, options.page, pages)) else {}
        return web.Response(body=_encode(body), content_type="application/json", headers=headers)

    def _by_own_key(self, company: str, resource: Resource, key: str) -> Row | None:
        """Countries and currencies are known by their code, in capitals."""
        return self._store.find(company, resource.name, key) or self._store.table(company, resource.name).by_key.get(
            key.upper()
        )

    def _rows(
        self, request: web.Request, company: str, resource: Resource, options: Options, within: Mapping[str, str]
    ) -> list[Row]:
        """The rows of all pages, kept until a row changes: pages that are fetched side by side sort only once."""
        refused, since = self._switches.now.visma_filters_refused, _modified_since(request, resource)
        question = (options.order, options.filter, refused, since, tuple(within.items()))
        table = self._store.table(company, resource.name)
        kept = table.kept_order(question)
        if kept is not None:
            return kept

        def read(name: str) -> Callable[[Row], Any]:
            return reader(self._store, company, name)

        # Without `$orderby` rows come as they lie, and a changed row moves while somebody reads page by page.
        rows = [
            row for row in table.by_key.values() if all(getattr(row, name) == value for name, value in within.items())
        ]
        if options.filter is not None:
            test = parse_filter(options.filter, resource, refused, read)
            rows = [row for row in rows if test(row)]
        if since is not None:
            rows = [row for row in rows if (row.ModifiedUtc or "") > since]
        for name, falling in reversed(options.order):
            rows.sort(key=lambda row, name=name: _sortable(getattr(row, name)), reverse=falling)  # type: ignore[misc]
        table.keep_order(question, rows)
        return rows

    def _shown(
        self, request: web.Request, company: str, resource: Resource, rows: list[Row], options: Options
    ) -> list[Shown]:
        shown = [show(self._store, company, resource.name, row) for row in rows]
        if resource.name == "articles" and request.query.get("customerId"):
            self._price_for_customer(company, request.query["customerId"], shown)
        if options.select:
            shown = [{name: row[name] for name in options.select} for row in shown]
        return shown

    def _price_for_customer(self, company: str, customer_id: str, articles: list[Shown]) -> None:
        customer = self._store.find(company, "customers", customer_id)
        if customer is None:
            raise missing(f"Customer {customer_id}", 400)
        for article in articles:
            key = f"{customer.SalesPriceListId}/{article['Id']}"
            price = self._store.find(company, "salespricelists/prices", key)
            if price is not None:
                article |= {"NetPrice": price.NetPrice, "GrossPrice": price.GrossPrice}


def _modified_since(request: web.Request, resource: Resource) -> str | None:
    text = request.query.get("modifiedSinceUtc")
    if text is None or resource.name != "customerinvoices":
        return None
    try:
        return read_moment(text)
    except ValueError:
        raise bad_query(f"modifiedSinceUtc can not be read: {text}") from None


def _sortable(value: Any) -> tuple[bool, Any]:
    """Rows without a value come first."""
    return value is not None, value


def _link(request: web.Request, page: int, pages: int) -> str:
    """The addresses of the next and the last page, as the vendor's header gives them."""
    if page >= pages:
        return ""
    next_page = request.url.update_query({"$page": page + 1})
    last_page = request.url.update_query({"$page": pages})
    return f'<{next_page}>; rel="next", <{last_page}>; rel="last"'


def json_answer(content: object, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=_encode(content), status=status, content_type="application/json")
