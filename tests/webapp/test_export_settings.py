"""Settings of the exports on the page: chosen from lists, validated at once, kept as they were typed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from outsmart_sync.errors import AccessDenied
from outsmart_sync.services import settings
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State
from outsmart_sync.webapp import airflow
from support import SMALL, Rig
from webapp.conftest import Browser, PlayedAirflow

DAG = "exact_online_export"
PAYMENTS = "work_orders.payment_methods"


def saved(rig: Rig, number: int = 1) -> Any:
    return settings.read(rig.store, connections.require(rig.store, number)).categories["work_orders"]


def save(page: Browser, rig: Rig, number: int = 1, **fields: Any) -> Any:
    """Save the form with these fields of the work orders; ``None`` is a box that is not ticked."""
    names = {name.partition("/")[0] for name in fields}
    form: dict[str, Any] = {"shown": [f"work_orders.{name}" for name in names]}
    form["version"] = settings.read(rig.store, connections.require(rig.store, number)).version
    form |= {f"work_orders.{name}": value for name, value in fields.items() if value is not None}
    return page.post(f"connections/{number}", data=form)


def test_switched_on_they_begin_now_run_by_themselves_and_say_how_many_go(
    page: Browser, exact: Rig, played: PlayedAirflow
) -> None:
    played.paused.add(DAG)
    answer = save(page, exact, enabled="on", cut_off="")
    assert answer.status_code == 303
    assert "&exports=1" in answer.headers["location"]
    assert saved(exact)["enabled"] is True
    assert saved(exact)["cut_off"] != ""
    assert played.unpaused == [DAG]
    shown = page.get("connections/1?saved=1&exports=1").text
    assert "Counting how many work orders the first export sends" in shown
    assert "Export now" in shown


def test_who_may_not_unpause_is_told_who_must(
    page: Browser, exact: Rig, played: PlayedAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AccessDenied("Airflow does not let you do this.", code="airflow_forbidden")

    played.paused.add(DAG)
    monkeypatch.setattr(airflow, "unpause", refuse)
    answer = save(page, exact, enabled="on")
    assert "unpause_export=1" in answer.headers["location"]
    assert f"right to edit the DAG {DAG}" in page.get("connections/1?unpause_export=1").text


def test_everything_that_is_wrong_is_said_at_once_and_what_was_typed_stays(page: Browser, exact: Rig) -> None:
    answer = save(
        page,
        exact,
        enabled="on",
        journal="999",
        trigger_status="nope",
        hour_rounding="15",
        travel_material="TR",
        **{"payment_methods/op rekening": "journal:70"},
    )
    assert answer.status_code == 422
    for text in ("999", "nope", "is not among the sales journals", 'value="TR"', 'value="15" selected'):
        assert text in answer.text, text
    kept = r'name="work_orders.payment_methods/op rekening".*?value="journal:70" selected'
    assert re.search(kept, answer.text, re.DOTALL)
    assert saved(exact)["enabled"] is False


def test_of_two_people_who_edit_the_second_is_told(page: Browser, exact: Rig) -> None:
    version = settings.read(exact.store, connections.require(exact.store, 1)).version
    save(page, exact, hour_rounding="15")
    form = {"shown": "work_orders.hour_rounding", "work_orders.hour_rounding": "30", "version": version}
    answer = page.post("connections/1", data=form)
    assert answer.status_code == 409
    assert "Somebody else saved these settings" in answer.text
    assert 'value="30" selected' in answer.text
    assert saved(exact)["hour_rounding"] == "15"


def test_the_cut_off_is_typed_in_the_administration_s_own_time(page: Browser, exact: Rig) -> None:
    save(page, exact, enabled="on", cut_off="2026-07-01T12:00")
    assert saved(exact)["cut_off"] == "2026-07-01T10:00:00+00:00"
    assert 'value="2026-07-01T12:00:00"' in page.get("connections/1").text


def test_a_rule_is_kept_for_each_value_and_export_needs_none(page: Browser, exact: Rig) -> None:
    save(page, exact, **{"payment_methods/pin betaling": "hold", "payment_methods/op rekening": "export"})
    assert saved(exact)["payment_methods"] == {"pin betaling": "hold"}
    save(page, exact, payment_methods=None)
    assert saved(exact)["payment_methods"] == {}


def test_the_code_of_a_rule_is_one_of_the_package_s_own(page: Browser, exact: Rig) -> None:
    for rule, said in {
        "journal:999": "is not among the sales journals",
        "condition:999": "is not among the payment conditions",
    }.items():
        answer = save(page, exact, **{"payment_methods/op rekening": rule})
        assert answer.status_code == 422
        assert said in answer.text
    assert "op rekening" not in saved(exact)["payment_methods"]
    save(page, exact, **{"payment_methods/op rekening": "journal:70"})
    assert saved(exact)["payment_methods"] == {"op rekening": "journal:70"}


def test_rules_offer_outsmart_s_list_and_the_package_s_journals_and_conditions(page: Browser, exact: Rig) -> None:
    shown = page.get("connections/1/rules/work_orders/payment_methods", params={f"{PAYMENTS}/pin betaling": "free"})
    assert re.search(r'name="work_orders.payment_methods/pin betaling".*?value="free" selected', shown.text, re.DOTALL)
    assert f'name="{PAYMENTS}/op rekening"' in shown.text
    assert 'value="journal:' in shown.text
    assert 'value="condition:' in shown.text
    assert page.get("connections/1/rules/work_orders/nothing").status_code == 404


@pytest.mark.parametrize("name", ["journal", "warehouse", "payment_condition", "document_type", "trigger_status"])
def test_choices_are_read_from_the_package_and_from_outsmart(page: Browser, exact: Rig, name: str) -> None:
    shown = page.get(f"connections/1/choices/work_orders/{name}").text
    assert f'name="work_orders.{name}"' in shown
    assert shown.count("<option") > 1


def test_articles_are_suggested_from_what_was_imported(page: Browser, exact: Rig) -> None:
    settings.save(exact.store, connections.require(exact.store, 1), {"materials": {"enabled": True}})
    exact.sync("materials")
    place = "connections/1/suggestions/work_orders/travel_material"
    assert '<option value="ART-000' in page.get(place, params={"work_orders.travel_material": "ART"}).text
    assert "<option" not in page.get(place, params={"work_orders.travel_material": ""}).text


def test_a_second_connection_of_the_account_cannot_export_and_hears_why(page: Browser, exact: Rig) -> None:
    second = exact.connect(SMALL)
    assert save(page, exact, enabled="on").status_code == 303
    answer = save(page, exact, second.id, enabled="on")
    assert answer.status_code == 422
    assert "already exports the work orders of this OutSmart account" in answer.text
    assert "outsmart-sync" not in re.sub(r"/outsmart-sync/", "", answer.text)


def test_what_a_start_date_means_is_told_after_it_is_saved(page: Browser, exact: Rig) -> None:
    settings.save(exact.store, connections.require(exact.store, 1), {"licence": "pro"})
    form = {
        "shown": ["sales_orders.enabled", "sales_orders.start_date"],
        "sales_orders.enabled": "on",
        "sales_orders.start_date": "2026-01-01",
        "version": settings.read(exact.store, connections.require(exact.store, 1)).version,
    }
    answer = page.post("connections/1", data=form)
    assert "counts=sales_orders" in answer.headers["location"]
    shown = page.get("connections/1/counts", params={"of": "sales_orders"}).text
    assert re.search(r"Sales orders: \d+ of \d+ come, those dated 1 Jan 2026 or later", shown)
    assert page.get("connections/1/counts").text == shown


def test_a_disconnected_administration_is_looked_at_only(page: Browser, exact: Rig) -> None:
    with exact.store.begin() as transaction:
        connections.set_state(transaction, 1, State.DISCONNECTED)
    assert 'name="shown"' not in page.get("connections/1").text
