"""What the trigger form of an export DAG can ask for, besides exporting: what the command line's subcommands do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outsmart_sync.errors import InvalidSettings, SyncError
from outsmart_sync.records.export_actions import ACTIONS, LIST
from outsmart_sync.services import export_decisions as decisions
from outsmart_sync.services import exports

if TYPE_CHECKING:
    from outsmart_sync.services.exports import Shown
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.store import Store


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about which work order."""

    store: Store
    gateway: Gateway
    number: str
    connection_id: int | None
    document: str


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


_CALLS: Mapping[str, Callable[[Asked], str]] = {
    "show": _show,
    "hold": lambda asked: _line(decisions.hold(asked.store, asked.number, asked.connection_id)),
    "release": lambda asked: _line(decisions.release(asked.store, asked.number, asked.connection_id)),
    "resend": _resend,
    "resend_update": lambda asked: _resend(asked, update=True),
    "resend_second": lambda asked: _resend(asked, second=True),
    "settle_there": _settle,
    "settle_not_there": lambda asked: _settle(asked, not_there=True),
    "settle_accept": lambda asked: _settle(asked, accept=True),
}


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
            said.append(_CALLS[action](Asked(store, gateway, number, connection_id, document)))
        except SyncError as error:
            failed.append(error)
    if failed and not said:
        raise failed[0]
    return said + [str(error) for error in failed]


def _line(each: Shown) -> str:
    document = f", {each.document} {each.document_number}" if each.document_number else ""
    cause = f": {each.cause}" if each.cause else ""
    return f"Work order {each.number} ({each.title}): {each.state}{document}{cause}"
