"""POST, PUT and DELETE on resources that take them."""

from typing import Any

from sandbox.clock import Clock
from sandbox.exact_online.bodies import require, stored_values
from sandbox.exact_online.business import complete
from sandbox.exact_online.resources import Resource
from sandbox.exact_online.row_types import Row
from sandbox.exact_online.rows import RowStore

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
        """Add a row.

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
        require(resource, values)
        complete(self._store, division, resource.rows, values, None, self._clock.now())
        if resource.rows == "crm/Addresses" and (twin := self._twin(division, values)) is not None:
            return twin
        if values.get(resource.key) is None:
            values.pop(resource.key, None)
        return self._store.insert(division, resource.rows, [values], by)[0]

    def change(self, division: int, resource: Resource, row: Row, body: dict[str, Any], by: str) -> None:
        """Change some properties of a row.

        Raises:
            VendorError: The body is not acceptable.
        """
        values = stored_values(resource, body, "put")
        if values.get(resource.key, getattr(row, resource.key)) != getattr(row, resource.key):
            values.pop(resource.key)
        complete(self._store, division, resource.rows, values, row, self._clock.now())
        self._store.update(division, resource.rows, [(row, values)], by)

    def remove(self, division: int, resource: Resource, row: Row, by: str) -> None:
        """Delete a row."""
        self._store.delete(division, resource.rows, [row], by)

    def _twin(self, division: int, values: dict[str, Any]) -> Row | None:
        others = self._store.table(division, "crm/Addresses").having("Account", values["Account"])
        wanted = [values.get(name) for name in _SAME_ADDRESS]
        return next((one for one in others if [getattr(one, name) for name in _SAME_ADDRESS] == wanted), None)
