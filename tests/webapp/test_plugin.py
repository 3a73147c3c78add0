"""The plugin: one thin file, light for every process that loads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_LOAD = """
import json, sys
from airflow import plugins_manager
found = plugins_manager._get_plugins()[0] if hasattr(plugins_manager, "_get_plugins") else plugins_manager.get_plugins()
print(json.dumps({
    "names": [plugin.name for plugin in found],
    "app_built": "outsmart_sync.webapp.app" in sys.modules,
    "server": "airflow.api_fastapi.app" in sys.modules,
}))
"""


def test_the_folder_holds_one_entry_file_and_hides_the_rest() -> None:
    assert sorted(file.name for file in (ROOT / "plugins").rglob("*.py")) == ["outsmart_sync_plugin.py"]
    assert (ROOT / "plugins" / ".airflowignore").exists()


def test_loading_the_plugin_builds_no_web_app(tmp_path: Path) -> None:
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _LOAD],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert "outsmart_sync" in found["names"]
    assert not found["app_built"]
