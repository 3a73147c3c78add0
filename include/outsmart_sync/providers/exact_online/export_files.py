"""The PDF: a document that carries its token in the subject, the file in it, and the link to the order or invoice.

Fields: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=DocumentsDocuments and
name=DocumentsDocumentAttachments .
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from outsmart_sync.errors import RecordError
from outsmart_sync.providers.exact_online import writing
from outsmart_sync.providers.exact_online.export_reading import rows_holding, rows_with, same_id
from outsmart_sync.providers.exact_online.exports import DOCUMENT_TYPE
from outsmart_sync.providers.exact_online.values import TIMEZONE
from outsmart_sync.records.export_token import tokens_in

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient
    from outsmart_sync.records.export_document import Attachment, ExportDocument

LARGEST_REQUEST = 10 * 1024**2
"""Bytes (https://docs.skyvia.com/connectors/cloud-sources/exactonline_connections.html)."""

_DOCUMENTS, _ATTACHMENTS = "documents/Documents", "documents/DocumentAttachments"
_SALES_INVOICE = 10
_ROOM_FOR_THE_REST = 1024
_LOOKED_BACK = timedelta(days=60)
"""So far back lies nothing that is still open."""


class ExactFiles:
    """Files of one administration.

    Args:
        client: The administration.
        settings: Which type a document gets.
    """

    def __init__(self, client: ExactOnlineClient, settings: Mapping[str, Any]) -> None:
        self._client = client
        self._type = int(settings.get(DOCUMENT_TYPE) or _SALES_INVOICE)

    def create(self, document: ExportDocument) -> str:
        """Make the document that the file goes into; returns its id."""
        body = {
            "Subject": f"{document.token} {document.number}".strip(),
            "Type": self._type,
            "Account": document.customer,
            "DocumentDate": document.day.isoformat(),
        }
        return str(writing.create(self._client, _DOCUMENTS, body)["ID"])

    def find(self, token: str) -> list[str]:
        """Ids of documents with a token in their subject."""
        since = datetime.now(ZoneInfo(TIMEZONE)).date() - _LOOKED_BACK
        rows = rows_holding(self._client, _DOCUMENTS, ("ID", "Subject"), "Subject", [token], since)
        return [str(row["ID"]) for row in rows if token in tokens_in(row["Subject"] or "")]

    def attach(self, document_id: str, attachment: Attachment) -> str:
        """Put a file into a document; returns the attachment's id.

        Raises:
            RecordError: It is too large, or Exact refuses it.
        """
        content = base64.b64encode(attachment.content).decode()
        if len(content) > LARGEST_REQUEST - _ROOM_FOR_THE_REST:
            raise RecordError(
                f"{attachment.name} has {len(attachment.content) / 1024**2:.1f} MB; Exact Online takes about 7 MB.",
                remedy="Attach it by hand, in a smaller size.",
                code="too_large",
            )
        body = {"Document": document_id, "FileName": attachment.name, "Attachment": content}
        return str(writing.create(self._client, _ATTACHMENTS, body)["ID"])

    def find_attachment(self, document_id: str, name: str) -> list[str]:
        """Ids of a document's attachments with a file name."""
        rows = rows_with(self._client, _ATTACHMENTS, ("ID", "FileName"), [same_id("Document", document_id)])
        return [str(row["ID"]) for row in rows if row["FileName"] == name]
