"""Lists of VISMA: paging, sorting, selecting, filtering, and the made-up rows."""

import re

import pytest

from sandbox import process
from sandbox.describing_visma import KINDS
from sandbox.visma_eaccounting.resources import RESOURCES, SCHEMAS
from tests.sandbox.clients import VismaClient

STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{7}Z")
EVERY = ["ea:api", "ea:sales", "ea:accounting"]


@pytest.fixture(scope="module")
def counts(sandbox_process):
    return {one["code"]: one["counts"] for one in sandbox_process.control.world()["visma_eaccounting"]["companies"]}


def code_of(response):
    assert response.status_code == 400, response.text
    return response.json()["ErrorCode"]


def test_meta_tells_the_pages_and_the_servers_time(visma):
    content = visma.get("units", page=2, pagesize=3).json()
    meta = content["Meta"]
    assert (meta["CurrentPage"], meta["PageSize"], meta["TotalNumberOfPages"], meta["TotalNumberOfResults"]) == (
        2,
        3,
        3,
        8,
    )
    assert STAMP.fullmatch(meta["ServerTimeUtc"])
    assert len(content["Data"]) == 3


def test_fifty_rows_unless_told_otherwise_and_at_most_a_thousand(visma):
    assert len(visma.get("customers").json()["Data"]) == 50
    assert len(visma.get("customers", pagesize=1000).json()["Data"]) > 50
    assert code_of(visma.get("customers", pagesize=1001)) == 6000
    assert code_of(visma.get("customers", page=0)) == 6000


def test_page_after_the_last_is_empty(visma):
    content = visma.get("units", page=9, pagesize=3).json()
    assert content["Data"] == []
    assert content["Meta"]["CurrentPage"] == 9


def test_link_header_leads_through_all_pages(visma):
    response, found = visma.get("units", pagesize=3, orderby="Name"), []
    while True:
        found += [one["Name"] for one in response.json()["Data"]]
        if "next" not in response.links:
            break
        assert "last" in response.links
        response = visma.session.get(response.links["next"]["url"], timeout=30)
    assert found == sorted(found)
    assert len(found) == 8


@pytest.mark.parametrize("option", ["top", "skip", "expand", "count"])
def test_options_that_no_page_names_are_refused(visma, option):
    assert code_of(visma.get("units", **{option: "1"})) == 6000


def test_sorting_falls_and_rises_over_several_fields(visma):
    rows = visma.rows("customers", orderby="IsActive desc,CustomerNumber", select="IsActive,CustomerNumber")
    assert rows == sorted(rows, key=lambda row: (not row["IsActive"], row["CustomerNumber"]))
    assert rows[0].keys() == {"IsActive", "CustomerNumber"}
    assert code_of(visma.get("customers", orderby="Nothing")) == 6000
    assert code_of(visma.get("customers", select="Nothing")) == 6000


def test_rows_have_exactly_the_fields_of_the_schema(visma_as):
    visma = visma_as(scopes=EVERY)
    for name in ("customers", "articles", "projects", "orders", "customerinvoices", "units", "vatcodes"):
        for row in visma.rows(name):
            assert row.keys() == RESOURCES[name].fields.keys()
            for line in row.get("Rows") or ():
                assert line.keys() == SCHEMAS[RESOURCES[name].fields["Rows"].of].keys()


def test_only_what_may_be_null_is_null(visma):
    for name in ("customers", "articles", "projects", "orders", "customerinvoicedrafts", "customerinvoices"):
        fields = RESOURCES[name].fields
        firm = [one for one, field in fields.items() if not field.nullable and field.type != "object"]
        for row in visma.rows(name):
            assert [one for one in firm if row[one] is None] == []


def test_rows_lie_in_no_order_of_their_own(visma, visma_vendor):
    first = visma.get("customers", pagesize=1).json()["Data"][0]["Id"]
    visma_vendor.control.change_visma("devries", "customers", first, MobilePhone="+31 6 555 0101")
    assert visma.rows("customers")[-1]["Id"] == first
    ids = [one["Id"] for one in visma.rows("customers", orderby="Id")]
    assert ids == sorted(ids)


def test_single_rows_are_what_lists_show(visma):
    for name in ("customers", "articles", "orders", "projects", "units"):
        row = visma.get(name, pagesize=1).json()["Data"][0]
        assert visma.get(f"{name}/{row['Id']}").json() == row
    unknown = visma.get("customers/00000000-0000-4000-8000-00000000ffff")
    assert (unknown.status_code, unknown.json()["ErrorCode"]) == (404, 3000)


@pytest.mark.parametrize("path", ["invoices", "salesorders", "offers", "webhooks", "supplierinvoices"])
def test_what_is_not_there_is_not_found(visma, path):
    assert visma.get(path).status_code == 404


def test_method_that_is_not_there_is_refused(visma):
    response = visma.delete(f"articles/{visma.get('articles').json()['Data'][0]['Id']}")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, PUT")


def test_filter_by_change_time_gives_what_changed_since(visma, visma_vendor):
    since = visma.get("articles", pagesize=1).json()["Meta"]["ServerTimeUtc"]
    touched = visma_vendor.control.touch_visma("devries", "articles", 3, seed=5)
    rows = visma.rows("articles", filter=f"ChangedUtc gt {since}")
    assert {row["Id"] for row in rows} == set(touched)
    assert visma.rows("articles", filter=f"ChangedUtc gt {since[:19]}Z")
    assert len(visma.rows("articles", filter="ChangedUtc gt 2001-01-01")) == len(visma.rows("articles"))


@pytest.mark.parametrize(
    ("path", "text", "meets"),
    [
        ("articles", "Number eq 'U-001'", lambda row: row["Number"] == "U-001"),
        ("articles", "Number eq 000036", lambda row: row["Number"] == "000036"),
        ("articles", "startswith(Name,'k')", lambda row: row["Name"].lower().startswith("k")),
        ("articles", "contains(Number,'''')", lambda row: "'" in row["Number"]),
        ("articles", "length(Number) gt 8", lambda row: len(row["Number"]) > 8),
        ("articles", "NetPrice ge 100.5 and NetPrice lt 900", lambda row: 100.5 <= row["NetPrice"] < 900),
        ("articles", "CodingType eq 2", lambda row: row["IsServiceArticle"]),
        ("articles", "year(ChangedUtc) eq 2001 or NetPrice eq 0", lambda row: row["NetPrice"] == 0),
        ("customers", "(IsActive eq false)", lambda row: not row["IsActive"]),
        ("customers", "EmailAddress eq null", lambda row: row["EmailAddress"] is None),
        (
            "customerinvoices",
            "PaymentStatus eq 1 and Rows/any(c: contains(c/Text,'a'))",
            lambda row: row["PaymentStatus"] == 1 and any("a" in one["Text"].lower() for one in row["Rows"]),
        ),
    ],
)
def test_filters_that_users_report(visma, path, text, meets):
    every = visma.rows(path, orderby="Id")
    wanted = [row["Id"] for row in every if meets(row)]
    assert wanted or "2001" in text
    assert [row["Id"] for row in visma.rows(path, orderby="Id", filter=text)] == wanted


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("orders", "Status eq 2", 6000),
        ("projects", "Status eq 1", 6000),
        ("units", "Name eq 'x'", 6000),
        ("customers", "CustomerNumber eq '1'", 6000),
        ("articles", "Number eq", 6000),
        ("articles", "Number like 'x'", 6000),
        ("articles", "NetPrice gt 'x'", 6000),
        ("articles", "ChangedUtc gt 2026-01-01T10-00-00Z", 6001),
        ("articles", "Number eq 'a' and", 6000),
    ],
)
def test_filters_that_are_refused(visma, path, text, code):
    assert code_of(visma.get(path, filter=text)) == code


def test_filters_can_be_taken_away(visma, visma_vendor):
    text = "ModifiedUtc gt 2001-01-01T00:00:00Z"
    assert visma.rows("orders", filter=text)
    visma_vendor.control.switch(visma_filters_refused=["orders/ModifiedUtc", "articles"])
    assert code_of(visma.get("orders", filter=text)) == 6000
    assert code_of(visma.get("articles", filter="Number eq 'x'")) == 6000
    assert visma.get("customers", filter="IsActive eq true").status_code == 200


def test_invoices_can_be_asked_by_change_time_with_a_parameter_of_their_own(visma):
    invoices = visma.rows("customerinvoices")
    latest = max(row["ModifiedUtc"] for row in invoices)
    response = visma.call("GET", "customerinvoices", params={"modifiedSinceUtc": latest})
    assert response.json()["Meta"]["TotalNumberOfResults"] == 0
    assert visma.call("GET", "customerinvoices", params={"modifiedSinceUtc": "soon"}).status_code == 400


def test_price_lists_and_the_price_of_a_customer(visma):
    lists = {one["Name"]: one for one in visma.rows("salespricelists")}
    contract = next(one for one in lists.values() if not one["IsStandard"])
    prices = visma.rows(f"salespricelists/prices/{contract['Id']}")
    assert {one["SalesPriceListId"] for one in prices} == {contract["Id"]}
    customer = next(one for one in visma.rows("customers") if one["SalesPriceListId"] == contract["Id"])
    single = visma.get(f"salespricelists/prices/{contract['Id']}/{prices[0]['ArticleId']}").json()
    assert single == prices[0]
    seen = visma.call("GET", "articles", params={"customerId": customer["Id"], "$pagesize": 1000}).json()["Data"]
    priced = next(one for one in seen if one["Id"] == prices[0]["ArticleId"])
    assert priced["NetPrice"] == prices[0]["NetPrice"]


def test_empty_company_is_empty(counts):
    assert set(counts["leeg"]["customers"].values()) == {0}


@pytest.mark.parametrize("company", ["devries", "gavle", "bergen"])
def test_every_kind_of_row_is_there(counts, company):
    for resource in KINDS:
        assert all(counts[company][resource].values()), resource
    assert counts[company]["articles"]["in_hours"] > 0


def test_hours_are_told_by_their_unit_not_by_their_coding(visma):
    hours = {one["Id"] for one in visma.rows("units") if one["Code"] == "HUR"}
    articles = visma.rows("articles")
    kinds = {(one["UnitId"] in hours, one["IsServiceArticle"]) for one in articles}
    assert kinds == {(True, True), (True, False), (False, True), (False, False)}


def test_same_seed_makes_the_same_rows():
    with process.start(relations=12, items=14) as one, process.start(relations=12, items=14) as other:
        for resource in ("customers", "articles", "projects", "orders", "customerinvoices", "customerinvoicedrafts"):
            found, again = (each.control.visma_rows("devries", resource) for each in (one, other))
            assert found == again
        assert one.control.visma_counts("devries", "articles")["total"] == 14
        tokens = one.control.give_visma_tokens()
        one.restart()
        client = VismaClient(one, tokens)
        assert len(client.rows("customers")) == 12
        client.session.close()
