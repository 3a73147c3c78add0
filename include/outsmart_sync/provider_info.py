"""What Airflow shows of us: the connection types and their form fields.

Format: https://airflow.apache.org/docs/apache-airflow-providers/howto/create-custom-providers.html
"""

from __future__ import annotations

from typing import Any

from outsmart_sync.providers.packages import packages
from outsmart_sync.records.catalogue import Package


def _text(label: str, description: str, *, secret: bool = False) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": ["string", "null"]}
    if secret:
        schema["format"] = "password"
    return {"label": label, "description": description, "schema": schema}


def _bookkeeping(package: Package) -> dict[str, Any]:
    return {
        "connection-type": package.name,
        "hook-class-name": package.hook.replace(":", "."),
        "hook-name": package.label,
        "ui-field-behaviour": {
            "hidden-fields": ["host", "schema", "port"],
            "relabeling": {"login": "Client id", "password": "Client secret"},
            "placeholders": {"login": "id of the app's registration"},
        },
        "conn-fields": {
            "redirect_uri": _text("Redirect URI", "The one that is registered with the app, letter by letter."),
            "authorize_url": _text("Login address", "Overrides the vendor's login page."),
            "token_url": _text("Token address", "Overrides the vendor's token endpoint."),
            "revocation_url": _text("Revocation address", "Overrides where a login is ended (VISMA)."),
            "api_url": _text("API address", "Overrides the vendor's API."),
            "web_url": _text("Address of the application", "Overrides where links into the package lead."),
        },
    }


def get_provider_info() -> dict[str, Any]:
    """The entry point ``apache_airflow_provider``."""
    return {
        "package-name": "outsmart-sync",
        "name": "OutSmart Sync",
        "description": "Keeps OutSmart and bookkeeping packages aligned.",
        "connection-types": [
            *(_bookkeeping(package) for package in packages().values()),
            {
                "connection-type": "outsmart",
                "hook-class-name": "outsmart_sync.providers.outsmart.hook.OutSmartHook",
                "hook-name": "OutSmart",
                "ui-field-behaviour": {
                    "hidden-fields": ["login", "schema", "port"],
                    "relabeling": {"host": "API address", "password": "Account token"},
                    "placeholders": {"host": "https://app.out-smart.com/openapi/8"},
                },
                "conn-fields": {
                    "software_token": _text("Software token", "Issued by OutSmart for this software.", secret=True),
                    "web_url": _text("Address of the application", "Overrides where links into OutSmart lead."),
                },
            },
        ],
    }
