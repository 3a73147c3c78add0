"""A sandbox, an empty store, an Airflow with the page, and a Chromium to look at it: for UI tests and screenshots."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, ViewportSize, sync_playwright

import sandbox_connections
from local_airflow import LocalAirflow, environment
from outsmart_sync.orchestration.schedules import EXPORT_VARIABLE, IMPORT_VARIABLE
from outsmart_sync.store import schema
from outsmart_sync.store.store import Store
from outsmart_sync.store.vault import KEYS_VARIABLE
from sandbox import process
from sandbox.fixed_world import OUTSMART_ACCOUNTS

WINDOW: ViewportSize = {"width": 1180, "height": 760}
TELEPHONE: ViewportSize = {"width": 360, "height": 640}

PAGE = "/plugin/outsmart-sync"
CALLBACK = "/outsmart-sync/oauth/exact-online/callback"
VISMA_CALLBACK = "/outsmart-sync/oauth/visma-eaccounting/callback"
USERS = ("admin:admin", "op:op", "user:user", "viewer:viewer")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def chromium() -> str | None:
    """The system's Chromium; None: there is none."""
    return next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)


@dataclass
class PageStage:
    """Everything that a look at the page needs.

    Attributes:
        airflow: The Airflow.
        vendors: The vendors' sandbox.
        store: The store behind the page.
    """

    airflow: LocalAirflow
    vendors: process.SandboxProcess
    store: Store

    @property
    def address(self) -> str:
        """Address of the page in Airflow's frame."""
        return f"{self.airflow.address}{PAGE}"

    @property
    def own_address(self) -> str:
        """Address of the page itself."""
        return f"{self.airflow.address}/outsmart-sync/"

    def log_in(self, context: BrowserContext, user: str = "admin") -> Page:
        """A window in which somebody has logged in at Airflow, with the page open."""
        login = self.airflow.logins[user]
        page = context.new_page()
        page.goto(f"{self.airflow.address}/auth/login?next={PAGE}")
        page.locator("input[name=username]").fill(login.user)
        page.locator("input[name=password]").fill(login.password)
        page.locator("button[type=submit]").click()
        page.wait_for_url(lambda address: urlsplit(address).path == PAGE)
        frame(page).locator("main").wait_for()
        return page


def frame(page: Page) -> FrameLocator:
    """The page inside Airflow's frame."""
    return page.frame_locator("iframe[title='Software integrations']")


@contextmanager
def stage(home: Path, *, relations: int = 60, items: int = 60, port: int | None = None) -> Iterator[PageStage]:
    """Start everything, with nothing connected yet; ended when the block is left.

    Args:
        home: An empty folder for Airflow's home and the store.
        relations: Relations in the sandbox's administration.
        items: Items in it.
        port: Port of Airflow; None: any.
    """
    settings = environment(home / "home", port or free_port(), users=USERS)
    base = settings["AIRFLOW__API__BASE_URL"]
    store = Store(f"sqlite:///{home / 'store.db'}")
    schema.upgrade(store)
    uris, visma_uris = (base + CALLBACK,), (base + VISMA_CALLBACK,)
    with process.start(relations=relations, items=items, redirect_uris=uris, visma_redirect_uris=visma_uris) as vendors:
        settings |= _connections(vendors, store, base)
        settings[IMPORT_VARIABLE] = settings[EXPORT_VARIABLE] = "0 0 1 1 *"  # only what somebody starts runs
        settings[KEYS_VARIABLE] = Fernet.generate_key().decode()
        with LocalAirflow(settings, home / "logs") as airflow:
            airflow.wait_until_ready("exact_online_import")
            airflow.wait_until_ready("exact_online_export")
            yield PageStage(airflow, vendors, store)
    store.close()


@contextmanager
def browser() -> Iterator[Browser]:
    """The system's Chromium without a window."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=_FLAGS)
        yield opened
        opened.close()


def _connections(vendors: process.SandboxProcess, store: Store, base: str) -> dict[str, str]:
    return {
        "AIRFLOW_CONN_OUTSMART_SYNC_STORE": store.url.render_as_string(hide_password=False),
        sandbox_connections.EXACT: sandbox_connections.exact(vendors.exact_url, base + CALLBACK),
        sandbox_connections.VISMA: sandbox_connections.visma(vendors.visma_url, base + VISMA_CALLBACK),
        sandbox_connections.OUTSMART: sandbox_connections.outsmart(vendors.outsmart_url, OUTSMART_ACCOUNTS["north"]),
    }
