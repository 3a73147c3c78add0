"""Which rows are the odd ones.

A trait falls on every n-th row from a certain one on, so that small companies have at least one of each and the numbers
can be worked out in advance.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Every:
    """Every `step`-th row, beginning with number `first` (counted from 0)."""

    step: int
    first: int

    def __contains__(self, index: int) -> bool:
        return index % self.step == self.first


ACCOUNT_TRAITS = {
    "blocked": Every(29, 5),
    "ended": Every(23, 7),
    "not_started": Every(37, 11),
    "no_postcode": Every(31, 13),
    "no_street": Every(41, 17),
    "no_city": Every(43, 19),
    "supplier_only": Every(10, 4),
    "customer_and_supplier": Every(25, 21),
    "prospect": Every(12, 8),
    "suspect": Every(16, 10),
    "own_company": Every(10_000_000, 3),
    "invoiced_elsewhere": Every(38, 30),
    "remarks": Every(12, 1),
    "private_person": Every(6, 2),
    "abroad": Every(20, 0),
    "other_currency": Every(100, 39),
    "discount": Every(20, 15),
    "located": Every(10, 6),
    "several_delivery_addresses": Every(25, 9),
    "delivery_address": Every(5, 1),
    "postal_address": Every(8, 2),
    "invoice_address": Every(9, 3),
    "no_contact": Every(3, 0),
    "second_contact": Every(5, 2),
    "contact_without_email": Every(7, 1),
}

ITEM_TRAITS = {
    "not_for_sale": Every(17, 4),
    "ended": Every(26, 9),
    "not_started": Every(37, 12),
    "no_price": Every(19, 6),
    "leading_zeros": Every(5, 1),
    "odd_code": Every(20, 13),
    "notes": Every(15, 2),
    "no_group": Every(47, 22),
    "quantity_steps": Every(4, 3),
    "other_currency": Every(21, 16),
    "earlier_price": Every(12, 8),
    "price_ended": Every(33, 14),
    "later_price": Every(24, 11),
    "agreement": Every(30, 18),
    "barcode": Every(2, 0),
}

EMPLOYEE_TRAITS = {
    "left": Every(7, 3),
    "not_started": Every(9, 5),
    "no_email": Every(8, 6),
    "no_code": Every(10_000_000, 8),
}

PAYMENT_TRAITS = {
    "payable": Every(6, 4),
    "two_terms": Every(9, 2),
    "credit_note": Every(13, 6),
    "unpaid": Every(4, 3),
    "paid_early": Every(7, 5),
    "collected": Every(5, 1),
    "your_ref": Every(3, 0),
}

ORDER_TRAITS = {
    "cancelled": Every(8, 4),
    "partial": Every(4, 3),
    "delivered_elsewhere": Every(11, 2),
    "project": Every(5, 1),
    "remarks": Every(7, 3),
    "unapproved": Every(14, 13),
}

QUOTATION_TRAITS = {
    "third_version": Every(15, 7),
    "ordered": Every(2, 0),
}

PROJECT_TRAITS = {
    "own": Every(9, 8),
    "over": Every(6, 4),
    "blocked": Every(10, 6),
    "notes": Every(4, 1),
    "without_project": Every(9, 5),
    "reserved": Every(5, 2),
}

PRODUCTION_TRAITS = {
    "on_hold": Every(11, 5),
    "notes": Every(6, 2),
    "taken_apart": Every(9, 7),
}

VISMA_CUSTOMER_TRAITS = {
    "inactive": Every(11, 5),
    "leading_zeros": Every(6, 1),
    "letters": Every(40, 7),
    "no_postcode": Every(31, 13),
    "no_street": Every(41, 17),
    "private_person": Every(6, 2),
    "abroad": Every(20, 0),
    "outside_eu": Every(60, 20),
    "delivery_address": Every(5, 1),
    "reverse_charge": Every(15, 9),
    "first_label": Every(4, 3),
    "second_label": Every(9, 3),
    "price_list": Every(10, 4),
    "discount_agreement": Every(25, 14),
    "discount": Every(20, 15),
    "note": Every(12, 1),
    "no_email": Every(7, 6),
}

VISMA_ARTICLE_TRAITS = {
    "inactive": Every(13, 4),
    "leading_zeros": Every(5, 1),
    "odd_code": Every(20, 13),
    "no_price": Every(19, 6),
    "first_label": Every(4, 2),
    "second_label": Every(10, 2),
    "note": Every(15, 2),
    "barcode": Every(2, 0),
    "on_price_list": Every(3, 0),
    "low_vat": Every(17, 8),
}

VISMA_ORDER_TRAITS = {
    "reference": Every(3, 0),
    "project": Every(4, 1),
    "text_row": Every(3, 2),
    "odd_quantity": Every(5, 1),
    "discount": Every(7, 3),
    "draft": Every(8, 6),
}
