"""Rows by their keys, in as few calls as the length of an address allows."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import RequestRefused
from outsmart_sync.providers.exact_online.rights import explained, need_of
from outsmart_sync.providers.exact_online.values import moment, quoted
from outsmart_sync.records.values import parse_decimal

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient
    from outsmart_sync.records.streams import Row

log = logging.getLogger(__name__)

_PER_CALL = 40
"""Conditions in one filter: with this many, of up to 100 characters each, an address stays below Exact's 6,000."""


def rows_with(
    client: ExactOnlineClient, resource: str, select: tuple[str, ...], conditions: Iterable[str], also: str = ""
) -> Iterator[Row]:
    """The rows that meet one of some conditions, such as ``ID eq guid'...'``.

    Args:
        client: The administration.
        resource: Where they are.
        select: Columns to ask for.
        conditions: OData comparisons; none: no call is made.
        also: A condition that they must meet, too.
    """
    everything = list(conditions)
    for start in range(0, len(everything), _PER_CALL):
        filters = " or ".join(everything[start : start + _PER_CALL])
        if also:
            filters = f"({filters}) and {also}"
        yield from all_rows(client, resource, select, filters)


def all_rows(client: ExactOnlineClient, resource: str, select: tuple[str, ...], filters: str = "") -> Iterator[Row]:
    """Every row that meets a filter; a refusal says which scope, right or module is missing."""
    with explained(client, need_of(resource)):
        for page in client.pages(client.address(resource, select=select, filters=filters)):
            yield from page.rows


def rows_holding(
    client: ExactOnlineClient,
    resource: str,
    select: tuple[str, ...],
    column: str,
    texts: Iterable[str],
    since: date,
) -> Iterator[Row]:
    """The rows made since a day in whose column one of some texts stands.

    That Exact searches within texts is documented for another endpoint only (name=ManufacturingShopOrders). Where it
    calls that a wrong question, everything made since that day is handed out, for the caller to compare.
    """
    also = f"Created ge {moment(since)}"
    conditions = [holds(column, text) for text in texts]
    try:
        yield from rows_with(client, resource, select, conditions, also)
    except RequestRefused as error:
        if error.code != "bad_request":
            raise
        log.warning("Exact Online does not search in %s of %s: everything since %s is read", column, resource, since)
        yield from rows_with(client, resource, select, [also])


def by_ids(
    client: ExactOnlineClient, resource: str, key: str, select: tuple[str, ...], ids: Sequence[str]
) -> list[Row]:
    """The rows with these ids; one that is gone is left out.

    They are asked for by a filter, as an id that is gone would be a 404, and those count against us.
    """
    return list(rows_with(client, resource, select, (same_id(key, each) for each in dict.fromkeys(ids))))


def same_id(column: str, value: str) -> str:
    """A comparison with an id."""
    return f"{column} eq guid'{value}'"


def same_text(column: str, value: str) -> str:
    """A comparison with a text."""
    return f"{column} eq {quoted(value)}"


def holds(column: str, text: str) -> str:
    """The comparison that a text stands in a column (name=ManufacturingShopOrders shows it)."""
    return f"substringof({quoted(text)},{column}) eq true"


def decimal(value: Any) -> Decimal | None:
    """A number as it was sent; None where there is none."""
    return None if value is None else parse_decimal(str(value))
