"""What the trigger form of an export DAG can ask for, besides exporting: what the command line's subcommands do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outsmart_sync.errors import InvalidSettings, SyncError
from outsmart_sync.records.export_actions import ACTIONS, LIST, SHOW
from outsmart_sync.services import export_decisions as decisions
from outsmart_sync.services import exports
from outsmart_sync.store.exports import ExportState

if TYPE_CHECKING:
    from outsmart_sync.services.exports import Shown
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.exports import Export
    from outsmart_sync.store.store import Store

OWN_PRODUCTION = "own_production"
"""Reason of work orders that are never billed, so that nothing releases them."""


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


def _resend(asked: Asked, *, update: bool = False, second: bool = False) -> Shown:
    again = decisions.resend(
        asked.store, asked.gateway, asked.number, asked.connection_id, update=update, second=second
    )
    if again.there:
        raise InvalidSettings(
            f"{again.shown.document} {again.there} of work order {again.shown.number} is still there.",
            remedy="Choose to bring it up to date, or to make a second one on purpose.",
            code="document_there",
        )
    return again.shown


def _settle(asked: Asked, *, not_there: bool = False, accept: bool = False) -> Shown:
    there = "" if not_there or accept else asked.document
    return decisions.settle(
        asked.store,
        asked.gateway,
        asked.number,
        asked.connection_id,
        there=there,
        not_there=not_there,
        accept=accept,
    )


_CALLS: Mapping[str, Callable[[Asked], Shown]] = {
    "hold": lambda asked: decisions.hold(asked.store, asked.number, asked.connection_id),
    "release": lambda asked: decisions.release(asked.store, asked.number, asked.connection_id),
    "resend": _resend,
    "resend_update": lambda asked: _resend(asked, update=True),
    "resend_second": lambda asked: _resend(asked, second=True),
    "settle_there": _settle,
    "settle_not_there": lambda asked: _settle(asked, not_there=True),
    "settle_accept": lambda asked: _settle(asked, accept=True),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of asking for something about one work order.

    Attributes:
        number: The work order as it was named.
        shown: Where it stands now; None: it was refused.
        error: Why it was refused.
    """

    number: str
    shown: Shown | None = None
    error: SyncError | None = None


def offered(export: Export, *, by_line: bool = False, unclear: bool = False) -> tuple[str, ...]:
    """The actions that fit where a work order stands; what else is asked is refused with a sentence.

    Args:
        export: The work order.
        by_line: It becomes entries of their own, which are not brought up to date.
        unclear: Whether a part of it was made is not known.
    """
    state = export.state
    offers: list[str] = []
    if state in (ExportState.HELD, ExportState.OLDER) and export.reason != OWN_PRODUCTION:
        offers.append("release")
    if state in (ExportState.FAILED, ExportState.DONE, ExportState.DIFFERS, ExportState.CHANGED):
        offers.append("resend")
    if export.remote_id and state in (ExportState.DONE, ExportState.DIFFERS, ExportState.CHANGED):
        offers += ["resend_second"] if by_line else ["resend_update", "resend_second"]
    if state is ExportState.UNCERTAIN or unclear:
        offers += ["settle_there", "settle_not_there"]
    if state in (ExportState.DIFFERS, ExportState.CHANGED):
        offers.append("settle_accept")
    if state in (ExportState.WAITING, ExportState.FAILED):
        offers.append("hold")
    return tuple(offers)


def decide(
    store: Store,
    gateway: Gateway,
    action: str,
    numbers: Sequence[str],
    connection_id: int | None = None,
    document: str = "",
) -> list[Answer]:
    """Do what is asked about each work order; one that is refused does not keep the others from it.

    Raises:
        InvalidSettings: There is no such action, or no work order is named.
    """
    _require_known(action, ACTIONS)
    if not numbers:
        raise InvalidSettings(
            "No work order is named.", remedy="Name the work orders that are meant.", code="none_chosen"
        )
    _require_known(action, _CALLS)  # a page may not ask for what only looks
    answers = []
    for number in numbers:
        try:
            shown = _CALLS[action](Asked(store, gateway, number, connection_id, document))
        except SyncError as error:
            answers.append(Answer(number, error=error))
        else:
            answers.append(Answer(number, shown))
    return answers


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
    _require_known(action, ACTIONS)
    if action == LIST:
        return [_line(each) for each in exports.listed(store, connection_id=connection_id)]
    if action == SHOW and numbers:
        return [_show(Asked(store, gateway, number, connection_id, document)) for number in numbers]
    answers = decide(store, gateway, action, numbers, connection_id, document)
    failed = [each.error for each in answers if each.error]
    if len(failed) == len(answers):
        raise failed[0]
    return [_line(each.shown) for each in answers if each.shown] + [str(error) for error in failed]


def _require_known(action: str, known: Collection[str]) -> None:
    if action not in known:
        raise InvalidSettings(
            f"There is no action '{action}'.", remedy=f"Choose from: {', '.join(known)}.", code="unknown_action"
        )


def _line(each: Shown) -> str:
    document = f", {each.document} {each.document_number}" if each.document_number else ""
    cause = f": {each.cause}" if each.cause else ""
    return f"Work order {each.number} ({each.title}): {each.state}{document}{cause}"
