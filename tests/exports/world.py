"""A small world for tests of exports: OutSmart as it is, and books of our own making."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from exports.books import EXPORTS, Books, Trouble
from outsmart_sync.pipeline.job import Options
from outsmart_sync.providers.exact_online.client import ExactOnlineClient
from outsmart_sync.providers.exact_online.exporter import ExactExporter
from outsmart_sync.providers.exact_online.imports import PACKAGE
from outsmart_sync.providers.outsmart.client import OutSmartClient, Tokens
from outsmart_sync.providers.outsmart.completed import CompletedWorkOrders
from outsmart_sync.providers.packages import packages
from outsmart_sync.providers.visma_eaccounting.client import VismaClient
from outsmart_sync.providers.visma_eaccounting.exporter import VismaExporter
from outsmart_sync.records.completed_work_order import CompletedWorkOrder
from outsmart_sync.records.exchange import WebPage
from outsmart_sync.records.export_catalogue import WORK_ORDERS
from outsmart_sync.records.export_document import Entity
from outsmart_sync.records.export_settings import export_categories
from outsmart_sync.services import export_run, settings
from outsmart_sync.services import exports as services
from outsmart_sync.store import runs
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.exports import Export
from outsmart_sync.store.runs import CategoryRun
from outsmart_sync.store.store import Store
from pipeline.world import ACCOUNT, FixedGateway, World, empty
from support import SOUTH

STATUSES = ("1", "99", "E", "I", "P")


def declare(monkeypatch: Any) -> None:
    """Let the package export into our books."""
    monkeypatch.setitem(packages(), PACKAGE.name, with_exports())


def with_exports() -> Any:
    return replace(PACKAGE, exports=EXPORTS, export_categories=export_categories(EXPORTS))


class BooksGateway(FixedGateway):
    """Opens OutSmart as it is, and our books as the package."""

    def __init__(self, store: Store, file: Path, outsmart_url: str) -> None:
        super().__init__(store, "", "", outsmart_url)
        self.file = file
        self.trouble: Trouble | None = None
        self.changes: dict[str, Any] = {}
        self.pdf = b""

    def door(self, connection: SyncConnection) -> Any:  # noqa: ARG002  # all have the same one
        return self

    def web_page(self, record: str, provider_id: str) -> WebPage:
        return WebPage(f"https://books.example/{record}/{provider_id}", of_record=bool(provider_id))

    def exporter(self, saved: Any) -> Books:
        return Books(self.file, saved, self.trouble, **self.changes)

    def forgive(self) -> None:
        """Nothing is ever closed."""

    def delivers(self, connection: SyncConnection) -> bool:  # noqa: ARG002  # they all do
        return True

    def completed(self, connection: SyncConnection) -> CompletedWorkOrders:  # noqa: ARG002
        tokens = Tokens(SOUTH.token, SOUTH.software_token)
        client = OutSmartClient(requests.Session(), tokens, self.outsmart_url, sleep=lambda _: None)
        return _WithPdf(client, self.pdf) if self.pdf else CompletedWorkOrders(client)


class ExactGateway(FixedGateway):
    """Opens OutSmart and Exact Online as they are, with clients that do not pause before they try again."""

    def door(self, connection: SyncConnection) -> Any:
        return _ExactDoor(self.exact_url, self.token, str(connection.administration))

    def delivers(self, connection: SyncConnection) -> bool:  # noqa: ARG002  # they all do
        return True

    def completed(self, connection: SyncConnection) -> CompletedWorkOrders:  # noqa: ARG002
        tokens = Tokens(SOUTH.token, SOUTH.software_token)
        return CompletedWorkOrders(OutSmartClient(requests.Session(), tokens, self.outsmart_url, sleep=lambda _: None))


@dataclass
class _ExactDoor:
    url: str
    token: str
    division: str

    def exporter(self, saved: Any) -> ExactExporter:
        client = ExactOnlineClient(requests.Session(), self.url, self, division=self.division, sleep=lambda _: None)
        return ExactExporter(client, saved)

    def access_token(self, refused: str | None = None) -> str:  # noqa: ARG002  # there is one only
        return self.token

    def forgive(self) -> None:
        """Nothing is closed without a budget."""


class VismaGateway(FixedGateway):
    """Opens OutSmart and VISMA eAccounting as they are, with clients that do not pause before they try again.

    Args:
        store: The store.
        token: The access token; it is never renewed.
        visma_url: VISMA's address.
        outsmart_url: OutSmart's address.
    """

    def __init__(self, store: Store, token: str, visma_url: str, outsmart_url: str) -> None:
        super().__init__(store, token, "", outsmart_url)
        self.visma_url = visma_url

    def door(self, connection: SyncConnection) -> Any:  # noqa: ARG002  # a token is of one company
        return self

    def exporter(self, saved: Any) -> VismaExporter:
        return VismaExporter(VismaClient(requests.Session, self.visma_url, self, sleep=lambda _: None), saved)

    def access_token(self, refused: str | None = None) -> str:  # noqa: ARG002  # there is one only
        return self.token

    def forgive(self) -> None:
        """Nothing is closed without a budget."""

    def delivers(self, connection: SyncConnection) -> bool:  # noqa: ARG002  # they all do
        return True

    def completed(self, connection: SyncConnection) -> CompletedWorkOrders:  # noqa: ARG002
        tokens = Tokens(SOUTH.token, SOUTH.software_token)
        return CompletedWorkOrders(OutSmartClient(requests.Session(), tokens, self.outsmart_url, sleep=lambda _: None))


class _WithPdf(CompletedWorkOrders):
    """An account whose work orders all have the same PDF."""

    def __init__(self, client: OutSmartClient, content: bytes) -> None:
        super().__init__(client)
        self._content = content

    def pdf(self, work_order: CompletedWorkOrder) -> bytes | None:  # noqa: ARG002  # they all have it
        return self._content


@dataclass
class ExportWorld:
    """What a test may do."""

    world: World
    books: Books
    gateway: BooksGateway

    @property
    def store(self) -> Store:
        return self.world.store

    def work_order(self, number: str, *materials: dict[str, Any], **fields: Any) -> str:
        """A completed work order; returns its row id."""
        given = {
            "WorkorderNo": number,
            "CustomerDebtorNr": "100",
            "CustomerName": "Bakkerij Jansen",
            "CustomerStreet": "Kerkstraat 1",
            "CustomerZIP": "1234 AB",
            "CustomerCity": "Delft",
            "TypeOfWork": "Service",
            "PaymentMethod": "op rekening",
            "WorkDate": "05-11-2026",
            "WorkEndDate": "05-11-2026",
            "WorkDescription": "Boiler mended",
            "status": "Compleet",
            "Materials": [line(**each) for each in materials],
            **fields,
        }
        if given["status"] == "Compleet" and "StatusChanges" not in given:
            day = datetime.strptime(given["WorkEndDate"], "%d-%m-%Y")  # noqa: DTZ007  # as OutSmart writes it
            given["StatusChanges"] = [{"timestamp": f"{day:%Y-%m-%d} 12:00:00", "status": "Compleet", "user": "Jan"}]
        before = {each["id"] for each in self.work_orders()}
        self.world.control.write_outsmart(ACCOUNT, "workorders", given)
        (made,) = [each["id"] for each in self.work_orders() if each["id"] not in before]
        return str(made)

    def work_orders(self) -> list[dict[str, Any]]:
        return self.world.work_orders()

    def outsmart(self, row_id: str) -> dict[str, Any]:
        return next(each for each in self.work_orders() if each["id"] == row_id)

    def change(self, row_id: str, **fields: Any) -> None:
        self.world.control.change_work_order(ACCOUNT, row_id, **fields)

    def save(self, **changes: Any) -> None:
        """Change settings of the work orders."""
        settings.save(self.store, self.world.connection, {WORK_ORDERS: changes})

    def run(self, *codes: str, categories: tuple[str, ...] = (), **options: Any) -> dict[str, CategoryRun]:
        """Export in this process, as the command line does."""
        made = Options(categories=categories, codes=codes, connection=self.world.connection.id, **options)
        run_id = export_run.export_now(self.store, self.gateway, PACKAGE.name, f"test:{uuid.uuid4()}", made)
        self.run_id = run_id
        return {each.category: each for each in runs.category_runs(self.store, run_id)}

    def export(self, number: str) -> Export:
        """Where the one work order with a number stands."""
        return services.one(self.store, number, None)

    def state(self, number: str) -> tuple[str, str]:
        found = self.export(number)
        return found.state.value, found.reason


def line(code: str = "A1", quantity: str = "2", price: str = "10,00", **fields: Any) -> dict[str, Any]:
    """A material line as OutSmart has it."""
    return {
        "MaterialCode": code,
        "MaterialNr": quantity,
        "MaterialPrice": price,
        "MaterialName": f"Item {code}",
        **fields,
    }


@contextmanager
def made(world: World, folder: Path, monkeypatch: Any) -> Iterator[ExportWorld]:
    """Exports switched on, with a customer 100, articles A1 and A2, and an hour type H1."""
    declare(monkeypatch)
    file = folder / "books.db"
    books = Books(file)
    for entity, codes in {
        Entity.CUSTOMER: ("100", "200"),
        Entity.ARTICLE: ("A1", "A2"),
        Entity.HOUR_ARTICLE: ("H1",),
    }.items():
        for code in codes:
            books.put_record(entity, code)
    for status in STATUSES:
        world.control.write_outsmart(ACCOUNT, "workstatusses", {"sta_code": status, "sta_name": f"Status {status}"})
    world.by_hand(
        "hourtypes", code="H1", name="Hour", cost_booking="0", sale_booking="1", sale_price="60,00", active="1"
    )
    gateway = BooksGateway(world.store, file, world.rig.vendors.outsmart_url)
    found = ExportWorld(world, books, gateway)
    found.save(enabled=True, pdf=False, cut_off="2026-01-01")
    yield found
    books.close()


__all__ = ["ExportWorld", "empty", "made"]
