"""What orders for the firm's own production have in common: shop orders and assembly orders."""

from __future__ import annotations

from outsmart_sync.records.record import REFERS
from outsmart_sync.records.values import Payload

ITEM, ITEM_NAME, QUANTITY, UNIT = f"{REFERS}item", f"{REFERS}item_name", f"{REFERS}quantity", f"{REFERS}unit"
"""Names in the payload of what is to be made; a work order has no fields for it."""


def what_is_made(payload: Payload) -> Payload:
    """The work order's field that tells the employee what is to be made, as ``3 pc A1 Pump``."""
    words = (payload.get(name) for name in (QUANTITY, UNIT, ITEM, ITEM_NAME))
    text = " ".join(str(word) for word in words if word)
    return {"internal_description": text} if text else {}
