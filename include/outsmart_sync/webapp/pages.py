"""Turns what services return into pages: templates, with a person's language and what all pages show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from outsmart_sync.languages import catalogue, sentences
from outsmart_sync.providers.packages import packages
from outsmart_sync.webapp import airflow, languages, words
from outsmart_sync.webapp.words import N_

if TYPE_CHECKING:
    from outsmart_sync.errors import SyncError

_SEE_OTHER = 303
_SHELL = Path(__file__).with_name("templates")


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

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A template as an answer."""
        return HTMLResponse(self.text(template, **values), status)

    def text(self, template: str, **values: Any) -> str:
        """A template as text."""
        common = {
            "home": f"{airflow.root_path()}/outsmart-sync/",
            "here": self.request.url.path.removeprefix(f"{airflow.root_path()}/outsmart-sync/"),
            "asked": self.request.query_params,
            "user_name": self.user.get_name(),
            "part": "HX-Request" in self.request.headers,
        }
        return environment(self.language).get_template(template).render(common | values)

    def error(self, error: SyncError, *, status: int = 400, back: str = "", back_label: str = "") -> HTMLResponse:
        """An error in words, with a way on."""
        template = "error_part.html" if "HX-Request" in self.request.headers else "error.html"
        return self.page(template, status=status, error=error, back=back, back_label=back_label)

    def go(self, page: str) -> RedirectResponse:
        """Send the browser to another page of ours."""
        return RedirectResponse(f"{airflow.root_path()}/outsmart-sync/{page}", _SEE_OTHER)

    def go_to_frame(self, page: str) -> RedirectResponse:
        """Send the whole window to another page of ours inside Airflow's frame."""
        return RedirectResponse(airflow.frame_address(page), _SEE_OTHER)


def _shown(request: Request, user: airflow.User) -> Shown:
    return Shown(request, user)


View = Annotated[Shown, Depends(_shown)]
"""The view of whoever asks, for a route."""
