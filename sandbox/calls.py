"""Every call the vendors received, for tests and curious users to count."""

import re
from collections import Counter, deque
from collections.abc import Callable

import msgspec
from aiohttp import web

KEPT = 200_000
"""Calls remembered; older ones are forgotten."""

ROWS = web.RequestKey("rows", int)
"""Where a handler notes the rows of its answer, or the records it took."""

CODE = web.RequestKey("code", int)
"""Where OutSmart and VISMA note the code of their answer."""

HIDDEN = frozenset({"token", "software_token", "code", "state", "client_id", "code_challenge"})
"""Query parameters whose values are not shown."""


class CallRecord(msgspec.Struct, frozen=True):
    """One call.

    Attributes:
        seq: Rises with every call.
        at: When it came in, in UTC, by the sandbox clock.
        vendor: `exact`, `visma` or `outsmart`.
        method: The HTTP method.
        path: The path.
        query: The query parameters, without secrets.
        resource: What it was about, such as `sync/CRM/Accounts`, `customers` or `relations`.
        division: The Exact Online division, the VISMA company or the OutSmart account, if known.
        status: The HTTP status; 0 where the connection was dropped instead.
        code: OutSmart's or VISMA's own code in the answer.
        rows: Rows in the answer, or records taken.
        duration_ms: How long it took.
        fault: The kind of fault that was injected, if any.
    """

    seq: int
    at: str
    vendor: str
    method: str
    path: str
    query: dict[str, str]
    resource: str
    division: str | None
    status: int
    code: int | None
    rows: int | None
    duration_ms: float
    fault: str | None


class CallLog:
    """The calls of this run of the sandbox."""

    def __init__(self) -> None:
        self._calls: deque[CallRecord] = deque(maxlen=KEPT)
        self._last = 0

    def add(self, make: Callable[[int], CallRecord]) -> None:
        """Remember a call, made from its number."""
        self._last += 1
        self._calls.append(make(self._last))

    def clear(self) -> None:
        """Forget all calls; numbers go on."""
        self._calls.clear()

    def find(self, since: int = 0, vendor: str | None = None, path: str | None = None) -> list[CallRecord]:
        """Calls after a number, of a vendor, whose path matches a regular expression anywhere."""
        pattern = re.compile(path or "")
        return [
            call
            for call in self._calls
            if call.seq > since and vendor in {None, call.vendor} and pattern.search(call.path)
        ]


def summarize(calls: list[CallRecord]) -> list[dict[str, object]]:
    """Calls by vendor, method and resource, with how often each status came back and how many rows."""
    groups: dict[tuple[str, str, str], list[CallRecord]] = {}
    for call in calls:
        groups.setdefault((call.vendor, call.method, call.resource), []).append(call)
    return [
        {
            "vendor": vendor,
            "method": method,
            "resource": resource,
            "calls": len(group),
            "rows": sum(call.rows or 0 for call in group),
            "statuses": Counter(str(call.status) for call in group),
            "codes": Counter(str(call.code) for call in group if call.code is not None),
        }
        for (vendor, method, resource), group in sorted(groups.items())
    ]
