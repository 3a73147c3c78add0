"""What the vendors document, as tables that tests compare our declarations and calls with."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
_OPTIONS = {"$select", "$filter", "$top", "$skiptoken", "$orderby", "$inlinecount", "$expand", "$skip"}
_LITERAL = r"'(?:[^']|'')*'|guid'[0-9A-Fa-f-]{36}'|datetime'\d{4}-\d\d-\d\dT00:00:00'|-?\d+L?"
_CONDITION = re.compile(rf"(?P<field>\w+) (?P<operator>eq|gt|ge) (?P<literal>{_LITERAL})")


@dataclass(frozen=True)
class ExactResource:
    """A resource as its page of Exact's documentation has it.

    Attributes:
        path: Path below the division.
        scope: What an app must be registered for to read it; '-' where the page names none.
        page_size: Rows per page.
        select_required: Columns must be named.
        filter_required: One of ``filters`` must be filtered by.
        filters: Fields that may be filtered by; None: the page does not say.
        deleted_entity_type: Its code in ``sync/Deleted``.
        values: Values that some properties are limited to.
        properties: Type by name.
    """

    path: str
    scope: str
    page_size: int
    select_required: bool
    filter_required: bool
    filters: frozenset[str] | None
    deleted_entity_type: int | None
    values: dict[str, list[str]]
    properties: dict[str, str]

    def mistakes(self, query: dict[str, str]) -> list[str]:
        """What Exact's page does not allow in a query."""
        found = [f"unknown option {name}" for name in set(query) - _OPTIONS]
        columns = query.get("$select", "").split(",") if "$select" in query else []
        found += [f"unknown column {name}" for name in columns if name not in self.properties]
        if not columns:
            found.append("no columns are named")
        if (expanded := query.get("$expand")) and not self.properties.get(expanded, "").startswith("Collection("):
            found.append(f"unknown collection {expanded}")
        filtered = {field for field, _, _ in conditions(query.get("$filter", ""))}
        for field in sorted(filtered):
            if field not in self.properties or (self.filters is not None and field not in self.filters):
                found.append(f"filter by {field}")
        if self.filter_required and not filtered:
            found.append("no filter")
        return found


@dataclass(frozen=True)
class ExactFunction:
    """What Exact works out from parameters, as its page has it.

    Attributes:
        parameters: Type of each parameter.
        properties: Type of each part of the answer.
    """

    parameters: dict[str, str]
    properties: dict[str, str]


@dataclass(frozen=True)
class ExactWrite:
    """What may be sent to a resource, as its page has it.

    Attributes:
        path: Path below the division.
        documentation: The page.
        methods: HTTP methods it takes.
        mandatory: What a new row must have.
        post: What a new row may have.
        put: What may be changed.
    """

    path: str
    documentation: str
    methods: list[str]
    mandatory: list[str]
    post: list[str]
    put: list[str]


@dataclass(frozen=True)
class OutSmartList:
    """A list as OutSmart's description has it.

    Attributes:
        key: Fields that a record is inserted or updated by.
        required: Fields that every record must have.
        fields: Kind by name: text, number or flag.
        limits: Most characters of some fields.
    """

    key: tuple[str, ...]
    required: tuple[str, ...]
    fields: dict[str, str]
    limits: dict[str, int]


def conditions(filters: str) -> list[tuple[str, str, str]]:
    """Field, operator and literal of each condition of a filter that is joined by ``or``.

    Raises:
        ValueError: The filter has another form.
    """
    if not filters:
        return []
    found = [match.group("field", "operator", "literal") for match in _CONDITION.finditer(filters)]
    if " or ".join(" ".join(each) for each in found) != filters:
        raise ValueError(f"not a filter of ours: {filters}")
    return found


def _exact(listed: dict[str, Any]) -> ExactResource:
    filters = listed["filters"]
    return ExactResource(
        path=listed["path"],
        scope=listed["scope"],
        page_size=listed["page_size"],
        select_required=listed["select_required"],
        filter_required=listed["filter_required"],
        filters=None if filters is None else frozenset(filters),
        deleted_entity_type=listed["deleted_entity_type"],
        values=listed["values"],
        properties={name: edm for edm, names in listed["properties"].items() for name in names},
    )


def _read(name: str) -> Any:
    return json.loads((_FOLDER / name).read_text(encoding="utf-8"))


EXACT = {each["path"]: _exact(each) for each in _read("exact_online.json")["resources"]}
FUNCTIONS = {
    each["path"]: ExactFunction(each["parameters"], each["properties"])
    for each in _read("exact_online.json")["functions"]
}
WRITES = {each["path"]: ExactWrite(**each) for each in _read("exact_online.json")["writes"]}
_OUTSMART = _read("outsmart.json")
OUTSMART = {
    name: OutSmartList(
        (each["key"],) if isinstance(each["key"], str) else tuple(each["key"]),
        tuple(each["required"]),
        each["fields"],
        each["limits"],
    )
    for name, each in _OUTSMART["lists"].items()
}
WORK_ORDERS: dict[str, Any] = _OUTSMART["work_order"]
"""What OutSmart documents of work orders: fields it insists on, lengths, numbers, parameters of an update, lines."""
