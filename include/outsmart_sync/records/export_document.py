"""What is exported: one document, with its parties, its lines and its money, in no package's own terms.

Everything that refers to the package (customers, articles, projects) holds the package's own id, resolved before.
Amounts are in the administration's currency and without VAT, quantities and prices as they are to be sent.
"""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from enum import StrEnum

import msgspec


class LineKind(StrEnum):
    """What a line bills."""

    MATERIAL = "material"
    HOURS = "hours"
    TRAVEL = "travel"
    TEXT = "text"
    """Words only: no article, no amount."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line.

    Attributes:
        key: Stable name of the line within its work order, such as ``m1`` or ``h2``.
        kind: What it bills.
        text: What it says.
        token: Finds the line again where it is made by a call of its own, as ``token`` of the document does.
        code: OutSmart's code of the article, for messages; '' for text.
        article: The package's id of the article; '' for text.
        quantity: In the article's own unit; negative for what comes back.
        price: Of one unit, without VAT unless ``vat_included``; None: the package computes it.
        discount: Fraction that the package takes off, ``0.1`` for 10 %; a net price has none.
        amount: What the line comes to without VAT, rounded to cents; None: the package computes it.
        vat_included: ``price`` holds VAT, as the package keeps this customer's or article's prices so.
        reverse_charge: Construction work of which the customer pays the VAT.
        project: The package's id of the project; '' for none.
        employee: The package's id of the person who did it; '' when unknown.
        day: Day of the work; None when unknown.
        begin: When it began; None when unknown or no hours.
        end: When it ended; before ``begin`` when it ran over midnight.
    """

    key: str
    kind: LineKind
    text: str
    token: str = ""
    code: str = ""
    article: str = ""
    quantity: Decimal = Decimal(0)
    price: Decimal | None = None
    discount: Decimal = Decimal(0)
    amount: Decimal | None = None
    vat_included: bool = False
    reverse_charge: bool = False
    project: str = ""
    employee: str = ""
    day: date | None = None
    begin: time | None = None
    end: time | None = None


class Place(msgspec.Struct, frozen=True):
    """An address as text, for packages that take it so."""

    name: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""


class ExportDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made of one work order.

    Attributes:
        kind: Name of the package's document kind.
        token: Short, unique, by which the document is found again: it must stand whole in a field that is read back.
        number: The work order's number, for people.
        customer: The package's id of who orders: the work address's debtor.
        deliver_to: The package's id of where the work was.
        invoice_to: The package's id of who pays.
        work_address: Where the work was, as text.
        lines: In their order; text lines only where the kind takes them.
        day: Date of the document: the day the work ended.
        total: Sum of the lines' amounts without VAT; None: the package computes some of them.
        currency: Three letters; '' when unknown.
        reference: The customer's own purchase number; '' for none.
        title: Short description.
        remarks: Work description, where the kind takes no text lines.
        project: The package's id of the project; '' for none.
        journal: Code from the package's own list; '' for the package's default. So are the next ones.
        warehouse: See ``journal``.
        payment_condition: See ``journal``.
        append_to: The package's id of the imported order that gets the lines; '': a document of its own.
    """

    kind: str
    token: str
    number: str
    customer: str
    deliver_to: str
    invoice_to: str
    work_address: Place
    lines: list[Line]
    day: date
    total: Decimal | None
    currency: str = ""
    reference: str = ""
    title: str = ""
    remarks: str = ""
    project: str = ""
    journal: str = ""
    warehouse: str = ""
    payment_condition: str = ""
    append_to: str = ""

    @property
    def is_credit(self) -> bool:
        """Whether the customer gets money back: a credit note, where the package has such."""
        return self.total is not None and self.total < 0


class MadeDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What the package says it has.

    Attributes:
        remote_id: Its own id.
        number: Its number; '' when it has none yet.
        total: Its total without VAT, as the package computed it; None: it does not say.
        quantity: Sum of the quantities, where the package computes the prices; None: it does not say.
        token: The token that stands in it; '' when it was not read back.
        customer: The package's id of who ordered; '' when it was not read back.
        invoice_to: The package's id of who pays; '' when it was not read back.
        made_at: When it was made, ISO text; '' when the package does not say.
        open: It may still be changed: neither shipped nor invoiced nor closed.
        invoiced: Whether all of an order stands on invoices; None: it is no order, or the package does not say.
        lines: What the package has of each line, where each was made by a call of its own.
    """

    remote_id: str
    number: str = ""
    total: Decimal | None = None
    quantity: Decimal | None = None
    token: str = ""
    customer: str = ""
    invoice_to: str = ""
    made_at: str = ""
    open: bool = True
    invoiced: bool | None = None
    lines: list[MadeDocument] = []


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order that is there already.

    Attributes:
        remote_id: The package's id of the line.
        article: The package's id of the article.
        text: What it says.
        quantity: Ordered.
        price: Net, of one unit, without VAT.
        amount: What it comes to without VAT.
        token: Our token in it; '' for a line that is not ours.
    """

    remote_id: str
    article: str
    text: str
    quantity: Decimal
    price: Decimal
    amount: Decimal
    token: str = ""


class ExistingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that a work order came from, as it is now.

    Attributes:
        made: Its head.
        lines: Its lines.
        closed: Why it takes no more lines (``shipped``, ``invoiced``, ``closed``, ``cancelled``); '' when it does.
    """

    made: MadeDocument
    lines: list[OrderLine]
    closed: str = ""


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with a document.

    Attributes:
        name: File name with its ending.
        content: The bytes.
        media_type: Such as ``application/pdf``.
    """

    name: str
    content: bytes
    media_type: str = "application/pdf"


class Entity(StrEnum):
    """What a work order names by a code and the package by an id."""

    CUSTOMER = "relation"
    ARTICLE = "material"
    HOUR_ARTICLE = "hour_type"
    PROJECT = "project"
    EMPLOYEE = "employee"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the package, found by OutSmart's code of it.

    Attributes:
        remote_id: The package's id.
        code: The package's own code.
        title: What a person knows it by.
        unit_minutes: Minutes in one unit of a time article; None: it is no time article, or that is not known.
        vat_included: The package holds this customer's or article's prices including VAT.
        vat_rate: The article's VAT as a fraction, where ``vat_included`` may need it.
        reverse_charge: Customer whose construction work is billed without VAT.
        price: The package's own price of one of an article, without VAT; None: it does not say.
        blocked: Why the package will not take it on a document (``blocked``, ``ended``, ``not a customer`` ...); ''.
    """

    remote_id: str
    code: str = ""
    title: str = ""
    unit_minutes: Decimal | None = None
    vat_included: bool = False
    vat_rate: Decimal = Decimal(0)
    reverse_charge: bool = False
    price: Decimal | None = None
    blocked: str = ""


class NewCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer that the package does not have, from OutSmart's relation or the work order's own address."""

    code: str
    name: str
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""
    vat_number: str = ""
    coc_number: str = ""


class NewArticle(msgspec.Struct, frozen=True, kw_only=True):
    """An article that the package does not have, from a line of a work order."""

    code: str
    description: str
    unit: str = ""
    price: Decimal | None = None


class Likely(msgspec.Struct, frozen=True, kw_only=True):
    """A customer or article of the package that may be the one that is missing.

    Attributes:
        known: The record.
        why: What they have in common: ``VAT number``, ``chamber of commerce number`` or ``name and postcode``.
    """

    known: Known
    why: str


class InvoiceState(msgspec.Struct, frozen=True, kw_only=True):
    """What became of what was exported.

    Attributes:
        document: The package's id of the exported document: the invoice itself, or the order that became it.
        invoice: The package's id of the invoice.
        number: The invoice's number; '' while it has none.
        booked: It is final.
        paid: Whether all of it is paid; None: this page does not say.
        gone: It was deleted or voided.
    """

    document: str = ""
    invoice: str = ""
    number: str = ""
    booked: bool = False
    paid: bool | None = None
    gone: bool = False


class InvoicePage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a stream that tells what became of documents.

    Attributes:
        stream: The stream's name: a cursor is kept by it.
        cursor: Position after this page.
        states: What it says.
        last: Nothing comes after it in this stream.
    """

    stream: str
    cursor: str
    states: list[InvoiceState]
    last: bool = False
