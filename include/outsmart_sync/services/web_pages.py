"""Where a person finds a record in the package and in OutSmart."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from outsmart_sync.errors import SyncError
from outsmart_sync.pipeline.export_extract import WORK_ORDER
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.invoice import INVOICE
from outsmart_sync.records.record import REMOTE_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from outsmart_sync.records.exchange import WebPage
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.services.history import RecordStatus
    from outsmart_sync.store.connections import SyncConnection

log = logging.getLogger(__name__)

Pages = list[tuple[str, "WebPage"]]
"""Name of the package, or OutSmart → the page there."""


def of_record(gateway: Gateway, connection: SyncConnection, found: RecordStatus) -> Pages:
    """The pages of a record that is imported; of those sides that have it."""
    records = (each for category in package_of(connection.package).imports for each in category.records)
    kind = next((each.at_outsmart for each in records if each.name == found.record), found.record)
    remote_id = str(found.outsmart_values.get(REMOTE_ID, ""))
    asked: dict[str, Callable[[], WebPage]] = {}
    if found.provider_id:
        asked[_label(connection)] = lambda: gateway.door(connection).web_page(found.record, found.provider_id)
    if found.outsmart_values:
        asked["OutSmart"] = lambda: gateway.outsmart_page(connection, kind, remote_id)
    return _reached(connection, asked)


def of_work_order(gateway: Gateway, connection: SyncConnection, row_id: str, invoice_id: str = "") -> Pages:
    """The pages of a work order that is exported: its own, and that of its invoice, once it is one."""
    return _reached(
        connection,
        {
            "OutSmart": lambda: gateway.outsmart_page(connection, WORK_ORDER, row_id),
            _label(connection): lambda: gateway.door(connection).web_page(INVOICE.name, invoice_id),
        },
    )


def _label(connection: SyncConnection) -> str:
    return package_of(connection.package).label


def _reached(connection: SyncConnection, asked: dict[str, Callable[[], WebPage]]) -> Pages:
    """The pages; without those whose connection is not in order, which other pages tell of."""
    pages: Pages = []
    for name, page in asked.items():
        try:
            pages.append((name, page()))
        except SyncError as error:
            log.warning("%s: no link into %s: %s", connection.label, name, error)
    return pages
