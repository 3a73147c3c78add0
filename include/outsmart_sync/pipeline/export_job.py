"""What exporting does for one sync connection in one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from outsmart_sync.records.values import content_hash

if TYPE_CHECKING:
    from outsmart_sync.pipeline.job import Options
    from outsmart_sync.records.export_catalogue import DocumentKind, ExportCategory, Exports
    from outsmart_sync.store.exports import Export


@dataclass(frozen=True)
class ExportJob:
    """One export category of one connection in one run.

    Attributes:
        id: Its number in the store; staging goes by it.
        run_id: The run.
        connection_id: The sync connection.
        category: What is exported.
        exports: What the package declares.
        package: The package's name for people.
        prefixes: What the numbers of work orders begin with that came from an imported order → its record type.
        settings: The category's settings by name, complete.
        options: What was asked.
        today: The administration's calendar day.
        now: The store's clock when the step began.
        currency: The administration's currency; '' when unknown.
        account: Our name of the OutSmart account.
        begun_as: Document kind of one work order that is not the setting's: see :meth:`of`; ''.
    """

    id: int
    run_id: int
    connection_id: int
    category: ExportCategory
    exports: Exports
    package: str
    prefixes: Mapping[str, str]
    settings: Mapping[str, Any]
    options: Options
    today: date
    now: datetime
    currency: str
    account: str
    begun_as: str = ""

    @property
    def kind(self) -> DocumentKind:
        """The document kind that the settings choose, or as which it was begun."""
        return self.exports.kind(self.begun_as or str(self.settings["document"]))

    def of(self, number: str, known: Export | None) -> ExportJob:
        """The job for one work order.

        One that was begun is ended as the kind that it was begun as; one that came from an imported order goes back to
        it as that order's kind, whatever the setting is.

        Args:
            number: The work order's number.
            known: What is known of its export.
        """
        if known is not None and (known.sent or known.remote_id):
            return replace(self, begun_as=known.kind)
        record = self.order_type(number)
        return replace(self, begun_as=self.exports.appends_to[record]) if record else self

    @property
    def rules(self) -> str:
        """Fingerprint of the settings: when they change, what rests is judged anew."""
        return content_hash(msgspec.json.encode(dict(self.settings), order="sorted").decode())

    def is_on(self, name: str) -> bool:
        """Whether a switch is on."""
        return bool(self.settings.get(name))

    def text(self, name: str) -> str:
        """The value of a setting that is a text."""
        return str(self.settings.get(name) or "")

    def order_type(self, number: str) -> str:
        """The record type of the imported order whose work order has this number; '' when it came from none."""
        return next((record for prefix, record in self.prefixes.items() if number.startswith(prefix)), "")
