"""Exact's lists of values that a setting may have.

Field tables: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=LogisticsItemGroups (and
PayrollEmployees, CRMAccountClassifications).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outsmart_sync.records.setting_kinds import ValueList

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactList(ValueList):
    """A list of Exact, read by its ordinary endpoint.

    Attributes:
        path: The endpoint.
        value: Column with the value.
        title: Columns that tell a person what it means.
        filters: Which rows may be chosen; '': all.
    """

    path: str
    value: str
    title: tuple[str, ...]
    filters: str = ""


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


# Exports. Types of a journal: 20 is sales (name=FinancialJournals).
JOURNALS = ExactList(
    name="journals",
    label="sales journals",
    path="financial/Journals",
    value="Code",
    title=("Description",),
    filters="Type eq 20 and IsBlocked eq false",
)
PAYMENT_CONDITIONS = ExactList(
    name="payment_conditions",
    label="payment conditions",
    path="cashflow/PaymentConditions",
    value="Code",
    title=("Description",),
)

# Orders refer to a warehouse by its id.
WAREHOUSES = ExactList(
    name="warehouses", label="warehouses", path="inventory/Warehouses", value="ID", title=("Code", "Description")
)
DOCUMENT_TYPES = ExactList(
    name="document_types",
    label="document types",
    path="documents/DocumentTypes",
    value="ID",
    title=("Description",),
    filters="DocumentIsCreatable eq true",
)
UNITS = ExactList(name="units", label="units", path="logistics/Units", value="Code", title=("Description",))

# name=VATVATCodes: S for sales, P for purchase, B for both.
VAT_CODES = ExactList(
    name="vat_codes",
    label="VAT codes for sales",
    path="vat/VATCodes",
    value="Code",
    title=("Description",),
    filters="VATTransactionType ne 'P' and IsBlocked eq false",
)


def read_values(client: ExactOnlineClient, listed: ExactList) -> list[tuple[str, str]]:
    """The values of a list, each once and in order, with what a person knows them by."""
    found: dict[str, str] = {}
    for page in client.pages(client.address(listed.path, select=(listed.value, *listed.title), filters=listed.filters)):
        for row in page.rows:
            if value := str(row[listed.value] or "").strip():
                found[value] = " ".join(str(row[column]).strip() for column in listed.title if row[column]) or value
    return sorted(found.items())
