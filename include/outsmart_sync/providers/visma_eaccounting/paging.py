"""Pages of VISMA's lists: what each says, and how several are fetched at a time.

https://developer.vismaonline.com/docs/pagination : ``$page`` from 1, ``$pagesize`` at most 1000; ``Meta`` says how
many pages and rows there are, and what time the server has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import VendorUnavailable

if TYPE_CHECKING:
    from outsmart_sync.records.streams import Row

LARGEST = 1_000
"""Most rows of a page."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Attributes:
        rows: Decoded rows; numbers with a fraction are Decimal.
        number: Its place, from 1.
        pages: How many there are now.
        total: Rows of all pages now.
        server_time: The vendor's clock, as it writes it.
    """

    rows: list[Row]
    number: int
    pages: int
    total: int
    server_time: str


def page_of(path: str, decoded: Any) -> Page:
    """An answer as a page.

    Raises:
        VendorUnavailable: It is no page.
    """
    try:
        meta = decoded["Meta"]
        page = Page(
            rows=decoded["Data"],
            number=int(meta["CurrentPage"]),
            pages=int(meta["TotalNumberOfPages"]),
            total=int(meta["TotalNumberOfResults"]),
            server_time=str(meta["ServerTimeUtc"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _unusual(path, decoded) from error
    if not isinstance(page.rows, list):
        raise _unusual(path, decoded)
    return page


def in_parallel(fetch: Callable[[int], Page], first: int, workers: int) -> Iterator[Page]:
    """Every page from one on, in their order, with so many under way at a time.

    How many there are is what the last page says that has come: a list may grow or shrink meanwhile.

    Args:
        fetch: Fetches the page of a number.
        first: The first page.
        workers: Pages under way at a time; 1: one after the other.
    """
    page = fetch(first)
    yield page
    if workers <= 1 or page.pages <= first + 1:
        while page.number < page.pages:
            page = fetch(page.number + 1)
            yield page
        return
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="pages") as pool:
        coming: deque[Future[Page]] = deque()
        following, last = first + 1, page.pages
        try:
            while following <= last or coming:
                while following <= last and len(coming) < workers:
                    # Each with a context of its own: how long calls may take is said in it.
                    coming.append(pool.submit(copy_context().run, fetch, following))
                    following += 1
                page = coming.popleft().result()
                last = page.pages
                yield page
        finally:
            for each in coming:
                each.cancel()


def _unusual(path: str, decoded: Any) -> VendorUnavailable:
    return VendorUnavailable(
        "VISMA eAccounting's answer is not in its usual form.",
        remedy="The sync is tried again by itself; if this stays, send the task's log to whoever maintains it.",
        code="vendor_unreadable",
        technical=f"{path}: {sorted(decoded) if isinstance(decoded, dict) else type(decoded).__name__}",
    )
