"""A bookkeeping package of our own making, kept in a file: what a package must promise an export, and nothing else.

It lets the tests of the core go wrong wherever they like; the real packages' own tests have the wire.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from outsmart_sync.errors import RecordError, TransientError, UncertainOutcome
from outsmart_sync.pipeline import money
from outsmart_sync.records.export_catalogue import DocumentKind, Exports, Negative
from outsmart_sync.records.export_document import (
    Attachment,
    Entity,
    ExistingOrder,
    ExportDocument,
    InvoicePage,
    InvoiceState,
    Known,
    Likely,
    Line,
    LineKind,
    MadeDocument,
    NewArticle,
    NewCustomer,
    OrderLine,
)
from outsmart_sync.records.export_update import Replaced, Sent, changes
from outsmart_sync.records.order import NEVER_SOLD
from outsmart_sync.records.setting_kinds import Text, ValueList

EXPORTS = Exports(
    kinds=(
        DocumentKind(name="sales_order", label="sales order"),
        DocumentKind(
            name="sales_invoice",
            label="sales invoice",
            quantity_decimals=2,
            price_decimals=2,
            negative=Negative.CREDIT,
            text_lines=True,
            takes_photos=True,
            journals=True,
        ),
        DocumentKind(name="hours", label="hours and costs", by_line=True, package_prices=True, takes_files=False),
    ),
    appends_to={"sales_order": "sales_order"},
    settings=(Text("journal", "Journal"), Text("warehouse", "Warehouse"), Text("payment_condition", "Payment terms")),
    fixed_facts=frozenset({Entity.CUSTOMER, Entity.ARTICLE, Entity.PROJECT, Entity.EMPLOYEE}),
    never_sold=NEVER_SOLD,
)

_TABLES = """
CREATE TABLE IF NOT EXISTS document (id TEXT PRIMARY KEY, kind TEXT, token TEXT, number INTEGER, body TEXT, total TEXT,
  quantity TEXT, at TEXT);
CREATE TABLE IF NOT EXISTS record (entity TEXT, code TEXT, id TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS file (id TEXT PRIMARY KEY, token TEXT, document TEXT, name TEXT, content BLOB,
  linked INTEGER);
CREATE TABLE IF NOT EXISTS state (seq INTEGER PRIMARY KEY, body TEXT);
CREATE TABLE IF NOT EXISTS order_line (id TEXT PRIMARY KEY, parent TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS order_head (id TEXT PRIMARY KEY, closed TEXT);
CREATE TABLE IF NOT EXISTS call (name TEXT);
"""


class Trouble:
    """Decides what goes wrong with a call.

    Args:
        seed: Equal seeds give equal troubles.
        rate: Share of the writes that go wrong.
        kills: Whether this process may be killed, too.
    """

    def __init__(self, seed: int, rate: float, *, kills: bool) -> None:
        self._dice, self._rate = random.Random(seed), rate
        self._kinds = ["lost before", "lost after", "not sent", *(["killed before", "killed after"] if kills else [])]

    def next(self) -> str:
        """What happens; '' for nothing."""
        return self._dice.choice(self._kinds) if self._dice.random() < self._rate else ""


@dataclass
class Books:
    """The package's side of the port."""

    file: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    trouble: Trouble | None = None
    extra: Decimal = Decimal(0)
    refuses: str = ""
    calls: int = 0

    def __post_init__(self) -> None:
        self._db = sqlite3.connect(self.file, timeout=30, isolation_level=None)
        self._db.executescript(_TABLES)

    # Documents.

    def find(self, kind: DocumentKind, tokens: Sequence[str], since: date) -> list[MadeDocument]:  # noqa: ARG002
        self._called("find")
        rows = self._db.execute("SELECT id, token FROM document WHERE kind = ?", (kind.name,)).fetchall()
        return [made for each, token in rows if token in tokens if (made := self._made(each))]

    def by_number(self, kind: DocumentKind, number: str) -> list[MadeDocument]:
        self._called("by_number")
        rows = self._db.execute(
            "SELECT id FROM document WHERE kind = ? AND (number = ? OR id = ?)", (kind.name, number, number)
        )
        return [made for (each,) in rows.fetchall() if (made := self._made(each))]

    def get(self, kind: DocumentKind, remote_id: str) -> MadeDocument | None:  # noqa: ARG002
        self._called("get")
        order = self.order(remote_id)
        return order.made if order else self._made(remote_id)

    def create(self, kind: DocumentKind, document: ExportDocument) -> MadeDocument:
        def make() -> str:
            lines = [line for line in document.lines if line.kind is not LineKind.TEXT]
            if not document.customer or any(not line.article for line in lines):
                raise RecordError("Customer or article is missing.")
            total = money.total_of(
                money.amount_of(each.quantity, each.price or Decimal(5), each.discount) for each in lines
            )
            return self._add(kind.name, document.token, document, (total or Decimal(0)) + self.extra)

        return self._require(self._write("create", make))

    def create_line(self, kind: DocumentKind, document: ExportDocument, line: Line) -> MadeDocument:
        one = msgspec.structs.replace(document, lines=[line])
        amount = line.amount or Decimal(0)
        return self._require(
            self._write("create_line", lambda: self._add(kind.name, line.token, one, amount, line.quantity))
        )

    def replace(self, kind: DocumentKind, remote_id: str, sent: Sent, document: ExportDocument) -> Replaced:  # noqa: ARG002
        (body,) = self._db.execute("SELECT body FROM document WHERE id = ?", (remote_id,)).fetchone()
        rows = msgspec.json.decode(body, type=ExportDocument).lines
        done = changes(rows, sent, document.lines, _says, lambda row: row.text)
        changed = {id(row): line for row, line in done.changed}
        removed = {id(row) for row in done.removed}
        lines = [changed.get(id(row), row) for row in rows if id(row) not in removed] + done.added

        def make() -> str:
            self.put_lines(remote_id, msgspec.structs.replace(document, lines=lines))
            return remote_id

        made = self._require(self._write("replace", make))
        return Replaced(made=made, left=done.left, lines=done.lines)

    def put_lines(self, remote_id: str, document: ExportDocument) -> None:
        total = money.total_of(money.amount_of(line.quantity, line.price or Decimal(0)) for line in document.lines)
        values = (_text(document), f"{total:f}", remote_id)
        self._db.execute("UPDATE document SET body = ?, total = ? WHERE id = ?", values)

    # Orders.

    def order(self, remote_id: str) -> ExistingOrder | None:
        self._called("order")
        head = self._db.execute("SELECT closed FROM order_head WHERE id = ?", (remote_id,)).fetchone()
        if head is None:
            return None
        rows = self._db.execute("SELECT body FROM order_line WHERE parent = ? ORDER BY rowid", (remote_id,)).fetchall()
        lines = [msgspec.json.decode(body, type=OrderLine) for (body,) in rows]
        made = MadeDocument(remote_id=remote_id, number="O1", invoiced=head[0] == "invoiced")
        return ExistingOrder(made=made, lines=lines, closed=head[0])

    def append_line(self, document: ExportDocument, line: Line) -> MadeDocument:
        def make() -> str:
            row = OrderLine(
                remote_id=uuid.uuid4().hex,
                article=line.article,
                text=line.text,
                quantity=line.quantity,
                price=line.price or Decimal(0),
                amount=line.amount or Decimal(0),
                token=line.token,
            )
            self.put_order_line(document.append_to, row)
            return row.remote_id

        return MadeDocument(remote_id=self._write("append_line", make))

    def change_line(self, order_id: str, line_id: str, line: Line) -> None:  # noqa: ARG002
        def make() -> str:
            (body,) = self._db.execute("SELECT body FROM order_line WHERE id = ?", (line_id,)).fetchone()
            row = msgspec.structs.replace(
                msgspec.json.decode(body, type=OrderLine),
                quantity=line.quantity,
                price=line.price or Decimal(0),
                amount=line.amount or Decimal(0),
            )
            self._db.execute("UPDATE order_line SET body = ? WHERE id = ?", (_text(row), line_id))
            return line_id

        self._write("change_line", make)

    def remove_line(self, order_id: str, line_id: str) -> None:  # noqa: ARG002
        def make() -> str:
            self._db.execute("DELETE FROM order_line WHERE id = ?", (line_id,))
            return line_id

        self._write("remove_line", make)

    def change_quantity(self, order_id: str, line_id: str, quantity: Decimal) -> None:
        def make() -> str:
            order = self.order(order_id)
            assert order is not None
            line = next(each for each in order.lines if each.remote_id == line_id)
            changed = msgspec.structs.replace(line, quantity=quantity, amount=money.amount_of(quantity, line.price))
            self._db.execute("UPDATE order_line SET body = ? WHERE id = ?", (_text(changed), line_id))
            return line_id

        self._write("change_quantity", make)

    # Records.

    def look_up(self, entity: Entity, codes: Sequence[str]) -> dict[str, Known]:
        self._called("look_up")
        return {code: known for code, known in self._records(entity) if code in codes}

    def facts(self, entity: Entity, remote_ids: Sequence[str]) -> dict[str, Known]:
        self._called("facts")
        found = {known.remote_id: known for _, known in self._records(entity)}
        return {each: found.get(each, Known(remote_id=each, unit_minutes=Decimal(60))) for each in remote_ids}

    def likely_customers(self, customer: NewCustomer) -> list[Likely]:
        self._called("likely_customers")
        return [
            Likely(known=known, why="name and postcode")
            for _, known in self._records(Entity.CUSTOMER)
            if known.title == customer.name
        ]

    def likely_articles(self, article: NewArticle) -> list[Likely]:  # noqa: ARG002
        self._called("likely_articles")
        return []

    def create_customer(self, customer: NewCustomer) -> Known:
        known = Known(remote_id=uuid.uuid4().hex, code=customer.code, title=customer.name)
        self._write("create_customer", lambda: self.put_record(Entity.CUSTOMER, customer.code, known))
        return known

    def create_article(self, article: NewArticle) -> Known:
        known = Known(remote_id=uuid.uuid4().hex, code=article.code, title=article.description)
        self._write("create_article", lambda: self.put_record(Entity.ARTICLE, article.code, known))
        return known

    # Files.

    def create_file(self, kind: DocumentKind, document: ExportDocument, made: MadeDocument, name: str) -> str:  # noqa: ARG002
        def make() -> str:
            file_id = uuid.uuid4().hex
            row = (file_id, document.token, made.remote_id, "", None, 0)
            self._db.execute("INSERT INTO file VALUES (?, ?, ?, ?, ?, ?)", row)
            return file_id

        return self._write("create_file", make)

    def find_file(self, kind: DocumentKind, token: str, made: MadeDocument) -> list[str]:  # noqa: ARG002
        self._called("find_file")
        return [each for (each,) in self._db.execute("SELECT id FROM file WHERE token = ?", (token,)).fetchall()]

    def attach(self, kind: DocumentKind, made: MadeDocument, file_id: str, attachment: Attachment) -> str:  # noqa: ARG002
        def make() -> str:
            values = (attachment.name, attachment.content, file_id)
            self._db.execute("UPDATE file SET name = name || ?, content = ? WHERE id = ?", values)
            return file_id

        return self._write("attach", make)

    def find_attachment(self, kind: DocumentKind, made: MadeDocument, file_id: str, name: str) -> list[str]:  # noqa: ARG002
        self._called("find_attachment")
        rows = self._db.execute("SELECT id FROM file WHERE id = ? AND name = ?", (file_id, name)).fetchall()
        return [each for (each,) in rows]

    def link_file(self, kind: DocumentKind, made: MadeDocument, file_id: str) -> None:  # noqa: ARG002
        def make() -> str:
            self._db.execute("UPDATE file SET linked = 1 WHERE id = ?", (file_id,))
            return file_id

        self._write("link_file", make)

    # The way back.

    def invoice_states(self, cursors: Mapping[str, str], since: date) -> Iterator[InvoicePage]:
        self._called(f"invoice_states {since}" if not cursors else "invoice_states")
        after = int(cursors.get("states", 0))
        rows = self._db.execute("SELECT seq, body FROM state WHERE seq > ? ORDER BY seq", (after,)).fetchall()
        found = [msgspec.json.decode(body, type=InvoiceState) for _, body in rows]
        yield InvoicePage(stream="states", cursor=str(rows[-1][0] if rows else after), states=found, last=True)

    def choices(self, listed: ValueList) -> list[tuple[str, str]]:  # noqa: ARG002
        return []

    def close(self) -> None:
        self._db.close()

    # What a bookkeeper does, and what a test looks at.

    def put_record(self, entity: Entity, code: str, known: Known | None = None) -> str:
        known = known or Known(remote_id=uuid.uuid4().hex, code=code, title=f"{entity.value} {code}")
        self._db.execute("INSERT INTO record VALUES (?, ?, ?, ?)", (entity.value, code, known.remote_id, _text(known)))
        return known.remote_id

    def change_record(self, entity: Entity, code: str, **values: Any) -> None:
        known = next(known for each, known in self._records(entity) if each == code)
        body = _text(msgspec.structs.replace(known, **values))
        self._db.execute("UPDATE record SET body = ? WHERE entity = ? AND code = ?", (body, entity.value, code))

    def put_order(self, remote_id: str, closed: str = "") -> None:
        self._db.execute("INSERT OR REPLACE INTO order_head VALUES (?, ?)", (remote_id, closed))

    def put_order_line(self, order_id: str, line: OrderLine) -> None:
        self._db.execute("INSERT INTO order_line VALUES (?, ?, ?)", (line.remote_id, order_id, _text(line)))

    def edit_order_line(self, line_id: str, **values: Any) -> None:
        (body,) = self._db.execute("SELECT body FROM order_line WHERE id = ?", (line_id,)).fetchone()
        row = msgspec.structs.replace(msgspec.json.decode(body, type=OrderLine), **values)
        self._db.execute("UPDATE order_line SET body = ? WHERE id = ?", (_text(row), line_id))

    def edit_line(self, remote_id: str, **values: str) -> None:
        """Change the quantity or total of what was made line by line."""
        for name, value in values.items():
            assert name in ("quantity", "total")
            self._db.execute(f"UPDATE document SET {name} = ? WHERE id = ?", (value, remote_id))

    def put_state(self, state: Any) -> None:
        self._db.execute("INSERT INTO state (body) VALUES (?)", (_text(state),))

    def remove(self, remote_id: str) -> None:
        self._db.execute("DELETE FROM document WHERE id = ?", (remote_id,))

    def first_id(self) -> str:
        (found,) = self._db.execute("SELECT id FROM document ORDER BY number LIMIT 1").fetchone()
        return str(found)

    def documents(self) -> list[ExportDocument]:
        rows = self._db.execute("SELECT body FROM document ORDER BY number").fetchall()
        return [msgspec.json.decode(body, type=ExportDocument) for (body,) in rows]

    def files(self) -> list[tuple[str, str, int]]:
        """Token, names of what was attached, and whether it is linked."""
        return self._db.execute("SELECT token, name, linked FROM file ORDER BY rowid").fetchall()

    def called(self) -> list[str]:
        """Every call since the last :meth:`forget`."""
        return [name for (name,) in self._db.execute("SELECT name FROM call ORDER BY rowid").fetchall()]

    def forget(self) -> None:
        self._db.execute("DELETE FROM call")

    def _records(self, entity: Entity) -> list[tuple[str, Known]]:
        rows = self._db.execute("SELECT code, body FROM record WHERE entity = ?", (entity.value,)).fetchall()
        return [(code, msgspec.json.decode(body, type=Known)) for code, body in rows]

    def _add(
        self, kind: str, token: str, document: ExportDocument, total: Decimal, quantity: Decimal | None = None
    ) -> str:
        remote_id, at = uuid.uuid4().hex, datetime.now(UTC).isoformat()
        (number,) = self._db.execute("SELECT coalesce(max(number), 0) + 1 FROM document").fetchone()
        row = (
            remote_id,
            kind,
            token,
            number,
            _text(document),
            f"{total:f}",
            None if quantity is None else f"{quantity:f}",
            at,
        )
        self._db.execute("INSERT INTO document VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        return remote_id

    def _made(self, remote_id: str) -> MadeDocument | None:
        query = "SELECT number, total, quantity, token, body, at FROM document WHERE id = ?"
        row = self._db.execute(query, (remote_id,)).fetchone()
        if row is None:
            return None
        document = msgspec.json.decode(row[4], type=ExportDocument)
        priced_here = row[2] is not None and document.lines[0].amount is None
        return MadeDocument(
            remote_id=remote_id,
            number=str(row[0]),
            total=None if priced_here else Decimal(row[1]),
            quantity=None if row[2] is None else Decimal(row[2]),
            token=row[3],
            customer=document.customer,
            invoice_to=document.invoice_to,
            made_at=row[5],
        )

    def _require(self, remote_id: str) -> MadeDocument:
        made = self._made(remote_id)
        assert made is not None
        return made

    def _write(self, name: str, make: Callable[[], str]) -> str:
        self._called(name)
        if self.refuses == name:
            raise RecordError("The package does not take it.", remedy="Ask the bookkeeper.")
        trouble = self.trouble.next() if self.trouble else ""
        if trouble == "not sent":
            raise TransientError("The package cannot be reached.")
        if trouble == "killed before":
            os.kill(os.getpid(), signal.SIGKILL)
        if trouble == "lost before":
            raise UncertainOutcome("No answer came.")
        made = make()
        if trouble == "killed after":
            os.kill(os.getpid(), signal.SIGKILL)
        if trouble == "lost after":
            raise UncertainOutcome("No answer came.")
        return made

    def _called(self, name: str) -> None:
        self.calls += 1
        self._db.execute("INSERT INTO call VALUES (?)", (name,))


def _says(row: Line, line: Line) -> bool:
    return (row.article, row.quantity, row.price, row.text) == (line.article, line.quantity, line.price, line.text)


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
