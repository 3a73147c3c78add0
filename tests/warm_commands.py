"""Loaded ahead by the process from which tests fork commands, and nowhere else: all that a command imports.

Airflow reads its settings when it is first imported, and a command of a person is no unit test.
"""

from __future__ import annotations

import importlib
import os

os.environ.pop("AIRFLOW__CORE__UNIT_TEST_MODE", None)

for _name in ("cli", "orchestration.warm"):  # what tasks use, commands use
    importlib.import_module(f"outsmart_sync.{_name}")
