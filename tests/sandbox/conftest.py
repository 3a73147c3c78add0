"""One sandbox for the whole session, and clients that talk to it over real sockets."""

import re
from datetime import datetime

import pytest

from sandbox import process
from sandbox.browser import Browser
from sandbox.exact_online.permissions import SCOPES
from tests.sandbox.clients import ITEMS, RELATIONS, App, ExactClient, OutSmartClient, VismaApp, VismaClient


@pytest.fixture(autouse=True)
def warnings_are_errors_in_the_sandbox(monkeypatch):
    monkeypatch.setenv("PYTHONWARNINGS", "error")


@pytest.fixture(scope="session")
def sandbox_process():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "PYTHONWARNINGS", "error"
        )  # for the sandbox alone: other programs of the session have others' code
        running = process.start(relations=RELATIONS, items=ITEMS)
    with running:
        yield running


@pytest.fixture
def vendor(sandbox_process):
    """The sandbox, with everything a test has spoilt mended afterwards."""
    yield sandbox_process
    control = sandbox_process.control
    control.clear_faults()
    control.reset_clock()
    control.reset_limits()
    control.switch(
        https_required=False, hour_type_price_above_zero=False, int64_as_string=False, licence_expired=[], nightly_400=0
    )
    scopes = control.ask("GET", "/scopes")
    rights = [
        dict(zip(("user", "action", "endpoint"), one.split(" "), strict=True)) for one in scopes["removed_rights"]
    ]
    control.change_scopes(
        add=sorted(SCOPES),
        add_divisions=scopes["withdrawn_divisions"],
        add_rights=rights,
    )
    control.delete_outsmart("south", "relations")


@pytest.fixture
def control(vendor):
    return vendor.control


@pytest.fixture
def exact(vendor, control):
    client = ExactClient(vendor, control.give_tokens())
    yield client
    client.session.close()


@pytest.fixture
def exact_as(vendor, control):
    """Makes further clients: of another user, or for other companies."""
    made = []

    def make(user=None, divisions=None):
        made.append(ExactClient(vendor, control.give_tokens(user, divisions)))
        return made[-1]

    yield make
    for client in made:
        client.session.close()


@pytest.fixture
def app(vendor):
    return App(vendor)


@pytest.fixture
def browser():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def north(vendor):
    return OutSmartClient(vendor, "north")


@pytest.fixture
def south(vendor):
    return OutSmartClient(vendor, "south")


@pytest.fixture
def visma_vendor(vendor):
    """The sandbox, with what a test has spoilt of VISMA mended afterwards."""
    yield vendor
    control = vendor.control
    control.switch(visma_refresh="reuse", visma_filters_refused=[], visma_retry_after=False)
    control.reset_visma_limits()
    control.reset_visma_standings()


@pytest.fixture
def visma_as(visma_vendor):
    """Makes callers of VISMA: in another company, of another user, with other scopes."""
    made = []

    def make(**consent):
        made.append(VismaClient(visma_vendor, visma_vendor.control.give_visma_tokens(**consent)))
        return made[-1]

    yield make
    for client in made:
        client.session.close()


@pytest.fixture
def visma(visma_as):
    return visma_as()


@pytest.fixture
def visma_app(visma_vendor):
    return VismaApp(visma_vendor)


@pytest.fixture
def message():
    """Reads the text of an Exact Online error."""

    def read(response):
        error = response.json()["error"]
        assert error["code"] == ""
        assert error["message"]["lang"] == ""
        return error["message"]["value"]

    return read


@pytest.fixture
def milliseconds():
    """Reads `/Date(ms)/`."""

    def read(text):
        return int(re.fullmatch(r"/Date\((-?\d+)\)/", text)[1])

    return read


@pytest.fixture
def vendor_now(control):
    """Reads the vendors' clock."""

    def read():
        return datetime.fromisoformat(control.now())

    return read
