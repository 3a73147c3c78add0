"""An account as the pipeline sees it: records to and from it, in batches of which one bad record stops nothing.

A list is stored whole or not at all, so a refused list is halved until the bad record stands alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from outsmart_sync.errors import RecordError
from outsmart_sync.providers.outsmart.documents import Transactions, WorkOrders
from outsmart_sync.providers.outsmart.lists import read_values
from outsmart_sync.providers.outsmart.wire import WIRES, from_wire, to_wire
from outsmart_sync.records.exchange import Document, Refused
from outsmart_sync.records.invoice import INVOICE
from outsmart_sync.records.record import Record
from outsmart_sync.records.transaction import TRANSACTION
from outsmart_sync.records.values import Payload
from outsmart_sync.records.work_order import WORK_ORDER

if TYPE_CHECKING:
    from outsmart_sync.providers.outsmart.client import OutSmartClient
    from outsmart_sync.records.setting_kinds import ValueList


class OutSmartAccount:
    """An account as the pipeline reads and writes it.

    Args:
        client: Its session.
    """

    def __init__(self, client: OutSmartClient) -> None:
        self._client = client
        self._documents: dict[str, WorkOrders | Transactions] = {
            WORK_ORDER.name: WorkOrders(client),
            TRANSACTION.name: Transactions(client),
        }

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._client.calls

    def read(self, record: Record) -> Iterator[Payload]:
        """Every record of a type that the account holds; a record without a code is passed over."""
        for fields in self._client.get_list(WIRES[record.at_outsmart].endpoint):
            payload = from_wire(record, fields)
            if payload.get(record.code):
                yield payload

    def write(self, record: Record, payloads: Sequence[Payload]) -> list[Refused]:
        """Insert or update; returns what was refused.

        Raises:
            ConfigurationError: The account's tokens are refused.
            TransientError: No answer; writing again is safe.
            ValueError: Records of this type are made once, by :meth:`create`: writing one again makes a second.
        """
        if record.at_outsmart in self._documents:
            raise ValueError(f"a {record.label} is created, not written")
        bodies = [to_wire(record, payload) for payload in payloads]
        refused: list[Refused] = []
        self._write(WIRES[record.at_outsmart].endpoint, bodies, 0, refused)
        return refused

    def find(self, record: Record, number: str) -> list[Document]:
        """Every document with our number."""
        return self._documents[record.at_outsmart].find(number)

    def get(self, record: Record, remote_id: str) -> Document | None:
        """The document with this id of OutSmart's; None: it was removed there."""
        return self._documents[record.at_outsmart].get(remote_id)

    def documents(self, record: Record, prefix: str) -> Iterator[Document]:
        """Every document whose number begins with a prefix; counts only when the iterator has ended."""
        return self._documents[record.at_outsmart].documents(prefix)

    def create(self, record: Record, payload: Payload) -> str:
        """Make one document with a single call; returns OutSmart's id of it.

        Raises:
            RecordError: It was refused; nothing is stored.
            UncertainOutcome: It may be stored or not: look it up.
            TransientError: Nothing was sent.
            ConfigurationError: The account's tokens are refused.
        """
        return self._documents[record.at_outsmart].create(payload)

    def change(self, record: Record, remote_id: str, changes: Payload) -> None:
        """Change fields of a document; safe to repeat.

        Raises:
            RecordError: It was refused, or the document is gone.
            ConfigurationError: The account's tokens are refused.
            TransientError: No answer.
            ValueError: OutSmart cannot change one of these fields.
        """
        self._documents[record.at_outsmart].change(remote_id, changes)

    def invoices(self) -> Iterator[Payload]:
        """Every invoice that was made in the account."""
        return self.read(INVOICE)

    def choices(self, listed: ValueList) -> list[tuple[str, str]]:
        """The values of one of OutSmart's lists, with what a person knows them by."""
        return read_values(self._client, listed)

    def close(self) -> None:
        """End the session."""
        self._client.close()

    def _write(self, endpoint: str, bodies: list[dict[str, str]], first: int, refused: list[Refused]) -> None:
        if not bodies:
            return
        try:
            self._client.post(endpoint, bodies)
        except RecordError as error:
            if len(bodies) == 1:
                refused.append(Refused(first, error))
                return
            middle = len(bodies) // 2
            self._write(endpoint, bodies[:middle], first, refused)
            self._write(endpoint, bodies[middle:], first + middle, refused)
