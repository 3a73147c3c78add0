"""Connecting: choose the country, log in at the vendor, choose the administration, look, save; and disconnecting."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from outsmart_sync.errors import AccessDenied, InvalidSettings, SyncError
from outsmart_sync.providers.packages import packages
from outsmart_sync.records.catalogue import Package
from outsmart_sync.records.exchange import Administration
from outsmart_sync.services import checklist, export_switch, login, setting_up, settings
from outsmart_sync.services import connect as connecting
from outsmart_sync.services.setting_values import ENABLED
from outsmart_sync.store import connections, logins
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.webapp import access, airflow, forms, opened
from outsmart_sync.webapp.pages import Shown, View

router = APIRouter()

COOKIE = "outsmart_login"
"""Holds the state of the login that this browser began last, bound to the person who did."""

_OK, _UNPROCESSABLE = 200, 422


def cookie_of(view: Shown, state: str, again: str) -> str:
    """What the cookie holds for a login that this person begins, of a connection again or ('') of a new one."""
    return f"{state}.{again}.{sha256(f'{view.user.get_id()} {state} {again}'.encode()).hexdigest()}"


def begun_here(view: Shown) -> tuple[str, str]:
    """The state of the login that this person began last in this browser, and what it connects again; '' for none."""
    kept = view.request.cookies.get(COOKIE, "")
    state, _, rest = kept.partition(".")
    again = rest.partition(".")[0]
    return (state, again) if state and kept == cookie_of(view, state, again) else ("", "")


def _rights(view: Shown, package: str) -> access.Rights:
    found = packages().get(package.replace("-", "_"))
    if found is None or not found.imports:
        raise HTTPException(404)
    rights = access.Rights(view.user, found)
    rights.require("connect")
    return rights


def _earlier(view: Shown, rights: access.Rights, number: str) -> SyncConnection | None:
    """The sync connection that is to be connected again; None: another one is connected."""
    asked = access.number_of(number)
    if asked is None:
        return None
    found, _ = access.open_connection(opened.store(), view.user, asked, "connect")
    if found.package != rights.package.name:
        raise HTTPException(404)
    return found


@router.get("/connect/{package}")
def choose_country(view: View, package: str, again: str = "", country: str = "", account: str = "") -> HTMLResponse:
    """The countries of a package; of a connection that is connected again, its country and account are filled in."""
    rights = _rights(view, package)
    earlier = _earlier(view, rights, again)
    return view.page(
        "connect.html",
        rights=rights,
        earlier=earlier,
        country=earlier.country if earlier else country,
        account=earlier.outsmart_conn_id if earlier else account or login.OUTSMART_CONN_ID,
        error=None,
    )


@router.post("/connect/{package}")
def start(
    view: View,
    package: str,
    country: Annotated[str, Form()] = "",
    account: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Begin a login, and send the whole window to the vendor's page."""
    rights = _rights(view, package)
    earlier = _earlier(view, rights, again)
    account = account.strip() or login.OUTSMART_CONN_ID
    try:
        begun = login.start(
            opened.store(),
            opened.gateway(),
            rights.package.name,
            country=country,
            outsmart_conn_id=account,
            like=earlier,
        )
    except SyncError as error:
        return view.page(
            "connect.html",
            status=_UNPROCESSABLE,
            rights=rights,
            earlier=earlier,
            country=country,
            account=account,
            error=error,
        )
    answer = view.page("leaving.html", package=rights.package, address=begun.address)
    answer.set_cookie(
        COOKIE,
        cookie_of(view, begun.state, str(earlier.id) if earlier else ""),
        max_age=int(logins.ATTEMPT_LASTS.total_seconds()),
        path=f"{airflow.root_path()}/outsmart-sync/oauth",
        secure=airflow.base_url().startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer


def _pending(view: Shown, connection_id: access.Number) -> tuple[SyncConnection, access.Rights]:
    connection, rights = access.open_connection(opened.store(), view.user, connection_id, "connect")
    if connection.state is not State.CONNECTED:
        raise InvalidSettings(
            f"{connection.label} is fixed to its administration already.",
            remedy="Disconnect it and connect anew to choose another administration; what is in OutSmart stays.",
            code="administration_fixed",
        )
    return connection, rights


@router.get("/connections/{connection_id}/setup")
def set_up(view: View, connection_id: access.Number, administration: str = "") -> HTMLResponse:
    """Choose the administration; with one chosen: what was found, the licence and the categories."""
    connection, rights = _pending(view, connection_id)
    offered = connecting.administrations_of(opened.gateway(), connection)
    if not administration:
        return view.page("administration.html", rights=rights, connection=connection, offered=offered, error=None)
    return _look(view, rights, connection, _chosen(offered, administration))


def _chosen(offered: list[Administration], code: str) -> Administration:
    for each in offered:
        if each.code == code:
            return each
    raise InvalidSettings(
        f"This login gives no access to an administration '{code}'.",
        remedy="Choose one of those that are listed.",
        code="unknown_administration",
    )


def _resumed(rights: access.Rights, pending: SyncConnection, chosen: Administration) -> SyncConnection | None:
    """The connection that an administration had before; one that the person may not know of is not taken over."""
    earlier = connecting.earlier_of(opened.store(), pending, chosen.code)
    if earlier is None or access.sees(rights, earlier):
        return earlier
    raise AccessDenied(
        f"{chosen.name} cannot be connected by you.",
        why="It was connected here before, and you may not see that connection.",
        remedy="Ask somebody who may, or your administrator.",
        code="hidden_connection",
    )


def _look(
    view: Shown,
    rights: access.Rights,
    connection: SyncConnection,
    chosen: Administration,
    *,
    error: SyncError | None = None,
    typed: dict[str, object] | None = None,
) -> HTMLResponse:
    store = opened.store()
    earlier = _resumed(rights, connection, chosen)
    return view.page(
        "checklist.html",
        status=_UNPROCESSABLE if error else _OK,
        rights=rights,
        connection=connection,
        chosen=chosen,
        checks=checklist.of_login(store, connection, chosen),
        settings=settings.read(store, earlier or connection),
        earlier=earlier,
        typed=typed or {},
        error=error,
    )


def _known(rights: access.Rights) -> connecting.Known:
    """Whether the person may know of a connection of any package."""
    return lambda connection: access.sees(access.rights_of(rights.user, connection), connection)


@router.get("/connections/{connection_id}/setup/rights")
def look_at_rights(view: View, connection_id: access.Number, administration: str) -> HTMLResponse:
    """What the login may read in an administration; asked for by the page once it is shown."""
    connection, rights = _pending(view, connection_id)
    offered = connecting.administrations_of(opened.gateway(), connection)
    store, gateway = opened.store(), opened.gateway()
    checks = checklist.of_rights(store, gateway, connection, _chosen(offered, administration), _known(rights))
    return view.page("checklist_rights.html", rights=rights, checks=checks)


@router.post("/connections/{connection_id}/setup")
async def save(view: View, connection_id: access.Number, request: Request) -> Response:
    """Fix the administration and keep what is to be synced; both or nothing."""
    form = await request.form()
    return await forms.in_thread(_save, view, connection_id, forms.plain(form))


def _save(view: Shown, connection_id: access.Number, form: forms.Form) -> Response:
    connection, rights = _pending(view, connection_id)
    store, gateway = opened.store(), opened.gateway()
    changes = _switches(form, rights.package)
    chosen = _chosen(connecting.administrations_of(gateway, connection), form.get("administration", [""])[0])
    earlier = _resumed(rights, connection, chosen)
    if earlier is not None:
        changes = _news(settings.read(store, earlier), changes)
        if changes:
            rights.require("edit")
    try:
        done = setting_up.set_up(
            store, gateway, connection, chosen.code, changes, share_account="share" in form, known=_known(rights)
        )
    except InvalidSettings as error:
        return _look(view, rights, connection, chosen, error=error, typed=dict(changes))
    number = done.connection.id
    if not access.sees(rights, done.connection):
        hidden = AccessDenied(
            f"{done.connection.label} is connected, and you may not see it yet.",
            why=f"That needs the right to read the view {airflow.view_of(number)} in Airflow.",
            remedy="Ask your administrator for it: then look at its first import here, and start it.",
            code="hidden_connection",
        )
        return view.error(hidden, back="")
    if done.left_off:
        return view.go(f"connections/{number}?left={','.join(done.left_off)}")
    if earlier is not None:
        return view.go(f"connections/{number}?resumed=1")
    return view.go(f"connections/{number}/report?first=1")


def _switches(form: forms.Form, package: Package) -> dict[str, Any]:
    """What the checklist asks for, and nothing else that a form may hold: the licence, and which imports are on."""
    sent = forms.changes(form, package)
    licence = {settings.LICENCE: sent[settings.LICENCE]} if settings.LICENCE in sent else {}
    switches = {each.name: {ENABLED: sent[each.name][ENABLED]} for each in package.imports
                if ENABLED in sent.get(each.name, {})}  # fmt: skip
    return {**licence, **switches}


def _news(saved: settings.Settings, changes: dict[str, Any]) -> dict[str, Any]:
    """What of the checklist's answers is not as it is set already."""
    return {
        name: value
        for name, value in changes.items()
        if (value != saved.licence if name == settings.LICENCE else value[ENABLED] != saved.categories[name][ENABLED])
    }


@router.post("/connections/{connection_id}/forget")
def forget(view: View, connection_id: access.Number) -> Response:
    """Give up a login whose administration was never chosen."""
    connection, _ = _pending(view, connection_id)
    connecting.disconnect(opened.store(), connection, opened.gateway())
    return view.go("")


@router.get("/connections/{connection_id}/disconnect")
def explain_disconnect(view: View, connection_id: access.Number) -> HTMLResponse:
    """What disconnecting means, before it is done."""
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "connect")
    exports_on = connection.id in export_switch.exporting(store, connection.outsmart_account)
    return view.page("disconnect.html", rights=rights, connection=connection, exports_on=exports_on)


@router.post("/connections/{connection_id}/disconnect")
def disconnect(view: View, connection_id: access.Number) -> Response:
    """End the sync of a connection; everything stays."""
    connection, _ = access.open_connection(opened.store(), view.user, connection_id, "connect")
    connecting.disconnect(opened.store(), connections.require(opened.store(), connection.id), opened.gateway())
    return view.go("?disconnected=1")
