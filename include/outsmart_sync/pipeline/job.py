"""What one category of one sync connection does in one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from outsmart_sync.records.values import content_hash

if TYPE_CHECKING:
    from outsmart_sync.records.catalogue import ImportCategory
    from outsmart_sync.records.record import Record
    from outsmart_sync.records.setting_kinds import Switch


class Step(StrEnum):
    """The four steps of every category, in their order."""

    EXTRACT = "extract"
    FILTER = "filter"
    MATCH_BY_CODE = "match_by_code"
    UPSERT = "upsert"


@dataclass(frozen=True, slots=True)
class Options:
    """What a person, or the schedule, asked of a run.

    Attributes:
        categories: Only these; empty: all that are switched on.
        connection: Only this sync connection; None: all that are active.
        full: Read everything again, at the package and in OutSmart.
        preview: Stop before anything is written to an outside system, decided in the mirror, or moved on.
        codes: Only the records with these codes.
        by_hand: A person asked for it, so categories that are blocked are tried again.
    """

    categories: tuple[str, ...] = ()
    connection: int | None = None
    full: bool = False
    preview: bool = False
    codes: tuple[str, ...] = ()
    by_hand: bool = False

    @property
    def partial(self) -> bool:
        """Whether only chosen records are read, so that no cursor may move."""
        return bool(self.codes)


@dataclass(frozen=True)
class Job:
    """One category of one connection in one run.

    Attributes:
        id: Its number in the store; 0: nothing is run, only looked at.
        run_id: The run.
        connection_id: The sync connection.
        category: What is imported.
        settings: The category's settings by name, complete.
        options: What was asked.
        today: The administration's calendar day.
        currency: The administration's currency; '' when unknown.
        delivers: An OutSmart account is configured; else the import ends in the mirror.
        account: Our name of that account: the ledger goes by it.
    """

    id: int
    run_id: int
    connection_id: int
    category: ImportCategory
    settings: Mapping[str, Any]
    options: Options
    today: date
    currency: str
    delivers: bool
    account: str = ""

    @property
    def starts_on(self) -> date | None:
        """The first day whose documents are imported; None: the category is not dated.

        Saving settings fills it in. Should it be missing all the same, it is today: too few documents can be added.
        """
        if self.category.start is None:
            return None
        day = self.settings.get(self.category.start.name)
        return date.fromisoformat(day) if day else self.today

    def is_on(self, switch: Switch) -> bool:
        """Whether a switch is on; one that the settings do not name is as it is at first."""
        return bool(self.settings.get(switch.name, switch.default))

    @property
    def in_outsmart(self) -> tuple[Record, ...]:
        """The category's record types that go to OutSmart: not those that are kept, nor those that are switched off."""
        off = [stream.record for stream in self.category.derived if stream.when and not self.settings.get(stream.when)]
        return tuple(record for record in self.category.records if not record.kept and record not in off)

    @property
    def rules(self) -> str:
        """Fingerprint of everything a record is judged by besides itself: when it changes, records are judged anew."""
        requirements = [
            [
                record.name,
                *(f"{field.name}:{field.required}:{field.max_length}:{field.default}" for field in record.fields),
            ]
            for record in self.category.records
        ]
        return content_hash(
            msgspec.json.encode([dict(self.settings), self.delivers, requirements], order="sorted").decode()
        )
