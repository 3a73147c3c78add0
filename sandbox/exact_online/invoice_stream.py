"""`sync/SalesInvoice/SalesInvoices`: headers (`LineNumber` 0) and lines of invoices as rows of one stream.

Both kinds have the header's properties; what a line has, too, is the line's own
(https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncSalesInvoiceSalesInvoices). That a header's
`ID` is its `InvoiceID` is taken for granted.
"""

from collections.abc import Sequence
from typing import Any

from sandbox.exact_online.dates import day_ms, wall_clock
from sandbox.exact_online.odata.projection import property_reader
from sandbox.exact_online.resources import RESOURCES
from sandbox.exact_online.row_types import STORED, Row
from sandbox.exact_online.rows import RowStore
from sandbox.exact_online.surroundings import Near

_STREAM = "sync/SalesInvoice/SalesInvoices"
_HEADERS, _LINES = "salesinvoice/SalesInvoices", "salesinvoice/SalesInvoiceLines"
_AUDIT = {"Timestamp", "Created", "Creator", "Modified", "Modifier"}


class InvoiceStream:
    """Keeps the stream in step with invoices and their lines.

    Args:
        store: All rows.
    """

    def __init__(self, store: RowStore) -> None:
        self._store = store
        store.follow(_HEADERS, self._headers)
        store.follow(_LINES, self._lines)

    def _headers(self, division: int, rows: Sequence[Row], by: str) -> None:
        for row in rows:
            self._put(division, {"ID": row.InvoiceID, "LineNumber": 0} | self._shown(division, _HEADERS, row), by)

    def _lines(self, division: int, rows: Sequence[Row], by: str) -> None:
        headers = {}
        for row in rows:
            header = self._store.table(division, _HEADERS).by_key[row.InvoiceID]
            headers[row.InvoiceID] = header
            self._put(division, self._shown(division, _HEADERS, header) | self._shown(division, _LINES, row), by)
        self._headers(division, list(headers.values()), by)  # its totals are others now

    def _shown(self, division: int, table: str, row: Row) -> dict[str, Any]:
        """What the stream shows of a row, worked out as its own page would."""
        today = day_ms(wall_clock(self._store.now()).date())
        read = property_reader(RESOURCES[table], Near(self._store, division, today))
        names = RESOURCES[table].properties.keys() & STORED[_STREAM] - _AUDIT
        return {name: read(name)(row) for name in names}

    def _put(self, division: int, values: dict[str, Any], by: str) -> None:
        known = self._store.table(division, _STREAM).by_key.get(values["ID"])
        if known is None:
            self._store.insert(division, _STREAM, [values], by)
        else:
            self._store.update(division, _STREAM, [(known, values)], by)
