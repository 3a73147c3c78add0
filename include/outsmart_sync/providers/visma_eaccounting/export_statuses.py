"""The way back: invoices that were made of drafts and orders, with their numbers and whether they are paid.

Fields: schema ``CustomerInvoiceApi`` of https://eaccountingapi.vismaonline.com/openapi/v2.json ; its list is asked for
what changed by the parameter ``modifiedSinceUtc``. An invoice is final: a draft is booked as it
becomes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from outsmart_sync.providers.visma_eaccounting.export_documents import INVOICES
from outsmart_sync.providers.visma_eaccounting.positions import OVERLAP
from outsmart_sync.providers.visma_eaccounting.values import TIMEZONE, moment, time_literal
from outsmart_sync.records.export_document import InvoicePage, InvoiceState

if TYPE_CHECKING:
    from outsmart_sync.providers.visma_eaccounting.client import VismaClient
    from outsmart_sync.records.streams import Row

COLUMNS = (
    "Id", "InvoiceNumber", "CreatedFromDraftId", "CreatedFromOrderId", "PaymentStatus",
    "CollectiveCustomerInvoiceRowsRelationToOrders",
)  # fmt: skip
_PAID = 0


def pages(client: VismaClient, cursors: Mapping[str, str], since: date) -> Iterator[InvoicePage]:
    """What changed after a position; the position moves when all of it was read.

    Args:
        client: The company.
        cursors: Where the stream of invoices was left.
        since: The day on which it begins without that.
    """
    before = cursors.get(INVOICES) or _beginning(since)
    after = ""
    query = {"modifiedSinceUtc": before, "$select": ",".join(COLUMNS)}
    for page in client.pages(INVOICES, query):
        after = after or time_literal(moment(page.server_time) - OVERLAP)
        last = page.number >= page.pages
        yield InvoicePage(stream=INVOICES, cursor=after if last else before, states=_states(page.rows), last=last)


def _states(rows: Sequence[Row]) -> list[InvoiceState]:
    return [
        InvoiceState(
            document=document,
            invoice=str(row["Id"]),
            number=str(row["InvoiceNumber"]),
            booked=True,
            paid=row["PaymentStatus"] == _PAID,
        )
        for row in rows
        for document in _documents(row)
    ]


def _documents(row: Row) -> list[str]:
    """Ids of the draft or orders that an invoice was made of: one may be made of several orders."""
    collected = row.get("CollectiveCustomerInvoiceRowsRelationToOrders") or ()
    ids = (row.get("CreatedFromDraftId"), row.get("CreatedFromOrderId"), *(each.get("OrderId") for each in collected))
    return list(dict.fromkeys(str(each) for each in ids if each))


def _beginning(day: date) -> str:
    return time_literal(datetime.combine(day, datetime.min.time(), ZoneInfo(TIMEZONE)))
