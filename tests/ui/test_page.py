"""The page in a real browser, against a real Airflow and the sandbox: from an empty installation to its daily use.

The tests follow each other: the first import of one is what the next ones look at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import FrameLocator, Locator, Page, expect
from sqlalchemy import select

from outsmart_sync.services import exports, settings
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.tables import mirror
from page_stage import PageStage, frame
from sandbox.browser import Browser as VendorBrowser
from support import added

Window = Callable[..., Page]

AXE = Path(__file__).with_name("axe.min.js").read_text(encoding="utf-8")
DIVISION = 2001001
MAIN = "Van Dijk Installatietechniek B.V."
expect.set_options(timeout=60_000)
pytestmark = pytest.mark.timeout(600)  # a run of a DAG takes minutes on a busy machine
_RUN = 400_000


OPEN_ALL = "document.querySelectorAll('details').forEach(each => { each.open = true; })"
FRAME = "iframe[title='Software integrations']"


def page_of(window: Page, stage: PageStage, page: str = "") -> FrameLocator:
    """A page of ours inside Airflow's frame."""
    window.goto(f"{stage.address}?page={page}" if page else stage.address)
    return frame(window)


def bare(window: Page, stage: PageStage, page: str = "") -> Page:
    """A page of ours without Airflow's frame: quicker to load."""
    window.goto(stage.own_address + page)
    return window


def to_the_vendor(window: Page, stage: PageStage) -> None:
    shown = page_of(window, stage, "connect/exact-online")
    shown.get_by_label("Netherlands").check()
    shown.get_by_role("button", name="Go to the login page").click()
    window.locator("input[name=user_name]").wait_for()


def log_in_there(window: Page, user: str = "demo") -> None:
    window.locator("input[name=user_name]").fill(f"{user}@example.com")
    window.locator("input[name=password]").fill(user)
    window.get_by_role("button", name="Log in").click()


def api(stage: PageStage, logins: Callable[[str], Any], user: str) -> requests.Session:
    """Calls as a program with somebody's cookie, and nothing of a browser's own protection."""
    session = requests.Session()
    session.trust_env = False
    for cookie in logins(user)["cookies"]:
        session.cookies.set(cookie["name"], cookie["value"])
    return session


def own(stage: PageStage) -> dict[str, str]:
    return {"Origin": stage.airflow.address}


def active(stage: PageStage) -> SyncConnection:
    (found,) = connections.find(stage.store, state=State.ACTIVE)
    return found


def connected(stage: PageStage) -> None:
    """Have an administration, whoever connected it."""
    if connections.find(stage.store, state=State.ACTIVE):
        return
    added(stage.store, str(DIVISION), administration_name=MAIN)


def test_a_visitor_without_a_login_gets_nothing(stage: PageStage) -> None:
    for path in ("", "connect/exact-online", "static/app.js", "static/bundle.js", "log.csv"):
        answer = requests.get(stage.own_address + path, timeout=30)
        assert answer.status_code == 401, path
        assert "Exact Online" not in answer.text
    for path in ("docs", "redoc", "openapi.json"):
        assert requests.get(stage.own_address + path, timeout=30).status_code == 404
    answer = requests.post(
        f"{stage.own_address}connect/exact-online", {"country": "nl"}, headers=own(stage), timeout=30
    )
    assert answer.status_code == 401
    back = f"{stage.own_address}oauth/exact-online/callback?code=1&state=2"
    answer = requests.get(back, timeout=30, allow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/auth/login?next=")
    answer = requests.get(stage.own_address, cookies={"_token": "made.up.token"}, timeout=30)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    ],
    ids=lambda headers: " ".join(headers.values()) or "nothing said",
)
def test_a_forged_form_gets_nothing(stage: PageStage, logins: Callable[[str], Any], headers: dict[str, str]) -> None:
    answer = api(stage, logins, "admin").post(
        f"{stage.own_address}connect/exact-online", {"country": "nl"}, headers=headers, timeout=30
    )
    assert answer.status_code == 403
    assert "oauth2" not in answer.text


def test_every_page_tells_the_browser_what_it_may_load(stage: PageStage, logins: Callable[[str], Any]) -> None:
    answer = api(stage, logins, "admin").get(stage.own_address, timeout=30)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"(src|href)=.?https?://", answer.text)


class TestRefusedLogins:
    """Each way in which a login goes wrong has its sentence and a way on."""

    def test_cancelled(self, stage: PageStage, window: Window) -> None:
        page = window()
        to_the_vendor(page, stage)
        log_in_there(page)
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("alert")).to_contain_text("The login was cancelled")
        page.get_by_role("link", name="Start the login again").click()
        expect(frame(page).get_by_role("heading", name="Connect Exact Online")).to_be_visible()

    def test_without_a_country(self, stage: PageStage, logins: Callable[[str], Any]) -> None:
        answer = api(stage, logins, "admin").post(
            f"{stage.own_address}connect/exact-online", {}, headers=own(stage), timeout=30
        )
        assert answer.status_code == 422
        assert "needs a country" in answer.text

    def test_begun_in_another_browser(self, stage: PageStage, logins: Callable[[str], Any], window: Window) -> None:
        begun = api(stage, logins, "admin").post(
            f"{stage.own_address}connect/exact-online", {"country": "nl"}, headers=own(stage), timeout=30
        )
        address = re.search(r'href="([^"]+)" target="_top"', begun.text)
        assert address
        vendor = VendorBrowser()
        back = vendor.consent(address[1].replace("&amp;", "&"))
        vendor.close()
        page = window()
        page.goto(back)
        expect(page.get_by_role("alert")).to_contain_text("was not begun here")
        assert connections.find(stage.store) == []

    def test_begun_again_in_a_second_tab(self, stage: PageStage, window: Window) -> None:
        first = window()
        to_the_vendor(first, stage)
        second = first.context.new_page()
        to_the_vendor(second, stage)
        log_in_there(first)
        first.get_by_role("button", name="Allow").click()
        expect(first.get_by_role("alert")).to_contain_text("only the last one counts")
        assert connections.find(stage.store) == []

    def test_too_old(self, stage: PageStage, window: Window) -> None:
        from sqlalchemy import update

        from outsmart_sync.store.tables import login_attempt

        page = window()
        to_the_vendor(page, stage)
        with stage.store.begin() as connection:
            connection.execute(update(login_attempt).values(expires_at=stage.store.now()))
        log_in_there(page)
        page.get_by_role("button", name="Allow").click()
        expect(page.get_by_role("alert")).to_contain_text("This login has expired")


def test_from_an_empty_installation_to_the_match_report(stage: PageStage, window: Window) -> None:
    page = window()
    shown = page_of(page, stage)
    expect(shown.get_by_text("Nothing is connected yet. Connect Exact Online")).to_be_visible()
    shown.get_by_role("link", name="Connect Exact Online", exact=True).click()
    shown.get_by_label("Netherlands").check()
    shown.get_by_role("button", name="Go to the login page").click()
    log_in_there(page)
    with page.expect_request(re.compile("/callback")) as answered:
        page.get_by_role("button", name="Allow").click()
    shown = frame(page)
    shown.get_by_text(MAIN).click()
    shown.get_by_role("button", name="Next").click()
    expect(shown.get_by_text("Dana Demo")).to_be_visible()
    expect(shown.get_by_role("heading", name="Rights")).to_be_visible()
    for name in ("Relations", "Hour types"):
        shown.get_by_label(name, exact=True).check()
    shown.get_by_role("button", name="Save").click()
    expect(shown.get_by_text("Nothing is imported until you say so")).to_be_visible()
    assert stage.vendors.control.call_summary(vendor="outsmart") == []
    shown.get_by_role("button", name="Look now").click()
    shown.get_by_role("button", name="Show: New in OutSmart, Relations").click(timeout=_RUN)
    expect(shown.get_by_role("heading", name="Relations: New in OutSmart")).to_be_visible()
    written = [call for call in stage.vendors.control.calls(vendor="outsmart") if call["method"] != "GET"]
    assert written == []
    # The vendor's answer cannot be used a second time.
    page.goto(answered.value.url)
    expect(page.get_by_role("alert")).to_contain_text("was finished already")


def test_what_was_looked_at_is_accepted_and_imported(stage: PageStage, window: Window) -> None:
    before = len(stage.vendors.control.outsmart_records("north", "relations"))
    page = window()
    shown = page_of(page, stage, f"connections/{active(stage).id}/report")
    shown.get_by_role("button", name="Start importing").click()
    expect(shown.get_by_text("The sync has ended")).to_be_visible(timeout=_RUN)
    assert len(stage.vendors.control.outsmart_records("north", "relations")) > before + 10
    assert settings.read(stage.store, active(stage)).automatic is True


def test_tokens_and_secrets_never_reach_the_browser(stage: PageStage, logins: Callable[[str], Any]) -> None:
    session = api(stage, logins, "admin")
    number = active(stage).id
    secrets = ["sandbox-secret", "sandbox-token-north", "sandbox-software-north"]
    for path in ("", f"connections/{number}", "health", "log", "attention", "alerts", f"connections/{number}/report"):
        answer = session.get(stage.own_address + path, timeout=30)
        assert answer.status_code == 200, path
        assert [secret for secret in secrets if secret in answer.text] == []


def test_a_viewer_looks_and_changes_nothing(stage: PageStage, logins: Callable[[str], Any], window: Window) -> None:
    number = active(stage).id
    page = bare(window("viewer"), stage, f"connections/{number}")
    expect(page.get_by_role("heading", name=MAIN)).to_be_visible()
    for name in ("Save", "Sync now", "Switch off"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    session = api(stage, logins, "viewer")
    posts = {
        f"connections/{number}": {"shown": "relations.enabled"},
        f"connections/{number}/sync": {"category": "relations"},
        f"connections/{number}/disconnect": {},
        f"connections/{number}/automatic": {"on": "false"},
        f"records/{number}": {"action": "dismiss", "record": "1"},
        f"alerts/{number}": {"emails": "viewer@example.com"},
        "connect/exact-online": {"country": "nl"},
    }
    for path, form in posts.items():
        answer = session.post(stage.own_address + path, form, headers=own(stage), timeout=30)
        assert answer.status_code == 403, path
    assert active(stage).id == number


def test_editing_needs_no_right_to_connect(stage: PageStage, logins: Callable[[str], Any]) -> None:
    number = active(stage).id
    session = api(stage, logins, "user")
    assert 'name="version"' in session.get(f"{stage.own_address}connections/{number}", timeout=30).text
    for path in (f"connections/{number}/disconnect", "connect/exact-online"):
        assert session.get(stage.own_address + path, timeout=30).status_code == 403, path


def test_the_sync_icon_syncs_that_category_and_its_log_can_be_read(stage: PageStage, window: Window) -> None:
    page = window()
    shown = page_of(page, stage, f"connections/{active(stage).id}")
    shown.get_by_role("button", name="Sync Hour types now").click()
    shown.get_by_role("dialog", name="Sync Hour types now?").get_by_role("button", name="Sync now").click()
    cell = shown.locator("#last-hour_types")
    expect(cell.locator("[data-ended=yes]")).to_be_visible(timeout=_RUN)
    cell.get_by_role("link", name="What happened").click()
    table = shown.get_by_role("table").first
    expect(table).to_contain_text("Hour types")
    expect(table).not_to_contain_text("Relations")


def test_what_is_wrong_is_said_at_once_and_what_was_typed_stays(stage: PageStage, window: Window) -> None:
    connected(stage)
    settings.save(stage.store, active(stage), {"relations": {"enabled": True}, "hour_types": {"enabled": True}})
    page = bare(window(), stage, f"connections/{active(stage).id}")
    page.get_by_label("OutSmart licence").select_option("none")
    page.locator("#relations-types").get_by_label("Prospects").evaluate("box => { box.checked = true; }")
    page.get_by_role("button", name="Save").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Relations needs the licence")
    expect(alert).to_contain_text("Hour types needs the licence")
    assert page.locator("#relations-types").get_by_label("Prospects").is_checked()
    expect(page.locator("[data-unsaved]")).to_be_visible()
    leaving = "!window.dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert page.evaluate(leaving) is True  # the browser asks before what was typed is lost
    page.on("dialog", lambda dialog: dialog.accept())
    bare(page, stage, f"connections/{active(stage).id}")
    assert page.evaluate(leaving) is False
    assert settings.read(stage.store, active(stage)).licence == "basic"


def answering(page: Page, *answers: bool) -> list[str]:
    """Answers the dialogs that come, in turn; returns what they asked, as it comes."""
    asked: list[str] = []
    left = iter(answers)

    def answer(dialog: Any) -> None:
        asked.append(dialog.message)
        if next(left):
            dialog.accept()
        else:
            dialog.dismiss()

    page.on("dialog", answer)
    return asked


def test_airflows_own_navigation_asks_before_what_was_typed_is_lost(stage: PageStage, window: Window) -> None:
    connected(stage)
    page = window()
    asked = answering(page, False, True)
    shown = page_of(page, stage, "alerts")
    typed = shown.get_by_label("E-mail addresses").first
    typed.fill("typed@example.com")
    page.frames[-1].wait_for_load_state("load")
    away = page.get_by_test_id("nav-dags-link")
    away.click()
    page.wait_for_timeout(500)
    assert asked == ["There are unsaved changes. Leave this page all the same?"]
    expect(typed).to_have_value("typed@example.com")
    away.click()
    page.wait_for_url(re.compile("/dags"))
    expect(page.locator(FRAME)).to_have_count(0)
    page.get_by_test_id("nav-assets-link").click()
    page.wait_for_url(re.compile("/assets"))
    assert len(asked) == 2  # once the page is gone nothing asks any more


def test_back_and_forward_ask_before_what_was_typed_is_lost(stage: PageStage, window: Window) -> None:
    connected(stage)
    page = window()
    page_of(page, stage, "alerts")
    page.get_by_test_id("nav-dags-link").click()
    page.wait_for_url(re.compile("/dags"))
    page.go_back()
    typed = page.frame_locator(FRAME).get_by_label("E-mail addresses").first
    typed.click()
    typed.fill("typed@example.com")
    page.frames[-1].wait_for_load_state("load")
    asked = answering(page, False, True)
    page.evaluate("history.forward()")
    page.wait_for_timeout(1000)
    assert asked == ["There are unsaved changes. Leave this page all the same?"]
    expect(typed).to_have_value("typed@example.com")
    assert "/plugin/" in page.url
    typed.click()
    page.go_forward(wait_until="commit", timeout=5000)
    page.wait_for_url(re.compile("/dags"))
    expect(page.locator(FRAME)).to_have_count(0)
    assert len(asked) == 2


def test_a_form_on_its_way_is_busy_and_cannot_be_sent_twice(stage: PageStage, window: Window) -> None:
    connected(stage)
    page = bare(window(), stage, "alerts")
    save = page.get_by_role("button", name="Save", exact=True).first
    test = page.get_by_role("button", name="Save and send a test message").first
    page.evaluate("window.addEventListener('submit', (event) => event.preventDefault())")  # the answer does not come
    save.click()
    for each in (save, test):
        expect(each).to_be_disabled()
    expect(page.locator("form[aria-busy=true]")).to_have_count(1)
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")  # back to this page
    for each in (save, test):
        expect(each).to_be_enabled()
    expect(page.locator("[aria-busy]")).to_have_count(0)


def test_the_button_that_was_pressed_is_sent_although_it_is_busy(stage: PageStage, window: Window) -> None:
    connected(stage)
    page = bare(window(), stage, "alerts")
    page.get_by_role("button", name="Save and send a test message").first.click()
    expect(page.get_by_role("alert")).to_contain_text("Nobody is to hear of this connection")


def test_of_two_people_who_edit_the_second_is_told(stage: PageStage, window: Window) -> None:
    connection = active(stage)
    page = bare(window(), stage, f"connections/{connection.id}")
    settings.save(stage.store, connection, {"relations": {"include_blocked": True}})
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else saved these settings")
    assert settings.read(stage.store, connection).categories["relations"]["include_blocked"] is True
    page.get_by_role("link", name="Drop mine").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()


def test_the_values_of_a_filter_are_read_from_the_package(stage: PageStage, window: Window) -> None:
    page = bare(window(), stage, f"connections/{active(stage).id}")
    card = page.locator("section", has=page.locator("#materials-enabled"))
    card.get_by_text("Filters and settings").click()
    card.get_by_role("button", name="Choose from the list").click()
    boxes = card.locator("#materials-item_groups-list input[type=checkbox]")
    expect(boxes.first).to_be_visible()
    value = boxes.first.get_attribute("value")
    boxes.first.check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    assert settings.read(stage.store, active(stage)).categories["materials"]["item_groups"] == [value]
    settings.save(stage.store, active(stage), {"materials": {"item_groups": []}})


def test_rejects_are_grouped_by_cause_and_can_be_put_on_hold_and_released(stage: PageStage, window: Window) -> None:
    page = bare(window(), stage, "attention")
    page.get_by_role("row", name=re.compile("Rejected")).first.get_by_role("link").click()
    row = page.get_by_role("row").nth(1)
    code = row.get_by_role("link").inner_text()
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Put on hold").click()
    expect(page.get_by_role("status")).to_contain_text("1 record is on hold")
    bare(page, stage, f"find?text={code}")
    page.get_by_role("link", name=code, exact=True).first.click()
    expect(page.get_by_text("A person put it on hold")).to_be_visible()
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_role("status")).to_contain_text("1 record was released")
    expect(page.get_by_text("Released by hand")).to_be_visible()


def test_a_record_that_was_mended_goes_when_it_is_tried_again(stage: PageStage, window: Window) -> None:
    page = bare(window(), stage, "attention")
    page.get_by_role("row", name=re.compile("Relation Rejected OutSmart needs")).first.get_by_role("link").click()
    row = page.get_by_role("row").nth(1)
    code = row.get_by_role("link").inner_text()
    stage.vendors.control.change_exact(
        2001001, "crm/Accounts", code, AddressLine1="Kade 1", Postcode="3511 AB", City="Utrecht", Name="Mended"
    )
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("status")).to_contain_text("1 record is tried again")
    for _ in range(600):
        bare(page, stage, f"find?text={code}")
        if page.get_by_role("row", name=re.compile(f"^{code} Mended .*In OutSmart")).count():
            break
        page.wait_for_timeout(500)
    page.get_by_role("link", name=code, exact=True).first.click()
    expect(page.get_by_text(re.compile("^(Created|Updated)$")).last).to_be_visible()


def test_the_log_is_a_file_that_spreadsheets_open(stage: PageStage, logins: Callable[[str], Any]) -> None:
    answer = api(stage, logins, "viewer").get(f"{stage.own_address}log.csv?event=rejected", timeout=30)
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("When (Europe/Amsterdam);Administration;Run;Category;")
    assert len(lines) > 1
    assert all(";Rejected;" in line for line in lines[1:])


class TestExports:
    """Exports are switched on, a work order fails, is looked at, mended and sent again."""

    def test_they_are_switched_on_with_choices_of_the_package(self, stage: PageStage, window: Window) -> None:
        number = active(stage).id
        stage.vendors.control.complete_work_orders("north", DIVISION, 2)
        page = bare(window(), stage, f"connections/{number}")
        card = page.locator("section", has=page.locator("#work_orders-enabled"))
        card.locator("#work_orders-enabled").check()
        card.get_by_text("Filters and settings").click()
        card.get_by_role("button", name="Choose from the list: Sales journal").click()
        journal = card.locator("#work_orders-journal-list select")
        expect(journal).to_be_visible()
        journal.select_option(index=1)
        card.get_by_role("button", name="Show all of OutSmart's list: What is done with a payment method").click()
        rules = card.locator("#work_orders-payment_methods-list")
        expect(rules.get_by_label("niet van toepassing")).to_be_visible()
        rules.get_by_label("niet van toepassing").select_option("hold")
        card.locator("#work_orders-cut_off").fill("2026-01-01T00:00:00")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text(re.compile(r"With the next export would go, .*: \d+"))).to_be_visible()
        saved = settings.read(stage.store, active(stage)).categories["work_orders"]
        assert saved["enabled"] is True
        assert saved["journal"]
        assert saved["payment_methods"]["niet van toepassing"] == "hold"
        assert "pin betaling" in saved["payment_methods"]

    def test_a_failed_work_order_is_previewed_and_sent_again(self, stage: PageStage, window: Window) -> None:
        (row,) = stage.vendors.control.complete_work_orders("north", DIVISION, 1, prefix="MIS-")
        stage.vendors.control.change_work_order("north", row, PaymentMethod="op rekening", CustomerDebtorNr="99999")
        page = window()
        shown = page_of(page, stage, "exports")
        shown.get_by_role("button", name="Export now").click()
        expect(shown.get_by_text("The export has ended")).to_be_visible(timeout=_RUN)
        listed = shown.get_by_role("row", name=re.compile("MIS-1.*Failed"))
        expect(listed).to_be_visible()
        listed.get_by_role("link", name="MIS-1").click()
        expect(shown.get_by_text("does not have customer '99999'").first).to_be_visible()
        stage.vendors.control.change_work_order("north", row, CustomerDebtorNr=_customer(stage))
        before = len(stage.vendors.control.exact_rows(DIVISION, "salesorder/SalesOrders"))
        shown.get_by_role("button", name="Preview the document").click()
        expect(shown.get_by_text("nothing was sent")).to_be_visible(timeout=_RUN)
        assert len(stage.vendors.control.exact_rows(DIVISION, "salesorder/SalesOrders")) == before
        shown.get_by_role("button", name="Send again").click()
        expect(shown.get_by_text("done for 1 work order")).to_be_visible()
        expect(shown.get_by_text("The document is there, and OutSmart was told.")).to_be_visible(timeout=_RUN)
        assert len(stage.vendors.control.exact_rows(DIVISION, "salesorder/SalesOrders")) == before + 1

    def test_a_work_order_is_put_on_hold_and_found_by_its_number(self, stage: PageStage, window: Window) -> None:
        (row,) = stage.vendors.control.complete_work_orders("north", DIVISION, 1, prefix="CASH-")
        stage.vendors.control.change_work_order("north", row, PaymentMethod="contant voldaan")
        page = bare(window(), stage, "exports")
        page.get_by_role("button", name="Export now").click()
        expect(page.get_by_text("The export has ended")).to_be_visible(timeout=_RUN)
        expect(page.get_by_role("row", name=re.compile("CASH-1.*On hold"))).to_be_visible()
        bare(page, stage, "attention")
        expect(page.get_by_role("heading", name="Work orders that were not exported")).to_be_visible()
        bare(page, stage, "find?text=CASH-1")
        page.get_by_role("link", name="CASH-1").click()
        expect(page.get_by_text("contant voldaan").first).to_be_visible()
        expect(page.get_by_role("button", name="Release and send")).to_be_visible()

    def test_a_viewer_looks_at_work_orders_and_decides_nothing(
        self, stage: PageStage, logins: Callable[[str], Any]
    ) -> None:
        session, number = api(stage, logins, "viewer"), active(stage).id
        assert "CASH-1" in session.get(f"{stage.own_address}exports", timeout=30).text
        for path in (f"exports/{number}", f"connections/{number}/export"):
            form = {"action": "release", "work_order": "1"}
            assert session.post(stage.own_address + path, form, headers=own(stage), timeout=30).status_code == 403


def _customer(stage: PageStage) -> str:
    """A customer of Exact, by OutSmart's debtor number."""
    rows = stage.vendors.control.exact_rows(DIVISION, "crm/Accounts")
    found = next(each for each in rows if each["Status"] == "C" and not each.get("Blocked"))
    return str(found["Code"]).strip()


def test_visma_is_connected_with_its_own_checks(stage: PageStage, window: Window) -> None:
    page = window()
    shown = page_of(page, stage)
    shown.get_by_role("link", name="Connect VISMA eAccounting", exact=True).click()
    expect(shown.get_by_label("Netherlands")).to_have_count(0)
    shown.get_by_role("button", name="Go to the login page").click()
    log_in_there(page)
    page.get_by_label("Nieuwe administratie").check()
    page.get_by_role("button", name="Allow").click()
    shown = frame(page)
    shown.get_by_text("Nieuwe administratie").first.click()
    shown.get_by_role("button", name="Next").click()
    checks = shown.locator("section", has=shown.get_by_role("heading", name="Check before you save"))
    for text in ("NL", "demo@example.com", "Nieuwe administratie", "EUR", "Product variant Standard."):
        expect(checks.get_by_text(text).first).to_be_visible()
    expect(shown.get_by_role("heading", name="Rights")).to_be_visible()
    expect(shown.get_by_label("OutSmart licence")).to_contain_text("Licence ordered")
    shown.get_by_label("Projects", exact=True).check()
    shown.get_by_role("button", name="Save").click()
    expect(shown.get_by_text("Nothing is imported until you say so")).to_be_visible()
    for each in connections.find(stage.store, package="visma_eaccounting"):
        with stage.store.begin() as transaction:
            connections.set_state(transaction, each.id, State.DISCONNECTED)


def test_another_country_and_a_missing_right_are_told_before_it_is_saved(
    stage: PageStage, window: Window, logins: Callable[[str], Any]
) -> None:
    stage.vendors.control.change_scopes(remove=["Hrm payroll"])
    try:
        with awaiting(stage, api(stage, logins, "admin"), country="be") as pending:
            shown = page_of(window(), stage, f"connections/{pending}/setup")
            shown.get_by_text(MAIN).click()
            shown.get_by_role("button", name="Next").click()
            expect(shown.get_by_text("You chose Belgium, and this administration is in Netherlands")).to_be_visible()
            rights = shown.locator("section", has=shown.get_by_role("heading", name="Rights"))
            expect(rights.get_by_role("listitem").filter(has_text="Employees")).to_contain_text("Hrm payroll")
            expect(rights.get_by_role("listitem").filter(has_text="Warehouses")).not_to_contain_text("Hrm payroll")
    finally:
        stage.vendors.control.change_scopes(add=["Hrm payroll"])


@pytest.mark.parametrize(
    ("locale", "words"), [("nl-NL", "Wat er gebeurd is"), ("pt-PT", "O que aconteceu"), ("de-DE", "What happened")]
)
def test_the_page_speaks_the_browsers_language(stage: PageStage, window: Window, locale: str, words: str) -> None:
    page = bare(window(locale=locale), stage)
    expect(page.get_by_role("link", name=words)).to_be_visible()


def test_another_language_can_be_chosen_and_stays(stage: PageStage, window: Window) -> None:
    connected(stage)
    settings.save(stage.store, active(stage), {"relations": {"enabled": True}, "hour_types": {"enabled": True}})
    page = bare(window(), stage, "attention")
    page.get_by_role("combobox", name="Language").select_option("nl")
    expect(page.get_by_role("heading", name="Vraagt aandacht")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("OutSmart vraagt")).first).to_be_visible()
    bare(page, stage, "health")
    expect(page.locator("html")).to_have_attribute("lang", "nl")


def _work_order(stage: PageStage) -> str:
    return exports.listed(stage.store)[0].row_id


def _record(stage: PageStage) -> int:
    """A relation that both sides have."""
    with stage.store.read() as connection:
        query = select(mirror.c.id).where(mirror.c.record == "relation", mirror.c.state == "synced").limit(1)
        return int(connection.execute(query).scalar_one())


@contextmanager
def awaiting(stage: PageStage, session: requests.Session, country: str = "nl") -> Iterator[int]:
    """The number of a connection that awaits its administration; the login is forgotten when the block is left."""
    begun = session.post(
        f"{stage.own_address}connect/exact-online", {"country": country}, headers=own(stage), timeout=30
    )
    address = re.search(r'href="([^"]+)" target="_top"', begun.text)
    assert address
    vendor = VendorBrowser()
    back = vendor.consent(address[1].replace("&amp;", "&"))
    vendor.close()
    session.get(back, timeout=60).raise_for_status()
    (found,) = connections.find(stage.store, state=State.CONNECTED)
    try:
        yield found.id
    finally:
        session.post(f"{stage.own_address}connections/{found.id}/forget", headers=own(stage), timeout=30)


def pages(stage: PageStage, pending: int) -> list[str]:
    """Every page there is; ``pending`` is a connection that awaits its administration."""
    number = active(stage).id
    return [
        f"connections/{pending}/setup",
        f"connections/{pending}/setup?administration={DIVISION}",
        "",
        f"connections/{number}",
        f"connections/{number}/report",
        f"connections/{number}/disconnect",
        "exports?state=all",
        f"exports/{number}/{_work_order(stage)}",
        "connect/exact-online",
        "connect/visma-eaccounting",
        "oauth/exact-online/callback?state=unknown&code=any",
        "log",
        "runs/2",
        "attention",
        f"attention/{number}/relation/rejected?reason=missing_field",
        f"record/{_record(stage)}",
        "find?text=a",
        "health",
        "alerts",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_finding_of_axe(
    stage: PageStage, window: Window, logins: Callable[[str], Any], scheme: str
) -> None:
    page = window(color_scheme=scheme)
    found = {}
    with awaiting(stage, api(stage, logins, "admin")) as pending:
        for each in pages(stage, pending):
            answer = page.goto(stage.own_address + each)
            assert answer
            assert answer.status == (400 if "callback" in each else 200), each
            page.evaluate(OPEN_ALL)
            page.evaluate(AXE)
            result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            serious = [rule for rule in result["violations"] if rule["impact"] in ("serious", "critical")]
            if serious:
                found[each] = [(rule["id"], [node["html"][:200] for node in rule["nodes"][:3]]) for rule in serious]
    assert found == {}


def test_every_page_fits_a_telephone_beside_airflows_navigation(
    stage: PageStage, window: Window, logins: Callable[[str], Any]
) -> None:
    page = window(viewport={"width": 360, "height": 740})
    page_of(page, stage).locator("main").wait_for()
    inner = next(each for each in page.frames if each.parent_frame)
    wide = {}
    with awaiting(stage, api(stage, logins, "admin")) as pending:
        for each in pages(stage, pending):
            inner.goto(stage.own_address + each)
            inner.evaluate(OPEN_ALL)
            needed, there = inner.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
            assert there <= 360, "Airflow's own navigation is missing"
            if needed > there:
                wide[each] = (needed, there)
    assert wide == {}


def test_it_follows_airflows_dark_mode(stage: PageStage, window: Window) -> None:
    page = window()
    page.goto(stage.airflow.address)
    page.evaluate("localStorage.setItem('theme', 'dark')")
    shown = page_of(page, stage)
    expect(shown.locator("html.dark")).to_be_attached()
    colour = shown.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert colour.startswith("oklch(0.11")


def press(page: Page, wanted: Locator, key: str) -> None:
    """Go to an element with the Tab key alone, and press a key there; '': none."""
    wanted.wait_for()
    for _ in range(80):
        if wanted.evaluate("it => it === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(wanted).to_be_focused()
    if key:
        page.keyboard.press(key)


def test_it_can_be_used_with_the_keyboard_alone(stage: PageStage, window: Window) -> None:
    page = bare(window(), stage, f"connections/{active(stage).id}")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    switch = page.locator("#categories-enabled")
    for _ in range(40):
        page.keyboard.press("Tab")
        if switch.evaluate("it => it === document.activeElement"):
            break
    expect(switch).to_be_focused()
    page.keyboard.press("Space")
    assert switch.is_checked()
    page.keyboard.press("Enter")  # sends the form
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    assert settings.read(stage.store, active(stage)).categories["categories"]["enabled"] is True


def test_from_the_login_to_a_sync_with_the_keyboard_alone(stage: PageStage, window: Window) -> None:
    number = active(stage).id
    page = window()
    shown = page_of(page, stage, f"connect/exact-online?again={number}".replace("?", "%3F"))
    press(page, shown.get_by_role("button", name="Go to the login page"), "Enter")
    press(page, page.locator("input[name=user_name]"), "")
    page.keyboard.type("demo@example.com")
    press(page, page.locator("input[name=password]"), "")
    page.keyboard.type("demo")
    page.keyboard.press("Enter")
    press(page, page.get_by_role("button", name="Allow"), "Enter")
    first = shown.get_by_role("radio").first
    press(page, first, "Space")
    while MAIN not in shown.locator("label", has=shown.locator("input:checked")).inner_text():
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(shown.get_by_text("It is connected already")).to_be_visible()
    press(page, shown.get_by_role("button", name="Save"), "Enter")
    expect(shown.get_by_text("Connected again")).to_be_visible()
    press(page, shown.get_by_role("button", name="Sync Hour types now"), "Enter")
    expect(shown.get_by_role("dialog")).to_be_visible()
    press(page, shown.get_by_role("dialog").get_by_role("button", name="Sync now"), "Enter")
    expect(shown.locator("#last-hour_types").locator("[data-ended=yes]")).to_be_visible(timeout=_RUN)
    assert active(stage).id == number


def test_saving_switches_the_automatic_sync_on(stage: PageStage, window: Window) -> None:
    stage.airflow.call("PATCH", "dags/exact_online_import", {"is_paused": True})
    page = bare(window(), stage, f"connections/{active(stage).id}")
    expect(page.get_by_text("is paused in Airflow")).to_be_visible()
    bare(page, stage)
    expect(page.get_by_text("Automatic sync off").first).to_be_visible()
    bare(page, stage, f"connections/{active(stage).id}")
    page.get_by_role("button", name="Sync now").first.click()
    expect(page.get_by_role("alert")).to_contain_text("The sync is paused in Airflow")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("next sync")).to_be_visible()
    assert stage.airflow.call("GET", "dags/exact_online_import")["is_paused"] is False


def test_a_login_that_expired_is_told_and_connecting_again_goes_on(stage: PageStage, window: Window) -> None:
    connection = active(stage)
    with stage.store.begin() as transaction:
        connections.set_state(
            transaction,
            connection.id,
            State.EXPIRED,
            code="login_expired",
            text="Exact Online no longer accepts the login.",
        )
    page = window()
    shown = page_of(page, stage)
    expect(shown.get_by_text("Login expired")).to_be_visible()
    shown.get_by_role("link", name="Connect again: Exact Online").click()
    shown.get_by_label("Netherlands").check()
    shown.get_by_role("button", name="Go to the login page").click()
    log_in_there(page)
    page.get_by_role("button", name="Allow").click()
    expect(frame(page).get_by_text("The connection works again")).to_be_visible()
    assert active(stage).id == connection.id
    assert connections.find(stage.store, state=State.CONNECTED) == []


def test_disconnecting_explains_first_and_keeps_everything(stage: PageStage, window: Window) -> None:
    number = active(stage).id
    page = bare(window(), stage, f"connections/{number}")
    before = len(stage.vendors.control.outsmart_records("north", "relations"))
    page.get_by_role("link", name="Disconnect").click()
    expect(page.get_by_text("Syncing stops")).to_be_visible()
    assert active(stage).id == number
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("status")).to_contain_text("Everything that was brought to OutSmart stays there")
    assert connections.find(stage.store, state=State.ACTIVE) == []
    assert len(stage.vendors.control.outsmart_records("north", "relations")) == before
