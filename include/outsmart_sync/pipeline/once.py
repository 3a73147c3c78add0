"""Makes one thing at a package exactly once, whatever becomes of the answer.

The ledger is written before the call, and the thing's id after it. Where a line has no end, what is there is looked at
first: found and alike, it is taken for ours; not found in two different runs, it is sent again; anything else is for a
person to decide.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from outsmart_sync.errors import Busy, ConfigurationError, RecordError, TransientError, UncertainOutcome
from outsmart_sync.records.export_document import MadeDocument
from outsmart_sync.records.export_plan import Problem, Stopped
from outsmart_sync.store import ledger
from outsmart_sync.store.exports import ExportState
from outsmart_sync.store.ledger import LedgerState

if TYPE_CHECKING:
    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.store.ledger import Line
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_CLOCKS_DIFFER = timedelta(hours=26)
"""So much may a package's idea of when something was made lie before ours: its clock, and a time without a zone."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What is made.

    Attributes:
        kind: The ledger's word for it.
        key: Its key there.
        label: The word a person uses.
        token: By which it is found again; '' where something else is looked at.
        content: What is sent, to be kept; '' where nobody asks.
    """

    kind: str
    key: str
    label: str
    token: str = ""
    content: str = ""


@dataclass(frozen=True, slots=True)
class Once:
    """Makes things of one job.

    Attributes:
        store: The store.
        job: Whose.
        may_send: Raises when this process may not go on, since another one has taken over.
    """

    store: Store
    job: ExportJob
    may_send: Callable[[], None]

    def make(
        self,
        thing: Thing,
        send: Callable[[], MadeDocument],
        look: Callable[[], Sequence[MadeDocument]],
        differs: Callable[[MadeDocument], str] = lambda _: "",
    ) -> MadeDocument:
        """The thing, made now or before.

        Args:
            thing: What it is.
            send: Makes it, with a single call.
            look: Everything at the package that may be it.
            differs: What is other about something that was found, in words; '' when it is ours.

        Raises:
            Stopped: It was refused, or whether it is there is for a later run or a person to find out.
            TransientError: Nothing was made; this may be run again.
            ConfigurationError: Nothing was made.
        """
        with self.store.read() as connection:
            line = ledger.find(connection, self.job.account, thing.kind, thing.key)
        if line is not None and line.state is LedgerState.DONE:
            return MadeDocument(remote_id=line.remote_id)
        if line is not None and (found := self._found(line, thing, look, differs)) is not None:
            self._done(thing, found.remote_id)
            return found
        self.may_send()
        with self.store.begin() as connection:
            mine = ledger.claim(
                connection,
                self.job.account,
                thing.kind,
                thing.key,
                connection_id=self.job.connection_id,
                run_id=self.job.run_id,
                token=thing.token,
                content=thing.content,
                seen=line,
            )
        if not mine:
            raise self._busy(thing)
        made = self._send(thing, send)
        self._done(thing, made.remote_id)
        return made

    def found_again(
        self, thing: Thing, look: Callable[[], Sequence[MadeDocument]], differs: Callable[[MadeDocument], str]
    ) -> MadeDocument | None:
        """What was sent without a clear answer, if it is there; nothing is sent.

        Args:
            thing: What it is.
            look: As of :meth:`make`.
            differs: Likewise.

        Returns:
            None: nothing is unclear, or what was is known not to be there, and forgotten.

        Raises:
            Stopped: Whether it is there is for a later run or a person to find out.
            Busy: Another process is at it.
        """
        with self.store.read() as connection:
            line = ledger.find(connection, self.job.account, thing.kind, thing.key)
        if line is None or line.state not in ledger.UNCLEAR:
            return None
        found = self._found(line, thing, look, differs)
        if found is not None:
            self._done(thing, found.remote_id)
            return found
        with self.store.begin() as connection:
            now = ledger.find(connection, self.job.account, thing.kind, thing.key)
            if now is not None and (now.begun_at != line.begun_at or not ledger.give_up(connection, now)):
                raise self._busy(thing)
        return None

    def repeat(self, thing: Thing, call: Callable[[], object], remote_id: str) -> None:
        """Do what may be done again and again, until it is known to be done.

        Raises:
            Stopped: It was refused, or no clear answer came: the next run does it again.
            TransientError: The package does not answer.
        """
        if self.is_done(thing):
            return
        self.attempt(thing, call)
        self.note(thing, remote_id)

    def note(self, thing: Thing, remote_id: str) -> None:
        """Keep that something which may be repeated has been done, and its content where it has one."""
        job = self.job
        with self.store.begin() as connection:
            ledger.note(
                connection,
                job.account,
                thing.kind,
                thing.key,
                connection_id=job.connection_id,
                run_id=job.run_id,
                remote_id=remote_id,
                content=thing.content,
            )

    def attempt(self, thing: Thing, call: Callable[[], object]) -> None:
        """Do what may be done again and again; raises as :meth:`repeat` does."""
        self.may_send()
        try:
            call()
        except RecordError as error:
            raise Stopped(self._refused(thing, error)) from error
        except UncertainOutcome as error:
            raise Stopped(
                Problem(
                    state=ExportState.SENDING,
                    reason="unsure",
                    cause=f"{self.job.package} gave no clear answer about the {thing.label}.",
                    remedy="It is done again by the next run.",
                    by_itself=True,
                )
            ) from error

    def is_done(self, thing: Thing) -> bool:
        """Whether a thing is known to have been made."""
        with self.store.read() as connection:
            line = ledger.find(connection, self.job.account, thing.kind, thing.key)
        return line is not None and line.state is LedgerState.DONE

    def _send(self, thing: Thing, send: Callable[[], MadeDocument]) -> MadeDocument:
        try:
            return send()
        except RecordError as error:
            self._forget(thing)
            log.warning("%s refused by %s: %s", thing.label, self.job.package, error.technical)
            raise Stopped(self._refused(thing, error)) from error
        except UncertainOutcome as error:
            with self.store.begin() as connection:
                ledger.uncertain(connection, self.job.account, thing.kind, thing.key, self.job.run_id)
            log.warning("Whether %s was made is not known: %s", thing.label, error.technical)
            raise Stopped(self._uncertain(thing, f"“{error.technical}”" if error.technical else error.what)) from error
        except (TransientError, ConfigurationError):
            self._forget(thing)
            raise

    def _found(
        self,
        line: Line,
        thing: Thing,
        look: Callable[[], Sequence[MadeDocument]],
        differs: Callable[[MadeDocument], str],
    ) -> MadeDocument | None:
        """What was made before; None: by now it is known not to be there."""
        found = list({each.remote_id: each for each in look()}.values())
        if len(found) > 1:
            numbers = ", ".join(each.number or each.remote_id for each in found)
            raise Stopped(self._undecided(thing, "several_documents", f"{self.job.package} has several: {numbers}."))
        if found:
            other = _too_early(line, found[0]) or differs(found[0])
            if not other:
                log.info("%s was made after all: it is linked", thing.label)
                return found[0]
            number = found[0].number or found[0].remote_id
            cause = f"{self.job.package} has {thing.label} {number}, but {other}."
            raise Stopped(self._undecided(thing, "half_alike", cause))
        with self.store.begin() as connection:
            misses = ledger.missed(connection, line, self.job.run_id)
        if misses is None or misses < ledger.MISSES_UNTIL_SENT_AGAIN:
            raise Stopped(self._uncertain(thing, "not found so far"))
        return None

    def _done(self, thing: Thing, remote_id: str) -> None:
        with self.store.begin() as connection:
            ledger.done(connection, self.job.account, thing.kind, thing.key, remote_id, self.job.run_id)

    def _forget(self, thing: Thing) -> None:
        with self.store.begin() as connection:
            ledger.refused(connection, self.job.account, thing.kind, thing.key)

    @staticmethod
    def _busy(thing: Thing) -> Busy:
        return Busy(
            f"Another process is sending the {thing.label} just now.",
            remedy="It is tried again by itself.",
            technical=f"ledger {thing.kind} {thing.key} was claimed by another process",
        )

    def _refused(self, thing: Thing, error: RecordError) -> Problem:
        return Problem(
            state=ExportState.FAILED,
            reason="refused",
            cause=f"{self.job.package} refuses the {thing.label}: {error.what}",
            remedy=error.remedy or "Mend what it names, then: outsmart-sync export resend.",
        )

    def _uncertain(self, thing: Thing, detail: str) -> Problem:
        return Problem(
            state=ExportState.UNCERTAIN,
            reason="unsure",
            cause=f"Whether {self.job.package} made the {thing.label} is not known: {detail}.",
            remedy="It is looked for by the next runs, and sent again only when two of them have not found it. "
            "If you know: outsmart-sync export settle.",
            by_itself=True,
        )

    def _undecided(self, thing: Thing, reason: str, cause: str) -> Problem:
        return Problem(
            state=ExportState.UNCERTAIN,
            reason=reason,
            cause=f"Whether the {thing.label} is there already is for you to say: {cause}",
            remedy="Look at it there, then say which it is: outsmart-sync export settle.",
        )


def _too_early(line: Line, found: MadeDocument) -> str:
    if not found.made_at or line.begun_at is None:
        return ""
    made_at = datetime.fromisoformat(found.made_at)
    aware = made_at if made_at.tzinfo else made_at.replace(tzinfo=line.begun_at.tzinfo)
    return f"it was made on {found.made_at}, before ours was sent" if aware < line.begun_at - _CLOCKS_DIFFER else ""
