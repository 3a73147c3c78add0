"""POST, PUT and DELETE on resources that take them."""

import uuid
from dataclasses import dataclass
from typing import Any

from sandbox.clock import Clock
from sandbox.exact_online.bodies import nested_bodies, refuse_nested, require, stored_values
from sandbox.exact_online.business import complete
from sandbox.exact_online.resources import RESOURCES, Resource
from sandbox.exact_online.row_types import Row
from sandbox.exact_online.rows import RowStore
from sandbox.exact_online.trading import check_change, check_completed, check_new, check_removal


@dataclass(frozen=True, slots=True)
class _Line:
    """A row that comes with its header.

    Attributes:
        path: Its resource.
        leads_back: The property that leads to the header.
        values: What was sent.
    """

    path: str
    leads_back: str
    values: dict[str, Any]


_SAME_ADDRESS = ("Account", "Type", "AddressLine1", "AddressLine2", "AddressLine3", "Postcode", "City", "Country")


class Writer:
    """Changes rows for callers of the API, and for people at the bookkeeping package's screen.

    Args:
        store: All rows.
        clock: The time.
    """

    def __init__(self, store: RowStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(self, division: int, resource: Resource, body: dict[str, Any], by: str) -> Row:
        """Add a row, and the rows of its collections that come with it: all of them, or nothing.

        Args:
            division: The division.
            resource: The resource it was sent to.
            body: Its properties as JSON.
            by: The user's id.

        Returns:
            The new row. An address that is already there gives the old row
            (https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=CRMAddresses).

        Raises:
            VendorError: The body is not acceptable.
        """
        values = stored_values(resource, body, "post")
        nested = nested_bodies(resource, body)
        require(resource, values | nested)
        lines = _lines(resource, nested)
        check_new(self._store, division, resource.path, values, [line.values for line in lines])
        complete(self._store, division, resource.rows, values, None, self._clock.now())
        if resource.rows == "crm/Addresses" and (twin := self._twin(division, values)) is not None:
            return twin
        if values.get(resource.key) is None:
            values.pop(resource.key, None)
        if not lines:
            return self._store.insert(division, resource.rows, [values], by)[0]
        return self._create_with_lines(division, resource, values, lines, by)

    def _create_with_lines(
        self, division: int, resource: Resource, values: dict[str, Any], lines: list["_Line"], by: str
    ) -> Row:
        """Everything is checked before anything is written."""
        key = values[resource.key] = values.get(resource.key) or str(uuid.uuid4())
        for number, line in enumerate(lines, 1):
            line.values.update({line.leads_back: key, "LineNumber": number})
            complete(self._store, division, line.path, line.values, None, self._clock.now(), key)
        check_completed(resource.path, values, [line.values for line in lines])
        with self._store.transaction():
            header = self._store.insert(division, resource.rows, [values], by)[0]
            for line in lines:
                self._store.insert(division, line.path, [line.values], by)
        return header

    def change(self, division: int, resource: Resource, row: Row, body: dict[str, Any], by: str) -> None:
        """Change some properties of a row.

        Raises:
            VendorError: The body is not acceptable.
        """
        refuse_nested(resource, body)
        values = stored_values(resource, body, "put")
        check_change(self._store, division, resource.path, row, values)
        if values.get(resource.key, getattr(row, resource.key)) != getattr(row, resource.key):
            values.pop(resource.key)
        complete(self._store, division, resource.rows, values, row, self._clock.now())
        self._store.update(division, resource.rows, [(row, values)], by)

    def remove(self, division: int, resource: Resource, row: Row, by: str) -> None:
        """Delete a row.

        Raises:
            VendorError: It may not be deleted any more.
        """
        check_removal(self._store, division, resource.path, row)
        self._store.delete(division, resource.rows, [row], by)

    def _twin(self, division: int, values: dict[str, Any]) -> Row | None:
        others = self._store.table(division, "crm/Addresses").having("Account", values["Account"])
        wanted = [values.get(name) for name in _SAME_ADDRESS]
        return next((one for one in others if [getattr(one, name) for name in _SAME_ADDRESS] == wanted), None)


def _lines(resource: Resource, nested: dict[str, list[dict[str, Any]]]) -> list[_Line]:
    """The checked lines of a body; that they belong to its header need not be said."""
    made = []
    for name, (path, leads_back) in resource.collections.items():
        for body in nested.get(name, ()):
            values = stored_values(RESOURCES[path], body, "post")
            require(RESOURCES[path], values | {leads_back: name})
            made.append(_Line(path, leads_back, values))
    return made
