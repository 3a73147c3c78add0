"""Rows of orders and invoice drafts: what is sent, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from outsmart_sync.providers.visma_eaccounting.exports import SALES_ORDER
from outsmart_sync.records.export_document import LineKind, OrderLine
from outsmart_sync.records.export_token import tokens_in
from outsmart_sync.records.export_update import changes
from outsmart_sync.records.values import parse_decimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from outsmart_sync.records.export_document import ExportDocument, Line
    from outsmart_sync.records.export_update import Changes, Sent
    from outsmart_sync.records.streams import Row

Body = dict[str, Any]
"""What is sent."""

LONGEST_TEXT = 2000
_CENT, _DISCOUNT = Decimal("0.01"), Decimal("0.0001")

_READ_ONLY = frozenset({
    "Id", "IsServiceArticle", "UnitId", "IsDiscountInFixedAmount", "DiscountFixedAmount", "VatRate", "PurchasePrice",
    "FreightCosts", "ContributionMargin", "Amount", "VatRateId",
})  # fmt: skip
"""Fields of a row of an order that VISMA works out."""


_OF_ARTICLE = frozenset({"ArticleNumber", "UnitName", "UnitAbbreviation", "UnitAbbreviationEnglish"})


def rows_of(kind: str, document: ExportDocument, *, delivered: bool) -> list[Body]:
    """A document's rows; the first one is a text with its token.

    Args:
        kind: What it is.
        document: The document; of a credit the quantities are turned, since a credit draft counts them as given back.
        delivered: An order's rows are delivered, too.
    """
    heading = f"{document.token} {document.title or document.number}".strip()
    rows = [_text_row(kind, heading)]
    sign = -1 if document.is_credit else 1
    for line in document.lines:
        if line.kind is LineKind.TEXT:
            rows += [_text_row(kind, line.text)] if line.text.strip() else []
        else:
            rows.append(_article_row(kind, line, sign * line.quantity, delivered=delivered))
    return numbered(rows)


def appended(line: Line) -> Body:
    """A row that is added to an order that is there, with its token behind its text."""
    text = line.text[: LONGEST_TEXT - len(line.token) - 3]
    return _article_row(SALES_ORDER, line, line.quantity, delivered=False) | {"Text": f"{text} ({line.token})"}


def kept(row: Row) -> Body:
    """A row that is there, as it is sent back."""
    return {name: value for name, value in row.items() if name not in _READ_ONLY}


def changed(row: Row, body: Body) -> Body:
    """A row that is there, with what it says from now on; what hangs on its article is VISMA's to work out again."""
    same = {name: value for name, value in kept(row).items() if name not in _OF_ARTICLE}
    return same | body | {"LineNumber": row["LineNumber"]}


def updated(kind: str, rows: Sequence[Row], sent: Sent, document: ExportDocument) -> tuple[Changes[Row], list[Body]]:
    """What an update does to the rows of a document, and how they are sent back; the one with the token stays."""
    sign = -1 if document.is_credit else 1

    def alike(row: Row, line: Line) -> bool:
        if bool(row["IsTextRow"]) or line.kind is LineKind.TEXT:
            return bool(row["IsTextRow"]) and line.kind is LineKind.TEXT and _same_text(row, line)
        return (
            row.get("ArticleId") == line.article
            and number(row.get("Quantity")) == sign * line.quantity
            and number(row.get("UnitPrice")) == number(line.price)
            and number(row.get("DiscountPercentage")) == line.discount.quantize(_DISCOUNT, ROUND_HALF_UP)
            and (row.get("ProjectId") or "") == line.project
            and _same_text(row, line)
        )

    def body(line: Line) -> Body:
        if line.kind is LineKind.TEXT:
            return _text_row(kind, line.text)
        return _article_row(kind, line, sign * line.quantity, delivered=False)

    own = [row for row in rows if not (row["IsTextRow"] and document.token in tokens_in(row.get("Text") or ""))]
    done = changes(own, sent, document.lines, alike, lambda row: row.get("Text") or row.get("ArticleNumber") or "")
    new = {id(row): line for row, line in done.changed}
    gone = {id(row) for row in done.removed}
    there = [changed(row, body(new[id(row)])) if id(row) in new else kept(row) for row in rows if id(row) not in gone]
    return done, numbered([*there, *map(body, done.added)])


def _same_text(row: Row, line: Line) -> bool:
    return (row.get("Text") or "").strip() == line.text.strip()[:LONGEST_TEXT]


def numbered(rows: list[Body]) -> list[Body]:
    """Rows with their numbers, from 1."""
    return [row | {"LineNumber": number} for number, row in enumerate(rows, 1)]


def as_order_line(row: Row, *, includes_vat: bool) -> OrderLine:
    """A row that is there; known by its number, since VISMA may renew ids when an order is changed."""
    price = number(row.get("UnitPrice")) * (1 - number(row.get("DiscountPercentage")))
    rate = fraction(row.get("VatRate")) if includes_vat else Decimal(0)
    text = row.get("Text") or ""
    return OrderLine(
        remote_id=str(row["LineNumber"]),
        article=str(row.get("ArticleId") or ""),
        text=text,
        quantity=number(row.get("Quantity")),
        price=price / (1 + rate),
        amount=cents(number(row.get("Amount")) / (1 + rate)),
        token=next(iter(tokens_in(text)), ""),
    )


def tokens_of(row: Mapping[str, Any]) -> list[str]:
    """The tokens of a document: in the reference, else in its texts without an article."""
    found = tokens_in(row.get("OurReference") or "")
    return found or [token for each in row.get("Rows") or () if not each.get("ArticleId") for token in _in(each)]


def number(value: Any) -> Decimal:
    """A number as it was sent; nothing is 0."""
    return Decimal(0) if value is None else parse_decimal(str(value))


def fraction(value: Any) -> Decimal:
    """A rate as a fraction, whether it was sent as one or as a percentage: no rate is 100 % or more."""
    rate = number(value)
    return rate if rate < 1 else rate / 100


def cents(value: Decimal) -> Decimal:
    """An amount in cents."""
    return value.quantize(_CENT, ROUND_HALF_UP)


def total_of(*amounts: Any) -> Decimal | None:
    """The first amount less the others: a total without VAT and rounding; None where the first is not told."""
    first, *others = amounts
    return None if first is None else cents(number(first) - sum(map(number, others), Decimal(0)))


def _in(row: Mapping[str, Any]) -> Iterable[str]:
    return tokens_in(row.get("Text") or "")


def _article_row(kind: str, line: Line, quantity: Decimal, *, delivered: bool) -> Body:
    row: Body = {
        "IsTextRow": False,
        "ArticleId": line.article,
        "Text": line.text.strip()[:LONGEST_TEXT] or None,
        "Quantity": quantity,
        "UnitPrice": line.price,
        "DiscountPercentage": line.discount.quantize(_DISCOUNT, ROUND_HALF_UP),
        "ProjectId": line.project or None,
    }
    if kind != SALES_ORDER:
        return row | {"ReversedConstructionServicesVatFree": line.reverse_charge}
    row["DeliveredQuantity"] = cents(quantity) if delivered else Decimal(0)
    return row | {"IsWorkCost": False, "EligibleForReverseChargeOnVat": line.reverse_charge}


def _text_row(kind: str, text: str) -> Body:
    row: Body = {"IsTextRow": True, "Text": text.strip()[:LONGEST_TEXT]}
    if kind != SALES_ORDER:
        return row | {"ReversedConstructionServicesVatFree": False}
    return row | {"IsWorkCost": False, "EligibleForReverseChargeOnVat": False}
