"""Hours and costs: a call for each, found again in the stream of both.

Fields: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=ProjectTimeTransactions and
name=ProjectCostTransactions . The token stands in ``Notes``, which nobody knows to be filterable; so everything that
was changed since a day is read by its row version and compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import RecordError
from outsmart_sync.providers.exact_online import start_dates, writing
from outsmart_sync.providers.exact_online.export_reading import all_rows, by_ids, decimal, rows_with
from outsmart_sync.providers.exact_online.exports import HOUR_STATUS
from outsmart_sync.providers.exact_online.values import exact_moment, is_id
from outsmart_sync.records.export_document import LineKind, MadeDocument
from outsmart_sync.records.export_token import tokens_in

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient
    from outsmart_sync.records.export_document import ExportDocument, Line
    from outsmart_sync.records.export_update import Replaced

_STREAM = "sync/Project/TimeCostTransactions"
_TIMES, _COSTS = "project/TimeTransactions", "project/CostTransactions"
_COLUMNS = ("ID", "EntryNumber", "Quantity", "AmountFC", "Notes", "Account", "Created", "HourStatus", "Type")
_STREAM_COLUMNS = ("Timestamp", *_COLUMNS)
_TIME = 1
_FIRST_FINAL = 11
"""From this status on they are approved, being approved or invoiced."""


class ExactHours:
    """Hours and costs of one administration.

    Args:
        client: The administration.
        settings: How they are made.
    """

    def __init__(self, client: ExactOnlineClient, settings: Mapping[str, Any]) -> None:
        self._client = client
        self._status = int(settings.get(HOUR_STATUS) or 1)

    def create(self, document: ExportDocument, line: Line) -> MadeDocument:
        """Make one line: hours of work are time, everything else costs."""
        is_time = line.kind is LineKind.HOURS
        body = {
            "Item": line.article,
            "Quantity": line.quantity,
            "Date": (line.day or document.day).isoformat(),
            "HourStatus": self._status,
            "Notes": _notes(document, line),
            **self._billed_to(document, line),
        }
        if line.employee:
            body["Employee"] = line.employee
        if not is_time and line.price is not None:
            # Costs have a price but no discount.
            body["PriceFC"] = line.price * (1 - line.discount)
        return _made(writing.create(self._client, _TIMES if is_time else _COSTS, body), line.token, is_time=is_time)

    def find(self, tokens: Sequence[str], since: date) -> list[MadeDocument]:
        """Every line with one of these tokens that was made or changed since a day."""
        wanted = set(tokens)
        found = [_made(row, token) for row in self._changed_since(since) for token in tokens_in(row["Notes"] or "")]
        return [made for made in found if made.token in wanted]

    def get(self, remote_id: str) -> MadeDocument | None:
        """A line as it is now; None: it is gone."""
        for path in (_TIMES, _COSTS):
            if rows := by_ids(self._client, path, "ID", _COLUMNS, [remote_id]):
                return _read(rows[0])
        return None

    def by_number(self, number: str) -> list[MadeDocument]:
        """Lines with this entry number, or this id."""
        wanted = number.strip()
        if is_id(wanted):
            return [made for made in [self.get(wanted)] if made is not None]
        if not wanted.isdigit():
            return []
        condition = [f"EntryNumber eq {int(wanted)}"]
        return [_read(row) for path in (_TIMES, _COSTS) for row in rows_with(self._client, path, _COLUMNS, condition)]

    def replace(self) -> Replaced:
        """Lines are entries of their own, which a person may have approved meanwhile.

        Raises:
            RecordError: Always.
        """
        raise RecordError(
            "Hours and costs are entries of their own in Exact Online, so they are not changed together.",
            remedy="Delete them there, then send the work order again.",
        )

    def _changed_since(self, since: date) -> Iterator[Mapping[str, Any]]:
        position = start_dates.position_of(self._client, _STREAM, since) or 1
        yield from all_rows(self._client, _STREAM, _STREAM_COLUMNS, f"Timestamp gt {position}L")

    @staticmethod
    def _billed_to(document: ExportDocument, line: Line) -> dict[str, str]:
        """A project, which has its own customer, or else the one who pays."""
        project = line.project or document.project
        return {"Project": project} if project else {"Account": document.invoice_to}


def _notes(document: ExportDocument, line: Line) -> str:
    hours = f" {line.begin:%H:%M}-{line.end:%H:%M}" if line.begin and line.end else ""
    return f"{line.token} {document.number}{hours} {line.text}".strip()


def _made(row: Mapping[str, Any], token: str, *, is_time: bool | None = None) -> MadeDocument:
    timed = row.get("Type") == _TIME if is_time is None else is_time
    return MadeDocument(
        remote_id=str(row["ID"]),
        number=str(row.get("EntryNumber") or ""),
        total=None if timed else decimal(row.get("AmountFC")),
        quantity=decimal(row.get("Quantity")),
        token=token,
        made_at=exact_moment(row.get("Created")) or "",
        open=(row.get("HourStatus") or 0) < _FIRST_FINAL,
    )


def _read(row: Mapping[str, Any]) -> MadeDocument:
    return _made(row, next(iter(tokens_in(row["Notes"] or "")), ""))
