"""OutSmart's API 8."""

import pytest
import requests

from sandbox.outsmart.entities import ENTITIES

RELATION = {"debtor_number": "T-1", "name": "Test", "street": "Dam", "postal_code": "1012 JS", "city": "Amsterdam"}
SAMPLES = {
    "employees": {"number": "T1", "firstname": "A", "lastname": "B"},
    "relations": RELATION,
    "materials": {"code": "T1", "description": "d", "price": "1,50", "unit": "st"},
    "projects": {"code": "T1", "debtor_number": "T-1", "status": "Nieuw", "name": "n", "date_start": "2026-01-31"},
    "hourtypes": {"code": "T1", "name": "n", "cost_booking": "0", "sale_booking": "1", "sale_price": "10"},
    "categories": {"cat_code": "T1", "cat_name": "n", "cat_display": "1"},
    "material_categories": {"mct_mat_code": "T1", "mct_cat_code": "T1"},
    "addresses": {"adr_debtor_nr": "T-1", "adr_code": "T1", "adr_line_1": "x", "adr_zip": "1", "adr_city": "c"},
    "contactpersons": {"cpn_debtor_nr": "T-1", "cpn_code": "T1", "cpn_name": "n"},
    "warehouses": {"wse_code": "T1"},
    "workstatusses": {"sta_code": "T1", "sta_name": "n"},
    "worktypes": {"wrt_name": "T1", "wrt_description": "d", "wrt_default_minutes": "30", "wrt_active": "1"},
    "paymentmethods": {"pmd_description": "T1"},
    "prices": {"material": "T1", "debtornr": "T-1", "date_start": "2026-01-31", "price": "7,50"},
}
CODES = {
    "employees": (1100, 1101), "materials": (1200, 1201), "relations": (1300, 1301), "projects": (1700, 1701),
    "hourtypes": (1800, 1801), "categories": (2400, 2401), "material_categories": (2500, 2501),
    "worktypes": (2600, 2601), "paymentmethods": (2700, 2701), "workstatusses": (2800, 2801),
    "addresses": (1300, 1301), "contactpersons": (1300, 1301), "warehouses": (1400, 1400),
    "prices": (1200, 1201),
}  # fmt: skip


@pytest.fixture
def filled(south):
    """The second account with one record of each list."""
    order = ["relations", "materials", "categories", *(name for name in SAMPLES)]
    for name in dict.fromkeys(order):
        assert south.post(name, SAMPLES[name]) == {"code": 200, "messages": [], "response": 1}, name
    return south


def test_samples_cover_every_list():
    others = {"invoices", "transactions", "workorders"}
    assert SAMPLES.keys() == ENTITIES.keys() - others == CODES.keys()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, 1002),
        ({"software_token": "sandbox-software-north"}, 1002),
        ({"token": "sandbox-token-north"}, 1003),
        ({"token": "nobody", "software_token": "sandbox-software-north"}, 1004),
        ({"token": "sandbox-token-north", "software_token": "nobody"}, 1005),
        ({"token": "sandbox-token-north", "software_token": "sandbox-software-south"}, 1005),
        ({"token": "sandbox-token-north", "software_token": "sandbox-software-north"}, 200),
    ],
)
def test_tokens_must_be_there_known_and_belong_together(vendor, query, code):
    response = requests.get(f"{vendor.outsmart_url}/employees", params=query, timeout=30)
    assert response.status_code == 200
    body = response.json()
    assert body.keys() == {"code", "messages", "response"}
    assert body["code"] == code
    assert (body["response"] is None) == (code != 200)


def test_unknown_endpoints_answer_1000_and_1001_with_status_200(north):
    assert north.get("")["code"] == 1000
    assert north.get("nothing")["code"] == 1001
    assert north.post("category", {})["code"] == 1001
    for path in ("/relations", "/openapi/7/relations", "/openapi/8x/relations", "/x/openapi/8/relations"):
        address = north.vendor.outsmart_url.removesuffix("/openapi/8") + path
        assert requests.get(address, params=north.tokens, timeout=30).json()["code"] == 1001, path


def test_https_can_be_required(north, control):
    control.switch(https_required=True)
    assert north.get("employees")["code"] == 1006


def test_body_must_be_a_json_list(south):
    assert south.post("relations", raw="")["code"] == 1008
    assert south.post("relations", raw="{")["code"] == 1009
    assert south.post("relations", raw='{"debtor_number": "1"}')["code"] == 1009
    assert south.post("relations", raw="[]") == {"code": 200, "messages": [], "response": 0}
    assert south.post("relations", raw="[1]")["code"] == 1300


@pytest.mark.parametrize("name", SAMPLES)
def test_every_list_takes_and_gives_back(filled, name):
    found = filled.get(name)
    assert found["code"] == 200
    keys = ENTITIES[name].key
    record = next(one for one in found["response"] if all(one[key] == SAMPLES[name].get(key, "") for key in keys))
    assert record.keys() == ENTITIES[name].fields.keys()


@pytest.mark.parametrize(("name", "field"), [(name, field) for name in SAMPLES for field in ENTITIES[name].required])
def test_missing_required_fields_are_named(filled, name, field):
    for record in ({**SAMPLES[name], field: " "}, {key: value for key, value in SAMPLES[name].items() if key != field}):
        found = filled.post(name, record)
        assert found == {"code": CODES[name][1], "messages": [f"Required field missing: {field}"], "response": None}


def test_all_missing_fields_are_named_at_once(south):
    found = south.post("relations", {"name": "x", "debtor_number": "1"})
    assert found["messages"] == ["Required field missing: street, postal_code, city"]


@pytest.mark.parametrize("name", SAMPLES)
def test_unknown_field_is_refused_and_named(filled, name):
    found = filled.post(name, SAMPLES[name] | {"colour": "red"})
    assert found["code"] == CODES[name][0]
    assert "colour" in found["messages"][0]


def test_post_updates_by_code_and_leaves_other_fields_alone(south):
    south.post("relations", RELATION | {"email": "a@example.com"})
    assert south.post("relations", RELATION | {"name": "Renamed"})["response"] == 1
    [record] = south.get("relations")["response"]
    assert (record["name"], record["email"], record["active"]) == ("Renamed", "a@example.com", "1")


def test_a_batch_with_one_bad_record_stores_nothing(south):
    batch = [RELATION | {"debtor_number": str(number)} for number in range(50)]
    batch[40] = batch[40] | {"city": ""}
    found = south.post("relations", *batch)
    assert (found["code"], found["response"]) == (1301, None)
    assert south.get("relations")["response"] == []
    batch[40]["city"] = "Utrecht"
    assert south.post("relations", *batch)["response"] == 50


def test_code_twice_in_a_batch_ends_as_the_last(south):
    assert south.post("relations", RELATION, RELATION | {"name": "Last"})["response"] == 2
    assert [row["name"] for row in south.get("relations")["response"]] == ["Last"]


@pytest.mark.parametrize(
    ("sent", "read"),
    [("4,55", "4,55"), ("4.55", "4,55"), (4.5, "4,50"), ("0", "0,00"), (3, "3,00"), ("1.005", "1,005")],
)
def test_prices_take_comma_or_point_and_come_back_with_a_comma(south, sent, read):
    assert south.post("materials", SAMPLES["materials"] | {"price": sent})["code"] == 200
    assert south.get("materials")["response"][0]["price"] == read


@pytest.mark.parametrize("price", ["abc", "1.000,50", "1 000", "€ 5", True, [], "1,2,3"])
def test_unreadable_price_is_refused(south, price):
    assert south.post("materials", SAMPLES["materials"] | {"price": price})["code"] == 1200
    assert south.post("hourtypes", SAMPLES["hourtypes"] | {"sale_price": price})["code"] == 1801


@pytest.mark.parametrize("flag", ["2", "yes", "true", True, -1])
def test_flags_are_0_or_1(south, flag):
    assert south.post("hourtypes", SAMPLES["hourtypes"] | {"active": flag})["code"] == 1801
    assert south.post("relations", RELATION | {"active": flag})["code"] == 1300
    assert south.post("hourtypes", SAMPLES["hourtypes"] | {"active": 0})["code"] == 200


def test_hour_type_price_of_zero_is_a_switch(south, control):
    free = SAMPLES["hourtypes"] | {"code": "FREE", "sale_price": "0,00"}
    assert south.post("hourtypes", free)["code"] == 200
    control.switch(hour_type_price_above_zero=True)
    assert south.post("hourtypes", free)["code"] == 1801
    assert south.post("hourtypes", free | {"sale_price": "0,01"})["code"] == 200


def test_numbers_come_back_as_text(south):
    south.post("relations", RELATION | {"debtor_number": 77, "latitude": 52.1})
    [record] = south.get("relations")["response"]
    assert (record["debtor_number"], record["latitude"]) == ("77", "52.1")


def test_free_fields_of_relations(south):
    assert south.post("relations", RELATION | {"val_value_3": "x"})["code"] == 200
    assert south.get("relations")["response"][0]["val_value_3"] == "x"
    assert south.post("relations", RELATION | {"val_value_x": "x"})["code"] == 1300


def test_limits_of_length(south):
    material = SAMPLES["materials"]
    assert south.post("materials", material | {"barcode": "1" * 56})["code"] == 1200
    assert south.post("materials", material | {"barcode": "1" * 55})["code"] == 200
    assert south.post("materials", material | {"description": "x" * 65_537})["code"] == 1200


def test_project_dates_are_year_month_day(south):
    south.post("relations", RELATION)
    assert south.post("projects", SAMPLES["projects"] | {"date_start": "31-01-2026"})["code"] == 1701
    assert south.post("projects", SAMPLES["projects"] | {"date_end": "2026-02-30"})["code"] == 1701


def test_read_only_field_is_refused(south):
    assert south.post("employees", SAMPLES["employees"] | {"active": "1"})["code"] == 1100


@pytest.mark.parametrize(
    ("name", "field"),
    [("addresses", "adr_debtor_nr"), ("contactpersons", "cpn_debtor_nr"), ("projects", "debtor_number"),
     ("material_categories", "mct_mat_code"), ("material_categories", "mct_cat_code"), ("prices", "material"),
     ("prices", "debtornr")],
)  # fmt: skip
def test_reference_to_an_unknown_record_is_refused(filled, name, field):
    found = filled.post(name, SAMPLES[name] | {field: "nobody"})
    assert found["code"] == CODES[name][0]
    assert "nobody" in found["messages"][0]


def test_plain_lists_refuse_filters(north):
    assert north.get("relations", key="debtor_number", value="1", operator="eq")["code"] == 1300


@pytest.mark.parametrize(
    ("sign", "value", "found"),
    [
        ("eq", "L2", {"L2"}),
        ("ne", "L2", {"L1", "L10"}),
        ("li", "l1", {"L1", "L10"}),
        ("li", "%0", {"L10"}),
        ("ge", "L10", {"L10", "L2"}),
    ],
)
def test_look_ups_filter(south, sign, value, found):
    south.post(
        "categories", *({"cat_code": code, "cat_name": code, "cat_display": "1"} for code in ("L1", "L2", "L10"))
    )
    records = south.get(
        "category", **{"key[]": ["cat_code", "cat_code"], "value[]": [value, "L%"], "operator[]": [sign, "li"]}
    )
    assert {record["cat_code"] for record in records["response"]} == found


def test_look_up_by_one_key(filled):
    query = {"key": "adr_code", "value": "T1", "operator": "eq"}
    assert [record["adr_city"] for record in filled.get("address", **query)["response"]] == ["c"]
    assert filled.get("contactperson", key="cpn_code", value="nobody")["response"] == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"key": "adr_code"},
        {"key": "colour", "value": "x"},
        {"key": "adr_code", "value": "x", "operator": "is"},
    ],
)
def test_look_up_needs_a_readable_filter(north, query):
    assert north.get("address", **query)["code"] == 1300


def test_accounts_do_not_see_each_other(north, south):
    south.post("relations", RELATION)
    assert all(record["debtor_number"] != "T-1" for record in north.get("relations")["response"])


def test_every_write_is_in_the_history(south, control):
    since = max((change["seq"] for change in control.outsmart_changes("south")), default=0)
    south.post("relations", RELATION)
    south.post("relations", RELATION)
    south.post("relations", RELATION | {"city": "Utrecht"})
    control.write_outsmart("south", "relations", {"debtor_number": "T-1", "city": "Breda"})
    control.delete_outsmart("south", "relations", "T-1")
    changes = control.outsmart_changes("south", entity="relations", code="T-1", since=since)
    assert [(change["actor"], change["action"]) for change in changes] == [
        ("api", "insert"),
        ("api", "unchanged"),
        ("api", "update"),
        ("hand", "update"),
        ("hand", "delete"),
    ]
    assert changes[2]["fields"] == {"city": ["Amsterdam", "Utrecht"]}
    assert [change["seq"] for change in changes] == sorted(change["seq"] for change in changes)
    counted = control.outsmart_writes("south", since=since, actor="api")
    assert counted == {"relations": {"T-1": {"insert": 1, "unchanged": 1, "update": 1}}}
