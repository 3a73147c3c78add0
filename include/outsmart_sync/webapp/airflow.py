"""The one place where the page touches Airflow: who asks, what they may do, and Airflow's public API called as them.

The API is called in this process, with a token of the user's own that lasts a minute: so a person can do here what they
could do in Airflow, and nothing else. https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlsplit

import anyio.from_thread
import httpx
from airflow.api_fastapi.app import cached_app, get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import ConnectionDetails, DagDetails
from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
from airflow.configuration import conf
from airflow.models.connection import Connection
from airflow.models.dag import DagModel
from fastapi import Depends, Request

from outsmart_sync.errors import AccessDenied, ConfigurationError, VendorUnavailable

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.base_auth_manager import BaseAuthManager, ResourceMethod

Person = BaseUser
"""Somebody who has logged in at Airflow."""

LOGGED_IN = Depends(get_user)
"""Lets nobody pass without a valid login at Airflow."""

User = Annotated[Person, LOGGED_IN]
"""Who asks, for a route."""

VIEWS_VARIABLE = "OUTSMART_SYNC_CONNECTION_VIEWS"
"""Environment variable: when it is ``true``, Airflow's auth manager is also asked about each sync connection, by the
custom view ``OutSmart Sync <number>``."""

_heard: ContextVar[bool] = ContextVar("heard")
"""What the monitor said of the scheduler while one request is answered, in whose own context it is kept."""

_TOKEN_SECONDS = 60
_HTTP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Automation:
    """Whether a DAG runs by itself.

    Attributes:
        known: Airflow has read the DAG.
        paused: Somebody paused it.
        scheduler_up: The scheduler has been heard of lately.
        next_run: When it runs next.
    """

    known: bool
    paused: bool
    scheduler_up: bool
    next_run: datetime | None

    @property
    def on(self) -> bool:
        """Whether the next run will come by itself."""
        return self.known and not self.paused and self.scheduler_up


async def person_of(request: Request) -> Person:
    """Who asks, where dependencies do not reach.

    Raises:
        HTTPException: Nobody with a valid login.
    """
    return await get_user(request, None, await bearer_scheme(request))


def base_url() -> str:
    """Airflow's own address, without a slash at its end; never taken from the request."""
    return str(conf.get("api", "base_url", fallback="") or "").rstrip("/")


def root_path() -> str:
    """The path below which Airflow is served; '' mostly."""
    return urlsplit(base_url()).path.rstrip("/")


def frame_address(page: str) -> str:
    """The address that shows a page of ours inside Airflow's frame."""
    return f"{root_path()}/plugin/outsmart-sync?page={quote(page, safe='')}"


def run_address(dag_id: str, run_id: str) -> str:
    """The address of a DAG run in Airflow's UI."""
    return f"{root_path()}/dags/{quote(dag_id)}/runs/{quote(run_id, safe='')}"


def address_of(external_id: str) -> str:
    """The address in Airflow's UI of a run by its outside name; '' when it is none of Airflow's."""
    dag_id, _, run_id = external_id.partition("/")
    return run_address(dag_id, run_id) if run_id and not external_id.startswith("cli:") else ""


def login_address(next_address: str) -> str:
    """Where a person logs in at Airflow before they come back; the auth manager's address holds the root path."""
    return str(get_auth_manager().get_url_login(next_url=next_address))


def may_dag(user: Person, method: ResourceMethod, dag_id: str) -> bool:
    """Whether a person may read (GET) or edit (PUT) a DAG."""
    details = DagDetails(id=dag_id, team_name=_team_of_dag(dag_id))
    return bool(_manager().is_authorized_dag(method=method, details=details, user=user))


def may_connection(user: Person, method: ResourceMethod, conn_id: str) -> bool:
    """Whether a person may edit an Airflow connection."""
    details = ConnectionDetails(conn_id=conn_id, team_name=_team_of_connection(conn_id))
    return bool(_manager().is_authorized_connection(method=method, details=details, user=user))


def may_see(user: Person, dag_id: str, connection_id: int | None, conn_id: str) -> bool:
    """Whether a person may know of one sync connection.

    With Airflow's teams, the team of its OutSmart account's Airflow connection must be theirs. With an auth manager
    that knows resources by name, a custom view per sync connection decides, where that is switched on; None: the
    connection is so new that there cannot be one.
    """
    if team := _team_of_connection(conn_id):
        details = DagDetails(id=dag_id, team_name=team)
        if not _manager().is_authorized_dag(method="GET", details=details, user=user):
            return False
    if connection_id is None or os.environ.get(VIEWS_VARIABLE, "").lower() != "true":
        return True
    name = view_of(connection_id)
    return bool(_manager().is_authorized_custom_view(method="GET", resource_name=name, user=user))


def view_of(connection_id: int) -> str:
    """The custom view that decides who may know of a sync connection."""
    return f"OutSmart Sync {connection_id}"


def automation(user: Person, dag_id: str) -> Automation:
    """Whether a DAG runs by itself, and when next."""
    found = _call(user, "GET", f"dags/{quote(dag_id)}")
    up = _scheduler_up(user)
    if found.status_code != httpx.codes.OK:
        return Automation(known=False, paused=False, scheduler_up=up, next_run=None)
    dag = found.json()
    after = dag.get("next_dagrun_run_after")
    return Automation(
        known=True,
        paused=bool(dag["is_paused"]),
        scheduler_up=up,
        next_run=datetime.fromisoformat(after) if after else None,
    )


def _scheduler_up(user: Person) -> bool:
    """Whether the scheduler has been heard of lately; asked once, however many DAGs a page tells of."""
    if (known := _heard.get(None)) is not None:
        return known
    health = _call(user, "GET", "monitor/health")
    up = health.status_code == httpx.codes.OK and health.json()["scheduler"]["status"] == "healthy"
    _heard.set(up)
    return up


def unpause(user: Person, dag_id: str) -> None:
    """Let a DAG run by itself.

    Raises:
        AccessDenied: This person may not.
    """
    _checked(_call(user, "PATCH", f"dags/{quote(dag_id)}", {"is_paused": False}), dag_id)


def trigger(user: Person, dag_id: str, conf: dict[str, Any], note: str) -> str:
    """Start a run of a DAG; returns its id.

    Raises:
        AccessDenied: This person may not.
        ConfigurationError: The DAG is not there, or refuses what it is asked.
    """
    body = {"logical_date": None, "conf": conf, "note": note}
    return str(_checked(_call(user, "POST", f"dags/{quote(dag_id)}/dagRuns", body), dag_id).json()["dag_run_id"])


def run_state(user: Person, dag_id: str, run_id: str) -> str:
    """State of a DAG run: ``queued``, ``running``, ``success`` or ``failed``; '' when it cannot be read."""
    found = _call(user, "GET", f"dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}")
    return str(found.json()["state"]) if found.status_code == httpx.codes.OK else ""


def _manager() -> BaseAuthManager[Any]:
    return get_auth_manager()


def _team_of_dag(dag_id: str) -> str | None:
    return DagModel.get_team_name(dag_id) if conf.getboolean("core", "multi_team") else None


def _team_of_connection(conn_id: str) -> str | None:
    return Connection.get_team_name(conn_id) if conf.getboolean("core", "multi_team") else None


def _call(user: Person, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    """Call the public API in this process; routes that call it run in a thread, this on the server's own loop."""
    return anyio.from_thread.run(_call_on_loop, user, method, path, body)


async def _call_on_loop(user: Person, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
    token = get_auth_manager().generate_jwt(user, expiration_time_in_seconds=_TOKEN_SECONDS)
    server = cached_app(apps=os.environ.get("AIRFLOW_API_APPS", "all"))
    transport = httpx.ASGITransport(app=server, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://airflow", timeout=_HTTP_SECONDS) as client:
        return await client.request(method, f"/api/v2/{path}", json=body, headers={"Authorization": f"Bearer {token}"})


def _checked(response: httpx.Response, dag_id: str) -> httpx.Response:
    if response.is_success:
        return response
    technical = f"{response.status_code}: {response.text[:300]}"
    if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise AccessDenied(
            "Airflow does not let you do this.",
            why=f"It needs the right to edit the DAG {dag_id}.",
            remedy="Ask somebody who has it, or your administrator.",
            code="airflow_forbidden",
            technical=technical,
        )
    if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise VendorUnavailable(
            "Airflow did not answer as it should.", remedy="Try again in a moment.", technical=technical
        )
    raise ConfigurationError(
        "Airflow could not start this.",
        why=f"The DAG {dag_id} is not there, or cannot be read."
        if response.status_code == httpx.codes.NOT_FOUND
        else "",
        remedy="Ask your administrator to look at the DAG in Airflow.",
        code="airflow_refused",
        technical=technical,
    )
