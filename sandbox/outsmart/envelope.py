"""The envelope around every answer: `code`, `messages` and `response`, with HTTP status 200 whatever happened.

Codes: https://github.com/CloudEcosystemDev/outsmart-component (README). Success is code 200 and nothing else.
"""

from typing import Any

import msgspec
from aiohttp import web

OK = 200
NO_ENDPOINT = 1000
UNKNOWN_ENDPOINT = 1001
TOKEN_MISSING = 1002
SOFTWARE_TOKEN_MISSING = 1003
TOKEN_UNAUTHORIZED = 1004
SOFTWARE_TOKEN_UNAUTHORIZED = 1005
HTTPS_REQUIRED = 1006
UNCAUGHT_ERROR = 1007
NO_BODY = 1008
BODY_NOT_JSON = 1009
WORK_ORDER_NOT_FOUND = 1500
FIELD_MISSING = 1501
NOTHING_TO_UPDATE = 1502
NOTHING_CHANGED = 1503
DATA_UNREADABLE = 1504

MESSAGES = {
    NO_ENDPOINT: "No endpoint given",
    UNKNOWN_ENDPOINT: "Unknown endpoint",
    TOKEN_MISSING: "Token missing",
    SOFTWARE_TOKEN_MISSING: "Software token missing",
    TOKEN_UNAUTHORIZED: "Token unauthorized",
    SOFTWARE_TOKEN_UNAUTHORIZED: "Software token unauthorized or not matched to token",
    HTTPS_REQUIRED: "HTTPS required",
    UNCAUGHT_ERROR: "Uncaught error",
    NO_BODY: "No body given",
    BODY_NOT_JSON: "Body is not a JSON list",
}


class RefusedError(Exception):
    """An answer with another code than 200.

    Args:
        code: The code.
        messages: Texts; by default the code's own, if it has one.
    """

    def __init__(self, code: int, *messages: str) -> None:
        super().__init__(code, *messages)
        self.code = code
        self.messages = list(messages) or [MESSAGES[one] for one in (code,) if one in MESSAGES]


def envelope(code: int, messages: list[str], response: Any) -> web.Response:
    """The answer."""
    body = msgspec.json.encode({"code": code, "messages": messages, "response": response})
    return web.Response(body=body, content_type="application/json", charset="utf-8")
