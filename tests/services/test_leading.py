"""One OutSmart account with two packages: each category has one leading package."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.services import connect, settings
from outsmart_sync.store.connections import State
from outsmart_sync.store.store import Store
from sandbox import process
from support import SMALL, SOUTH, Rig, connection_environment


@pytest.fixture(scope="module")
def shared_vendors() -> Iterator[process.SandboxProcess]:
    with process.start(relations=5, items=5) as vendors:
        yield vendors


@pytest.fixture
def both(sqlite_store: Store, vendors: process.SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Rig:
    for name, value in connection_environment(vendors, sqlite_store, SOUTH).items():
        monkeypatch.setenv(name, value)
    return Rig(sqlite_store, vendors)


def test_switching_a_category_on_for_the_second_package_names_the_first(both: Rig) -> None:
    exact = both.connect(SMALL, relations={"enabled": True}, hour_types={"enabled": True})
    visma = both.connect_visma("leeg")
    assert visma.outsmart_account == exact.outsmart_account
    with pytest.raises(InvalidSettings) as refused:
        settings.save(both.store, visma, {"customers": {"enabled": True}, "projects": {"enabled": True}})
    said = str(refused.value)
    assert "Customers cannot be imported into the OutSmart account" in said
    assert "Exact Online leads there, with relations of Verwarming Peeters BV (connection 1)" in said
    assert "outsmart-sync settings set 1 relations.enabled=false" in said
    assert not settings.read(both.store, visma).categories["projects"]["enabled"], "all or nothing"
    settings.save(both.store, visma, {"materials": {"enabled": True}, "projects": {"enabled": True}})
    with pytest.raises(InvalidSettings, match="VISMA eAccounting leads there, with materials of"):
        settings.save(both.store, exact, {"materials": {"enabled": True}})
    settings.save(both.store, exact, {"relations": {"enabled": False}})
    assert settings.save(both.store, visma, {"customers": {"enabled": True}}).categories["customers"]["enabled"]


def test_the_first_package_leads_only_while_it_is_joined_and_one_that_comes_back_gives_way(both: Rig) -> None:
    exact = both.connect(SMALL, relations={"enabled": True}, categories={"enabled": True})
    connect.disconnect(both.store, exact, both.gateway)
    visma = both.connect_visma("leeg", customers={"enabled": True})
    again = both.connect(SMALL)
    assert (again.id, again.state) == (exact.id, State.ACTIVE)
    kept = settings.read(both.store, again).categories
    assert (kept["relations"]["enabled"], kept["categories"]["enabled"]) == (False, True)
    assert settings.read(both.store, visma).categories["customers"]["enabled"]


def test_two_companies_of_one_package_still_need_to_be_asked_for_by_name(both: Rig) -> None:
    both.connect_visma("leeg")
    with pytest.raises(InvalidSettings) as refused:
        both.connect_visma("gavle")
    assert refused.value.code == "account_taken"
    assert "--country" not in refused.value.remedy


def test_what_a_licence_does_not_cover_leads_all_the_same_as_the_licence_may_be_raised(both: Rig) -> None:
    exact = both.connect(SMALL, relations={"enabled": True})
    settings.save(both.store, exact, {"licence": "none"})
    visma = both.connect_visma("leeg")
    with pytest.raises(InvalidSettings, match="Exact Online leads there, with relations"):
        settings.save(both.store, visma, {"customers": {"enabled": True}})
    settings.save(both.store, exact, {"licence": "basic"})
    assert not settings.read(both.store, visma).categories["customers"]["enabled"]
