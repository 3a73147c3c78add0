"""Files of a work order: its PDF and its photos, behind addresses that need no token.

The addresses hold the work order's own secret code (https://github.com/CloudEcosystemDev/outsmart-component:
`WorksheetCode`, "unique code for documents"); how the vendor's look is not published.
"""

from aiohttp import web

from sandbox.outsmart.entities import STATUSES
from sandbox.outsmart.records import Record, Records

WORK_ORDERS = "workorders"
_FINISHED = STATUSES[2:]
# The smallest picture that decoders accept: one grey dot.
_DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c63680000008200817757c2f20000000049454e44ae426082"
)
_PAGE_LINES = 60
_FONTS = b"<< /Font << /F1 5 0 R >> >> >>"


class Worksheets:
    """Hands out files, and says where they are.

    Args:
        records: OutSmart's records.
    """

    def __init__(self, records: Records) -> None:
        self._records = records

    def routes(self) -> list[web.RouteDef]:
        """Where the files are."""
        start = "/worksheets/{account}/{code:[0-9a-f]+}"
        return [web.get(start + ".pdf", self.pdf), web.get(start + "/{photo:[0-9]+}.png", self.photo)]

    def linked(self, request: web.Request, account: str, record: Record) -> Record:
        """A work order with the addresses of its files, on the host the caller knows; a finished one has a PDF."""
        start = f"{request.scheme}://{request.host}/worksheets/{account}/{record.get('WorksheetCode')}"
        photos = [one | {"image": f"{start}/{place}.png"} for place, one in enumerate(record.get("Photos") or (), 1)]
        has_pdf = record["status"] in _FINISHED and record.get("WorksheetCode") and not record.get("PdfUrl")
        return record | {"Photos": photos} | ({"PdfUrl": f"{start}.pdf"} if has_pdf else {})

    async def pdf(self, request: web.Request) -> web.Response:
        """The PDF as it is now."""
        return web.Response(body=as_pdf(_told(self._find(request))), content_type="application/pdf")

    async def photo(self, request: web.Request) -> web.Response:
        """A photo; all look the same."""
        if int(request.match_info["photo"]) > len(self._find(request).get("Photos") or ()):
            raise web.HTTPNotFound
        return web.Response(body=_DOT, content_type="image/png")

    def _find(self, request: web.Request) -> Record:
        known = self._records.of(request.match_info["account"], WORK_ORDERS).values()
        found = [one for one in known if one.get("WorksheetCode") == request.match_info["code"]]
        if not found:
            raise web.HTTPNotFound
        return found[0]


def as_pdf(lines: list[str]) -> bytes:
    """A PDF of one page of text."""
    shown = "".join(f"({_escaped(line)}) Tj T*\n" for line in lines[:_PAGE_LINES])
    content = f"BT /F1 10 Tf 12 TL 50 800 Td\n{shown}ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources " + _FONTS,
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(made))
    return made + b"xref\n0 %d\n0000000000 65535 f \n" % count + table + end


def _told(record: Record) -> list[str]:
    header = [f"Work order {record.get('WorkorderNo') or record['id']}", str(record.get("CustomerName") or "")]
    materials = [f"{one.get('MaterialNr')} x {one.get('MaterialName')}" for one in record.get("Materials") or ()]
    periods = [
        f"{one.get('WorkDate')} {one.get('BeginTime')}-{one.get('EndTime')} {one.get('WorkRemark') or ''}"
        for one in record.get("Workperiods") or ()
    ]
    return [*header, *str(record.get("WorkDescription") or "").splitlines(), "", *materials, *periods]


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
