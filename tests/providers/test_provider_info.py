"""What Airflow shows of us: connection types, hooks and form fields."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import warnings
from importlib.metadata import entry_points
from typing import Any

import pytest
from airflow.providers_manager import ProvidersManager

from outsmart_sync.provider_info import get_provider_info
from outsmart_sync.providers.packages import packages

TYPES = {each["connection-type"]: each for each in get_provider_info()["connection-types"]}


@pytest.fixture(scope="module")
def shown() -> ProvidersManager:
    """What Airflow itself has found."""
    manager = ProvidersManager()
    manager.initialize_providers_hooks()
    return manager


def test_airflow_finds_us_by_our_entry_point() -> None:
    (ours,) = [
        each for each in entry_points(group="apache_airflow_provider") if each.value.startswith("outsmart_sync.")
    ]
    assert ours.load() is get_provider_info


@pytest.mark.parametrize("name", TYPES)
def test_a_connection_type_says_what_its_hook_says(name: str) -> None:
    module, _, hook_name = TYPES[name]["hook-class-name"].rpartition(".")
    hook = getattr(importlib.import_module(module), hook_name)
    assert (hook.conn_type, hook.hook_name) == (name, TYPES[name]["hook-name"])
    assert hook.default_conn_name == f"{name}_default"


def test_every_package_has_a_connection_type() -> None:
    assert set(packages()) < set(TYPES)
    assert {package.conn_id for package in packages().values()} <= {f"{name}_default" for name in TYPES}


@pytest.mark.parametrize("name", TYPES)
def test_airflow_lists_the_connection_type_as_one_that_can_be_tested(shown: ProvidersManager, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # meant for parts of Airflow; `airflow providers hooks` asks the same way
        found: Any = shown.hooks[name]
    assert (found.connection_type, found.hook_class_name) == (name, TYPES[name]["hook-class-name"])
    assert found.connection_testable


@pytest.mark.parametrize("name", TYPES)
def test_airflows_form_has_our_fields(shown: ProvidersManager, name: str) -> None:
    fields = {
        key.removeprefix(f"extra__{name}__")
        for key in shown.connection_form_widgets
        if key.startswith(f"extra__{name}__")
    }
    assert fields == set(TYPES[name]["conn-fields"])
    assert shown.field_behaviours[name]["relabeling"] == TYPES[name]["ui-field-behaviour"]["relabeling"]


def test_a_secret_is_hidden_while_it_is_typed(shown: ProvidersManager) -> None:
    widgets = shown.connection_form_widgets
    assert widgets["extra__outsmart__software_token"].is_sensitive
    assert not widgets["extra__exact_online__redirect_uri"].is_sensitive


def test_airflows_command_line_lists_our_hooks() -> None:
    """In a process of its own, as a user would ask."""
    listed = subprocess.run(
        [sys.executable, "-m", "airflow", "providers", "hooks", "--output", "json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    found = {each["connection_type"]: each for each in json.loads(listed.stdout[listed.stdout.index("[{") :])}
    assert set(TYPES) <= set(found)
    assert {found[name]["package_name"] for name in TYPES} == {"outsmart-sync"}


def test_asking_for_the_connection_types_loads_no_hook() -> None:
    """Airflow asks in every process that it starts."""
    code = (
        "import sys; from outsmart_sync.provider_info import get_provider_info; get_provider_info();"
        "print([name for name in sys.modules if name.split('.')[0] in ('airflow', 'requests', 'pandas', 'sqlalchemy')])"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert asked.stdout.strip() == "[]"
