"""Exact Online's refusals: status, text and the JSON around it.

Texts were collected from https://github.com/picqer/exact-php-client/issues and https://forums.invantive.com; which
thread shows which text is said beside each.
"""

from collections.abc import Mapping

QUERY_SYNTAX = "Bad Request - Error in query syntax."
"""picqer/exact-php-client issue 609."""

FORBIDDEN = "Forbidden"
"""picqer/exact-php-client issues 111, 332 and 366."""

SCOPE_VIOLATED = "Forbidden - Application Scope Violated"
"""picqer/exact-php-client issue 659."""

LICENCE_EXPIRED = "Forbidden - Customer's license expired"
"""forums.invantive.com, topic 407."""

SELECT_MISSING = "Please add a $select or a $top=1 statement to the query string."
"""picqer/exact-php-client, README."""

TOO_MANY_REQUESTS = "Too Many Requests"
"""The status's own name; no recorded body is known."""


class VendorError(Exception):
    """An answer other than success.

    Args:
        status: The HTTP status.
        text: The message in the body.
        headers: Headers besides the usual ones.
    """

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, object]:
        """The JSON body (picqer/exact-php-client issue 461)."""
        return {"error": {"code": "", "message": {"lang": "", "value": self.text}}}


def bad_query() -> VendorError:
    """The answer to a query that cannot be understood."""
    return VendorError(400, QUERY_SYNTAX)


def filter_missing(fields: tuple[str, ...]) -> VendorError:
    """The answer where mandatory filtering is not met (https://forums.invantive.com/t/1410)."""
    text = "A GET request for this endpoint must have a $filter parameter with one of the following fields in the url: "
    return VendorError(400, text + ", ".join(fields))


def unknown_property(name: str, type_name: str) -> VendorError:
    """The answer to a body with a property the resource does not have (picqer/exact-php-client issue 461)."""
    text = f"Error processing request stream. The property name '{name}' specified for type '{type_name}' is not valid."
    return VendorError(400, text)


def wrong_value(name: str, edm: str) -> VendorError:
    """The answer to a body with a value of the wrong type (picqer/exact-php-client issues 178 and 492)."""
    text = f"Error encountered in converting the value from request payload for property '{name}' to type '{edm}'"
    return VendorError(400, text + ", which is the property's expected type. See inner exception for more detail.")


def mandatory(name: str) -> VendorError:
    """The answer to a missing value (picqer/exact-php-client issue 161)."""
    return VendorError(500, f"Mandatory: {name}")


def invalid(name: str) -> VendorError:
    """The answer to a value that makes no sense (picqer/exact-php-client issue 172)."""
    return VendorError(500, f"Invalid: {name}")


def already_exists() -> VendorError:
    """The answer to a second row with the same code (picqer/exact-php-client issue 416)."""
    return VendorError(500, "Data already exists")


def not_found() -> VendorError:
    """The answer to an unknown id or path."""
    return VendorError(404, "Resource not found")
