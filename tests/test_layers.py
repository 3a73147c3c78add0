"""Who may import whom: the rules between the rooms, checked on the source of every module."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "include" / "outsmart_sync"

BESIDE = {"errors"}
"""What every room may use."""
BELOW = {
    "languages": set[str](),
    "records": set[str](),
    "store": {"records"},
    "pipeline": {"records", "store"},
    "providers": {"records", "store"},
    "services": {"languages", "pipeline", "providers", "records", "store"},
    "orchestration": {"services", "pipeline", "providers", "records", "store"},
    "webapp": {"services", "languages", "pipeline", "providers", "records", "store", "terminal"},
    "cli": {
        "services",
        "pipeline",
        "providers",
        "records",
        "store",
        "terminal",
        "cli_attention",
        "cli_store",
        "cli_records",
        "cli_export",
    },
    "cli_attention": {"services", "store", "terminal"},
    "cli_store": {"services", "store", "terminal"},
    "cli_records": {"services", "store", "terminal"},
    "cli_export": {"services", "pipeline", "providers", "records", "store", "terminal"},
    "terminal": {"providers", "store"},
    "provider_info": {"providers", "records"},
    "errors": set[str](),
}
"""Room → the rooms below it."""
MAY_LOAD_AIRFLOW = (
    "orchestration/",
    "webapp/airflow.py",
    "store/hook.py",
    "providers/login_hook.py",
    "providers/vendor_hook.py",
    "providers/*/hook.py",
    "providers/messages/notifiers.py",
)
VENDORS = sorted(each.name for each in (HOUSE / "providers").iterdir() if (each / "client.py").exists())


@dataclass(frozen=True)
class Import:
    """One import statement's target, as far as it can be told from the source."""

    file: Path
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.target}"


@cache
def imports_of(file: Path) -> tuple[Import, ...]:
    return tuple(_imports_of(file))


def _imports_of(file: Path) -> Iterator[Import]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(file, node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} imports relatively"
            yield from (Import(file, node.lineno, f"{node.module}.{name.name}") for name in node.names)


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def room_of(file: Path) -> str:
    return file.relative_to(HOUSE).parts[0].removesuffix(".py")


def room_meant(target: str) -> str:
    parts = target.split(".")
    return parts[1] if len(parts) > 1 else ""


def inside(found: Import, package: str) -> bool:
    return found.target == package or found.target.startswith(f"{package}.")


def test_every_room_has_its_rule() -> None:
    rooms = {room_of(file) for file in modules(HOUSE) if file.name != "__init__.py" or file.parent != HOUSE}
    assert rooms <= set(BELOW), rooms - set(BELOW)


@pytest.mark.parametrize("room", [room for room in BELOW if (HOUSE / room).exists() or (HOUSE / f"{room}.py").exists()])
def test_a_room_imports_only_rooms_below_it(room: str) -> None:
    files = modules(HOUSE / room) if (HOUSE / room).is_dir() else [HOUSE / f"{room}.py"]
    allowed = BELOW[room] | BESIDE | {room, ""}
    ours = [found for file in files for found in imports_of(file) if inside(found, "outsmart_sync")]
    assert [str(found) for found in ours if room_meant(found.target) not in allowed] == []


def test_only_orchestration_hooks_and_pages_import_airflow() -> None:
    for file in modules(HOUSE):
        name = file.relative_to(HOUSE).as_posix()
        if not any(name.startswith(each) or file.match(each) for each in MAY_LOAD_AIRFLOW):
            assert [str(found) for found in imports_of(file) if inside(found, "airflow")] == []


@pytest.mark.parametrize(
    "modules_named",
    [
        "outsmart_sync.services.sync, outsmart_sync.services.polling, outsmart_sync.services.history",
        "outsmart_sync.services.connect, outsmart_sync.services.health",
        "outsmart_sync.cli",
        "outsmart_sync.providers.exact_online.client, outsmart_sync.providers.outsmart.client",
        "outsmart_sync.providers.gateway, outsmart_sync.provider_info",
    ],
)
def test_without_a_hook_no_airflow_is_loaded(modules_named: str) -> None:
    program = f"import sys, {modules_named}\nsys.exit('airflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_a_provider_names_no_other_provider() -> None:
    for vendor in VENDORS:
        others = tuple(f"outsmart_sync.providers.{other}" for other in VENDORS if other != vendor)
        for file in modules(HOUSE / "providers" / vendor):
            assert [str(found) for found in imports_of(file) for other in others if inside(found, other)] == []


def test_what_providers_share_imports_none_of_them() -> None:
    for file in (HOUSE / "providers").glob("*.py"):
        vendors = tuple(f"outsmart_sync.providers.{vendor}" for vendor in VENDORS)
        assert [str(found) for found in imports_of(file) for vendor in vendors if inside(found, vendor)] == []


@pytest.mark.parametrize("room", ["services", "orchestration", "cli", "webapp", "terminal", "provider_info"])
def test_above_the_providers_only_dags_name_one(room: str) -> None:
    files = modules(HOUSE / room) if (HOUSE / room).is_dir() else (HOUSE / f"{room}.py",)
    vendors = tuple(f"outsmart_sync.providers.{vendor}" for vendor in VENDORS)
    found = [found for file in files if file.exists() for found in imports_of(file)]
    assert [str(each) for each in found for vendor in vendors if inside(each, vendor)] == []


def words_of(file: Path) -> set[str]:
    """Every name and text in a module that is neither comment nor docstring, in lower case."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    described = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, described) and node.body and isinstance(node.body[0], ast.Expr)
    }
    words = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            words.add(node.value.lower())
        words.update(
            str(getattr(node, name)).lower() for name in ("id", "attr", "arg", "name", "module") if hasattr(node, name)
        )
    return words


@pytest.mark.parametrize("room", ["pipeline", "records", "store"])
def test_a_room_below_the_providers_names_none(room: str) -> None:
    packages = [vendor for vendor in VENDORS if vendor != "outsmart"]
    spelled = [*packages, *(package.replace("_", "-") for package in packages), *(p.split("_")[0] for p in packages)]
    for file in modules(HOUSE / room):
        named = [word for word in words_of(file) for vendor in spelled if vendor in word.split("://")[0].split()]
        assert named == [], f"{file.relative_to(ROOT)} names {named}"


def test_pipeline_and_records_make_no_calls_of_their_own() -> None:
    wires = ("requests", "requests_oauthlib", "urllib.request", "http.client", "socket", "httpx")
    for room in ("pipeline", "records", "store"):
        for file in modules(HOUSE / room):
            assert [str(found) for found in imports_of(file) for wire in wires if inside(found, wire)] == []


def test_records_know_neither_store_nor_database() -> None:
    for file in modules(HOUSE / "records"):
        assert [str(found) for found in imports_of(file) if inside(found, "sqlalchemy")] == []


def test_the_sandbox_and_the_product_do_not_know_each_other() -> None:
    for folder, other in ((ROOT / "sandbox", "outsmart_sync"), (HOUSE, "sandbox"), (ROOT / "dags", "sandbox")):
        found = [found for file in modules(folder) for found in imports_of(file)]
        assert [str(each) for each in found if inside(each, other) or inside(each, "tests")] == []


def test_the_sandbox_loads_no_airflow() -> None:
    assert [str(f) for file in modules(ROOT / "sandbox") for f in imports_of(file) if inside(f, "airflow")] == []


def test_a_dag_file_names_one_package_and_hands_it_to_orchestration() -> None:
    for file in (ROOT / "dags").glob("*.py"):
        ours = [found for found in imports_of(file) if inside(found, "outsmart_sync")]
        assert {room_meant(found.target) for found in ours} == {"orchestration", "providers"}
        assert len({found.target.split(".")[2] for found in ours if room_meant(found.target) == "providers"}) == 1
