"""What a category may let a person set: filters with choices, switches, texts, first days, rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, eq=False)
class ValueList:
    """A list at a vendor that says which values a setting may have.

    Attributes:
        name: Stable name.
        label: What is in it, as a person reads it, plural.
        in_outsmart: OutSmart keeps it; else the package does.
        proposes: Picks, from values with what a person knows them by, those that a person would most likely choose.
    """

    name: str
    label: str
    in_outsmart: bool = False
    proposes: Callable[[Sequence[tuple[str, str]]], list[str]] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter that keeps rows whose tag is one of the chosen values.

    Attributes:
        name: Name of the setting.
        label: Question as a person reads it.
        tag: Kind of tag that is compared.
        values: The values that exist, with their labels; empty: those of ``lists`` or, without one, any.
        default: Values chosen at first; an empty choice keeps everything.
        reason: Reason code of a row that falls out.
        lists: Where the vendor keeps the values that exist.
        record: Record type whose rows are chosen from; '': the category's main one.
    """

    name: str
    label: str
    tag: str
    values: Mapping[str, str] = field(default_factory=dict)
    default: tuple[str, ...] = ()
    reason: str = "not_chosen"
    lists: ValueList | None = None
    record: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """A filter that lets new rows through when it is on; a category without one never lets such rows through.

    One that lets nothing through decides how the category behaves; whoever it concerns asks for it by name.

    Attributes:
        name: Name of the setting.
        label: Question as a person reads it.
        lets: ``blocked`` (marked so at the source), ``inactive`` (today is outside the record's first and last day), a
            reason code of the stream's ``left_out`` (what is left out for it comes then), or '' (nothing).
        default: Whether it is on at first.
    """

    name: str
    label: str
    lets: str = ""
    default: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """One value that the records of a category are made with, such as the type of work of work orders.

    Attributes:
        name: Name of the setting.
        label: Question as a person reads it.
        default: Its value at first; '' is none.
        lists: Where a vendor keeps the values that exist; None: any text.
        values: The values that exist, with their labels; empty: any, or those of ``lists``.
        suggests: Record type whose codes are suggested while a person types; '': none are.
    """

    name: str
    label: str
    default: str = ""
    lists: ValueList | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    suggests: str = ""


@dataclass(frozen=True, slots=True)
class Limit(Text):
    """The most records that a category may expand to; with more it does not run, and says how many there are."""


@dataclass(frozen=True, slots=True)
class StartDate:
    """The first day whose documents are imported, as ISO text; '' becomes the day the category is switched on.

    Attributes:
        name: Name of the setting.
        label: Question as a person reads it.
        reason: Reason code of a document of an earlier day.
    """

    name: str = "start_date"
    label: str = "First day whose documents are imported (empty: the day it is switched on)"
    reason: str = "before_start"

    @property
    def default(self) -> str:
        """Its value at first."""
        return ""


@dataclass(frozen=True, slots=True)
class CutOff:
    """The moment before which completed work orders stay out, as ISO text; '' becomes the moment of switching on.

    Attributes:
        name: Name of the setting.
        label: Question as a person reads it.
    """

    name: str = "cut_off"
    label: str = "Work orders that were completed earlier stay out (empty: the moment exports are switched on)"

    @property
    def default(self) -> str:
        """Its value at first."""
        return ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is done with each value of one of OutSmart's lists; a value without a rule is exported.

    Attributes:
        name: Name of the setting.
        label: Question as a person reads it.
        default: Value → what is done, at first.
        lists: Where the values are kept.
    """

    name: str
    label: str
    default: Mapping[str, str]
    lists: ValueList


Setting = Choice | Switch | Text | StartDate | CutOff | Rules
"""What a category may let a person set, besides whether it is switched on."""

HOLD_TWO_FIRMS = Switch(
    name="hold_two_firms",
    label="Hold a record for a person to decide when OutSmart's one with its code is clearly another firm's",
    default=True,
)
"""For categories whose record type has an identity."""

FOLLOW_INACTIVE = Switch(
    name="follow_inactive",
    label="Make records inactive in OutSmart while they are blocked or out of their dates",
    default=True,
)
"""For categories whose record type has a flag ``active``; off: the flag of what OutSmart has is left alone."""

REMARK_INACTIVE = Switch(
    name=FOLLOW_INACTIVE.name,
    label="Say in the log when records that are in OutSmart are blocked or out of their dates: it has no flag for that",
    default=True,
)
"""For categories whose record type has no flag ``active``."""

DEACTIVATE_REMOVED = Switch(
    name="deactivate_removed", label="Make records inactive in OutSmart when they are deleted in the package"
)
"""For categories whose record type has a flag ``active``; off: a deletion is only noted."""
