"""VISMA's rows as somebody at the bookkeeping package's screen changes them.

`/visma/{company}/{resource}[/{id or number}[/{action}]]`; values are as in the API's JSON. What a screen fills in by
itself (terms, currency, flags) may be left out, and rows of documents may name their article by `ArticleNumber`.
"""

import random
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import msgspec
from aiohttp import web

from sandbox.control.reading import answer, number, read_as, read_many
from sandbox.visma_eaccounting.business import complete
from sandbox.visma_eaccounting.resources import RESOURCES, SCHEMAS, Row, key_of
from sandbox.visma_eaccounting.rows import RowStore
from sandbox.visma_eaccounting.sales import attachments, invoices, orders
from sandbox.visma_eaccounting.showing import show
from sandbox.visma_eaccounting.world import known

Values = dict[str, Any]

DOCUMENTS = {"orders": "OrderRow", "customerinvoicedrafts": "CustomerInvoiceDraftRow"}

ACTIONS: dict[tuple[str, str], Callable[[RowStore, str, Row], object]] = {
    ("customerinvoicedrafts", "book"): invoices.book_draft,
    ("customerinvoices", "pay"): invoices.pay,
    ("orders", "converteddrafttoorder"): orders.to_order,
    ("orders", "completed"): orders.complete,
    ("orders", "voided"): orders.void,
    ("orders", "convert"): invoices.book_order,
}
"""What can be done to a document at the screen."""


class VismaTouch(msgspec.Struct, forbid_unknown_fields=True):
    """Rows to save again: so many at random (the same for the same seed), optionally with new values."""

    count: int
    seed: int = 0
    set: dict[str, Any] = {}


class VismaSelection(msgspec.Struct, forbid_unknown_fields=True):
    """Rows to delete: these ids or numbers, or so many at random."""

    ids: tuple[str, ...] = ()
    count: int = 0
    seed: int = 0


class VismaRows:
    """The control server's routes for VISMA's rows."""

    def __init__(self, store: RowStore) -> None:
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        path = "/visma/{company:[a-z]+}/{tail:.+}"
        return [
            web.get(path, self.show),
            web.post(path, self.add),
            web.put(path, self.change),
            web.delete(path, self.remove),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """One row, or `?offset=&limit=` of all in key order as `{"total", "rows"}`."""
        company, resource, rest = _address(request)
        if rest:
            row = self._store.named(company, resource, rest[0])
            return answer(show(self._store, company, resource, row) | _hidden(resource, row))
        rows = self._sorted(company, resource)
        start = number(request, "offset")
        wanted = rows[start : start + number(request, "limit", len(rows))]
        shown = [show(self._store, company, resource, row) for row in wanted]
        return answer({"total": len(rows), "rows": shown})

    async def add(self, request: web.Request) -> web.Response:
        """Adds one row or a list; `.../touch` saves random rows again; `.../{id}/{action}` acts. Answers `{"ids"}`."""
        company, resource, rest = _address(request)
        if rest == ["touch"]:
            return await self._touch(request, company, resource)
        if rest:
            return self._act(company, resource, *rest)
        rows = [self._insert(company, resource, one) for one in await read_many(request, dict[str, Any])]
        return _ids(resource, rows)

    async def change(self, request: web.Request) -> web.Response:
        """Changes one row, or each row of a list that carries its `Id`."""
        company, resource, rest = _address(request)
        if rest:
            changes = [(rest[0], await read_as(request, dict[str, Any]))]
        else:
            changes = [(str(one.pop("Id")), one) for one in await read_as(request, list[dict[str, Any]])]
        rows = [self._update(company, resource, name, values) for name, values in changes]
        return _ids(resource, rows)

    async def remove(self, request: web.Request) -> web.Response:
        """Deletes one row, or those of `{"ids": [...]}`, or `{"count": n}` at random, whatever refers to them."""
        company, resource, rest = _address(request)
        if rest:
            rows = [self._store.named(company, resource, rest[0])]
        else:
            selection = await read_as(request, VismaSelection)
            rows = [self._store.named(company, resource, one) for one in selection.ids]
            rows += self._draw(company, resource, selection.count, selection.seed)
        self._store.delete(company, resource, rows)
        if resource in attachments.KINDS.values():
            attachments.drop(self._store, company, rows)
        return _ids(resource, rows)

    def _act(self, company: str, resource: str, name: str, action: str = "") -> web.Response:
        if (resource, action) not in ACTIONS:
            raise KeyError(f"action {action} of {resource}")
        row = self._store.named(company, resource, name)
        made = ACTIONS[resource, action](self._store, company, row)
        return answer({"ids": [made.Id if made is not None else row.Id]})  # type: ignore[attr-defined]

    async def _touch(self, request: web.Request, company: str, resource: str) -> web.Response:
        touch = await read_as(request, VismaTouch)
        rows = self._draw(company, resource, touch.count, touch.seed)
        for row in rows:
            self._store.update(company, resource, row, _checked(resource, touch.set))
        return _ids(resource, rows)

    def _insert(self, company: str, resource: str, given: Values) -> Row:
        _checked(resource, given)
        values = _empty(RESOURCES[resource].schema) | self._usual(company, resource) | given
        values |= self._document_rows(company, resource, given)
        complete(self._store, company, resource, values, None)
        return self._store.insert(company, resource, values | _read_only(resource, given))

    def _update(self, company: str, resource: str, name: str, given: Values) -> Row:
        """Change a row; a document is worked out again only when its rows or its customer are others."""
        row = self._store.named(company, resource, name)
        values = dict(_checked(resource, given))
        if resource not in DOCUMENTS:
            values = {one: getattr(row, one) for one in _empty(RESOURCES[resource].schema)} | given
            values |= self._matching_price(resource, given)
            complete(self._store, company, resource, values, row)
        elif {"Rows", "CustomerId"} & set(given):
            values = {one: getattr(row, one) for one in _empty(RESOURCES[resource].schema)} | given
            values |= {"Status": orders.ONGOING} if resource == "orders" else {}
            values |= self._document_rows(company, resource, {"Rows": values["Rows"]})
            complete(self._store, company, resource, values, None)
            values |= {one: getattr(row, one) for one in ("Number", "Status") if hasattr(row, one)} | {
                one: value for one, value in given.items() if one != "Rows"
            }
        self._store.update(company, resource, row, values | _read_only(resource, given))
        return row

    def _matching_price(self, resource: str, given: Values) -> Values:
        """One price of an article follows the other, as at the screen."""
        if resource != "articles" or ("NetPrice" in given) == ("GrossPrice" in given):
            return {}
        return {"GrossPrice": 0.0} if "NetPrice" in given else {"NetPrice": 0.0}

    def _document_rows(self, company: str, resource: str, given: Values) -> Values:
        if resource not in DOCUMENTS:
            return {}
        empty = _empty(DOCUMENTS[resource])
        return {"Rows": [self._document_row(company, empty, one) for one in given.get("Rows") or ()]}

    def _document_row(self, company: str, empty: Values, given: Values) -> Values:
        row = {name: value for name, value in (empty | given).items() if name in empty}
        if row["ArticleId"] is None and row["ArticleNumber"]:
            row["ArticleId"] = self._store.named(company, "articles", row["ArticleNumber"]).Id
        return row

    def _usual(self, company: str, resource: str) -> Values:
        """What a screen fills in by itself."""
        settings = self._store.settings(company)
        usual = {
            "customers": {
                "IsActive": True,
                "TermsOfPaymentId": settings.TermsOfPaymentId,
                "InvoicePostalCode": "",
                "InvoiceCity": "",
            },
            "projects": {"Status": 1},
            "orders": {
                "CurrencyCode": settings.CurrencyCode,
                "Status": orders.ONGOING,
                "OrderDate": self._store.today(),
            },
        }
        if resource == "articles":
            coding, unit = (self._sorted(company, name)[0].Id for name in ("articleaccountcodings", "units"))
            return {"IsActive": True, "CodingId": coding, "UnitId": unit}
        return usual.get(resource, {})

    def _sorted(self, company: str, resource: str) -> list[Row]:
        rows = self._store.table(company, resource).by_key
        return [rows[key] for key in sorted(rows)]

    def _draw(self, company: str, resource: str, count: int, seed: int) -> list[Row]:
        rows = self._sorted(company, resource)
        return random.Random(seed).sample(rows, min(count, len(rows)))


def _address(request: web.Request) -> tuple[str, str, list[str]]:
    """Company, resource and what follows; decoded after splitting, as numbers may hold a slash."""
    parts = [unquote(part) for part in request.rel_url.raw_path.split("/")[3:]]
    for length in (2, 1):
        if (resource := "/".join(parts[:length])) in RESOURCES:
            return known(request.match_info["company"]), resource, parts[length:]
    raise KeyError(f"resource {'/'.join(parts)}")


def _empty(schema: str) -> Values:
    return {name: field.empty for name, field in SCHEMAS[schema].items() if not field.read_only}


def _checked(resource: str, given: Values) -> Values:
    for name in given:
        if name not in RESOURCES[resource].fields:
            raise ValueError(f"{resource} has no field {name}")
    return given


def _read_only(resource: str, given: Values) -> Values:
    return {name: value for name, value in given.items() if RESOURCES[resource].fields[name].read_only}


def _hidden(resource: str, row: Row) -> Values:
    """What of an attachment no schema shows."""
    names = set(row.__struct_fields__) - set(RESOURCES[resource].fields)
    return {name: getattr(row, name) for name in sorted(names)}


def _ids(resource: str, rows: list[Row]) -> web.Response:
    return answer({"ids": [key_of(resource, row) for row in rows]})
