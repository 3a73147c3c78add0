"""Single records: those that wait for a person, by cause; finding one; and all that was done to it."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import HTMLResponse, Response

from outsmart_sync.errors import InvalidSettings, SyncError
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import attention, export_list, history, links, web_pages
from outsmart_sync.webapp import access, naming, opened
from outsmart_sync.webapp.pages import View
from outsmart_sync.webapp.routes.settings import start

router = APIRouter()

_PAGE = 50


@router.get("/attention")
def show_causes(view: View, connection: str = "") -> HTMLResponse:
    """What waits, by cause."""
    store = opened.store()
    visible = access.visible_connections(store, view.user)
    chosen = access.number_of(connection)
    mine = [each.id for each in visible if chosen in (None, each.id)]
    return view.page(
        "attention.html",
        causes=attention.causes(store, mine),
        work=export_list.troubles(store, mine),
        by_hand=history.to_do_by_hand(store, mine),
        zones={each.id: package_of(each.package).timezone for each in visible},
        names={each.id: each.label for each in visible},
        packages={each.id: package_of(each.package) for each in visible},
        visible=visible,
        chosen=chosen,
        records=naming.records(view.user),
    )


@router.get("/attention/{connection_id}/{record}/{state}")
def show_waiting(
    view: View, connection_id: access.Number, record: str, state: str, reason: str = "", offset: access.Number = 0
) -> Response:
    """The records behind one cause."""
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "look")
    found = attention.waiting(store, connection.id, record, state, reason, limit=_PAGE + 1, offset=offset)
    if offset and not found:  # those of the last page have just been decided about
        asked = urlencode({**view.request.query_params, "offset": max(offset - _PAGE, 0)})
        return view.go(f"attention/{connection.id}/{record}/{state}?{asked}")
    return view.page(
        "waiting.html",
        connection=connection,
        rights=rights,
        record=record,
        state=state,
        reason=reason,
        rows=found[:_PAGE],
        offset=offset,
        more=len(found) > _PAGE,
        records=naming.records(view.user),
        page=_PAGE,
    )


@router.post("/records/{connection_id}")
def decide(
    view: View,
    connection_id: access.Number,
    action: Annotated[str, Form()],
    record: Annotated[list[access.Number] | None, Form()] = None,
    back: Annotated[str, Form()] = "attention",
) -> Response:
    """Try records again, dismiss them, put them on hold or release them."""
    store = opened.store()
    connection, rights = access.open_connection(store, view.user, connection_id, "edit")
    done = {"dismiss": attention.dismiss, "hold": attention.hold, "release": attention.release}
    if not view.is_ours(back) or action not in ("retry", *done):
        raise HTTPException(404)
    chosen = left = list(dict.fromkeys(record or []))  # lines of a run may be about the same one
    try:
        if not chosen:
            raise InvalidSettings(
                "No record was chosen.", remedy="Tick one or more, and try again.", code="none_chosen"
            )
        if action in done:
            return view.go(_told(back, action, done[action](store, connection, chosen)))
        for each in attention.retries(store, connection, chosen):
            start(view, connection, rights, each.asked)
            left = [number for number in left if number not in each.ids]
        return view.go(_told(back, "retried", len(chosen)))
    except SyncError as error:
        return view.error(error, back=back, sent={"action": [action], "record": left, "back": [back]})


def _told(back: str, what: str, number: int) -> str:
    return f"{back}{'&' if '?' in back else '?'}done={what}&number={number}"


@router.get("/find")
def find(view: View, text: str = "") -> HTMLResponse:
    """Records by code, number or name."""
    store = opened.store()
    mine = [each.id for each in access.visible_connections(store, view.user)]
    return view.page(
        "find.html",
        text=text,
        found=history.search(store, mine, text),
        work=export_list.search(store, mine, text),
        kinds=naming.documents(view.user),
        records=naming.records(view.user),
    )


@router.get("/record/{number}")
def show(view: View, number: access.Number) -> HTMLResponse:
    """Where one record stands, and all that was done to it."""
    store = opened.store()
    found = history.record_of(store, number)
    if found is None:
        raise HTTPException(404)
    connection, rights = access.open_connection(store, view.user, found.connection_id, "look")
    labels = naming.fields(view.user).get(found.record, {})
    names = [name for name in {**found.package_values, **found.outsmart_values} if not name.startswith("@")]
    names.sort(key=lambda name: list(labels).index(name) if name in labels else len(labels))
    return view.page(
        "record.html",
        found=found,
        connection=connection,
        rights=rights,
        labels=defaultdict(str, labels),
        field_names=names,
        web_pages=web_pages.of_record(opened.gateway(), connection, found),
        records=naming.records(view.user),
    )


@router.post("/record/{number}/link")
def link(view: View, number: access.Number, outsmart_code: Annotated[str, Form()] = "") -> Response:
    """Say which record of OutSmart a record is; without a code: that they are two."""
    store = opened.store()
    found = history.record_of(store, number)
    if found is None:
        raise HTTPException(404)
    connection, _ = access.open_connection(store, view.user, found.connection_id, "edit")
    if outsmart_code.strip():
        links.link(store, connection, found.record, found.provider_id, outsmart_code.strip())
    else:
        links.unlink(store, connection, found.record, found.provider_id)
    return view.go(f"record/{number}?done=link&number=1")
