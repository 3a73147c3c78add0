"""Records that OutSmart makes once and does not upsert: work orders and payment transactions.

Endpoints: https://knowledge.out-smart.com/openapi/work-orders and
https://github.com/CloudEcosystemDev/outsmart-component . Reading work orders makes them ``Afgehandeld`` unless the call
says ``update_status=false``, so every read here says it. What each method promises is in ``pipeline/ports.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import RecordError
from outsmart_sync.providers.outcomes import error_of
from outsmart_sync.providers.outsmart import wire, work_orders
from outsmart_sync.providers.outsmart.errors import CREATING, GONE, READING
from outsmart_sync.records.exchange import Document, Stage
from outsmart_sync.records.record import Record
from outsmart_sync.records.transaction import TRANSACTION
from outsmart_sync.records.values import Payload, code_key
from outsmart_sync.records.work_order import CHANGEABLE, WORK_ORDER

if TYPE_CHECKING:
    from outsmart_sync.providers.outsmart.client import OutSmartClient

_UNTOUCHED = {"update_status": "false"}
_EVERY_STATUS = {"status": "Alle"}


class WorkOrders:
    """An account's work orders.

    Args:
        client: The account's session.
    """

    def __init__(self, client: OutSmartClient) -> None:
        self._client = client

    def find(self, number: str) -> list[Document]:
        """Every work order with our number.

        ``GetWorkorder`` gives one at most, and that is the answer to nearly every question: none. Only where there is
        one, the whole list is read for others: it knows no filter by number. The one that was given counts in any
        case, since nobody has written down whether the list leaves some out.
        """
        first = self._one({"workorder_no": number})
        if first is None or code_key(first.number) != code_key(number):
            return []
        same = (each for each in self._all() if code_key(each.number) == code_key(number))
        return list({each.remote_id: each for each in (first, *same)}.values())

    def get(self, remote_id: str) -> Document | None:
        """The work order with this row id."""
        return self._one({"row_id": remote_id})

    def documents(self, prefix: str) -> Iterator[Document]:
        """Every work order with a number of ours."""
        return (each for each in self._all() if each.number and each.number.startswith(prefix))

    def create(self, payload: Payload) -> str:
        """Post one work order; returns its row id."""
        answer = self._client.create("PostWorkorders", work_orders.to_wire(payload))
        return _created(answer, "row_id", "PostWorkorders")

    def change(self, remote_id: str, changes: Payload) -> None:
        """Change what OutSmart can change of a work order."""
        _require_changeable(WORK_ORDER, CHANGEABLE, changes)
        row = {"row_id": remote_id}
        if query := work_orders.changes_to_wire(changes):
            self._client.change("UpdateWorkorder", row | query)
        if materials := changes.get("materials"):
            # Both at once, as in the vendor's example: off with the old lines, on with these. So it may be repeated.
            replacing = {"ClearMaterials": "true", "ProcessMaterials": "true"}
            self._client.change("UpdateWorkorder", row | replacing, work_orders.lines_to_wire(str(materials)))

    def _one(self, query: Mapping[str, str]) -> Document | None:
        try:
            answer = self._client.get("GetWorkorder", {**query, **_UNTOUCHED})
        except RecordError as error:
            if error.code == GONE:
                return None
            raise
        found = answer[0] if isinstance(answer, list) and answer else answer
        return _document(found, "GetWorkorder") if found else None

    def _all(self) -> Iterator[Document]:
        """Each work order of every status, while they arrive."""
        try:
            for fields in self._client.get_list("GetWorkorders", _EVERY_STATUS | _UNTOUCHED):
                yield _document(fields, "GetWorkorders")
        except RecordError as error:
            if error.code != GONE:  # "not found by given criteria" is how an account without any may say so
                raise


class Transactions:
    """An account's payment transactions.

    Args:
        client: The account's session.
    """

    def __init__(self, client: OutSmartClient) -> None:
        self._client = client

    def find(self, number: str) -> list[Document]:
        """Every transaction with our external id; OutSmart filters by it."""
        return [
            each
            for each in self._all(_where("int_external_transaction_id", number))
            if code_key(each.number) == code_key(number)
        ]

    def get(self, remote_id: str) -> Document | None:
        """The transaction with this id of OutSmart's."""
        found = [each for each in self._all(_where("int_transaction_id", remote_id)) if each.remote_id == remote_id]
        return found[0] if found else None

    def documents(self, prefix: str) -> Iterator[Document]:
        """Every transaction with an external id of ours.

        Read whole: what the operator ``li`` makes of a prefix is not documented well enough to rely on.
        """
        return (each for each in self._all() if each.number and each.number.startswith(prefix))

    def create(self, payload: Payload) -> str:
        """Post one transaction; returns OutSmart's id of it."""
        answer = self._client.create("transactions", wire.to_wire(TRANSACTION, payload))
        return _created(answer, "int_transaction_id", "transactions")

    def change(self, remote_id: str, changes: Payload) -> None:  # noqa: ARG002 - as all documents have it
        """Refuse: a transaction is put right by another one."""
        _require_changeable(TRANSACTION, frozenset(), changes)

    def _all(self, query: Mapping[str, str] | None = None) -> Iterator[Document]:
        for fields in self._client.get_list("transactions", query):
            payload = wire.from_wire(TRANSACTION, fields)
            remote_id = wire.text_of(fields.get("int_transaction_id"))
            yield Document(remote_id, str(payload.get("external_id", "")), Stage.NEW, payload)


def _where(name: str, value: str) -> dict[str, str]:
    """A filter, in the vendor's terms."""
    return {"key": name, "value": value, "operator": "eq"}


def _document(fields: Any, endpoint: str) -> Document:
    """A work order that was read.

    Raises:
        TransientError: It is none; whether there is one is unknown.
    """
    if not isinstance(fields, dict) or not wire.text_of(fields.get("id")):
        raise error_of(READING.unreadable, "", f"{endpoint}: a work order without an id")
    return work_orders.document(fields)


def _created(answer: Any, name: str, endpoint: str) -> str:
    """The id of what was made.

    Raises:
        UncertainOutcome: The answer says that it was taken, but not which one it is.
    """
    made = answer[0] if isinstance(answer, list) and answer else None
    remote_id = wire.text_of(made.get(name)) if isinstance(made, dict) else ""
    if not remote_id:
        raise error_of(CREATING.unreadable, "", f"POST {endpoint}: no {name}")
    return remote_id


def _require_changeable(record: Record, changeable: frozenset[str], changes: Payload) -> None:
    if others := sorted(set(changes) - changeable):
        raise ValueError(f"OutSmart cannot change {', '.join(others)} of a {record.label}")
