"""Where work orders stand, what was looked up, and who may send: on each database."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from outsmart_sync.store import connections, dialect, exports, ledger, looked_up
from outsmart_sync.store.exports import ExportState
from outsmart_sync.store.ledger import LedgerState
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import looked_up as looked_up_table


@pytest.fixture
def connection_id(store: Store) -> int:
    with store.begin() as transaction:
        return connections.add(
            transaction,
            package="exact_online",
            country="nl",
            outsmart_account="demo",
            conn_id="exact_online_default",
            outsmart_conn_id="outsmart_default",
        )


def put(store: Store, connection_id: int, row_id: str, state: ExportState, **values: Any) -> None:
    given = {"number": f"W{row_id}", "payload": "{}", "fingerprint": "f", "run_id": 1, "connection_id": connection_id}
    with store.begin() as transaction:
        exports.put(transaction, "demo", row_id, state=state.value, **given | values)


def test_a_row_is_kept_changed_and_found_again(store: Store, connection_id: int) -> None:
    put(store, connection_id, "1", ExportState.SENDING, expected=Decimal("10.10"), remote_id="r1")
    put(store, connection_id, "2", ExportState.FAILED, by_itself=True)
    put(store, connection_id, "3", ExportState.FAILED)
    with store.begin() as transaction:
        one = exports.of_rows(transaction, "demo", ["1", "9"])["1"]
        assert (one.expected, one.actual, one.state, one.key) == (Decimal("10.10"), None, "sending", "1")
        assert {each.row_id for each in exports.pending(transaction, connection_id)} == {"1", "2"}
        exports.settle(transaction, one, ExportState.DONE, run_id=2, actual=Decimal("10.11"))
        assert exports.totals(transaction, [connection_id]) == {connection_id: {"done": 1, "failed": 2}}
        assert [each.actual for each in exports.of_number(transaction, "demo", "W1")] == [Decimal("10.11")]
        assert [each.row_id for each in exports.of_remote(transaction, "demo", connection_id, ["r1"])] == ["1"]
        assert [each.row_id for each in exports.listed(transaction, states=["done"])] == ["1"]


def test_what_outsmart_has_yet_to_be_told_of_invoices(store: Store, connection_id: int) -> None:
    for row_id, values in {
        "1": {"booked": True},
        "2": {"booked": True, "told": "invoiced"},
        "3": {"booked": True, "paid": True, "told": "invoiced"},
        "4": {},
    }.items():
        put(store, connection_id, row_id, ExportState.DONE, **values)
    with store.read() as transaction:
        assert {each.row_id for each in exports.untold(transaction, connection_id)} == {"1", "3"}


def test_what_was_not_there_is_forgotten_when_a_person_asks(store: Store, connection_id: int) -> None:
    with store.begin() as transaction:
        looked_up.keep(transaction, connection_id, "material", {"a": ("r", "{}"), "b": ("", "")})
        looked_up.keep(transaction, connection_id, "material", {"a": ("r2", "[]")})
        assert looked_up.read(transaction, connection_id, "material", ["a", "b", "c"]) == {"a": "[]", "b": ""}
        looked_up.forget_missing(transaction, connection_id)
        assert looked_up.read(transaction, connection_id, "material", ["a", "b"]) == {"a": "[]"}


def test_of_two_that_saw_the_same_only_one_may_send(store: Store, connection_id: int) -> None:
    def claim(seen: Any) -> bool:
        with store.begin() as transaction:
            return ledger.claim(
                transaction,
                "demo",
                "sales_order",
                "1",
                connection_id=connection_id,
                run_id=1,
                token="OS-A",
                seen=seen,
            )

    assert [claim(None), claim(None)] == [True, False]
    with store.begin() as transaction:
        ledger.uncertain(transaction, "demo", "sales_order", "1", 1)
        line = ledger.find(transaction, "demo", "sales_order", "1")
        assert [each[1] for each in ledger.unclear(transaction, "demo", "sales_order", connection_id)] == ["OS-A"]
    assert [claim(line), claim(line)] == [True, False]
    with store.begin() as transaction:
        ledger.done(transaction, "demo", "sales_order", "1", "r1", 1)
        made = ledger.find(transaction, "demo", "sales_order", "1")
    assert made is not None
    assert made.state is LedgerState.DONE
    assert claim(made) is False
    with store.read() as transaction:
        assert ledger.keys_of(transaction, "demo", "sales_order", ["r1"]) == {"r1": "1"}


def test_what_was_not_found_is_asked_for_again_much_sooner_than_what_was(store: Store, connection_id: int) -> None:
    with store.begin() as transaction:
        looked_up.keep(transaction, connection_id, "material", {"a": ("1", "{}"), "b": ("", "")})
    seen = {}
    for minutes in (29, 31, 23 * 60, 25 * 60):
        with store.begin() as transaction:
            at = dialect.now(transaction) - timedelta(minutes=minutes)
            transaction.execute(update(looked_up_table).values(at=at))
            seen[minutes] = looked_up.read(transaction, connection_id, "material", ["a", "b", "c"])
    assert seen == {29: {"a": "{}", "b": ""}, 31: {"a": "{}"}, 23 * 60: {"a": "{}"}, 25 * 60: {}}
