"""Exact's lists of values that a setting may have.

Field tables: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=LogisticsItemGroups (and
PayrollEmployees, CRMAccountClassifications).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outsmart_sync.records.catalogue import ValueList

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactList(ValueList):
    """A list of Exact, read by its ordinary endpoint.

    Attributes:
        path: The endpoint.
        value: Column with the value.
        title: Columns that tell a person what it means.
    """

    path: str
    value: str
    title: tuple[str, ...]


ITEM_GROUP_CODES = ExactList(
    name="item_groups", label="item groups", path="logistics/ItemGroups", value="Code", title=("Description",)
)

# No more of an employee than an import asks for.
EMPLOYEE_NUMBERS = ExactList(
    name="employees", label="employees", path="payroll/Employees", value="Code", title=("FirstName", "LastName")
)

# Relations refer to a classification by its id; codes may repeat in each of the eight kinds.
CLASSIFICATIONS = ExactList(
    name="classifications",
    label="classifications",
    path="crm/AccountClassifications",
    value="ID",
    title=("AccountClassificationNameDescription", "Description"),
)


def read_values(client: ExactOnlineClient, listed: ExactList) -> list[tuple[str, str]]:
    """The values of a list, each once and in order, with what a person knows them by."""
    found: dict[str, str] = {}
    for page in client.pages(client.address(listed.path, select=(listed.value, *listed.title))):
        for row in page.rows:
            if value := str(row[listed.value] or "").strip():
                found[value] = " ".join(str(row[column]).strip() for column in listed.title if row[column]) or value
    return sorted(found.items())
