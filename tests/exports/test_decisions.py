"""What a person says about a work order changes what is unclear, and never what is known to be there."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from exports.test_flow import Script
from exports.world import ExportWorld, line
from outsmart_sync.errors import Busy, InvalidSettings
from outsmart_sync.records.export_catalogue import WORK_ORDERS
from outsmart_sync.records.export_document import Entity
from outsmart_sync.services import export_decisions as decisions
from outsmart_sync.services import export_list, planning
from outsmart_sync.store import leases, ledger
from outsmart_sync.store.tables import ledger as table
from outsmart_sync.store.tables import looked_up

PERIOD = {"WorkDate": "05-11-2026", "BeginTime": "08:00", "EndTime": "09:00", "HourType": "H1"}


def ledger_of(world: ExportWorld) -> list[tuple[str, str, str]]:
    return sorted((row.kind, row.key, row.state) for row in world.world.rows(table))


def keys(world: ExportWorld) -> list[str]:
    return sorted(each.lines[0].key for each in world.books.documents())


def test_that_a_file_is_not_there_does_not_make_the_document_unknown(exporting: ExportWorld) -> None:
    exporting.save(pdf=True)
    exporting.gateway.pdf = b"%PDF-1.7"
    exporting.gateway.trouble = Script("", "", "lost before")
    exporting.work_order("W1", {})
    exporting.run()
    assert exporting.state("W1") == ("uncertain", "unsure")
    decisions.settle(exporting.store, exporting.gateway, "W1", not_there=True)
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert len(exporting.books.documents()) == 1
    assert [each[1:] for each in exporting.books.files()] == [("W1.pdf", 1)]


@pytest.mark.parametrize("answer", [{"not_there": True}, {"there": "1"}], ids=["not there", "there"])
def test_while_a_run_exports_an_answer_changes_nothing(exporting: ExportWorld, answer: dict[str, str | bool]) -> None:
    exporting.gateway.trouble = Script("lost after")
    exporting.work_order("W1", {})
    exporting.run()
    before = ledger_of(exporting)
    lease = planning.export_lease_name(exporting.export("W1").account, WORK_ORDERS)
    assert leases.claim(exporting.store, lease, "run:9", timedelta(minutes=3)) is not None
    with pytest.raises(Busy):
        decisions.settle(exporting.store, exporting.gateway, "W1", **answer)  # type: ignore[arg-type]
    assert ledger_of(exporting) == before
    leases.release(exporting.store, lease, "run:9")


def test_one_document_is_not_that_of_two_work_orders(exporting: ExportWorld) -> None:
    exporting.work_order("W1", {})
    exporting.run()
    exporting.gateway.trouble = Script("lost before")
    exporting.work_order("W2", {})
    exporting.run()
    with pytest.raises(InvalidSettings, match="is the document of work order W1") as error:
        decisions.settle(exporting.store, exporting.gateway, "W2", there=exporting.export("W1").remote_number)
    assert error.value.code == "document_taken"


def test_of_hours_only_the_lines_that_are_gone_are_made_again(exporting: ExportWorld) -> None:
    exporting.save(document="hours")
    exporting.work_order("W1", {}, Workperiods=[PERIOD] * 2)
    exporting.run()
    assert keys(exporting) == ["h1", "h2", "m1"]
    assert decisions.resend(exporting.store, exporting.gateway, "W1").there  # all of it is there
    (gone,) = (row.remote_id for row in exporting.world.rows(table) if row.key.endswith("/h2"))
    exporting.books.remove(gone)
    assert not decisions.resend(exporting.store, exporting.gateway, "W1").there
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert keys(exporting) == ["h1", "h2", "m1"]


def test_hours_that_are_all_gone_are_all_made_again(exporting: ExportWorld) -> None:
    exporting.save(document="hours")
    exporting.work_order("W1", {}, Workperiods=[PERIOD])
    exporting.run()
    for row in exporting.world.rows(table):
        exporting.books.remove(row.remote_id)
    decisions.resend(exporting.store, exporting.gateway, "W1")
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert keys(exporting) == ["h1", "m1"]


def test_looks_in_vain_count_only_some_minutes_after_each_other(exporting: ExportWorld, monkeypatch: Any) -> None:
    exporting.gateway.trouble = Script("lost before")
    exporting.work_order("W1", {})
    exporting.run()
    monkeypatch.setattr(ledger, "MISSES_COUNT_AFTER", timedelta(minutes=5))
    for _ in range(3):
        exporting.run()
    assert exporting.state("W1") == ("uncertain", "unsure")
    for misses in (1, 2):
        with exporting.store.begin() as transaction:
            transaction.execute(sa.update(table).values(changed_at=exporting.store.now() - timedelta(minutes=6)))
        exporting.run()
        assert (exporting.state("W1")[0], misses) in (("uncertain", 1), ("done", 2))
    assert len(exporting.books.documents()) == 1


def test_a_change_of_one_whose_total_differs_is_told_and_not_accepted_unseen(exporting: ExportWorld) -> None:
    exporting.gateway.changes = {"extra": 1}
    row = exporting.work_order("W1", {})
    exporting.run()
    assert exporting.state("W1") == ("differs", "total")
    exporting.change(row, Materials=[{"MaterialCode": "A1", "MaterialNr": "5", "MaterialPrice": "1"}])
    exporting.run()
    assert exporting.state("W1") == ("changed", "changed_later")


def test_what_was_changed_after_its_total_was_accepted_is_told(exporting: ExportWorld) -> None:
    exporting.gateway.changes = {"extra": 1}
    row = exporting.work_order("W1", {})
    exporting.run()
    decisions.settle(exporting.store, exporting.gateway, "W1", accept=True)
    exporting.change(row, Materials=[{"MaterialCode": "A1", "MaterialNr": "5", "MaterialPrice": "1"}])
    exporting.run()
    assert exporting.state("W1") == ("changed", "changed_while_exporting")


def half_made(exporting: ExportWorld) -> str:
    """Two of three lines are there; the last one was refused."""
    exporting.save(document="hours")
    exporting.gateway.trouble = Script("", "", "not sent")
    row = exporting.work_order("W1", {}, Workperiods=[PERIOD] * 2)
    exporting.run()
    exporting.gateway.changes = {"refuses": "create_line"}
    exporting.run()
    assert exporting.state("W1") == ("failed", "refused")
    assert len(keys(exporting)) == 2
    exporting.gateway.changes = {}
    return row


def test_what_was_begun_as_hours_is_ended_as_hours_whatever_the_setting_says_now(exporting: ExportWorld) -> None:
    half_made(exporting)
    exporting.save(document="sales_order")
    decisions.resend(exporting.store, exporting.gateway, "W1")
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert keys(exporting) == ["h1", "h2", "m1"]


def test_what_was_changed_after_a_part_was_made_is_for_a_person(exporting: ExportWorld) -> None:
    row = half_made(exporting)
    exporting.change(row, Workperiods=[PERIOD | {"EndTime": "11:00"}])
    decisions.resend(exporting.store, exporting.gateway, "W1")
    exporting.run()
    assert exporting.state("W1") == ("changed", "changed_while_exporting")
    with pytest.raises(InvalidSettings, match="after a part of it had been made") as error:
        decisions.resend(exporting.store, exporting.gateway, "W1", update=True)
    assert error.value.code == "half_made"
    assert len(keys(exporting)) == 2


def test_a_release_lifts_what_it_was_asked_for_and_nothing_else(exporting: ExportWorld) -> None:
    exporting.save(cut_off="2026-11-10")
    exporting.work_order("W1", {}, PaymentMethod="contant voldaan")
    exporting.run()
    assert exporting.state("W1") == ("older", "before_cut_off")
    decisions.release(exporting.store, "W1")
    exporting.run()
    assert exporting.state("W1") == ("held", "rule")
    decisions.release(exporting.store, "W1")
    exporting.run()
    assert exporting.state("W1") == ("done", "")


def test_a_second_document_of_a_handled_work_order_goes_without_another_word(exporting: ExportWorld) -> None:
    exporting.save(cut_off="2026-11-10")
    exporting.work_order("W1", {})
    exporting.run("W1")
    assert exporting.state("W1") == ("done", "")
    decisions.resend(exporting.store, exporting.gateway, "W1", second=True)
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert len(exporting.books.documents()) == 2


def update(exporting: ExportWorld) -> None:
    decisions.resend(exporting.store, exporting.gateway, "W1", update=True)
    exporting.run()


def texts(exporting: ExportWorld) -> list[tuple[str, int]]:
    (document,) = exporting.books.documents()
    return [(each.text, int(each.quantity)) for each in document.lines]


def test_an_update_leaves_alone_what_the_office_added_and_edited(exporting: ExportWorld) -> None:
    lines = [line("A1", "1", "10"), line("A2", "2", "10"), line("A1", "3", "10", MaterialName="Edited")]
    row = exporting.work_order("W1", Materials=lines)
    exporting.run()
    remote_id = exporting.export("W1").remote_id
    (document,) = exporting.books.documents()
    first, second, third = document.lines
    added = structs.replace(first, text="Discussed on the phone", quantity=Decimal(7))
    edited = structs.replace(third, quantity=Decimal(30))
    exporting.books.put_lines(remote_id, structs.replace(document, lines=[added, first, second, edited]))
    lines = [line("A1", "4", "10"), lines[2] | {"MaterialNr": "5"}, line("A2", "6", "10", MaterialName="New")]
    exporting.change(row, Materials=[lines[0], line("A2", "0", "10"), lines[1], lines[2]])
    update(exporting)
    # 1 became 4, 2 is no longer on the work order, 6 is new; 7 and 30 are the office's.
    assert texts(exporting) == [("Discussed on the phone", 7), ("Item A1", 4), ("Edited", 30), ("New", 6)]
    found = exporting.export("W1")
    assert (found.state, found.reason) == ("differs", "total")
    assert "'Edited' is not there as it was sent" in found.cause
    assert "'Discussed on the phone' is there otherwise than we sent it, or is not ours" in found.cause
    update(exporting)  # again, nothing is added twice
    assert len(texts(exporting)) == 4


def test_an_update_that_leaves_something_alone_says_so_also_where_the_total_is_right(exporting: ExportWorld) -> None:
    row = exporting.work_order("W1", Materials=[line("A1", "1", "10"), line("A2", "2", "10")])
    exporting.run()
    (document,) = exporting.books.documents()
    first, second = document.lines
    renamed = structs.replace(second, text="In the office's own words")
    exporting.books.put_lines(exporting.export("W1").remote_id, structs.replace(document, lines=[first, renamed]))
    exporting.change(row, Materials=[line("A1", "3", "10"), line("A2", "2", "10")])
    update(exporting)
    assert texts(exporting) == [("Item A1", 3), ("In the office's own words", 2)]
    assert exporting.state("W1") == ("done", "left_alone")


def test_an_update_without_an_answer_is_ended_by_the_next_run(exporting: ExportWorld) -> None:
    row = exporting.work_order("W1", Materials=[line("A1", "1", "10")])
    exporting.run()
    exporting.gateway.trouble = Script("lost after")
    exporting.change(row, Materials=[line("A1", "2", "10"), line("A2", "5", "10")])
    update(exporting)
    assert exporting.state("W1") == ("sending", "unsure")
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert texts(exporting) == [("Item A1", 2), ("Item A2", 5)]


def changed(exporting: ExportWorld, row: str, quantity: str = "5") -> None:
    exporting.change(row, Materials=[line("A1", quantity, "10")])


def test_an_uncertain_document_whose_work_order_is_changed_is_looked_for_first(exporting: ExportWorld) -> None:
    exporting.gateway.trouble = Script("lost after")
    row = exporting.work_order("W1", Materials=[line("A1", "2", "10")])
    exporting.run()
    changed(exporting, row)
    exporting.run()
    found = exporting.export("W1")
    assert (found.state, found.remote_id, found.actual) == ("changed", exporting.books.first_id(), Decimal("20.00"))
    update(exporting)
    assert exporting.state("W1") == ("done", "")
    assert texts(exporting) == [("Item A1", 5)]


def test_an_uncertain_document_that_is_not_there_goes_with_what_the_work_order_says_now(
    exporting: ExportWorld,
) -> None:
    exporting.gateway.trouble = Script("lost before")
    row = exporting.work_order("W1", Materials=[line("A1", "2", "10")])
    exporting.run()
    changed(exporting, row)
    exporting.run()
    assert exporting.state("W1") == ("uncertain", "unsure")
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert texts(exporting) == [("Item A1", 5)]
    exporting.run()
    assert exporting.state("W1") == ("done", "")


def test_an_uncertain_document_whose_work_order_is_changed_has_both_answers(exporting: ExportWorld) -> None:
    exporting.gateway.trouble = Script("lost before")
    row = exporting.work_order("W1", Materials=[line("A1", "2", "10")])
    exporting.run()
    changed(exporting, row)
    exporting.run()
    decisions.settle(exporting.store, exporting.gateway, "W1", not_there=True)
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert texts(exporting) == [("Item A1", 5)]


def test_of_changed_hours_a_line_that_is_uncertain_can_still_be_answered(exporting: ExportWorld) -> None:
    exporting.save(document="hours")
    exporting.gateway.trouble = Script("", "lost before")
    row = exporting.work_order("W1", {}, Workperiods=[PERIOD] * 2)
    exporting.run()
    exporting.change(row, Workperiods=[PERIOD | {"EndTime": "11:00"}])
    exporting.run()
    assert exporting.state("W1")[0] == "changed"
    assert "uncertain" in {state for _, _, state in ledger_of(exporting)}
    (listed,) = export_list.in_order(exporting.store, exporting.world.connection.id, "changed")
    assert {"settle_there", "settle_not_there"} <= set(listed.offers)
    decisions.settle(exporting.store, exporting.gateway, "W1", not_there=True)
    assert {state for _, _, state in ledger_of(exporting)} == {"done"}
    exporting.run()
    (listed,) = export_list.in_order(exporting.store, exporting.world.connection.id, "changed")
    assert "settle_there" not in listed.offers
    with pytest.raises(InvalidSettings, match="nothing uncertain"):
        decisions.settle(exporting.store, exporting.gateway, "W1", not_there=True)


def test_hours_and_costs_are_not_brought_up_to_date_and_it_is_not_offered(exporting: ExportWorld) -> None:
    exporting.save(document="hours")
    exporting.work_order("W1", {}, Workperiods=[PERIOD])
    exporting.run()
    with pytest.raises(InvalidSettings, match="entries of their own"):
        decisions.resend(exporting.store, exporting.gateway, "W1", update=True)
    (listed,) = export_list.in_order(exporting.store, exporting.world.connection.id, "done")
    assert "resend_update" not in listed.offers
    exporting.save(document="sales_order")
    exporting.work_order("W2", {})
    exporting.run()
    assert "resend_update" in export_list.in_order(exporting.store, exporting.world.connection.id, "done")[0].offers


def test_what_one_line_of_hours_has_too_much_does_not_make_up_for_another(exporting: ExportWorld) -> None:
    exporting.save(document="hours")
    exporting.gateway.trouble = Script("", "", "not sent")
    exporting.work_order("W1", {}, Workperiods=[PERIOD, PERIOD | {"EndTime": "10:00"}])
    exporting.run()
    ids = {row.key.rpartition("/")[2]: row.remote_id for row in exporting.world.rows(table)}
    exporting.books.edit_line(ids["m1"], quantity="2.5")
    exporting.books.edit_line(ids["h1"], quantity="0.5")
    exporting.run()
    found = exporting.export("W1")
    assert (found.state, found.reason) == ("differs", "quantity")
    assert "has a quantity of 2.5 for 'Item A1', the work order of 2." in found.cause


def test_costs_are_compared_by_amount_also_beside_hours(exporting: ExportWorld) -> None:
    exporting.save(document="hours")
    exporting.gateway.trouble = Script("", "not sent")
    exporting.work_order("W1", {}, Workperiods=[PERIOD])
    exporting.run()
    (made,) = (each for each in exporting.world.rows(table) if each.remote_id)
    exporting.books.edit_line(made.remote_id, total="25.00")
    exporting.run()
    found = exporting.export("W1")
    assert (found.state, found.reason) == ("differs", "total")
    assert "computes 25.00 for 'Item A1', the work order comes to 20.00." in found.cause


def test_a_document_is_accepted_whatever_became_of_what_it_names(exporting: ExportWorld) -> None:
    exporting.gateway.changes = {"extra": 1}
    exporting.work_order("W1", {})
    exporting.run()
    assert exporting.state("W1") == ("differs", "total")
    exporting.books.change_record(Entity.ARTICLE, "A1", blocked="it has ended")
    with exporting.store.begin() as transaction:
        transaction.execute(sa.delete(looked_up))
    decisions.settle(exporting.store, exporting.gateway, "W1", accept=True)
    exporting.run()
    assert exporting.state("W1") == ("done", "")
