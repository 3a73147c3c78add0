"""Every kind of completed work order into Exact Online, through the real hooks, to the cent a person would bill."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet

from outsmart_sync.pipeline.job import Options
from outsmart_sync.records.export_token import tokens_in
from outsmart_sync.services import export_run, exports, settings
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.store import Store
from outsmart_sync.store.vault import KEYS_VARIABLE
from sandbox import process
from support import MAIN, SOUTH, Rig, connection_environment

ACCOUNT = "south"
BILLED = ("materials", "hours", "mixed", "discount", "night", "other_payer")
_LISTS = ("workorders", "hourtypes", "employees")


@pytest.fixture(scope="module")
def vendors() -> Iterator[process.SandboxProcess]:
    """Vendors with calls enough."""
    with process.start(relations=40, items=40, minute_limit=100_000, day_limit=1_000_000) as running:
        yield running


@dataclass
class Office:
    """One administration and one account, with exports switched on."""

    store: Store
    rig: Rig
    connection: SyncConnection

    @property
    def control(self) -> Any:
        return self.rig.vendors.control

    def save(self, **changes: Any) -> None:
        settings.save(self.store, self.connection, {"work_orders": changes})

    def complete(self, *kinds: str, count: int = 2, **wanted: Any) -> None:
        for place, kind in enumerate(kinds):
            self.control.complete_work_orders(
                ACCOUNT, MAIN, count=count, kind=kind, prefix=f"{kind[:3].upper()}{place}-", **wanted
            )

    def export(self) -> None:
        options = Options(categories=("work_orders",), connection=self.connection.id)
        export_run.export_now(self.store, self.rig.gateway, "exact_online", f"test:{uuid.uuid4()}", options)

    def work_orders(self) -> list[dict[str, Any]]:
        return list(self.control.outsmart_records(ACCOUNT, "workorders"))

    def hours_per_unit(self) -> dict[str, int]:
        """Item → hours in one of its units of time."""
        units = {row["Code"]: row.get("TimeUnit") for row in self.control.exact_rows(MAIN, "logistics/Units")}
        items = self.control.exact_rows(MAIN, "Items")
        return {row["ID"]: {"dd": 8}.get(units.get(row.get("Unit")) or "", 1) for row in items}

    def told(self) -> dict[str, str]:
        """Number → state."""
        return {each.number: str(each.state) for each in exports.listed(self.store, limit=1000)}

    def causes(self) -> list[str]:
        return [f"{each.number}: {each.cause}" for each in exports.listed(self.store, limit=1000) if each.cause]

    def bills(self) -> dict[str, Decimal]:
        """Number → what a person would bill."""
        prices = {
            each["code"]: number(each["sale_price"]) for each in self.control.outsmart_records(ACCOUNT, "hourtypes")
        }
        return {each["WorkorderNo"]: by_hand(each, prices) for each in self.work_orders()}


@pytest.fixture
def office(sqlite_store: Store, vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Exports switched on; quarters of an hour are billed."""
    for name, value in connection_environment(vendors, sqlite_store, SOUTH).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(KEYS_VARIABLE, Fernet.generate_key().decode())
    rig = Rig(sqlite_store, vendors)
    wanted = {"enabled": True, "cut_off": "2020-01-01", "hour_rounding": "15", "pdf": False}
    yield Office(sqlite_store, rig, rig.connect(MAIN, work_orders=wanted))
    for name in _LISTS:
        vendors.control.delete_outsmart(ACCOUNT, name)


def by_hand(order: dict[str, Any], prices: dict[str, Decimal]) -> Decimal:
    """What somebody with a pocket calculator makes of a work order."""
    total = Decimal(0)
    for each in order.get("Materials") or ():
        price = number(each.get("MaterialOriginalPrice") or each["MaterialPrice"])
        off = number(each.get("MaterialDiscountPercentage") or "0") / 100
        total += cents(number(each["MaterialNr"]) * price * (1 - off))
    for each in order.get("Workperiods") or ():
        quarters = -(-minutes(each) // 15)
        total += cents(Decimal(quarters) / 4 * prices[each["HourType"]])
    return total


def minutes(period: dict[str, Any]) -> int:
    hours, rest = map(int, period["TotalTime"].split(":"))
    return hours * 60 + rest


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize("document", ["sales_order", "sales_invoice"])
def test_every_document_comes_to_what_a_person_would_bill(office: Office, document: str) -> None:
    office.save(document=document)
    office.complete(*BILLED, "credit", seed=11)
    before = {each["id"] for each in office.control.billed(MAIN, "OS-")}
    office.export()
    bills = office.bills()
    assert office.told() == dict.fromkeys(bills, "done"), office.causes()
    made = [each for each in office.control.billed(MAIN, "OS-") if each["id"] not in before]
    assert {each["description"].split()[1]: Decimal(str(each["total"])) for each in made} == bills
    assert len(made) == len(bills)
    assert {each["kind"] for each in made} == {document}


def test_each_line_of_hours_and_costs_is_booked_with_what_was_worked(office: Office) -> None:
    office.save(document="hours")
    office.complete(*BILLED, count=2, seed=12)
    before = {each["id"] for each in office.control.billed(MAIN, "OS-")}
    office.export()
    assert set(office.told().values()) == {"done"}, office.causes()
    made = [each for each in office.control.billed(MAIN, "OS-") if each["id"] not in before]
    tokens = [token for each in made for token in tokens_in(each["notes"][0])]
    assert len(set(tokens)) == len(tokens) == len(made)
    orders = office.work_orders()
    quarters = [Decimal(-(-minutes(each) // 15)) / 4 for order in orders for each in order.get("Workperiods") or ()]
    used = [number(each["MaterialNr"]) for order in orders for each in order.get("Materials") or ()]
    per_unit = office.hours_per_unit()
    worked = [Decimal(str(each["quantity"])) * per_unit[each["item"]] for each in made if each["kind"] == "time"]
    assert sorted(worked) == sorted(quarters)
    assert sorted(Decimal(str(each["quantity"])) for each in made if each["kind"] == "cost") == sorted(used)


def test_what_was_paid_on_the_spot_waits_for_a_person(office: Office) -> None:
    office.complete("paid", seed=13)
    office.export()
    assert set(office.told().values()) == {"held"}
    assert {each["status"] for each in office.work_orders()} == {"Compleet"}


def test_who_pays_is_the_invoice_debtor(office: Office) -> None:
    office.complete("other_payer", seed=14)
    before = {each["id"] for each in office.control.billed(MAIN, "OS-")}
    office.export()
    codes = {row["ID"]: row["Code"].strip() for row in office.control.exact_rows(MAIN, "Accounts")}
    made = {
        each["description"].split()[1]: each for each in office.control.billed(MAIN, "OS-") if each["id"] not in before
    }
    assert len(made) == 2
    for order in office.work_orders():
        there = made[order["WorkorderNo"]]
        assert codes[there["ordered_by"]] == codes[there["deliver_to"]] == order["CustomerDebtorNr"]
        assert codes[there["invoice_to"]] == order["CustomerDebtorNrInvoice"]


def test_what_is_not_known_fails_by_name_until_it_may_be_made(office: Office) -> None:
    office.complete("unknown_relation", "unknown_material", count=1, seed=15)
    office.export()
    assert set(office.told().values()) <= {"failed", "held"}
    unknown = next(each for each in office.work_orders() if each["WorkorderNo"].startswith("UNK0"))
    assert any(unknown["CustomerDebtorNr"] in cause for cause in office.causes())
    items = [row for row in office.control.exact_rows(MAIN, "Items") if row.get("IsSalesItem") and not row["IsTime"]]
    fallback = next(row["Code"] for row in items if "EndDate" not in row)
    office.save(create_relations=True, fallback_material=fallback)
    office.export()
    assert set(office.told().values()) == {"done"}, office.causes()
    made = [
        row for row in office.control.exact_rows(MAIN, "Accounts") if row["Code"].strip() == unknown["CustomerDebtorNr"]
    ]
    assert [row["Name"] for row in made] == [unknown["CustomerName"]]
