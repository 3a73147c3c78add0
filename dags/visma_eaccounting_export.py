"""Every 15 minutes: turns completed work orders of OutSmart into documents in VISMA eAccounting, each exactly once.

1. `open_run` decides which sync connections take part: those that have exports switched on.
2. `poll` asks OutSmart for completed work orders; a connection with nothing to do costs no further task.
3. Where several connections have work, `start_run` starts a run for each of them; its note names the administration.
4. `choose_categories` skips what has nothing to do, and then:
   **work_orders**: `extract` (read completed work orders; none is marked) → `filter` (held, older, exported already) →
   `match_by_code` (customers, articles, projects; the document with its lines) → `upsert` (create, compare the total,
   attach the PDF, mark as handled);
   **invoice_status**: reads back invoice numbers, booked and paid.
5. `close_run` ends the run.

One work order that cannot go never stops the others: see `outsmart-sync export list`. To send single work orders, to
resend, hold, release or settle them, or to see the documents before they are sent, use *Trigger*.
"""

from __future__ import annotations

from airflow.sdk import DAG

from outsmart_sync.orchestration.groups import export_dag_tasks
from outsmart_sync.orchestration.params import export_params
from outsmart_sync.orchestration.schedules import RUN_TYPES, export_schedule, runs_at_once
from outsmart_sync.orchestration.task_defaults import TASK_DEFAULTS
from outsmart_sync.providers.packages import package

PACKAGE = package("visma_eaccounting")

with DAG(
    dag_id="visma_eaccounting_export",
    dag_display_name="VISMA eAccounting export",
    description="Brings completed work orders from OutSmart to VISMA eAccounting",
    doc_md=__doc__,
    schedule=export_schedule(),
    catchup=False,
    max_active_runs=runs_at_once(),
    allowed_run_types=RUN_TYPES,
    is_paused_upon_creation=False,
    default_args=TASK_DEFAULTS,
    params=export_params(PACKAGE),
    tags=["outsmart", "visma-eaccounting", "export"],
):
    export_dag_tasks(PACKAGE)
