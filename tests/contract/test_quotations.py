"""What quotations and goods deliveries rely on is what Exact's pages say, and what they do not say."""

from __future__ import annotations

import pytest

from outsmart_sync.providers.exact_online import goods_deliveries, quotations, sales_orders
from outsmart_sync.providers.exact_online.stream import ExactStream
from tests.contract.vendors import EXACT

STREAMS = (quotations.HEADERS, quotations.LINES, goods_deliveries.DELIVERIES, goods_deliveries.LINES)
TYPES = {
    "QuotationNumber": "Edm.Int32",
    "VersionNumber": "Edm.Int32",
    "DeliveryNumber": "Edm.Int32",
    "SalesOrderNumber": "Edm.Int32",
    "Status": "Edm.Int16",
    "OrderAccount": "Edm.Guid",
    "OrderedBy": "Edm.Guid",
    "YourRef": "Edm.String",
    "Item": "Edm.Guid",
    "StorageLocation": "Edm.Guid",
    "Optional": "Edm.Boolean",
    "Quantity": "Edm.Double",
    "QuantityDelivered": "Edm.Double",
    "QuotationDate": "Edm.DateTime",
    "DeliveryDate": "Edm.DateTime",
}
"""What our rules take columns for."""

each_stream = pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)


@each_stream
def test_every_column_is_on_both_pages_with_the_type_that_we_take_it_for(stream: ExactStream) -> None:
    sync, single = EXACT[stream.path], EXACT[stream.single]
    for column in stream.columns:
        assert sync.properties[column] == TYPES.get(column, sync.properties[column])
        if column in stream.sync_only:
            assert column not in single.properties
        else:
            assert single.properties[column] == sync.properties[column]
    assert sync.deleted_entity_type == stream.deleted_type


def test_every_status_of_a_quotation_is_known_and_means_one_thing() -> None:
    single = {int(status) for status in EXACT["crm/Quotations"].values["Status"]}
    assert single == set(quotations.STATUSES)
    assert {int(status) for status in EXACT["sync/CRM/QuotationHeaders"].values["Status"]} <= single
    assert not quotations.ACCEPTED & quotations.UNDECIDED


def test_lines_of_a_quotation_name_their_article_by_its_id_alone() -> None:
    for path in ("sync/CRM/QuotationLines", "crm/QuotationLines"):
        assert "ItemCode" not in EXACT[path].properties


def test_exact_does_not_say_from_which_quotation_an_order_was_made_so_the_reference_has_to() -> None:
    """Were this to change, the comparison by customer and reference could go."""
    for path in ("sync/SalesOrder/SalesOrderHeaders", "sync/SalesOrder/SalesOrderLines", "salesorder/SalesOrders"):
        assert [name for name in EXACT[path].properties if "Quot" in name] == []
    for path in ("sync/CRM/QuotationHeaders", "sync/CRM/QuotationLines", "crm/Quotations"):
        assert [name for name in EXACT[path].properties if "SalesOrder" in name] == []
    properties = EXACT[sales_orders.HEADERS.path].properties
    assert (properties["OrderedBy"], properties["YourRef"]) == ("Edm.Guid", "Edm.String")


def test_a_delivery_line_says_which_order_and_where_it_was_taken_from() -> None:
    properties = EXACT["sync/SalesOrder/GoodsDeliveryLines"].properties
    assert {"SalesOrderNumber", "SalesOrderLineID", "StorageLocation"} <= set(properties)
