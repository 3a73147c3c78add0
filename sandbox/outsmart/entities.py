"""OutSmart's lists: their fields, keys and codes, as a table.

Fields and codes: https://github.com/CloudEcosystemDev/outsmart-component and, for relations,
https://knowledge.out-smart.com/openapi/relations.

Three lists have no code of their own in the published table. Addresses and contact persons hang on relations and
answer with theirs; warehouses answer with the code for a missing location. How the vendor reacts to a field it does
not know is not documented either; here the list's "failed" code names it.
"""

import re
from dataclasses import dataclass, field

from sandbox.outsmart.values import Form


@dataclass(frozen=True, slots=True)
class Entity:
    """One list of records.

    Attributes:
        name: The endpoint.
        key: The fields that identify a record; a POST with known ones updates.
        required: Fields every POST must fill.
        failed: The code when records cannot be taken.
        missing: The code when required fields are missing.
        fields: What each field holds.
        read_only: Fields that only answers have.
        limits: Most characters of some fields.
        references: Fields that name the key of a record in another list.
        extra: A pattern of further text fields.
        single: The endpoint that looks single records up, where there is one.
        defaults: What a new record has in fields that were not sent.
        unreadable: The code for a flag, price or date that cannot be read, where it is not `failed`.
    """

    name: str
    key: tuple[str, ...]
    required: tuple[str, ...]
    failed: int
    missing: int
    fields: dict[str, Form]
    read_only: frozenset[str] = frozenset()
    limits: dict[str, int] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    extra: str | None = None
    single: str | None = None
    defaults: dict[str, str] = field(default_factory=dict)
    unreadable: int | None = None

    def form_of(self, name: str) -> Form | None:
        """What a field holds; None for an unknown or read-only field."""
        if name in self.read_only:
            return None
        if self.extra is not None and re.fullmatch(self.extra, name):
            return "text"
        return self.fields.get(name)


def _texts(*names: str) -> dict[str, Form]:
    return dict.fromkeys(names, "text")


_ENTITIES = (
    Entity(
        name="employees",
        key=("number",),
        required=("firstname", "lastname", "number"),
        failed=1100,
        missing=1101,
        fields=_texts("firstname", "lastname", "number") | {"active": "flag"},
        read_only=frozenset({"active"}),
        defaults={"active": "1"},
    ),
    Entity(
        name="materials",
        key=("code",),
        required=("code", "description", "price", "unit"),
        failed=1200,
        missing=1201,
        fields=_texts(
            "code", "description", "unit", "eancode", "barcode", "note", "vat_code",
            "freefield1", "freefield2", "freefield3", "freefield4", "freefield5",
        ) | {"price": "price"},
        limits={"eancode": 55, "barcode": 55},
    ),
    Entity(
        name="relations",
        key=("debtor_number",),
        required=("name", "debtor_number", "street", "postal_code", "city"),
        failed=1300,
        missing=1301,
        fields=_texts(
            "name", "debtor_number", "street", "postal_code", "city", "contact", "phone_number", "email",
            "email_workorder", "house_number", "country", "remark", "external_id", "debtor_number_invoice",
            "kvk_number", "vat_number", "debtor_type", "language", "accountmanager", "mobile", "status", "pgp_code",
            "source", "lead_phase",
        ) | {"latitude": "number", "longitude": "number", "active": "flag"},
        extra=r"val_value_\d+",
        defaults={"active": "1"},
    ),
    Entity(
        name="projects",
        key=("code",),
        required=("code", "debtor_number", "status", "name", "date_start"),
        failed=1700,
        missing=1701,
        fields=_texts(
            "code", "code_ext", "debtor_number", "adr_code", "cpn_code", "debtor_number_invoice", "status", "name",
            "description",
        ) | {"progress": "number", "date_start": "date", "date_end": "date", "active": "flag"},
        references={"debtor_number": "relations"},
        defaults={"active": "1", "progress": "0"},
        unreadable=1701,
    ),
    Entity(
        name="hourtypes",
        key=("code",),
        required=("code", "name", "cost_booking", "sale_booking", "sale_price"),
        failed=1800,
        missing=1801,
        fields=_texts("code", "name") | {
            "cost_booking": "flag", "sale_booking": "flag", "sale_price": "price", "cost_price": "price",
            "active": "flag",
        },
        defaults={"active": "1", "cost_price": "0,00"},
        unreadable=1801,
    ),
    Entity(
        name="categories",
        key=("cat_code",),
        required=("cat_code", "cat_name", "cat_display"),
        failed=2400,
        missing=2401,
        fields=_texts("cat_code", "cat_cat_code", "cat_name", "cat_image") | {"cat_display": "flag"},
        single="category",
    ),
    Entity(
        name="material_categories",
        key=("mct_mat_code", "mct_cat_code"),
        required=("mct_mat_code", "mct_cat_code"),
        failed=2500,
        missing=2501,
        fields=_texts("mct_mat_code", "mct_cat_code"),
        references={"mct_mat_code": "materials", "mct_cat_code": "categories"},
    ),
    Entity(
        name="addresses",
        key=("adr_code",),
        required=("adr_debtor_nr", "adr_code", "adr_line_1", "adr_zip", "adr_city"),
        failed=1300,
        missing=1301,
        fields=_texts(
            "adr_debtor_nr", "adr_code", "adr_cpn_code", "adr_line_1", "adr_zip", "adr_city", "adr_country",
            "adr_remark",
        ) | {"adr_latitude": "number", "adr_longitude": "number"},
        references={"adr_debtor_nr": "relations"},
        single="address",
    ),
    Entity(
        name="contactpersons",
        key=("cpn_code",),
        required=("cpn_debtor_nr", "cpn_code", "cpn_name"),
        failed=1300,
        missing=1301,
        fields=_texts("cpn_debtor_nr", "cpn_code", "cpn_name", "cpn_phone", "cpn_email"),
        references={"cpn_debtor_nr": "relations"},
        single="contactperson",
    ),
    Entity(
        name="warehouses",
        key=("wse_code",),
        required=("wse_code",),
        failed=1400,
        missing=1400,
        fields=_texts(
            "wse_code", "wse_wse_code", "wse_type", "wse_description", "wse_external_id", "wse_employee_nr",
            "wse_remark",
        ) | {"wse_date_start": "date", "wse_date_end": "date"},
    ),
    Entity(
        name="workstatusses",
        key=("sta_code",),
        required=("sta_code", "sta_name"),
        failed=2800,
        missing=2801,
        fields=_texts("sta_code", "sta_name"),
    ),
    Entity(
        name="worktypes",
        key=("wrt_name",),
        required=("wrt_name", "wrt_description", "wrt_default_minutes", "wrt_active"),
        failed=2600,
        missing=2601,
        fields=_texts("wrt_name", "wrt_description") | {"wrt_default_minutes": "number", "wrt_active": "flag"},
    ),
    Entity(
        name="paymentmethods",
        key=("pmd_description",),
        required=("pmd_description",),
        failed=2700,
        missing=2701,
        fields=_texts("pmd_description"),
    ),
)  # fmt: skip

ENTITIES = {one.name: one for one in _ENTITIES}
LOOK_UPS = {one.single: one for one in _ENTITIES if one.single}
