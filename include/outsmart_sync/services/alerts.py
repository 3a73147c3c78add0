"""Alerts: who hears, by e-mail, webhook or notifier, of what breaks, works again, or was cancelled; once each."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from sqlalchemy import delete, insert, select, update

from outsmart_sync.errors import InvalidSettings, Problem, SyncError
from outsmart_sync.languages import sentences
from outsmart_sync.languages.catalogue import DEFAULT, LANGUAGES, translations
from outsmart_sync.pipeline.by_hand import RECENTLY
from outsmart_sync.pipeline.outcomes import CANCELLED, explain
from outsmart_sync.providers import web
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import breakage, settings
from outsmart_sync.services.setting_values import ENABLED
from outsmart_sync.store import connections, dialect
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.tables import alert, record_log, setting, sync_connection

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.services.settings import Settings
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

_BY_MAIL, _BY_WEBHOOK, _BY_NOTIFIER = "", "webhook", "notifier:"  # how the keys of ways begin
EMAILS, WEBHOOK, LANGUAGE = "alert_emails", "alert_webhook", "alert_language"
_OF_WAY = "|"  # between the way and what was told over it
_NAMED = 20  # so many cancelled orders are named in one message
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+")


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who hears of a connection.

    Attributes:
        emails: E-mail addresses.
        webhook: Address that gets a JSON document; '': none.
        language: In which language, of :data:`LANGUAGES`; '': nobody has said, so in English.
    """

    emails: tuple[str, ...] = ()
    webhook: str = ""
    language: str = ""

    def __bool__(self) -> bool:
        """Whether anybody hears."""
        return bool(self.emails or self.webhook)


@dataclass(frozen=True, slots=True)
class Message:
    """One alert.

    Attributes:
        event: ``broken``, ``recovered``, ``cancelled`` or ``test``.
        connection: Administration's name.
        package: The package's product name.
        category: The category's label; '' when the whole connection is meant.
        code: Code of the error.
        subject: One line.
        text: What happened, why, and what to do.
    """

    event: str
    connection: str
    package: str
    category: str
    code: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class _News:
    """What nobody has been told.

    Attributes:
        event: As in :class:`Message`.
        category: Name of the category, or key of :mod:`breakage`; '' for the connection itself.
        code: Code of the error.
        text: What happened, why, and what to do.
        told: Keys under which it is noted that it was told.
    """

    event: str
    category: str
    code: str
    text: str
    told: tuple[str, ...]


class Notifier(Protocol):
    """Whoever the operator lets hear of every connection."""

    @property
    def key(self) -> str:
        """Under which it is noted what it was told."""

    @property
    def language(self) -> str:
        """In which language it hears, of :data:`LANGUAGES`; any other: in English."""

    def notify(self, message: Message) -> None:
        """Hand it a message."""


class Sender(Protocol):
    """Sends messages."""

    def mail(self, to: tuple[str, ...], message: Message) -> None:
        """Send an e-mail."""

    def post(self, address: str, message: Message) -> None:
        """Send a JSON document."""

    def notifiers(self) -> Sequence[Notifier]:
        """Who hears of every connection."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way by which messages go: each is told once over each, however often another one fails.

    Attributes:
        key: Under which it is noted what was told.
        language: In which language.
        send: Sends a message.
    """

    key: str
    language: str
    send: Callable[[Message], None]

    def noted(self, category: str) -> str:
        """Under which it is noted that something was told."""
        return f"{self.key}{_OF_WAY}{category}" if self.key else category


def recipients(store: Store, connection: SyncConnection) -> Recipients:
    """Who hears of a connection."""
    query = select(setting.c.name, setting.c.value).where(
        setting.c.connection_id == connection.id,
        setting.c.category == breakage.WHOLE,
        setting.c.name.in_((EMAILS, WEBHOOK, LANGUAGE)),
    )
    with store.read() as transaction:
        found = {row.name: msgspec.json.decode(row.value) for row in transaction.execute(query)}
    return Recipients(tuple(found.get(EMAILS, ())), found.get(WEBHOOK, ""), found.get(LANGUAGE, ""))


def save(store: Store, connection: SyncConnection, emails: str, webhook: str, language: str = DEFAULT) -> Recipients:
    """Set who hears of a connection.

    Args:
        store: The store.
        connection: The connection.
        emails: Addresses, parted by commas, blanks or line ends.
        webhook: An address, or ''.
        language: In which language they hear.

    Raises:
        InvalidSettings: An address is none; nothing is saved.
    """
    addresses = tuple(dict.fromkeys(part for part in re.split(r"[\s,;]+", emails) if part))
    problems = [
        Problem(breakage.WHOLE, EMAILS, f"'{each}' is no e-mail address.")
        for each in addresses
        if not _EMAIL.fullmatch(each)
    ]
    webhook = webhook.strip()
    try:
        if webhook:
            web.checked_address(webhook, "webhook")
    except SyncError as error:
        problems.append(Problem(breakage.WHOLE, WEBHOOK, str(error)))
    if language not in LANGUAGES:
        problems.append(Problem(breakage.WHOLE, LANGUAGE, f"'{language}' is none of {', '.join(LANGUAGES)}."))
    if problems:
        raise InvalidSettings(
            "Nothing was saved: " + " ".join(map(str, problems)), remedy="Correct it and save again."
        ).at(problems)
    settings.keep(store, connection, {EMAILS: list(addresses), WEBHOOK: webhook, LANGUAGE: language})
    return Recipients(addresses, webhook, language)


def test(store: Store, connection: SyncConnection, sender: Sender) -> None:
    """Send a message that only says that messages arrive.

    Raises:
        SyncError: It could not be sent.
    """
    ways = _ways(recipients(store, connection), sender, sender.notifiers())
    if not ways:
        raise InvalidSettings("Nobody is to hear of this connection.", remedy="Save an address first.")
    text = "This is a test: nothing is wrong."
    for way in ways:
        way.send(_message(connection, _News("test", breakage.WHOLE, "test", text, ()), way.language))


def tell(store: Store, sender: Sender) -> int:
    """Tell what has broken and what works again since the last time; returns how many messages went out.

    A message that cannot be sent is tried again the next time; neither that nor a defect in one connection fails
    anything else.
    """
    notifiers: Sequence[Notifier] | None = None
    try:
        notifiers = sender.notifiers()
    except SyncError as error:
        log.warning("No notifier hears of anything: %s (%s)", error, error.technical)
    sent = 0
    for connection in connections.find(store):
        try:
            ways = _ways(recipients(store, connection), sender, notifiers or ())
            _keep_to(store, connection, {way.key for way in ways}, notifiers_known=notifiers is not None)
            for way in ways:
                for news in (*_changes(store, connection, way), *_cancelled(store, connection, way)):
                    sent += _deliver(store, way, connection, news)
        except Exception:
            log.exception("%s: nobody could be told of anything", connection.label)
    return sent


def _ways(to: Recipients, sender: Sender, notifiers: Sequence[Notifier]) -> list[_Way]:
    """The ways by which somebody hears of a connection."""
    ways = [_Way(_BY_MAIL, to.language, partial(sender.mail, to.emails))] if to.emails else []
    if to.webhook:
        ways.append(_Way(_BY_WEBHOOK, to.language, partial(sender.post, to.webhook)))
    return ways + [_Way(each.key, each.language, each.notify) for each in notifiers]


def _keep_to(store: Store, connection: SyncConnection, keys: set[str], *, notifiers_known: bool) -> None:
    """Forget what was told over ways that are gone: to one that comes back, what is broken then is news.

    Where a webhook is all there is, it takes over what was told by mail: earlier versions noted nothing else. What was
    told of cancelled orders goes by itself, with time.
    """
    with store.read() as transaction:
        query = select(alert).where(alert.c.connection_id == connection.id)
        told = {row.category: row for row in transaction.execute(query)}
    gone: list[str] = []
    taken_over: dict[str, str] = {}
    for noted, row in told.items():
        key, _, category = noted.rpartition(_OF_WAY)
        if key in keys or (key.startswith(_BY_NOTIFIER) and not notifiers_known):
            continue
        if row.code != CANCELLED:
            gone.append(noted)
        if key == _BY_MAIL and _BY_WEBHOOK in keys and (new := f"{_BY_WEBHOOK}{_OF_WAY}{category}") not in told:
            taken_over[new] = noted
    if not gone and not taken_over:
        return
    with store.begin() as transaction:
        for new, noted in taken_over.items():
            values = {"connection_id": connection.id, "category": new}
            row = told[noted]
            statement = dialect.upsert(transaction, alert).values(values | {"code": row.code, "told_at": row.told_at})
            transaction.execute(statement.on_conflict_do_nothing())
        _forget(transaction, connection, tuple(gone))


def _locked(transaction: Connection, connection: SyncConnection) -> SyncConnection | None:
    """A connection as it is now, which no other run tells of before this transaction has ended; None: it was erased."""
    # Not what a row that refers to it waits for, such as one of the sync log.
    query = select(sync_connection).where(sync_connection.c.id == connection.id).with_for_update(key_share=True)
    row = transaction.execute(query).one_or_none()
    if row is None:
        return None
    told = {"state_code": row.state_code, "state_text": row.state_text, "login_id": row.login_id}
    return replace(connection, state=State(row.state), **told)


def _standing(
    transaction: Connection, connection: SyncConnection, chosen: Settings
) -> tuple[set[str], breakage.Broken]:
    """What is switched on, and what of that is broken; of a disconnected one, nothing."""
    if connection.state is State.DISCONNECTED:
        return set(), {}
    on = {breakage.WHOLE, *(name for name, values in chosen.categories.items() if values[ENABLED])}
    broken = breakage.of(transaction, connection).items()
    return on, {key: why for key, why in broken if breakage.category_of(key) in on}


def _told(transaction: Connection, connection: SyncConnection, way: _Way) -> dict[str, Any]:
    """What was told over a way to be broken → its row."""
    query = select(alert).where(alert.c.connection_id == connection.id, alert.c.code != CANCELLED).with_for_update()
    found = {}
    for row in transaction.execute(query):
        key, _, category = row.category.rpartition(_OF_WAY)
        if key == way.key:
            found[category] = row
    return found


def _changes(store: Store, connection: SyncConnection, way: _Way) -> list[_News]:
    """What has broken, and what works again, that nobody has been told over a way; noted as told from here on."""
    news: list[_News] = []
    chosen = settings.read(store, connection)
    with store.begin() as transaction:
        now = dialect.now(transaction)
        current = _locked(transaction, connection)
        if current is None:
            return news
        told = _told(transaction, connection, way)
        on, standing = _standing(transaction, current, chosen)
        for category, (code, text) in standing.items():
            noted = way.noted(category)
            if category not in told:
                values = {"connection_id": connection.id, "category": noted, "code": code, "told_at": now}
                transaction.execute(insert(alert).values(values))
                news.append(_News("broken", category, code, text, (noted,)))
            elif told[category].code == breakage.LAPSES != code:  # what was told to come has come
                here = (alert.c.connection_id == connection.id) & (alert.c.category == noted)
                transaction.execute(update(alert).where(here).values(code=code, told_at=now))
                news.append(_News("broken", category, code, text, (noted,)))
        for category, row in told.items():
            if category not in standing:
                _forget(transaction, connection, (row.category,))
                if breakage.category_of(category) not in on:  # switched off, which is neither broken nor working
                    continue
                text = "It works again; nothing needs doing."
                news.append(_News("recovered", category, row.code, text, (row.category,)))
    return news


def _cancelled(store: Store, connection: SyncConnection, way: _Way) -> list[_News]:
    """Orders that were cancelled in the package after their work orders were made: one message per category."""
    mine = alert.c.connection_id == connection.id
    with store.begin() as transaction:
        now = dialect.now(transaction)
        if _locked(transaction, connection) is None:
            return []
        transaction.execute(delete(alert).where(mine, alert.c.code == CANCELLED, alert.c.told_at <= now - 2 * RECENTLY))
        told = set(transaction.execute(select(alert.c.category).where(mine, alert.c.code == CANCELLED)).scalars())
        query = (
            select(record_log.c.id, record_log.c.category, record_log.c.code, record_log.c.detail)
            .where(
                record_log.c.connection_id == connection.id,
                record_log.c.reason == CANCELLED,
                record_log.c.at > now - RECENTLY,
            )
            .order_by(record_log.c.id)
        )
        untold: dict[str, list[Any]] = {}
        for row in transaction.execute(query):
            if way.noted(_key(row)) not in told:
                untold.setdefault(row.category, []).append(row)
        keys = [way.noted(_key(row)) for rows in untold.values() for row in rows]
        if keys:
            values = {"connection_id": connection.id, "code": CANCELLED, "told_at": now}
            transaction.execute(insert(alert), [values | {"category": key} for key in keys])
    return [
        _News("cancelled", category, CANCELLED, _list(rows), tuple(way.noted(_key(row)) for row in rows))
        for category, rows in untold.items()
    ]


def _key(row: Any) -> str:
    """Under which it is noted that a line of the sync log was told."""
    return f"{CANCELLED}:{row.id}"


def _list(rows: list[Any]) -> str:
    """The cancelled orders of one category, each with what became of its work order."""
    lines = [f"{row.code}: {explain(CANCELLED, row.detail)[0]}" for row in rows[:_NAMED]]
    if len(rows) > _NAMED:
        text = f"And {len(rows) - _NAMED} more: see Needs attention on the page, or outsmart-sync attention."
        lines.append(text)
    return "\n".join([*lines, explain(CANCELLED, "")[1]])


def _deliver(store: Store, way: _Way, connection: SyncConnection, news: _News) -> bool:
    try:
        way.send(_message(connection, news, way.language))
    except SyncError as error:
        log.warning("An alert could not be sent: %s (%s)", error, error.technical)
    except Exception:
        log.exception("An alert could not be sent, at a defect")
    else:
        return True
    _untell(store, connection, news)
    return False


def _untell(store: Store, connection: SyncConnection, news: _News) -> None:
    """Nobody was told after all: the next time tries again."""
    with store.begin() as transaction:
        if news.event != "recovered":
            _forget(transaction, connection, news.told)
            return
        values = {"connection_id": connection.id, "code": news.code, "told_at": dialect.now(transaction)}
        transaction.execute(insert(alert), [values | {"category": key} for key in news.told])


def _forget(transaction: Connection, connection: SyncConnection, told: tuple[str, ...]) -> None:
    transaction.execute(delete(alert).where(alert.c.connection_id == connection.id, alert.c.category.in_(told)))


def _message(connection: SyncConnection, news: _News, language: str) -> Message:
    """What is sent, in the language of those who get it."""
    language = language if language in LANGUAGES else DEFAULT
    package = package_of(connection.package)
    named = breakage.category_of(news.category)
    label = translations(language).gettext(package.any_category(named).label) if named else ""
    about = f"{package.label} {connection.label}{', ' + label if label else ''}"
    text = "\n".join(_line(each, language) for each in news.text.splitlines())
    subject = sentences.say(_subject(news.event, about), language)
    return Message(news.event, connection.label, package.label, label, news.code, subject, text)


def _line(said: str, language: str) -> str:
    """A line in a language; what it is about, such as a number before a colon, stays as it is."""
    about, colon, rest = said.partition(": ")
    spoken = sentences.say(said, language)
    return spoken if spoken != said or not colon else f"{about}: {sentences.say(rest, language)}"


def _subject(event: str, about: str) -> str:
    if event == "broken":
        text = f"OutSmart Sync: {about} needs attention"
    elif event == "recovered":
        text = f"OutSmart Sync: {about} works again"
    elif event == "cancelled":
        text = f"OutSmart Sync: {about} has cancelled orders"
    else:
        text = f"OutSmart Sync: {about} is only tested"
    return text
