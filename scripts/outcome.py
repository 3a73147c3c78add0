"""What a run came to, as the quick start tells it: whether nothing has changed, and what went wrong."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select

from outsmart_sync.services.history import RunSummary
from outsmart_sync.store import runs
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import category_state

_SETTLED = (RunState.DONE, RunState.IDLE)
_STOPPED = (RunState.FAILED, RunState.POSTPONED)


def troubles(store: Store, run: RunSummary | None) -> list[str]:
    """One line for each category that failed or waits for a limit to begin anew."""
    if run is None:
        return []
    stopped = [f"{each.category} {each.state}: {each.error_text}" for each in run.categories if each.state in _STOPPED]
    return stopped + _postponed_by_poll(store, run)


def nothing_changed(state: str, run: RunSummary | None, told: list[str]) -> bool:
    """Whether the run went well and found nothing to do; a run that could not look does not know.

    Args:
        state: How Airflow says that the run went.
        run: What the store knows of it; None: it was never opened.
        told: Its :func:`troubles`.
    """
    if state != "success" or run is None or told or any(each.state not in _SETTLED for each in run.categories):
        return False
    counts = [asdict(each.counts) for each in run.categories]
    return not any(value for each in counts for name, value in each.items() if "calls" not in name)


def _postponed_by_poll(store: Store, run: RunSummary) -> list[str]:
    """Categories that this run's poll postponed: they have no row among the run's."""
    begun = {(each.connection_id, each.category) for each in run.categories}
    planned = [(number, name) for number, (_, names) in runs.read_plan(store, run.run_id).items() for name in names]
    query = select(category_state).where(
        category_state.c.state == "postponed", category_state.c.since >= run.started_at
    )
    with store.read() as connection:
        reasons = {(row.connection_id, row.category): row.reason for row in connection.execute(query)}
    return [f"{key[1]} postponed: {reasons[key]}" for key in planned if key in reasons and key not in begun]
