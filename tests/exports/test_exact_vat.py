"""Items whose prices Exact Online keeps including VAT: what is billed is the same, to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exports.test_exact_online import Way, way  # noqa: F401  # fixture
from exports.world import line
from pipeline.world import DIVISION


@pytest.mark.parametrize("kind", ["sales_order", "sales_invoice"])
def test_a_price_including_vat_comes_to_the_same(way: Way, kind: str) -> None:  # noqa: F811
    way.save(document=kind, pdf=False)
    way.world.item("VAT1", SalesVatCode="VI")
    way.work_order("W1", line("VAT1", "3", "10,00"), line("A1", "1", "10,00"))
    way.run()
    assert way.states() == {"W1": "done"}, way.causes()
    (made,) = way.world.control.billed(DIVISION, "OS-")
    assert [each["price"] for each in made["lines"]] == [12.1, 10.0]
    assert Decimal(str(made["total"])) == Decimal(40)


def test_without_the_right_to_see_vat_codes_the_total_shows_it(way: Way) -> None:  # noqa: F811
    way.save(pdf=False)
    way.world.item("VAT1", SalesVatCode="VI")
    way.work_order("W1", line("VAT1", "1", "12,10"))
    way.world.control.change_scopes(remove=["Financial accounting"])
    try:
        way.run()
    finally:
        way.world.control.change_scopes(add=["Financial accounting"])
    assert way.states() == {"W1": "differs"}
    assert "10.00, the work order comes to 12.10" in way.causes()[0]
