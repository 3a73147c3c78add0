"""What every request must pass: it comes from our own pages, and every answer tells the browser what it may load."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import HTTPException, Request, Response

from outsmart_sync.webapp import airflow

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORBIDDEN = 403
_FOREIGN = "This request does not come from a page of OutSmart Sync."

_SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
    "base-uri": "'none'",
}
POLICY = "; ".join(f"{name} {sources}" for name, sources in _SOURCES.items())
"""Nothing from outside, nothing inline: https://www.w3.org/TR/CSP3/."""


def require_own_origin(request: Request) -> None:
    """Refuse a state-changing request that another site, or another sub-domain, made a browser send.

    Browsers say where a request comes from in ``Sec-Fetch-Site`` (https://www.w3.org/TR/fetch-metadata/), older ones at
    least in ``Origin``; one that says neither is refused.

    Raises:
        HTTPException: 403.
    """
    if request.method in _SAFE:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise HTTPException(_FORBIDDEN, _FOREIGN)
        return
    own = urlsplit(airflow.base_url())
    if request.headers.get("origin") != f"{own.scheme}://{own.netloc}":
        raise HTTPException(_FORBIDDEN, _FOREIGN)


async def add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Tell the browser what a page of ours may load, and to keep none of it."""
    response = await call_next(request)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
