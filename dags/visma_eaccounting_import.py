"""Every 15 minutes: reads what has changed in each connected VISMA eAccounting company and brings it to OutSmart.

1. `open_run` decides which sync connections and categories take part.
2. `poll` asks each of them whether there is anything to do; the others cost no further task.
3. Where several connections have work, `start_run` starts a run for each of them; its note names the administration.
4. `choose_categories` skips what has nothing to do; each other category runs
   **extract** (page through VISMA into staging) → **filter** (leave out, reject with a reason) →
   **match_by_code** (create, update or unchanged) → **upsert** (deliver to OutSmart, move the cursor).
5. `close_run` ends the run.

The categories: customers, materials, hour types, projects, sales orders, price agreements. Those that refer to others
come after them; one that is switched off is skipped.

The first run of a day compares everything, because VISMA reports no deletions.

One bad record never stops the others: see `outsmart-sync log --event rejected`. To run one category, one connection or
a few codes by hand, or to preview, use *Trigger*.
"""

from __future__ import annotations

from airflow.sdk import DAG

from outsmart_sync.orchestration.groups import import_dag_tasks
from outsmart_sync.orchestration.params import import_params
from outsmart_sync.orchestration.schedules import RUN_TYPES, import_schedule, runs_at_once
from outsmart_sync.orchestration.task_defaults import TASK_DEFAULTS
from outsmart_sync.providers.visma_eaccounting.imports import PACKAGE

with DAG(
    dag_id="visma_eaccounting_import",
    dag_display_name="VISMA eAccounting import",
    description="Brings customers, articles, projects and orders from VISMA eAccounting to OutSmart",
    doc_md=__doc__,
    schedule=import_schedule(),
    catchup=False,
    max_active_runs=runs_at_once(),
    allowed_run_types=RUN_TYPES,
    is_paused_upon_creation=False,
    default_args=TASK_DEFAULTS,
    params=import_params(PACKAGE),
    tags=["outsmart", "visma-eaccounting", "import"],
):
    import_dag_tasks(PACKAGE)
