"""Quotations from Exact Online: kept in the mirror; accepted ones become work orders when that is switched on.

Fields: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncCRMQuotationHeaders and
name=SyncCRMQuotationLines; the statuses also on name=CRMQuotations. Lines name their article by its id alone.

Exact does not say from which quotation a sales order was made. Both carry the customer and the customer's reference
(``YourRef``), which Exact copies; that is what they are compared by.
"""

from __future__ import annotations

from typing import Any

from outsmart_sync.providers.exact_online import lines
from outsmart_sync.providers.exact_online.stream import ExactStream
from outsmart_sync.providers.exact_online.values import day, id_of, is_reference, number, text
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.order import (
    ADDRESS,
    ARTICLE,
    CONTACT_PERSON,
    CUSTOMER,
    INVOICE,
    OPEN,
    PROJECT,
    WORK_ORDER_SETTINGS,
    article,
    compose,
)
from outsmart_sync.records.quotation import QUOTATION, QUOTATION_ORDER
from outsmart_sync.records.setting_kinds import StartDate, Switch
from outsmart_sync.records.staged import CURRENCY
from outsmart_sync.records.streams import (
    Belongs,
    Derived,
    DerivedStream,
    FoldContext,
    Folded,
    Part,
    Row,
    SameWork,
    Source,
    Tags,
)
from outsmart_sync.records.values import Payload
from outsmart_sync.records.work_order import MaterialLine, encode_materials

STATUSES = {
    5: "rejected",
    6: "closed",
    10: "recovery",
    20: "draft",
    25: "open",
    35: "processing",
    40: "printed",
    50: "accepted",
    60: "awaiting online acceptance",
    70: "accepted, processing failed",
}
"""Status of a quotation; 6 is a version that another one took the place of (name=CRMQuotations, CRMReviewQuotation)."""

ACCEPTED = frozenset({STATUSES[50], STATUSES[70]})
"""The customer has agreed, also where Exact then failed to make an order of it."""
UNDECIDED = frozenset({STATUSES[6], STATUSES[10], STATUSES[35]})
"""Says nothing about the customer's yes: the work order, if there is one, stays as it is."""

ACCEPTED_TO_WORK_ORDERS = "accepted_to_work_orders"
WORK, VERSIONS = "work", "versions"
"""Kinds of tags: what an order made from a quotation has in common with it, and what its versions have."""

_ITEM, _OPTIONAL = "item", "optional"


def work(customer: str, reference: Any) -> list[tuple[str, str]]:
    """By what a quotation and the sales order made from it are known to mean the same work; without reference none."""
    words = str(reference or "").casefold().split()
    return [(WORK, f"{customer}/{' '.join(words)}")] if words and is_reference(customer) else []


def _tags(row: Row) -> list[tuple[str, str]]:
    versions = [(VERSIONS, str(row["QuotationNumber"]))]
    return [*versions, *work(row["OrderAccount"], row["YourRef"]), (CURRENCY, str(row["Currency"] or "").strip())]


def _code(numbers: tuple[int, int]) -> str:
    """Number and version: only together they tell a quotation from others."""
    number, version = numbers
    return f"{QUOTATION_ORDER.prefix}{number}/{version}"


def _status(value: int) -> str:
    return STATUSES.get(value, str(value))


HEADERS = ExactStream(
    name="quotations",
    record=QUOTATION,
    path="sync/CRM/QuotationHeaders",
    scope="Crm quotes",
    single="crm/Quotations",
    lookup="QuotationNumber",
    number_prefix=QUOTATION_ORDER.prefix,
    versioned=True,
    sync_only=("ID",),
    deleted_type=34,
    key="QuotationID",
    alias="ID",
    fields={
        "number": Source(("QuotationNumber", "VersionNumber"), _code, joined=True),
        "status": Source(("Status",), _status),
        CUSTOMER.key: id_of("DeliveryAccount", "OrderAccount"),
        INVOICE.key: id_of("InvoiceAccount", "OrderAccount"),
        ADDRESS.key: id_of("DeliveryAddress"),
        CONTACT_PERSON.key: id_of("DeliveryAccountContact", "OrderAccountContact"),
        PROJECT.key: id_of("Project"),
        "customer_name": text("OrderAccountName"),
        "customer_contact": text("DeliveryAccountContactFullName", "OrderAccountContactFullName"),
        "invoice_contact": text("InvoiceAccountContactFullName"),
        "quotation_date": day("QuotationDate"),
        "closing_date": day("ClosingDate"),
        "work_date": day("DeliveryDate"),
        "short_description": text("Description"),
        "description": text("Remarks", "Description"),
        "extern_project": text("YourRef"),
        "amount": number("AmountFC"),
        "currency": text("Currency"),
    },
    tags=Tags(("QuotationNumber", "OrderAccount", "YourRef", "Currency"), _tags),
    dated="QuotationDate",
    entered="Created",
)

LINES = ExactStream(
    name="quotation_lines",
    record=None,
    path="sync/CRM/QuotationLines",
    scope="Crm quotes",
    single="crm/QuotationLines",
    lookup="QuotationID",
    deleted_type=35,
    key="ID",
    fields={
        lines.LINE: number("LineNumber"),
        _ITEM: id_of("Item"),
        lines.NAME: text("Description", "ItemDescription"),
        lines.UNIT: text("UnitCode"),
        lines.QUANTITY: number("Quantity"),
        lines.PRICE: number("NetPrice"),
        _OPTIONAL: Source(("Optional",), bool),
    },
    parent="QuotationID",
)


def with_lines(payload: Payload, parts: list[Part], _: FoldContext) -> Folded:
    """A quotation with its lines in their own sequence.

    An optional line is no part of the work, since Exact does not say whether the customer took it: it is named where
    only the employee reads it.
    """
    folded = {
        name: value for name, value in payload.items() if name not in ("materials", "internal_description", ARTICLE.key)
    }
    chosen = [line for line in sorted(parts, key=lines.place) if line.payload.get(_ITEM)]
    firm = [line for line in chosen if not line.payload.get(_OPTIONAL)]
    optional = [line for line in chosen if line.payload.get(_OPTIONAL)]
    if firm:
        folded["materials"] = encode_materials(map(_material, firm))
        folded[ARTICLE.key] = " ".join(sorted({str(line.payload[_ITEM]) for line in firm}))
    if optional:
        words = (f"{line.payload.get(lines.QUANTITY, '')} x {line.payload.get(lines.NAME, '')}" for line in optional)
        folded["internal_description"] = f"Optional: {'; '.join(words)}"
    return Folded(folded, None)


def _material(line: Part) -> MaterialLine:
    return lines.material(line, code=article(str(line.payload[_ITEM])))


_OF_WORK_ORDER = frozenset(field.name for field in QUOTATION_ORDER.fields) - {"customer_name"}


def work_order(payload: Payload) -> list[Derived]:
    """The work order of a quotation: a new one when it is accepted, none any more when it was rejected or reopened."""
    status = payload.get("status")
    own = {name: value for name, value in payload.items() if name in _OF_WORK_ORDER or name.startswith("@")}
    own[OPEN] = status in ACCEPTED or status in UNDECIDED
    return [Derived(own, fresh=status in ACCEPTED, left=status in UNDECIDED)]


WORK_ORDERS = DerivedStream(
    name="quotation_work_orders",
    record=QUOTATION_ORDER,
    derive=work_order,
    when=ACCEPTED_TO_WORK_ORDERS,
    currency="Currency",
    compose=compose,
    belongs=Belongs((), lambda _: True, "version_closed"),
    same_work=(
        SameWork(QUOTATION_ORDER.name, VERSIONS, "revised", open=True),
        SameWork("sales_order", WORK, "already_ordered", later=True, without="no_reference"),
    ),
    notes_from="delivery_notice",
)

QUOTATIONS_IMPORT = ImportCategory(
    name="quotations",
    label="Quotations",
    streams=(HEADERS, LINES),
    filters=(
        Switch(
            name=ACCEPTED_TO_WORK_ORDERS,
            label="Make work orders of accepted quotations, instead of the sales orders made from them",
        ),
        *WORK_ORDER_SETTINGS,
        StartDate(),
    ),
    fold=with_lines,
    after=("relations", "materials", "hour_types", "project_planning"),
    tier="pro",
    derived=(WORK_ORDERS,),
)
