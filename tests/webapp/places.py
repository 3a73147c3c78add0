"""Every address of the page, found by asking the app itself: a new one is looked at by the tests as well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fastapi.routing import APIRoute

from outsmart_sync.webapp.app import create_app

_PLACE = re.compile(r"\{(\w+)\}")

_USUAL = {
    "category": "relations",
    "name": "classifications",
    "record": "relation",
    "state": "rejected",
    "outcome": "create",
    "row_id": "1",
    "package": "exact-online",
}

FIELDS: dict[str, Any] = {
    "action": "hold",
    "on": "true",
    "record": "relation",
    "provider_id": "1",
    "code": "1",
    "outsmart_code": "1",
    "emails": "somebody@example.com",
    "webhook": "",
    "administration": "1",
    "work_order": "1",
    "shown": "relations.enabled",
    "relations.enabled": "on",
    "licence": "pro",
    "text": "1",
    "run": "manual__1",
    "language": "en",
}
"""Fields of all forms, and of all questions."""


def places(**known: Any) -> Iterator[tuple[str, str]]:
    """Method and address of each route whose places these values, and usual ones, can fill."""
    values = _USUAL | {name: str(value) for name, value in known.items()}
    for route in create_app().routes:
        if not isinstance(route, APIRoute):
            continue
        names = _PLACE.findall(route.path)
        if all(name in values for name in names):
            for method in sorted(route.methods):
                yield method, _PLACE.sub(lambda found: values[found[1]], route.path).removeprefix("/")


def of_connection(number: int) -> list[tuple[str, str]]:
    """The routes that are about one sync connection, by its number."""
    with_it, with_another = list(places(connection_id=number)), list(places(connection_id="another"))
    return [mine for mine, other in zip(with_it, with_another, strict=True) if mine != other]
