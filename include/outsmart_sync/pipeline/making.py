"""Makes a document at OutSmart that would be made anew whenever it is sent: once, whatever becomes of the answer.

A line in the ledger says that one is about to be sent. Where such a line has no end, the document is looked for by its
number; only when two different runs have not found it is it known not to be there.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from outsmart_sync.errors import Busy, ConfigurationError, RecordError, TransientError, UncertainOutcome
from outsmart_sync.pipeline.outcomes import REFUSED, UNSURE, Outcome
from outsmart_sync.store import ledger
from outsmart_sync.store.ledger import LedgerState

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.pipeline.ports import Destination
    from outsmart_sync.records.exchange import Document
    from outsmart_sync.records.record import Record
    from outsmart_sync.records.values import Payload
    from outsmart_sync.store.ledger import Line
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NotMade:
    """Why there is no document, or why it is not known whether there is one."""

    outcome: Outcome
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes documents of one type.

    Attributes:
        store: The store.
        job: Whose documents.
        record: Their type.
        destination: The account.
    """

    store: Store
    job: Job
    record: Record
    destination: Destination

    @property
    def kind(self) -> str:
        """The ledger's word for the type."""
        return self.record.at_outsmart

    def line(self, connection: Connection, number: str) -> Line | None:
        """The ledger's line about a document; None: it was never sent."""
        return ledger.find(connection, self.job.account, self.kind, number)

    def begin(self, number: str, token: str = "") -> None:
        """Note that a document without a line is about to be sent.

        Raises:
            Busy: Another process has noted just that in the meantime.
        """
        with self.store.begin() as connection:
            mine = ledger.claim(
                connection,
                self.job.account,
                self.kind,
                number,
                connection_id=self.job.connection_id,
                run_id=self.job.run_id,
                token=token,
            )
        if not mine:
            raise self.busy(number)

    def done(self, connection: Connection, number: str, remote_id: str) -> None:
        """Note that a document was made; in the transaction that keeps what follows from it."""
        ledger.done(connection, self.job.account, self.kind, number, remote_id, self.job.run_id)

    def forget(self, connection: Connection, number: str) -> None:
        """Note that a document is known not to be there."""
        ledger.refused(connection, self.job.account, self.kind, number)

    def send(self, number: str, body: Payload) -> str | NotMade:
        """Send a document that :meth:`begin` has noted; returns OutSmart's id of it.

        Raises:
            TransientError: OutSmart cannot be reached; nothing was sent.
            ConfigurationError: OutSmart refuses our tokens; nothing is stored.
        """
        try:
            return self.destination.create(self.record, body)
        except RecordError as error:
            with self.store.begin() as connection:
                self.forget(connection, number)
            log.warning("%s %s refused by OutSmart: %s", self.record.label, number, error.technical)
            return NotMade(Outcome.REJECTED, REFUSED, error.what.rstrip(".") or error.technical)
        except UncertainOutcome as error:
            with self.store.begin() as connection:
                ledger.uncertain(connection, self.job.account, self.kind, number, self.job.run_id)
            log.warning("%s %s: whether OutSmart made it is unknown: %s", self.record.label, number, error.technical)
            return NotMade(Outcome.WAITING, UNSURE, error.technical or error.what)
        except (TransientError, ConfigurationError):
            with self.store.begin() as connection:
                self.forget(connection, number)
            raise

    def look_for(self, line: Line) -> Document | NotMade | None:
        """A document of which nobody knows whether it was made; None: it is known not to be there, and was forgotten.

        Raises:
            Busy: Another process looks for it or makes it just now.
        """
        found = self.destination.find(self.record, line.key)
        if len(found) == 1:
            log.info("%s %s was made after all: it is linked", self.record.label, line.key)
            return found[0]
        if found:
            return NotMade(Outcome.HELD, "several_documents", line.key)
        with self.store.begin() as connection:
            misses = ledger.missed(connection, line, self.job.run_id)
            missing = replace(line, state=LedgerState.UNCERTAIN, misses=misses or 0, run_id=self.job.run_id)
            sent_again = misses is not None and misses >= ledger.MISSES_UNTIL_SENT_AGAIN
            mine = misses is not None and (not sent_again or ledger.give_up(connection, missing))
        if not mine:
            raise self.busy(line.key)
        return None if sent_again else NotMade(Outcome.WAITING, UNSURE, "not found so far")

    def busy(self, number: str) -> Busy:
        """What is told when another process was quicker."""
        return Busy(
            f"{self.record.label.capitalize()} {number} is being brought to OutSmart by another process just now.",
            remedy="It goes on by itself.",
            technical=f"ledger {self.kind} {number} was written by another process",
        )
