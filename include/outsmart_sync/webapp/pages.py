"""Turns what services return into pages: templates, with a person's language and what all pages show."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.routing import Match

from outsmart_sync.errors import (
    AccessDenied,
    InvalidSettings,
    NotConfigured,
    StoreUnusable,
    SyncError,
    TransientError,
    VaultLocked,
)
from outsmart_sync.languages import catalogue, sentences
from outsmart_sync.providers.packages import packages
from outsmart_sync.records.values import is_machine_made
from outsmart_sync.webapp import airflow, languages, words
from outsmart_sync.webapp.words import N_

log = logging.getLogger(__name__)

_SEE_OTHER = 303
_SHELL = Path(__file__).with_name("templates")

_STATUS: tuple[tuple[type[SyncError], int], ...] = (
    (AccessDenied, 403),
    (InvalidSettings, 422),
    (NotConfigured, 503),
    (StoreUnusable, 503),
    (VaultLocked, 503),
    (TransientError, 503),
)
_OTHERWISE = 400

_SAID_ONCE = frozenset({
    "counts", "disconnected", "done", "exports", "first", "left", "looked", "number", "resumed", "saved", "sent",
    "unpause", "unpause_export",
})  # fmt: skip
"""Parts of an address that say what was just done: shown again, the page does not say them again."""


def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_SHELL),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(catalogue.translations(language), newstyle=True)  # type: ignore[attr-defined]
    translate: Callable[[str], str] = catalogue.translations(language).gettext
    locale = languages.FORMATS[language]
    environment.filters |= {
        "t": lambda text: translate(text) if text else "",
        "said": lambda text: sentences.say(str(text), language),
        "plain": lambda value: translate(N_("yes") if value else N_("no")) if isinstance(value, bool) else value,
        "country": lambda value: Locale.parse(locale).territories.get(value) or (translate(value) if value else ""),
        "number": lambda value: format_decimal(value, locale=locale),
        "day": lambda value: format_date(value, format="medium", locale=locale) if value else "",
        "short_day": lambda value: format_date(value, format="d MMM", locale=locale),
        "when": lambda value, timezone="UTC": _when(value, timezone, locale),
        "clock": _clock,
        "money": lambda value: format_decimal(value, format="#,##0.00####", locale=locale),
        "moment": lambda value, timezone: _when(datetime.fromisoformat(value), timezone, locale),
        "day_in": lambda value, timezone: (
            format_date(value.astimezone(ZoneInfo(timezone)), format="medium", locale=locale) if value else ""
        ),
        "attributes": asdict,
        "machine_made": is_machine_made,
        "kind": lambda value: type(value).__name__,
        "query": lambda values: urlencode({name: value for name, value in values.items() if value not in (None, "")}),
    }
    environment.globals |= {
        "words": words,
        "zones_shown": ", ".join(f"{each.label} {each.timezone}" for each in packages().values()),
        "word": words.word,
        "languages": catalogue.LANGUAGES,
        "language": language,
        "frame_address": airflow.frame_address,
        "run_address": airflow.run_address,
    }
    return environment


@cache
def environment(language: str) -> Environment:
    """The templates in one language."""
    return _environment(language)


def _when(value: datetime | None, timezone: str, locale: str) -> str:
    if value is None:
        return ""
    return format_datetime(value, format="medium", tzinfo=ZoneInfo(timezone), locale=locale)


def _clock(value: str, timezone: str) -> str:
    """A moment, ISO text, as a browser's field for one takes it: on the clock of a time zone. What is none stays."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return value
    return (found.astimezone(ZoneInfo(timezone)) if found.tzinfo else found).strftime("%Y-%m-%dT%H:%M:%S")


def home() -> str:
    """Our own address, without host."""
    return f"{airflow.root_path()}/outsmart-sync/"


def here_of(request: Request) -> str:
    """The address, below our own, that shows again the page from which a request comes, or which it asks for.

    What a form is sent to may be no page, so it is the nearest one above; a part of a page names the page itself.
    """
    path, asked = request.url.path, request.url.query
    around = urlsplit(request.headers.get("HX-Current-URL", ""))
    if around.path.startswith(home()):
        path, asked = around.path, around.query
    elif request.method not in ("GET", "HEAD"):
        path = _nearest_page(request)
        asked = asked if path == request.url.path else ""
    page = path.removeprefix(home())
    if not page:
        return ""  # the overview takes nothing but what is said once
    lasting = [(name, value) for name, value in parse_qsl(asked) if name not in _SAID_ONCE]
    return f"{page}{'?' if lasting else ''}{urlencode(lasting)}"


def _nearest_page(request: Request) -> str:
    path = request.url.path
    while path.startswith(home()):
        scope = dict(request.scope) | {"method": "GET", "path": path}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            return path
        path = path.rpartition("/")[0]
    return home()


class Shown:
    """One person's view: shows templates and sends the browser on.

    Args:
        request: What was asked.
        user: Who asks.
    """

    def __init__(self, request: Request, user: airflow.Person) -> None:
        self.request = request
        self.user = user
        self.language = languages.language_of(request)
        self.here = here_of(request)

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A template as an answer."""
        return HTMLResponse(self.text(template, **values), status)

    def text(self, template: str, **values: Any) -> str:
        """A template as text."""
        common = {
            "home": home(),
            "here": self.here,
            "asked": self.request.query_params,
            "user_name": self.user.get_name(),
            "part": "HX-Request" in self.request.headers,
        }
        return environment(self.language).get_template(template).render(common | values)

    def error(
        self, error: SyncError, *, back: str | None = None, sent: Mapping[str, Sequence[object]] | None = None
    ) -> HTMLResponse:
        """An error in words, with a way on.

        Args:
            error: The error.
            back: The page on which the form stood that was sent; None: the nearest one above the form's address.
            sent: What the form sent, to be sent once more when the error may pass by itself.
        """
        if error.technical:
            log.warning("%s (%s)", error, error.technical)
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), _OTHERWISE)
        part = "HX-Request" in self.request.headers
        return self.page(
            "error_part.html" if part else "error.html",
            status=status,
            error=error,
            here=self.here if back is None else back,
            asked_for=self.request.method == "GET",
            sent=sent if sent and isinstance(error, TransientError) else {},
        )

    @staticmethod
    def is_ours(page: str) -> bool:
        """Whether a page that a form names, to go back to, is one below our own address."""
        return not page.startswith(("/", "\\")) and "://" not in page

    def go(self, page: str) -> RedirectResponse:
        """Send the browser to another page of ours."""
        return RedirectResponse(f"{home()}{page}", _SEE_OTHER)

    def go_to_frame(self, page: str) -> RedirectResponse:
        """Send the whole window to another page of ours inside Airflow's frame."""
        return RedirectResponse(airflow.frame_address(page), _SEE_OTHER)


def _shown(request: Request, user: airflow.User) -> Shown:
    return Shown(request, user)


View = Annotated[Shown, Depends(_shown)]
"""The view of whoever asks, for a route."""
