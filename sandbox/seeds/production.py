"""What one company makes: shop orders with their materials, and assembly orders with their parts."""

from sandbox.exact_online.row_types import Row
from sandbox.seeds.books import Books
from sandbox.seeds.traits import PRODUCTION_TRAITS as TRAITS

_OPEN, _IN_PROCESS, _FINISHED, _COMPLETED = 10, 20, 30, 40
_STATES = (_OPEN, _IN_PROCESS, _FINISHED, _COMPLETED, _OPEN)
_SHOP_ORDER_TYPE = 9040
_PLAN_OPEN, _PLAN_PARTIAL, _PLAN_FINISHED = 10, 25, 30
_PLAN_STATES = {_OPEN: _PLAN_OPEN, _IN_PROCESS: _PLAN_PARTIAL, _FINISHED: _PLAN_FINISHED, _COMPLETED: _PLAN_FINISHED}
_MATERIAL, _BY_PRODUCT = 1, 2
_ASSEMBLE, _TAKE_APART = 8060, 8061
_ASSEMBLY_OPEN, _ASSEMBLY_PARTIAL, _ASSEMBLY_COMPLETE = 20, 30, 50
_FIRST_SHOP_ORDER, _FIRST_ASSEMBLY_ORDER = 7_001, 10_001
"""Assembly orders begin at the number at which sales orders begin: the ranges overlap."""


def make_shop_orders(books: Books) -> None:
    """Make shop orders: for a line of a sales order, for a project, or for stock."""
    lines = [line for line in books.tables.get("salesorder/SalesOrderLines", ()) if line.Status == 12]
    for index in range(books.share(0.05, 12, 250)):
        order = _shop_order(books, index)
        if index % 3 == 0 and lines:
            line = lines.pop()
            line.ShopOrder, order.Item, order.Unit = order.ID, line.Item, line.UnitCode
            order.PlannedQuantity = line.Quantity
        for number in range(1, books.chance.randint(1, 5) + 1):
            _plan(books, order, number)


def make_assembly_orders(books: Books) -> None:
    """Make assembly orders of the last two hundred days; nothing tells when one was changed."""
    count = books.share(0.04, 12, 200)
    for index in range(count):
        _assembly_order(books, index, books.days_between(index, count, 200, 1))


def _shop_order(books: Books, index: int) -> Row:
    chance, day = books.chance, books.stamps.day
    item, state, age = chance.choice(books.materials), _STATES[index % len(_STATES)], chance.randint(3, 120)
    project = books.pick("project/Projects") if index % 3 == 1 else None
    quantity = float(chance.randint(1, 10))
    return books.make(
        "manufacturing/ShopOrders",
        **books.stamp(age, age // 2 if state != _OPEN else None),
        ShopOrderNumber=_FIRST_SHOP_ORDER + index,
        Item=item.ID,
        Unit=item.Unit,
        Description=item.Description,
        EntryDate=day(-age),
        PlannedStartDate=day(10 - age),
        PlannedDate=day(20 - age),
        PlannedQuantity=quantity,
        ProducedQuantity=quantity if state in {_FINISHED, _COMPLETED} else 0.0,
        ProductionLeadDays=10,
        Status=state,
        Type=_SHOP_ORDER_TYPE,
        IsOnHold=int(index in TRAITS["on_hold"]),
        IsReleased=int(state != _OPEN),
        IsInPlanning=1,
        Project=project.ID if project else None,
        Warehouse=books.tables["inventory/Warehouses"][0].ID,
        YourRef=f"WO-{index:04d}" if index % 2 else None,
        Notes="Let op: maatwerk." if index in TRAITS["notes"] else None,
    )


def _plan(books: Books, order: Row, number: int) -> None:
    item = books.chance.choice(books.materials)
    price, quantity = books.price(item), float(books.chance.randint(1, 20))
    books.make(
        "manufacturing/ShopOrderMaterialPlans",
        Created=order.Created,
        Modified=order.Modified,
        ShopOrder=order.ID,
        LineNumber=number,
        Item=item.ID,
        Description=item.Description,
        Unit=item.Unit,
        PlannedQuantity=quantity,
        PlannedPriceFC=price,
        PlannedAmountFC=round(price * quantity, 2),
        PlannedDate=order.PlannedStartDate,
        Status=_PLAN_STATES[order.Status],
        Type=_BY_PRODUCT if number == 5 else _MATERIAL,
        Backflush=0,
    )


def _assembly_order(books: Books, index: int, age: int) -> None:
    chance, day = books.chance, books.stamps.day
    item = chance.choice(books.materials)
    quantity = float(chance.randint(2, 12))
    state = (_ASSEMBLY_COMPLETE, _ASSEMBLY_OPEN, _ASSEMBLY_PARTIAL, _ASSEMBLY_OPEN)[index % 4]
    finished = {_ASSEMBLY_COMPLETE: quantity, _ASSEMBLY_PARTIAL: quantity // 2, _ASSEMBLY_OPEN: 0.0}[state]
    order = books.make(
        "inventory/AssemblyOrders",
        OrderNumber=_FIRST_ASSEMBLY_ORDER + index,
        OrderDate=day(-age),
        AssemblyDate=day(14 - age),
        FinishedAssemblyDate=day(-(age // 2)) if state == _ASSEMBLY_COMPLETE else None,
        Item=item.ID,
        Description=item.Description,
        PlannedQuantity=quantity,
        FinishedQuantity=finished,
        OrderStatus=state,
        Type=_TAKE_APART if index in TRAITS["taken_apart"] else _ASSEMBLE,
        Unit=next(unit.ID for unit in books.tables["logistics/Units"] if unit.Code == item.Unit),
        Warehouse=books.tables["inventory/Warehouses"][0].ID,
    )
    for number in range(1, chance.randint(2, 5) + 1):
        part = chance.choice(books.materials)
        books.make(
            "inventory/AssemblyOrders/PartItems", AssemblyOrder=order.ID, LineNumber=number, PartItem=part.ID,
            Quantity=quantity * chance.randint(1, 4),
        )  # fmt: skip
