"""The guard at first contact: a code alone does not make one record of two firms.

Both systems number customers by themselves, so a record of the package and one of OutSmart with the same code may be
two firms. As long as nothing links them but that code, they are compared: where both sides are filled and clearly speak
of two firms, or a person said so, they are kept apart and the package's record is held. Only first contacts are looked
at, so an ordinary run pays one query.

Nor does a number alone make one of two documents: administrations number theirs alike. One that was made for another
connection is that one's; of one that nobody here has made, the customer tells.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, or_, select, update

from outsmart_sync.pipeline import halves, references, scope
from outsmart_sync.pipeline.outcomes import BY_HAND, KEPT_APART, OTHER_DOCUMENT, TWO_FIRMS, Link, Outcome
from outsmart_sync.records.setting_kinds import HOLD_TWO_FIRMS
from outsmart_sync.records.staged import Origin
from outsmart_sync.records.values import Payload, decode
from outsmart_sync.store import staged_rows
from outsmart_sync.store.tables import ledger, mirror, staging

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.record import Identity, Record

log = logging.getLogger(__name__)

_CHUNK = 1_000
_COUNTRY_LETTERS = 2
_NAME_AND_PLACE = 2
_NO_SIGN = re.compile(r"[\W_]+")
_own = mirror.alias("own")


def are_two_firms(identity: Identity, ours: Payload, theirs: Payload) -> bool:
    """Whether two records clearly speak of two firms; a number that both have outweighs names and addresses."""
    numbers = [_same_number(ours[name], theirs[name]) for name in identity.numbers if name in ours and name in theirs]
    if numbers:
        return not all(numbers)
    together = [_differ(ours.get(name), theirs.get(name)) for name in identity.together]
    return bool(together) and all(together)


def fingerprints(identity: Identity, payload: Payload) -> set[tuple[str, str]]:
    """What two records that are likely one have in common: a registration number, or name and postcode together."""
    numbers = {(name, _split(_plain(payload[name]))[1]) for name in identity.numbers if payload.get(name)}
    parts = [_plain(payload[name]) for name in identity.together[:_NAME_AND_PLACE] if payload.get(name)]
    whole = {("together", " ".join(parts))} if len(parts) == _NAME_AND_PLACE and all(parts) else set()
    return {(name, value) for name, value in numbers if value} | whole


def _same_number(one: str | bool, other: str | bool) -> bool:
    """Whether two registration numbers are one, apart from blanks, dots, case, leading zeros and a country left off."""
    whole, whole_other = _plain(one), _plain(other)
    if not whole or not whole_other or whole == whole_other:
        return True
    (country, rest), (country_other, rest_other) = _split(whole), _split(whole_other)
    if rest == rest_other:
        return not country or not country_other or country == country_other
    return whole == rest_other or rest == whole_other


def _split(number: str) -> tuple[str, str]:
    """A number's country and what comes behind it; some countries' own numbers begin with letters too."""
    letters = number[:_COUNTRY_LETTERS]
    country = letters if letters.isalpha() and len(number) > _COUNTRY_LETTERS else ""
    return country, number[len(country) :].lstrip("0")


def _differ(one: str | bool | None, other: str | bool | None) -> bool:
    if one is None or other is None:
        return False
    plain, plain_other = _plain(one), _plain(other)
    return bool(plain and plain_other) and plain != plain_other


def _plain(value: str | bool) -> str:
    """A text without case, accents, blanks and punctuation."""
    letters = unicodedata.normalize("NFKD", str(value).casefold())
    return _NO_SIGN.sub("", "".join(letter for letter in letters if not unicodedata.combining(letter)))


def hold_two_firms(connection: Connection, job: Job, record: Record) -> None:
    """Keep staged rows from the records of OutSmart that are not theirs; the open ones among them are held."""
    if not job.delivers:
        return
    held = 0
    for rows in staged_rows.chunks(connection, _first_contacts(job, record), _CHUNK):
        bodies = _bodies(connection, job, record, [decode(row.payload) for row in rows])
        judged = ((row, _verdict(job, record, row, body)) for row, body in zip(rows, bodies, strict=True))
        found = [(row, reason) for row, reason in judged if reason]
        if not found:
            continue
        bound = [row.mirror_id for row, _ in found if row.mirror_id == row.own_id]
        halves.split(connection, record, halves.rows_of(connection, bound) if bound else [])
        _unlink(connection, job, [row for row, _ in found])
        still_open = [(row, reason) for row, reason in found if row.outcome is None]
        _hold(connection, job, record, still_open)
        held += len(still_open)
    if held:
        log.warning("%s %s records held: their code is another one's in OutSmart", held, record.label)


def part_two_firms(connection: Connection, job: Job, record: Record) -> None:
    """Part records of the mirror that were bound to OutSmart's by their code when the account was read."""
    after = -1
    query = (
        select(mirror)
        .where(
            scope.mirrored(job, record.name),
            mirror.c.provider_id.is_not(None),
            mirror.c.payload.is_not(None),
            _untouched(),
            _worth_a_look(job, record, mirror.c.link),
        )
        .order_by(mirror.c.id)
        .limit(_CHUNK)
    )
    while rows := connection.execute(query.where(mirror.c.id > after)).all():
        after = rows[-1].id
        two = [row for row in rows if row.link == Link.APART or _speaks_of_two(job, record, row.payload, row.outsmart)]
        halves.split(connection, record, two)


def _untouched() -> ColumnElement[bool]:
    """OutSmart has it, and nothing but the code ever linked it: neither we brought it, nor did a person say so."""
    return and_(mirror.c.outsmart.is_not(None), mirror.c.delivered_hash.is_(None), mirror.c.link.not_in(BY_HAND))


def _worth_a_look(job: Job, record: Record, link: ColumnElement[str]) -> ColumnElement[bool]:
    if record.identity is not None and (record.made_once or job.is_on(HOLD_TWO_FIRMS)):
        return mirror.c.outsmart.is_not(None)
    return link == Link.APART


def _first_contacts(job: Job, record: Record) -> Any:
    """Rows that found OutSmart's record by its code alone, with the record of the mirror that has their own id."""
    own = and_(scope.mirrored(job, record.name, _own), _own.c.provider_id == staging.c.provider_id)
    made = and_(ledger.c.account == job.account, ledger.c.kind == record.at_outsmart, ledger.c.key == mirror.c.code)
    by_code = and_(mirror.c.outsmart.is_not(None), mirror.c.provider_id.is_distinct_from(staging.c.provider_id))
    return (
        select(
            staging.c.seq,
            staging.c.payload,
            staging.c.outcome,
            staging.c.code_key,
            staging.c.mirror_id,
            mirror.c.code,
            mirror.c.outsmart,
            _own.c.id.label("own_id"),
            _own.c.link,
            _own.c.code_key.label("own_key"),
            ledger.c.connection_id.label("made_for"),
        )
        .select_from(staging)
        .join(mirror, mirror.c.id == staging.c.mirror_id)
        .outerjoin(_own, own)
        .outerjoin(ledger, made)
        .where(
            scope.staged(job),
            staging.c.record == record.name,
            staging.c.origin != Origin.DELETED,
            or_(by_code, _untouched()),
            _worth_a_look(job, record, _own.c.link),
        )
    )


def _bodies(connection: Connection, job: Job, record: Record, payloads: list[Payload]) -> list[Payload]:
    """What is compared: a document names its customer by the package's id, OutSmart by its code."""
    if not record.made_once:
        return payloads
    found = references.resolve(connection, job, record, payloads)
    return [references.body_of(record, payload, others) for payload, others in zip(payloads, found, strict=True)]


def _verdict(job: Job, record: Record, row: Row[Any], body: Payload) -> str | None:
    """Why a row and the record it found are two; None: they are one, as far as anybody can tell."""
    if row.link == Link.APART and row.own_key == row.code_key:
        return KEPT_APART
    if record.made_once:
        return OTHER_DOCUMENT if is_another(job, record, row.made_for, body, decode(row.outsmart)) else None
    return TWO_FIRMS if _speaks_of_two(job, record, row.payload, row.outsmart) else None


def is_another(job: Job, record: Record, made_for: int | None, body: Payload, there: Payload) -> bool:
    """Whether OutSmart's document with the number of one of ours is another one.

    Args:
        job: For whom ours is.
        record: The type of document.
        made_for: The connection for which OutSmart's was made; None: nobody here has made it.
        body: Ours, as it would be sent.
        there: OutSmart's.
    """
    if made_for is not None:
        return made_for != job.connection_id
    return record.identity is not None and are_two_firms(record.identity, body, there)


def _speaks_of_two(job: Job, record: Record, ours: str, theirs: str) -> bool:
    if record.identity is None or record.made_once or not job.is_on(HOLD_TWO_FIRMS):
        return False
    return are_two_firms(record.identity, decode(ours), decode(theirs))


def _unlink(connection: Connection, job: Job, rows: list[Row[Any]]) -> None:
    """A row that is kept from OutSmart's record points to its own one in the mirror, where there is one."""
    connection.execute(
        update(staging)
        .where(scope.staged(job), staging.c.seq == bindparam("seq_"))
        .values(mirror_id=bindparam("own_")),
        [{"seq_": row.seq, "own_": row.own_id} for row in rows],
    )


def _hold(connection: Connection, job: Job, record: Record, found: list[tuple[Row[Any], str]]) -> None:
    if not found:
        return
    connection.execute(
        update(staging)
        .where(scope.staged(job), staging.c.seq == bindparam("seq_"))
        .values(outcome=Outcome.HELD, reason=bindparam("reason_"), detail=bindparam("detail_")),
        [{"seq_": row.seq, "reason_": why, "detail_": shown(record, row.code, row.outsmart)} for row, why in found],
    )


def shown(record: Record, code: str, outsmart: str) -> str:
    """What a person is shown of OutSmart's record: its code, and what it is recognised by."""
    there = decode(outsmart)
    names = record.identity.shown if record.identity else (record.title,)
    return ", ".join([code.strip(), *(str(there[name]) for name in names if name in there)])
