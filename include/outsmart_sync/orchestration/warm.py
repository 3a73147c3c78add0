"""What the tasks of our DAGs import, for a worker to import once: its tasks are forked from it, and find it loaded.

A Celery worker is told by ``AIRFLOW__CELERY__EXTRA_CELERY_CONFIG={"imports": ["outsmart_sync.orchestration.warm"]}``.
What it saves each task is in docs/decisions.md.

Celery's ``imports``: https://docs.celeryq.dev/en/stable/userguide/configuration.html#imports
"""

from __future__ import annotations

import importlib

from outsmart_sync.providers.packages import packages

_OF_TASKS = (
    "orchestration.groups",
    "orchestration.metrics",
    "providers.gateway",
    "providers.messages.hook",
    "providers.outsmart.hook",
    "services.alerts",
    "services.export_actions",
    "services.export_polling",
    "services.export_run",
    "services.export_steps",
    "services.exports",
    "services.keep_alive",
    "services.metrics",
    "services.planning",
    "services.polling",
    "services.steps",
    "store.hook",
)

for _name in (*_OF_TASKS, *(f"providers.{package}.hook" for package in packages())):
    importlib.import_module(f"outsmart_sync.{_name}")
