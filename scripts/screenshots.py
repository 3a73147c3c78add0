"""Makes the pictures in docs/images: the page in a real Airflow on the sandbox, connected and synced once.

`.venv/bin/python scripts/screenshots.py`; needs chromium and pngquant, takes about two minutes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from local_airflow import ROOT

sys.path.insert(0, str(ROOT))  # the sandbox

from page_stage import TELEPHONE, WINDOW, PageStage, browser, chromium, frame, stage

FOLDER = ROOT / "docs" / "images"
_SMALL = ["pngquant", "--speed", "1", "--strip", "96"]
_LONG = 600_000
DIVISION = 2001001
CODE = "12"
"""A relation whose history is shown."""
MAIN = "Van Dijk Installatietechniek B.V."


def main() -> int:
    """Make every picture; returns the exit code."""
    if chromium() is None or shutil.which(_SMALL[0]) is None:
        print("This needs two programs: install the packages chromium and pngquant.", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="screenshots-") as home,
        browser() as chrome,
        stage(Path(home), relations=400, items=300) as made,
    ):
        context = chrome.new_context(viewport=WINDOW, locale="en-GB")
        context.set_default_timeout(_LONG)
        page = made.log_in(context)
        connect(page)
        first_import(page)
        changes(page, made)
        exports(page, made)
        rest(page, made)
        visma(page, made)
        telephone = chrome.new_context(
            viewport=TELEPHONE,
            locale="nl-NL",
            color_scheme="dark",
            storage_state=context.storage_state(),
        )
        small = telephone.new_page()
        small.goto(made.own_address)
        keep(small, "telephone-dark-dutch")
    return 0


def connect(page: Page) -> None:
    """From the empty overview to the saved administration."""
    shown = frame(page)
    shown.get_by_role("link", name="Connect Exact Online", exact=True).click()
    shown.get_by_label("Netherlands").check()
    keep(page, "country")
    shown.get_by_role("button", name="Go to the login page").click()
    page.locator("input[name=user_name]").fill("demo@example.com")
    page.locator("input[name=password]").fill("demo")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Allow").click()
    shown.get_by_text(MAIN).click()
    keep(page, "administrations")
    shown.get_by_role("button", name="Next").click()
    expect(shown.get_by_role("heading", name="Rights")).to_be_visible(timeout=_LONG)
    keep(page, "checklist")
    for name in ("Relations", "Materials", "Hour types"):
        shown.get_by_label(name, exact=True).check()
    shown.get_by_role("button", name="Save").click()


def first_import(page: Page) -> None:
    """The look before the first import, and the import."""
    shown = frame(page)
    shown.get_by_role("button", name="Look now").click()
    expect(shown.get_by_role("button", name="Start importing", exact=True)).to_be_visible(timeout=_LONG)
    keep(page, "match-report")
    shown.get_by_role("button", name="Start importing").click()
    expect(shown.get_by_text("The sync has ended")).to_be_visible(timeout=_LONG)


def changes(page: Page, made: PageStage) -> None:
    """Somebody changes a relation in Exact Online, and it is synced."""
    rows = made.vendors.control.exact_rows(DIVISION, "crm/Accounts")
    (row,) = [each for each in rows if each["Code"].strip() == CODE]
    news = {"ID": row["ID"], "Phone": "+31 20 555 0112", "AddressLine1": "Nieuwe Gracht 12", "City": "Haarlem"}
    made.vendors.control.change_exact_rows(DIVISION, "crm/Accounts", [news])
    shown = frame(page)
    page.goto(f"{made.address}?page=connections/1")
    shown.get_by_role("button", name="Sync now", exact=True).click()
    expect(shown.get_by_text("The sync has ended")).to_be_visible(timeout=_LONG)
    shown.locator("section", has=shown.locator("#relations-enabled")).get_by_text("Filters and settings").click()
    shown.locator("#relations-enabled").evaluate("it => it.closest('section').scrollIntoView()")
    keep(page, "filters", height=900)


def exports(page: Page, made: PageStage) -> None:
    """Exports switched on, with work orders that went, wait and failed."""
    ids = made.vendors.control.complete_work_orders("north", DIVISION, 8)
    made.vendors.control.change_work_order("north", ids[0], PaymentMethod="contant voldaan")
    made.vendors.control.change_work_order("north", ids[1], CustomerDebtorNr="99999")
    made.vendors.control.change_work_order("north", ids[2], TypeOfWork="Garantie")
    shown = frame(page)
    page.goto(f"{made.address}?page=connections/1")
    shown.locator("#work_orders-enabled").check()
    shown.locator("section", has=shown.locator("#work_orders-enabled")).get_by_text("Filters and settings").click()
    shown.get_by_role("button", name="Show all of OutSmart's list: What is done with a payment method").click()
    expect(shown.get_by_label("op rekening")).to_be_visible(timeout=_LONG)
    shown.locator("#work_orders-cut_off").fill("2026-01-01T00:00")
    shown.locator("#exports").evaluate("it => it.scrollIntoView()")
    keep(page, "exports-settings")
    shown.get_by_role("button", name="Save").click()
    expect(shown.get_by_text("With the next export would go")).to_be_visible(timeout=_LONG)
    page.goto(f"{made.address}?page=exports")
    shown.get_by_role("button", name="Export now").click()
    expect(shown.get_by_text("The export has ended")).to_be_visible(timeout=_LONG)
    page.goto(f"{made.address}?page=exports%3Fstate%3Dall")
    expect(shown.get_by_role("link", name="WB-2", exact=True)).to_be_visible(timeout=_LONG)
    keep(page, "work-orders")
    shown.get_by_role("link", name="WB-1", exact=True).click()
    shown.get_by_role("button", name="Preview the document").wait_for()
    keep(page, "work-order", height=900)
    page.goto(f"{made.address}?page=exports%3Fstate%3Dall")
    shown.get_by_role("link", name="WB-5", exact=True).click()
    expect(shown.get_by_role("table").first).to_be_visible(timeout=_LONG)
    keep(page, "document", height=900)


def visma(page: Page, made: PageStage) -> None:
    """Before the company of VISMA is fixed."""
    shown = frame(page)
    page.goto(f"{made.address}?page=connect/visma-eaccounting")
    shown.get_by_role("button", name="Go to the login page").click()
    page.locator("input[name=user_name]").fill("demo@example.com")
    page.locator("input[name=password]").fill("demo")
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Nieuwe administratie").check()
    page.get_by_role("button", name="Allow").click()
    shown.get_by_text("Nieuwe administratie").first.click()
    shown.get_by_role("button", name="Next").click()
    expect(shown.get_by_role("heading", name="Rights")).to_be_visible(timeout=_LONG)
    keep(page, "visma-checklist")


def rest(page: Page, made: PageStage) -> None:
    """The other pages, as they look once something has been synced."""
    shown = frame(page)
    for address, name in (
        ("", "overview"),
        ("connections/1", "settings"),
        ("log", "log"),
        ("runs/2", "run"),
        ("attention", "attention"),
        (f"find%3Ftext={CODE}", "find"),
        ("alerts", "alerts"),
        ("connections/1/disconnect", "disconnect"),
    ):
        page.goto(f"{made.address}?page={address}")
        expect(shown.get_by_role("navigation", name="Parts of the page")).to_be_visible(timeout=_LONG)
        keep(page, name)
    page.goto(f"{made.address}?page=health")
    expect(shown.get_by_role("heading", name="Records per day")).to_be_visible(timeout=_LONG)
    keep(page, "health", height=1060)
    for address, link, name in (
        (f"find%3Ftext={CODE}", "a[href*='/record/']", "record"),
        ("attention", "a[href*='attention/']", "cause"),
    ):
        page.goto(f"{made.address}?page={address}")
        shown.locator(link).first.click()
        expect(shown.locator(".crumb")).to_be_visible(timeout=_LONG)
        keep(page, name)


def keep(page: Page, name: str, height: int = WINDOW["height"]) -> None:
    """Keep what is shown as a small picture, in a window of some height."""
    before = page.viewport_size
    if before and height != WINDOW["height"]:
        page.set_viewport_size({**before, "height": height})
    page.wait_for_timeout(800)
    file = FOLDER / f"{name}.png"
    small = subprocess.run([*_SMALL, "-"], input=page.screenshot(), capture_output=True, check=True)
    file.write_bytes(small.stdout)
    if before:
        page.set_viewport_size(before)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1_000} kB")


if __name__ == "__main__":
    sys.exit(main())
