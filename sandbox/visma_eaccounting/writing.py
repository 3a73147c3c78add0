"""POST, PUT, DELETE and the actions on documents."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from sandbox.fixed_world import VismaUser
from sandbox.visma_eaccounting.bodies import read_body
from sandbox.visma_eaccounting.business import check_deletion, complete
from sandbox.visma_eaccounting.errors import missing
from sandbox.visma_eaccounting.resources import Resource, Row
from sandbox.visma_eaccounting.rows import RowStore
from sandbox.visma_eaccounting.sales import attachments, invoices, orders
from sandbox.visma_eaccounting.sales.attachments import PDF
from sandbox.visma_eaccounting.sales.drafts import complete_draft
from sandbox.visma_eaccounting.showing import Shown, show

ORDER_ACTIONS: Mapping[str, Callable[[RowStore, str, Row], None]] = {
    "converteddrafttoorder": orders.to_order,
    "completed": orders.complete,
    "voided": orders.void,
}


class Writer:
    """Changes rows as the API's callers ask."""

    def __init__(self, store: RowStore) -> None:
        self._store = store

    def create(self, company: str, resource: Resource, raw: bytes, query: Mapping[str, str]) -> Shown:
        """Add a row."""
        values = read_body(raw, resource.schema)
        if resource.name == "customerinvoicedrafts" and "overrideCustomerIsPrivatePerson" in query:
            private = query["overrideCustomerIsPrivatePerson"].lower() == "true"
            complete_draft(self._store, company, values, None, private=private)
        else:
            complete(self._store, company, resource.name, values, None)
        return self._show(company, resource.name, self._store.insert(company, resource.name, values))

    def replace(self, company: str, resource: Resource, key: str, raw: bytes) -> Shown:
        """Replace a row: what is not sent becomes empty."""
        row = self.find(company, resource, key)
        values = read_body(raw, resource.schema)
        complete(self._store, company, resource.name, values, row)
        self._store.update(company, resource.name, row, values)
        return self._show(company, resource.name, row)

    def remove(self, company: str, resource: Resource, key: str) -> None:
        """Delete a row."""
        row = self.find(company, resource, key)
        check_deletion(self._store, company, resource.name, row)
        self._store.delete(company, resource.name, [row])
        if resource.name in attachments.KINDS.values():
            attachments.drop(self._store, company, [row])

    def find(self, company: str, resource: Resource, key: str) -> Row:
        """The row that is addressed.

        Raises:
            ApiError: There is none.
        """
        row = self._store.find(company, resource.name, key)
        if row is None:
            raise missing(f"{resource.schema} {key}")
        return row

    def act(
        self, company: str, resource: Resource, key: str, action: str, raw: bytes, query: Mapping[str, str]
    ) -> tuple[int, Shown]:
        """Do what the last word of a path says to an order or a draft; gives status and answer."""
        row = self.find(company, resource, key)
        if action in ORDER_ACTIONS:
            ORDER_ACTIONS[action](self._store, company, row)
            return 200, self._show(company, "orders", row)
        if resource.name == "orders":
            read_body(raw or b"{}", "OrderConversion")
            return 200, self._show(company, "customerinvoices", invoices.book_order(self._store, company, row))
        expected = read_body(raw, "CustomerInvoiceDraftValidation") if raw else None
        made = invoices.book_draft(self._store, company, row, expected, keep_date=_keep_date(query))
        return 201, self._show(company, "customerinvoices", made)

    def attach(self, company: str, kind: str, raw: bytes, by: VismaUser) -> Shown:
        """Attach a file to a document."""
        values = read_body(raw, "SalesDocumentAttachmentUpload")
        row = attachments.attach(self._store, company, kind, values, by.full_name)
        return self._show(company, "salesdocumentattachments", row)

    def detach(self, company: str, kind: str, document_id: str, attachment_id: str) -> None:
        """Take a file away from a document."""
        attachments.detach(self._store, company, kind, document_id, attachment_id)

    def pdf(self, company: str, resource: Resource, key: str) -> web.Response:
        """The file of an attachment."""
        row = self.find(company, resource, key)
        if row.ContentType != PDF:
            raise missing(f"PDF {key}")
        return web.Response(body=base64.b64decode(row.Data), content_type=PDF)

    def _show(self, company: str, resource: str, row: Row) -> dict[str, Any]:
        return show(self._store, company, resource, row)


def _keep_date(query: Mapping[str, str]) -> bool | None:
    """Whether a call overrides what the settings say about the date of a booked draft."""
    if query.get("overrideCompanyKeepOriginalDraftDate", "").lower() != "true":
        return None
    return query.get("keepOriginalDraftDate", "").lower() == "true"
