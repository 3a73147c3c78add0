"""Quotations are kept; accepted ones become work orders when that is on, and then the orders made from them do not."""

from __future__ import annotations

from typing import Any

import pytest

from outsmart_sync.records.values import decode
from outsmart_sync.records.work_order import decode_materials
from outsmart_sync.store.tables import ledger, mirror, record_log
from pipeline.world import DIVISION, World, without_outsmart

QUOTED, LINES, ORDERED = "crm/Quotations", "crm/QuotationLines", "salesorder/SalesOrders"
QUOTATIONS, SALES_ORDERS = "quotations", "sales_orders"
SWITCH = "accepted_to_work_orders"
REJECTED, CLOSED, OPEN, ACCEPTED, FAILED = 5, 6, 25, 50, 70


@pytest.fixture
def quoting(world: World) -> World:
    world.settings(licence="pro", quotations={"enabled": True}, sales_orders={"enabled": True})
    return world


@pytest.fixture
def working(quoting: World) -> World:
    quoting.settings(quotations={SWITCH: True})
    return quoting


@pytest.fixture
def customer(quoting: World) -> str:
    account = quoting.account("100")
    quoting.counts("relations")
    return account


def numbers(world: World) -> list[str]:
    return sorted(each["WorkorderNo"] for each in world.work_orders())


def left_out(world: World, record: str) -> list[tuple[str, str | None, str | None]]:
    return [(row.code, row.reason, row.detail) for row in world.rows(mirror, record=record, state="excluded")]


# Kept.


def test_every_quotation_is_kept_with_its_lines_and_costs_outsmart_no_call(quoting: World, customer: str) -> None:
    quotation = quoting.quotation(customer, Description="New boiler", Status=ACCEPTED)
    quoting.quotation_line(quotation, quoting.item("A1"), quantity=2.5, price=0.05)
    quoting.quotation(customer, Status=REJECTED)
    quoting.forget_calls()
    assert quoting.counts(QUOTATIONS).created == 2
    kept = quoting.kept("quotation", quoting.quotation_number(quotation))
    said = decode(kept.payload)
    assert (kept.state, said["status"], said["short_description"]) == ("synced", "accepted", "New boiler")
    (line,) = decode_materials(str(said["materials"]))
    assert (line.name, line.quantity, line.price) == ("Item A1", "2.5", "0.05")
    assert quoting.control.calls(vendor="outsmart") == []
    assert quoting.rows(mirror, record="quotation_order") == []


def test_what_changes_is_kept_and_what_does_not_is_unchanged(quoting: World, customer: str) -> None:
    quotation = quoting.quotation(customer)
    line = quoting.quotation_line(quotation, quoting.item("A1"))
    quoting.counts(QUOTATIONS)
    assert quoting.counts(QUOTATIONS, full=True).unchanged == 1
    quoting.change(LINES, line, Quantity=4)
    assert quoting.counts(QUOTATIONS).updated == 1
    quoting.change(QUOTED, quotation, Status=REJECTED)
    assert quoting.counts(QUOTATIONS).updated == 1
    (told,) = [row.changes for row in quoting.rows(record_log, event="updated") if "status" in row.changes]
    assert '["open","rejected"]' in told
    quoting.delete(QUOTED, quotation)
    assert quoting.counts(QUOTATIONS).deleted == 1
    assert quoting.kept("quotation", "QU-1/1").source_gone_at is not None
    assert QUOTATIONS not in quoting.poll()


def test_quotations_of_before_the_start_date_stay_out(quoting: World, customer: str) -> None:
    quoting.quotation(customer, QuotationDate=f"{quoting.work_day(-3).isoformat()}T00:00:00", Status=ACCEPTED)
    quoting.settings(quotations={SWITCH: True})
    assert quoting.counts(QUOTATIONS).excluded == 2
    assert {reason for _, reason, _ in left_out(quoting, "quotation")} == {"before_start"}
    assert quoting.work_orders() == []


def test_without_an_outsmart_account_all_ends_in_the_mirror_and_is_new_no_second_time(
    working: World, customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = without_outsmart(monkeypatch)
    working.counts("relations", full=True)
    working.quotation(customer, Status=ACCEPTED)
    assert working.counts(QUOTATIONS).created == 2
    assert working.counts(QUOTATIONS, full=True).unchanged == 2
    monkeypatch.setenv("AIRFLOW_CONN_OUTSMART_DEFAULT", account)
    working.counts("relations", full=True)
    counts = working.counts(QUOTATIONS)
    assert (counts.created, counts.unchanged) == (1, 1)
    assert numbers(working) == ["QU-1/1"]


def test_one_version_is_imported_by_its_number(quoting: World, customer: str) -> None:
    first = quoting.quotation(customer)
    number = quoting.control.exact_row(DIVISION, QUOTED, first)["QuotationNumber"]
    quoting.quotation(customer, QuotationNumber=number, VersionNumber=2)
    quoting.quotation(customer)
    assert quoting.counts(QUOTATIONS, codes=(f"QU-{number}/2",)).created == 1
    assert set(quoting.states("quotation")) == {f"QU-{number}/2"}
    counts = quoting.counts(QUOTATIONS, codes=(f"qu-{number}",))
    assert (counts.created, counts.unchanged) == (1, 1)


# Work orders.


@pytest.mark.parametrize("status", [ACCEPTED, FAILED])
def test_an_accepted_quotation_becomes_a_work_order(working: World, customer: str, status: int) -> None:
    quotation = working.quotation(customer, Description="New boiler", Status=OPEN, DeliveryDate="2026-12-01")
    working.quotation_line(quotation, working.item("A1"), quantity=2.5, price=0.05)
    working.quotation_line(quotation, working.labour("H1"), quantity=3, price=60)
    working.quotation_line(quotation, working.item("X9"), quantity=2, Optional=True)
    working.counts("materials")
    working.counts("hour_types")
    working.counts(QUOTATIONS)
    assert working.work_orders() == []
    working.change(QUOTED, quotation, Status=status)
    counts = working.counts(QUOTATIONS)
    assert (counts.created, counts.updated) == (1, 1)
    (made,) = working.work_orders()
    assert (made["WorkorderNo"], made["CustomerDebtorNr"]) == (working.quotation_number(quotation), "100")
    assert (made["WorkDate"], made["ExternProjectNr"]) == ("01-12-2026", "PO 7")
    assert [(each["MaterialCode"], each["MaterialNr"]) for each in made["Materials"]] == [("A1", "2,5"), ("H1", "3")]
    assert made["InternalWorkDescription"] == "Optional: 2 x Item X9"
    working.forget_calls()
    assert working.counts(QUOTATIONS, full=True).unchanged == 2
    assert working.writes() == []


def test_an_accepted_quotation_waits_for_its_customer_and_its_articles(working: World) -> None:
    account = working.account("100", City=None)
    quotation = working.quotation(account, Status=ACCEPTED)
    working.quotation_line(quotation, working.item("A1"))
    assert working.counts("relations").rejected == 1
    assert working.counts(QUOTATIONS).waiting == 1
    working.change("crm/Accounts", account, City="Delft")
    working.counts("relations")
    assert QUOTATIONS in working.poll()
    assert working.counts(QUOTATIONS).waiting == 1
    (waits,) = working.rows(mirror, record="quotation_order")
    assert (waits.reason, waits.detail) == ("reference_missing", "article")
    assert QUOTATIONS not in working.poll()
    working.counts("materials")
    assert QUOTATIONS in working.poll()
    assert working.counts(QUOTATIONS).created == 1
    assert numbers(working) == ["QU-1/1"]


def test_an_article_that_is_left_out_of_the_materials_has_its_code_all_the_same(working: World, customer: str) -> None:
    item = working.item("A1", ItemGroup=working.group("OTHER"))
    working.settings(materials={"item_groups": ["OTHER"]})
    working.counts("materials")
    working.control.delete_outsmart("south", "materials")
    working.settings(materials={"item_groups": []})
    working.quotation_line(working.quotation(customer, Status=ACCEPTED), item)
    assert working.counts(QUOTATIONS).created == 2
    (made,) = working.work_orders()
    assert [each["MaterialCode"] for each in made["Materials"]] == ["A1"]


def test_switched_on_later_it_makes_the_work_orders_of_what_is_kept(quoting: World, customer: str) -> None:
    quoting.quotation(customer, Status=ACCEPTED)
    quoting.counts(QUOTATIONS)
    quoting.settings(quotations={SWITCH: True})
    assert QUOTATIONS in quoting.poll()
    quoting.counts(QUOTATIONS)
    assert numbers(quoting) == ["QU-1/1"]


@pytest.mark.parametrize("how", [REJECTED, OPEN, "deleted"])
def test_one_that_is_rejected_reopened_or_deleted_cancels_its_work_order(
    working: World, customer: str, how: Any
) -> None:
    working.by_hand("workstatusses", sta_code="X", sta_name="Cancelled")
    working.settings(quotations={"cancelled_status": "X"})
    quotation = working.quotation(customer, Status=ACCEPTED)
    working.counts(QUOTATIONS)
    if how == "deleted":
        working.delete(QUOTED, quotation)
    else:
        working.change(QUOTED, quotation, Status=how)
    working.counts(QUOTATIONS)
    (made,) = working.work_orders()
    assert made["WorkStatus"] == "X"
    working.forget_calls()
    working.counts(QUOTATIONS, full=True)
    assert [call for call in working.control.calls(vendor="outsmart") if "UpdateWorkorder" in call["path"]] == []


@pytest.mark.parametrize("fault", ["timeout_after", "truncate"])
def test_a_work_order_whose_answer_was_lost_is_made_once(working: World, customer: str, fault: str) -> None:
    working.quotation(customer, Status=ACCEPTED)
    rule = {"seconds": 0.01} if fault == "timeout_after" else {}
    working.control.add_fault(fault, vendor="outsmart", path="PostWorkorders", times=1, **rule)
    working.sync(QUOTATIONS)
    working.control.clear_faults()
    for _ in range(3):
        working.counts(QUOTATIONS)
    assert numbers(working) == ["QU-1/1"]
    (line,) = working.rows(ledger)
    assert line.state == "done"


# Versions.


def test_a_new_version_of_an_accepted_quotation_makes_no_second_work_order(working: World, customer: str) -> None:
    first = working.quotation(customer, Status=ACCEPTED)
    working.counts(QUOTATIONS)
    number = working.control.exact_row(DIVISION, QUOTED, first)["QuotationNumber"]
    working.change(QUOTED, first, Status=CLOSED)
    second = working.quotation(customer, QuotationNumber=number, VersionNumber=2)
    working.counts(QUOTATIONS)
    working.change(QUOTED, second, Status=ACCEPTED)
    working.counts(QUOTATIONS)
    assert numbers(working) == [f"QU-{number}/1"]
    assert (working.work_orders()[0].get("WorkStatus"), len(working.rows(mirror, record="quotation"))) == (None, 2)
    assert (f"QU-{number}/2", "revised", f"QU-{number}/1") in left_out(working, "quotation_order")
    assert len(working.rows(record_log, reason="revised")) == 1
    working.counts(QUOTATIONS, full=True)
    assert len(working.rows(record_log, reason="revised")) == 1


def test_of_several_accepted_versions_the_last_becomes_the_work_order(working: World, customer: str) -> None:
    number = 41
    for version in (9, 10, 2):
        working.quotation(customer, QuotationNumber=number, VersionNumber=version, Status=ACCEPTED)
    working.counts(QUOTATIONS)
    assert numbers(working) == ["QU-41/10"]


def test_a_version_that_only_waited_gives_way_to_the_next(working: World) -> None:
    account = working.account("100", City=None)
    first = working.quotation(account, QuotationNumber=41, Status=ACCEPTED)
    working.counts("relations")
    working.counts(QUOTATIONS)
    working.change(QUOTED, first, Status=CLOSED)
    working.quotation(account, QuotationNumber=41, VersionNumber=2, Status=ACCEPTED)
    working.counts(QUOTATIONS)
    working.change("crm/Accounts", account, City="Delft")
    working.counts("relations")
    working.counts(QUOTATIONS)
    assert numbers(working) == ["QU-41/2"]


# The sales order made from a quotation.


def test_while_it_is_off_the_sales_order_comes_as_usual(quoting: World, customer: str) -> None:
    quoting.quotation(customer, Status=ACCEPTED)
    quoting.order(customer, YourRef="PO 7")
    quoting.counts(QUOTATIONS)
    assert quoting.counts(SALES_ORDERS).created == 1
    assert numbers(quoting) == ["SO-1"]


def test_the_sales_order_made_from_a_quotation_makes_no_second_work_order(working: World, customer: str) -> None:
    working.quotation(customer, Status=ACCEPTED)
    working.order(customer, YourRef=" po  7")
    working.order(customer, YourRef="PO 8")
    working.order(working.account("200"), YourRef="PO 7")
    working.counts("relations")
    working.counts(QUOTATIONS)
    counts = working.counts(SALES_ORDERS)
    assert (counts.created, counts.excluded) == (2, 1)
    assert left_out(working, "sales_order") == [("SO-1", "made_from_quotation", "QU-1/1")]
    assert numbers(working) == ["QU-1/1", "SO-2", "SO-3"]
    assert working.counts(SALES_ORDERS, full=True).excluded == 1
    assert SALES_ORDERS not in working.poll()


def test_a_quotation_stands_for_one_order_and_not_for_earlier_ones(working: World, customer: str) -> None:
    working.settings(sales_orders={"start_date": working.work_day(-30).isoformat()})
    working.order(customer, YourRef="PO 7", OrderDate=f"{working.work_day(-5).isoformat()}T00:00:00")
    working.quotation(customer, Status=ACCEPTED)
    working.counts(QUOTATIONS)
    working.counts(SALES_ORDERS)
    working.order(customer, YourRef="PO 7")
    working.counts(SALES_ORDERS)
    working.order(customer, YourRef="PO 7")
    working.counts(SALES_ORDERS)
    assert numbers(working) == ["QU-1/1", "SO-1", "SO-3"]


def test_an_order_that_has_its_work_order_keeps_the_quotation_out(quoting: World, customer: str) -> None:
    quoting.quotation(customer, Status=ACCEPTED)
    order = quoting.order(customer, YourRef="PO 7")
    quoting.counts(QUOTATIONS)
    quoting.counts(SALES_ORDERS)
    quoting.settings(quotations={SWITCH: True})
    quoting.counts(QUOTATIONS)
    assert left_out(quoting, "quotation_order") == [("QU-1/1", "already_ordered", "SO-1")]
    quoting.change(ORDERED, order, Description="Changed")
    assert quoting.counts(SALES_ORDERS).updated == 1
    assert numbers(quoting) == ["SO-1"]


def test_without_a_reference_the_sales_order_brings_the_work(working: World, customer: str) -> None:
    quotation = working.quotation(customer, Status=ACCEPTED, YourRef=None)
    working.order(customer)
    working.counts(QUOTATIONS)
    assert left_out(working, "quotation_order") == [("QU-1/1", "no_reference", None)]
    working.counts(SALES_ORDERS)
    assert numbers(working) == ["SO-1"]
    working.change(QUOTED, quotation, YourRef="PO 9")
    working.counts(QUOTATIONS)
    assert numbers(working) == ["QU-1/1", "SO-1"]


def test_an_order_goes_by_itself_when_its_quotation_makes_no_work_order_any_more(working: World) -> None:
    account = working.account("100", City=None)
    working.quotation(account, Status=ACCEPTED)
    working.order(account, YourRef="PO 7")
    working.counts("relations")
    working.counts(QUOTATIONS)
    assert working.counts(SALES_ORDERS).excluded == 1
    working.settings(quotations={SWITCH: False})
    working.counts(QUOTATIONS)
    assert ("QU-1/1", "switched_off", None) in left_out(working, "quotation_order")
    assert SALES_ORDERS in working.poll()
    working.change("crm/Accounts", account, City="Delft")
    working.counts("relations")
    working.counts(SALES_ORDERS)
    assert numbers(working) == ["SO-1"]


def test_an_accepted_quotation_in_another_currency_is_kept_and_makes_no_work_order(sqlite_world: World) -> None:
    sqlite_world.settings(licence="pro", quotations={"enabled": True, "accepted_to_work_orders": True})
    sqlite_world.quotation(sqlite_world.account("100"), Status=50, Currency="USD")
    sqlite_world.counts("relations")
    sqlite_world.counts("quotations")
    assert sqlite_world.work_orders() == []
    (kept,) = sqlite_world.states("quotation").values()
    (made,) = sqlite_world.states("quotation_order").values()
    assert (kept, made) == (("synced", None), ("excluded", "other_currency"))
