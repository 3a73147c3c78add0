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
_LONG = 180_000
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
        rest(page, made)
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
    shown.get_by_role("link", name="Connect", exact=True).click()
    shown.get_by_label("Netherlands").check()
    shown.get_by_role("button", name="Go to the login page").click()
    page.locator("input[name=user_name]").fill("demo@example.com")
    page.locator("input[name=password]").fill("demo")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Allow").click()
    shown.get_by_text(MAIN).click()
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


def rest(page: Page, made: PageStage) -> None:
    """The other pages, as they look once something has been synced."""
    shown = frame(page)
    for address, name in (
        ("", "overview"),
        ("connections/1", "settings"),
        ("log", "log"),
        ("attention", "attention"),
        ("health", "health"),
    ):
        page.goto(f"{made.address}?page={address}")
        expect(shown.get_by_role("navigation", name="Parts of the page")).to_be_visible(timeout=_LONG)
        keep(page, name)


def keep(page: Page, name: str) -> None:
    """Keep what is shown as a small picture."""
    page.wait_for_timeout(800)
    file = FOLDER / f"{name}.png"
    small = subprocess.run([*_SMALL, "-"], input=page.screenshot(), capture_output=True, check=True)
    file.write_bytes(small.stdout)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1_000} kB")


if __name__ == "__main__":
    sys.exit(main())
