"""Work orders exported while everything goes wrong at random: each becomes exactly one document, to the cent.

A quick version runs by default. ``OUTSMART_SYNC_FAULT_ORDERS`` is the number of work orders per document kind,
``OUTSMART_SYNC_FAULT_SEED`` replays what a failing run has printed.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import update

from exports.conftest import exporting  # noqa: F401  # the fixture
from exports.test_exact_online import HEADERS, Way, way  # noqa: F401  # the fixture
from exports.test_visma import PATHS, Office, office, vendors  # noqa: F401  # the fixtures
from exports.world import ExportWorld, line
from outsmart_sync.services import exports
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import lease
from pipeline.conftest import sqlite_world  # noqa: F401  # the fixture
from pipeline.world import ACCOUNT, DIVISION

ORDERS = int(os.environ.get("OUTSMART_SYNC_FAULT_ORDERS", "12"))
SEED = int(os.environ.get("OUTSMART_SYNC_FAULT_SEED", "0")) or secrets.randbelow(1_000_000) + 1
KINDS = ("sales_order", "sales_invoice", "hours")
RATE = min(0.15, 12 / ORDERS)
CYCLES = 200
CALM = 8
_TESTS = Path(__file__).resolve().parent.parent


class Vendors(Protocol):
    """The sandbox and the store that a test exports with."""

    @property
    def store(self) -> Store: ...

    @property
    def control(self) -> Any: ...

    def work_orders(self) -> list[dict[str, Any]]: ...


class Runner:
    """A process that exports on command; see ``export_runner.py``."""

    def __init__(self, *arguments: str) -> None:
        path = os.pathsep.join(map(str, (_TESTS.parent / "include", _TESTS.parent, _TESTS.parent / "scripts", _TESTS)))
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(
            [sys.executable, str(_TESTS / "faults" / "export_runner.py"), *arguments],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )

    def begin(self, name: str, seed: int, rate: float, kill_at: int = 0) -> None:
        assert self._process.stdin is not None
        order = {"name": name, "seed": seed, "rate": rate, "kill_at": kill_at}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def end(self) -> bool:
        """Wait for the end; whether it was not killed."""
        assert self._process.stdout is not None
        for said in iter(self._process.stdout.readline, ""):
            if said.strip() in ("=ended", f"=died {int(signal.SIGKILL)}"):
                return said.strip() == "=ended"
            if said.startswith("=died"):
                break
        self._said.seek(0)
        raise AssertionError(self._said.read())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._said.close()


@contextmanager
def running(*arguments: str) -> Iterator[tuple[Runner, Runner]]:
    """Two processes that export on command."""
    made = Runner(*arguments), Runner(*arguments)
    try:
        yield made
    finally:
        for each in made:
            each.close()


@dataclass(frozen=True)
class Names:
    """What work orders name: customers, articles and an hour type; and the smallest quantity, in hundredths."""

    customers: tuple[str, ...] = ("100", "200")
    articles: tuple[str, ...] = ("A1", "A2")
    hour: str = "H1"
    least: int = -300


def random_orders(world: Vendors, dice: random.Random, names: Names = Names()) -> dict[str, Decimal]:
    """Completed work orders with random lines; number → what a person would bill for it."""
    expected = {}
    for number in range(ORDERS):
        materials, total = [], Decimal(0)
        for _ in range(dice.randint(1, 3)):
            quantity = Decimal(dice.randint(names.least, 900) or 1) / 100
            price = Decimal(dice.randint(1, 50_000)) / 100
            materials.append(line(dice.choice(names.articles), f"{quantity}", f"{price}"))
            total += (quantity * price).quantize(Decimal("0.01"), ROUND_HALF_UP)
        minutes = dice.randint(1, 300)
        end = f"{8 + minutes // 60:02}:{minutes % 60:02}"
        period = {"WorkDate": "05-11-2026", "BeginTime": "08:00", "EndTime": end, "HourType": names.hour}
        # A quarter is 15.00 of the hour type's 60.00.
        total += Decimal(-(-minutes // 15) * 15)
        order = {
            "WorkorderNo": f"W{number}",
            "CustomerDebtorNr": dice.choice(names.customers),
            "CustomerName": "Jansen",
            "TypeOfWork": "Service",
            "PaymentMethod": "op rekening",
            "WorkEndDate": "05-11-2026",
            "status": "Compleet",
            "Materials": materials,
            "Workperiods": [period],
        }
        world.control.write_outsmart(ACCOUNT, "workorders", order)
        expected[f"W{number}"] = total
    return expected


Entry = tuple[str, Decimal, Decimal | None]
"""Number of a work order, quantity, and the amount where it is a cost."""


def to_book(work_orders: list[dict[str, Any]]) -> Counter[Entry]:
    """The entries of hours and costs that a person would make for random work orders, each once."""
    wanted = Counter[Entry]()
    for order in work_orders:
        for material in order["Materials"]:
            quantity, price = Decimal(material["MaterialNr"]), Decimal(material["MaterialPrice"])
            amount = (quantity * price).quantize(Decimal("0.01"), ROUND_HALF_UP)
            wanted[order["WorkorderNo"], quantity, amount] += 1
        (period,) = order["Workperiods"]
        hours, minutes = map(int, period["EndTime"].split(":")[:2])
        wanted[order["WorkorderNo"], Decimal(-(-((hours - 8) * 60 + minutes) // 15)) / 4, None] += 1
    return wanted


def booked(row: dict[str, Any]) -> Entry:
    """What Exact Online has of an entry: its number stands behind the token."""
    number, quantity = str(row["Notes"]).split()[1], Decimal(str(row["Quantity"]))
    return number, quantity, None if row["Type"] == 1 else Decimal(str(row["AmountFC"]))


def spoil(world: Vendors, dice: random.Random, package: str) -> None:
    """Let a call or two to OutSmart go wrong, and more of those to the package, where it is one."""
    world.control.clear_faults()
    rules = [{"vendor": "outsmart", "path": "GetWorkorder", "skip": dice.randint(0, 12)}] * dice.randint(0, 2)
    if package:
        rules += [
            {"vendor": package, "method": dice.choice(["POST", "PUT", "GET"]), "skip": dice.randint(0, 12)}
            for _ in range(dice.randint(0, 4))
        ]
    for rule in rules:
        kind = dice.choice(["status", "reset", "timeout_after", "truncate"])
        more: dict[str, Any] = {
            "status": {"status": dice.choice([401, 429, 500, 503])},
            "timeout_after": {"seconds": 0.01},
        }
        world.control.add_fault(kind, **rule, **more.get(kind, {}))


def let_leases_run_out(world: Vendors) -> None:
    """As they do three minutes after their owner died."""
    with world.store.begin() as connection:
        connection.execute(update(lease).values(expires_at=world.store.now()))


def unfinished(world: Vendors) -> list[str]:
    found = exports.listed(world.store, limit=ORDERS + 1)
    open_ones = [f"{each.number} {each.state} {each.cause}" for each in found if each.state != "done"]
    return open_ones or ([] if len(found) == ORDERS else ["not all of them were seen"])


def export_until_done(world: Vendors, runners: tuple[Runner, Runner], dice: random.Random, package: str = "") -> int:
    """Export while everything goes wrong, and then until all is done; returns how many processes were killed."""
    died = 0
    for cycle in range(CYCLES):
        if cycle and not unfinished(world):
            break
        spoil(world, dice, package)
        several = dice.random() < 0.3
        # The first one is always killed, in the middle of its work.
        kill_at = dice.randint(10, 60) if not cycle else dice.randint(1, 400) if dice.random() < 0.4 else 0
        for number, runner in enumerate(runners[: 1 + several]):
            runner.begin(f"{cycle}/{number}", dice.randrange(1 << 30), RATE, kill_at)
        died += sum(not runner.end() for runner in runners[: 1 + several])
        let_leases_run_out(world)
    world.control.clear_faults()
    for cycle in range(CALM):
        runners[0].begin(f"calm/{cycle}", 0, 0)
        runners[0].end()
    assert unfinished(world) == []
    assert {each["status"] for each in world.work_orders()} == {"Afgehandeld"}
    return died


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Equal seeds roll equal numbers in each test."""
    print(f"replay with OUTSMART_SYNC_FAULT_SEED={SEED} OUTSMART_SYNC_FAULT_ORDERS={ORDERS}")
    return random.Random(f"{SEED} {request.node.name}")


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_goes_wrong_each_work_order_becomes_one_document(
    exporting: ExportWorld,  # noqa: F811
    dice: random.Random,
    kind: str,
) -> None:
    exporting.save(document=kind, hour_rounding="15", pdf=True)
    expected = random_orders(exporting.world, dice)
    with running("model", str(exporting.gateway.file), exporting.gateway.outsmart_url) as runners:
        assert export_until_done(exporting.world, runners, dice) > 0
    documents = exporting.books.documents()
    if kind == "hours":
        assert Counter((each.number, each.lines[0].quantity, each.lines[0].amount) for each in documents) == to_book(
            exporting.work_orders()
        )
    else:
        assert {each.number: each.total for each in documents} == expected
        assert len(documents) == ORDERS
        assert sorted(exporting.books.files()) == sorted((each.token, f"{each.number}.pdf", 1) for each in documents)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_exact_online_answers_each_work_order_becomes_one_document(
    way: Way,  # noqa: F811
    dice: random.Random,
    kind: str,
) -> None:
    world = way.world
    world.control.set_limits(minute=1_000_000, day=10_000_000)
    way.save(document=kind, hour_rounding="15", pdf=True)
    expected = random_orders(world, dice)
    token = world.control.give_tokens(divisions=[DIVISION])["access_token"]
    with running("exact", token, world.rig.vendors.exact_url, world.rig.vendors.outsmart_url) as runners:
        assert export_until_done(world, runners, dice, "exact") > 0
    if kind == "hours":
        rows = way.rows("sync/Project/TimeCostTransactions")
        assert Counter(booked(row) for row in rows) == to_book(world.work_orders())
        return
    found = exports.listed(world.store, limit=ORDERS)
    assert len(way.rows(HEADERS[kind])) == ORDERS
    assert {each.number: each.actual for each in found} == expected
    assert len(way.rows("documents/Documents")) == len(way.rows("documents/DocumentAttachments")) == ORDERS


@pytest.mark.parametrize("kind", PATHS)
def test_whatever_visma_answers_each_work_order_becomes_one_document(
    office: Office,  # noqa: F811
    dice: random.Random,
    kind: str,
) -> None:
    office.save(document=kind, hour_rounding="15", pdf=True, photos=True)
    hour = office.hour_type()
    office.control.write_outsmart(ACCOUNT, "hourtypes", {"code": hour, "sale_price": "60,00"})
    articles = tuple(office.article(unit) for unit in ("PCS", "MTR"))
    # An order of less than nothing is held, a draft becomes a credit note.
    least = 1 if kind == "sales_order" else -300
    names = Names((str(office.customer()["CustomerNumber"]),), articles, hour, least)
    expected = random_orders(office, dice, names)
    token = office.control.give_visma_tokens(company=office.company)["access_token"]
    addresses = office.rig.vendors
    with running("visma", token, addresses.visma_url, addresses.outsmart_url) as runners:
        assert export_until_done(office, runners, dice, "visma") > 0
    made = office.made(kind)
    assert len(made) == ORDERS
    found = exports.listed(office.store, limit=ORDERS)
    assert {each.number: each.actual for each in found} == expected
    files = [row["DocumentId"] for row in office.rows("salesdocumentattachments")]
    assert all(files.count(row["Id"]) == 1 for row in made)
