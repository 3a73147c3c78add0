"""What a person decides about work orders on their way into the books: resend, hold, release, settle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from outsmart_sync.errors import Busy, InvalidSettings
from outsmart_sync.pipeline.export_documents import ORDER_LINE
from outsmart_sync.pipeline.export_extract import WORK_ORDER
from outsmart_sync.pipeline.export_files import ATTACHMENT, FILE, LINKED, NO_FILE
from outsmart_sync.pipeline.export_filter import BEFORE_CUT_OFF
from outsmart_sync.pipeline.export_upsert import HANDLED_BY_HAND
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.completed_work_order import ROW_ID
from outsmart_sync.records.export_catalogue import INVOICE_STATUS, WORK_ORDERS
from outsmart_sync.services import planning
from outsmart_sync.services.export_doors import ExportDoors
from outsmart_sync.services.exports import Shown, one, shown
from outsmart_sync.services.step_lease import LEASE_LASTS
from outsmart_sync.store import connections, cursors, dialect, exports, leases, ledger
from outsmart_sync.store.exports import GONE, Decision, Export, ExportState
from outsmart_sync.store.tables import record_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from outsmart_sync.records.export_catalogue import DocumentKind
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

PARTS = (ORDER_LINE, FILE, ATTACHMENT, LINKED)
"""The ledger's words for what belongs to a document."""

_REMOTE = (ExportState.DONE, ExportState.DIFFERS, ExportState.CHANGED)
_OPEN = (ExportState.SENDING, ExportState.UNCERTAIN)


def hold(store: Store, number: str, connection_id: int | None = None) -> Shown:
    """Do not send a work order; until it is released.

    Raises:
        InvalidSettings: There is none, several have the number, or it was sent already.
    """
    export = one(store, number, connection_id)
    if export.state in (*_REMOTE, *_OPEN):
        raise _too_late(export)
    return _decide(store, export, Decision.HOLD, ExportState.HELD, "held by hand", reason="by_hand")


def release(store: Store, number: str, connection_id: int | None = None) -> Shown:
    """Send a work order although something held it: a rule, the cut-off, a likely match, or a person.

    Raises:
        InvalidSettings: There is none, several have the number, or nothing holds it.
    """
    export = one(store, number, connection_id)
    if export.state not in (ExportState.HELD, ExportState.OLDER) or export.reason == "own_production":
        raise InvalidSettings(
            f"Work order {export.number} is {export.state.value}: there is nothing to release.",
            remedy="See: outsmart-sync export show",
        )
    released = export.releasing(export.reason or BEFORE_CUT_OFF)
    return _decide(store, export, Decision.SEND, ExportState.WAITING, "released by hand", released=released)


@dataclass(frozen=True, slots=True)
class Again:
    """What became of asking for a work order to be sent again.

    Attributes:
        shown: Where it stands now.
        there: Number of its document, which is still there: a person must choose; '' otherwise.
    """

    shown: Shown
    there: str = ""


def resend(
    store: Store,
    gateway: Gateway,
    number: str,
    connection_id: int | None = None,
    *,
    update: bool = False,
    second: bool = False,
) -> Again:
    """Send a work order again. What failed goes with the next run; a document that is gone is made anew.

    Args:
        store: The store.
        gateway: Opens the package, to see whether the document is still there.
        number: Number or row id.
        connection_id: Only of this connection.
        update: The document is there: bring it up to date.
        second: The document is there: make another one all the same.

    Raises:
        InvalidSettings: There is none, several have the number, or it is on its way already.
        SyncError: The package cannot be asked.
    """
    export = one(store, number, connection_id)
    if export.state in _OPEN and not (update or second):
        raise InvalidSettings(
            f"Work order {export.number} is {export.state.value}.",
            remedy="Wait for the next run; or say what you know: outsmart-sync export settle.",
        )
    remote_id = export.remote_id or (_made_id(store, export) if export.reason == GONE else "")
    if not remote_id:
        return _resend_begun(store, export, second=second)
    if _declared(store, export).by_line:
        return _resend_lines(store, gateway, export, update=update, second=second)
    there = _document_of(store, gateway, export, remote_id)
    if there and second:
        return Again(_another(store, export, "a second document was asked for"))
    if not there:
        return Again(_another(store, export, "its document is gone, so it is made again"))
    if update:
        return Again(
            _decide(
                store, export, Decision.UPDATE, ExportState.SENDING, "its document is to be brought up to date", sent=""
            )
        )
    if export.state is ExportState.DONE and export.reason == NO_FILE:
        # What it comes to was settled: only its files are missing.
        return Again(_decide(store, export, Decision.ACCEPT, ExportState.SENDING, "its files are to be tried again"))
    return Again(shown(store, export), there)


def settle(
    store: Store,
    gateway: Gateway,
    number: str,
    connection_id: int | None = None,
    *,
    there: str = "",
    not_there: bool = False,
    accept: bool = False,
) -> Shown:
    """Say what nobody but a person can know about a work order.

    Args:
        store: The store.
        gateway: Opens the package, to find the document that a person names.
        number: Number or row id of the work order.
        connection_id: Only of this connection.
        there: Uncertain: the document is there, under this number (or id).
        not_there: Uncertain: it is not there, send it again.
        accept: Differs or changed: the document is right as it is.

    Raises:
        InvalidSettings: Not exactly one of them is said, or it does not fit the state.
        SyncError: The package cannot be asked.
    """
    if [bool(there), not_there, accept].count(True) != 1:
        raise InvalidSettings("Say exactly one of: --there NUMBER, --not-there, --accept.")
    export = one(store, number, connection_id)
    if accept:
        return _accept(store, export)
    if export.state not in _OPEN and not is_unclear(store, export):
        raise InvalidSettings(
            f"Work order {export.number} is {export.state.value}, so there is nothing uncertain about it.",
            remedy="See: outsmart-sync export show",
        )
    if not_there:
        return _not_there(store, export)
    return _link(store, gateway, export, there)


def is_unclear(store: Store, export: Export) -> bool:
    """Whether nobody knows if a part of a work order's export was made, wherever the work order stands."""
    with store.read() as transaction:
        return any(line.state in ledger.UNCLEAR for line in _lines(transaction, export))


def _not_there(store: Store, export: Export) -> Shown:
    """Forget what is unclear, whatever part of the export it is; what is known to be there stays known."""

    def forget(transaction: Connection) -> None:
        for line in _lines(transaction, export):
            if line.state in ledger.UNCLEAR:
                ledger.refused(transaction, export.account, line.kind, line.key)

    with store.read() as transaction:
        begun = any(line.state not in ledger.UNCLEAR for line in _lines(transaction, export))
    why = "a person says that it is not there"
    if begun or export.remote_id:  # the rest goes on with what it was begun with
        return _decide(store, export, export.decision, ExportState.SENDING, why, also=forget)
    return _decide(store, export, Decision.SEND, ExportState.WAITING, why, also=forget, sent="")


def _resend_begun(store: Store, export: Export, *, second: bool) -> Again:
    """Send again what has no document yet; lines that were made already stay, and are gone on with."""
    with store.read() as transaction:
        begun = _lines(transaction, export)
    if begun and second:
        return Again(_another(store, export, "what was begun is left aside, and all of it made anew"))
    if begun and export.state is ExportState.CHANGED:
        made = ", ".join(line.remote_id for line in begun if line.remote_id) or "nothing that is known for sure"
        raise InvalidSettings(
            f"Work order {export.number} was changed after a part of it had been made ({made}).",
            why="Which of its lines are there already cannot be told any more.",
            remedy="Delete what is there, then: outsmart-sync export resend --second. Or bill the rest by hand, and "
            "hold it here.",
            code="half_made",
        )
    decision = Decision.SEND if export.decision == Decision.SEND else ""
    again: dict[str, Any] = {"sent": export.sent if begun else "", "marked": ""}
    again["released"] = export.releasing(BEFORE_CUT_OFF)
    return Again(_decide(store, export, decision, ExportState.WAITING, "to be sent again", **again))


def _resend_lines(store: Store, gateway: Gateway, export: Export, *, update: bool, second: bool) -> Again:
    """Make the lines again that are gone; those that are there stay."""
    if update:
        label = package_of(connections.require(store, export.connection_id).package).label
        raise InvalidSettings(
            f"Hours and costs are entries of their own in {label}, so they are not changed together.",
            remedy="Delete them there, then send the work order again.",
            code="not_updated",
        )
    with store.read() as transaction:
        lines = [line for line in _lines(transaction, export) if line.remote_id and line.kind == export.kind]
    connection = connections.require(store, export.connection_id)
    doors = ExportDoors(store, gateway, connection)
    try:
        kind = _kind(connection, export)
        gone = [line for line in lines if doors.exporter().get(kind, line.remote_id) is None]
    finally:
        doors.close()
    if second:
        return Again(_another(store, export, "a second one was asked for"))
    if len(gone) == len(lines):
        return Again(_another(store, export, "all of it is gone, so it is made again"))
    if not gone:
        return Again(shown(store, export), export.remote_number or export.remote_id)

    def forget(transaction: Connection) -> None:
        for line in gone:
            ledger.refused(transaction, export.account, line.kind, line.key)

    why = f"{len(gone)} of its {len(lines)} lines are gone, so those are made again"
    return Again(_decide(store, export, "", ExportState.SENDING, why, also=forget))


def _accept(store: Store, export: Export) -> Shown:
    if export.state is ExportState.DIFFERS and export.reason == GONE:
        why = "a person says that it is right that its document is gone"
        return _decide(store, export, Decision.ACCEPT, ExportState.SENDING, why, reason=GONE)
    if export.state is ExportState.DIFFERS:
        return _decide(store, export, Decision.ACCEPT, ExportState.SENDING, "a person accepts the document")
    if export.state is ExportState.CHANGED:
        return _decide(
            store, export, "", ExportState.DONE, "a person accepts the document", sent=export.fingerprint, keep=True
        )
    raise InvalidSettings(
        f"Work order {export.number} is {export.state.value}: there is nothing to accept.",
        remedy="See: outsmart-sync export show",
    )


def _link(store: Store, gateway: Gateway, export: Export, there: str) -> Shown:
    connection = connections.require(store, export.connection_id)
    kind = _kind(connection, export)
    doors = ExportDoors(store, gateway, connection)
    try:
        found = doors.exporter().by_number(kind, there)
    finally:
        doors.close()
    if len(found) != 1:
        many = "several documents" if found else "no document"
        raise InvalidSettings(
            f"{package_of(connection.package).label} has {many} with the number or id '{there}'.",
            remedy="Look it up there, and give its number or its id.",
            code="document_not_found",
        )
    remote_id, number = found[0].remote_id, found[0].number or there
    with store.read() as transaction:
        named = exports.of_remote(transaction, export.account, export.connection_id, [remote_id])
        taken = [each for each in named if each != export]
        unclear = [line for line in _lines(transaction, export) if line.state in ledger.UNCLEAR]
    if taken:
        raise InvalidSettings(
            f"{number} is the document of work order {taken[0].number}, so it cannot be that of {export.number} too.",
            remedy="Give the number of another one; or, if it is not there: outsmart-sync export settle --not-there.",
            code="document_taken",
        )
    asked = [line for line in unclear if line.kind == export.kind]
    if len(asked) != 1:
        parts = ", ".join(f"{line.kind} {line.key}" for line in unclear) or "nothing of its document"
        raise InvalidSettings(
            f"What is uncertain about work order {export.number} is not one document: {parts}.",
            remedy="Delete at the package what was made of that, then: outsmart-sync export settle --not-there.",
            code="not_one_document",
        )
    (line,) = asked

    def link(transaction: Connection) -> None:
        ledger.done(transaction, export.account, line.kind, line.key, remote_id, export.run_id)
        if line.key == export.key:  # what became of it may have been passed over
            cursors.restart(transaction, export.connection_id, INVOICE_STATUS)

    whole: dict[str, Any] = {"remote_id": remote_id, "remote_number": number} if line.key == export.key else {}
    return _decide(store, export, "", ExportState.SENDING, f"a person says that it is {number}", also=link, **whole)


def _made_id(store: Store, export: Export) -> str:
    """The id of what the ledger says was made for a work order; '' for nothing."""
    with store.read() as transaction:
        made = [line.remote_id for line in _lines(transaction, export) if line.kind == export.kind and line.remote_id]
    return made[0] if made else ""


def _lines(transaction: Connection, export: Export) -> list[ledger.Line]:
    """What the ledger knows of a work order's document and its parts."""
    return ledger.of_key(transaction, export.account, {export.kind, *PARTS}, export.key)


def _another(store: Store, export: Export, why: str) -> Shown:
    return _decide(
        store,
        export,
        Decision.SEND,
        ExportState.WAITING,
        why,
        copy=export.copy + 1,
        # It was exported once, and OutSmart marked it as handled by that.
        released=export.releasing(BEFORE_CUT_OFF, HANDLED_BY_HAND),
        sent="",
        remote_id="",
        remote_number="",
        expected=None,
        actual=None,
        marked="",
        invoice="",
        invoice_number="",
        booked=False,
        paid=False,
        told="",
    )


def _document_of(store: Store, gateway: Gateway, export: Export, remote_id: str) -> str:
    """Number of a work order's document at the package; '' when it is gone."""
    connection = connections.require(store, export.connection_id)
    doors = ExportDoors(store, gateway, connection)
    try:
        found = doors.exporter().get(_kind(connection, export), remote_id)
    finally:
        doors.close()
    return "" if found is None else found.number or found.remote_id


def _declared(store: Store, export: Export) -> DocumentKind:
    return _kind(connections.require(store, export.connection_id), export)


def _kind(connection: SyncConnection, export: Export) -> DocumentKind:
    declared = package_of(connection.package).exports
    if declared is None:
        raise InvalidSettings(f"Nothing can be exported to {package_of(connection.package).label}.", code="no_exports")
    return declared.kind(export.kind)


def _decide(
    store: Store,
    export: Export,
    decision: str,
    state: ExportState,
    why: str,
    *,
    keep: bool = False,
    also: Callable[[Connection], None] | None = None,
    **values: Any,
) -> Shown:
    """Keep what a person said, unless a run is at it just now.

    Args:
        store: The store.
        export: The work order as the person saw it.
        decision: What was decided.
        state: Where it stands by that.
        why: What was said, for the log.
        keep: It was judged, and needs no judging.
        also: What changes in the ledger along with it, in the same transaction.
        values: Columns of its row.

    Raises:
        Busy: A run is exporting, or has since this was looked at.
    """
    lease, owner = planning.export_lease_name(export.account, WORK_ORDERS), "by hand"
    if leases.claim(store, lease, owner, LEASE_LASTS) is None:
        raise Busy("Work orders are being exported just now.", remedy="Try again when the run has ended.")
    try:
        with store.begin() as transaction:
            (now,) = exports.of_rows(transaction, export.account, [export.row_id]).values()
            if now != export:
                raise Busy(
                    f"Work order {export.number} has changed since it was looked at: it is {now.state.value} now.",
                    remedy="Look at it again: outsmart-sync export show.",
                )
            if also is not None:
                also(transaction)
            # Judged anew by the next run, whatever it was judged by before.
            exports.settle(
                transaction,
                export,
                state,
                run_id=export.run_id,
                decision=str(decision),
                judged_by=export.judged_by if keep else "",
                **values,
            )
            transaction.execute(
                insert(record_log).values(
                    connection_id=export.connection_id,
                    run_id=0,
                    category=WORK_ORDERS,
                    record=WORK_ORDER,
                    provider_id=export.row_id,
                    code=export.number,
                    event="decided",
                    detail=why,
                    at=dialect.now(transaction),
                )
            )
    finally:
        leases.release(store, lease, owner)
    return shown(store, one(store, f"{ROW_ID}{export.row_id}", None, export.account))


def _too_late(export: Export) -> InvalidSettings:
    document = export.remote_number or export.remote_id or "a document"
    return InvalidSettings(
        f"Work order {export.number} is {export.state.value}: {document} may be there already.",
        remedy="Delete it at the package if it must not be there.",
        code="sent_already",
    )
