"""What a request to the API is about: who asks, in which company, for which resource and row."""

import re
from dataclasses import dataclass

from aiohttp import web

from sandbox.exact_online.errors import not_found
from sandbox.exact_online.grants import Session
from sandbox.exact_online.resources import RESOURCES, Resource

NO_DIVISION = 0
"""Where calls without a company, such as `current/Me`, are counted."""

_PATH = re.compile(
    r"/api/v1/(?:(?P<division>\d{1,9})/)?(?P<path>[A-Za-z/]+)(?:\((?P<key>[^)]*)\))?(?:/(?P<collection>\w+))?"
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where an address leads.

    Attributes:
        division: The company's code; `NO_DIVISION` where the path has none.
        path: The resource's path.
        key: The key literal in brackets, if any.
        collection: A collection of that row, if any.
    """

    division: int
    path: str
    key: str | None
    collection: str | None


@dataclass(frozen=True, slots=True)
class Call:
    """A request of somebody who may make it.

    Attributes:
        request: The HTTP request.
        session: Who asks.
        division: The company.
        resource: The resource.
        key: The key literal of one row, if any.
        collection: A collection of that row, if any.
    """

    request: web.Request
    session: Session
    division: int
    resource: Resource
    key: str | None
    collection: str | None

    @property
    def base(self) -> str:
        """The API's address up to and including the division, on the host the caller knows."""
        return f"{self.request.scheme}://{self.request.host}/api/v1/{self.division}"


def read_target(path: str) -> Target | None:
    """Take an address apart; None where it is no API address."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    return Target(int(found["division"] or NO_DIVISION), found["path"], found["key"], found["collection"])


def resource_at(target: Target) -> Resource:
    """The resource an address leads to.

    Raises:
        VendorError: There is none.
    """
    known = RESOURCES.get(target.path)
    if known is None or known.kind == "nested" or (target.division == NO_DIVISION) != (known.path == "current/Me"):
        raise not_found()
    return known
