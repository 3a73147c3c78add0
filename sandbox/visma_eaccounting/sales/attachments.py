"""Files attached to orders, invoice drafts and invoices.

PDF, JPEG, PNG and TIFF are taken (https://github.com/matssun/visma-external-api-schemas); the id of the document is
spelled `DockumentId` there. What the numbers of `DocumentType` mean is not published.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from sandbox.visma_eaccounting.bodies import decode_data
from sandbox.visma_eaccounting.errors import invalid, missing
from sandbox.visma_eaccounting.resources import Row
from sandbox.visma_eaccounting.rows import RowStore

Values = dict[str, Any]

KINDS = {"order": "orders", "customerinvoicedraft": "customerinvoicedrafts", "customerinvoice": "customerinvoices"}
"""What a file can be attached to: the last word of the path, and the resource."""

PDF = "application/pdf"
_BEGINNINGS = {
    PDF: (b"%PDF-",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/tiff": (b"II*\x00", b"MM\x00*"),
}
_TYPES = {"order": 1, "customerinvoicedraft": 2, "customerinvoice": 3}


def attach(store: RowStore, company: str, kind: str, values: Values, by: str) -> Row:
    """Attach a file.

    Args:
        store: All rows.
        company: The company.
        kind: What it is attached to, one of `KINDS`.
        values: The upload, checked against its schema.
        by: Who does it.

    Raises:
        ApiError: The file is of another type, empty, or there is no such document.
    """
    if values["ContentType"] not in _BEGINNINGS:
        raise invalid(("ContentType", f"{values['ContentType']} is not one of {', '.join(_BEGINNINGS)}."))
    if (values["Data"] is None) == (values["Url"] is None):
        raise invalid(("Data", "Either Data or Url is needed."))
    document = store.find(company, KINDS[kind], values["DockumentId"])
    if document is None:
        raise missing(f"Document {values['DockumentId']}", 400)
    data = _data(values)
    row = store.insert(
        company,
        "salesdocumentattachments",
        {
            "DocumentId": document.Id,
            "DocumentType": _TYPES[kind],
            "OriginalFilename": values["FileName"],
            "DocumentSize": len(data),
            "CreatedBy": by,
            "ContentType": values["ContentType"],
            "Data": base64.b64encode(data).decode(),
            "Sha256": hashlib.sha256(data).hexdigest(),
        },
    )
    document.SalesDocumentAttachments = [*(document.SalesDocumentAttachments or ()), row.Id]
    store.save(company, KINDS[kind], [document])
    return row


def detach(store: RowStore, company: str, kind: str, document_id: str, attachment_id: str) -> None:
    """Take a file away from a document.

    Raises:
        ApiError: It is not attached to it.
    """
    document = store.find(company, KINDS[kind], document_id)
    row = store.find(company, "salesdocumentattachments", attachment_id)
    if document is None or row is None or row.DocumentId != document.Id:
        raise missing(f"Attachment {attachment_id}")
    document.SalesDocumentAttachments = [one for one in document.SalesDocumentAttachments if one != row.Id]
    store.save(company, KINDS[kind], [document])
    store.delete(company, "salesdocumentattachments", [row])


def move(store: RowStore, company: str, before: Row, after: Row) -> None:
    """Let the files of a draft be those of the invoice that was made of it."""
    rows = list(store.table(company, "salesdocumentattachments").having("DocumentId", before.Id))
    for row in rows:
        row.DocumentId, row.DocumentType = after.Id, _TYPES["customerinvoice"]
    store.save(company, "salesdocumentattachments", rows)


def drop(store: RowStore, company: str, documents: Sequence[Row]) -> None:
    """Remove the files of documents that are deleted."""
    table = store.table(company, "salesdocumentattachments")
    rows = [row for document in documents for row in table.having("DocumentId", document.Id)]
    store.delete(company, "salesdocumentattachments", rows)


def _data(values: Values) -> bytes:
    """The file; what an address holds is not fetched, so that nothing leaves this machine."""
    if values["Url"] is not None:
        return b""
    data = decode_data(values["Data"])
    if not data.startswith(_BEGINNINGS[values["ContentType"]]):
        raise invalid(("Data", f"The data are not {values['ContentType']}."))
    return data
