"""The vendors' Airflow connections at a running sandbox, for scripts and benchmarks that start a whole Airflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox.config import DEFAULT_REDIRECT_URI, DEFAULT_VISMA_REDIRECT_URI
from sandbox.fixed_world import APP, OUTSMART_ACCOUNTS, VISMA_APP

if TYPE_CHECKING:
    from sandbox.process import SandboxProcess


def packages(vendors: SandboxProcess) -> dict[str, str]:
    """The apps at both bookkeeping packages, as environment variables."""
    exact, visma = vendors.exact_url, vendors.visma_url
    documents = {
        "EXACT_ONLINE_DEFAULT": {
            "conn_type": "exact_online",
            "login": APP.client_id,
            "password": APP.client_secret,
            "extra": {
                "authorize_url": f"{exact}/api/oauth2/auth",
                "token_url": f"{exact}/api/oauth2/token",
                "api_url": exact,
                "redirect_uri": DEFAULT_REDIRECT_URI,
            },
        },
        "VISMA_EACCOUNTING_DEFAULT": {
            "conn_type": "visma_eaccounting",
            "login": VISMA_APP.client_id,
            "password": VISMA_APP.client_secret,
            "extra": {
                "authorize_url": f"{visma}/connect/authorize",
                "token_url": f"{visma}/connect/token",
                "api_url": visma,
                "redirect_uri": DEFAULT_VISMA_REDIRECT_URI,
            },
        },
    }
    return {f"AIRFLOW_CONN_{name}": json.dumps(document) for name, document in documents.items()}


def outsmart(vendors: SandboxProcess, names: dict[str, str]) -> dict[str, str]:
    """OutSmart accounts, as environment variables: name of the Airflow connection → account of the sandbox."""
    return {
        f"AIRFLOW_CONN_{name.upper()}": json.dumps(
            {
                "conn_type": "outsmart",
                "host": vendors.outsmart_url,
                "password": OUTSMART_ACCOUNTS[account].token,
                "extra": {"software_token": OUTSMART_ACCOUNTS[account].software_token},
            }
        )
        for name, account in names.items()
    }
