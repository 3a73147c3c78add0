"""One company's sales: quotations, orders made from some of them, and what was delivered of the orders."""

from typing import Any

from sandbox.exact_online.row_types import Row
from sandbox.seeds.books import Books
from sandbox.seeds.traits import ORDER_TRAITS, QUOTATION_TRAITS

_OPEN, _PARTIAL, _COMPLETE, _CANCELLED = 12, 20, 21, 45
_AWAITING_APPROVAL, _APPROVED_BY_ITSELF = 0, 1
_REJECTED, _REVIEWED, _DRAFT, _SENT, _PRINTED, _ACCEPTED, _AWAITING_ONLINE = 5, 6, 20, 25, 40, 50, 60
_OLDEST_DAYS = 700
_MOST_LINES = 6
_FIRST_ORDER, _FIRST_QUOTATION, _FIRST_DELIVERY = 10_001, 3_001, 5_001
_VAT = 0.21


def make_orders(books: Books) -> None:
    """Make sales orders: old ones are mostly done, new ones open, a few cancelled or waiting for approval."""
    count = books.share(0.4, 16, 2000)
    for index in range(count):
        age = books.days_between(index, count, _OLDEST_DAYS, 1)
        state = _state(index, count)
        order = _order(books, index, age, state)
        for number in range(1, books.chance.randint(1, _MOST_LINES) + 1):
            _order_line(books, order, number, age, state)


def make_deliveries(books: Books) -> None:
    """Make goods deliveries of the newest orders of which anything was delivered, each of all its delivered lines."""
    lines: dict[str, list[Row]] = {}
    for line in books.tables.get("salesorder/SalesOrderLines", ()):
        if line.QuantityDelivered:
            lines.setdefault(line.OrderID, []).append(line)
    delivered = [row for row in books.tables.get("salesorder/SalesOrders", ()) if row.OrderID in lines]
    for index, order in enumerate(delivered[-books.share(0.06, 12, 300) :]):
        _delivery(books, index, order, lines[order.OrderID])


def make_quotations(books: Books) -> None:
    """Make quotations in every state, some in several versions; some of the accepted ones became an order."""
    for index in range(books.share(0.05, 13, 250)):
        versions = 3 if index in QUOTATION_TRAITS["third_version"] else 2 if index % 5 == 0 else 1
        account = books.chance.choice(books.customers)
        for version in range(1, versions + 1):
            last = version == versions
            quotation = _quotation(books, index, account, version, _quotation_state(index) if last else _REVIEWED)
            for number in range(1, books.chance.randint(1, 4) + 1):
                _quotation_line(books, quotation, number)


def _state(index: int, count: int) -> int:
    if index in ORDER_TRAITS["cancelled"]:
        return _CANCELLED
    if index < count * 0.6:
        return _COMPLETE if index % 10 else _PARTIAL
    return _PARTIAL if index in ORDER_TRAITS["partial"] else _OPEN


def _order(books: Books, index: int, age: int, state: int) -> Row:
    chance, day = books.chance, books.stamps.day
    account = chance.choice(books.customers)
    receiver = chance.choice(books.customers) if index in ORDER_TRAITS["delivered_elsewhere"] else account
    place = books.delivery_address(receiver)
    project = books.pick("project/Projects") if index in ORDER_TRAITS["project"] else None
    return books.make(
        "salesorder/SalesOrders",
        **books.stamp(age, None if state == _OPEN else age - chance.randint(0, 20)),
        OrderID=books.stamps.guid(),
        OrderNumber=_FIRST_ORDER + index,
        OrderedBy=account.ID,
        OrderedByContactPerson=account.MainContact,
        DeliverTo=receiver.ID,
        DeliverToContactPerson=receiver.MainContact,
        DeliveryAddress=place.ID if place else None,
        InvoiceTo=account.InvoiceAccount or account.ID,
        OrderDate=day(-age),
        DeliveryDate=day(chance.randint(2, 30) - age),
        Description=f"{chance.choice(books.words.jobs)} {account.City or account.Name}",
        YourRef=f"INK-{chance.randint(1000, 9999)}" if index % 3 == 0 else None,
        Remarks="Bel een dag vooraf & neem sleutel mee.\r\nAchterom." if index in ORDER_TRAITS["remarks"] else None,
        Currency="EUR",
        PaymentCondition=account.PaymentConditionSales,
        ApprovalStatus=_AWAITING_APPROVAL if index in ORDER_TRAITS["unapproved"] else _APPROVED_BY_ITSELF,
        Status=state,
        DeliveryStatus=state,
        InvoiceStatus=_OPEN if state == _PARTIAL else state,
        WarehouseID=books.tables["inventory/Warehouses"][0].ID,
        Project=project.ID if project else None,
    )


def _order_line(books: Books, order: Row, number: int, age: int, state: int) -> None:
    item = books.chance.choice(books.labour if number % 4 == 0 else books.materials)
    line = books.make(
        "salesorder/SalesOrderLines",
        **books.stamp(age),
        **_priced(books, item),
        OrderID=order.OrderID,
        LineNumber=number,
        DeliveryDate=order.DeliveryDate,
        CostPriceFC=item.CostPriceStandard,
        UseDropShipment=0,
        Project=order.Project,
        Status=state,
        DeliveryStatus=state,
        InvoiceStatus=order.InvoiceStatus,
    )
    line.VATAmount = round(line.AmountFC * _VAT, 2)
    done = 1.0 if state == _COMPLETE else 0.5 if state == _PARTIAL and number % 2 else 0.0
    line.QuantityDelivered = line.Quantity * done
    line.QuantityInvoiced = line.Quantity if state == _COMPLETE else 0.0


def _priced(books: Books, item: Row) -> dict[str, Any]:
    """What order and quotation lines have alike."""
    chance = books.chance
    quantity = float(chance.randint(1, 12)) if item.Unit == books.words.units["piece"][0] else chance.randint(2, 80) / 4
    discount = chance.choice((0.0, 0.0, 0.0, 0.05, 0.1))
    price = books.price(item)
    net = round(price * (1 - discount), 2)
    amount = round(quantity * net, 2)
    return {
        "Item": item.ID,
        "Description": item.Description,
        "Quantity": quantity,
        "UnitCode": item.Unit,
        "UnitPrice": price,
        "Discount": discount,
        "NetPrice": net,
        "AmountFC": amount,
        "AmountDC": amount,
        "VATCode": "VH",
        "VATPercentage": _VAT,
    }


def _delivery(books: Books, index: int, order: Row, lines: list[Row]) -> None:
    delivery = books.make(
        "salesorder/GoodsDeliveries",
        EntryID=books.stamps.guid(),
        DeliveryNumber=_FIRST_DELIVERY + index,
        EntryNumber=_FIRST_DELIVERY + index,
        DeliveryAccount=order.DeliverTo,
        DeliveryAddress=order.DeliveryAddress,
        DeliveryContact=order.DeliverToContactPerson,
        DeliveryDate=order.DeliveryDate,
        Description=order.Description,
        TrackingNumber=f"3SSBX{index:07d}" if index % 2 else None,
        Warehouse=order.WarehouseID,
    )
    for number, line in enumerate(lines, 1):
        books.make(
            "salesorder/GoodsDeliveryLines",
            EntryID=delivery.EntryID,
            LineNumber=number,
            SalesOrderLineID=line.ID,
            Item=line.Item,
            Description=line.Description,
            Unitcode=line.UnitCode,
            QuantityDelivered=line.QuantityDelivered,
            DeliveryDate=order.DeliveryDate,
            TrackingNumber=delivery.TrackingNumber,
        )


def _quotation_state(index: int) -> int:
    states = (_ACCEPTED, _SENT, _DRAFT, _PRINTED, _REJECTED, _ACCEPTED, _AWAITING_ONLINE)
    return states[index % len(states)]


def _quotation(books: Books, index: int, account: Row, version: int, state: int) -> Row:
    chance, day = books.chance, books.stamps.day
    age = chance.randint(3, 300)
    reference = f"OFF-{_FIRST_QUOTATION + index}"
    if state == _ACCEPTED and index in QUOTATION_TRAITS["ordered"]:
        order = chance.choice(books.tables["salesorder/SalesOrders"])
        order.OrderedBy = order.DeliverTo = order.InvoiceTo = account.ID
        order.OrderedByContactPerson = order.DeliverToContactPerson = account.MainContact
        order.YourRef = reference
    return books.make(
        "crm/Quotations",
        **books.stamp(age, age // 2 if state != _DRAFT else None),
        QuotationID=books.stamps.guid(),
        QuotationNumber=_FIRST_QUOTATION + index,
        VersionNumber=version,
        OrderAccount=account.ID,
        OrderAccountContact=account.MainContact,
        DeliveryAccount=account.ID,
        DeliveryAccountContact=account.MainContact,
        InvoiceAccount=account.InvoiceAccount or account.ID,
        QuotationDate=day(-age),
        ClosingDate=day(30 - age),
        CloseDate=day(-(age // 2)) if state in {_ACCEPTED, _REJECTED, _REVIEWED} else None,
        DeliveryDate=day(60 - age),
        Description=f"{chance.choice(books.words.jobs)} {account.Name}",
        YourRef=reference,
        Currency="EUR",
        PaymentCondition=account.PaymentConditionSales,
        Status=state,
    )


def _quotation_line(books: Books, quotation: Row, number: int) -> None:
    item = books.chance.choice(books.labour if number % 3 == 0 else books.materials)
    line = books.make(
        "crm/QuotationLines",
        Created=quotation.Created,
        Modified=quotation.Modified,
        QuotationID=quotation.QuotationID,
        LineNumber=number,
        Optional=number == 4,
        **_priced(books, item),
    )
    line.VATAmountFC = round(line.AmountFC * _VAT, 2)
