"""The vocabulary in which a package declares what it offers: ordered lists of changes, and what their rows become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from outsmart_sync.records.record import Record
from outsmart_sync.records.values import Payload

Row = Mapping[str, Any]
"""One decoded row of a package's page; numbers with a fraction are Decimal."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a field's value comes from.

    Attributes:
        columns: The package's columns; the first one that has a value gives it.
        read: Turns a column's value (never None) into the stored form; None: there is no value.
        joined: The value is made of all columns together, which ``read`` gets as a tuple; one that is empty: none.
        absent: What stands where no column has a value: '' empties the field in OutSmart; None: it is left as it is.
    """

    columns: tuple[str, ...]
    read: Callable[[Any], str | bool | None]
    joined: bool = False
    absent: str | None = None


@dataclass(frozen=True, slots=True)
class Belongs:
    """Which rows of a stream are of this category.

    Attributes:
        columns: Columns the rule looks at.
        rule: True when the row belongs.
        otherwise: Reason code for a record that was ours and no longer belongs.
    """

    columns: tuple[str, ...]
    rule: Callable[[Row], bool]
    otherwise: str


@dataclass(frozen=True, slots=True)
class Split:
    """Which rows are of this category, where a person says so by a setting that two categories share.

    Attributes:
        category: Name of the category that has the setting.
        setting: Name of the setting, a :class:`Choice`.
        tag: Kind of the tag whose value is compared with what was chosen.
        takes: Whether rows with a chosen value are of this category, or those with any other.
        otherwise: Reason code for a record that was ours and no longer belongs.
    """

    category: str
    setting: str
    tag: str
    takes: bool
    otherwise: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Which rows of a category are never imported, whatever a person chose; each is kept with its reason.

    Attributes:
        columns: Columns the rule looks at.
        rule: Reason code of a row; '' when it may come.
        reasons: Every reason code that the rule gives.
    """

    columns: tuple[str, ...]
    rule: Callable[[Row], str]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Which of several rows that make up the same code comes.

    Attributes:
        columns: Columns the rule looks at.
        rule: A row's rank, a whole number of at most 20 figures: the lowest comes, of equal ones that of the lowest id.
        reason: Reason code of the others.
    """

    columns: tuple[str, ...]
    rule: Callable[[Row], int]
    reason: str


OTHER_CURRENCY = "other_currency"
"""Reason code of a row in another currency than the administration's."""


@dataclass(frozen=True, slots=True)
class Tags:
    """Values that filters choose by.

    Attributes:
        columns: Columns the rule looks at.
        rule: ``(kind, value)`` pairs of a row.
    """

    columns: tuple[str, ...]
    rule: Callable[[Row], list[tuple[str, str]]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stream:
    """One ordered list of changes that a package offers.

    Attributes:
        name: Our name for it; a category's cursors are kept by it.
        record: Record type its rows become; None: its rows are parts that are folded into the category's main record.
        key: Column of the stable id.
        fields: OutSmart field → where its value comes from. A part uses names of its own.
        parent: Column with the package's id of the record it belongs to.
        blocked: Column that marks a row as blocked, or as cancelled.
        is_blocked: Whether that column's value says so.
        blocked_out_of_dates: That column says so, too, of a row that is out of its dates: there the dates alone count,
            since a day that comes or passes changes no row.
        alias: Column of a second id, under which the package's list of deletions names a row.
        valid: Columns of the first and last day in use; '' for one that does not count.
        left_out: Which rows are never imported.
        ranked: Which of several rows with one code comes; None: all are held until one is left.
        id_prefix: Ids of its rows begin with this, where another stream makes records of the same type.
        currency: Column with the currency of a row's amounts: one in another than the administration's is left out.
        tags: What filters choose by.
        belongs: Which rows are of this category; None: all.
        split: The same, as a person says.
        derived_code: The record's code is made from its id by this function, for types that have no code at the source.
        whole: The package offers no list of changes: the stream is read whole whenever it is read, and what is missing
            in it is gone.
        compared: The package tells no deletions: what is gone shows when the stream is read from its beginning to its
            end, so such a read is not cut short by a start date.
        window: Of a whole list, only the records whose ``dated`` lies in the last so many days are read, as the list is
            too long; older ones stay as they are. 0: all of it.
        shared: Rows are parts of every record that holds their id under this name, in its own payload or in that of a
            part that is its alone; ``key`` and ``parent`` are one column then. Goes without where the package lacks the
            module. '': each is a part of one record.
        compose: Puts together what is sent of a record; None: its own fields, and the codes of what it refers to.
        exported_as: Our own exports make such documents too, under this name in the ledger: they never come back.
        split_by: Column that tells apart parts which share one id.
        same_work: Other documents that may stand for the same work.
        notes_from: Record type whose texts go along when a document is made, where they came before it.
        kept_in_look_ups: Entries of a payload that are not there when a few records are looked up: what is known stays.
        dated: Column of the document's own date, of a category that has a start date.
        entered: Column of the day on which a document was entered: parts of one that is older than what is read of them
            are looked up.
        dated_ahead: Days that a document may be entered before the date it bears. Packages know when a row was changed,
            not which date it bears, so the first read begins that many days before the start date.
    """

    name: str
    record: Record | None
    key: str
    fields: Mapping[str, Source]
    parent: str | None = None
    blocked: str | None = None
    is_blocked: Callable[[Any], bool] = bool
    blocked_out_of_dates: bool = False
    alias: str | None = None
    valid: tuple[str, str] | None = None
    left_out: LeftOut | None = None
    ranked: Ranked | None = None
    id_prefix: str = ""
    currency: str | None = None
    tags: Tags | None = None
    belongs: Belongs | None = None
    split: Split | None = None
    derived_code: Callable[[str], str] | None = None
    whole: bool = False
    compared: bool = False
    window: int = 0
    shared: str = ""
    compose: Compose | None = None
    exported_as: str = ""
    split_by: str | None = None
    same_work: tuple[SameWork, ...] = ()
    notes_from: str = ""
    kept_in_look_ups: tuple[str, ...] = ()
    dated: str | None = None
    entered: str | None = None
    dated_ahead: int = 90

    @property
    def own_reasons(self) -> tuple[str, ...]:
        """Reasons for which a row is left out by itself, and not by what a person chose."""
        foreign = (OTHER_CURRENCY,) if self.currency else ()
        return (
            *((self.elsewhere,) if self.elsewhere else ()),
            *(self.left_out.reasons if self.left_out else ()),
            *((self.ranked.reason,) if self.ranked else ()),
            *foreign,
        )

    @property
    def elsewhere(self) -> str:
        """Reason code for a record that was ours and no longer belongs; '' where every row does."""
        rule = self.split or self.belongs
        return rule.otherwise if rule else ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the package that this stream needs, sorted."""
        columns = {self.key, *(column for source in self.fields.values() for column in source.columns)}
        single = (
            self.parent,
            self.blocked,
            self.alias,
            self.dated,
            self.entered,
            self.split_by,
            self.currency,
            *(self.valid or ()),
        )
        columns.update(column for column in single if column)
        for rule in (self.tags, self.belongs, self.left_out, self.ranked):
            columns.update(rule.columns if rule else ())
        return tuple(sorted(columns))

    def window_start(self, today: date) -> date:
        """The first of the last so many days that are read."""
        return today - timedelta(days=self.window)


@dataclass(frozen=True, slots=True)
class Part:
    """One stored part of a record, such as one price row of an item; ``stream`` names the stream it came in."""

    provider_id: str
    payload: Payload
    valid_from: date | None
    valid_until: date | None
    stream: str = ""

    def number(self, name: str) -> Decimal | None:
        """A decimal field of the part; None when it is absent."""
        value = self.payload.get(name)
        return Decimal(value) if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class FoldContext:
    """What folding may depend on besides the rows.

    Attributes:
        today: The administration's calendar day.
        currency: The administration's currency; '' when unknown.
        settings: The category's settings by name.
    """

    today: date
    currency: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Folded:
    """A payload with its parts, and the next day on which the result may differ without any change at the source."""

    payload: Payload
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Referred:
    """A record that another one refers to.

    Attributes:
        record: Its type.
        code: Its code in OutSmart.
        payload: Its fields, as far as we know them: OutSmart's own where they were read or delivered.
        provider_id: The package's id of it; '' where that does not matter.
    """

    record: str
    code: str
    payload: Payload
    provider_id: str = ""


Compose = Callable[[Payload, Mapping[str, Referred], Mapping[str, Any]], Payload]
"""Puts together what is sent: payload, references by name, the category's settings → OutSmart's fields."""

Fold = Callable[[Payload, list[Part], FoldContext], Folded]
"""Folds a record's parts into its payload. Must be idempotent: the payload may already hold an earlier result."""


@dataclass(frozen=True, slots=True)
class SameWork:
    """Another document that may stand for the same work: of two that do, one is made.

    A row that is not in the destination is left out where one of the others, with the same value of a tag, stands.

    Attributes:
        record: Record type of the others; the row's own: then the newest of those that come together is made.
        tag: Kind of the tag by which two documents are known to mean the same work.
        reason: Reason code of a row that is left out for one of the others.
        later: True: the others bear a date not before the row's; False: not after it; None: any.
        open: One that is not in the destination yet, but waits or was refused, stands as well.
        without: Reason code of a row without the tag, which is left out too; '': it is not.
    """

    record: str
    tag: str
    reason: str
    later: bool | None = None
    open: bool = False
    without: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """What follows from a record: another one, such as the work order of a quotation.

    Attributes:
        payload: Its fields.
        part: What tells it from others that follow from the same record; '': there is one at most.
        fresh: It may come in newly; else only one that is known already is told so.
        left: It is left as it is.
    """

    payload: Payload
    part: str = ""
    fresh: bool = True
    left: bool = False


Derive = Callable[[Payload], list[Derived]]
"""What follows from a record, by its folded payload."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DerivedStream(Stream):
    """Records that are not read, but follow from a category's main records.

    Attributes:
        derive: What follows from a main record.
        when: Name of the switch that must be on; '': always.
    """

    key: str = ""
    fields: Mapping[str, Source] = field(default_factory=dict)
    derive: Derive
    when: str = ""
