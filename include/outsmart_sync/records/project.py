"""Projects: what work orders of one undertaking have in common."""

from __future__ import annotations

from outsmart_sync.records.record import Field, Kind, Record, Reference

INTERNAL_RELATION = "internal_relation"
"""Name of the setting with the debtor number that work of one's own is booked on, which has no customer."""

CUSTOMER = Reference("customer", {"relation": "debtor_number"}, "relation", setting=INTERNAL_RELATION, demanded=True)
CONTACT = Reference("contact", {"contact_person": "cpn_code"}, "contact person", waits=False)

PROJECT = Record(
    name="project",
    label="project",
    code="code",
    title="name",
    active="active",
    references=(CUSTOMER, CONTACT),
    fields=(
        Field("code", "code", required=True),
        Field("code_ext", "code in the bookkeeping package"),
        Field("debtor_number", "debtor number", required=True),
        Field("debtor_number_invoice", "debtor number for invoices"),
        Field("adr_code", "delivery address"),
        Field("cpn_code", "contact person"),
        # The value of OutSmart's own example.
        Field("status", "status", required=True, default="Nieuw"),
        Field("name", "name", required=True),
        Field("description", "description"),
        Field("progress", "progress in percent", Kind.DECIMAL),
        Field("date_start", "first day", Kind.DATE, required=True),
        Field("date_end", "last day", Kind.DATE),
        Field("active", "in use", Kind.FLAG),
    ),
)
