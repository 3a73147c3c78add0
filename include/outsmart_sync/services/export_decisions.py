"""What a person decides about work orders on their way into the books: resend, hold, release, settle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from outsmart_sync.errors import Busy, InvalidSettings
from outsmart_sync.pipeline.export_extract import WORK_ORDER
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.export_catalogue import WORK_ORDERS
from outsmart_sync.services import planning
from outsmart_sync.services.export_doors import ExportDoors
from outsmart_sync.services.exports import Shown, one, shown
from outsmart_sync.services.step_lease import LEASE_LASTS
from outsmart_sync.store import connections, dialect, exports, leases, ledger
from outsmart_sync.store.exports import Decision, Export, ExportState
from outsmart_sync.store.tables import record_log

if TYPE_CHECKING:
    from outsmart_sync.records.export_catalogue import DocumentKind
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store

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
    return _decide(store, export, Decision.SEND, ExportState.WAITING, "released by hand")


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
    if not export.remote_id:
        decision = Decision.SEND if export.decision == Decision.SEND else ""
        return Again(_decide(store, export, decision, ExportState.WAITING, "to be sent again", sent="", marked=""))
    there = _document_of(store, gateway, export)
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
    if export.state not in _OPEN:
        raise InvalidSettings(
            f"Work order {export.number} is {export.state.value}, so there is nothing uncertain about it.",
            remedy="See: outsmart-sync export show",
        )
    if not_there:
        with store.begin() as transaction:
            ledger.refused(transaction, export.account, export.kind, export.key)
            for line in ledger.of_prefix(transaction, export.account, export.kind, f"{export.key}/"):
                if line.state in ledger.UNCLEAR:
                    ledger.refused(transaction, export.account, export.kind, line.key)
        return _decide(store, export, Decision.SEND, ExportState.WAITING, "a person says that it is not there", sent="")
    return _link(store, gateway, export, there)


def _accept(store: Store, export: Export) -> Shown:
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
    with store.begin() as transaction:
        ledger.begin(
            transaction,
            export.account,
            export.kind,
            export.key,
            connection_id=export.connection_id,
            run_id=export.run_id,
        )
        ledger.done(transaction, export.account, export.kind, export.key, found[0].remote_id, export.run_id)
    return _decide(
        store,
        export,
        "",
        ExportState.SENDING,
        f"a person says that it is {found[0].number or there}",
        remote_id=found[0].remote_id,
        remote_number=found[0].number or there,
    )


def _another(store: Store, export: Export, why: str) -> Shown:
    return _decide(
        store,
        export,
        Decision.SEND,
        ExportState.WAITING,
        why,
        copy=export.copy + 1,
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


def _document_of(store: Store, gateway: Gateway, export: Export) -> str:
    """Number of a work order's document at the package; '' when it is gone."""
    connection = connections.require(store, export.connection_id)
    doors = ExportDoors(store, gateway, connection)
    try:
        found = doors.exporter().get(_kind(connection, export), export.remote_id)
    finally:
        doors.close()
    return "" if found is None else found.number or found.remote_id


def _kind(connection: SyncConnection, export: Export) -> DocumentKind:
    declared = package_of(connection.package).exports
    if declared is None:
        raise InvalidSettings(f"Nothing can be exported to {package_of(connection.package).label}.", code="no_exports")
    return declared.kind(export.kind)


def _decide(
    store: Store, export: Export, decision: str, state: ExportState, why: str, *, keep: bool = False, **values: Any
) -> Shown:
    """Keep what a person said, unless a run is at it just now.

    Raises:
        Busy: A run is exporting.
    """
    lease, owner = planning.export_lease_name(export.account, WORK_ORDERS), "by hand"
    if leases.claim(store, lease, owner, LEASE_LASTS) is None:
        raise Busy("Work orders are being exported just now.", remedy="Try again when the run has ended.")
    try:
        with store.begin() as transaction:
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
    return shown(store, one(store, export.row_id, None, export.account))


def _too_late(export: Export) -> InvalidSettings:
    document = export.remote_number or export.remote_id or "a document"
    return InvalidSettings(
        f"Work order {export.number} is {export.state.value}: {document} may be there already.",
        remedy="Delete it at the package if it must not be there.",
        code="sent_already",
    )
