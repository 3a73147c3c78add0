"""Articles of one of VISMA's companies: materials, and the hours it sells."""

from typing import Any

from sandbox.seeds.traits import VISMA_ARTICLE_TRAITS as TRAITS
from sandbox.seeds.visma_books import LABEL_TRAITS, VismaBooks
from sandbox.visma_eaccounting.showing import SERVICE

_ODD_CODES = ("O'RING-{}", "T&G {}", "CAFÉ-{}", "1/2-{}", "kit-{}", "ACTIE 50% {}", "A+B #{}")
_LABOUR_SHARE, _FEWEST_LABOUR = 0.03, 6
_LONGEST_NAME = 50
_CALL_OUT, _BY_THE_DAY, _HOURS_AS_GOODS = 1, 2, 3


class _Drawer:
    """What articles draw from."""

    def __init__(self, books: VismaBooks) -> None:
        self.units = dict(zip(books.words.units, (one.Id for one in books.all("units")), strict=True))
        self.codings = books.all("articleaccountcodings")
        self.labels = [one.Id for one in books.all("articlelabels")]
        self.lists = books.all("salespricelists")

    def coding(self, *, service: bool, low: bool = False) -> Any:
        """The coding of a kind at a rate."""
        fitting = [one for one in self.codings if (one.Type == SERVICE) is service]
        return fitting[int(low)]


def make_articles(books: VismaBooks) -> None:
    """Make articles; the first few are labour, with three that lead readers astray."""
    drawer = _Drawer(books)
    labour = min(books.items, max(_FEWEST_LABOUR, int(books.items * _LABOUR_SHARE)))
    for index in range(books.items):
        if index < labour:
            _labour(books, drawer, index)
        else:
            _material(books, drawer, index)


def _labour(books: VismaBooks, drawer: _Drawer, index: int) -> None:
    """Hours: one of them a fixed charge by the piece, one by the day, one coded as goods."""
    unit = {_CALL_OUT: "piece", _BY_THE_DAY: "day"}.get(index, "hour")
    names = books.words.labour
    name = books.words.call_out if index == _CALL_OUT else names[index % len(names)]
    _article(
        books,
        drawer,
        index,
        number=f"U-{index + 1:03d}",
        name=f"{name} {index + 1}" if index >= len(names) else name,
        unit=unit,
        coding=drawer.coding(service=index != _HOURS_AS_GOODS),
        price=float(books.chance.randint(45, 95)),
    )


def _material(books: VismaBooks, drawer: _Drawer, index: int) -> None:
    chance = books.chance
    name, unit, price = chance.choice(books.words.products)
    _article(
        books,
        drawer,
        index,
        number=_number(index),
        name=f"{name} {chance.choice(books.words.variants)} {index}",
        unit=unit,
        coding=drawer.coding(service=False, low=index in TRAITS["low_vat"]),
        price=0.0 if index in TRAITS["no_price"] else round(price * chance.uniform(0.8, 1.3), 2),
        IsStock="stock" in books.company.modules,
        StockBalance=float(chance.randint(0, 400)),
        Barcodes=[{"Barcode": f"87{index:011d}", "BarcodeType": 0}] if index in TRAITS["barcode"] else [],
    )


def _article(
    books: VismaBooks,
    drawer: _Drawer,
    index: int,
    *,
    number: str,
    name: str,
    unit: str,
    coding: Any,
    price: float,
    **others: Any,
) -> None:
    article = books.make(
        "articles",
        Number=number,
        Name=name[:_LONGEST_NAME],
        NameEnglish=None,
        IsActive=index not in TRAITS["inactive"],
        CodingId=coding.Id,
        UnitId=drawer.units[unit],
        NetPrice=price,
        GrossPrice=round(price * (1 + coding.VatRatePercent), 2),
        PurchasePrice=round(price * 0.6, 2),
        CurrencyCode=books.company.currency,
        Note=f"{name}\r\nOrder per box." if index in TRAITS["note"] else None,
        ArticleLabels=[drawer.labels[place] for place, trait in enumerate(LABEL_TRAITS) if index in TRAITS[trait]],
        **others,
    )
    if drawer.lists and price:
        _list_prices(books, drawer, index, article, coding.VatRatePercent)


def _list_prices(books: VismaBooks, drawer: _Drawer, index: int, article: Any, rate: float) -> None:
    """The standard list has every article, the contract list some, cheaper."""
    for place, price_list in enumerate(drawer.lists):
        if place and index not in TRAITS["on_price_list"]:
            continue
        net = round(article.NetPrice * (0.85 if place else 1), 2)
        books.make(
            "salespricelists/prices",
            SalesPriceListId=price_list.Id,
            ArticleId=article.Id,
            NetPrice=net,
            GrossPrice=round(net * (1 + rate), 2),
            CurrencyCode=books.company.currency,
        )


def _number(index: int) -> str:
    if index in TRAITS["odd_code"]:
        return _ODD_CODES[index // TRAITS["odd_code"].step % len(_ODD_CODES)].format(index)
    return f"{index:06d}" if index in TRAITS["leading_zeros"] else f"ART-{index:05d}"
