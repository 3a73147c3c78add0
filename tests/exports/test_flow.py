"""From a completed work order to its document, and back to OutSmart."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, update

from exports.books import Books, Trouble
from exports.world import ExportWorld, line
from outsmart_sync.errors import InvalidSettings
from outsmart_sync.pipeline import invoice_status
from outsmart_sync.pipeline.job import Options
from outsmart_sync.records.export_document import Entity, InvoiceState, Known
from outsmart_sync.services import connect, export_polling, export_run, exports, settings
from outsmart_sync.services import export_decisions as decisions
from outsmart_sync.store.tables import ledger as ledger_table
from outsmart_sync.store.tables import looked_up as looked_up_table
from outsmart_sync.store.tables import work_order_export as export_table
from pipeline.world import ACCOUNT


class Script(Trouble):
    """Troubles in a given order, then none."""

    def __init__(self, *kinds: str) -> None:
        self._left = list(kinds)

    def next(self) -> str:
        return self._left.pop(0) if self._left else ""


def test_a_completed_work_order_becomes_one_document_and_is_handled(exporting: ExportWorld) -> None:
    exporting.save(success_status="E")
    row = exporting.work_order("W1", {"quantity": "2", "price": "12,50"})
    result = exporting.run()["work_orders"]
    assert (result.error_text, result.counts.created) == ("", 1)
    (document,) = exporting.books.documents()
    assert (document.total, document.lines[0].quantity) == (Decimal("25.00"), Decimal(2))
    assert exporting.state("W1") == ("done", "")
    assert exporting.outsmart(row)["status"] == "Afgehandeld"
    assert exporting.outsmart(row)["WorkStatus"] == "E"
    exporting.run()
    assert len(exporting.books.documents()) == 1


def test_an_idle_cycle_costs_one_call_and_no_step(exporting: ExportWorld) -> None:
    exporting.work_order("W1", {}, PaymentMethod="contant voldaan")
    exporting.run()
    exporting.books.forget()
    exporting.world.forget_calls()
    run = export_run.open_run(exporting.store, "exact_online", "idle", Options())
    work = export_polling.poll(exporting.store, exporting.gateway, run.run_id, [exporting.world.connection.id])
    assert work == []
    assert exporting.books.called() == []
    assert len(exporting.world.control.calls(vendor="outsmart")) == 1


def test_what_is_held_says_why_and_goes_when_it_is_released(exporting: ExportWorld) -> None:
    for number, fields in {"W1": {"PaymentMethod": "contant voldaan"}, "W2": {"TypeOfWork": "Garantie"}}.items():
        exporting.work_order(number, {}, **fields)
    exporting.run()
    assert exporting.state("W1") == exporting.state("W2") == ("held", "rule")
    assert "contant voldaan" in exporting.export("W1").cause
    decisions.release(exporting.store, "W1")
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert [each.number for each in exporting.books.documents()] == ["W1"]


def test_a_changed_rule_judges_what_is_held_anew(exporting: ExportWorld) -> None:
    exporting.work_order("W1", {}, PaymentMethod="pin betaling")
    exporting.run()
    exporting.save(payment_methods="pin betaling=free")
    exporting.run()
    (document,) = exporting.books.documents()
    assert document.total == 0
    assert document.lines[0].price == 0


def test_a_person_may_hold_what_has_yet_to_go(exporting: ExportWorld) -> None:
    exporting.work_order("W1", {"code": "NEW"})
    exporting.run()
    decisions.hold(exporting.store, "W1")
    exporting.books.put_record(Entity.ARTICLE, "NEW")
    exporting.run()
    assert exporting.state("W1") == ("held", "by_hand")
    assert exporting.books.documents() == []


def test_older_work_orders_stay_out_and_can_be_released(exporting: ExportWorld) -> None:
    exporting.save(cut_off="2026-11-10")
    exporting.work_order("W1", {})
    exporting.work_order("W2", {}, WorkEndDate="11-11-2026")
    exporting.run()
    assert exporting.state("W1") == ("older", "before_cut_off")
    assert exporting.state("W2") == ("done", "")
    decisions.release(exporting.store, "W1")
    exporting.run()
    assert exporting.state("W1") == ("done", "")


def test_switching_on_again_begins_now(exporting: ExportWorld) -> None:
    exporting.save(enabled=False)
    exporting.save(enabled=True)
    exporting.work_order("W1", {})
    exporting.run()
    assert exporting.state("W1") == ("older", "before_cut_off")


def test_own_production_is_never_billed(exporting: ExportWorld) -> None:
    exporting.work_order("SH-7", {})
    exporting.run()
    assert exporting.state("SH-7") == ("held", "own_production")
    with pytest.raises(InvalidSettings):
        decisions.release(exporting.store, "SH-7")


def test_what_fails_for_a_missing_record_goes_by_itself_once_it_is_there(exporting: ExportWorld) -> None:
    exporting.save(failure_status="99")
    row = exporting.work_order("W1", {"code": "NEW"})
    exporting.run()
    assert exporting.state("W1") == ("failed", "unknown_record")
    assert "NEW" in exporting.export("W1").cause
    assert "W1" in exporting.export("W1").cause
    assert exporting.outsmart(row)["WorkStatus"] == "99"
    exporting.books.put_record(Entity.ARTICLE, "NEW")
    exporting.run()
    assert exporting.state("W1") == ("done", "")


def test_missing_records_are_made_where_that_is_switched_on(exporting: ExportWorld) -> None:
    exporting.save(create_relations=True, create_materials=True)
    exporting.work_order("W1", {"code": "NEW"}, CustomerDebtorNr="300", CustomerName="Slagerij")
    exporting.work_order("W2", {"code": "NEW"}, CustomerDebtorNr="300", CustomerName="Slagerij")
    exporting.run()
    assert exporting.state("W1") == exporting.state("W2") == ("done", "")
    called = exporting.books.called()
    assert (called.count("create_customer"), called.count("create_article")) == (1, 1)


def test_a_likely_match_is_held_and_made_when_a_person_says_so(exporting: ExportWorld) -> None:
    exporting.save(create_relations=True)
    exporting.books.put_record(Entity.CUSTOMER, "8", Known(remote_id="eight", code="8", title="Slagerij"))
    exporting.work_order("W1", {}, CustomerDebtorNr="300", CustomerName="Slagerij")
    exporting.run()
    assert exporting.state("W1") == ("held", "likely_match")
    decisions.release(exporting.store, "W1")
    exporting.run()
    assert exporting.state("W1") == ("done", "")


def test_a_fallback_article_keeps_the_line_s_own_words_and_price(exporting: ExportWorld) -> None:
    exporting.save(fallback_material="A2")
    exporting.work_order("W1", {"code": "ODD", "price": "3,15", "MaterialName": "Odd thing"})
    exporting.run()
    (document,) = exporting.books.documents()
    assert (document.lines[0].text, document.lines[0].price) == ("Odd thing", Decimal("3.15"))


def test_hours_go_as_lines_at_the_hour_type_s_price(exporting: ExportWorld) -> None:
    exporting.save(hour_rounding="15", document="sales_invoice")
    period = {"WorkDate": "05-11-2026", "BeginTime": "23:00", "EndTime": "00:40", "Break": "10", "HourType": "H1"}
    exporting.work_order("W1", Workperiods=[period])
    exporting.run()
    (document,) = exporting.books.documents()
    hours, text = document.lines
    assert (hours.quantity, hours.price, hours.amount) == (Decimal("1.50"), Decimal("60.00"), Decimal("90.00"))
    assert text.text == "Boiler mended"


def test_hours_and_costs_go_line_by_line_and_each_once(exporting: ExportWorld) -> None:
    exporting.save(document="hours")
    periods = [{"WorkDate": "05-11-2026", "BeginTime": "08:00", "EndTime": "09:00", "HourType": "H1"}] * 2
    exporting.gateway.trouble = Script("", "lost after")
    exporting.work_order("W1", {}, Workperiods=periods)
    exporting.run()
    assert exporting.state("W1") == ("uncertain", "unsure")
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert sorted(each.lines[0].key for each in exporting.books.documents()) == ["h1", "h2", "m1"]


@pytest.mark.parametrize("trouble", ["lost before", "lost after", "not sent"])
def test_whatever_becomes_of_the_answer_there_is_one_document(exporting: ExportWorld, trouble: str) -> None:
    exporting.gateway.trouble = Script(trouble)
    exporting.work_order("W1", {})
    for _ in range(4):
        exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert len(exporting.books.documents()) == 1


def test_not_found_counts_only_after_a_second_look_in_a_later_cycle(exporting: ExportWorld) -> None:
    exporting.gateway.trouble = Script("lost before")
    exporting.work_order("W1", {})
    states = []
    for _ in range(3):
        exporting.run()
        states.append(exporting.state("W1")[0])
    assert states == ["uncertain", "uncertain", "done"]


def test_a_found_document_that_is_other_is_for_a_person_to_decide(exporting: ExportWorld) -> None:
    exporting.gateway.trouble = Script("lost after")
    exporting.gateway.changes = {"extra": Decimal(50)}
    exporting.work_order("W1", {})
    exporting.run()
    exporting.run()
    assert exporting.state("W1") == ("uncertain", "half_alike")
    decisions.settle(exporting.store, exporting.gateway, "W1", there="1")
    exporting.run()
    assert exporting.state("W1") == ("differs", "total")
    decisions.settle(exporting.store, exporting.gateway, "W1", accept=True)
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert len(exporting.books.documents()) == 1


def test_a_person_says_that_it_is_not_there(exporting: ExportWorld) -> None:
    exporting.gateway.trouble = Script("lost before")
    exporting.work_order("W1", {})
    exporting.run()
    decisions.settle(exporting.store, exporting.gateway, "W1", not_there=True)
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert len(exporting.books.documents()) == 1


def test_another_total_is_told_with_both_figures(exporting: ExportWorld) -> None:
    exporting.gateway.changes = {"extra": Decimal("0.01")}
    row = exporting.work_order("W1", {"quantity": "3", "price": "0,10"})
    exporting.run()
    found = exporting.export("W1")
    assert (found.state, found.expected, found.actual) == ("differs", Decimal("0.30"), Decimal("0.31"))
    assert exporting.outsmart(row)["status"] == "Compleet"
    decisions.settle(exporting.store, exporting.gateway, "W1", accept=True)
    exporting.run()
    assert exporting.outsmart(row)["status"] == "Afgehandeld"


def test_a_refused_document_is_sent_again_when_a_person_says_so(exporting: ExportWorld) -> None:
    exporting.gateway.changes = {"refuses": "create"}
    exporting.work_order("W1", {})
    exporting.run()
    assert exporting.state("W1") == ("failed", "refused")
    exporting.gateway.changes = {}
    exporting.run()
    assert exporting.state("W1")[0] == "failed"
    decisions.resend(exporting.store, exporting.gateway, "W1")
    exporting.run()
    assert exporting.state("W1") == ("done", "")


def test_what_is_resent_although_it_is_there_asks_first(exporting: ExportWorld) -> None:
    row = exporting.work_order("W1", {})
    exporting.run()
    again = decisions.resend(exporting.store, exporting.gateway, "W1")
    assert again.there == "1"
    exporting.run()
    assert len(exporting.books.documents()) == 1
    exporting.change(
        row, Materials=[{"MaterialCode": "A1", "MaterialNr": "5", "MaterialPrice": "1", "MaterialName": "x"}]
    )
    decisions.resend(exporting.store, exporting.gateway, "W1", update=True)
    exporting.run()
    assert [each.total for each in exporting.books.documents()] == [Decimal("5.00")]
    decisions.resend(exporting.store, exporting.gateway, "W1", second=True)
    exporting.run()
    assert len(exporting.books.documents()) == 2


def test_a_document_that_was_deleted_is_made_anew(exporting: ExportWorld) -> None:
    exporting.work_order("W1", {})
    exporting.run()
    exporting.books.remove(exporting.export("W1").remote_id)
    decisions.resend(exporting.store, exporting.gateway, "W1")
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert len(exporting.books.documents()) == 1


def test_changed_and_completed_again_is_shown_and_not_sent(exporting: ExportWorld) -> None:
    row = exporting.work_order("W1", {})
    exporting.run()
    exporting.change(row, status="Compleet", Materials=[])
    exporting.run()
    assert exporting.state("W1") == ("changed", "changed_later")
    assert len(exporting.books.documents()) == 1


def test_a_work_order_with_nothing_to_bill_says_so(exporting: ExportWorld) -> None:
    exporting.work_order("W1", {"quantity": "0"})
    exporting.run()
    assert exporting.state("W1") == ("failed", "empty")


def test_a_chosen_work_status_switches_automatic_off(exporting: ExportWorld) -> None:
    exporting.save(trigger_status="1")
    exporting.work_order("W1", {})
    exporting.work_order("W2", {}, WorkStatus="1")
    exporting.run()
    assert [each.number for each in exporting.books.documents()] == ["W2"]


def test_a_named_work_order_goes_whatever_its_date_and_status(exporting: ExportWorld) -> None:
    exporting.save(trigger_status="1", cut_off="2026-12-01")
    exporting.work_order("W1", {}, status="Afgehandeld")
    exporting.work_order("W2", {})
    exporting.run("W1")
    assert [each.number for each in exporting.books.documents()] == ["W1"]


def test_numbers_repeat_and_row_ids_do_not(exporting: ExportWorld) -> None:
    exporting.work_order("W1", {})
    second = exporting.work_order("W1", {"quantity": "9"})
    exporting.run()
    assert len(exporting.books.documents()) == 2
    with pytest.raises(InvalidSettings, match="Several"):
        exporting.export("W1")
    assert exporting.export(second).state == "done"


def test_a_preview_shows_documents_and_sends_nothing(exporting: ExportWorld) -> None:
    exporting.save(create_materials=True)
    row = exporting.work_order("W1", {"code": "NEW", "quantity": "2", "price": "1,25"})
    exporting.run(preview=True)
    text = "\n".join(exports.preview_lines(exporting.store, exporting.run_id))
    assert "Work order W1: sales_order, total 2.50" in text
    assert "a new article NEW" in text
    assert exporting.books.documents() == []
    assert exporting.outsmart(row)["status"] == "Compleet"


def test_a_preview_tells_the_calls_that_are_made(exporting: ExportWorld) -> None:
    exporting.save(document="sales_invoice", pdf=True, photos=True)
    exporting.gateway.pdf = b"%PDF-1.7"
    exporting.work_order("W1", {}, Photos=[{"title": "Before"}, {"title": "After"}])
    exporting.run(preview=True)
    text = "\n".join(exports.preview_lines(exporting.store, exporting.run_id))
    exporting.books.forget()
    exporting.run(categories=("work_orders",))
    assert f", {len(exporting.books.called())} calls" in text


def test_the_pdf_is_attached_once_whatever_happens(exporting: ExportWorld) -> None:
    exporting.save(pdf=True)
    exporting.gateway.pdf = b"%PDF-1.7"
    exporting.gateway.trouble = Script("", "lost after", "lost after", "lost after")
    exporting.work_order("W1", {})
    for _ in range(4):
        exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert [each[1:] for each in exporting.books.files()] == [("W1.pdf", 1)]
    assert len(exporting.books.documents()) == 1


def test_calls_of_a_work_order(exporting: ExportWorld) -> None:
    """One that creates; with the PDF three more; look-ups in one call each for all of them, and none when warm."""
    exporting.save(pdf=True)
    exporting.gateway.pdf = b"%PDF-1.7"
    for number in range(5):
        exporting.work_order(f"W{number}", {})
    exporting.run(categories=("work_orders",))
    cold = exporting.books.called()
    assert (cold.count("create"), cold.count("look_up"), len(cold)) == (5, 2, 22)
    exporting.books.forget()
    exporting.work_order("W9", {})
    exporting.run(categories=("work_orders",))
    assert exporting.books.called() == ["create", "create_file", "attach", "link_file"]


def test_the_way_back_is_kept_and_told(exporting: ExportWorld) -> None:
    switch_on_the_way_back(exporting)
    row = exporting.work_order("W1", {})
    exporting.run()
    remote_id = exporting.export("W1").remote_id
    exporting.books.put_state(InvoiceState(document=remote_id, invoice="inv", number="2026-1", booked=True))
    exporting.books.put_state(InvoiceState(document="foreign", invoice="other", number="2026-2", booked=True))
    exporting.run(categories=("invoice_status",))
    found = exporting.export("W1")
    assert (found.invoice_number, found.booked, found.paid) == ("2026-1", True, False)
    assert exporting.outsmart(row)["WorkStatus"] == "I"
    exporting.books.put_state(InvoiceState(invoice="inv", paid=True))
    exporting.run(categories=("invoice_status",))
    assert exporting.export("W1").paid
    assert exporting.outsmart(row)["WorkStatus"] == "P"


def test_only_one_connection_of_an_account_exports(exporting: ExportWorld) -> None:
    other = exporting.world.rig.connect(2001002)
    with pytest.raises(InvalidSettings, match="already exports"):
        settings.save(exporting.store, other, {"work_orders": {"enabled": True}})


def test_reconnecting_makes_no_second_document(exporting: ExportWorld) -> None:
    row = exporting.work_order("W1", {})
    exporting.run()
    first = exporting.world.connection
    connect.disconnect(exporting.store, first)
    exporting.change(row, status="Compleet")
    other = exporting.world.rig.connect(2001002, work_orders={"enabled": True, "cut_off": "2026-01-01", "pdf": False})
    exporting.world.connection = other
    exporting.run()
    assert exporting.state("W1")[0] == "done"
    connect.disconnect(exporting.store, other)
    exporting.world.connection = exporting.world.rig.connect(2001006)
    assert exporting.world.connection.id == first.id
    assert not settings.read(exporting.store, exporting.world.connection).categories["work_orders"]["enabled"]
    exporting.save(enabled=True, cut_off="2026-01-01")
    exporting.run()
    assert len(exporting.books.documents()) == 1


def test_two_tasks_of_one_run_do_not_both_send(exporting: ExportWorld, monkeypatch: Any) -> None:
    """Airflow may take a task for dead that goes on: the second one finds the line of the first."""
    exporting.work_order("W1", {})
    seen: list[str] = []
    create = Books.create

    def and_another(self: Books, kind: Any, document: Any) -> Any:
        if not seen:
            seen.append("first")
            exporting.store.engine.dispose()
            from outsmart_sync.pipeline.job import Step
            from outsmart_sync.services.export_steps import run_step

            run_id = max(row.id for row in exporting.world.rig.rows(_run_table()))
            run_step(
                exporting.store, exporting.gateway, Step.UPSERT, run_id, exporting.world.connection.id, "work_orders"
            )
        return create(self, kind, document)

    monkeypatch.setattr(Books, "create", and_another)
    exporting.run()
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert len(exporting.books.documents()) == 1


def _run_table() -> Any:
    from outsmart_sync.store.tables import run

    return run


def test_unreadable_numbers_are_told_and_not_guessed(exporting: ExportWorld) -> None:
    period = {"WorkDate": "05-11-2026", "BeginTime": "8 o'clock", "EndTime": "09:00", "HourType": "H1"}
    exporting.world.control.write_outsmart(ACCOUNT, "hourtypes", {"code": "H1"})
    exporting.work_order("W1", {}, Workperiods=[period])
    exporting.run()
    assert exporting.state("W1") == ("failed", "unreadable")
    assert "8 o'clock" in exporting.export("W1").cause


def test_before_the_first_export_it_says_how_many_would_go(exporting: ExportWorld) -> None:
    from outsmart_sync.services import export_count

    exporting.save(cut_off="2026-11-02")
    exporting.work_order("W1", {})
    exporting.work_order("W2", {}, WorkEndDate="01-11-2026")
    exporting.work_order("W3", {}, PaymentMethod="contant voldaan")
    found = export_count.first_export(exporting.store, exporting.gateway, exporting.world.connection)
    assert (found.goes, found.held, found.older) == (1, 1, 1)
    assert exports.listed(exporting.store) == []
    assert {each["status"] for each in exporting.work_orders()} == {"Compleet"}


def test_the_trigger_form_s_actions_are_those_of_the_command_line(exporting: ExportWorld) -> None:
    from outsmart_sync.services import export_actions

    exporting.work_order("W1", {}, PaymentMethod="contant voldaan")
    exporting.run()
    act = export_actions.act
    assert "held" in act(exporting.store, exporting.gateway, "list", [])[0]
    assert "contant voldaan" in act(exporting.store, exporting.gateway, "show", ["W1"])[0]
    act(exporting.store, exporting.gateway, "release", ["W1"])
    exporting.run()
    with pytest.raises(InvalidSettings, match="still there"):
        act(exporting.store, exporting.gateway, "resend", ["W1"])
    with pytest.raises(InvalidSettings, match="No work order"):
        act(exporting.store, exporting.gateway, "hold", [])


def test_photos_are_attached_where_the_package_takes_them(exporting: ExportWorld) -> None:
    exporting.save(document="sales_invoice", photos=True)
    exporting.work_order("W1", {}, Photos=[{"title": "Before"}, {"title": "After"}])
    exporting.gateway.trouble = Script("", "", "lost after")
    for _ in range(3):
        exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert sorted(each[1] for each in exporting.books.files()) == ["W1-1.png", "W1-2.png"]


def test_what_is_changed_while_it_is_exported_is_told(exporting: ExportWorld, monkeypatch: Any) -> None:
    row = exporting.work_order("W1", {})
    create = Books.create

    def and_somebody_edits(self: Books, kind: Any, document: Any) -> Any:
        exporting.change(row, Materials=[])
        return create(self, kind, document)

    monkeypatch.setattr(Books, "create", and_somebody_edits)
    exporting.run()
    assert exporting.state("W1") == ("changed", "changed_while_exporting")
    assert exporting.outsmart(row)["status"] == "Afgehandeld"
    exporting.run()
    assert exporting.state("W1")[0] == "changed"
    decisions.settle(exporting.store, exporting.gateway, "W1", accept=True)
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert len(exporting.books.documents()) == 1


def test_what_somebody_settled_in_outsmart_before_it_went_is_held(exporting: ExportWorld) -> None:
    row = exporting.work_order("W1", {"code": "NEW"})
    exporting.run()
    exporting.change(row, status="Afgehandeld")
    exporting.books.put_record(Entity.ARTICLE, "NEW")
    exporting.run()
    assert exporting.state("W1") == ("held", "handled_by_hand")
    decisions.release(exporting.store, "W1")
    exporting.run()
    assert exporting.state("W1") == ("done", "")


def test_what_was_begun_is_ended_as_the_document_that_it_was_begun_as(exporting: ExportWorld) -> None:
    exporting.gateway.trouble = Script("lost after")
    exporting.work_order("W1", {})
    exporting.run()
    exporting.save(document="sales_invoice")
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert [each.kind for each in exporting.books.documents()] == ["sales_order"]


def test_a_payer_of_its_own_pays_and_a_negative_total_is_a_credit(exporting: ExportWorld) -> None:
    exporting.work_order("W1", {"quantity": "-2", "price": "10"}, CustomerDebtorNrInvoice="200")
    exporting.run()
    (document,) = exporting.books.documents()
    assert (document.total, document.is_credit) == (Decimal("-20.00"), True)
    assert document.customer == document.deliver_to != document.invoice_to


def test_hours_that_an_earlier_run_booked_are_compared_with_what_the_work_order_says_now(
    exporting: ExportWorld,
) -> None:
    exporting.save(document="hours")
    period = {"WorkDate": "05-11-2026", "BeginTime": "08:00", "EndTime": "09:00", "HourType": "H1"}
    row = exporting.work_order("W1", {}, Workperiods=[period])
    exporting.gateway.trouble = Script("", "not sent")
    exporting.run()
    assert exporting.state("W1")[0] == "sending"
    exporting.change(row, Workperiods=[period | {"EndTime": "11:00"}])
    exporting.run()
    assert exporting.state("W1") == ("changed", "changed_while_exporting")
    assert len(exporting.books.documents()) == 1


def test_a_dead_link_of_a_pdf_stops_nobody_and_is_tried_again_by_resend(exporting: ExportWorld) -> None:
    exporting.save(pdf=True)
    control = exporting.world.control
    host = "/".join(exporting.gateway.outsmart_url.split("/")[:3])
    dead = f"{host}/worksheets/{ACCOUNT}/0.pdf"
    first = exporting.work_order("W1", {})
    control.change_work_order(ACCOUNT, first, PdfUrl=dead)
    exporting.work_order("W2", {})
    exporting.run()
    found = exporting.export("W1")
    assert (found.state, found.reason) == ("done", "no_pdf")
    assert "link has run out" in found.cause
    assert "resend" in found.remedy
    assert exporting.outsmart(first)["status"] == "Afgehandeld"
    assert exporting.state("W2") == ("done", "")
    assert [each[1] for each in exporting.books.files()] == ["W2.pdf"]
    control.change_work_order(ACCOUNT, first, PdfUrl="")
    decisions.resend(exporting.store, exporting.gateway, "W1")
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert [each[1] for each in exporting.books.files()] == ["W2.pdf", "W1.pdf"]
    assert len(exporting.books.documents()) == 2


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_link_that_has_run_out_is_no_refusal_of_our_tokens(exporting: ExportWorld, status: int) -> None:
    exporting.save(pdf=True)
    exporting.world.control.add_fault("status", vendor="outsmart", path=".pdf", status=status)
    exporting.work_order("W1", {})
    exporting.work_order("W2", {})
    result = exporting.run()["work_orders"]
    assert result.error_text == ""
    assert sorted(each[1] for each in exporting.books.files()) == ["W2.pdf"]
    assert exporting.state("W1") == ("done", "no_pdf")


def test_a_pdf_that_does_not_come_leaves_its_work_order_on_the_way_and_the_others_go(exporting: ExportWorld) -> None:
    exporting.save(pdf=True)
    exporting.work_order("W1", {})
    exporting.work_order("W2", {})
    exporting.world.control.add_fault("status", vendor="outsmart", path=".pdf", status=500, times=3)
    exporting.run()
    assert exporting.state("W1") == ("sending", "file_unread")
    assert exporting.state("W2") == ("done", "")
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert len(exporting.books.documents()) == 2


def test_an_invoice_of_two_orders_is_told_to_both_work_orders(exporting: ExportWorld) -> None:
    switch_on_the_way_back(exporting)
    rows = [exporting.work_order(f"W{number}", {}) for number in (1, 2)]
    exporting.run()
    for number in (1, 2):
        remote_id = exporting.export(f"W{number}").remote_id
        exporting.books.put_state(InvoiceState(document=remote_id, invoice="inv", number="7"))
    exporting.books.put_state(InvoiceState(document="inv", invoice="inv", number="7", booked=True))
    exporting.run(categories=("invoice_status",))
    assert [exporting.outsmart(row)["WorkStatus"] for row in rows] == ["I", "I"]
    exporting.books.put_state(InvoiceState(document="inv", invoice="inv", number="7", booked=True, paid=True))
    exporting.run(categories=("invoice_status",))
    assert [exporting.outsmart(row)["WorkStatus"] for row in rows] == ["P", "P"]


def test_the_way_back_begins_where_the_earliest_open_document_was_sent(exporting: ExportWorld) -> None:
    for number in range(3):
        exporting.work_order(f"W{number}", {})
    exporting.run()
    begun = {"W0": "2026-09-01", "W1": "2026-10-02", "W2": "2026-11-03"}
    with exporting.store.begin() as connection:
        for number, day in begun.items():
            key = exporting.export(number).row_id
            moment = datetime.fromisoformat(f"{day}T09:00:00+00:00")
            connection.execute(update(ledger_table).where(ledger_table.c.key == key).values(begun_at=moment))
        paid = export_table.c.number == "W0"
        connection.execute(update(export_table).where(paid).values(paid=True))
    switch_on_the_way_back(exporting)
    exporting.books.forget()
    exporting.run(categories=("invoice_status",))
    assert exporting.books.called() == ["invoice_states 2026-10-02"]


def gone_before_it_was_compared(exporting: ExportWorld) -> str:
    """A work order whose document was made, without an answer, and deleted by the office; its row id."""
    exporting.gateway.trouble = Script("lost after")
    row = exporting.work_order("W1", {})
    exporting.run()
    decisions.settle(exporting.store, exporting.gateway, "W1", there="1")
    with exporting.store.begin() as connection:  # as when it was killed before it was noted
        connection.execute(update(export_table).values(remote_id="", remote_number=""))
    exporting.books.remove(exporting.books.first_id())
    exporting.run()
    assert exporting.state("W1") == ("differs", "gone")
    return row


def test_a_document_that_is_gone_may_be_accepted_as_that(exporting: ExportWorld) -> None:
    row = gone_before_it_was_compared(exporting)
    decisions.settle(exporting.store, exporting.gateway, "W1", accept=True)
    exporting.run()
    assert exporting.state("W1") == ("done", "gone")
    assert exporting.outsmart(row)["status"] == "Afgehandeld"
    assert exporting.books.documents() == []
    exporting.run()
    assert exporting.books.documents() == []
    decisions.resend(exporting.store, exporting.gateway, "W1")
    exporting.run("W1")
    assert (exporting.state("W1"), len(exporting.books.documents())) == (("done", ""), 1)


def test_a_document_that_is_gone_may_be_sent_again(exporting: ExportWorld) -> None:
    gone_before_it_was_compared(exporting)
    decisions.resend(exporting.store, exporting.gateway, "W1")
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert len(exporting.books.documents()) == 1


def switch_on_the_way_back(exporting: ExportWorld) -> None:
    statuses = {"enabled": True, "invoiced_status": "I", "paid_status": "P"}
    settings.save(exporting.store, exporting.world.connection, {"invoice_status": statuses})


def test_hours_that_outsmart_does_not_charge_are_not_billed(exporting: ExportWorld) -> None:
    exporting.world.by_hand(
        "hourtypes", code="H0", name="Free", cost_booking="1", sale_booking="0", sale_price="45,00", active="1"
    )
    exporting.books.put_record(Entity.HOUR_ARTICLE, "H0")
    day = {"WorkDate": "05-11-2026", "BeginTime": "08:00"}
    periods = [day | {"EndTime": "11:00", "HourType": "H0"}, day | {"EndTime": "09:00", "HourType": "H1"}]
    exporting.work_order("W1", Workperiods=periods, MinimumHours="2")
    exporting.work_order("W2", Workperiods=periods[:1])
    exporting.run()
    (document,) = exporting.books.documents()
    # The two hours at least count for what is charged.
    assert [(each.code, each.quantity) for each in document.lines] == [("H1", Decimal(2))]
    assert exporting.state("W2") == ("failed", "empty")
    exporting.work_order("W3", Workperiods=periods)  # what was read is kept
    exporting.run()
    assert [each.total for each in exporting.books.documents()] == [Decimal("120.00"), Decimal("60.00")]


def test_a_number_that_is_another_one_s_row_id_is_no_name(exporting: ExportWorld) -> None:
    first = exporting.work_order("W1", {})
    second = exporting.work_order(first, {"quantity": "9"})
    result = exporting.run(first)["work_orders"]
    assert f"id:{first} (number W1, Bakkerij Jansen), id:{second} (number {first}," in result.error_text
    assert exporting.books.documents() == []
    exporting.run(f"id:{second}")
    assert [each.number for each in exporting.books.documents()] == [first]
    exporting.run()
    with pytest.raises(InvalidSettings, match=f"id:{first} .number W1"):
        decisions.hold(exporting.store, first)
    again = decisions.resend(exporting.store, exporting.gateway, f"id:{first}")
    assert again.shown.number == "W1"


def test_a_customer_that_an_earlier_run_made_is_known_whole(exporting: ExportWorld, monkeypatch: Any) -> None:
    exporting.save(create_relations=True)
    exporting.gateway.trouble = Script("", "not sent")  # the customer is made, the document is not
    exporting.work_order("W1", {}, CustomerDebtorNr="300", CustomerName="Slagerij")
    exporting.run()
    exporting.books.change_record(Entity.CUSTOMER, "300", blocked="it is billed in USD")
    with exporting.store.begin() as connection:
        connection.execute(delete(looked_up_table))
    look_up = Books.look_up

    def not_listed_yet(self: Books, entity: Entity, codes: Any) -> Any:
        return {} if entity is Entity.CUSTOMER else look_up(self, entity, codes)

    monkeypatch.setattr(Books, "look_up", not_listed_yet)
    exporting.run()
    assert exporting.state("W1") == ("failed", "blocked_record")


def test_hours_that_the_package_prices_are_not_booked_where_nothing_is_to_be_charged(exporting: ExportWorld) -> None:
    exporting.save(document="hours", types_of_work={"Service": "free"})
    period = {"WorkDate": "05-11-2026", "BeginTime": "08:00", "EndTime": "09:00", "HourType": "H1"}
    exporting.work_order("W1", {}, Workperiods=[period])
    exporting.work_order("W2", {})
    exporting.run()
    assert exporting.state("W1") == ("held", "hours_not_free")
    assert exporting.state("W2") == ("done", "")
    (document,) = exporting.books.documents()
    assert (document.number, document.lines[0].price) == ("W2", 0)


def test_what_is_changed_after_another_connection_exported_it_is_told(exporting: ExportWorld) -> None:
    row = exporting.work_order("W1", {})
    exporting.run()
    connect.disconnect(exporting.store, exporting.world.connection)
    exporting.change(row, status="Compleet", Materials=[line("A1", "7")])
    exporting.world.connection = exporting.world.rig.connect(
        2001002, work_orders={"enabled": True, "cut_off": "2026-01-01", "pdf": False}
    )
    exporting.run()
    assert exporting.state("W1") == ("changed", "changed_later")
    assert len(exporting.books.documents()) == 1


@pytest.mark.parametrize("refused", ["create_file", "attach", "link_file"])
def test_a_file_that_is_refused_fails_no_work_order(exporting: ExportWorld, refused: str) -> None:
    exporting.save(pdf=True)
    exporting.gateway.pdf = b"%PDF-1.7"
    exporting.gateway.changes = {"refuses": refused}
    row = exporting.work_order("W1", {})
    exporting.run()
    assert exporting.state("W1") == ("done", "no_pdf")
    assert exporting.outsmart(row)["status"] == "Afgehandeld"
    exporting.gateway.changes = {}
    decisions.resend(exporting.store, exporting.gateway, "W1")
    exporting.run()
    assert exporting.state("W1") == ("done", "")
    assert [each[1:] for each in exporting.books.files()] == [("W1.pdf", 1)]


def of_invoices(exporting: ExportWorld, *states: InvoiceState) -> exports.Shown:
    for state in states:
        exporting.books.put_state(state)
    exporting.run(categories=("invoice_status",))
    return exports.shown(exporting.store, exporting.export("W1"))


def test_an_order_that_is_invoiced_in_two_parts_is_paid_when_both_are(exporting: ExportWorld) -> None:
    switch_on_the_way_back(exporting)
    row = exporting.work_order("W1", {})
    exporting.run()
    order = exporting.export("W1").remote_id
    one, two = (InvoiceState(document=order, invoice=f"i{each}", number=f"{each}", booked=True) for each in (1, 2))
    of_invoices(exporting, one)
    told = of_invoices(exporting, two)
    assert (told.invoice_number, told.booked, told.paid) == ("1, 2", True, False)
    assert not of_invoices(exporting, InvoiceState(document="i2", invoice="i2", number="2", paid=True)).paid
    assert exporting.outsmart(row)["WorkStatus"] == "I"
    assert of_invoices(exporting, InvoiceState(document="i1", invoice="i1", number="1", paid=True)).paid
    assert exporting.outsmart(row)["WorkStatus"] == "P"


def test_an_order_of_which_something_is_left_to_invoice_is_not_paid(exporting: ExportWorld) -> None:
    switch_on_the_way_back(exporting)
    exporting.work_order("W1", {})
    exporting.run()
    order = exporting.export("W1").remote_id
    exporting.books.put_order(order)
    state = InvoiceState(document=order, invoice="i1", number="1", booked=True, paid=True)
    assert not of_invoices(exporting, state).paid
    exporting.books.put_order(order, "invoiced")
    assert of_invoices(exporting, state).paid


def test_an_invoice_of_an_order_that_is_deleted_is_told_no_more(exporting: ExportWorld) -> None:
    switch_on_the_way_back(exporting)
    exporting.work_order("W1", {})
    exporting.run()
    order = exporting.export("W1").remote_id
    for each in ("1", "2"):
        of_invoices(exporting, InvoiceState(document=order, invoice=f"i{each}", number=each, booked=True))
    told = of_invoices(exporting, InvoiceState(document="i1", invoice="i1", gone=True))
    assert (told.invoice_number, told.booked) == ("2", True)
    told = of_invoices(exporting, InvoiceState(document="i2", invoice="i2", gone=True))
    assert (told.invoice_number, told.booked, exporting.export("W1").invoice) == ("", False, "")
    assert exporting.state("W1") == ("done", "")


def test_a_document_that_is_deleted_after_it_was_exported_is_for_a_person(exporting: ExportWorld) -> None:
    switch_on_the_way_back(exporting)
    exporting.save(document="sales_invoice")
    exporting.work_order("W1", {})
    exporting.run()
    ours = exporting.export("W1").remote_id
    of_invoices(exporting, InvoiceState(document=ours, invoice=ours, number="7", booked=True))
    exporting.books.remove(ours)
    told = of_invoices(exporting, InvoiceState(document=ours, invoice=ours, gone=True))
    assert exporting.state("W1") == ("differs", "gone")
    assert (told.invoice_number, told.booked) == ("", False)
    decisions.settle(exporting.store, exporting.gateway, "W1", accept=True)
    exporting.run()
    of_invoices(exporting, InvoiceState(document=ours, invoice=ours, gone=True))
    assert exporting.state("W1") == ("done", "gone")
    decisions.resend(exporting.store, exporting.gateway, "W1")
    exporting.run()
    of_invoices(exporting, InvoiceState(document=ours, invoice=ours, gone=True))
    assert exporting.state("W1") == ("done", "")
    assert len(exporting.books.documents()) == 1


def lost(exporting: ExportWorld) -> str:
    """A document that was made without an answer, and invoiced before anybody knew of it; its id."""
    switch_on_the_way_back(exporting)
    exporting.gateway.trouble = Script("lost after")
    exporting.work_order("W1", {})
    exporting.run()
    made = exporting.books.first_id()
    told = of_invoices(exporting, InvoiceState(document=made, invoice="inv", number="7", booked=True))
    assert not told.booked
    return made


def test_what_became_of_a_document_before_it_was_found_is_told_all_the_same(exporting: ExportWorld) -> None:
    lost(exporting)
    exporting.run(categories=("work_orders",))
    assert exporting.state("W1") == ("done", "")
    assert of_invoices(exporting).booked
    exporting.books.forget()
    of_invoices(exporting)  # all is read again only once
    assert exporting.books.called() == ["invoice_states"]


def test_what_became_of_a_document_of_a_run_that_was_killed_is_told_all_the_same(exporting: ExportWorld) -> None:
    switch_on_the_way_back(exporting)
    exporting.work_order("W1", {})
    exporting.run(categories=("work_orders",))
    made = exporting.export("W1").remote_id
    with exporting.store.begin() as connection:  # as when it was killed before it was noted
        connection.execute(update(export_table).values(remote_id="", remote_number="", state="sending"))
    assert not of_invoices(exporting, InvoiceState(document=made, invoice="inv", number="7", booked=True)).booked
    exporting.run(categories=("work_orders",))
    assert exporting.state("W1") == ("done", "")
    assert of_invoices(exporting).booked


def test_what_became_of_a_document_before_a_person_named_it_is_told_all_the_same(exporting: ExportWorld) -> None:
    made = lost(exporting)
    decisions.settle(exporting.store, exporting.gateway, "W1", there=made)
    assert of_invoices(exporting).booked


def test_a_run_that_reads_while_all_is_to_be_read_again_moves_nothing_on(
    exporting: ExportWorld, monkeypatch: Any
) -> None:
    lost(exporting)
    match = invoice_status.match

    def found_meanwhile(*args: Any) -> dict[str, int]:
        monkeypatch.setattr(invoice_status, "match", match)
        exporting.run(categories=("work_orders",))
        return match(*args)

    monkeypatch.setattr(invoice_status, "match", found_meanwhile)
    of_invoices(exporting)
    assert exporting.state("W1") == ("done", "")
    assert of_invoices(exporting).booked


def test_a_rule_s_journal_or_condition_that_has_no_place_holds_the_work_order(exporting: ExportWorld) -> None:
    exporting.save(types_of_work={"Service": "journal:70"}, payment_methods={"op rekening": "condition:30"})
    exporting.work_order("W1", {})
    exporting.run()
    assert exporting.state("W1") == ("held", "rule_unfit")
    assert "the journal 70, but what it becomes has none" in exporting.export("W1").cause
    exporting.save(document="sales_invoice")
    exporting.run()
    (document,) = exporting.books.documents()
    assert (document.journal, document.payment_condition) == ("70", "30")
    exporting.save(document="sales_order")
    exporting.work_order("W2", {})
    exporting.run()
    decisions.release(exporting.store, "W2")
    exporting.run()
    assert exporting.state("W2") == ("done", "")
