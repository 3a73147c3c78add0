"""OutSmart's lists: their fields, keys and codes, as a table.

Fields and codes: https://github.com/CloudEcosystemDev/outsmart-component and, for relations,
https://knowledge.out-smart.com/openapi/relations.

Some lists have no code of their own in the published table. Addresses and contact persons hang on relations and answer
with theirs, prices with those of materials; warehouses answer with the code for a missing location, transactions with
the one for data that cannot be read. How the vendor reacts to a field it does
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
        one_of: Fields of which exactly one must be filled.
        filtered: Whether the list itself takes filters.
        choices: The values some fields are limited to.
        methods: What may be done by API.
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
    one_of: tuple[str, ...] = ()
    filtered: bool = False
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    methods: tuple[str, ...] = ("GET", "POST")

    def form_of(self, name: str) -> Form | None:
        """What a field holds; None for an unknown or read-only field."""
        if name in self.read_only:
            return None
        if self.extra is not None and re.fullmatch(self.extra, name):
            return "text"
        return self.fields.get(name)


def _texts(*names: str) -> dict[str, Form]:
    return dict.fromkeys(names, "text")


WORK_TYPES = (
    "Installatie", "Garantie", "Levering", "Onderhoud", "Project", "Regie", "Reparatie", "Service", "Storing",
    "Verkoop", "Verhuur",
)  # fmt: skip
PAYMENT_METHODS = ("niet van toepassing", "op rekening", "contant voldaan", "pin betaling", "conform offerte")
"""Both lists are OutSmart's own defaults (https://knowledge.out-smart.com/openapi/work-orders)."""

STATUSES = ("Klaargezet", "Opgehaald", "Compleet", "Afgehandeld")
"""What becomes of a work order, in this order."""

WORK_ORDERS = Entity(
    name="workorders",
    key=("id",),
    required=(
        "WorkorderNo", "CustomerName", "CustomerDebtorNr", "CustomerStreet", "CustomerZIP", "CustomerCity",
        "CustomerContactPerson", "CustomerNameInvoice", "CustomerDebtorNrInvoice", "CustomerStreetInvoice",
        "CustomerZIPInvoice", "CustomerCityInvoice", "CustomerContactPersonInvoice", "TypeOfWork", "PaymentMethod",
    ),
    failed=1504,
    missing=1501,
    fields=_texts(
        "id", "WorkorderNo", "OrderNr", "ProjectNr", "ExternProjectNr", "CustomerName", "CustomerDebtorNr",
        "CustomerStreet", "CustomerStreetNo", "CustomerEmail", "CustomerZIP", "CustomerCity", "CustomerContactPerson",
        "CustomerPhone", "CustomerRemark", "CustomerNameInvoice", "CustomerDebtorNrInvoice", "CustomerStreetInvoice",
        "CustomerStreetNoInvoice", "CustomerEmailInvoice", "CustomerZIPInvoice", "CustomerCityInvoice",
        "CustomerContactPersonInvoice", "CustomerPhoneInvoice", "CustomerRemarkInvoice", "TypeOfWork", "PaymentMethod",
        "WorkDescription", "InternalWorkDescription", "ShortWorkDescription", "Comment", "WorkInstruction",
        "EmployeeNr", "WorkDate", "WorkTime", "WorkEndDate", "WorkEndTime", "WorkDeadline", "WorkStatus", "CpnCode",
        "CpnCodeInvoice", "AdrCode", "ErrorCode", "ErrorMessage", "SolutionCode", "SolutionMessage", "PriorityCode",
        "PriorityMessage", "CreationDate", "status", "Signature", "SignatureUrl", "PdfUrl", "WordUrl",
        "WorksheetCode", "Reference", "ExternalReference", "JobNr", "ProjectActivityNr", "CustomerCountry",
        "CustomerCountryInvoice", "SignatureContactperson", "PgpCode", "Accountmanager", "ContractNumber", "SlaCode",
        "MutationDate", "UDID",
    ) | {
        "CustomerLatitude": "number", "CustomerLongitude": "number", "WorkDuration": "number",
        "MinimumHours": "price", "RoundingAmount": "number", "PickupPlanning": "flag", "WebPlanning": "flag",
        "WorkFinished": "flag", "Archived": "flag", "Materials": "lines", "Workperiods": "lines",
        "Attachments": "lines", "Forms": "lines", "WorkObjects": "lines", "Employees": "lines", "Photos": "lines",
        "Documents": "lines", "StatusChanges": "lines", "FreeFields": "lines",
    },
    choices={"status": STATUSES},
    methods=(),
)  # fmt: skip
"""Work orders are a list only for people at the screen; callers have `PostWorkorders` and so on."""

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
            "wse_code", "wse_wse_code", "wse_type", "wse_image", "wse_order_message", "wse_description",
            "wse_external_id", "wse_employee_nr", "wse_supplier", "wse_remark",
        ) | {"wse_date_start": "date", "wse_date_end": "date", "wse_date_certification": "date"},
    ),
    # A price is known by what it is for and from when: only so can one be ended by posting it again.
    Entity(
        name="prices",
        key=("material", "hourtype", "debtornr", "date_start"),
        required=("price", "date_start"),
        failed=1200,
        missing=1201,
        fields=_texts("material", "hourtype", "debtornr") | {
            "price": "price", "date_start": "date", "date_end": "date",
        },
        references={"material": "materials", "hourtype": "hourtypes", "debtornr": "relations"},
        defaults={"material": "", "hourtype": "", "debtornr": ""},
        one_of=("material", "hourtype"),
    ),
    Entity(
        name="invoices",
        key=("inv_id",),
        required=(),
        failed=1504,
        missing=1504,
        fields=_texts(
            "inv_id", "inv_worksheet_id", "inv_quo_id", "inv_inv_id", "inv_type", "inv_currency_code",
            "inv_currency_symbol", "inv_description", "inv_invoice_debtor_nr", "inv_invoice_debtor_name",
            "inv_invoice_debtor_email", "inv_number_numeric", "inv_number_formatted", "inv_status", "inv_reference",
            "inv_due_days", "inv_terms", "inv_header", "inv_user_create", "inv_user_mutate", "inv_user_send",
            "inv_timestamp_create", "inv_timestamp_mutate", "inv_timestamp_payed", "inv_timestamp_send", "pdf", "ubl",
        ) | {
            "inv_date": "date", "inv_due_date": "date", "inv_amount": "amount", "inv_amount_excl": "amount",
            "inv_balance": "amount", "iln_lines": "lines",
        },
        defaults={
            "inv_type": "DEBIT", "inv_status": "OPEN", "inv_currency_code": "EUR", "inv_currency_symbol": "€",
            "inv_balance": "0.00",
        },
        filtered=True,
        methods=("GET",),
    ),
    Entity(
        name="transactions",
        key=("int_transaction_id",),
        required=("int_amount",),
        failed=1504,
        missing=1504,
        fields=_texts(
            "int_inv_id", "int_transaction_id", "int_external_transaction_id", "int_description", "int_type",
            "int_type_description", "int_status", "int_user", "int_timestamp",
        ) | {"int_amount": "amount"},
        references={"int_inv_id": "invoices"},
        defaults={"int_status": "PROCESSED", "int_user": "OpenAPI"},
        filtered=True,
        choices={"int_status": ("NEW", "PROCESSED")},
        methods=("GET", "POST", "PUT"),
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
    WORK_ORDERS,
)  # fmt: skip

ENTITIES = {one.name: one for one in _ENTITIES}
LOOK_UPS = {one.single: one for one in _ENTITIES if one.single}
