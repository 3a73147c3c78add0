"""Setting a connection up on the page: what the package proposes is filled in, as on the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from outsmart_sync.providers.packages import package
from outsmart_sync.services import settings
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State
from outsmart_sync.webapp import access, forms, opened
from outsmart_sync.webapp.routes import connect
from sandbox.process import SandboxProcess
from support import SOUTH, VISMA_COMPANIES, Rig, connection_environment
from webapp.conftest import Browser

SWITCHES = [f"{name}.enabled" for name in ("customers", "materials", "hour_types")]
FORM = {"licence": ["active"], forms.SHOWN: SWITCHES, **{name: ["on"] for name in SWITCHES}}


@dataclass
class Window:
    """Somebody who may do everything, and where the page sends them."""

    user: Any = None
    sent: list[str] = field(default_factory=list)

    def go(self, place: str) -> str:
        self.sent.append(place)
        return place


@pytest.fixture
def rig(sqlite_store: Any, fresh_vendors: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Rig:
    for name, value in connection_environment(fresh_vendors, sqlite_store, SOUTH).items():
        monkeypatch.setenv(name, value)
    made = Rig(sqlite_store, fresh_vendors)
    monkeypatch.setattr(opened, "store", lambda: made.store)
    monkeypatch.setattr(opened, "gateway", lambda: made.gateway)
    rights = access.Rights(None, package("visma_eaccounting"))
    monkeypatch.setattr(
        access, "open_connection", lambda store, _user, number, _right: (connections.require(store, number), rights)
    )
    monkeypatch.setattr(access, "sees", lambda *_: True)
    return made


def test_units_that_are_hours_are_proposed_before_anything_is_imported(rig: Rig) -> None:
    done = rig.log_in_to_visma("leeg")
    window = Window()
    form = {**FORM, "administration": [VISMA_COMPANIES["leeg"].id]}
    connect._save(window, done.connection.id, form)  # type: ignore[arg-type]
    (fixed,) = connections.find(rig.store, state=State.ACTIVE)
    assert window.sent == [f"connections/{fixed.id}/report?first=1"]
    saved = settings.read(rig.store, fixed)
    assert saved.categories["hour_types"]["hour_units"]
    assert (saved.categories["materials"]["enabled"], saved.automatic) == (True, False)


def test_what_was_found_of_a_company_is_shown_before_it_is_fixed(rig: Rig, page: Browser) -> None:
    done = rig.log_in_to_visma("leeg")
    place = f"connections/{done.connection.id}/setup"
    offered = page.get(place).text
    assert "Product variant Standard." in offered
    shown = page.get(place, params={"administration": VISMA_COMPANIES["leeg"].id}).text
    for text in ("Netherlands", "demo@example.com", "EUR", "Product variant Standard.", "Licence ordered"):
        assert text in shown, text
    assert ">active<" not in shown
    chosen = {"administration": VISMA_COMPANIES["leeg"].id}
    assert "Nederland<" in page.get(place, params=chosen, headers={"Accept-Language": "nl"}).text
