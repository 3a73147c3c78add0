"""The vendors' Airflow connections at a running sandbox, for all that starts one: quick start, tests, benchmarks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.config import DEFAULT_REDIRECT_URI, DEFAULT_VISMA_REDIRECT_URI
from sandbox.fixed_world import APP, OUTSMART_ACCOUNTS, VISMA_APP

if TYPE_CHECKING:
    from sandbox.process import SandboxProcess

EXACT = "AIRFLOW_CONN_EXACT_ONLINE_DEFAULT"
VISMA = "AIRFLOW_CONN_VISMA_EACCOUNTING_DEFAULT"
OUTSMART = "AIRFLOW_CONN_OUTSMART_DEFAULT"
"""Environment variables of the connections that are used unless another one is named."""


def exact(url: str, redirect_uri: str = DEFAULT_REDIRECT_URI, **extras: Any) -> str:
    """The app at Exact Online, in Airflow's JSON form.

    Args:
        url: Address of the sandbox's Exact Online.
        redirect_uri: Where the login leads back to.
        extras: More of the connection's extras, or others.
    """
    addresses = {"authorize_url": f"{url}/api/oauth2/auth", "token_url": f"{url}/api/oauth2/token", "api_url": url}
    return _app("exact_online", APP, addresses | {"redirect_uri": redirect_uri} | extras)


def visma(url: str, redirect_uri: str = DEFAULT_VISMA_REDIRECT_URI, **extras: Any) -> str:
    """The app at VISMA, as :func:`exact` gives that at Exact Online."""
    addresses = {"authorize_url": f"{url}/connect/authorize", "token_url": f"{url}/connect/token", "api_url": url}
    addresses["web_url"] = url
    return _app("visma_eaccounting", VISMA_APP, addresses | {"redirect_uri": redirect_uri} | extras)


def outsmart(url: str, account: Any) -> str:
    """An OutSmart account of the sandbox, in Airflow's JSON form."""
    extra = {"software_token": account.software_token}
    return json.dumps({"conn_type": "outsmart", "host": url, "password": account.token, "extra": extra})


def packages(vendors: SandboxProcess) -> dict[str, str]:
    """The apps at both bookkeeping packages, as environment variables."""
    return {EXACT: exact(vendors.exact_url), VISMA: visma(vendors.visma_url)}


def accounts(vendors: SandboxProcess, names: dict[str, str]) -> dict[str, str]:
    """OutSmart accounts, as environment variables: name of the Airflow connection → account of the sandbox."""
    return {
        f"AIRFLOW_CONN_{name.upper()}": outsmart(vendors.outsmart_url, OUTSMART_ACCOUNTS[account])
        for name, account in names.items()
    }


def _app(kind: str, app: Any, extra: dict[str, Any]) -> str:
    return json.dumps({"conn_type": kind, "login": app.client_id, "password": app.client_secret, "extra": extra})
