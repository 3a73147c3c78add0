"""Puts the page *Software integrations* into Airflow's navigation.

Airflow runs this file in every process, also in that of each task: it must stay light, so the web app is built only
where it is asked for, in the API server.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin


class OutSmartSyncPlugin(AirflowPlugin):
    """The page, shown in Airflow's frame by a small React component that holds an iframe."""

    name = "outsmart_sync"
    react_apps = [  # noqa: RUF012 - Airflow's own declaration
        {
            "name": "OutSmart",
            "bundle_url": "outsmart-sync/static/bundle.js",
            "url_route": "outsmart-sync",
            "destination": "nav",
            "nav_top_level": True,
            "icon": "outsmart-sync/static/icon.svg",
            "icon_dark_mode": "outsmart-sync/static/icon-dark.svg",
        }
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The web app; a property, as building it at import would cost every task a quarter of a second."""
        from outsmart_sync.webapp.app import create_app

        return [{"app": create_app(), "url_prefix": "/outsmart-sync", "name": "OutSmart Sync"}]
