"""Opens what exporting needs, when it needs it, and counts the calls."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from outsmart_sync.errors import NotConfigured
from outsmart_sync.pipeline.export_job import ExportJob
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.records.export_catalogue import WORK_ORDERS
from outsmart_sync.records.hour_type import HOUR_TYPE, is_told, sale_price
from outsmart_sync.services import settings

if TYPE_CHECKING:
    from outsmart_sync.pipeline.export_ports import CompletedWorkOrders, Exporter
    from outsmart_sync.pipeline.job import Options
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store


class ExportDoors:
    """One connection's package and OutSmart account, opened for exports.

    Args:
        store: The store.
        gateway: Opens them.
        connection: The connection.
    """

    def __init__(self, store: Store, gateway: Gateway, connection: SyncConnection) -> None:
        self._store, self._gateway, self._connection = store, gateway, connection
        self._exporter: Exporter | None = None
        self._outsmart: CompletedWorkOrders | None = None
        self._hour_type_calls = 0

    def exporter(self) -> Exporter:
        """The administration."""
        if self._exporter is None:
            saved = settings.read(self._store, self._connection).categories[WORK_ORDERS]
            self._exporter = self._gateway.door(self._connection).exporter(saved)
        return self._exporter

    @property
    def outsmart(self) -> CompletedWorkOrders:
        """The account.

        Raises:
            NotConfigured: There is no Airflow connection for it.
        """
        if self._outsmart is None:
            if not self._gateway.delivers(self._connection):
                raise NotConfigured(
                    f"There is no Airflow connection '{self._connection.outsmart_conn_id}', so there is no OutSmart "
                    "account to export from.",
                    remedy="Create it; see docs/operations.md.",
                )
            self._outsmart = self._gateway.completed(self._connection)
        return self._outsmart

    def hour_prices(self) -> dict[str, Decimal | None]:
        """OutSmart's hour types: code → sale price; None: it is not charged."""
        destination = self._gateway.destination(self._connection)
        try:
            return {str(each["code"]): sale_price(each) for each in destination.read(HOUR_TYPE) if is_told(each)}
        finally:
            self._hour_type_calls += destination.calls
            destination.close()

    @property
    def calls(self) -> int:
        """Calls to the package so far."""
        return self._exporter.calls if self._exporter else 0

    @property
    def outsmart_calls(self) -> int:
        """Calls to OutSmart so far."""
        return self._hour_type_calls + (self._outsmart.calls if self._outsmart else 0)

    def forgive(self) -> None:
        """Open endpoints again that were closed after errors."""
        self._gateway.door(self._connection).forgive()

    def close(self) -> None:
        """End the sessions."""
        for opened in (self._exporter, self._outsmart):
            if opened is not None:
                opened.close()


def export_job(
    store: Store, connection: SyncConnection, run_id: int, category: str, options: Options, job_id: int = 0
) -> ExportJob:
    """What one export category of a connection does in one run.

    Raises:
        NotConfigured: Nothing can be exported to the package.
    """
    package = package_of(connection.package)
    if package.exports is None:
        raise NotConfigured(f"Nothing can be exported to {package.label}.", code="no_exports")
    prefixes = {
        record.prefix: record.name
        for each in package.imports
        for record in each.records
        if record.name in package.exports.appends_to and record.prefix
    }
    return ExportJob(
        id=job_id,
        run_id=run_id,
        connection_id=connection.id,
        category=next(each for each in package.export_categories if each.name == category),
        exports=package.exports,
        package=package.label,
        prefixes=prefixes,
        settings=settings.read(store, connection).categories[category],
        options=options,
        today=settings.today_of(store, package),
        now=store.now(),
        currency=connection.currency,
        account=connection.outsmart_account,
    )
