"""What each of OutSmart's codes means."""

from __future__ import annotations

from typing import Any

import pytest

from outsmart_sync.errors import (
    AccessDenied,
    ConfigurationError,
    NotConfigured,
    RecordError,
    RequestRefused,
    SyncError,
    TransientError,
    VendorUnavailable,
)
from outsmart_sync.providers.outcomes import Reaction
from outsmart_sync.providers.outsmart.errors import HTTP_OUTCOMES, READ_OUTCOMES, WRITE_OUTCOMES
from sandbox.fixed_world import OutSmartAccount
from sandbox.process import SandboxProcess
from support import NORTH, SOUTH
from tests.providers.conftest import MakeOutSmart
from tests.providers.scripted import Answer, ScriptedServer

GENERAL = [
    (1000, RequestRefused, "outsmart_request"),
    (1001, RequestRefused, "outsmart_request"),
    (1002, NotConfigured, "outsmart_token_missing"),
    (1003, NotConfigured, "outsmart_software_token_missing"),
    (1004, AccessDenied, "outsmart_token_refused"),
    (1005, AccessDenied, "outsmart_software_token_refused"),
    (1006, NotConfigured, "outsmart_https"),
    (1007, VendorUnavailable, "outsmart_fault"),
    (1008, RequestRefused, "outsmart_request"),
    (1009, RequestRefused, "outsmart_request"),
]
REFUSED_RECORDS = [1051, *range(1100, 2802, 100), *range(1101, 2802, 100), 1502, 1503, 1504]
UNDOCUMENTED = [0, 1, 100, 199, 201, 404, 500, 999, 1010, 1050, 1052, 1099, 10_000, -1]


def raised_by(server: ScriptedServer, outsmart_at: MakeOutSmart, call: str, answer: Answer) -> SyncError:
    server.play(answer)
    client = outsmart_at(server.url)
    with pytest.raises(SyncError) as failed:
        list(client.get_list("materials")) if call == "read" else client.post("materials", [{"code": "A"}])
    return failed.value


def refusal(code: int, text: str = "Some text") -> Answer:
    return Answer(200, {"code": code, "messages": [text, "More"], "response": None})


@pytest.mark.parametrize("call", ["read", "write"])
@pytest.mark.parametrize(("number", "error", "code"), GENERAL, ids=str)
def test_a_general_code_has_one_meaning_for_reads_and_writes(
    server: ScriptedServer, outsmart_at: MakeOutSmart, call: str, number: int, error: type[SyncError], code: str
) -> None:
    raised = raised_by(server, outsmart_at, call, refusal(number))
    assert (type(raised), raised.code) == (error, code)
    assert raised.remedy
    assert f"code {number}: Some text; More" in raised.technical


@pytest.mark.parametrize("number", REFUSED_RECORDS)
def test_a_code_of_a_record_refuses_the_record_and_not_the_run(
    server: ScriptedServer, outsmart_at: MakeOutSmart, number: int
) -> None:
    raised = raised_by(server, outsmart_at, "write", refusal(number, "Required field missing: city"))
    assert (type(raised), raised.code) == (RecordError, "refused_by_outsmart")
    assert "Required field missing: city" in str(raised)


@pytest.mark.parametrize("number", [*REFUSED_RECORDS[:3], *UNDOCUMENTED])
def test_a_code_that_nobody_documents_is_never_success(
    server: ScriptedServer, outsmart_at: MakeOutSmart, number: int
) -> None:
    raised = raised_by(server, outsmart_at, "read", refusal(number))
    assert (type(raised), raised.code) == (VendorUnavailable, "outsmart_unknown_code")


@pytest.mark.parametrize("number", UNDOCUMENTED)
def test_a_write_with_a_code_that_nobody_documents_may_be_tried_again(
    server: ScriptedServer, outsmart_at: MakeOutSmart, number: int
) -> None:
    assert isinstance(raised_by(server, outsmart_at, "write", refusal(number)), TransientError)


@pytest.mark.parametrize("call", ["read", "write"])
@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (401, AccessDenied, "outsmart_token_refused"),
        (403, AccessDenied, "outsmart_token_refused"),
        (404, VendorUnavailable, "outsmart_unavailable"),
        (429, VendorUnavailable, "outsmart_unavailable"),
        (500, VendorUnavailable, "outsmart_unavailable"),
        (502, VendorUnavailable, "outsmart_unavailable"),
        (503, VendorUnavailable, "outsmart_unavailable"),
        (504, VendorUnavailable, "outsmart_unavailable"),
    ],
)
def test_a_status_other_than_200_has_a_meaning_too(
    server: ScriptedServer, outsmart_at: MakeOutSmart, call: str, status: int, error: type[SyncError], code: str
) -> None:
    raised = raised_by(server, outsmart_at, call, Answer(status, {"code": 200, "messages": [], "response": []}))
    assert (type(raised), raised.code) == (error, code)


@pytest.mark.parametrize("messages", [None, [], "missing"], ids=repr)
def test_a_refusal_without_a_text_is_a_refusal(
    server: ScriptedServer, outsmart_at: MakeOutSmart, messages: Any
) -> None:
    body = {"code": 1301, "messages": messages, "response": None}
    if messages == "missing":
        del body["messages"]
    raised = raised_by(server, outsmart_at, "write", Answer(200, body))
    assert isinstance(raised, RecordError)
    assert "no text" in str(raised)


def test_only_what_may_pass_by_itself_is_repeated() -> None:
    for row in (*READ_OUTCOMES, *WRITE_OUTCOMES, *HTTP_OUTCOMES):
        assert (row.reaction is Reaction.REPEAT) is issubclass(row.error, TransientError)
        assert issubclass(row.error, TransientError | ConfigurationError | RecordError)
        assert row.remedy


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (OutSmartAccount("x", "", NORTH.software_token, None), "outsmart_token_missing"),
        (OutSmartAccount("x", NORTH.token, "", None), "outsmart_software_token_missing"),
        (OutSmartAccount("x", "wrong", NORTH.software_token, None), "outsmart_token_refused"),
        (OutSmartAccount("x", NORTH.token, "wrong", None), "outsmart_software_token_refused"),
        (OutSmartAccount("x", NORTH.token, SOUTH.software_token, None), "outsmart_software_token_refused"),
    ],
    ids=["no token", "no software token", "wrong token", "wrong software token", "token of another account"],
)
def test_each_wrong_token_is_named(
    calm: SandboxProcess, outsmart_at: MakeOutSmart, account: OutSmartAccount, code: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        list(outsmart_at(calm.outsmart_url, account).get_list("materials"))
    assert refused.value.code == code
    assert "OutSmart connection" in refused.value.remedy


def test_an_unknown_list_is_a_defect_of_ours(calm: SandboxProcess, outsmart_at: MakeOutSmart) -> None:
    with pytest.raises(RequestRefused, match="Unknown endpoint"):
        list(outsmart_at(calm.outsmart_url).get_list("nothing"))


def test_plain_http_where_https_is_wanted_is_a_matter_of_the_address(
    calm: SandboxProcess, outsmart_at: MakeOutSmart
) -> None:
    calm.control.switch(https_required=True)
    with pytest.raises(NotConfigured) as refused:
        list(outsmart_at(calm.outsmart_url).get_list("materials"))
    assert refused.value.code == "outsmart_https"


@pytest.mark.parametrize(
    ("endpoint", "record", "text"),
    [
        ("relations", {"name": "A", "debtor_number": "1", "street": "S", "postal_code": "P"}, "city"),
        ("materials", {"code": "A", "description": "D", "unit": "st"}, "price"),
        ("hourtypes", {"code": "A", "name": "N", "cost_booking": "0", "sale_booking": "1"}, "sale_price"),
        ("contactpersons", {"cpn_debtor_nr": "1", "cpn_code": "C"}, "cpn_name"),
        ("addresses", {"adr_debtor_nr": "1", "adr_code": "C", "adr_line_1": "S", "adr_zip": "Z"}, "adr_city"),
        ("materials", {"code": "A", "description": "D", "unit": "st", "price": "a lot"}, "price"),
        (
            "relations",
            {"nonsense": "x", "name": "A", "debtor_number": "1", "street": "S", "postal_code": "P", "city": "C"},
            "nonsense",
        ),
    ],
    ids=["relation", "material", "hour type", "contact person", "address", "no number", "unknown field"],
)
def test_a_refused_record_is_explained_by_the_field(
    calm: SandboxProcess, outsmart_at: MakeOutSmart, endpoint: str, record: dict[str, str], text: str
) -> None:
    with pytest.raises(RecordError, match=text):
        outsmart_at(calm.outsmart_url, SOUTH).post(endpoint, [record])
