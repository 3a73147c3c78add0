"""Opens the vendors that a step needs, when it needs them, and counts the calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outsmart_sync.pipeline.job import Job, Options
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import settings

if TYPE_CHECKING:
    from outsmart_sync.pipeline.ports import Destination, Source
    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.services.gateway import Gateway
    from outsmart_sync.store.connections import SyncConnection
    from outsmart_sync.store.store import Store


class Doors:
    """One connection's package and OutSmart account.

    Args:
        gateway: Opens them.
        connection: The connection.
    """

    def __init__(self, gateway: Gateway, connection: SyncConnection) -> None:
        self._gateway = gateway
        self._connection = connection
        self._source: Source | None = None
        self._destination: Destination | None = None
        self._delivers: bool | None = None

    @property
    def delivers(self) -> bool:
        """Whether the connection's OutSmart account is configured."""
        if self._delivers is None:
            self._delivers = self._gateway.delivers(self._connection)
        return self._delivers

    @property
    def source(self) -> Source:
        """The administration."""
        if self._source is None:
            self._source = self._gateway.door(self._connection).source()
        return self._source

    @property
    def destination(self) -> Destination | None:
        """The OutSmart account; None: it is not configured, and imports end in the mirror."""
        if self._destination is None and self.delivers:
            self._destination = self._gateway.destination(self._connection)
        return self._destination

    @property
    def source_calls(self) -> int:
        """Calls to the package so far."""
        return self._source.calls if self._source else 0

    @property
    def destination_calls(self) -> int:
        """Calls to OutSmart so far."""
        return self._destination.calls if self._destination else 0

    def forgive(self) -> None:
        """Open endpoints again that were closed after errors."""
        self._gateway.door(self._connection).forgive()

    def close(self) -> None:
        """End the sessions."""
        for opened in (self._source, self._destination):
            if opened is not None:
                opened.close()

    def job(self, store: Store, run_id: int, category: ImportCategory, options: Options, job_id: int = 0) -> Job:
        """What one category of this connection does in one run."""
        connection = self._connection
        return Job(
            id=job_id,
            run_id=run_id,
            connection_id=connection.id,
            category=category,
            settings=settings.read(store, connection).of(category),
            options=options,
            today=settings.today_of(store, package_of(connection.package)),
            currency=connection.currency,
            delivers=self.delivers,
            account=connection.outsmart_account,
        )
