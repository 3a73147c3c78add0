"""What the trigger form of an export DAG can ask for, besides exporting: what the command line's subcommands do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outsmart_sync.errors import InvalidSettings, SyncError
from outsmart_sync.services import export_decisions as decisions
from outsmart_sync.services import exports

if TYPE_CHECKING:
    from outsmart_sync.services.exports import Shown
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.store import Store

EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about which work order."""

    store: Store
    gateway: Gateway
    number: str
    connection_id: int | None
    document: str


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be asked for.

    Attributes:
        label: As a person reads it.
        call: Does it.
        exports: An export of the same work orders follows.
    """

    label: str
    call: Callable[[Asked], str]
    exports: bool = False


def _show(asked: Asked) -> str:
    found = exports.show(asked.store, asked.number, asked.connection_id)
    return "; ".join(
        f"{_line(each)}. " + " ".join(f"[{event.at:%d-%m-%Y %H:%M} {event.event}: {event.text}]" for event in history)
        for each, history in found
    )


def _resend(asked: Asked, *, update: bool = False, second: bool = False) -> str:
    again = decisions.resend(
        asked.store, asked.gateway, asked.number, asked.connection_id, update=update, second=second
    )
    if again.there:
        raise InvalidSettings(
            f"{again.shown.document} {again.there} of work order {again.shown.number} is still there.",
            remedy="Choose to bring it up to date, or to make a second one on purpose.",
            code="document_there",
        )
    return _line(again.shown)


def _settle(asked: Asked, *, not_there: bool = False, accept: bool = False) -> str:
    there = "" if not_there or accept else asked.document
    return _line(
        decisions.settle(
            asked.store,
            asked.gateway,
            asked.number,
            asked.connection_id,
            there=there,
            not_there=not_there,
            accept=accept,
        )
    )


LIST = "list"
"""The one action that needs no work order."""

ACTIONS: Mapping[str, Action] = {
    LIST: Action("List the work orders that changed last", _show),
    "show": Action("Show where they stand", _show),
    "hold": Action(
        "Do not send them", lambda asked: _line(decisions.hold(asked.store, asked.number, asked.connection_id))
    ),
    "release": Action(
        "Release and send them",
        lambda asked: _line(decisions.release(asked.store, asked.number, asked.connection_id)),
        exports=True,
    ),
    "resend": Action("Send them again", _resend, exports=True),
    "resend_update": Action(
        "Bring their documents up to date", lambda asked: _resend(asked, update=True), exports=True
    ),
    "resend_second": Action("Make a second document of each", lambda asked: _resend(asked, second=True), exports=True),
    "settle_there": Action("Uncertain: it is there, its number is below", _settle, exports=True),
    "settle_not_there": Action(
        "Uncertain: it is not there, send again", lambda asked: _settle(asked, not_there=True), exports=True
    ),
    "settle_accept": Action(
        "Differs: the document is right as it is", lambda asked: _settle(asked, accept=True), exports=True
    ),
}
"""Name → what can be asked for."""


def act(
    store: Store,
    gateway: Gateway,
    action: str,
    numbers: Sequence[str],
    connection_id: int | None = None,
    document: str = "",
) -> list[str]:
    """Do what is asked about each work order; returns a sentence about each.

    Raises:
        InvalidSettings: There is no such action, or it fits none of the work orders.
    """
    if action not in ACTIONS:
        raise InvalidSettings(f"There is no action '{action}'.", remedy=f"Choose from: {', '.join(ACTIONS)}.")
    if action == LIST:
        return [_line(each) for each in exports.listed(store, connection_id=connection_id)]
    if not numbers:
        raise InvalidSettings("No work order is named.", remedy="Name the work orders that are meant.")
    said, failed = [], []
    for number in numbers:
        try:
            said.append(ACTIONS[action].call(Asked(store, gateway, number, connection_id, document)))
        except SyncError as error:
            failed.append(error)
    if failed and not said:
        raise failed[0]
    return said + [str(error) for error in failed]


def _line(each: Shown) -> str:
    document = f", {each.document} {each.document_number}" if each.document_number else ""
    cause = f": {each.cause}" if each.cause else ""
    return f"Work order {each.number} ({each.title}): {each.state}{document}{cause}"
