"""The PDF and photos: attached straight to an order or invoice draft.

Fields: schemas ``SalesDocumentAttachmentUploadApi`` and ``SalesDocumentAttachmentApi`` of
https://eaccountingapi.vismaonline.com/openapi/v2.json ; ``DockumentId`` is spelled so there.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from outsmart_sync.errors import RecordError
from outsmart_sync.providers.visma_eaccounting import writing
from outsmart_sync.providers.visma_eaccounting.exports import INVOICE_DRAFT, SALES_ORDER

if TYPE_CHECKING:
    from outsmart_sync.providers.visma_eaccounting.client import VismaClient
    from outsmart_sync.providers.visma_eaccounting.export_documents import VismaDocuments
    from outsmart_sync.records.export_document import Attachment

LARGEST = 5 * 1024**2
"""Bytes of a file; VISMA publishes no limit."""

PATH = "salesdocumentattachments"
TARGETS = {SALES_ORDER: f"{PATH}/order", INVOICE_DRAFT: f"{PATH}/customerinvoicedraft"}
_LONGEST_NAME = 128


class VismaFiles:
    """Files of one company.

    Args:
        client: The company.
        documents: What they are attached to.
    """

    def __init__(self, client: VismaClient, documents: VismaDocuments) -> None:
        self._client = client
        self._documents = documents

    def attach(self, kind: str, remote_id: str, attachment: Attachment) -> str:
        """Attach a file; returns the attachment's id.

        Raises:
            RecordError: It is too large, or VISMA refuses it.
        """
        if len(attachment.content) > LARGEST:
            raise RecordError(
                f"{attachment.name} has {len(attachment.content) / 1024**2:.1f} MB; up to {LARGEST // 1024**2} MB are "
                "attached in VISMA eAccounting.",
                remedy="Attach it by hand, in a smaller size.",
                code="too_large",
            )
        body = {
            "ContentType": attachment.media_type,
            "FileName": attachment.name[-_LONGEST_NAME:],
            "DockumentId": remote_id,
            "Data": base64.b64encode(attachment.content).decode(),
        }
        return str(writing.create(self._client, TARGETS[kind], body)["Id"])

    def find(self, kind: str, remote_id: str, name: str) -> list[str]:
        """Ids of a document's attachments with a file name."""
        found = []
        for each in self._documents.attachments(kind, remote_id):
            row = self._client.row(PATH, each)
            if row is not None and row.get("OriginalFilename") == name[-_LONGEST_NAME:]:
                found.append(each)
        return found
