"""The control server's part for VISMA: rows, actions, faults and the log of calls."""

import pytest
import requests

from sandbox.remote_control import ControlError


@pytest.fixture
def control(visma_vendor):
    return visma_vendor.control


def test_customer_is_added_changed_and_deleted_as_at_the_screen(control, visma):
    [made] = control.add_visma("devries", "customers", {"Name": "Handwerk", "CustomerNumber": "00042"})
    before = visma.get(f"customers/{made}").json()
    assert (before["CustomerNumber"], before["InvoicePostalCode"], before["IsActive"]) == ("00042", "", True)
    control.change_visma("devries", "customers", "00042", InvoiceCity="Zeist", IsActive=False)
    after = visma.get(f"customers/{made}").json()
    assert (after["InvoiceCity"], after["Name"], after["IsActive"]) == ("Zeist", "Handwerk", False)
    assert after["ChangedUtc"] > before["ChangedUtc"]
    control.delete_visma("devries", "customers", "00042")
    assert visma.get(f"customers/{made}").status_code == 404


def test_article_moves_to_another_unit_and_price(control, visma):
    hour = next(one["Id"] for one in visma.rows("units") if one["Code"] == "HUR")
    piece = next(one["Id"] for one in visma.rows("units") if one["Code"] == "PCS")
    [made] = control.add_visma(
        "devries", "articles", {"Number": "A/7", "Name": "Seven", "UnitId": piece, "NetPrice": 10.0}
    )
    control.change_visma("devries", "articles", "A/7", UnitId=hour, NetPrice=20.0)
    after = visma.get(f"articles/{made}").json()
    assert (after["UnitId"], after["NetPrice"]) == (hour, 20.0)
    assert after["GrossPrice"] > after["NetPrice"]


def test_order_names_articles_by_number(control, visma):
    customer = visma.rows("customers", filter="IsActive eq true")[0]
    rows = [
        {"ArticleNumber": "U-001", "Quantity": 2.5, "UnitPrice": 40.0},
        {"IsTextRow": True, "Text": "Bring a ladder"},
    ]
    [made] = control.add_visma("devries", "orders", {"CustomerId": customer["Id"], "Rows": rows})
    order = visma.get(f"orders/{made}").json()
    assert (order["Status"], order["Rows"][0]["Amount"], order["Rows"][1]["Text"]) == (2, 100.0, "Bring a ladder")
    control.change_visma("devries", "orders", made, Rows=[order["Rows"][0] | {"Quantity": 3}])
    changed = visma.get(f"orders/{made}").json()
    assert (changed["Number"], changed["Rows"][0]["Amount"]) == (order["Number"], 120.0)
    control.act_on_visma("devries", "orders", str(order["Number"]), "completed")
    control.act_on_visma("devries", "orders", made, "convert")
    assert visma.get(f"orders/{made}").json()["Status"] == 4
    control.change_visma("devries", "orders", made, Status=2)
    assert visma.get(f"orders/{made}").json()["Status"] == 2


def test_random_rows_are_the_same_for_the_same_seed(control):
    first = control.touch_visma("devries", "customers", 4, seed=3, Note="touched")
    assert first == control.touch_visma("devries", "customers", 4, seed=3)
    assert {control.visma_row("devries", "customers", one)["Note"] for one in first} == {"touched"}


def test_many_rows_are_changed_at_once(control):
    rows = control.visma_rows("devries", "projects")[:2]
    control.change_visma_rows("devries", "projects", [{"Id": one["Id"], "Notes": "x"} for one in rows])
    assert {control.visma_row("devries", "projects", one["Id"])["Notes"] for one in rows} == {"x"}


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        ("/visma/nowhere/customers", "GET", None),
        ("/visma/devries/invoices", "GET", None),
        ("/visma/devries/customers", "POST", {"Nothing": 1}),
        ("/visma/devries/customers/nobody", "PUT", {"Name": "x"}),
        ("/visma/devries/orders/1001/fly", "POST", None),
        ("/visma-standings/devries", "POST", {"nothing": 1}),
        ("/visma-oauth/tokens", "POST", {"company": "nowhere"}),
    ],
)
def test_mistakes_are_told(control, path, method, body):
    with pytest.raises(ControlError):
        control.ask(method, path, body)


def test_vendors_refusals_are_told_with_the_field(control):
    number = control.visma_rows("devries", "articles")[0]["Number"]
    with pytest.raises(ControlError, match="Number"):
        control.add_visma("devries", "articles", {"Number": number, "Name": "twice"})


def test_calls_are_told_with_company_resource_and_code(control, visma_as, visma):
    control.forget_calls()
    visma_as(company="gavle").get("articles", pagesize=5)
    visma.get(f"customers/{visma.rows('customers')[0]['Id']}")
    visma.get("orders", filter="nonsense")
    calls = [
        (one["resource"], one["division"], one["status"], one["code"], one["rows"])
        for one in control.calls(vendor="visma")
    ]
    total = control.visma_counts("devries", "customers")["total"]
    assert calls == [
        ("articles", "gavle", 200, None, 5),
        ("customers", "devries", 200, None, total),
        ("customers", "devries", 200, None, 1),
        ("orders", "devries", 400, 6000, None),
    ]
    assert {one["vendor"] for one in control.call_summary(vendor="visma")} == {"visma"}


def test_faults_are_for_one_vendor_and_company(control, visma_as, visma, exact):
    control.add_fault("status", vendor="visma", division="gavle", status=503, times=None)
    assert visma_as(company="gavle").get("units").status_code == 503
    assert visma.get("units").status_code == 200
    assert exact.get("logistics/Units").status_code == 200


def test_answer_that_never_comes_was_executed_all_the_same(control, visma):
    control.add_fault("timeout_after", vendor="visma", method="POST", seconds=0.1)
    with pytest.raises(requests.ConnectionError):
        visma.post("customerlabels", {"Name": "Lost answer"})
    found = [one["Id"] for one in visma.rows("customerlabels") if one["Name"] == "Lost answer"]
    assert len(found) == 1
    control.delete_visma("devries", "customerlabels", *found)


def test_redirect_addresses_can_be_added(control, visma_vendor, browser):
    elsewhere = "http://127.0.0.1:9/callback"
    control.ask("POST", "/visma-redirect-uris", {"redirect_uris": [elsewhere]})
    address = visma_vendor.visma_authorize_url(redirect_uri=elsewhere)
    assert browser.consent_visma(address).startswith(elsewhere)
