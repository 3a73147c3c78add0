"""The query options of a request: what is asked for, checked against the resource."""

from dataclasses import dataclass, replace

from multidict import MultiMapping

from sandbox.exact_online.errors import SELECT_MISSING, VendorError, bad_query, filter_missing
from sandbox.exact_online.odata.filters import Condition, parse_filter
from sandbox.exact_online.odata.literals import read_literal
from sandbox.exact_online.resources import Resource

OPTIONS = frozenset({"$select", "$filter", "$top", "$skip", "$orderby", "$inlinecount", "$skiptoken", "$expand"})


@dataclass(frozen=True, slots=True)
class Order:
    """One part of `$orderby`."""

    field: str
    falling: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A request's query options.

    Attributes:
        resource: Where it is asked.
        select: Properties wanted; None for all.
        expand: Collections wanted along.
        condition: The `$filter`.
        order: The `$orderby`, without the key that always comes last.
        top: Most rows wanted; None for all.
        skip: Rows to leave out first.
        count: Whether the number of all rows that meet the filter is wanted.
        after: Where the previous page ended: the values of `order` and the key.
    """

    resource: Resource
    select: tuple[str, ...] | None = None
    expand: tuple[str, ...] = ()
    condition: Condition | None = None
    order: tuple[Order, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    after: tuple[object, ...] | None = None


def parse_query(resource: Resource, given: MultiMapping[str]) -> Query:
    """Read the query options of a request for many rows.

    Args:
        resource: Where it is asked.
        given: The options by name.

    Returns:
        The checked query.

    Raises:
        VendorError: An option is unknown, repeated, unreadable, not allowed here, or missing.
    """
    query = replace(
        parse_shape(resource, given),
        condition=parse_filter(given["$filter"], resource) if "$filter" in given else None,
        order=_order(resource, given.get("$orderby")),
        top=_whole_number(given.get("$top")),
        skip=_whole_number(given.get("$skip")) or 0,
        count=_count_wanted(given.get("$inlinecount")),
    )
    _require(query)
    return replace(query, after=_skiptoken(query, given.get("$skiptoken")))


def parse_shape(resource: Resource, given: MultiMapping[str]) -> Query:
    """Read the options that a request for one row may have, too: `$select` and `$expand`.

    Raises:
        VendorError: An option is unknown or repeated, or names an unknown property.
    """
    if any(name not in OPTIONS or len(given.getall(name)) > 1 for name in given):
        raise bad_query()
    select, expand = _names(given.get("$select")), _names(given.get("$expand")) or ()
    if any(name not in resource.properties for name in select or ()):
        raise bad_query()
    if any(name not in resource.properties or not resource.properties[name].is_collection for name in expand):
        raise bad_query()
    return Query(resource, select, expand)


def _require(query: Query) -> None:
    resource = query.resource
    if resource.select_required and query.select is None and query.top != 1:
        raise VendorError(400, SELECT_MISSING)
    if resource.filter_mandatory and query.condition is None:
        raise filter_missing(tuple(sorted(resource.filters or ())))


def _names(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise bad_query()
    return names


def _order(resource: Resource, text: str | None) -> tuple[Order, ...]:
    order = []
    for part in _names(text) or ():
        name, *direction = part.split()
        known = resource.properties.get(name)
        if known is None or known.is_collection or direction not in ([], ["asc"], ["desc"]):
            raise bad_query()
        if resource.kind == "sync" and name != "Timestamp":
            raise bad_query()
        order.append(Order(name, direction == ["desc"]))
    return tuple(order)


def _whole_number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise bad_query()
    return int(text)


def _count_wanted(text: str | None) -> bool:
    if text not in {None, "none", "allpages"}:
        raise bad_query()
    return text == "allpages"


def _skiptoken(query: Query, text: str | None) -> tuple[object, ...] | None:
    """The token is the last row's order values and key, each as a literal of its type.

    Seen as `guid'..'`, `'GMD'`, `387L` and `'10',6,2014`
    (https://github.com/exactonline/exactonline-api-dotnet-client/pull/53).
    """
    if text is None:
        return None
    names = [one.field for one in query.order] + [query.resource.key]
    literals = _split_literals(text)
    if len(literals) != len(names):
        raise bad_query()
    types = [query.resource.properties[name].edm for name in names]
    return tuple(
        None if literal == "null" else read_literal(literal, edm) for literal, edm in zip(literals, types, strict=True)
    )


def _split_literals(text: str) -> list[str]:
    parts, quoted = [""], False
    for letter in text:
        quoted ^= letter == "'"
        if letter == "," and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
