"""The shape in which a row travels from a package's page into staging."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class StagedRow(NamedTuple):
    """One record of a page, mapped to OutSmart's shape; the order is the order of the staging table's columns.

    Attributes:
        record: Record type, or the name of the part stream (see :class:`~outsmart_sync.records.streams.Stream`).
        provider_id: The package's stable id.
        version: The package's row version: larger is newer; None: the page does not say.
        code: The record's code in OutSmart; None for a part.
        code_key: The code as it is compared.
        title: What a person recognises it by.
        payload: Encoded fields.
        content_hash: Fingerprint of the payload.
        tags: Values that filters choose by, as ``|type:customer|group:HW|``.
        blocked: Marked as blocked at the source.
        valid_from: First day in use; None: always.
        valid_until: Last day in use; None: open.
        due_on: Next day on which the record may differ without any change at the source.
        parent_id: Package id of the record it belongs to.
        problems: What OutSmart would refuse, see :meth:`~outsmart_sync.records.record.Record.problems`.
        origin: One of :class:`Origin`'s values.
        dated_on: The document's own date, where its category has a start date.
    """

    record: str
    provider_id: str
    version: int | None
    code: str | None
    code_key: str | None
    title: str | None
    payload: str | None
    content_hash: str | None
    tags: str
    blocked: bool
    valid_from: date | None
    valid_until: date | None
    due_on: date | None
    parent_id: str | None
    problems: str
    origin: str
    dated_on: date | None = None


class Origin:
    """How a row came into staging."""

    PAGE = "page"
    """Read from the package in this run."""
    BASE = "base"
    """Read, and still without its parts; replaced when they are folded in."""
    PART = "part"
    """A part of another record, such as a price of an item."""
    PENDING = "pending"
    """From the mirror, to be judged again."""
    DELETED = "deleted"
    """The package says that it is gone."""
    LEFT = "left"
    """Still there, but no longer of this category."""


ALIAS = "id"
"""Kind of the tag with a second id of the row at the package."""


LEFT_OUT = "out"
"""Kind of the tag with the reason why a row is never imported."""

ENTERED = "entered"
"""Kind of the tag with the day on which a document was entered at the package."""

RANK = "rank"
"""Kind of the tag with a row's place among those that make up the same code."""

RANK_LENGTH = 20
"""Figures of a rank, so that ranks compare as texts do."""

CURRENCY = "currency"
"""Kind of the tag with the currency of a row's amounts."""


def aliases(tags: str) -> list[str]:
    """The second ids among a row's tags."""
    return values_of(tags, ALIAS)


def values_of(tags: str, kind: str) -> list[str]:
    """The values of one kind among a row's tags."""
    begin = f"{kind}:"
    return [each.removeprefix(begin) for each in tags.split("|") if each.startswith(begin)]


def tag(kind: str, value: str) -> str:
    """One tag as filters look for it, without the closing bar."""
    return f"|{kind}:{value.replace('|', '¦')}"


def tags_text(tags: list[str]) -> str:
    """Several tags as one text: '' for none."""
    return "".join(tags) + "|" if tags else ""
