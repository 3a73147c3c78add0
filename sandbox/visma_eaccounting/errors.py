"""How VISMA refuses: an error code of its own, a text, and the fields it is about.

The codes are listed at https://developer.vismaonline.com/docs/error-codes-copy-1; which HTTP status goes with which is
published nowhere, but for what users report: 409 for a duplicate, 404 for what is not there, 401 for a token that has
ended.
"""

import uuid
from collections.abc import Sequence

import msgspec
from aiohttp import web

from sandbox.calls import CODE

VALIDATION_FAILED, NOT_FOUND, NO_FISCAL_YEAR = 2000, 3000, 3001
CONFLICT, CANNOT_DELETE, NO_ACCESS_TO_MODULE, START_GUIDE, NOT_ACTIVE = 4000, 4001, 4002, 4003, 4004
NOT_AUTHORIZED, SCOPE_MISSING, PERMISSION_DENIED, VARIANT_WITHOUT_ACCESS, TOO_MANY = 4005, 4006, 4007, 4009, 4010
NO_ACCESS, LICENCE, READ_ONLY, FUTURE_DATE, NO_ACCOUNT = 4011, 4012, 4019, 4023, 4024
VAT_NUMBER, LOCKED_PERIOD, SANDBOX_CLIENT, PROJECT_ENDED, BAD_QUERY, BAD_DATE = 4025, 4026, 4034, 5005, 6000, 6001

_STATUSES = {
    NOT_FOUND: 404,
    CONFLICT: 409,
    NO_ACCESS_TO_MODULE: 403,
    START_GUIDE: 403,
    NOT_ACTIVE: 403,
    NOT_AUTHORIZED: 401,
    SCOPE_MISSING: 403,
    PERMISSION_DENIED: 403,
    VARIANT_WITHOUT_ACCESS: 403,
    TOO_MANY: 429,
    NO_ACCESS: 403,
    LICENCE: 403,
    READ_ONLY: 403,
    SANDBOX_CLIENT: 403,
}


class ApiError(Exception):
    """Why a call is refused.

    Args:
        code: The vendor's error code.
        text: What is wrong.
        fields: Which fields are wrong, each with a text.
        status: The HTTP status; None for the one that goes with the code.
    """

    def __init__(self, code: int, text: str, fields: Sequence[tuple[str, str]] = (), status: int | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.fields = fields
        self.status = status or _STATUSES.get(code, 400)
        self.headers: dict[str, str] = {}


def invalid(*fields: tuple[str, str]) -> ApiError:
    """The data are refused; each field with what is wrong with it."""
    return ApiError(VALIDATION_FAILED, "The data model validation failed.", fields)


def bad_query(text: str) -> ApiError:
    """A query parameter is refused."""
    return ApiError(BAD_QUERY, text)


def missing(what: str, status: int = 404) -> ApiError:
    """Something that is addressed (404) or referred to (400) does not exist."""
    return ApiError(NOT_FOUND, f"{what} does not exist.", status=status)


def refuse(request: web.Request, refusal: ApiError) -> web.Response:
    """The answer to a refused call."""
    request[CODE] = refusal.code
    errors = [
        {"Field": name, "ErrorCode": str(refusal.code), "Message": text, "Key": name} for name, text in refusal.fields
    ]
    body = {
        "ErrorCode": refusal.code,
        "DeveloperErrorMessage": refusal.text,
        "ErrorId": str(uuid.uuid4()),
        "Errors": errors or None,
    }
    return web.Response(
        status=refusal.status,
        body=msgspec.json.encode(body),
        headers=refusal.headers,
        content_type="application/json",
    )
