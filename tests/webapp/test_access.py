"""Who may see which sync connection: Airflow's auth manager decides."""

from __future__ import annotations

import pytest
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

from outsmart_sync.webapp import airflow

DAG = "exact_online_import"


class NamedViews(SimpleAuthManager):
    """An auth manager that knows custom views by name, as FAB's does."""

    def is_authorized_custom_view(self, *, method: str, resource_name: str, user: SimpleAuthManagerUser) -> bool:
        assert method == "GET"
        return resource_name in (user.teams or [])


def person(*teams: str, role: str = "viewer") -> SimpleAuthManagerUser:
    return SimpleAuthManagerUser(username="anna", role=role, teams=list(teams))


def test_with_teams_the_team_of_the_outsmart_connection_must_be_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow, "_manager", SimpleAuthManager)
    monkeypatch.setattr(airflow, "_team_of_connection", {"outsmart_north": "north", "outsmart_default": None}.get)
    assert airflow.may_see(person("north"), DAG, 1, "outsmart_north")
    assert not airflow.may_see(person("south"), DAG, 1, "outsmart_north")
    assert airflow.may_see(person("south"), DAG, 2, "outsmart_default")
    assert airflow.may_see(person(role="admin"), DAG, 1, "outsmart_north")


def test_with_views_each_connection_is_asked_for_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow, "_manager", NamedViews)
    monkeypatch.setattr(airflow, "_team_of_connection", lambda _: None)
    anna = person("OutSmart Sync 1")
    assert airflow.may_see(anna, DAG, 2, "outsmart_default")
    monkeypatch.setenv(airflow.VIEWS_VARIABLE, "true")
    assert airflow.may_see(anna, DAG, 1, "outsmart_default")
    assert not airflow.may_see(anna, DAG, 2, "outsmart_default")
