"""Airflow on several machines: each service's command and environment, said once.

``docker-compose.yaml`` says the same in Docker's words, which ``tests/deploy/test_compose.py`` compares with this;
``scripts/cluster.py`` starts the same services as plain processes. Where something runs is a :class:`Place`; what it
is told follows from here. A service is told no secret that it does not need: a worker runs what others' data asks
for, so it knows neither Airflow's own database nor the key of its connections.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

AUTH_MANAGER = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
API_PORT = 8080
SCHEDULER_HEALTH_PORT = 8974
DATABASES = ("airflow", "celery", "outsmart_sync")
"""Airflow's metadata, Celery's results, the store; each with an owner of the same name that sees no other one."""

REDIS = ("redis-server", "--appendonly", "yes", "--requirepass")
"""Redis keeps what is queued across a restart; its password follows."""

SECRETS = (
    "POSTGRES_PASSWORD",
    "AIRFLOW_DB_PASSWORD",
    "CELERY_DB_PASSWORD",
    "STORE_DB_PASSWORD",
    "REDIS_PASSWORD",
    "FERNET_KEY",
    "API_SECRET_KEY",
    "JWT_SECRET",
    "VAULT_KEYS",
    "ADMIN_PASSWORD",
)
"""What has to be set and has no default; ``scripts/env_file.py`` makes them up."""


@dataclass(frozen=True)
class Place:
    """Where the services find each other, and what they are told besides.

    Attributes:
        api: Address of the API server, as the other services reach it.
        public: Address of the API server, as browsers reach it.
        postgres: Host and port of PostgreSQL.
        redis: Host and port of Redis.
        secrets: Value of each of :data:`SECRETS`.
        concurrency: Tasks that one worker runs at a time.
        parallelism: Tasks that all workers together run at a time.
        import_schedule: When imports run by themselves, as cron writes it; who parses DAG files must know.
        export_schedule: The same for exports.
        runs_at_once: Runs of one DAG at a time.
        proxies: Addresses of the proxies whose word the API server takes for who calls it, and by https or not.
        metrics: ``True`` or ``False``: whether Airflow sends metrics by StatsD.
        metrics_host: Who takes them.
        otel: ``True`` or ``False``: whether Airflow sends metrics by OpenTelemetry, where it does not by StatsD.
        otel_endpoint: The collector that takes them.
        otel_headers: What the collector wants to be told with each call, such as a token.
    """

    api: str
    public: str
    postgres: str
    redis: str
    secrets: Mapping[str, str]
    concurrency: str = "4"
    parallelism: str = "32"
    import_schedule: str = "*/15 * * * *"
    export_schedule: str = "5-59/15 * * * *"
    runs_at_once: str = "16"
    proxies: str = "127.0.0.1"
    metrics: str = "False"
    metrics_host: str = "statsd-exporter"
    otel: str = "False"
    otel_endpoint: str = ""
    otel_headers: str = ""


COMPOSE = Place(
    api="http://api-server:8080",
    public="${PUBLIC_URL:-http://127.0.0.1:8080}",
    postgres="${POSTGRES_ADDRESS:-postgres:5432}",
    redis="${REDIS_ADDRESS:-redis:6379}",
    secrets=MappingProxyType({name: f"${{{name}:?}}" for name in SECRETS}),
    concurrency="${WORKER_CONCURRENCY:-4}",
    parallelism="${PARALLELISM:-32}",
    import_schedule="${OUTSMART_SYNC_IMPORT_SCHEDULE:-*/15 * * * *}",
    export_schedule="${OUTSMART_SYNC_EXPORT_SCHEDULE:-5-59/15 * * * *}",
    runs_at_once="${OUTSMART_SYNC_RUNS_AT_ONCE:-16}",
    proxies="${FORWARDED_ALLOW_IPS:-127.0.0.1}",
    metrics="${METRICS:-False}",
    metrics_host="${STATSD_HOST:-statsd-exporter}",
    otel="${OTEL_METRICS:-False}",
    otel_endpoint="${OTEL_EXPORTER_OTLP_ENDPOINT:-}",
    otel_headers="${OTEL_EXPORTER_OTLP_HEADERS:-}",
)
"""The services of ``docker-compose.yaml``; ``${NAME:?}`` is taken from ``.env``, and must be there."""

COMPOSE_WORKER = replace(
    COMPOSE, api="http://${API_ADDRESS:?}", postgres="${POSTGRES_ADDRESS:?}", redis="${REDIS_ADDRESS:?}"
)
"""A worker on a machine of its own, ``docker-compose.worker.yaml``: nothing else is there."""


@dataclass(frozen=True)
class Service:
    """One service.

    Attributes:
        command: What is run.
        knows: Names of the parts of the environment that it is told, see :func:`environment`.
        once: Whether it does one thing and ends.
    """

    command: tuple[str, ...]
    knows: tuple[str, ...]
    once: bool = False


SERVICES: Mapping[str, Service] = MappingProxyType(
    {
        "migrations": Service(("airflow", "db", "migrate"), ("common", "metadata"), once=True),
        "store": Service(("outsmart-sync", "store", "upgrade"), ("store",), once=True),
        "administrator": Service(
            ("python", "scripts/administrator.py"), ("common", "metadata", "serving", "first_user"), once=True
        ),
        "api-server": Service(
            ("airflow", "api-server", "--proxy-headers"),
            ("common", "metadata", "signing", "serving", "proxy", "store", "vault", "vendors"),
        ),
        "scheduler": Service(
            ("airflow", "scheduler", "--skip-serve-logs"),
            ("common", "metadata", "signing", "serving", "queue", "results"),
        ),
        "dag-processor": Service(("airflow", "dag-processor"), ("common", "metadata")),
        "maintenance": Service(("python", "scripts/maintenance.py"), ("common", "metadata", "results", "store")),
        "triggerer": Service(("airflow", "triggerer"), ("common", "metadata", "signing", "serving")),
        "worker": Service(
            ("airflow", "celery", "worker"),
            ("common", "serving", "queue", "results", "warm", "store", "vault", "vendors"),
        ),
    }
)
"""In the order in which they are started."""


def environment(service: str, place: Place) -> dict[str, str]:
    """What a service is told in its environment at a place; the vendors' connections come besides.

    ``vendors`` names no variables here: how many OutSmart accounts there are differs from site to site.
    """
    parts = _parts(place)
    known = [parts[name] for name in SERVICES[service].knows if name != "vendors"]
    return {name: value for part in known for name, value in part.items()}


def _parts(place: Place) -> dict[str, dict[str, str]]:
    secret = place.secrets
    return {
        "common": {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__AUTH_MANAGER": AUTH_MANAGER,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{place.api}/execution/",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": place.parallelism,
            "AIRFLOW__API__BASE_URL": place.public,
            "AIRFLOW__LOGGING__JSON_LOGS": "True",
            "AIRFLOW__METRICS__STATSD_ON": place.metrics,
            "AIRFLOW__METRICS__STATSD_HOST": place.metrics_host,
            "AIRFLOW__METRICS__STATSD_PORT": "9125",
            "AIRFLOW__METRICS__OTEL_ON": place.otel,
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "True",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            # Read while DAG files are parsed: by the DAG processor, and by each task.
            "OUTSMART_SYNC_IMPORT_SCHEDULE": place.import_schedule,
            "OUTSMART_SYNC_EXPORT_SCHEDULE": place.export_schedule,
            "OUTSMART_SYNC_RUNS_AT_ONCE": place.runs_at_once,
            "OTEL_EXPORTER_OTLP_ENDPOINT": place.otel_endpoint,
            "OTEL_EXPORTER_OTLP_HEADERS": place.otel_headers,
        },
        "metadata": {
            "AIRFLOW__CORE__FERNET_KEY": secret["FERNET_KEY"],
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _database("postgresql+psycopg", "airflow", place),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": _database("postgresql+asyncpg", "airflow", place),
        },
        # Who signs and checks the tokens by which tasks talk to the API server.
        "signing": {
            "AIRFLOW__API_AUTH__JWT_SECRET": secret["JWT_SECRET"],
            "AIRFLOW__API_AUTH__JWT_ISSUER": "outsmart-sync",
        },
        # Who serves a page or a task's log.
        "serving": {"AIRFLOW__API__SECRET_KEY": secret["API_SECRET_KEY"]},
        "proxy": {"FORWARDED_ALLOW_IPS": place.proxies},
        "queue": {
            "AIRFLOW__CELERY__BROKER_URL": f"redis://:{secret['REDIS_PASSWORD']}@{place.redis}/0",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": place.concurrency,
        },
        "results": {"AIRFLOW__CELERY__RESULT_BACKEND": _database("db+postgresql+psycopg", "celery", place)},
        # Tasks are forked from their worker, so what it has imported they need not.
        "warm": {"AIRFLOW__CELERY__EXTRA_CELERY_CONFIG": '{"imports": ["outsmart_sync.orchestration.warm"]}'},
        "store": {"AIRFLOW_CONN_OUTSMART_SYNC_STORE": _database("postgresql", "outsmart_sync", place)},
        "vault": {"OUTSMART_SYNC_VAULT_KEYS": secret["VAULT_KEYS"]},
        "first_user": {"ADMIN_PASSWORD": secret["ADMIN_PASSWORD"]},
    }


_PASSWORD_OF = {"airflow": "AIRFLOW_DB_PASSWORD", "celery": "CELERY_DB_PASSWORD", "outsmart_sync": "STORE_DB_PASSWORD"}


def password_of(database: str) -> str:
    """Which of :data:`SECRETS` opens a database."""
    return _PASSWORD_OF[database]


def _database(scheme: str, name: str, place: Place) -> str:
    return f"{scheme}://{name}:{place.secrets[password_of(name)]}@{place.postgres}/{name}"
