"""Makes what a plan says: one document, or a call for each line, or lines on the order that the work came from.

Whichever it is, what comes back is what the package has now, to be compared with what was meant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outsmart_sync.errors import RecordError, UncertainOutcome
from outsmart_sync.pipeline import money
from outsmart_sync.pipeline.once import Once, Thing
from outsmart_sync.pipeline.order_back import says
from outsmart_sync.records.export_document import ExportDocument, Line, LineKind, MadeDocument
from outsmart_sync.records.export_plan import Plan, Problem, Quantity, Stopped
from outsmart_sync.records.export_update import Replaced, Sent, decode_line, decode_sent, encode
from outsmart_sync.store import ledger
from outsmart_sync.store.exports import GONE, ExportState
from outsmart_sync.store.ledger import LedgerState

if TYPE_CHECKING:
    from outsmart_sync.pipeline.export_ports import Exporter
    from outsmart_sync.records.export_catalogue import DocumentKind

ORDER_LINE = "order_line"
"""The ledger's word for a line on an imported order."""

ORDER_QUANTITY = "order_quantity"
"""Its word for the quantity of a line that was ordered."""

_MARGIN = timedelta(days=2)


@dataclass
class Documents:
    """Makes documents of one job.

    Attributes:
        once: Makes each thing once.
        exporter: The package.
        found: Token → what was found under it, of everything whose end is not known; looked for once, in batches.
    """

    once: Once
    exporter: Exporter
    found: dict[str, list[MadeDocument]] | None = field(default=None)

    def make(self, plan: Plan, key: str) -> MadeDocument:
        """What the package has, made now or before.

        Raises:
            Stopped: It was refused, or whether it is there is not known.
            TransientError: The package does not answer; what was made is noted.
        """
        document = plan.document
        if document.append_to:
            return self._append(plan, key)
        if self.once.job.kind.by_line:
            return self._lines(document, key)
        return self._document(document, key)

    def update(self, plan: Plan, key: str, remote_id: str) -> Replaced:
        """Bring a document that is there to what the work order says now, as far as it is as we sent it.

        Raises:
            Stopped: The package does not allow it, or gave no clear answer.
            TransientError: The package does not answer.
        """
        kind = self.once.job.kind
        with self.once.store.read() as connection:
            line = ledger.find(connection, self.once.job.account, kind.name, key)
        if line is None or not line.content:
            raise Stopped(
                Problem(
                    state=ExportState.DIFFERS,
                    reason="not_updated",
                    cause="Which lines of the document are ours is not known: an older version made it.",
                    remedy="Correct it there by hand, then: outsmart-sync export settle --accept.",
                )
            )
        sent = decode_sent(line.content)
        self._keep(kind.name, key, Sent(document=sent.document, becoming=plan.document))
        replaced = self._replace(kind, remote_id, sent, plan.document)
        ours = replace(plan.document, lines=replaced.lines)
        self._keep(kind.name, key, Sent(document=ours))
        return replaced

    def _keep(self, kind: str, key: str, content: Sent | Line) -> None:
        with self.once.store.begin() as connection:
            ledger.keep(connection, self.once.job.account, kind, key, encode(content))

    def _replace(self, kind: DocumentKind, remote_id: str, sent: Sent, document: ExportDocument) -> Replaced:
        self.once.may_send()
        try:
            return self.exporter.replace(kind, remote_id, sent, document)
        except RecordError as error:
            raise Stopped(
                Problem(
                    state=ExportState.DIFFERS,
                    reason="not_updated",
                    cause=f"{self.once.job.package} does not let the document be changed: {error.what}",
                    remedy="Correct it there by hand, then: outsmart-sync export settle --accept.",
                )
            ) from error
        except UncertainOutcome as error:
            raise Stopped(
                Problem(
                    state=ExportState.SENDING,
                    reason="unsure",
                    cause=f"{self.once.job.package} gave no clear answer about the change.",
                    remedy="It is made again by the next run.",
                    by_itself=True,
                )
            ) from error

    def _document(self, document: ExportDocument, key: str) -> MadeDocument:
        kind = self.once.job.kind
        made = self.once.make(
            Thing(
                kind.name,
                key,
                f"{kind.label} of work order {document.number}",
                document.token,
                encode(Sent(document=document)),
            ),
            lambda: self.exporter.create(kind, document),
            lambda: self._look(document.token),
            lambda found: _difference(document, found),
        )
        if made.total is None and made.quantity is None:
            return self.exporter.get(kind, made.remote_id) or _gone(document.number)
        return made

    def _lines(self, document: ExportDocument, key: str) -> MadeDocument:
        kind, made = self.once.job.kind, []
        for line in document.lines:
            if line.kind is LineKind.TEXT:
                continue
            each = self.once.make(
                Thing(kind.name, f"{key}/{line.key}", f"{line.kind} '{line.text[:40]}'", line.token),
                lambda line=line: self.exporter.create_line(kind, document, line),  # type: ignore[misc]
                lambda line=line: self._look(line.token),  # type: ignore[misc]
            )
            made.append(self._told(each, document.number))
        known = [each.quantity for each in made if each.quantity is not None]
        quantity = sum(known, Decimal(0)) if len(known) == len(made) else None
        total = money.total_of(each.total for each in made)
        return MadeDocument(remote_id=made[0].remote_id, number=document.number, total=total, quantity=quantity)

    def _told(self, made: MadeDocument, what: str) -> MadeDocument:
        """A line with what the package has of it; one that an earlier run made is read again, to be compared."""
        if made.quantity is not None or made.total is not None:
            return made
        return self.exporter.get(self.once.job.kind, made.remote_id) or _gone(what)

    def _append(self, plan: Plan, key: str) -> MadeDocument:
        document = plan.document
        for change in plan.quantities:
            # The plan names those that are otherwise now; it may be set again and again.
            self.once.attempt(
                Thing(ORDER_QUANTITY, key, f"quantity of {change.line_id}"),
                lambda change=change: self.exporter.change_quantity(  # type: ignore[misc]
                    document.append_to, change.line_id, change.used
                ),
            )
            self.once.note(
                Thing(ORDER_QUANTITY, f"{key}/{change.line_id}"[:120], "", content=f"{change.used:f}"), change.line_id
            )
        for line in document.lines:
            self.once.make(
                Thing(
                    ORDER_LINE,
                    f"{key}/{line.key}",
                    f"line '{line.text[:40]}' of work order {document.number}",
                    line.token,
                    encode(line),
                ),
                lambda line=line: self.exporter.append_line(document, line),  # type: ignore[misc]
                lambda line=line: self._on_order(document, line),  # type: ignore[misc]
            )
        order = self.exporter.order(document.append_to)
        if order is None:
            return _gone(document.number)
        return replace(order.made, total=money.total_of(line.amount for line in order.lines))

    def _edited_quantities(self, plan: Plan, key: str) -> list[Quantity]:
        """Ordered quantities that we set once, and the office since."""
        with self.once.store.read() as connection:
            known = ledger.of_prefix(connection, self.once.job.account, ORDER_QUANTITY, f"{key}/")
        ours = {line.remote_id: Decimal(line.content) for line in known if line.content}
        return [each for each in plan.quantities if ours.get(each.line_id, each.ordered) != each.ordered]

    def bring_up_to_date(self, plan: Plan, key: str) -> tuple[Plan, list[str]]:
        """Bring the lines that we added to an imported order to what the work order says now.

        Returns:
            What is yet to be done, and what is left alone, in words.

        Raises:
            Stopped: The package does not allow it, or gave no clear answer.
            TransientError: The package does not answer.
        """
        job, edited = self.once.job, self._edited_quantities(plan, key)
        left = [f"the ordered quantity {each.ordered.normalize():f} is not the one that we set" for each in edited]
        order_id = plan.document.append_to
        order = self.exporter.order(order_id)
        there = {line.token: line for line in order.lines if line.token} if order else {}
        wanted = {f"{key}/{line.key}": line for line in plan.document.lines}
        with self.once.store.read() as connection:
            known = ledger.of_prefix(connection, job.account, ORDER_LINE, f"{key}/")
        for entry in (each for each in known if each.state is LedgerState.DONE and each.content):
            was = decode_line(entry.content)
            row, line = there.get(was.token), wanted.get(entry.key)
            if row is None or not (says(row, was) or (line is not None and says(row, line))):
                left.append(f"'{was.text[:60]}' is not on the order as it was sent")
                continue
            thing = Thing(ORDER_LINE, entry.key, f"line '{was.text[:40]}' of work order {plan.document.number}")
            if line is None:
                self.once.attempt(thing, lambda row=row: self.exporter.remove_line(order_id, row.remote_id))  # type: ignore[misc]
                with self.once.store.begin() as connection:
                    ledger.refused(connection, job.account, ORDER_LINE, entry.key)
                continue
            if not says(row, line):
                self.once.attempt(
                    thing,
                    lambda row=row, line=line: self.exporter.change_line(order_id, row.remote_id, line),  # type: ignore[misc]
                )
            self._keep(ORDER_LINE, entry.key, line)
        return replace(plan, quantities=[each for each in plan.quantities if each not in edited]), left

    def _on_order(self, document: ExportDocument, line: Line) -> list[MadeDocument]:
        order = self.exporter.order(document.append_to)
        return [
            MadeDocument(remote_id=each.remote_id, quantity=each.quantity)
            for each in (order.lines if order else ())
            if each.token == line.token
        ]

    def _look(self, token: str) -> list[MadeDocument]:
        """What is there under a token: everything whose end is not known is looked for at once."""
        if self.found is None:
            self.found = self._look_for_all()
        return self.found.get(token, [])

    def _look_for_all(self) -> dict[str, list[MadeDocument]]:
        job = self.once.job
        with self.once.store.read() as connection:
            lines = ledger.unclear(connection, job.account, job.kind.name, job.connection_id)
        tokens = [token for _, token in lines if token]
        if not tokens:
            return {}
        begun = min((line.begun_at for line, _ in lines if line.begun_at), default=job.now)
        found: dict[str, list[MadeDocument]] = {}
        for each in self.exporter.find(job.kind, tokens, (begun - _MARGIN).date()):
            found.setdefault(each.token, []).append(each)
        return found


def compared(job_tolerance: Decimal, plan: Plan, made: MadeDocument, package: str) -> Problem | None:
    """What the package has, beside what was meant; None: they are the same, as far as the package says."""
    document = plan.document
    billed = [line for line in document.lines if line.kind is not LineKind.TEXT]
    if document.total is not None and made.total is not None:
        if money.within(document.total, made.total, job_tolerance, len(billed)):
            return None
        return _differs(
            "total", f"{package} computes {money.cents(made.total)}, the work order comes to {document.total}."
        )
    quantity = sum((line.quantity for line in billed), Decimal(0))
    if made.quantity is not None and not document.append_to and made.quantity != quantity:
        return _differs("quantity", f"{package} has a quantity of {made.quantity}, the work order of {quantity}.")
    return None


def _differs(reason: str, cause: str) -> Problem:
    return Problem(
        state=ExportState.DIFFERS,
        reason=reason,
        cause=cause,
        remedy="Right as it is, or corrected there by hand: outsmart-sync export settle --accept. Or delete it there "
        "and send it again: outsmart-sync export resend.",
    )


def _difference(document: ExportDocument, found: MadeDocument) -> str:
    """What is other about a document that was found; '' when it is ours."""
    if found.customer and found.customer != document.customer:
        return "it is for another customer"
    if found.invoice_to and found.invoice_to != document.invoice_to:
        return "another one pays it"
    if found.total is not None and document.total is not None:
        allowed = money.CENT * len(document.lines)
        if abs(found.total - document.total) > allowed:
            return f"it comes to {money.cents(found.total)} instead of {document.total}"
    return ""


def _gone(number: str) -> MadeDocument:
    raise Stopped(
        Problem(
            state=ExportState.DIFFERS,
            reason=GONE,
            cause=f"What work order {number} was exported as is gone: somebody deleted it.",
            remedy="To make it again: outsmart-sync export resend. If it is billed otherwise, or not at all: "
            "outsmart-sync export settle --accept.",
        )
    )
