"""Assembly orders from Exact Online, as work orders.

Fields: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=InventoryAssemblyOrders . They have no
change stamp, no sync endpoint and no place in the list of deletions, so the orders of the last days are read as a whole
(see ``windows``). Their parts come along as a collection. Its columns are not documented; they are taken to be those of
the bill of material that parts come from (name=InventoryAssemblyBillOfMaterialMaterials).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from outsmart_sync.providers.exact_online.production import ITEM, ITEM_NAME, QUANTITY, UNIT, what_is_made
from outsmart_sync.providers.exact_online.stream import ExactStream
from outsmart_sync.providers.exact_online.values import day, number, prefixed, text
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.order import (
    ASSEMBLY_ORDER_PREFIX,
    CUSTOMER_OR_OWN,
    INTERNAL_RELATION,
    WORK_ORDER_SETTINGS,
    compose,
    order,
)
from outsmart_sync.records.setting_kinds import Choice, StartDate
from outsmart_sync.records.streams import Belongs, FoldContext, Folded, Part, Row, Source, Tags
from outsmart_sync.records.values import Payload, decimal_text
from outsmart_sync.records.work_order import MaterialLine, encode_materials

STATUSES = {20: "open", 30: "partial", 50: "complete"}
"""Status of an assembly order (name=InventoryAssemblyOrders); it cannot be cancelled, only deleted."""
ASSEMBLY = 8060
"""Type of an order: 8060 assembly, 8061 taking apart, whose parts are no material but what comes out."""
WINDOW_DAYS = 120
"""How far back orders are read, by their date; older ones are left as they are."""

PARTS = "PartItems"
PART_COLUMNS = ("ID", "LineNumber", "PartItemCode", "PartItemDescription", "Quantity")
ASSEMBLY_ORDER = order("assembly_order", "assembly order", ASSEMBLY_ORDER_PREFIX, (CUSTOMER_OR_OWN,))


def _status(row: Row) -> list[tuple[str, str]]:
    status = STATUSES.get(row["OrderStatus"])
    return [("status", status)] if status else []


def _materials(parts: Any) -> str | None:
    """The parts with an article, in the order of their lines.

    Raises:
        ValueError: The parts do not have the columns that they are taken to have.
    """
    try:
        lines = sorted(({name: part[name] for name in PART_COLUMNS} for part in parts), key=_place)
        chosen = [_material(line) for line in lines if (line["PartItemCode"] or "").strip()]
    except KeyError as error:
        raise ValueError(f"a part has no {error}") from error
    return encode_materials(chosen) if chosen else None


def _place(part: Row) -> tuple[int, str]:
    return int(part["LineNumber"] or 0), str(part["ID"])


def _material(part: Row) -> MaterialLine:
    code = str(part["PartItemCode"]).strip()
    quantity = decimal_text(Decimal(str(part["Quantity"] or 0)))
    return MaterialLine(code=code, name=str(part["PartItemDescription"] or code).strip(), quantity=quantity)


ORDERS = ExactStream(
    name="assembly_orders",
    record=ASSEMBLY_ORDER,
    path="inventory/AssemblyOrders",
    scope="Manufacturing production",
    single="inventory/AssemblyOrders",
    lookup="OrderNumber",
    number_prefix=ASSEMBLY_ORDER.prefix,
    expand=PARTS,
    whole=True,
    window=WINDOW_DAYS,
    key="ID",
    fields={
        "number": prefixed(ASSEMBLY_ORDER.prefix, "OrderNumber"),
        "short_description": text("Description", "ItemDescription"),
        "description": text("Notes", "Description", "ItemDescription"),
        "work_date": day("AssemblyDate", "OrderDate"),
        "materials": Source((PARTS,), _materials),
        ITEM: text("ItemCode"),
        ITEM_NAME: text("ItemDescription"),
        QUANTITY: number("PlannedQuantity"),
        UNIT: text("UnitCode"),
    },
    tags=Tags(("OrderStatus",), _status),
    belongs=Belongs(("Type",), lambda row: row["Type"] == ASSEMBLY, "taken_apart"),
    dated="OrderDate",
    compose=compose,
)


def complete(payload: Payload, _parts: list[Part], _: FoldContext) -> Folded:
    """An assembly order with a line on what is to be made."""
    return Folded({**payload, **what_is_made(payload)}, None)


ASSEMBLY_ORDERS_IMPORT = ImportCategory(
    name="assembly_orders",
    label="Assembly orders",
    streams=(ORDERS,),
    filters=(
        Choice(
            name="statuses",
            label="Assembly orders to import, by status",
            tag="status",
            values={"open": "Open", "partial": "Partly assembled", "complete": "Complete"},
            default=("open", "partial"),
            reason="status_not_chosen",
        ),
        INTERNAL_RELATION,
        *WORK_ORDER_SETTINGS,
        StartDate(),
    ),
    fold=complete,
    after=("relations",),
    tier="pro",
)
