"""Works one item ahead: while the caller loads a page into the store, the next one is fetched and mapped."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_END = object()
_SWITCH_SECONDS = 0.0005
"""Python lets a computing thread run for 5 ms before a waiting one may go on: paid at every answer
of the database while the other thread maps."""


def ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """The same items, each produced in another thread while the caller works on the one before.

    Never more than one item is in the making, so a vendor sees one request at a time. An error comes out where the item
    would have.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as worker:
            coming = worker.submit(next, items, _END)
            while (item := coming.result()) is not _END:
                coming = worker.submit(next, items, _END)
                yield item  # type: ignore[misc]  # the end marker was told apart above
    finally:
        sys.setswitchinterval(usual)
