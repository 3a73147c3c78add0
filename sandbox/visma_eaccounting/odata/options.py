"""The other options of a list: `$page`, `$pagesize`, `$orderby`, `$select`.

https://developer.vismaonline.com/docs/pagination names the first two; `$top` and `$skip` are refused, as no page does.
"""

import msgspec
from multidict import MultiMapping

from sandbox.visma_eaccounting.errors import bad_query
from sandbox.visma_eaccounting.resources import Resource

USUAL_PAGE, LARGEST_PAGE = 50, 1000
_KNOWN = {"$page", "$pagesize", "$orderby", "$select", "$filter", "$version"}
_UNSORTABLE = {"list", "object"}


class Options(msgspec.Struct, frozen=True):
    """What a caller asks of a list.

    Attributes:
        page: The page, from 1.
        page_size: Rows on a page.
        order: Properties to sort by, each with whether it falls.
        select: Properties to answer with; empty for all.
        filter: The filter's text, or None.
    """

    page: int
    page_size: int
    order: tuple[tuple[str, bool], ...]
    select: tuple[str, ...]
    filter: str | None


def read_options(query: MultiMapping[str], resource: Resource) -> Options:
    """Read the options of a list.

    Raises:
        ApiError: One is unknown, or has a value it cannot have.
    """
    for name in query:
        if name.startswith("$") and name not in _KNOWN:
            raise bad_query(f"The query option {name} is not supported.")
    return Options(
        page=_number(query, "$page", 1, 1_000_000),
        page_size=_number(query, "$pagesize", USUAL_PAGE, LARGEST_PAGE),
        order=_order(query.get("$orderby", ""), resource),
        select=_select(query, resource),
        filter=query.get("$filter"),
    )


def _number(query: MultiMapping[str], name: str, usual: int, most: int) -> int:
    text = query.get(name, str(usual))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise bad_query(f"{name} must be a number from 1 to {most}.")
    return int(text)


def _order(text: str, resource: Resource) -> tuple[tuple[str, bool], ...]:
    return tuple(_sort_key(part.split(), resource) for part in text.split(",") if part.strip())


def _sort_key(words: list[str], resource: Resource) -> tuple[str, bool]:
    name, direction = words[0], (*words[1:], "asc")[0]
    field = resource.fields.get(name)
    if field is None or field.type in _UNSORTABLE or direction not in {"asc", "desc"}:
        raise bad_query(f"The $orderby query option can not be read at {' '.join(words)}.")
    return name, direction == "desc"


def _select(query: MultiMapping[str], resource: Resource) -> tuple[str, ...]:
    names = tuple(name.strip() for name in query.get("$select", "").split(",") if name.strip())
    for name in names:
        if name not in resource.fields:
            raise bad_query(f"Could not find a property named {name}.")
    return names
