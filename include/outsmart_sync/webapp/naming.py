"""What people call categories, record types and their fields: of the packages that they may know of."""

from __future__ import annotations

from collections.abc import Mapping

from outsmart_sync.languages import catalogue, sentences
from outsmart_sync.records.record import Record
from outsmart_sync.services import log_file
from outsmart_sync.webapp import access, airflow, words

_COLUMNS = dict(zip(log_file.COLUMNS, words.LOG_COLUMNS, strict=True))


def categories(user: airflow.Person) -> dict[str, str]:
    """Category → its label."""
    return {each.name: each.label for rights in access.visible_packages(user) for each in rights.package.categories}


def records(user: airflow.Person) -> dict[str, str]:
    """Record type → the word a person uses."""
    return {record.name: record.label for record in _declared(user)}


def fields(user: airflow.Person) -> dict[str, dict[str, str]]:
    """Record type → field → its label."""
    return {record.name: {field.name: field.label for field in record.fields} for record in _declared(user)}


def documents(user: airflow.Person) -> dict[str, str]:
    """Kind of document → what a person calls it."""
    found = [rights.package.exports for rights in access.visible_packages(user)]
    return {kind.name: kind.label for exports in found if exports for kind in exports.kinds}


def field_label(labels: Mapping[str, Mapping[str, str]], record: str, name: str) -> str:
    """A field's label; one that no record type declares speaks for itself."""
    return labels.get(record, {}).get(name) or name.replace("_", " ")


def _declared(user: airflow.Person) -> list[Record]:
    return [
        record
        for rights in access.visible_packages(user)
        for category in rights.package.imports
        for record in category.records
    ]


class Spoken:
    """Says in one language what the log calls by its own names; see :class:`log_file.Words`.

    Args:
        user: Who asks.
        language: In which language.
    """

    def __init__(self, user: airflow.Person, language: str) -> None:
        self._language = language
        self._t = catalogue.translations(language).gettext
        self._categories, self._records, self._fields = categories(user), records(user), fields(user)

    def column(self, name: str) -> str:
        """Heading of a column."""
        return self._t(_COLUMNS[name])

    def event(self, name: str) -> str:
        """What happened."""
        return self._t(words.word(words.EVENTS, name).text)

    def category(self, name: str) -> str:
        """A category."""
        return self._said(self._categories.get(name, name))

    def record(self, name: str) -> str:
        """A record type."""
        return self._said(self._records.get(name) or name.replace("_", " "))

    def field(self, record: str, name: str) -> str:
        """A field of a record type."""
        return self._said(field_label(self._fields, record, name))

    def sentence(self, text: str) -> str:
        """A cause or a remedy."""
        return sentences.say(text, self._language)

    def _said(self, text: str) -> str:
        return self._t(text) if text else ""
