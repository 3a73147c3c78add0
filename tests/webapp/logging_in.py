"""Somebody logs in at the vendor from the page, as a browser does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import urlsplit

from httpx import Response

from sandbox.browser import Browser as VendorBrowser
from webapp.conftest import Browser

EXACT = "exact-online"
VISMA = "visma-eaccounting"


def login_page(answer: Response) -> str:
    """The address of the vendor's login page that an answer sends the window to."""
    found = re.search(r'href="([^"]+)" target="_top"', answer.text)
    assert found, answer.text
    return unescape(found[1])


def there_and_back(page: Browser, package: str, allow: Callable[[VendorBrowser, str], str], **chosen: str) -> Response:
    """Begin a login on the page, do at the vendor what ``allow`` does, and come back with the vendor's answer."""
    begun = page.post(f"connect/{package}", data=chosen)
    assert begun.status_code == 200, begun.text
    vendor = VendorBrowser()
    try:
        back = allow(vendor, login_page(begun))
    finally:
        vendor.close()
    return page.get(f"oauth/{package}/callback?{urlsplit(back).query}")


def log_in(page: Browser, **chosen: str) -> int:
    """Log in at Exact Online; returns the connection that awaits its administration."""
    chosen = {"country": "nl", **chosen}
    answer = there_and_back(page, EXACT, lambda vendor, address: vendor.consent(address), **chosen)
    assert answer.status_code == 303, answer.text
    found = re.search(r"connections%2F(\d+)%2Fsetup", answer.headers["Location"])
    assert found, answer.headers["Location"]
    return int(found[1])
