"""What vendors and the pipeline hand each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from outsmart_sync.errors import RecordError
from outsmart_sync.records.mapping import MappedPage
from outsmart_sync.records.values import Payload

DELETIONS = "deletions"
"""Name under which a category keeps its cursor in the package's list of deleted records."""


NOT_THERE = "0"
"""The position in a stream that the administration does not have: what was known of it is not gone by that."""


@dataclass(frozen=True, slots=True)
class ReadPage:
    """One page of a stream, mapped.

    Attributes:
        mapped: Its rows.
        next_page: Where to go on after an interruption; None: this was the last page.
        cursor: Position in the stream after this page, in the package's terms; '' when the page says none.
        fetched: Rows the package sent, of which ``mapped`` may hold fewer.
    """

    mapped: MappedPage
    next_page: str | None
    cursor: str
    fetched: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """A record that the package says is gone."""

    stream: str
    provider_id: str
    version: int | None


@dataclass(frozen=True, slots=True)
class DeletionsPage:
    """One page of deletions that concern the category."""

    deletions: list[Deletion]
    next_page: str | None
    cursor: str


@dataclass(slots=True)
class News:
    """What a poll found.

    Attributes:
        categories: Categories that have something to read.
        passed: Cursors that may move on without reading, because what lies before them concerns nobody here:
            category → stream → position.
        doubtful: Something new is older than what was read before, by its row version: all rows may have been numbered
            anew, so that the cursors are worth nothing.
    """

    categories: set[str] = field(default_factory=set)
    passed: dict[str, dict[str, str]] = field(default_factory=dict)
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page of a vendor's web application, for a person.

    Attributes:
        address: Where it is.
        of_record: Whether it is the record's own page; else it is where a person looks for it.
    """

    address: str
    of_record: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that the destination did not take, by its place in the list that was sent."""

    index: int
    error: RecordError


class Stage(StrEnum):
    """How far OutSmart's people are with a document."""

    NEW = "new"
    """Nobody has begun: it may still be changed."""
    STARTED = "started"
    """Somebody works on it: it is left alone."""
    FINISHED = "finished"
    """The work is done: it is left alone."""


@dataclass(frozen=True, slots=True)
class Document:
    """A record at the destination that is made once: sending it again would make a second one.

    Attributes:
        remote_id: The destination's own id of it.
        number: Our number, by which it is found again.
        stage: How far it is there.
        payload: Its fields in canonical form.
    """

    remote_id: str
    number: str
    stage: Stage
    payload: Payload


@dataclass(frozen=True, slots=True)
class Administration:
    """One administration that may be chosen.

    Attributes:
        code: The package's code.
        name: Its name.
        country: Lower-case country code; '' when unknown.
        currency: Its currency; '' when unknown.
        notes: What a person should know before choosing it, in sentences.
    """

    code: str
    name: str
    country: str
    currency: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Login:
    """What a fresh login gives access to.

    Attributes:
        user_id: The package's id of the person.
        user_name: The person's name.
        administrations: What may be chosen.
    """

    user_id: str
    user_name: str
    administrations: list[Administration]
