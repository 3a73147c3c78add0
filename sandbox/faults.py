"""Things that go wrong on the way: rules that spoil chosen calls.

The vendors' users report all of them: dropped connections and HTML during the night
(https://forums.invantive.com/t/404, /t/1340), timeouts of calls that were executed all the same, answers that break
off.
"""

import asyncio
import re
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, Literal

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

Record = Callable[[int], None]
Kind = Literal["status", "reset", "timeout_after", "slow", "truncate", "short", "html"]

_HTML = "<!doctype html><html><head><title>Maintenance</title></head><body><h1>We will be back soon</h1></body></html>"
_FOREVER = 86_400.0


class FaultRule(msgspec.Struct, forbid_unknown_fields=True):
    """Which calls to spoil, and how.

    Attributes:
        kind: `status` answers with `status`, `body` and `headers` instead of executing; `html` answers 503 with a web
            page; `reset` drops the connection before executing; `timeout_after` executes, then never answers, or drops
            the connection after `seconds`; `slow` waits `seconds`, then goes on; `truncate` sends half the answer;
            `short` leaves out Exact's link to the next page.
        vendor: `exact`, `visma` or `outsmart`; None for all.
        method: The HTTP method; None for all.
        path: A regular expression that must match somewhere in the path.
        query: A regular expression that must match somewhere in the decoded query.
        division: The Exact Online division, VISMA company or OutSmart account; None for all.
        skip: Matching calls to let through first.
        times: Calls to spoil; None for no end.
        status: The status for kind `status`.
        body: The body for kind `status`: text, or anything else to be sent as JSON.
        headers: Headers for kind `status`.
        seconds: How long, for `slow` and `timeout_after`.
        clean: For `truncate`: whether the half answer claims to be whole instead of breaking off.
        id: Given by the sandbox.
        hits: Calls spoilt so far.
    """

    kind: Kind
    vendor: Literal["exact", "visma", "outsmart"] | None = None
    method: str | None = None
    path: str = ""
    query: str = ""
    division: str | int | None = None
    skip: int = 0
    times: int | None = 1
    status: int = 500
    body: Any = ""
    headers: dict[str, str] = {}
    seconds: float | None = None
    clean: bool = False
    id: int = 0
    hits: int = 0

    def matches(self, vendor: str, request: web.Request, division: str | None) -> bool:
        """Whether a call is meant."""
        return (
            self.vendor in {None, vendor}
            and self.method in {None, request.method}
            and (self.division is None or str(self.division) == division)
            and re.search(self.path, request.path) is not None
            and re.search(self.query, request.query_string) is not None
        )


class Faults:
    """The rules in force; the first that matches a call applies."""

    def __init__(self) -> None:
        self.rules: list[FaultRule] = []
        self._ids = count(1)

    def add(self, rules: list[FaultRule]) -> list[int]:
        """Put rules in force.

        Returns:
            Their ids.

        Raises:
            re.error: A path or a query is no regular expression.
        """
        for rule in rules:
            re.compile(rule.path)
            re.compile(rule.query)
        for rule in rules:
            rule.id, rule.hits = next(self._ids), 0
        self.rules.extend(rules)
        return [rule.id for rule in rules]

    def clear(self) -> None:
        """Let everything go well again."""
        self.rules.clear()

    def take(self, vendor: str, request: web.Request, division: str | None) -> FaultRule | None:
        """The rule that applies to a call, counted down; None where all goes well."""
        for rule in self.rules:
            if rule.times == 0 or not rule.matches(vendor, request, division):
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            rule.hits += 1
            if rule.times is not None:
                rule.times -= 1
            return rule
        return None


async def spoil(rule: FaultRule, request: web.Request, handler: Handler, record: Record) -> web.StreamResponse:
    """Answer a call as a rule says.

    Args:
        rule: The rule.
        request: The call.
        handler: What would answer it.
        record: Remembers the call with its status; 0 for a dropped connection.
    """
    response = await _KINDS[rule.kind](rule, request, handler)
    if response is not None:
        record(response.status)
        return response
    # Remembered before the caller can notice, so that whoever asks next finds it.
    record(0)
    if rule.kind == "timeout_after":
        await _wait_for_end(request, _FOREVER if rule.seconds is None else rule.seconds)
    return _drop(request)


async def _status(rule: FaultRule, _request: web.Request, _handler: Handler) -> web.StreamResponse | None:
    if isinstance(rule.body, str):
        return web.Response(status=rule.status, text=rule.body, headers=rule.headers)
    body = msgspec.json.encode(rule.body)
    return web.Response(status=rule.status, body=body, headers={"Content-Type": "application/json"} | rule.headers)


async def _html(_rule: FaultRule, _request: web.Request, _handler: Handler) -> web.StreamResponse | None:
    return web.Response(status=503, text=_HTML, content_type="text/html")


async def _reset(_rule: FaultRule, _request: web.Request, _handler: Handler) -> web.StreamResponse | None:
    return None


async def _timeout_after(_rule: FaultRule, request: web.Request, handler: Handler) -> web.StreamResponse | None:
    await handler(request)
    return None


async def _slow(rule: FaultRule, request: web.Request, handler: Handler) -> web.StreamResponse | None:
    await asyncio.sleep(1.0 if rule.seconds is None else rule.seconds)
    return await handler(request)


async def _truncate(rule: FaultRule, request: web.Request, handler: Handler) -> web.StreamResponse | None:
    whole = await handler(request)
    body = whole.body if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b""
    half = body[: len(body) // 2]
    headers = {name: value for name, value in whole.headers.items() if name.lower() != "content-length"}
    if rule.clean:
        return web.Response(status=whole.status, body=half, headers=headers)
    broken = web.StreamResponse(status=whole.status, headers=headers)
    broken.content_length = len(body)
    await broken.prepare(request)
    await broken.write(half)
    if request.transport is not None:
        request.transport.close()
    return broken


async def _short(_rule: FaultRule, request: web.Request, handler: Handler) -> web.StreamResponse | None:
    whole = await handler(request)
    if not isinstance(whole, web.Response) or not isinstance(whole.body, bytes):
        return whole
    content = msgspec.json.decode(whole.body)
    if isinstance(content.get("d"), dict):
        content["d"].pop("__next", None)
    headers = {name: value for name, value in whole.headers.items() if name.lower() != "content-length"}
    return web.Response(status=whole.status, body=msgspec.json.encode(content), headers=headers)


async def _wait_for_end(request: web.Request, seconds: float) -> None:
    """Wait until the caller has hung up, or as long as asked."""
    end = time.monotonic() + seconds
    while request.transport is not None and not request.transport.is_closing() and time.monotonic() < end:
        await asyncio.sleep(0.02)


def _drop(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer, so that the caller sees a reset."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response(status=500)


_KINDS: dict[str, Callable[[FaultRule, web.Request, Handler], Awaitable[web.StreamResponse | None]]] = {
    "status": _status,
    "html": _html,
    "reset": _reset,
    "timeout_after": _timeout_after,
    "slow": _slow,
    "truncate": _truncate,
    "short": _short,
}
