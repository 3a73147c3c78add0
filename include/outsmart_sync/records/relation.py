"""Relations: customers, prospects and suppliers, with their contact persons and delivery addresses."""

from __future__ import annotations

from outsmart_sync.records.record import Field, Identity, Kind, Parent, Record

RELATION = Record(
    name="relation",
    label="relation",
    code="debtor_number",
    title="name",
    active="active",
    identity=Identity(
        numbers=("vat_number", "kvk_number"), together=("name", "postal_code", "city"), shown=("name", "city")
    ),
    fields=(
        Field("debtor_number", "debtor number", required=True),
        Field("name", "name", required=True),
        # OutSmart keeps street and house number apart; here the whole line is one value, see docs/exact-online.md.
        Field("street", "street", required=True),
        Field("postal_code", "postcode", required=True),
        Field("city", "city", required=True),
        Field("country", "country"),
        Field("phone_number", "telephone"),
        Field("email", "e-mail"),
        Field("remark", "remark", max_length=65_535),
        Field("latitude", "latitude", Kind.DECIMAL),
        Field("longitude", "longitude", Kind.DECIMAL),
        Field("external_id", "id in the bookkeeping package"),
        Field("debtor_number_invoice", "debtor number for invoices"),
        Field("kvk_number", "chamber of commerce number"),
        Field("vat_number", "VAT number"),
        Field("active", "in use", Kind.FLAG),
    ),
)

CONTACT_PERSON = Record(
    name="contact_person",
    label="contact person",
    code="cpn_code",
    title="cpn_name",
    parent=Parent(record="relation", field="cpn_debtor_nr"),
    fields=(
        Field("cpn_debtor_nr", "debtor number", required=True),
        Field("cpn_code", "code", required=True),
        Field("cpn_name", "name", required=True),
        Field("cpn_phone", "telephone"),
        Field("cpn_email", "e-mail"),
    ),
)

ADDRESS = Record(
    name="address",
    label="delivery address",
    code="adr_code",
    title="adr_line_1",
    parent=Parent(record="relation", field="adr_debtor_nr"),
    fields=(
        Field("adr_debtor_nr", "debtor number", required=True),
        Field("adr_code", "code", required=True),
        Field("adr_line_1", "street", required=True),
        Field("adr_zip", "postcode", required=True),
        Field("adr_city", "city", required=True),
        Field("adr_country", "country"),
        Field("adr_remark", "remark"),
    ),
)
