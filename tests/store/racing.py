"""Real processes that race for something in a store: run as a program, it forks them and prints what each one got.

They meet at a barrier, so that all of them act at the same moment. The task comes as JSON on standard input, the
results go as a JSON list to standard output, in no order.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import outsmart_sync
from outsmart_sync.errors import SyncError
from outsmart_sync.providers.exact_online import oauth
from outsmart_sync.store import leases, schema
from outsmart_sync.store.budget import BudgetRules, CallBudget
from outsmart_sync.store.store import Store
from outsmart_sync.store.tokens import TokenKeeper
from outsmart_sync.store.vault import Vault

SECONDS = 120


def race(number: int, what: str, store: Store, **given: Any) -> list[dict[str, Any]]:
    """Let so many processes do the same thing at the same moment; each result has its process's ``pid``."""
    task = {"what": what, "number": number, "store": store.url.render_as_string(hide_password=False), **given}
    package = str(Path(outsmart_sync.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-W", "error", __file__],
        input=json.dumps(task),
        env=os.environ | {"PYTHONPATH": package},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    assert len({result["pid"] for result in results}) == number, results
    return results


def _claim(store: Store, own: int, given: dict[str, Any]) -> Any:
    lease = leases.claim(store, given["name"], f"process {own}", timedelta(minutes=1))
    return lease and lease.owner


def _token(store: Store, _own: int, given: dict[str, Any]) -> Any:
    app = given["app"]
    exact = oauth.App.of("nl", app["login"], app["password"], app["extra"])
    keeper = TokenKeeper(
        store,
        Vault(store),
        given["owner"],
        lambda refresh_token: oauth.refresh(exact, refresh_token),
        refresh_after=oauth.REFRESH_AFTER,
    )
    return keeper.access_token(refused=given.get("refused"))


def _calls(store: Store, _own: int, given: dict[str, Any]) -> Any:
    """Take calls until there are none, or a day's are used up; returns how many."""
    budget = CallBudget(store, given["key"], BudgetRules(given["minute"], given["day"]))
    taken = 0
    while taken < given.get("most", 1_000) and budget.take("crm/Accounts") == 0:
        taken += 1
    return taken


def _swap(store: Store, own: int, given: dict[str, Any]) -> Any:
    return Vault(store).write(given["owner"], "tokens", {"by": str(own)}, replaces=given["replaces"])


def _upgrade(store: Store, _own: int, _given: dict[str, Any]) -> Any:
    return schema.upgrade(store)


_WORK: dict[str, Callable[[Store, int, dict[str, Any]], Any]] = {
    "claim": _claim,
    "token": _token,
    "calls": _calls,
    "swap": _swap,
    "upgrade": _upgrade,
}


def _run(own: int, task: dict[str, Any], barrier: Any, results: Any) -> None:
    result: dict[str, Any] = {"pid": os.getpid()}
    store = Store(task["store"])
    try:
        barrier.wait(SECONDS)
        result["got"] = _WORK[task["what"]](store, own, task)
    except SyncError as error:
        result["error"] = error.code
    except Exception as error:  # noqa: BLE001 - told to the test, which judges it
        result["error"] = repr(error)
    finally:
        store.close()
        results.put(result)


def main() -> None:
    """Fork, wait, tell."""
    task = json.load(sys.stdin)
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(task["number"]), context.Queue()
    processes = [context.Process(target=_run, args=(own, task, barrier, results)) for own in range(task["number"])]
    for process in processes:
        process.start()
    found = [results.get(timeout=SECONDS) for _ in processes]
    for process in processes:
        process.join(SECONDS)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
