"""outsmart-sync export, as somebody types it."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

import commands
from exports.world import ExportWorld
from outsmart_sync import terminal


@pytest.fixture
def typed(exporting: ExportWorld, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Types a command; returns what was printed, whatever its exit code."""
    monkeypatch.setattr(terminal, "open_store", lambda: exporting.store)
    monkeypatch.setattr(terminal, "open_store_and_gateway", lambda: (exporting.store, exporting.gateway))
    return partial(commands.typed, "export")


def test_a_work_order_from_preview_to_document_and_again(exporting: ExportWorld, typed: Any) -> None:
    exporting.work_order("W1", {"quantity": "2", "price": "1,25"})
    exporting.work_order("W2", {}, PaymentMethod="contant voldaan")
    assert "No work order has been looked at yet" in typed("list")
    shown = typed("preview", "exact-online")
    assert "Work order W1: sales_order, total 2.50 EUR" in shown
    assert "held: Work order W2 has the payment method 'contant voldaan'" in shown
    assert "1 documents would be made; nothing was sent" in shown
    assert exporting.books.documents() == []

    assert "done" in typed("run", "exact-online", "--category", "work_orders")
    found = {each["number"]: each for each in json.loads(typed("list", "--json"))}
    assert (found["W1"]["state"], found["W1"]["expected"], found["W2"]["state"]) == ("done", "2.50", "held")
    assert "sales_order 1, total 2.50" in typed("show", "W1")
    assert "exported" in typed("show", "W1")

    assert "waiting" in typed("release", "W2")
    assert "held" in typed("hold", "W2")
    assert "still there" in typed("resend", "W1", code=1)
    typed("settle", "W1", "--accept", code=1)
    assert len(exporting.books.documents()) == 1
