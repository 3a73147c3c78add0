"""What goes around every call to a vendor: the record of it, and the fault that may be due."""

import time
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.calls import CODE, HIDDEN, ROWS, CallLog, CallRecord
from sandbox.clock import Clock
from sandbox.faults import FaultRule, Faults, spoil

Subject = Callable[[web.Request], tuple[str, str | None]]
"""Tells a request's resource and its division or account."""


def observer(vendor: str, subject: Subject, clock: Clock, faults: Faults, log: CallLog) -> Middleware:
    """The middleware of one vendor's server.

    Args:
        vendor: `exact`, `visma` or `outsmart`.
        subject: Tells what a request is about.
        clock: The time.
        faults: The faults in force.
        log: Where calls are remembered.
    """

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        at, started = clock.now().isoformat(timespec="milliseconds"), time.perf_counter()
        resource, division = subject(request)
        rule = faults.take(vendor, request, division)

        def record(status: int) -> None:
            took = round((time.perf_counter() - started) * 1000, 2)
            log.add(lambda seq: _record(seq, at, vendor, request, resource, division, status, took, rule))

        if rule is not None:
            return await spoil(rule, request, handler, record)
        try:
            response = await handler(request)
        except web.HTTPException as answer:
            record(answer.status)
            raise
        except Exception:
            record(500)
            raise
        record(response.status)
        return response

    return observe


def _record(
    seq: int,
    at: str,
    vendor: str,
    request: web.Request,
    resource: str,
    division: str | None,
    status: int,
    took: float,
    rule: FaultRule | None,
) -> CallRecord:
    return CallRecord(
        seq=seq,
        at=at,
        vendor=vendor,
        method=request.method,
        path=request.path,
        query={name: "…" if name in HIDDEN else value for name, value in request.query.items()},
        resource=resource,
        division=division,
        status=status,
        code=request.get(CODE),
        rows=request.get(ROWS),
        duration_ms=took,
        fault=rule.kind if rule else None,
    )
