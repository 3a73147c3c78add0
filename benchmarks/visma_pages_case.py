"""One case of ``benchmarks.visma_pages``: connects the sandbox's main company and imports its articles as materials."""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time

from cryptography.fernet import Fernet

from outsmart_sync.pipeline.job import Options, Step
from outsmart_sync.services import connect, login, planning, settings
from outsmart_sync.services.steps import run_step
from outsmart_sync.store import runs, schema
from outsmart_sync.store.store import Store
from outsmart_sync.store.vault import KEYS_VARIABLE
from sandbox.browser import Browser
from sandbox.config import DEFAULT_VISMA_REDIRECT_URI
from sandbox.fixed_world import VISMA_APP, VISMA_COMPANIES

PACKAGE, COMPANY, CATEGORY = "visma_eaccounting", "devries", "materials"


def main(address: str, visma_url: str, parallel: str) -> None:
    """Import, and print what it took as JSON."""
    os.environ |= {
        "AIRFLOW_HOME": tempfile.mkdtemp(prefix="benchmark-airflow-"),
        KEYS_VARIABLE: Fernet.generate_key().decode(),
        "AIRFLOW_CONN_VISMA_EACCOUNTING_DEFAULT": _connection(visma_url, parallel),
    }
    from outsmart_sync.providers.gateway import HookGateway

    store = Store(address)
    schema.upgrade(store)
    gateway = HookGateway(store)
    started = login.start(store, gateway, PACKAGE, country="")
    back = Browser().consent_visma(started.address, COMPANY)
    done = login.finish(store, gateway, back, state=started.state)
    chosen = connect.choose_administration(store, gateway, done.connection, VISMA_COMPANIES[COMPANY].id)
    settings.save(store, chosen, {CATEGORY: {"enabled": True}}, gateway=gateway)
    run = planning.open_run(store, PACKAGE, "benchmark", Options())
    start, extract = time.monotonic(), 0.0
    for step in Step:
        run_step(store, gateway, step, run.run_id, chosen.id, CATEGORY)
        extract = extract or time.monotonic() - start
    seconds = time.monotonic() - start
    (category,) = runs.category_runs(store, run.run_id)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps({"seconds": seconds, "extract": extract, "peak_mb": peak, "calls": category.counts.calls}),
        flush=True,
    )


def _connection(visma_url: str, parallel: str) -> str:
    extra = {
        "authorize_url": f"{visma_url}/connect/authorize",
        "token_url": f"{visma_url}/connect/token",
        "api_url": visma_url,
        "redirect_uri": DEFAULT_VISMA_REDIRECT_URI,
        "parallel_pages": parallel,
    }
    account = {"login": VISMA_APP.client_id, "password": VISMA_APP.client_secret}
    return json.dumps({"conn_type": PACKAGE, **account, "extra": extra})


if __name__ == "__main__":
    main(*sys.argv[1:])
