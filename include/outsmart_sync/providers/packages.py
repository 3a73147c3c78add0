"""Finds the bookkeeping packages: every folder here with an ``imports.py`` that holds a ``PACKAGE``.

What can be exported to it stands beside that, in an ``exports.py`` that holds ``EXPORTS``.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from dataclasses import replace
from functools import cache

import outsmart_sync.providers
from outsmart_sync.errors import InvalidSettings
from outsmart_sync.records.catalogue import Package
from outsmart_sync.records.export_catalogue import Exports
from outsmart_sync.records.export_settings import export_categories


@cache
def packages() -> dict[str, Package]:
    """Every bookkeeping package by name, in alphabetical order."""
    found = {}
    for module in pkgutil.iter_modules(outsmart_sync.providers.__path__):
        name = f"outsmart_sync.providers.{module.name}.imports"
        if module.ispkg and importlib.util.find_spec(name) is not None:
            package: Package = importlib.import_module(name).PACKAGE
            found[package.name] = _with_exports(package, f"outsmart_sync.providers.{module.name}.exports")
    return found


def _with_exports(package: Package, name: str) -> Package:
    """A package with what its ``exports.py`` declares, if it has one."""
    if importlib.util.find_spec(name) is None:
        return package
    exports: Exports = importlib.import_module(name).EXPORTS
    return replace(package, exports=exports, export_categories=export_categories(exports, package.tiers[1]))


def package(name: str) -> Package:
    """The package of this name, written with underscores or hyphens.

    Raises:
        InvalidSettings: There is none.
    """
    known = packages()
    found = known.get(name.replace("-", "_"))
    if found is None:
        commands = ", ".join(package.command for package in known.values())
        raise InvalidSettings(
            f"There is no package '{name}'.", remedy=f"Choose one of: {commands}.", code="unknown_package"
        )
    return found
