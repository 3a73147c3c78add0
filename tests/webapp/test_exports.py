"""Work orders on the page: the list, one of them, what people decide, and who may."""

from __future__ import annotations

import re
from typing import Any

import pytest

from exports.test_flow import Script
from exports.world import ExportWorld, line
from outsmart_sync.services import settings
from webapp.conftest import Browser, PlayedAirflow

DAG = "exact_online_export"


def numbers(text: str) -> list[str]:
    return re.findall(r'href="[^"]*exports/\d+/\w+">([^<]+)<', text)


def ask(page: Browser, world: ExportWorld, action: str, *row_ids: str, **form: str) -> Any:
    return page.post(f"exports/{world.world.connection.id}", data={"action": action, "work_order": row_ids, **form})


def test_what_waits_longest_is_first_and_what_is_done_is_not_in_the_list(page: Browser, world: ExportWorld) -> None:
    world.work_order("W1", line())
    world.run()
    world.work_order("W3", PaymentMethod="contant voldaan", WorkEndDate="05-11-2026")
    world.work_order("W2", line("NOPE"), WorkEndDate="04-11-2026")
    world.run()
    shown = page.get("exports").text
    assert numbers(shown) == ["W2", "W3"]
    assert "contant voldaan" in shown
    assert numbers(page.get("exports?state=done").text) == ["W1"]
    assert numbers(page.get("exports?state=failed").text) == ["W2"]
    assert sorted(numbers(page.get("exports?state=all").text)) == ["W1", "W2", "W3"]
    for state, first in (
        ("", "waits longest"),
        ("failed", "waits longest"),
        ("done", "changed last"),
        ("all", "changed last"),
    ):
        assert f"the one that {first} first" in page.get("exports", params={"state": state}).text, state
    assert 'data-tick-all="work_order"> Tick all' in shown
    assert page.get("exports?state=odd").status_code == 422


def test_one_work_order_shows_its_document_its_totals_and_its_history(page: Browser, world: ExportWorld) -> None:
    row = world.work_order("W1", line("A1", "2", "12,50"))
    world.run()
    shown = page.get(f"exports/{world.world.connection.id}/{row}").text
    for text in ("Bakkerij Jansen", "Item A1", "25.00", "sales order", "Exported", "Boiler mended"):
        assert text in shown, text
    assert page.get(f"exports/{world.world.connection.id}/999").status_code == 404


def test_a_preview_is_a_run_that_sends_nothing_and_is_shown_afterwards(
    page: Browser, world: ExportWorld, played: PlayedAirflow
) -> None:
    row = world.work_order("W1", line("A1", "3", "10,00"), PaymentMethod="contant voldaan")
    world.run()
    place = f"exports/{world.world.connection.id}/{row}"
    assert "Export" in page.post(f"{place}/preview").text
    assert played.triggered == [
        (
            DAG,
            {"connection": world.world.connection.id, "categories": ["work_orders"], "work_orders": [f"id:{row}"]}
            | {"preview": True},
        )
    ]
    world.save(payment_methods={})
    world.run(row, preview=True)
    shown = page.get(place).text
    assert "nothing was sent" in shown
    assert "30.00" in shown
    assert world.books.documents() == []


def test_a_failed_work_order_is_sent_again_at_once(page: Browser, world: ExportWorld, played: PlayedAirflow) -> None:
    row = world.work_order("W1", line("NOPE"))
    world.run()
    answer = ask(page, world, "resend", row)
    assert "done for 1 work order" in answer.text
    assert answer.headers["HX-Trigger"] == "looked-again"
    assert world.state("W1") == ("waiting", "")
    assert played.triggered == [
        (DAG, {"connection": world.world.connection.id, "categories": ["work_orders"], "work_orders": [f"id:{row}"]})
    ]


def test_a_document_that_is_there_is_not_made_again_by_accident(page: Browser, world: ExportWorld) -> None:
    row = world.work_order("W1", line())
    world.run()
    answer = ask(page, world, "resend", row)
    assert "still there" in answer.text
    assert "Make a second document" in page.get(f"exports/{world.world.connection.id}/{row}").text
    ask(page, world, "resend_second", row)
    world.run()
    assert len(world.books.documents()) == 2


def test_several_are_held_and_released_and_one_that_is_refused_keeps_no_other_from_it(
    page: Browser, world: ExportWorld, played: PlayedAirflow
) -> None:
    done = world.work_order("W1", line())
    world.run()
    first, second = (world.work_order(number, line("NOPE")) for number in ("W2", "W3"))
    world.run()
    answer = ask(page, world, "hold", first, done, second)
    assert "done for 2 work orders" in answer.text
    assert "Work order W1 is done" in answer.text
    assert played.triggered == []
    assert {world.state(number)[0] for number in ("W2", "W3")} == {"held"}
    ask(page, world, "release", first, second)
    assert {world.state(number)[0] for number in ("W2", "W3")} == {"waiting"}


def test_what_is_uncertain_is_settled_by_its_number_or_sent_again(page: Browser, world: ExportWorld) -> None:
    world.work_order("W0", line())
    world.run()
    taken = world.export("W0").remote_number
    world.gateway.trouble = Script("lost before")
    row = world.work_order("W1", line())
    world.run()
    assert "It is there, with this number" in page.get(f"exports/{world.world.connection.id}/{row}").text
    assert "is the document of work order W0" in ask(page, world, "settle_there", row, document=taken).text
    assert world.state("W1")[0] == "uncertain"
    assert "done for 1" in ask(page, world, "settle_not_there", row).text


def test_while_the_export_is_paused_a_decision_is_kept_and_said(
    page: Browser, world: ExportWorld, played: PlayedAirflow
) -> None:
    row = world.work_order("W1", line("NOPE"))
    world.run()
    played.paused.add(DAG)
    answer = ask(page, world, "resend", row)
    assert "The export is paused in Airflow" in answer.text
    assert world.state("W1") == ("waiting", "")


def test_a_viewer_sees_the_list_and_decides_nothing(page: Browser, world: ExportWorld, played: PlayedAirflow) -> None:
    row = world.work_order("W1", line("NOPE"))
    world.run()
    played.viewer()
    number = world.world.connection.id
    shown = page.get("exports").text
    assert numbers(shown) == ["W1"]
    assert 'name="action"' not in shown
    assert "Send again" not in page.get(f"exports/{number}/{row}").text
    for answer in (
        ask(page, world, "resend", row),
        page.post(f"exports/{number}/{row}/preview"),
        page.post(f"connections/{number}/export"),
        page.get(f"connections/{number}/exports/count"),
        page.post(f"connections/{number}", data={"shown": "work_orders.enabled"}),
        page.get(f"connections/{number}/rules/work_orders/types_of_work"),
    ):
        assert answer.status_code == 403, answer.url
    assert (world.state("W1")[0], played.triggered) == ("failed", [])


def test_the_right_to_edit_imports_is_not_the_right_to_export(
    page: Browser, world: ExportWorld, played: PlayedAirflow
) -> None:
    played.may = lambda method, name: method == "GET" or name != DAG
    number = world.world.connection.id
    shown = page.get(f"connections/{number}").text
    assert 'name="shown" value="relations.enabled"' in shown
    assert 'name="shown" value="work_orders.enabled"' not in shown
    assert page.post(f"connections/{number}", data={"shown": "work_orders.enabled"}).status_code == 403
    form = {"shown": "relations.enabled", "version": settings.read(world.store, world.world.connection).version}
    assert page.post(f"connections/{number}", data=form).status_code == 303


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}])
def test_a_forged_form_decides_nothing(page: Browser, world: ExportWorld, headers: dict[str, str]) -> None:
    row = world.work_order("W1", line("NOPE"))
    world.run()
    form = {"action": "resend", "work_order": row}
    assert page.post(f"exports/{world.world.connection.id}", data=form, headers=headers).status_code == 403
    assert world.state("W1")[0] == "failed"


def test_another_connection_s_work_order_is_not_decided_here(page: Browser, world: ExportWorld) -> None:
    assert ask(page, world, "hold", "12345").status_code == 404
    assert ask(page, world, "hold").status_code == 422
    assert page.post("exports/99", data={"action": "hold", "work_order": "1"}).status_code == 404


def test_exporting_now_needs_something_that_is_on_and_a_dag_that_runs(
    page: Browser, world: ExportWorld, played: PlayedAirflow
) -> None:
    number = world.world.connection.id
    assert "Waiting for its turn" in page.post(f"connections/{number}/export").text
    assert played.triggered == [(DAG, {"connection": number})]
    played.paused.add(DAG)
    assert "The export is paused" in page.post(f"connections/{number}/export").text
    played.paused.clear()
    world.save(enabled=False)
    answer = page.post(f"connections/{number}/export")
    assert answer.status_code == 422
    assert "There is nothing to export" in answer.text


def test_the_page_says_how_many_would_go(page: Browser, world: ExportWorld) -> None:
    world.work_order("W1", line())
    world.work_order("W2", line(), PaymentMethod="contant voldaan")
    shown = page.get(f"connections/{world.world.connection.id}/exports/count").text
    assert "With the next export would go, unless Exact Online lacks what they name: 1." in shown
    assert "Held by your rules: 1." in shown
