"""One Airflow, one sandbox and one Chromium for everything that is looked at in a browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

import page_stage
from page_stage import PageStage


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    if page_stage.chromium() is None and "CI" not in os.environ:
        pytest.skip("there is no Chromium on this machine: install the package chromium to run the tests of the page")
    with page_stage.browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[PageStage]:
    """Everything behind the page, started once."""
    with page_stage.stage(tmp_path_factory.mktemp("page")) as made:
        yield made


@pytest.fixture(scope="module")
def logins(stage: PageStage, browser: Browser) -> Callable[[str], Any]:
    """What a browser keeps of a login at Airflow, by user; each logs in once."""
    kept: dict[str, Any] = {}

    def of(user: str) -> Any:
        if user not in kept:
            context = browser.new_context()
            stage.log_in(context, user)
            kept[user] = context.storage_state()
            context.close()
        return kept[user]

    return of


@pytest.fixture
def window(stage: PageStage, browser: Browser, logins: Callable[[str], Any]) -> Iterator[Callable[..., Page]]:
    """Opens a window in which somebody has logged in at Airflow."""
    contexts = []

    def opened(user: str = "admin", **options: Any) -> Page:
        context = browser.new_context(storage_state=logins(user), viewport=options.pop("viewport", None), **options)
        context.set_default_timeout(60_000)  # the machine may be busy
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()
