"""Writing customers, articles, projects and labels at VISMA."""

import pytest

EVERY = ["ea:api", "ea:sales", "ea:accounting"]


@pytest.fixture
def terms(visma):
    return next(one["Id"] for one in visma.rows("termsofpayments") if one["AvailableForSales"])


@pytest.fixture
def customer(terms):
    return {
        "Name": "Nieuwe klant B.V.",
        "InvoicePostalCode": "3511 AB",
        "InvoiceCity": "Utrecht",
        "TermsOfPaymentId": terms,
        "IsActive": True,
        "IsPrivatePerson": False,
    }


@pytest.fixture
def article(visma):
    coding = next(one for one in visma.rows("articleaccountcodings") if one["VatRatePercent"] == 0.21)
    return {
        "Number": "NEW/1 é",
        "Name": "New article",
        "CodingId": coding["Id"],
        "UnitId": visma.rows("units")[0]["Id"],
        "IsActive": True,
    }


def refused(response, status=400, code=2000):
    content = response.json()
    assert (response.status_code, content["ErrorCode"]) == (status, code), content
    return {one["Field"] for one in content["Errors"] or ()}


def test_customer_gets_the_next_number_and_the_usual_values(visma, customer):
    next_number = visma.get("companysettings").json()["NextCustomerNumber"]
    response = visma.post("customers", customer)
    made = response.json()
    assert (response.status_code, made["CustomerNumber"]) == (201, str(next_number))
    assert (made["CurrencyCode"], made["InvoiceCountryCode"]) == ("EUR", "NL")
    assert made["TermsOfPayment"]["Id"] == customer["TermsOfPaymentId"]
    assert visma.get(f"customers/{made['Id']}").json() == made


def test_leading_zeros_stay_and_a_taken_number_is_a_conflict(visma, customer):
    made = visma.post("customers", customer | {"CustomerNumber": "000777"}).json()
    assert made["CustomerNumber"] == "000777"
    assert visma.post("customers", customer | {"CustomerNumber": "777"}).status_code == 201
    refused(visma.post("customers", customer | {"CustomerNumber": "000777"}), 409, 4000)


@pytest.mark.parametrize(
    "field", ["Name", "InvoicePostalCode", "InvoiceCity", "TermsOfPaymentId", "IsActive", "IsPrivatePerson"]
)
def test_customer_without_a_mandatory_field_is_refused(visma, customer, field):
    text = isinstance(customer.pop(field), str)
    assert refused(visma.post("customers", customer)) == {field}
    assert not text or refused(visma.post("customers", customer | {field: ""})) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Name", "x" * 51),
        ("Name", 5),
        ("IsActive", "yes"),
        ("TermsOfPaymentId", "30"),
        ("DiscountPercentage", 1.5),
        ("DiscountPercentage", 0.12345),
        ("PropertyType", 9),
        ("Nothing", 1),
        ("name", "camel"),
        ("LastInvoiceDate ", "x"),
    ],
)
def test_value_that_does_not_fit_is_refused_by_name(visma, customer, field, value):
    assert field in refused(visma.post("customers", customer | {field: value}))


def test_vat_number_reverse_charge_and_terms_are_checked(visma, customer):
    refused(visma.post("customers", customer | {"VatNumber": "12"}), code=4025)
    assert refused(visma.post("customers", customer | {"ReverseChargeOnConstructionServices": True})) == {"VatNumber"}
    nobody = {"TermsOfPaymentId": "00000000-0000-4000-8000-00000000ffff"}
    refused(visma.post("customers", customer | nobody), code=3000)


def test_put_replaces_everything_but_the_account_number(visma, customer):
    full = customer | {"EmailAddress": "a@example.com", "Note": "note", "Iban": "NL00TEST0123456789"}
    made = visma.post("customers", full).json()
    response = visma.put(f"customers/{made['Id']}", customer | {"Name": "Other"})
    after = response.json()
    assert response.status_code == 200
    assert (after["EmailAddress"], after["Note"], after["Iban"]) == (None, None, "NL00TEST0123456789")
    assert after["CustomerNumber"] == made["CustomerNumber"]
    assert after["ChangedUtc"] > made["ChangedUtc"]
    refused(visma.put(f"customers/{made['Id']}", {"Id": made["Id"], "Name": "Only"}))


def test_what_was_read_can_be_sent_back(visma):
    for name in ("customers", "articles"):
        complete = (one for one in visma.rows(name) if one.get("InvoicePostalCode", "x") and one.get("VatNumber", 1))
        row = next(one for one in complete if not one.get("InvoiceCountryCode") or one["InvoiceCountryCode"] == "NL")
        after = visma.put(f"{name}/{row['Id']}", row)
        assert after.status_code == 200, after.text
        assert {key for key in row if after.json()[key] != row[key]} <= {"ChangedUtc"}


def test_customer_with_orders_can_not_be_deleted(visma, customer):
    made = visma.post("customers", customer).json()
    assert visma.delete(f"customers/{made['Id']}").status_code == 200
    assert visma.get(f"customers/{made['Id']}").status_code == 404
    used = visma.rows("orders")[0]["CustomerId"]
    refused(visma.delete(f"customers/{used}"), code=4001)


def test_article_has_both_prices_if_one_is_given(visma, article):
    made = visma.post("articles", article | {"NetPrice": 100}).json()
    assert (made["NetPrice"], made["GrossPrice"], made["Number"]) == (100.0, 121.0, "NEW/1 é")
    other = visma.post("articles", article | {"Number": "NEW-2", "GrossPrice": 60.5}).json()
    assert (other["NetPrice"], other["GrossPrice"]) == (50.0, 60.5)
    wrong = article | {"Number": "NEW-3", "NetPrice": 100, "GrossPrice": 125}
    assert refused(visma.post("articles", wrong)) == {"GrossPrice"}
    refused(visma.post("articles", article), 409, 4000)


def test_article_shows_unit_and_coding_by_name(visma, article):
    made = visma.post("articles", article | {"Number": "NEW-4", "ArticleLabels": [{"Name": "Webshop"}]}).json()
    unit = visma.get(f"units/{article['UnitId']}").json()
    assert (made["UnitName"], made["UnitAbbreviation"]) == (unit["Name"], unit["Abbreviation"])
    assert [one["Name"] for one in made["ArticleLabels"]] == ["Webshop"]
    refused(visma.post("articles", article | {"Number": "NEW-5", "UnitId": made["Id"]}), code=3000)


def test_projects_need_the_accounting_scope_and_answer_put_with_201(visma_as):
    visma = visma_as(scopes=EVERY)
    project = {"Number": "NEW1", "Name": "New project", "Status": 1}
    response = visma.post("projects", project)
    assert response.status_code == 201
    made = response.json()
    closed = visma.put(f"projects/{made['Id']}", project | {"Status": 2})
    assert (closed.status_code, closed.json()["Status"]) == (201, 2)
    refused(visma.post("projects", project), 409, 4000)
    assert refused(visma.post("projects", {"Number": "1234567890", "Name": "x"})) == {"Number", "Status"}
    refused(visma_as().post("projects", project), 403, 4006)


def test_labels_and_notes_can_be_written(visma):
    label = visma.post("customerlabels", {"Name": "A label"}).json()
    assert visma.put(f"customerlabels/{label['Id']}", {"Name": "Another"}).json()["Name"] == "Another"
    assert visma.delete(f"customerlabels/{label['Id']}").status_code == 200
    note = visma.post("notes", {"Text": "text", "DocumentType": 9, "AttachedTo": visma.rows("customers")[0]["Id"]})
    assert note.status_code == 200


def test_bodies_must_be_json_objects(visma):
    for raw in (b"", b"{", b"[]", b"null"):
        response = visma.call("POST", "customers", data=raw, headers={"Content-Type": "application/json"})
        assert response.status_code == 400
    assert visma.call("POST", "customers", data=b"{}").status_code == 415
