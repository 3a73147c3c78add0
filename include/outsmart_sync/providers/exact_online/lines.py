"""The lines of Exact's orders, folded into their headers as the material of a work order."""

from __future__ import annotations

from decimal import Decimal

from outsmart_sync.records import order
from outsmart_sync.records.record import REFERS
from outsmart_sync.records.streams import FoldContext, Folded, Part
from outsmart_sync.records.values import Payload
from outsmart_sync.records.work_order import MaterialLine, encode_materials

LINE, CODE, NAME, UNIT, QUANTITY, PRICE, WAREHOUSE = "line", "code", "name", "unit", "quantity", "price", "warehouse"
PROJECT = "project"
"""Names of a line's fields, whatever kind of order it belongs to."""
OF_ORDER = f"{REFERS}project_of_order"
"""Where a header's payload holds its own project, apart from the one that its lines give it."""


def as_materials(payload: Payload, lines: list[Part], _: FoldContext) -> Folded:
    """A header with its lines as material, in the order's own sequence; a line without an article is left out.

    Quantities and prices are the order's own, exactly. A work order has one project: that of the first line with one,
    else the order's own.
    """
    folded = {name: value for name, value in payload.items() if name not in ("materials", order.PROJECT.key)}
    projects = (line.payload[PROJECT] for line in sorted(lines, key=place) if line.payload.get(PROJECT))
    if project := next(projects, payload.get(OF_ORDER)):
        folded[order.PROJECT.key] = project
    if materials := materials_of(lines):
        folded["materials"] = materials
    return Folded(folded, None)


def materials_of(lines: list[Part]) -> str:
    """The lines with an article, as the material of a work order; '' when there are none."""
    chosen = [line for line in sorted(lines, key=place) if line.payload.get(CODE)]
    return encode_materials(map(material, chosen)) if chosen else ""


def place(line: Part) -> tuple[Decimal, str]:
    """Where a line stands in its order."""
    return line.number(LINE) or Decimal(0), line.provider_id


def material(line: Part, code: str = "") -> MaterialLine:
    """A line as a work order has it; ``code`` stands in for an article that the line does not name by its code."""

    def text(name: str, default: str = "") -> str:
        return str(line.payload.get(name, default))

    return MaterialLine(
        code=code or text(CODE),
        name=text(NAME) or text(CODE),
        unit=text(UNIT),
        quantity=text(QUANTITY, "0"),
        price=text(PRICE, "0"),
        warehouse=text(WAREHOUSE),
    )
