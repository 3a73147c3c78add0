"""Customers of VISMA eAccounting, as relations.

Fields: schema ``CustomerApi`` of https://eaccountingapi.vismaonline.com/openapi/v2.json . Customers are hidden rather
    than
deleted (``IsActive``); the one contact person and the delivery address that a customer may have are not imported.
"""

from __future__ import annotations

from outsmart_sync.providers.visma_eaccounting import lists
from outsmart_sync.providers.visma_eaccounting.stream import VismaStream
from outsmart_sync.providers.visma_eaccounting.values import text
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.relation import RELATION
from outsmart_sync.records.setting_kinds import DEACTIVATE_REMOVED, FOLLOW_INACTIVE, HOLD_TWO_FIRMS, Choice, Switch
from outsmart_sync.records.streams import Row, Tags

LABEL = "label"
"""Kind of the tag with the id of a label, of customers as of articles."""


def labels_in(column: str) -> Tags:
    """The labels of a row, as tags."""

    def tags(row: Row) -> list[tuple[str, str]]:
        return [(LABEL, str(label["Id"])) for label in row[column] or ()]

    return Tags((column,), tags)


CUSTOMERS = VismaStream(
    name="customers",
    record=RELATION,
    path="customers",
    changed="ChangedUtc",
    lookup="CustomerNumber",
    key="Id",
    fields={
        "debtor_number": text("CustomerNumber"),
        "name": text("Name"),
        "street": text("InvoiceAddress1"),
        "postal_code": text("InvoicePostalCode"),
        "city": text("InvoiceCity"),
        "country": text("InvoiceCountryCode"),
        "phone_number": text("Telephone", "MobilePhone"),
        "email": text("EmailAddress"),
        "remark": text("Note"),
        "external_id": text("Id"),
        "kvk_number": text("CorporateIdentityNumber"),
        "vat_number": text("VatNumber"),
    },
    blocked="IsActive",
    is_blocked=lambda value: value is False,
    tags=labels_in("CustomerLabels"),
)

CUSTOMERS_IMPORT = ImportCategory(
    name="customers",
    label="Customers",
    streams=(CUSTOMERS,),
    filters=(
        Choice(
            name="labels",
            label="Customers to import, by label (empty: all)",
            tag=LABEL,
            reason="label_not_chosen",
            lists=lists.CUSTOMER_LABELS,
        ),
        Switch(name="include_inactive", label="Also import inactive customers", lets="blocked"),
        HOLD_TWO_FIRMS,
        FOLLOW_INACTIVE,
        DEACTIVATE_REMOVED,
    ),
    tier="active",
)
