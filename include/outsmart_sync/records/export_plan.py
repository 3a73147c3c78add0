"""What is to become of a work order: a plan of its document, or what stands in its way."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from outsmart_sync.records.export_document import ExportDocument, NewArticle, NewCustomer


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a work order is not sent.

    Attributes:
        state: The state that it gets.
        reason: Stable code.
        cause: What is the case, for people.
        remedy: What to do.
        by_itself: It goes by itself once what it waits for is there.
    """

    state: str
    reason: str
    cause: str
    remedy: str = ""
    by_itself: bool = False


class Quantity(msgspec.Struct, frozen=True):
    """A line of an imported order that bills what a line of the work order does.

    Attributes:
        line_id: The package's id of the line.
        ordered: Its quantity.
        used: The quantity that the work order has.
        key: Name of the work order's line.
        article: The package's id of its article.
        edited: The office gave it another quantity since ours was there: it is left alone.
        noted: The ledger has it as it is.
    """

    line_id: str
    ordered: Decimal
    used: Decimal
    key: str = ""
    article: str = ""
    edited: bool = False
    noted: bool = False

    @property
    def changes(self) -> bool:
        """Whether its quantity is to be set."""
        return self.ordered != self.used and not self.edited


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent.

    Attributes:
        document: The document; a customer or article that is yet to be made has no id in it.
        new_customers: Customers that are made first.
        new_articles: Articles that are made first.
        quantities: Lines of the imported order that the work order used, as ordered or otherwise.
        calls: Calls to the package that it takes, as far as can be told.
    """

    document: ExportDocument
    new_customers: list[NewCustomer] = []
    new_articles: list[NewArticle] = []
    quantities: list[Quantity] = []
    calls: int = 1


class Stopped(Exception):
    """A work order goes no further; the others do.

    Args:
        problem: Why.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.cause)
        self.problem = problem


_plans = msgspec.json.Decoder(Plan)
_problems = msgspec.json.Decoder(Problem)


def encode(value: Plan | Problem) -> str:
    """As text, for staging."""
    return msgspec.json.encode(value).decode()


def decode_plan(text: str) -> Plan:
    """The plan behind :func:`encode`'s text."""
    return _plans.decode(text)


def decode_problem(text: str) -> Problem:
    """The problem behind :func:`encode`'s text."""
    return _problems.decode(text)


def decode(text: str) -> Plan | Problem:
    """Whichever of both a text is."""
    return decode_plan(text) if text.startswith('{"document"') else decode_problem(text)
