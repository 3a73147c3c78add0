"""OutSmart's prices, invoices and transactions."""

import pytest

MATERIAL = {"code": "M-1", "description": "d", "price": "1,50", "unit": "st"}
RELATION = {"debtor_number": "T-1", "name": "Test", "street": "Dam", "postal_code": "1012 JS", "city": "Amsterdam"}
PRICE = {"material": "M-1", "debtornr": "T-1", "date_start": "2026-01-31", "price": "7,50"}
INVOICE = {"inv_id": "7", "inv_number_numeric": "24000001", "inv_invoice_debtor_nr": "T-1", "inv_amount": "121"}
PAYMENT = {"int_inv_id": "7", "int_external_transaction_id": "term-1", "int_amount": "100,5", "int_type": "BANK"}


@pytest.fixture
def account(south, control):
    """The second account with a material, a relation and an invoice made by hand."""
    for name in ("prices", "transactions", "invoices"):
        control.delete_outsmart("south", name)
    south.post("materials", MATERIAL)
    south.post("relations", RELATION)
    control.write_outsmart("south", "invoices", INVOICE)
    return south


def test_price_is_ended_by_posting_it_again(account):
    account.post("prices", PRICE)
    account.post("prices", PRICE | {"date_end": "2026-06-30"}, PRICE | {"date_start": "2026-07-01", "price": "8.00"})
    first, second = account.get("prices")["response"]
    assert (first["date_end"], first["price"], second["date_end"], second["price"]) == (
        "2026-06-30", "7,50", None, "8,00",
    )  # fmt: skip


def test_price_for_everybody_has_a_blank_debtor(account):
    everybody = {name: value for name, value in PRICE.items() if name != "debtornr"}
    assert account.post("prices", everybody, everybody | {"debtornr": ""}, PRICE)["response"] == 3
    assert [one["debtornr"] for one in account.get("prices")["response"]] == ["", "T-1"]


@pytest.mark.parametrize("change", [{"material": ""}, {"hourtype": "H"}])
def test_price_is_for_a_material_or_an_hour_type(account, change):
    assert account.post("prices", PRICE | change)["code"] == 1201


def test_invoices_are_read_only(account):
    assert account.post("invoices", INVOICE)["code"] == 1001


def test_invoices_and_transactions_take_filters(account):
    account.post("transactions", PAYMENT, PAYMENT | {"int_external_transaction_id": "term-2"})
    found = account.get("transactions", key="int_external_transaction_id", value="term-2", operator="eq")["response"]
    assert [one["int_external_transaction_id"] for one in found] == ["term-2"]
    assert account.get("invoices", key="inv_number_numeric", value="24000001")["response"][0]["inv_id"] == "7"
    assert account.get("invoices", key="inv_number_numeric", value="1")["response"] == []


def test_transaction_gets_an_id_and_changes_the_balance(account):
    [made] = account.post("transactions", PAYMENT)["response"]
    assert made["int_transaction_id"]
    assert (made["int_amount"], made["int_status"], made["int_user"]) == ("100.50", "PROCESSED", "OpenAPI")
    account.post("transactions", PAYMENT | {"int_amount": "-0.50"}, PAYMENT | {"int_inv_id": None})
    [invoice] = account.get("invoices")["response"]
    assert (invoice["inv_amount"], invoice["inv_balance"], invoice["inv_status"]) == ("121.00", "100.00", "OPEN")


def test_posting_an_external_id_twice_makes_two_transactions(account):
    account.post("transactions", PAYMENT)
    account.post("transactions", PAYMENT)
    assert len(account.get("transactions")["response"]) == 2


def test_put_changes_a_transaction_found_by_either_id(account):
    [made] = account.post("transactions", PAYMENT)["response"]
    by_own = {"int_transaction_id": made["int_transaction_id"], "int_description": "a"}
    by_external = {"int_external_transaction_id": "term-1", "int_amount": "5"}
    assert account.put("transactions", by_own, by_external)["code"] == 200
    [found] = account.get("transactions")["response"]
    assert (found["int_description"], found["int_amount"], found["int_inv_id"]) == ("a", "5.00", "7")


@pytest.mark.parametrize(
    "change",
    [{"int_amount": ""}, {"int_amount": "x"}, {"int_inv_id": "none"}, {"int_status": "DONE"}, {"colour": "red"}],
)
def test_bad_transactions_are_refused(account, change):
    answer = account.post("transactions", PAYMENT, PAYMENT | change)
    assert (answer["code"], answer["response"]) == (1504, None)
    assert account.get("transactions")["response"] == []


def test_put_of_an_unknown_transaction_is_refused(account):
    assert account.put("transactions", {"int_external_transaction_id": "nobody", "int_amount": "1"})["code"] == 1504
    assert account.put("transactions", {"int_amount": "1"})["code"] == 1504
    assert account.put("relations", RELATION)["code"] == 1001


def test_own_id_of_a_transaction_cannot_be_taken_twice(account):
    account.post("transactions", PAYMENT | {"int_transaction_id": "mine"})
    assert account.post("transactions", PAYMENT | {"int_transaction_id": "mine"})["code"] == 1504


def test_first_account_holds_invoices_of_the_bookkeeping_and_some_of_its_own(control):
    terms = [row for row in control.exact_rows(2001001, "PaymentTerms") if row["LineType"] == 20]
    owed = {}
    for term in terms:
        owed[str(term["InvoiceNumber"])] = owed.get(str(term["InvoiceNumber"]), 0) - term["AmountDC"]
    invoices = control.outsmart_records("north", "invoices")
    shared = [one for one in invoices if one["inv_number_numeric"] in owed]
    alike = [one for one in shared if one["inv_amount"] == f"{owed[one['inv_number_numeric']]:.2f}"]
    assert 0 < len(alike) < len(shared) < len(invoices)
    assert control.outsmart_records("north", "transactions")
    assert control.outsmart_records("north", "prices")
