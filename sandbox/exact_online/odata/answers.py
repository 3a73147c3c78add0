"""Answers on the wire: JSON under `d`, or Atom for callers that did not ask for JSON."""

from typing import Any
from xml.sax.saxutils import escape, quoteattr

import msgspec
from aiohttp import web

JSON_TYPE = "application/json"
_NAMESPACES = (
    'xmlns="http://www.w3.org/2005/Atom" '
    'xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" '
    'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"'
)
_encode = msgspec.json.Encoder().encode


def wants_json(request: web.Request) -> bool:
    """Whether the caller asked for JSON; without asking the answer is Atom (https://github.com/hotgluexyz/tap-exact)."""
    return JSON_TYPE in request.headers.get("Accept", "")


def answer(request: web.Request, content: Any, status: int = 200) -> web.Response:
    """The answer with what belongs under `d`.

    Args:
        request: The request; it says in which format.
        content: One object, a list of objects, or an object with `results`.
        status: The HTTP status.
    """
    if wants_json(request):
        return web.Response(status=status, body=_encode({"d": content}), content_type=JSON_TYPE, charset="utf-8")
    return web.Response(status=status, text=_atom(content), content_type="application/atom+xml", charset="utf-8")


def error_answer(request: web.Request, status: int, body: dict[str, Any]) -> web.Response:
    """An error, as JSON or as OData's XML; how Exact Online's own XML error looks is not known."""
    if wants_json(request):
        return web.Response(status=status, body=_encode(body), content_type=JSON_TYPE, charset="utf-8")
    text = escape(str(body["error"]["message"]["value"]))
    namespace = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"
    xml = f'<?xml version="1.0" encoding="utf-8"?><error xmlns="{namespace}"><code/><message>{text}</message></error>'
    return web.Response(status=status, text=xml, content_type="application/xml", charset="utf-8")


def _atom(content: Any) -> str:
    head = '<?xml version="1.0" encoding="utf-8"?>'
    if isinstance(content, dict) and "results" not in content:
        return head + _entry(content, f" {_NAMESPACES}")
    rows, following = (content, None) if isinstance(content, list) else (content["results"], content.get("__next"))
    link = f'<link rel="next" href={quoteattr(following)}/>' if following else ""
    return f"{head}<feed {_NAMESPACES}>{''.join(_entry(row) for row in rows)}{link}</feed>"


def _entry(row: dict[str, Any], namespaces: str = "") -> str:
    address = row.get("__metadata", {}).get("uri", "")
    properties = "".join(_property(name, value) for name, value in row.items() if not isinstance(value, dict))
    inside = f'<content type="application/xml"><m:properties>{properties}</m:properties></content>'
    return f"<entry{namespaces}><id>{escape(address)}</id>{inside}</entry>"


def _property(name: str, value: Any) -> str:
    if value is None:
        return f'<d:{name} m:null="true"/>'
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<d:{name}>{escape(text)}</d:{name}>"
