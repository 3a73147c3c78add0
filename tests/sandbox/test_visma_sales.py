"""VISMA's orders, invoice drafts, invoices and attachments."""

import base64

import pytest

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
PDF = base64.b64encode(b"%PDF-1.7\n" + bytes(40)).decode()


@pytest.fixture
def articles(visma):
    """Articles at the usual VAT rate, by whether they are services."""
    usual = {one["Id"] for one in visma.rows("articleaccountcodings") if one["VatRatePercent"] == 0.21}
    return [one for one in visma.rows("articles", orderby="Number") if one["CodingId"] in usual and one["NetPrice"]]


@pytest.fixture
def customers(visma):
    """Dutch businesses without reverse charge."""
    return [
        one
        for one in visma.rows("customers", orderby="CustomerNumber")
        if one["InvoiceCountryCode"] == "NL"
        and not one["IsPrivatePerson"]
        and not one["ReverseChargeOnConstructionServices"]
    ]


@pytest.fixture
def order(customers, vendor_now):
    return {
        "CustomerId": customers[0]["Id"],
        "CurrencyCode": "EUR",
        "OrderDate": str(vendor_now().date()),
        "EuThirdParty": False,
        "ReverseChargeOnConstructionServices": False,
        "RotReducedInvoicingType": 0,
        "Status": 2,
        "Rows": [],
    }


@pytest.fixture
def draft(customers):
    return {"CustomerId": customers[0]["Id"], "EuThirdParty": False, "RotReducedInvoicingType": 0, "Rows": []}


def order_row(article, **values):
    row = {"LineNumber": 1, "IsTextRow": False, "IsWorkCost": False, "EligibleForReverseChargeOnVat": False}
    return row | {"ArticleId": article["Id"], "Quantity": 1, "UnitPrice": 10.0} | values


def draft_row(article, **values):
    row = {"IsTextRow": False, "ReversedConstructionServicesVatFree": False}
    return row | {"ArticleId": article["Id"], "Quantity": 1, "UnitPrice": 10.0} | values


def refused(response, code=2000, status=400):
    content = response.json()
    assert (response.status_code, content["ErrorCode"]) == (status, code), content
    return {one["Field"] for one in content["Errors"] or ()}


def totals(document):
    return tuple(document[name] for name in ("TotalAmount", "TotalVatAmount", "TotalRoundings"))


def order_totals(order):
    return tuple(order[name] for name in ("Amount", "VatAmount", "RoundingsAmount"))


def test_order_is_added_up_and_filled_from_the_customer(visma, order, articles, customers):
    order["Rows"] = [
        order_row(articles[0], Quantity=1.3333, UnitPrice=9.99, DiscountPercentage=0.125),
        order_row(articles[1], LineNumber=2, Quantity=-1, UnitPrice=0.55),
        {"LineNumber": 3, "IsTextRow": True, "IsWorkCost": False, "EligibleForReverseChargeOnVat": False, "Text": "x"},
    ]
    next_number = visma.get("companysettings").json()["NextOrderNumber"]
    response = visma.post("orders", order)
    made = response.json()
    assert response.status_code == 201
    assert [row["Amount"] for row in made["Rows"]] == [11.65, -0.55, 0.0]
    assert order_totals(made) == (13.43, 2.33, 0.0)
    assert (made["Number"], made["CustomerName"]) == (next_number, customers[0]["Name"])
    assert made["InvoiceCity"] == customers[0]["InvoiceCity"]
    assert [row["VatRate"] for row in made["Rows"]] == [0.21, 0.21, None]
    assert visma.get(f"orders/{made['Id']}").json() == made


@pytest.mark.parametrize(
    "field",
    [
        "CustomerId",
        "CurrencyCode",
        "EuThirdParty",
        "Status",
        "RotReducedInvoicingType",
        "OrderDate",
        "ReverseChargeOnConstructionServices",
    ],
)
def test_order_without_a_mandatory_field_is_refused(visma, order, field):
    order.pop(field)
    assert refused(visma.post("orders", order)) == {field}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"IsWorkCost": None}, "Rows[0].IsWorkCost"),
        ({"Quantity": 1.33333}, "Rows[0].Quantity"),
        ({"UnitPrice": 1.005}, "Rows[0].UnitPrice"),
        ({"ArticleId": None}, "Rows[0].ArticleId"),
        ({"IsTextRow": True}, "Rows[0].Text"),
        ({"EligibleForReverseChargeOnVat": True}, "Rows[0].EligibleForReverseChargeOnVat"),
        ({"Hours": 1}, "Rows[0].Hours"),
        ({"Text": "x" * 2001}, "Rows[0].Text"),
    ],
)
def test_row_that_is_refused_is_named(visma, order, articles, change, field):
    order["Rows"] = [order_row(articles[0], **change)]
    assert refused(visma.post("orders", order)) == {field}


def test_order_refuses_what_does_not_exist_or_has_ended(visma, visma_vendor, order, articles):
    nothing = "00000000-0000-4000-8000-00000000ffff"
    refused(visma.post("orders", order | {"CustomerId": nothing}), 3000)
    refused(visma.post("orders", order | {"OrderDate": "2001-01-01"}), 3001)
    refused(visma.post("orders", order | {"Status": 4}))
    refused(visma.post("orders", order | {"CurrencyCode": "USD"}))
    refused(visma.post("orders", order | {"Rows": [order_row(articles[0], ArticleId=nothing)]}), 3000)
    refused(visma.post("orders", order | {"Rows": [order_row(articles[0], Quantity=-1)]}))
    ended = next(one["Id"] for one in visma.rows("projects") if one["Status"] == 2)
    refused(visma.post("orders", order | {"Rows": [order_row(articles[0], ProjectId=ended)]}), 5005)


def test_order_can_be_replaced_until_it_is_shipped(visma, order, articles):
    made = visma.post("orders", order | {"Rows": [order_row(articles[0])], "YourReference": "me"}).json()
    changed = visma.put(f"orders/{made['Id']}", made | {"Rows": [*made["Rows"], order_row(articles[1], UnitPrice=5)]})
    after = changed.json()
    assert (changed.status_code, len(after["Rows"]), after["YourReference"]) == (200, 2, "me")
    assert (after["Number"], after["CreatedUtc"]) == (made["Number"], made["CreatedUtc"])
    assert after["ModifiedUtc"] > made["ModifiedUtc"]
    assert {row["Id"] for row in after["Rows"]}.isdisjoint(row["Id"] for row in made["Rows"])
    shipped = visma.post(f"orders/{made['Id']}/completed").json()
    assert (shipped["Status"], shipped["DeliveredAmount"]) == (3, after["Amount"])
    refused(visma.put(f"orders/{made['Id']}", after))
    refused(visma.delete(f"orders/{made['Id']}"), 4001)


def test_order_goes_from_draft_to_invoiced(visma, order, articles):
    draft = visma.post("orders", order | {"Status": 1, "Rows": [order_row(articles[0])]}).json()
    assert draft["Number"] is None
    refused(visma.post(f"orders/{draft['Id']}/completed"))
    ongoing = visma.post(f"orders/{draft['Id']}/converteddrafttoorder").json()
    assert (ongoing["Status"], ongoing["Number"] is None) == (2, False)
    refused(visma.post(f"orders/{draft['Id']}/convert"))
    visma.post(f"orders/{draft['Id']}/completed")
    assert visma.post(f"orders/{draft['Id']}/voided").json()["Status"] == 2
    visma.post(f"orders/{draft['Id']}/completed")
    invoice = visma.post(f"orders/{draft['Id']}/convert").json()
    assert invoice["CreatedFromOrderId"] == draft["Id"]
    assert totals(invoice) == (12.1, 2.1, 0.0)
    assert visma.get(f"orders/{draft['Id']}").json()["Status"] == 4


def test_order_that_is_not_shipped_can_be_deleted(visma, order):
    made = visma.post("orders", order).json()
    assert visma.delete(f"orders/{made['Id']}").status_code == 200
    assert visma.get(f"orders/{made['Id']}").status_code == 404
    assert visma.put(f"orders/{made['Id']}", order).status_code == 404


def test_draft_takes_two_decimals_of_quantity_and_adds_up_per_rate(visma, draft, articles):
    assert refused(visma.post("customerinvoicedrafts", draft | {"Rows": [draft_row(articles[0], Quantity=0.333)]})) == {
        "Rows[0].Quantity"
    }
    rows = [draft_row(articles[0], Quantity=0.33, UnitPrice=0.10), draft_row(articles[1], UnitPrice=0.05)]
    made = visma.post("customerinvoicedrafts", draft | {"Rows": rows}).json()
    assert [row["Amount"] for row in made["Rows"]] == [0.03, 0.05]
    assert totals(made) == (0.1, 0.02, 0.0)
    assert [row["LineNumber"] for row in made["Rows"]] == [1, 2]
    assert made["InvoiceCustomerName"] == made["CustomerName"]


@pytest.mark.parametrize("field", ["CustomerId", "EuThirdParty", "RotReducedInvoicingType"])
def test_draft_without_a_mandatory_field_is_refused(visma, draft, field):
    draft.pop(field)
    assert refused(visma.post("customerinvoicedrafts", draft)) == {field}


def test_half_a_cent_is_rounded_away_from_zero(visma, draft, articles):
    rows = [draft_row(articles[0], Quantity=0.5, UnitPrice=0.01), draft_row(articles[0], Quantity=-0.5, UnitPrice=0.03)]
    made = visma.post("customerinvoicedrafts", draft | {"Rows": rows}).json()
    assert [row["Amount"] for row in made["Rows"]] == [0.01, -0.02]


def test_price_of_zero_stays_unless_told_otherwise(visma, draft, articles):
    rows = [draft_row(articles[0], UnitPrice=0)]
    kept = visma.post("customerinvoicedrafts", draft | {"Rows": rows}).json()
    assert kept["Rows"][0]["UnitPrice"] == 0
    replaced = visma.post("customerinvoicedrafts", draft | {"Rows": rows, "ReplaceUnitPriceWhenZero": True}).json()
    assert replaced["Rows"][0]["UnitPrice"] > 0


@pytest.mark.parametrize(
    ("flagged", "row_flag", "vat"), [(False, False, 0.21), (False, True, None), (True, False, 0.21), (True, True, 0.0)]
)
def test_reverse_charge_needs_the_flag_of_customer_and_row(visma, draft, articles, flagged, row_flag, vat):
    business = [one for one in visma.rows("customers") if one["InvoiceCountryCode"] == "NL" and one["VatNumber"]]
    draft["CustomerId"] = next(one["Id"] for one in business if one["ReverseChargeOnConstructionServices"] is flagged)
    rows = [draft_row(articles[0], ReversedConstructionServicesVatFree=row_flag)]
    response = visma.post("customerinvoicedrafts", draft | {"Rows": rows})
    if vat is None:
        refused(response)
    else:
        assert response.json()["Rows"][0]["VatRate"] == vat
        assert response.json()["TotalVatAmount"] == 10 * vat


def test_business_abroad_pays_no_vat_and_has_four_decimals(visma, draft, articles):
    abroad = next(
        one
        for one in visma.rows("customers")
        if one["InvoiceCountryCode"] != "NL" and one["VatNumber"] and not one["IsPrivatePerson"]
    )
    rows = [draft_row(articles[0], UnitPrice=1.0055, Quantity=100)]
    made = visma.post("customerinvoicedrafts", draft | {"CustomerId": abroad["Id"], "Rows": rows}).json()
    assert totals(made) == (100.55, 0.0, 0.0)


def test_private_persons_may_have_prices_with_vat(visma_as):
    bergen = visma_as(company="bergen")
    usual = {one["Id"] for one in bergen.rows("articleaccountcodings") if one["VatRatePercent"] == 0.25}
    article = next(one for one in bergen.rows("articles") if one["CodingId"] in usual)
    body = {"EuThirdParty": False, "RotReducedInvoicingType": 0, "Rows": [draft_row(article, UnitPrice=125)]}
    local = [one for one in bergen.rows("customers") if one["InvoiceCountryCode"] == "NO"]
    for private, expected in ((True, (125.0, 25.0, 0.0)), (False, (156.25, 31.25, 0.0))):
        customer = next(one for one in local if one["IsPrivatePerson"] is private)
        made = bergen.post("customerinvoicedrafts", body | {"CustomerId": customer["Id"]}).json()
        assert made["IncludesVat"] is private
        assert totals(made) == expected


def test_swedish_totals_are_rounded_to_whole_kronor(visma_as):
    gavle = visma_as(company="gavle")
    usual = {one["Id"] for one in gavle.rows("articleaccountcodings") if one["VatRatePercent"] == 0.25}
    article = next(one for one in gavle.rows("articles") if one["CodingId"] in usual)
    customer = next(
        one for one in gavle.rows("customers") if one["InvoiceCountryCode"] == "SE" and not one["IsPrivatePerson"]
    )
    body = {"CustomerId": customer["Id"], "EuThirdParty": False, "RotReducedInvoicingType": 0}
    made = gavle.post("customerinvoicedrafts", body | {"Rows": [draft_row(article, UnitPrice=10.04)]}).json()
    assert totals(made) == (13.0, 2.51, 0.45)


def test_booked_draft_is_gone_and_the_invoice_says_so(visma, visma_vendor, draft, articles):
    made = visma.post("customerinvoicedrafts", draft | {"Rows": [draft_row(articles[0])]}).json()
    refused(visma.post(f"customerinvoicedrafts/{made['Id']}/convert", {"TotalAmountInvoiceCurrency": 99}))
    response = visma.post(f"customerinvoicedrafts/{made['Id']}/convert", {"TotalAmountInvoiceCurrency": 12.1})
    invoice = response.json()
    assert response.status_code == 201
    assert (invoice["CreatedFromDraftId"], invoice["RemainingAmount"], invoice["PaymentStatus"]) == (
        made["Id"],
        12.1,
        1,
    )
    assert invoice["Rows"][0]["AmountNoVat"] == 10.0
    assert visma.put(f"customerinvoicedrafts/{made['Id']}", draft).status_code == 404
    visma_vendor.control.act_on_visma("devries", "customerinvoices", str(invoice["InvoiceNumber"]), "pay")
    paid = visma.get(f"customerinvoices/{invoice['Id']}").json()
    assert (paid["RemainingAmount"], paid["PaymentStatus"]) == (0.0, 0)
    assert paid["ModifiedUtc"] > invoice["ModifiedUtc"]


def test_credit_draft_becomes_an_invoice_below_zero(visma, visma_vendor, draft, articles):
    credit = draft | {"IsCreditInvoice": True, "Rows": [draft_row(articles[0])]}
    made = visma.post("customerinvoicedrafts", credit).json()
    invoice = visma_vendor.control.act_on_visma("devries", "customerinvoicedrafts", made["Id"], "book")
    assert totals(visma.get(f"customerinvoices/{invoice}").json()) == (-12.1, -2.1, 0.0)


def test_draft_of_the_future_or_a_locked_period_can_not_be_booked(visma, visma_vendor, draft, vendor_now):
    today = vendor_now().date()
    ahead = visma.post("customerinvoicedrafts", draft | {"InvoiceDate": str(today)}).json()
    visma_vendor.control.change_visma(
        "devries", "customerinvoicedrafts", ahead["Id"], InvoiceDate=f"{today.year + 1}-01-01"
    )
    refused(visma.post(f"customerinvoicedrafts/{ahead['Id']}/convert"), 4023)
    locked = visma.post("customerinvoicedrafts", draft).json()
    before = visma.get("companysettings").json()["AccountingLockedTo"]
    visma_vendor.control.change_visma("devries", "companysettings", "settings", AccountingLockedTo=str(today))
    refused(visma.post(f"customerinvoicedrafts/{locked['Id']}/convert"), 4026)
    visma_vendor.control.change_visma("devries", "companysettings", "settings", AccountingLockedTo=before)


def test_pdf_and_photos_are_attached(visma, visma_vendor, order):
    made = visma.post("orders", order).json()
    files = [("bon.pdf", "application/pdf", PDF), ("photo.png", "image/png", PNG)]
    ids = []
    for name, kind, data in files:
        body = {"ContentType": kind, "FileName": name, "DockumentId": made["Id"], "Data": data}
        response = visma.post("salesdocumentattachments/order", body)
        assert response.status_code == 201, response.text
        ids.append(response.json()["Id"])
        assert response.json()["DocumentSize"] == len(base64.b64decode(data))
    assert visma.get(f"orders/{made['Id']}").json()["SalesDocumentAttachments"] == ids
    assert visma.call("GET", f"salesdocumentattachments/{ids[0]}.pdf").content == base64.b64decode(PDF)
    assert visma_vendor.control.visma_row("devries", "salesdocumentattachments", ids[0])["Data"] == PDF
    assert visma.delete(f"salesdocumentattachments/order/{made['Id']}/{ids[0]}").status_code == 200
    assert visma.get(f"orders/{made['Id']}").json()["SalesDocumentAttachments"] == ids[1:]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ContentType": "image/heic"}, "ContentType"),
        ({"Data": PNG}, "Data"),
        ({"Data": "***"}, "Data"),
        ({"Data": None}, "Data"),
        ({"DocumentId": "x"}, "DocumentId"),
        ({"FileName": "x" * 129}, "FileName"),
    ],
)
def test_attachment_that_does_not_fit_is_refused(visma, order, change, field):
    made = visma.post("orders", order).json()
    body = {"ContentType": "application/pdf", "FileName": "x.pdf", "DockumentId": made["Id"], "Data": PDF}
    assert refused(visma.post("salesdocumentattachments/order", body | change)) == {field}


def test_files_follow_a_draft_to_its_invoice_and_go_with_it(visma, visma_vendor, draft):
    made = visma.post("customerinvoicedrafts", draft).json()
    body = {"ContentType": "application/pdf", "FileName": "x.pdf", "DockumentId": made["Id"], "Data": PDF}
    file = visma.post("salesdocumentattachments/customerinvoicedraft", body).json()["Id"]
    invoice = visma.post(f"customerinvoicedrafts/{made['Id']}/convert").json()
    assert invoice["SalesDocumentAttachments"] == [file]
    assert visma.get(f"salesdocumentattachments/{file}").json()["DocumentId"] == invoice["Id"]
    visma_vendor.control.delete_visma("devries", "customerinvoices", invoice["Id"])
    assert visma.get(f"salesdocumentattachments/{file}").status_code == 404


def test_attachment_needs_its_document(visma, draft):
    made = visma.post("customerinvoicedrafts", draft).json()
    body = {"ContentType": "application/pdf", "FileName": "x.pdf", "DockumentId": made["Id"], "Data": PDF}
    refused(visma.post("salesdocumentattachments/order", body), 3000)
    assert visma.post("salesdocumentattachments/customerinvoicedraft", body).status_code == 201


@pytest.mark.parametrize("keep", [True, False])
def test_date_of_a_draft_is_kept_only_on_demand(visma, draft, vendor_now, keep):
    today = vendor_now().date()
    made = visma.post("customerinvoicedrafts", draft | {"InvoiceDate": f"{today.year - 1}-05-06"}).json()
    assert made["InvoiceDate"] == str(today)
    options = {"overrideCompanyKeepOriginalDraftDate": "true", "keepOriginalDraftDate": str(keep).lower()}
    invoice = visma.post(f"customerinvoicedrafts/{made['Id']}/convert", params=options).json()
    assert invoice["InvoiceDate"] == (f"{today.year - 1}-05-06" if keep else str(today))
