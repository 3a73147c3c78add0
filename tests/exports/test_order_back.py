"""Work orders that came from an imported order: what was used goes back to it, whatever the document setting."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from exports.books import Books, Trouble
from exports.world import ExportWorld, line
from outsmart_sync.records.export_document import Entity, OrderLine
from outsmart_sync.services import export_decisions as decisions
from outsmart_sync.services import exports
from pipeline.world import ACCOUNT


class Script(Trouble):
    """Troubles in a given order, then none."""

    def __init__(self, *kinds: str) -> None:
        self._left = list(kinds)

    def next(self) -> str:
        return self._left.pop(0) if self._left else ""


@pytest.fixture
def order(exporting: ExportWorld) -> tuple[str, str]:
    """An order of two A1 at 10, imported as a work order; its id and the work order's number."""
    world = exporting.world
    world.settings(
        licence="pro",
        materials={"enabled": False},
        hour_types={"enabled": False},
        sales_orders={"enabled": True, "start_date": "2026-01-01"},
    )
    customer, item = world.account("100"), world.item("A1")
    made = world.order(customer, Description="Boiler")
    world.order_line(made, item, quantity=2)
    world.sync()
    number = world.order_number(made)
    books = exporting.books
    books.put_record(Entity.CUSTOMER, "100")
    books.put_order(made)
    article = next(known.remote_id for code, known in books._records(Entity.ARTICLE) if code == "A1")
    row = OrderLine(
        remote_id="l1", article=article, text="Item A1", quantity=Decimal(2), price=Decimal(10), amount=Decimal(20)
    )
    books.put_order_line(made, row)
    return made, number


def complete(exporting: ExportWorld, number: str, *materials: dict[str, str]) -> None:
    exporting.world.control.change_work_order(ACCOUNT, number, status="Compleet", Materials=list(materials))


def on_order(books: Books, order_id: str) -> list[tuple[Decimal, Decimal]]:
    found = books.order(order_id)
    assert found is not None
    return [(each.quantity, each.amount) for each in found.lines]


def test_what_was_used_beyond_the_order_is_appended_and_quantities_follow(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    order_id, number = order
    complete(exporting, number, line("A1", "3", "10"), line("A2", "1", "7,50"))
    exporting.run()
    assert exporting.state(number) == ("done", "")
    assert on_order(exporting.books, order_id) == [(3, Decimal("30.00")), (1, Decimal("7.50"))]
    assert exporting.books.documents() == []


def test_what_was_used_as_ordered_changes_nothing(exporting: ExportWorld, order: tuple[str, str]) -> None:
    order_id, number = order
    complete(exporting, number, line("A1", "2", "10"))
    exporting.run()
    assert exporting.state(number) == ("done", "")
    assert on_order(exporting.books, order_id) == [(2, Decimal(20))]
    assert not {"append_line", "change_quantity"} & set(exporting.books.called())


def test_each_line_is_appended_once_whatever_becomes_of_the_answer(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    order_id, number = order
    exporting.gateway.trouble = Script("lost after", "lost before", "lost after")
    complete(exporting, number, line("A1", "5", "10"), line("A2", "1", "7,50"), line("A2", "2", "8"))
    for _ in range(6):
        exporting.run()
    assert exporting.state(number) == ("done", "")
    assert sorted(on_order(exporting.books, order_id)) == [
        (1, Decimal("7.50")),
        (2, Decimal("16.00")),
        (5, Decimal("50.00")),
    ]


@pytest.mark.parametrize("closed", ["shipped", "invoiced", "closed"])
def test_an_order_that_takes_nothing_any_more_holds_it(
    exporting: ExportWorld, order: tuple[str, str], closed: str
) -> None:
    order_id, number = order
    exporting.books.put_order(order_id, closed)
    complete(exporting, number, line("A1", "3", "10"))
    exporting.run()
    assert exporting.state(number) == ("held", "order_closed")
    assert closed in exporting.export(number).cause


def test_what_was_ordered_and_not_used_is_for_a_person_to_decide(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    order_id, number = order
    complete(exporting, number, line("A2", "1", "7,50"))
    exporting.run()
    assert exporting.state(number) == ("held", "ordered_not_used")
    decisions.release(exporting.store, number)
    exporting.run()
    assert exporting.state(number) == ("done", "")
    assert len(on_order(exporting.books, order_id)) == 2


def test_an_order_of_another_administration_is_not_guessed(exporting: ExportWorld) -> None:
    exporting.work_order("SO-4711", {})
    exporting.run()
    assert exporting.state("SO-4711") == ("held", "order_unknown")


def test_bringing_it_up_to_date_only_ever_adds_to_an_order_that_was_imported(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    order_id, number = order
    exporting.save(document="sales_invoice")
    complete(exporting, number, line("A1", "2", "10"), line("A2", "1", "7,50"))
    exporting.run()
    assert exporting.state(number) == ("done", "")
    assert exporting.export(number).kind == "sales_order"
    complete(exporting, number, line("A1", "2", "10"), line("A2", "1", "7,50"), line("A2", "1", "9"))
    decisions.resend(exporting.store, exporting.gateway, number, update=True)
    exporting.run()
    assert "replace" not in exporting.books.called()
    assert [amount for _, amount in on_order(exporting.books, order_id)] == [20, Decimal("7.50"), Decimal("9.00")]


@pytest.mark.parametrize("document", ["sales_invoice", "hours"])
def test_the_order_s_own_kind_counts_and_not_that_of_the_setting(
    exporting: ExportWorld, order: tuple[str, str], document: str
) -> None:
    order_id, number = order
    exporting.save(document=document, pdf=True)
    exporting.gateway.pdf = b"%PDF-1.7"
    # An invoice keeps two decimals of a price, hours and costs take no file.
    complete(exporting, number, line("A1", "2", "10"), line("A2", "1000", "0,125"))
    exporting.run()
    assert exporting.state(number) == ("done", ""), exporting.export(number).cause
    assert on_order(exporting.books, order_id) == [(2, Decimal(20)), (1000, Decimal("125.00"))]
    assert exporting.export(number).kind == "sales_order"
    assert [each[1:] for each in exporting.books.files()] == [(f"{number}.pdf", 1)]


def test_an_order_that_was_closed_behind_our_lines_is_ended(exporting: ExportWorld, order: tuple[str, str]) -> None:
    order_id, number = order
    exporting.gateway.trouble = Script("lost after")
    complete(exporting, number, line("A1", "2", "10"), line("A2", "1", "7,50"))
    exporting.run()
    assert exporting.state(number) == ("uncertain", "unsure")
    exporting.books.put_order(order_id, "invoiced")
    exporting.run()
    assert exporting.state(number) == ("done", "")


def test_an_order_that_was_closed_before_the_rest_of_our_lines_holds_it(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    order_id, number = order
    exporting.gateway.trouble = Script("", "not sent")
    complete(exporting, number, line("A1", "2", "10"), line("A2", "1", "7,50"), line("A2", "1", "8"))
    exporting.run()
    assert exporting.state(number)[0] == "sending"
    exporting.books.put_order(order_id, "invoiced")
    exporting.run()
    assert exporting.state(number) == ("held", "order_closed")
    assert "append_line" in exporting.books.called()


def test_lines_that_were_appended_are_brought_up_to_date_and_what_the_office_edited_is_not(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    order_id, number = order
    sent = [line("A1", "3", "10"), *(line("A2", quantity, "7,50") for quantity in ("1", "2", "4"))]
    complete(exporting, number, *sent)
    exporting.run()
    assert exporting.state(number) == ("done", "")
    found = exporting.books.order(order_id)
    assert found is not None
    edited = found.lines[2]
    exporting.books.edit_order_line(edited.remote_id, quantity=Decimal(20), amount=Decimal(150))
    # One more of the first, another quantity of the edited one, and none of the last.
    complete(exporting, number, line("A1", "5", "10"), line("A2", "9", "7,50"), line("A2", "3", "7,50"))
    decisions.resend(exporting.store, exporting.gateway, number, update=True)
    exporting.run()
    assert [quantity for quantity, _ in on_order(exporting.books, order_id)] == [5, 9, 20]
    assert exporting.state(number) == ("differs", "total")
    assert "'Item A2' is not on the order as it was sent" in exporting.export(number).cause


def test_an_ordered_quantity_that_the_office_set_since_is_left_alone(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    order_id, number = order
    complete(exporting, number, line("A1", "3", "10"))
    exporting.run()
    exporting.books.edit_order_line("l1", quantity=Decimal(8), amount=Decimal(80))
    complete(exporting, number, line("A1", "4", "10"))
    decisions.resend(exporting.store, exporting.gateway, number, update=True)
    exporting.run()
    assert [quantity for quantity, _ in on_order(exporting.books, order_id)] == [8]
    assert "is not the one that we set" in exporting.export(number).cause


def bring_up_to_date(exporting: ExportWorld, number: str) -> None:
    decisions.resend(exporting.store, exporting.gateway, number, update=True)
    exporting.run()


def test_accepting_what_differs_leaves_the_order_as_the_office_has_it(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    order_id, number = order
    complete(exporting, number, line("A1", "3", "10"))
    exporting.run()
    exporting.books.edit_order_line("l1", quantity=Decimal(8), amount=Decimal(80))
    complete(exporting, number, line("A1", "4", "10"))
    bring_up_to_date(exporting, number)
    assert exporting.state(number) == ("differs", "total")
    decisions.settle(exporting.store, exporting.gateway, number, accept=True)
    exporting.run()
    assert exporting.state(number) == ("done", "")
    assert on_order(exporting.books, order_id) == [(8, Decimal(80))]
    assert exporting.export(number).actual == Decimal("80.00")


def test_trying_a_file_again_leaves_the_order_as_the_office_has_it(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    order_id, number = order
    exporting.save(pdf=True)
    exporting.gateway.pdf = b"%PDF-1.7"
    exporting.gateway.changes = {"refuses": "attach"}
    complete(exporting, number, line("A1", "3", "10"))
    exporting.run()
    assert exporting.state(number) == ("done", "no_pdf")
    exporting.gateway.changes = {}
    exporting.books.edit_order_line("l1", quantity=Decimal(8), price=Decimal(12), amount=Decimal(96))
    exporting.books.put_order(order_id, "invoiced")
    decisions.resend(exporting.store, exporting.gateway, number)
    exporting.run()
    assert exporting.state(number) == ("done", "")
    assert on_order(exporting.books, order_id) == [(8, Decimal(96))]
    assert [each[1:] for each in exporting.books.files()] == [(f"{number}.pdf", 1)]


def test_a_line_that_was_used_stays_the_same_where_the_office_gave_it_another_price(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    order_id, number = order
    complete(exporting, number, line("A1", "2", "10"))
    exporting.run()
    exporting.books.edit_order_line("l1", price=Decimal(12), amount=Decimal(24))
    complete(exporting, number, line("A1", "3", "10"))
    bring_up_to_date(exporting, number)
    assert exporting.state(number) == ("done", "")
    assert on_order(exporting.books, order_id) == [(3, Decimal("36.00"))]


def test_a_quantity_that_was_used_as_ordered_and_that_the_office_set_since_is_left_alone(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    order_id, number = order
    complete(exporting, number, line("A1", "2", "10"))
    exporting.run()
    exporting.books.edit_order_line("l1", quantity=Decimal(8), amount=Decimal(80))
    complete(exporting, number, line("A1", "4", "10"))
    bring_up_to_date(exporting, number)
    assert on_order(exporting.books, order_id) == [(8, Decimal(80))]
    assert exporting.state(number) == ("differs", "total")
    assert "is not the one that we set" in exporting.export(number).cause


def test_a_quantity_that_the_office_set_while_it_was_being_exported_is_left_alone(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    order_id, number = order
    exporting.gateway.trouble = Script("", "not sent")
    complete(exporting, number, line("A1", "3", "10"), line("A2", "1", "7,50"))
    exporting.run()
    assert exporting.state(number)[0] == "sending"
    exporting.books.edit_order_line("l1", quantity=Decimal(8), amount=Decimal(80))
    exporting.run()
    assert on_order(exporting.books, order_id) == [(8, Decimal(80)), (1, Decimal("7.50"))]
    assert exporting.state(number) == ("differs", "total")


@pytest.mark.parametrize("trouble", ["lost before", "lost after"])
def test_a_quantity_whose_change_was_not_answered_is_set_and_is_nobody_else_s(
    exporting: ExportWorld, order: tuple[str, str], trouble: str
) -> None:
    order_id, number = order
    exporting.gateway.trouble = Script(trouble)
    complete(exporting, number, line("A1", "3", "10"))
    exporting.run()
    assert exporting.state(number) == ("sending", "unsure")
    exporting.run()
    assert exporting.state(number) == ("done", "")
    complete(exporting, number, line("A1", "5", "10"))
    bring_up_to_date(exporting, number)
    assert exporting.state(number) == ("done", "")
    assert on_order(exporting.books, order_id) == [(5, Decimal("50.00"))]


def test_a_work_description_adds_no_line_to_an_order_that_was_imported(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    order_id, number = order
    exporting.save(description_line=True)
    complete(exporting, number, line("A1", "2", "10"), line("A2", "1", "7,50"))
    exporting.world.control.change_work_order(ACCOUNT, number, WorkDescription="Boiler mended")
    exporting.run()
    assert exporting.state(number) == ("done", "")
    bring_up_to_date(exporting, number)
    assert exporting.state(number) == ("done", "")
    assert on_order(exporting.books, order_id) == [(2, Decimal(20)), (1, Decimal("7.50"))]


def test_a_rule_s_condition_has_no_place_on_an_order_that_was_imported(
    exporting: ExportWorld, order: tuple[str, str]
) -> None:
    _, number = order
    exporting.world.control.change_work_order(ACCOUNT, number, PaymentMethod="op rekening")
    exporting.save(payment_methods={"op rekening": "condition:30"})
    complete(exporting, number, line("A1", "2", "10"))
    exporting.run()
    assert exporting.state(number) == ("held", "rule_unfit")
    assert "the order that it came from has its own" in exporting.export(number).cause


def test_a_preview_counts_the_pdf_of_an_order_that_was_imported(exporting: ExportWorld, order: tuple[str, str]) -> None:
    _, number = order
    complete(exporting, number, line("A1", "3", "10"), line("A2", "1", "7,50"))
    counted = []
    for pdf in (False, True):
        exporting.save(pdf=pdf)
        exporting.run(preview=True)
        text = "\n".join(exports.preview_lines(exporting.store, exporting.run_id))
        counted.append(int(text.split(", total")[1].split(", ")[1].split()[0]))
    assert counted == [4, 7]


def test_a_line_that_moved_to_another_s_place_is_billed_once(exporting: ExportWorld, order: tuple[str, str]) -> None:
    """Where a package knows lines by their place, the office may have taken off the one before."""
    order_id, number = order
    found = exporting.books.order(order_id)
    assert found is not None
    other = replace(found.lines[0], remote_id="l2", quantity=Decimal(3), price=Decimal(12), amount=Decimal(36))
    exporting.books.put_order_line(order_id, other)
    used = [line("A1", "2", "10"), line("A1", "3", "12")]
    complete(exporting, number, *used)
    exporting.run()
    assert exporting.state(number) == ("done", "")
    exporting.books.remove_line(order_id, "l2")
    exporting.books.edit_order_line("l1", quantity=Decimal(3), price=Decimal(12), amount=Decimal(36))
    complete(exporting, number, *used, line("A2", "1", "7,50"))
    bring_up_to_date(exporting, number)
    assert sorted(on_order(exporting.books, order_id)) == [
        (1, Decimal("7.50")),
        (2, Decimal("20.00")),
        (3, Decimal(36)),
    ]
    assert exporting.state(number) == ("done", "")
