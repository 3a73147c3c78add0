"""Requests to the control server: bodies, numbers, and what a mistake is answered with."""

import re
from typing import TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.exact_online.errors import VendorError
from sandbox.outsmart.envelope import RefusedError
from sandbox.visma_eaccounting.errors import ApiError

Shape = TypeVar("Shape")


async def read_as(request: web.Request, shape: type[Shape]) -> Shape:
    """The body as a type; an empty body counts as an empty object.

    Raises:
        msgspec.ValidationError: It is something else.
    """
    return msgspec.json.decode(await request.read() or b"{}", type=shape)


async def read_many(request: web.Request, shape: type[Shape]) -> list[Shape]:
    """The body as a list; one object counts as a list of one.

    Raises:
        msgspec.ValidationError: It is something else.
    """
    raw = (await request.read()).strip()
    if raw.startswith(b"["):
        return msgspec.json.decode(raw, type=list[shape])  # type: ignore[valid-type]
    return [msgspec.json.decode(raw, type=shape)]


def number(request: web.Request, name: str, default: int = 0) -> int:
    """A whole number of the query.

    Raises:
        ValueError: It is none.
    """
    return int(request.query.get(name, default))


def answer(content: object, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=msgspec.json.encode(content), status=status, content_type="application/json")


@web.middleware
async def explain_mistakes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer mistakes with 400 (404 where something is not there) and `{"error": ...}`."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        return answer({"error": refusal.reason}, refusal.status)
    except KeyError as missing:
        return answer({"error": f"There is no {missing.args[0]}"}, 404)
    except VendorError as refusal:
        return answer({"error": refusal.text}, 400)
    except ApiError as refusal:
        reasons = [refusal.text, *(f"{field}: {text}" for field, text in refusal.fields)]
        return answer({"error": " ".join(reasons)}, 400)
    except RefusedError as refusal:
        return answer({"error": ", ".join(refusal.messages) or f"OutSmart's code {refusal.code}"}, 404)
    except (ValueError, TypeError, re.error) as mistake:
        # msgspec's errors are ValueErrors, too.
        return answer({"error": str(mistake)}, 400)
