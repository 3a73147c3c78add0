"""A small world for tests of the steps: an empty administration, an empty OutSmart account, and the connection of both.

Every row in it was put there by the test itself, through the vendors' own servers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import requests
from sqlalchemy import Table, select

from outsmart_sync.pipeline import extract as extracting
from outsmart_sync.pipeline import filter as filtering
from outsmart_sync.pipeline import match as matching
from outsmart_sync.pipeline import upsert as upserting
from outsmart_sync.pipeline.job import Job, Options
from outsmart_sync.providers.exact_online.client import ExactOnlineClient
from outsmart_sync.providers.exact_online.source import ExactSource
from outsmart_sync.providers.gateway import HookGateway
from outsmart_sync.providers.outsmart.client import OutSmartClient, Tokens
from outsmart_sync.providers.outsmart.delivery import OutSmartAccount
from outsmart_sync.providers.packages import package
from outsmart_sync.services import planning, polling
from outsmart_sync.services.doors import Doors
from outsmart_sync.services.steps import Step, StepResult, run_step
from outsmart_sync.store import runs
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.runs import CategoryRun, Counts
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import cursor, mirror, part, record_log, staging
from sandbox.fixed_world import APP
from sandbox.process import SandboxProcess
from support import SOUTH, Rig, connection_environment

DIVISION = 2001006
"""The sandbox's empty administration."""

ACCOUNT = "south"
"""The sandbox's empty OutSmart account."""

RELATIONS, MATERIALS, HOUR_TYPES = "relations", "materials", "hour_types"
_ALL_ON: dict[str, dict[str, Any]] = {name: {"enabled": True} for name in (RELATIONS, MATERIALS, HOUR_TYPES)}
_LISTS = {
    "relations": "debtor_number",
    "contactpersons": "cpn_code",
    "addresses": "adr_code",
    "materials": "code",
    "hourtypes": "code",
    "material_categories": "mct_mat_code",
    "prices": "price",
    "categories": "cat_code",
    "employees": "number",
    "warehouses": "wse_code",
    "projects": "code",
    "workorders": "WorkorderNo",
    "transactions": "int_external_transaction_id",
    "invoices": "inv_id",
}
_RESOURCES = (
    "salesorder/GoodsDeliveryLines",
    "salesorder/GoodsDeliveries",
    "crm/QuotationLines",
    "crm/Quotations",
    "PaymentTerms",
    "salesorder/SalesOrderLines",
    "salesorder/SalesOrders",
    "manufacturing/ShopOrderMaterialPlans",
    "manufacturing/ShopOrders",
    "inventory/AssemblyOrders/PartItems",
    "inventory/AssemblyOrders",
    "project/Projects",
    "crm/AccountClassifications",
    "project/ProjectPlanning",
    "project/Projects",
    "crm/Contacts",
    "crm/Addresses",
    "crm/Accounts",
    "logistics/SalesItemPrices",
    "sales/SalesPriceLists",
    "logistics/Items",
    "logistics/ItemGroups",
    "logistics/Units",
    "payroll/Employees",
    "inventory/Warehouses",
)
_WRITTEN_BY_EVERY_STEP = ("seq", "mirror_id", "job_id")


class FixedGateway(HookGateway):
    """Opens the vendors with real clients that do not pause between their tries.

    Args:
        store: The store.
        token: The access token for Exact Online; it is never renewed.
        exact_url: Exact Online's address.
        outsmart_url: OutSmart's address.
    """

    def __init__(self, store: Store, token: str, exact_url: str, outsmart_url: str) -> None:
        super().__init__(store)
        self.token, self.exact_url, self.outsmart_url = token, exact_url, outsmart_url

    def door(self, connection: SyncConnection) -> Any:
        """The administration, with a login of its own."""
        return _Door(self.exact_url, self.token, str(connection.administration))

    def destination(self, connection: SyncConnection) -> OutSmartAccount:  # noqa: ARG002  # all have the same one
        """The OutSmart account."""
        tokens = Tokens(SOUTH.token, SOUTH.software_token)
        return OutSmartAccount(OutSmartClient(requests.Session(), tokens, self.outsmart_url, sleep=_at_once))


class QuickGateway(FixedGateway):
    """The same, with a new login."""

    def __init__(self, store: Store, vendors: SandboxProcess) -> None:
        token = vendors.control.give_tokens(divisions=[DIVISION])["access_token"]
        super().__init__(store, token, vendors.exact_url, vendors.outsmart_url)


@dataclass
class _Door:
    url: str
    token: str
    division: str

    def source(self) -> ExactSource:
        client = ExactOnlineClient(requests.Session(), self.url, self, division=self.division, sleep=_at_once)
        return ExactSource(client)

    def access_token(self, refused: str | None = None) -> str:  # noqa: ARG002  # there is one only
        return self.token

    def forgive(self) -> None:
        """Nothing is closed without a budget."""


def _at_once(seconds: float) -> None:
    """Does not wait."""


@dataclass
class Work:
    """One category of one run, a step at a time."""

    store: Store
    doors: Doors
    job: Job

    def extract(self) -> int:
        return extracting.extract(self.store, self.job, self.doors.source, self.doors.destination)

    def filter(self) -> None:
        filtering.filter_rows(self.store, self.job)

    def match(self) -> dict[str, int]:
        return matching.match_by_code(self.store, self.job)

    def upsert(self) -> Counts:
        return upserting.upsert(self.store, self.job, self.doors.destination)

    def through(self) -> Counts:
        """All four."""
        self.extract()
        self.filter()
        self.match()
        return self.upsert()

    def judged(self) -> dict[str, tuple[str, str | None]]:
        """Extract, filter and match; code → outcome and reason."""
        self.extract()
        self.filter()
        self.match()
        return self.outcomes()

    def outcomes(self) -> dict[str, tuple[str, str | None]]:
        """Code → outcome and reason, of all rows but parts."""
        return {
            row.code: (str(row.outcome), row.reason) for row in self.staged() if row.origin != "part" and row.seq >= 0
        }

    def staged(self) -> list[Any]:
        query = select(staging).where(staging.c.job_id == self.job.id).order_by(staging.c.seq)
        with self.store.read() as connection:
            return list(connection.execute(query))

    def decisions(self) -> list[tuple[Any, ...]]:
        """Everything in staging but the places, in a stable order."""
        names = [column.name for column in staging.c if column.name != "seq"]
        return sorted(tuple(str(getattr(row, name)) for name in names) for row in self.staged())


@dataclass
class World:
    """The vendors as one test has them, and what it may do with them."""

    rig: Rig
    connection: SyncConnection
    gateway: HookGateway
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    @property
    def store(self) -> Store:
        return self.rig.store

    @property
    def control(self) -> Any:
        return self.rig.vendors.control

    # What a bookkeeper does.

    def account(self, code: str | None = None, **values: Any) -> str:
        """A complete customer; returns its id. Values None leave a field out."""
        given = {
            "Code": code,
            "Name": f"Customer {code}",
            "AddressLine1": "Kerkstraat 1",
            "Postcode": "1234 AB",
            "City": "Delft",
            "Status": "C",
            **values,
        }
        return self._add("crm/Accounts", given)

    def contact(self, account: str, name: str = "Jansen", **values: Any) -> str:
        return self._add("crm/Contacts", {"Account": account, "LastName": name, **values})

    def address(self, account: str, line: str = "Haven 2", **values: Any) -> str:
        given = {"Account": account, "AddressLine1": line, "Postcode": "4321 ZZ", "City": "Gouda", "Type": 4, **values}
        return self._add("crm/Addresses", given)

    def item(self, code: str, **values: Any) -> str:
        """A complete sales item without a price; returns its id."""
        self._need_unit("pc")
        return self._add("logistics/Items", {"Code": code, "Description": f"Item {code}", "Unit": "pc", **values})

    def labour(self, code: str, **values: Any) -> str:
        return self.item(code, IsTime=1, **values)

    def price(self, item: str, price: float, **values: Any) -> str:
        return self._add("logistics/SalesItemPrices", {"Item": item, "Price": price, "Unit": "pc", **values})

    def agreement(self, item: str, account: str, price: float, **values: Any) -> str:
        """A price for one customer, from the first of 2026 on unless the values say otherwise."""
        return self.price(item, price, **{"Account": account, "StartDate": "2026-01-01T00:00:00", **values})

    def prices(self) -> dict[tuple[str, str, str], tuple[str, str]]:
        """OutSmart's prices: article, customer and first day → price and last day."""
        records = self.control.outsmart_records(ACCOUNT, "prices")
        return {
            (each["material"] or each["hourtype"], each["debtornr"], each["date_start"]): (
                each["price"], each["date_end"] or "",
            )
            for each in records
        }  # fmt: skip

    def unit(self, code: str, time_unit: str | None = None) -> str:
        """A unit, of time where it is said which."""
        given = {"Code": code, "Description": code, "Type": "T" if time_unit else "O", "TimeUnit": time_unit}
        return self._add("logistics/Units", given)

    def group(self, code: str) -> str:
        return self._add("logistics/ItemGroups", {"Code": code, "Description": f"Group {code}"})

    def links(self) -> set[tuple[str, str]]:
        """Which materials are in which categories in OutSmart."""
        records = self.control.outsmart_records(ACCOUNT, "material_categories")
        return {(record["mct_mat_code"], record["mct_cat_code"]) for record in records}

    def employee(self, code: str, first: str = "Anna", last: str = "Bakker", **values: Any) -> str:
        return self._add("payroll/Employees", {"Code": code, "FirstName": first, "LastName": last, **values})

    def warehouse(self, code: str, **values: Any) -> str:
        return self._add("inventory/Warehouses", {"Code": code, "Description": f"Warehouse {code}", **values})

    def order(self, customer: str, **values: Any) -> str:
        """An open sales order without lines; returns its OrderID."""
        return self._add("salesorder/SalesOrders", {"OrderedBy": customer, **values})

    def order_line(self, order: str, item: str, quantity: float = 1, price: float = 10, **values: Any) -> str:
        given = {"OrderID": order, "Item": item, "Quantity": quantity, "NetPrice": price, **values}
        return self._add("salesorder/SalesOrderLines", given)

    def term(self, account: str, number: int, amount: float = 121, **values: Any) -> str:
        """An open term of a sales invoice, of what a customer owes; returns its id."""
        given = {"Account": account, "InvoiceNumber": number, "AmountDC": -amount, "TransactionType": 20, **values}
        return self._add("PaymentTerms", {"Description": f"Invoice {number}", **given})

    def pay(self, term: str, **values: Any) -> None:
        """Match a term with the money that came in."""
        self.change("PaymentTerms", term, **{"Status": 50, "IsFullyPaid": True, **values})

    def unpay(self, term: str) -> None:
        """Undo the matching."""
        self.change("PaymentTerms", term, Status=20, IsFullyPaid=False)

    def order_number(self, order: str) -> str:
        """Its number as the work order has it."""
        return f"SO-{self.control.exact_row(DIVISION, 'salesorder/SalesOrders', order)['OrderNumber']}"

    def quotation(self, customer: str, **values: Any) -> str:
        """A quotation that is open, without lines; returns its QuotationID."""
        given = {"OrderAccount": customer, "Status": 25, "YourRef": "PO 7", **values}
        return self._add("crm/Quotations", given)

    def quotation_line(self, quotation: str, item: str, quantity: float = 1, price: float = 10, **values: Any) -> str:
        given = {"QuotationID": quotation, "Item": item, "Quantity": quantity, "NetPrice": price, **values}
        return self._add("crm/QuotationLines", given)

    def quotation_number(self, quotation: str) -> str:
        """Its number and version, as its work order has them."""
        row = self.control.exact_row(DIVISION, "crm/Quotations", quotation)
        return f"QU-{row['QuotationNumber']}/{row['VersionNumber']}"

    def delivery(self, customer: str, *lines: tuple[str, float], **values: Any) -> str:
        """Goods of these lines of sales orders, so many of each, delivered today; returns its EntryID."""
        delivery = self._add("salesorder/GoodsDeliveries", {"DeliveryAccount": customer, **values})
        for line, quantity in lines:
            self.delivery_line(delivery, line, quantity)
        return delivery

    def delivery_line(self, delivery: str, line: str, quantity: float, **values: Any) -> str:
        ordered = self.control.exact_row(DIVISION, "salesorder/SalesOrderLines", line)
        given = {"EntryID": delivery, "SalesOrderLineID": line, "Item": ordered["Item"], "QuantityDelivered": quantity}
        return self._add("salesorder/GoodsDeliveryLines", {**given, **values})

    def shop_order(self, item: str, **values: Any) -> str:
        """An open shop order without a plan; returns its id."""
        return self._add("manufacturing/ShopOrders", {"Item": item, **values})

    def plan(self, order: str, item: str, quantity: float = 1, **values: Any) -> str:
        """A line of a shop order's plan."""
        given = {"ShopOrder": order, "Item": item, "PlannedQuantity": quantity, **values}
        return self._add("manufacturing/ShopOrderMaterialPlans", given)

    def shop_order_number(self, order: str) -> str:
        """Its number as the work order has it."""
        return f"SH-{self.control.exact_row(DIVISION, 'manufacturing/ShopOrders', order)['ShopOrderNumber']}"

    def assembly_order(self, item: str, **values: Any) -> str:
        """An open assembly order without parts; returns its id."""
        return self._add("inventory/AssemblyOrders", {"Item": item, **values})

    def part_item(self, order: str, item: str, quantity: float = 1, **values: Any) -> str:
        given = {"AssemblyOrder": order, "PartItem": item, "Quantity": quantity, **values}
        return self._add("inventory/AssemblyOrders/PartItems", given)

    def assembly_order_number(self, order: str) -> str:
        """Its number as the work order has it."""
        return f"AS-{self.control.exact_row(DIVISION, 'inventory/AssemblyOrders', order)['OrderNumber']}"

    def classification(self, code: str, name: str) -> str:
        return self._add("crm/AccountClassifications", {"Code": code, "Description": name})

    def project(self, code: str, account: str | None = None, **values: Any) -> str:
        """A running project; returns its id."""
        given = {"Code": code, "Description": f"Project {code}", "Account": account, **values}
        return self._add("project/Projects", given)

    def planned(self, employee: str, start: str, *, hours: float = 2, **values: Any) -> str:
        """Hours that are planned for somebody from a moment on, as the clock shows it; returns their id."""
        given = {"Employee": employee, "Description": "Repair", "StartDate": start, "EndDate": start, **values}
        if "HourType" not in given:
            items = self.control.exact_rows(DIVISION, "logistics/Items")
            given["HourType"] = next((row["ID"] for row in items if row["Code"] == "HOUR"), None) or self.labour("HOUR")
        return self._add("project/ProjectPlanning", {"Hours": hours, **given})

    def change(self, resource: str, row: str, **values: Any) -> None:
        self.control.change_exact(DIVISION, resource, row, **values)

    def touch(self, resource: str, row: str) -> None:
        """Save a row as it is, so that it is read again."""
        self.control.change_exact(DIVISION, resource, row)

    def delete(self, resource: str, *rows: str) -> None:
        self.control.delete_exact(DIVISION, resource, *rows)

    def _add(self, resource: str, values: dict[str, Any]) -> str:
        filled = {name: value for name, value in values.items() if value is not None}
        return str(self.control.add_exact(DIVISION, resource, filled)[0])

    def _need_unit(self, code: str) -> None:
        if not self.control.exact_rows(DIVISION, "logistics/Units"):
            self._add("logistics/Units", {"Code": code, "Description": "Piece", "Type": "O"})

    # What somebody at OutSmart does.

    def by_hand(self, entity: str, **record: Any) -> None:
        """Make or change a record in OutSmart."""
        self.control.write_outsmart(ACCOUNT, entity, record)

    def relation_by_hand(self, code: str, **record: Any) -> None:
        # In the town of `account`'s customers: a relation that differs in everything would be taken for another firm.
        given = {"name": f"By hand {code}", "street": "Dorp 9", "postal_code": "9999 XX", "city": "Delft", **record}
        self.by_hand("relations", debtor_number=code, **given)

    def material_by_hand(self, code: str, **record: Any) -> None:
        self.by_hand(
            "materials", code=code, **{"description": f"By hand {code}", "price": "7", "unit": "box", **record}
        )

    def remove_by_hand(self, entity: str, code: str) -> None:
        self.control.delete_outsmart(ACCOUNT, entity, code)

    def move_on(self, number: str, **fields: Any) -> None:
        """What a planner or a technician does to a work order."""
        self.control.change_work_order(ACCOUNT, number, **fields)

    def invoice(self, number: int, debtor: str, amount: float = 121, **values: Any) -> str:
        """An invoice made in OutSmart; returns its id."""
        given = {"inv_id": f"I{number}", "inv_number_numeric": str(number), "inv_invoice_debtor_nr": debtor}
        record = given | {"inv_number_formatted": f"2026-{number}", "inv_amount": f"{amount:.2f}"} | values
        self.by_hand("invoices", **record)
        return str(record["inv_id"])

    def transactions(self) -> dict[str, tuple[str, str]]:
        """What is registered in OutSmart: external id → invoice and amount."""
        records = self.control.outsmart_records(ACCOUNT, "transactions")
        found = {each["int_external_transaction_id"]: (each["int_inv_id"], each["int_amount"]) for each in records}
        assert len(found) == len(records), "an external id occurs twice"
        return found

    def work_orders(self) -> list[dict[str, Any]]:
        """Every work order in OutSmart."""
        return list(self.control.outsmart_records(ACCOUNT, "workorders"))

    def outsmart(self, entity: str) -> dict[str, dict[str, str]]:
        """What OutSmart holds: code → its filled fields."""
        records = self.control.outsmart_records(ACCOUNT, entity)
        return {
            str(record[_LISTS[entity]]): {name: value for name, value in record.items() if value is not None}
            for record in records
        }

    def writes(self) -> list[dict[str, Any]]:
        """The calls that wrote to OutSmart since the last :meth:`forget_calls`."""
        return [call for call in self.control.calls(vendor="outsmart") if call["method"] == "POST"]

    def reads(self, vendor: str = "exact", path: str | None = None) -> list[dict[str, Any]]:
        return [call for call in self.control.calls(vendor=vendor, path=path) if call["method"] == "GET"]

    def forget_calls(self) -> None:
        self.control.forget_calls()

    # What we do.

    def sync(self, *categories: str, **options: Any) -> dict[str, CategoryRun]:
        """Import as the command line does."""
        return self.rig.sync(*categories, connection=self.connection.id, **options)

    def counts(self, category: str, **options: Any) -> Counts:
        """Import one category and say what became of its rows; it must have ended well."""
        result = self.sync(category, **options)[category]
        assert result.error_code == "", (result.error_code, result.error_text)
        return result.counts

    def poll(self) -> list[str]:
        """The categories that a scheduled run would find work for."""
        run = planning.open_run(self.store, "exact_online", f"poll:{next(self._numbers)}", Options())
        work = polling.poll(self.store, self.gateway, run.run_id, [self.connection.id])
        planning.close_run(self.store, run.run_id)  # one that stays at work would keep the next from looking
        return [category for each in work for category in each.categories]

    def work(self, category: str, *, today: date | None = None, run_id: int | None = None, **options: Any) -> Work:
        """A run of one category, to be taken a step at a time, perhaps on another day."""
        made = Options(categories=(category,), connection=self.connection.id, **options)
        if run_id is None:
            name = f"work:{next(self._numbers)}"
            run_id = planning.open_run(self.store, "exact_online", name, made).run_id
        job_id = runs.begin_step(self.store, run_id, self.connection.id, category, "extract")
        doors = Doors(self.gateway, self.connection)
        job = doors.job(self.store, run_id, package("exact_online").category(category), made, job_id)
        return Work(self.store, doors, replace(job, today=today or job.today))

    def step(self, step: Step, run_id: int, category: str) -> StepResult:
        """One step as a task runs it: under the lease, with its failure noted."""
        return run_step(self.store, self.gateway, step, run_id, self.connection.id, category)

    def settings(self, **changes: Any) -> None:
        from outsmart_sync.services import settings

        settings.save(self.store, self.connection, changes)

    # What we keep.

    def rows(self, table: Table, **where: Any) -> list[Any]:
        return self.rig.rows(table, **where)

    def kept(self, record: str, code: str) -> Any:
        """The one record of the mirror with this code."""
        (row,) = self.rows(mirror, record=record, code=code)
        return row

    def states(self, record: str) -> dict[str, tuple[str, str | None]]:
        """Code → state and reason in the mirror."""
        return {row.code: (row.state, row.reason) for row in self.rows(mirror, record=record)}

    def cursors(self) -> dict[tuple[str, str], str]:
        """Those of the categories."""
        return {(row.category, row.stream): row.value for row in self.rows(cursor) if row.category}

    def everything(self) -> dict[str, list[Any]]:
        """Whole tables, to see that nothing was written."""
        return {table.name: sorted(self.rows(table), key=str) for table in (mirror, part, record_log)}

    def today(self) -> date:
        return self.work_day(0)

    def work_day(self, days: int) -> date:
        """The administration's calendar day, so many days from now."""
        from zoneinfo import ZoneInfo

        return self.store.now().astimezone(ZoneInfo("Europe/Amsterdam")).date() + timedelta(days=days)


def day(value: date) -> str:
    """A day as the sandbox's control server takes it."""
    return f"{value.isoformat()}T00:00:00"


def without_outsmart(monkeypatch: Any) -> str:
    """Take the connection of the OutSmart account away; returns it."""
    account = os.environ["AIRFLOW_CONN_OUTSMART_DEFAULT"]
    monkeypatch.delenv("AIRFLOW_CONN_OUTSMART_DEFAULT")
    return account


def empty(vendors: SandboxProcess) -> None:
    """Remove everything from the small world, and every fault and switch."""
    control = vendors.control
    control.clear_faults()
    control.reset_limits()
    control.switch(hour_type_price_above_zero=False, int64_as_string=False, shorter_pages=0)
    control.empty_exact(DIVISION, *_RESOURCES)
    control.empty_outsmart(ACCOUNT, *_LISTS)
    control.forget_calls()


@contextmanager
def made(store: Store, vendors: SandboxProcess, monkeypatch: Any, *, quick: bool = False) -> Iterator[World]:
    """An empty world with everything switched on.

    Args:
        store: The store.
        vendors: The vendors' servers.
        monkeypatch: Sets the Airflow connections.
        quick: Open the vendors with clients that do not pause before they try again.
    """
    empty(vendors)
    vendors.control.reset_limits()  # Exact grants 200 logins a day, and there are more tests than that
    for name, value in connection_environment(vendors, store, SOUTH).items():
        monkeypatch.setenv(name, value)
    rig = QuickRig(store, vendors) if quick else Rig(store, vendors)
    connection = Rig(store, vendors).connect(DIVISION, **_ALL_ON)
    vendors.control.forget_calls()
    yield World(rig, connection, rig.gateway)


class QuickRig(Rig):
    """A rig whose clients do not pause before they try again."""

    @cached_property
    def gateway(self) -> HookGateway:  # type: ignore[override]  # one login, however often it is asked for
        return QuickGateway(self.store, self.vendors)


__all__ = ["ACCOUNT", "APP", "DIVISION", "Work", "World", "day", "empty", "json", "made", "without_outsmart"]
