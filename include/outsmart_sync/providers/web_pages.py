"""Addresses of records in the vendors' web applications; none of the vendors documents them, so each can be set."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any
from urllib.parse import quote

from outsmart_sync.errors import NotConfigured
from outsmart_sync.providers import web
from outsmart_sync.records.exchange import WebPage

_KNOWN = {"administration", "id"}


def page_of(
    record: str,
    values: Mapping[str, str],
    *,
    base: str,
    pages: Mapping[str, str],
    start: str,
    extras: Mapping[str, Any],
) -> WebPage:
    """The page of a record, or the application's first page where the record's own is not known.

    Args:
        record: Record type, such as ``relation``.
        values: ``administration``, and ``id`` as the vendor numbers the record; '' when it has none.
        base: The application's address, which the extra ``web_url`` overrides.
        pages: Record type → path of its pages, with the values' names in braces; the extra ``web_pages`` adds to it.
        start: Path of the first page.
        extras: The Airflow connection's.

    Raises:
        NotConfigured: An extra cannot be used.
    """
    plain = web.allows_plain_http(extras)
    base = web.checked_address(str(extras.get("web_url") or base), "web_url", plain_http=plain)
    path = ({**pages, **_given(extras)}).get(record) if values.get("id") else None
    quoted = {name: quote(value, safe="") for name, value in values.items()}
    return WebPage(f"{base}/{(path or start).format(**quoted)}", of_record=path is not None)


def _given(extras: Mapping[str, Any]) -> dict[str, str]:
    given = extras.get("web_pages") or {}
    if isinstance(given, dict) and all(isinstance(path, str) and _fits(path) for path in given.values()):
        return {record: path.lstrip("/") for record, path in given.items()}
    raise NotConfigured(
        f"The extra web_pages of the connection cannot be used: {given}.",
        remedy='Write it as {"material": "path/of/a/page?id={id}"}; {id} and {administration} are filled in.',
    )


def _fits(path: str) -> bool:
    try:
        return {name for _, name, _, _ in Formatter().parse(path) if name is not None} <= _KNOWN
    except ValueError:  # a brace without its other half
        return False
