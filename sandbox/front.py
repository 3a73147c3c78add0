"""What a person sees who follows a link into a vendor's web application: one record, or that there is none."""

from collections.abc import Mapping
from html import escape
from typing import Any

from aiohttp import web

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; background: #f3f4f6; color: #1f2937; margin: 0; }
main { max-width: 46rem; margin: 4vh auto; padding: 2rem; background: #fff; }
h1 { font-size: 1.25rem; margin-top: 0; } th { text-align: left; padding-right: 2rem; vertical-align: top; }
.note { color: #6b7280; font-size: .875rem; }
"""


def front_page(vendor: str, *shown: tuple[str, Mapping[str, Any]]) -> web.Response:
    """A page of the application.

    Args:
        vendor: Whose application it is.
        shown: Title and fields of what it shows; nothing: there is no such record, and the answer is 404.
    """
    content = "".join(_card(*each) for each in shown) if shown else "<h1>There is no such record.</h1>"
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(vendor)} sandbox</title><style>{_STYLE}</style></head>
<body><main>{content}
<p class="note">This stands for a page of {escape(vendor)}, where one would have to log in first.</p>
</main></body></html>
"""
    return web.Response(text=text, status=200 if shown else 404, content_type="text/html", charset="utf-8")


def _card(title: str, fields: Mapping[str, Any]) -> str:
    rows = ((name, value) for name, value in fields.items() if value not in (None, "", [], {}))
    lines = (f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>\n" for name, value in rows)
    return f"<h1>{escape(title)}</h1>\n<table>{''.join(lines)}</table>\n"
