"""Transactions: payments that are registered on invoices or, for the time being, on none.

They are added with POST and changed with PUT, which finds them by either of their ids
(https://github.com/CloudEcosystemDev/outsmart-component). Whether a second POST with the same external id is noticed is
not documented; here it makes a second transaction, so that nobody relies on it.
"""

from decimal import Decimal
from typing import Any

from sandbox.clock import Clock
from sandbox.outsmart.entities import ENTITIES
from sandbox.outsmart.envelope import RefusedError
from sandbox.outsmart.records import Record, Records
from sandbox.outsmart.writing import Writer

TRANSACTIONS, INVOICES = ENTITIES["transactions"], ENTITIES["invoices"]
_ID, _EXTERNAL_ID, _INVOICE = "int_transaction_id", "int_external_transaction_id", "int_inv_id"


class Transactions:
    """Takes transactions and keeps the balance of their invoices."""

    def __init__(self, records: Records, writer: Writer, clock: Clock) -> None:
        self._records = records
        self._writer = writer
        self._clock = clock

    def add(self, account: str, body: list[Any]) -> list[Record]:
        """Add all transactions of a body.

        Returns:
            The transactions with their ids.

        Raises:
            RefusedError: One of them cannot be taken, or its own id is taken; then none is.
        """
        checked = [self._writer.checked(account, TRANSACTIONS, one) for one in body]
        known = self._records.of(account, TRANSACTIONS.name)
        for record in checked:
            if record.get(_ID) in known:
                raise RefusedError(TRANSACTIONS.failed, f"Insert of transactions failed: {record[_ID]} exists")
        for record in checked:
            record[_ID] = record.get(_ID) or f"{self._records.next_number(account, TRANSACTIONS.name):010d}SANDBOX"
            record["int_timestamp"] = record.get("int_timestamp") or f"{self._clock.now():%Y-%m-%d %H:%M:%S}"
        return self._write(account, checked)

    def change(self, account: str, body: list[Any]) -> list[Record]:
        """Change the transactions of a body, each found by its own id or else by the external one.

        Raises:
            RefusedError: One of them cannot be found or taken; then none is.
        """
        changes = []
        for sent in body:
            checked = self._writer.checked(account, TRANSACTIONS, sent, whole=False)
            changes.append(checked | {_ID: self._found(account, checked)[_ID]})
        return self._write(account, changes)

    def balance(self, account: str) -> dict[str, Decimal]:
        """What is registered on each invoice that has transactions."""
        sums: dict[str, Decimal] = {}
        for one in self._records.of(account, TRANSACTIONS.name).values():
            if one.get(_INVOICE):
                sums[one[_INVOICE]] = sums.get(one[_INVOICE], Decimal(0)) + Decimal(one["int_amount"])
        return sums

    def _found(self, account: str, sent: Record) -> Record:
        known = self._records.of(account, TRANSACTIONS.name)
        name = _ID if sent.get(_ID) else _EXTERNAL_ID
        found = next((one for one in known.values() if sent.get(name) and one.get(name) == sent[name]), None)
        if found is None:
            raise RefusedError(TRANSACTIONS.failed, f"Update of transactions failed: no {name} {sent.get(name)}")
        return found

    def _write(self, account: str, changes: list[Record]) -> list[Record]:
        self._records.write(account, TRANSACTIONS, changes, "api")
        known = self._records.of(account, TRANSACTIONS.name)
        return [known[one[_ID]] for one in changes]
