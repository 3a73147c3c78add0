"""Fifty firms on a cluster: a first import, idle cycles of all four DAGs, and an hour with some of them at work."""

from __future__ import annotations

import os
import uuid

from sqlalchemy import create_engine, text

from benchmarks import firms
from benchmarks.firms import Firms
from outsmart_sync.pipeline.job import Options
from outsmart_sync.providers.gateway import HookGateway
from outsmart_sync.services import planning, polling, sync

DIVISIONS = {2001001: 16, 2001003: 12, 2001004: 10, 2001002: 3}
"""Firms in each administration; things change in the last one: 3 of 50 firms are at work."""

BUSY = 2001002
VISMA_FIRMS = 9
BY_ITSELF = {"by_hand": False}
"""As the schedule starts a run: who starts one by hand has everything looked at."""

_SIZES = """
SELECT relname, n_live_tup, pg_total_relation_size(relid) FROM pg_stat_user_tables
WHERE n_live_tup > 100 ORDER BY pg_total_relation_size(relid) DESC LIMIT 8
"""

IMPORTS = ("exact_online_import", "visma_eaccounting_import")
EXPORTS = ("exact_online_export", "visma_eaccounting_export")


def run(rows: int) -> None:
    """Print what each costs; ``rows`` is not used: the sandbox's administrations are as they are."""
    del rows
    firms.require_redis()
    with firms.connected(DIVISIONS, VISMA_FIRMS, workers=2, relations=60, items=60) as made:
        with made.timed("first import of all, in one process"):
            _import(made)
        made.cluster.start_airflow()
        print(f"    {_number(made, 'SELECT count(*) FROM mirror'):,} records, database of "
              f"{_number(made, 'SELECT pg_database_size(current_database())') / 1_000_000:.0f} MB")  # fmt: skip
        for which in ("first", "again"):
            with made.timed(f"idle cycle of all four DAGs, {which}") as cost:
                cost.said = made.cycle(*IMPORTS, *EXPORTS, conf=BY_ITSELF)
        with made.timed("the polls of such a cycle alone, in one process"):
            _poll(made)
        for quarter in range(1, 5):
            _change(made, quarter)
            with made.timed(f"quarter {quarter} of an hour with 3 firms at work") as cost:
                cost.said = made.cycle(*IMPORTS, *EXPORTS, conf=BY_ITSELF)
        made.vendors.control.revoke("firm-1@example.com")
        _change(made, 5)
        with made.timed("a quarter with one firm's consent taken back as well") as cost:
            cost.said = made.cycle(*IMPORTS, *EXPORTS, conf=BY_ITSELF)
        made.print_memory()
        _print_sizes(made)
        if os.environ.get("OUTSMART_SYNC_BENCH_FULL"):  # twenty minutes on two cores
            with made.timed("full import of all, as DAGs") as cost:
                cost.said = made.cycle(*IMPORTS, conf={"full": True})


def _import(made: Firms) -> None:
    for package in ("exact_online", "visma_eaccounting"):
        sync.import_now(made.store, HookGateway(made.store), package, f"bench:{uuid.uuid4()}", Options())


def _change(made: Firms, quarter: int) -> None:
    """5 % of the relations and items of the administration of three firms, and two work orders of each of these."""
    control = made.vendors.control
    control.touch_exact(BUSY, "crm/Accounts", 3, seed=quarter, Phone=f"+32 {quarter}")
    control.touch_exact(BUSY, "logistics/Items", 3, seed=quarter, Description=f"Changed in quarter {quarter}")
    for place, each in enumerate(made.connections, 1):
        if each.administration == str(BUSY):
            control.complete_work_orders(f"firm-{place}", BUSY, 2, prefix=f"Q{quarter}-{place}-")


def _print_sizes(made: Firms) -> None:
    """What grows with every cycle: bytes of each large table with its indexes, and rows."""
    print("  largest tables, rows and bytes a row with indexes:")
    for name, database in (("store", made.cluster.store), ("airflow", made.cluster.metadata)):
        engine = create_engine(database)
        with engine.connect() as connection:
            for table, rows, size in connection.execute(text(_SIZES)):
                print(f"    {name:<8} {table:<28} {rows:>9,} {size / max(rows, 1):>7,.0f}", flush=True)
        engine.dispose()


def _poll(made: Firms) -> None:
    """What the tasks ``open_run``, ``poll`` and ``close_run`` of the imports do, for all shards."""
    for package in ("exact_online", "visma_eaccounting"):
        opened = planning.open_run(made.store, package, f"bench:{uuid.uuid4()}", Options())
        for shard in opened.shards:
            polling.poll(made.store, HookGateway(made.store), opened.run_id, shard)
        planning.close_run(made.store, opened.run_id)


def _number(made: Firms, question: str) -> int:
    with made.store.read() as transaction:
        return int(transaction.execute(text(question)).scalar_one())
