"""Settings: complete with defaults, all of a change or nothing of it, every mistake named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from outsmart_sync.errors import InvalidSettings
from outsmart_sync.providers.packages import package
from outsmart_sync.services import settings
from outsmart_sync.store import connections
from outsmart_sync.store.connections import SyncConnection
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import setting
from support import added

EXACT = package("exact_online")
DEFAULTS = {
    "licence": "basic",
    "automatic": True,
    "relations": {
        "enabled": False,
        "types": ["customer"],
        "classifications": [],
        "include_inactive": False,
        "include_blocked": False,
        "hold_two_firms": True,
        "follow_inactive": True,
        "deactivate_removed": False,
    },
}


def document(store: Store, connection: SyncConnection) -> dict[str, Any]:
    return settings.read(store, connection).as_document()


def refused(store: Store, changes: Mapping[str, Any]) -> str:
    """What is said of a change that is refused, after making sure that nothing of it was saved."""
    connection = added(store)
    with pytest.raises(InvalidSettings) as error:
        settings.save(store, connection, changes)
    assert str(connection.id) in error.value.remedy
    with store.read() as transaction:
        assert transaction.execute(setting.select()).all() == []
    return error.value.what


def test_a_new_connection_has_every_setting_and_everything_switched_off(store: Store) -> None:
    found = document(store, added(store))
    assert set(found) == {"licence", "automatic", *(each.name for each in EXACT.categories)}
    assert {name: found[name] for name in DEFAULTS} == DEFAULTS
    assert settings.read(store, connected_again(store)).enabled(EXACT) == []


def connected_again(store: Store) -> SyncConnection:
    return connections.find(store)[0]


def test_what_is_not_named_stays(store: Store) -> None:
    connection = added(store)
    settings.save(store, connection, {"relations": {"types": ["prospect"], "include_blocked": True}})
    saved = settings.save(store, connection, {"relations": {"enabled": True}, "materials": {"item_groups": ["A"]}})
    changed = {"enabled": True, "types": ["prospect"], "include_blocked": True}
    assert saved.categories["relations"] == DEFAULTS["relations"] | changed
    assert saved == settings.read(store, connection)


def test_a_change_is_of_one_connection(store: Store) -> None:
    first = added(store)
    with store.begin() as transaction:
        connections.change(transaction, first.id, administration="2")
    second = added(store)
    settings.save(store, first, {"relations": {"enabled": True}})
    assert settings.read(store, second).categories["relations"]["enabled"] is False


def test_the_categories_that_are_on_come_in_the_packages_order(store: Store) -> None:
    connection = added(store)
    changes: dict[str, Any] = {"licence": EXACT.tiers[-1]}
    changes |= {each.name: {"enabled": True} for each in reversed(EXACT.imports)}
    enabled = settings.save(store, connection, changes).enabled(EXACT)
    assert [each.name for each in enabled] == [each.name for each in EXACT.imports]


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown category": ({"orders": {"enabled": True}}, "there is no category 'orders' (there are relations"),
    "an unknown setting": ({"relations": {"colour": "red"}}, "relations has no setting 'colour' (it has enabled"),
    "a switch that is text": (
        {"relations": {"enabled": "maybe"}},
        "relations.enabled (Relations: Switched on) must be true or false",
    ),
    "a switch that is a number": ({"relations": {"enabled": 1}}, "or false, not '1'"),
    "a switch that is nothing": (
        {"relations": {"enabled": None}},
        "relations.enabled (Relations: Switched on) must be true or false",
    ),
    "a list that is a switch": ({"relations": {"types": True}}, "must be a list, not 'True'"),
    "a list that is a map": (
        {"relations": {"types": {"a": 1}}},
        "relations.types (Relations: Relation types to import) must be a list",
    ),
    "an unknown choice": ({"relations": {"types": ["customer", "friend"]}}, "'friend' is none of customer, "),
    "an unknown licence": ({"licence": "gold"}, "licence must be one of none, basic, pro, not 'gold'"),
    "a licence that is a list": ({"licence": ["pro"]}, "licence must be one of"),
    "a category without settings": ({"relations": True}, "relations needs settings of its own"),
    "a category that is empty": ({"relations": None}, "relations needs settings of its own"),
    "a category beyond the licence": (
        {"licence": "none", "relations": {"enabled": True}},
        "needs the licence 'basic', and this connection has 'none'",
    ),
}


@pytest.mark.parametrize(("changes", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_and_nothing_is_saved(sqlite_store: Store, changes: dict[str, Any], said: str) -> None:
    assert said in refused(sqlite_store, {"materials": {"enabled": True}} | changes)


def test_all_mistakes_are_named_at_once(sqlite_store: Store) -> None:
    wrong = {"orders": {}, "relations": {"types": ["friend"], "colour": 1}, "licence": "gold"}
    said = refused(sqlite_store, wrong)
    assert all(word in said for word in ("'orders'", "friend", "'colour'", "'gold'"))


def test_a_category_is_not_run_without_the_licence_it_needs(store: Store) -> None:
    connection = added(store)
    settings.save(store, connection, {"relations": {"enabled": True}})
    saved = settings.save(store, connection, {"licence": "none"})
    assert saved.categories["relations"]["enabled"] is True
    assert saved.enabled(EXACT) == []
    assert [each.name for each in settings.save(store, connection, {"licence": "pro"}).enabled(EXACT)] == ["relations"]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["relations.enabled=true"], {"relations": {"enabled": True}}),
        (["relations.enabled=Yes"], {"relations": {"enabled": True}}),
        (["relations.enabled=off"], {"relations": {"enabled": False}}),
        (["relations.types=customer, supplier"], {"relations": {"types": ["customer", "supplier"]}}),
        (["relations.types="], {"relations": {"types": []}}),
        (["materials.item_groups=A=B"], {"materials": {"item_groups": ["A=B"]}}),
        (["licence=pro"], {"licence": "pro"}),
        ([" relations.enabled = on "], {"relations": {"enabled": True}}),
        (["relations.enabled=true", "relations.enabled=false"], {"relations": {"enabled": False}}),
        (
            ["relations.enabled=true", "relations.include_blocked=true", "hour_types.enabled=true"],
            {"relations": {"enabled": True, "include_blocked": True}, "hour_types": {"enabled": True}},
        ),
    ],
    ids=str,
)
def test_changes_can_be_typed(sqlite_store: Store, texts: list[str], expected: dict[str, Any]) -> None:
    saved = settings.save(sqlite_store, added(sqlite_store), settings.parse_all(texts)).as_document()
    for name, values in expected.items():
        found = saved[name]
        assert found == values if isinstance(values, str) else {k: found[k] for k in values} == values


@pytest.mark.parametrize("text", ["relations", "=true", "", "relations.enabled"])
def test_what_is_no_setting_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidSettings) as error:
        settings.parse_all([text])
    assert "relations.enabled=true" in error.value.remedy


@pytest.mark.parametrize(
    "texts",
    [["relations=on"], ["relations.enabled=true", "relations=on"], ["relations=on", "relations.enabled=true"]],
    ids=str,
)
def test_a_value_where_a_category_belongs_is_named_in_any_order(sqlite_store: Store, texts: list[str]) -> None:
    assert "relations needs settings of its own" in refused(sqlite_store, settings.parse_all(texts))


@pytest.mark.parametrize("code", ["\x85", "a\u2028b", "\u2029", "é", "0100", "A, B"], ids=ascii)
def test_a_code_that_is_shown_is_loaded_as_it_was(tmp_path: Path, code: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(settings.as_yaml({"materials": {"item_groups": [code]}}), encoding="utf-8")
    assert settings.load(file) == {"materials": {"item_groups": [code]}}


LOADED: dict[str, tuple[str, list[str]]] = {
    "numbers": ("[0100, 09, 1e3, 1_000]", ["0100", "09", "1e3", "1_000"]),
    "words that YAML knows": ("[no, ON, null, ~, 2024-01-01]", ["no", "ON", "null", "~", "2024-01-01"]),
    "quoted": ("['0100', \"A, B\"]", ["0100", "A, B"]),
    "one of them": ("0100", ["0100"]),
    "a list in lines": ("\n    - 0100\n    - B", ["0100", "B"]),
    "none": ("[]", []),
}


@pytest.mark.parametrize(("written", "groups"), LOADED.values(), ids=LOADED)
def test_a_code_in_a_file_is_the_text_that_is_written_there(
    sqlite_store: Store, tmp_path: Path, written: str, groups: list[str]
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(f"materials:\n  enabled: true\n  item_groups: {written}\n")
    saved = settings.save(sqlite_store, added(sqlite_store), settings.load(file))
    assert saved.categories["materials"]["item_groups"] == groups
    assert saved.categories["materials"]["enabled"] is True


@pytest.mark.parametrize("written", ["1", "~", "", "maybe", "[true]"])
def test_a_switch_in_a_file_that_is_none_is_refused(sqlite_store: Store, tmp_path: Path, written: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(f"materials:\n  enabled: {written}\n")
    assert "materials.enabled (Materials: Switched on) must be true or false" in refused(
        sqlite_store, settings.load(file)
    )


FILES = {
    "lists": "- relations\n- materials\n",
    "text": "relations\n",
    "nothing": "",
    "no YAML": "relations: [customer\n",
    "a tag that would make an object": "relations: !!python/object/apply:os.getcwd []\n",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_a_file_that_holds_no_settings_is_refused_by_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    with pytest.raises(InvalidSettings, match="settings"):
        settings.load(file)


@pytest.mark.parametrize("kind", ["missing", "folder", "binary"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "settings.yaml"
    if kind == "folder":
        file.mkdir()
    elif kind == "binary":
        file.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InvalidSettings, match=str(file)):
        settings.load(file)


_CODES = st.lists(st.text(min_size=1, max_size=12), max_size=5)
_FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "relations": st.fixed_dictionaries(
            {},
            optional={
                "enabled": st.booleans(),
                "types": st.lists(st.sampled_from(["customer", "prospect", "suspect", "supplier"]), unique=True),
                "include_blocked": st.booleans(),
            },
        ),
        "materials": st.fixed_dictionaries({}, optional={"enabled": st.booleans(), "item_groups": _CODES}),
        "licence": st.sampled_from(["basic", "pro"]),
    },
)


@given(changes=_FILTERS)
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_any_settings_that_are_saved_can_be_shown_written_to_a_file_and_loaded(
    sqlite_store: Store, tmp_path: Path, changes: dict[str, Any]
) -> None:
    connection = (connections.find(sqlite_store) or [added(sqlite_store)])[0]
    saved = settings.save(sqlite_store, connection, changes)
    for name, value in changes.items():
        if isinstance(value, dict):
            assert {key: saved.categories[name][key] for key in value} == value
    file = tmp_path / "settings.yaml"
    file.write_text(settings.as_yaml(saved.as_document()), encoding="utf-8")
    assert settings.save(sqlite_store, connection, settings.load(file)) == saved


def test_of_two_who_save_what_they_read_the_second_is_refused(store: Store) -> None:
    connection = added(store)
    read = settings.read(store, connection).version
    settings.save(store, connection, {"relations": {"enabled": True}}, version=read)
    with pytest.raises(InvalidSettings, match="Somebody else saved") as told:
        settings.save(store, connection, {"relations": {"enabled": False}}, version=read)
    assert told.value.code == settings.CHANGED_MEANWHILE
    assert settings.read(store, connection).categories["relations"]["enabled"] is True


def test_each_problem_knows_its_place(store: Store) -> None:
    wrong = {"relations": {"types": ["friend"], "enabled": "perhaps"}, "licence": "gold"}
    with pytest.raises(InvalidSettings) as told:
        settings.save(store, added(store), wrong)
    assert {(each.category, each.setting) for each in told.value.problems} == {
        ("relations", "types"),
        ("relations", "enabled"),
        ("", "licence"),
    }
