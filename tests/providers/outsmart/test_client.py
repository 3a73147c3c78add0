"""OutSmart's wire: envelopes, lists read as a stream, repeats, and tokens that show nowhere."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from outsmart_sync.errors import AccessDenied, RecordError, SyncError, TransientError, VendorUnavailable
from outsmart_sync.providers import web
from outsmart_sync.providers.outsmart.client import OutSmartClient, Tokens
from sandbox.fixed_world import OutSmartAccount
from sandbox.process import SandboxProcess
from support import NORTH, SOUTH
from tests.providers.conftest import MakeOutSmart
from tests.providers.scripted import Answer, ScriptedServer

SECRETS = (NORTH.token, NORTH.software_token)


@pytest.fixture
def outsmart(calm: SandboxProcess, outsmart_at: MakeOutSmart) -> OutSmartClient:
    """A client of the sandbox's empty account."""
    for name in ("materials", "hourtypes", "contactpersons", "addresses", "relations"):
        calm.control.delete_outsmart("south", name)
    calm.control.forget_calls()
    return outsmart_at(calm.outsmart_url, SOUTH)


class Naps:
    """Sleeps that take no time."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def envelope(response: Any, code: Any = 200, messages: Any = ()) -> Answer:
    return Answer(200, {"code": code, "messages": list(messages), "response": response})


def material(code: str, **fields: str) -> dict[str, str]:
    return {"code": code, "description": f"Material {code}", "price": "4.55", "unit": "st"} | fields


def records(client: OutSmartClient, endpoint: str = "materials") -> list[dict[str, Any]]:
    return list(client.get_list(endpoint))


def filled(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records without the fields that were never filled."""
    return [{name: value for name, value in each.items() if value is not None} for each in found]


# Reading


def test_every_record_of_a_list_is_read(calm: SandboxProcess, outsmart_at: MakeOutSmart) -> None:
    client = outsmart_at(calm.outsmart_url, NORTH)
    there = calm.control.outsmart_records("north", "relations")
    assert len(there) > 10
    assert filled(records(client, "relations")) == filled(there)
    assert client.calls == 1


@pytest.mark.parametrize("response", [[], None, {}], ids=repr)
def test_an_empty_list_is_no_failure(server: ScriptedServer, outsmart_at: MakeOutSmart, response: Any) -> None:
    server.play(envelope(response))
    assert records(outsmart_at(server.url)) == []


@pytest.mark.parametrize("order", [("code", "messages", "response"), ("response", "messages", "code")], ids=str)
def test_the_parts_of_an_envelope_may_come_in_any_order(
    server: ScriptedServer, outsmart_at: MakeOutSmart, order: tuple[str, ...]
) -> None:
    whole = {"code": 200, "messages": [], "response": [{"code": "A"}, {"code": "B"}]}
    server.play(Answer(200, {name: whole[name] for name in order}))
    assert records(outsmart_at(server.url)) == [{"code": "A"}, {"code": "B"}]


def test_a_code_written_as_text_counts(server: ScriptedServer, outsmart_at: MakeOutSmart) -> None:
    server.play(envelope([{"code": "A"}], code="200"))
    assert records(outsmart_at(server.url)) == [{"code": "A"}]


def test_a_field_named_code_is_not_the_envelopes(server: ScriptedServer, outsmart_at: MakeOutSmart) -> None:
    server.play(envelope([{"code": 1004, "messages": ["x"], "response": [{"code": "no record"}]}]))
    assert [each["code"] for each in records(outsmart_at(server.url))] == [1004]


def test_records_are_handed_on_before_the_list_has_ended(server: ScriptedServer, outsmart_at: MakeOutSmart) -> None:
    rest_asked_for = []

    def rest() -> Iterator[bytes]:
        rest_asked_for.append(True)
        yield b", ".join(json.dumps({"code": str(number), "note": "n" * 500}).encode() for number in range(1, 2_000))
        yield b"]}"

    first = b'{"code":200,"messages":[],"response":[{"code":"0"},'
    server.play(Answer(200, first, more=rest))
    reading = outsmart_at(server.url).get_list("materials")
    assert next(reading)["code"] == "0"
    assert [each["code"] for each in reading] == [str(number) for number in range(1, 2_000)]


@pytest.mark.parametrize("cut", [0, 1, 30, 60, 75, -40, -2, -1], ids=str)
def test_a_list_that_is_cut_off_anywhere_ends_in_an_error_and_not_in_a_shorter_list(
    server: ScriptedServer, outsmart_at: MakeOutSmart, cut: int
) -> None:
    body = json.dumps({"response": [{"code": "A"}, {"code": "B"}, {"code": "C"}], "messages": [], "code": 200}).encode()
    half = body[: cut if cut >= 0 else len(body) + cut]
    for answer in (Answer(200, half), Answer(200, body, cut=len(half))):
        server.play(answer)
        with pytest.raises(TransientError) as failed:
            records(outsmart_at(server.url))
        assert failed.value.code == "outsmart_unreadable"


@pytest.mark.parametrize("clean", [True, False], ids=["claims to be whole", "breaks off"])
def test_a_long_list_that_is_cut_off_is_an_error(calm: SandboxProcess, outsmart_at: MakeOutSmart, clean: bool) -> None:
    calm.control.add_fault("truncate", path="relations", clean=clean)
    with pytest.raises(TransientError):
        records(outsmart_at(calm.outsmart_url, NORTH), "relations")


@pytest.mark.parametrize(
    "body",
    ["<html>Maintenance</html>", "", "[]", "{}", '"text"', '{"response": []}', '{"code": "x", "response": []}'],
    ids=repr,
)
def test_what_is_no_envelope_is_a_passing_trouble(server: ScriptedServer, outsmart_at: MakeOutSmart, body: str) -> None:
    server.play(Answer(200, body))
    with pytest.raises(VendorUnavailable) as failed:
        records(outsmart_at(server.url))
    assert failed.value.code == "outsmart_unreadable"
    with pytest.raises(VendorUnavailable):
        outsmart_at(server.url).post("materials", [material("A")])


def test_a_code_at_the_end_of_a_list_makes_all_of_it_worthless(
    server: ScriptedServer, outsmart_at: MakeOutSmart
) -> None:
    body = {"response": [{"code": "A"}], "messages": ["Uncaught error"], "code": 1007}
    server.play(Answer(200, body))
    reading = outsmart_at(server.url).get_list("materials")
    assert next(reading) == {"code": "A"}
    with pytest.raises(VendorUnavailable, match="Uncaught error"):
        next(reading)


def test_a_reader_that_stops_early_leaves_no_connection_open(server: ScriptedServer, outsmart_at: MakeOutSmart) -> None:
    server.play(envelope([material(str(number)) for number in range(500)]))
    client = outsmart_at(server.url)
    reading = client.get_list("materials")
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert len(records(client)) == 500


CHILD = """
import sys, tracemalloc, requests
from outsmart_sync.providers.outsmart.client import OutSmartClient, Tokens
client = OutSmartClient(requests.Session(), Tokens("a", "b"), sys.argv[1])
sum(1 for _ in client.get_list("warm-up"))
tracemalloc.start()
count = sum(1 for _ in client.get_list("relations"))
print(count, tracemalloc.get_traced_memory()[1])
"""


def test_memory_does_not_grow_with_the_list(server: ScriptedServer) -> None:
    block = b",".join(json.dumps({"debtor_number": str(number), "remark": "r" * 800}).encode() for number in range(500))

    def blocks(count: int) -> Callable[[], Iterator[bytes]]:
        def pieces() -> Iterator[bytes]:
            for number in range(count):
                yield (b"," if number else b"") + block
            yield b"]}"

        return pieces

    head = b'{"code":200,"messages":[],"response":['
    server.play(Answer(200, head, more=blocks(2)), Answer(200, head, more=blocks(100)))
    child = subprocess.run(
        [sys.executable, "-c", CHILD, server.url], capture_output=True, text=True, check=True, timeout=240
    )
    count, most_bytes = (int(word) for word in child.stdout.split())
    assert count == 50_000
    assert most_bytes < 5_000_000  # of more than 40 MB that came over the wire


# Writing


def test_records_are_stored_by_code(calm: SandboxProcess, outsmart: OutSmartClient) -> None:
    assert outsmart.post("materials", [material("A"), material("B")]) == 2
    outsmart.post("materials", [material("B", description="Other")])
    stored = {each["code"]: each["description"] for each in calm.control.outsmart_records("south", "materials")}
    assert stored == {"A": "Material A", "B": "Other"}


def test_one_bad_record_keeps_the_whole_list_out(calm: SandboxProcess, outsmart: OutSmartClient) -> None:
    bad = material("B")
    del bad["unit"]
    with pytest.raises(RecordError, match="Required field missing: unit") as refused:
        outsmart.post("materials", [material("A"), bad])
    assert refused.value.code == "refused_by_outsmart"
    assert "bookkeeping package" in refused.value.remedy
    assert calm.control.outsmart_records("south", "materials") == []
    assert outsmart.calls == 1


def test_a_list_is_sent_as_json_with_both_tokens_in_the_address(
    server: ScriptedServer, outsmart_at: MakeOutSmart
) -> None:
    server.play(envelope(1))
    outsmart_at(server.url + "/openapi/8").post("materials", [material("Ø'1")])
    (sent,) = server.received
    assert (sent.method, urlsplit(sent.target).path) == ("POST", "/openapi/8/materials")
    assert parse_qs(urlsplit(sent.target).query) == {
        "token": [NORTH.token],
        "software_token": [NORTH.software_token],
    }
    assert json.loads(sent.body) == [material("Ø'1")]
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["user-agent"] == web.USER_AGENT
    assert "authorization" not in sent.headers


@pytest.mark.parametrize("token", ["a b&c=d", "ü+/=%", "#x"])
def test_tokens_of_any_letters_arrive_as_they_are(
    server: ScriptedServer, outsmart_at: MakeOutSmart, token: str
) -> None:
    server.play(envelope([]))
    records(outsmart_at(server.url, OutSmartAccount("x", token, token, None)))
    assert parse_qs(urlsplit(server.received[0].target).query) == {"token": [token], "software_token": [token]}


@pytest.mark.parametrize(
    ("fault", "executed"),
    [
        ({"kind": "reset"}, False),
        ({"kind": "timeout_after", "seconds": 0}, True),
        ({"kind": "truncate"}, True),
        ({"kind": "truncate", "clean": True}, True),
        ({"kind": "html"}, False),
        ({"kind": "status", "status": 503}, False),
        ({"kind": "status", "status": 200, "body": {"code": 1007, "messages": ["x"], "response": None}}, False),
    ],
    ids=["reset before", "reset after", "cut off", "half an answer", "503 page", "503", "1007"],
)
def test_a_write_without_an_answer_is_repeated_and_stores_each_record_once(
    calm: SandboxProcess, outsmart_at: MakeOutSmart, outsmart: OutSmartClient, fault: dict[str, Any], executed: bool
) -> None:
    calm.control.add_fault(vendor="outsmart", method="POST", times=2, **fault)
    naps = Naps()
    client = outsmart_at(calm.outsmart_url, SOUTH, sleep=naps)
    seq = max((each["seq"] for each in calm.control.outsmart_changes("south")), default=0)
    assert client.post("materials", [material("A"), material("B")]) == 2
    assert sorted(str(each["code"]) for each in calm.control.outsmart_records("south", "materials")) == ["A", "B"]
    assert (naps.taken, client.calls) == ([0.5, 2.0], 3)
    writes = calm.control.outsmart_writes("south", entity="materials", since=seq)["materials"]["A"]
    assert writes["insert"] == 1
    assert writes.get("unchanged", 0) == (2 if executed else 0)


@pytest.mark.parametrize(
    "fault", [{"kind": "reset"}, {"kind": "html"}, {"kind": "status", "status": 500}], ids=["reset", "page", "500"]
)
@pytest.mark.parametrize("call", ["read", "write"])
def test_a_trouble_that_does_not_pass_is_given_up_after_three_tries(
    calm: SandboxProcess, outsmart: OutSmartClient, fault: dict[str, Any], call: str
) -> None:
    calm.control.add_fault(vendor="outsmart", times=None, **fault)
    with pytest.raises(VendorUnavailable) as failed:
        records(outsmart) if call == "read" else outsmart.post("materials", [material("A")])
    assert outsmart.calls == len(calm.control.calls(vendor="outsmart")) == 3
    assert "by itself" in failed.value.remedy


def test_a_read_that_was_dropped_before_it_began_is_repeated(calm: SandboxProcess, outsmart_at: MakeOutSmart) -> None:
    calm.control.add_fault("reset", vendor="outsmart", times=2)
    found = records(outsmart_at(calm.outsmart_url, NORTH))
    assert filled(found) == filled(calm.control.outsmart_records("north", "materials"))


def test_a_host_where_nobody_listens_cannot_be_reached(stranger: ScriptedServer, outsmart_at: MakeOutSmart) -> None:
    stranger.stop()
    with pytest.raises(VendorUnavailable) as failed:
        records(outsmart_at(stranger.url))
    assert failed.value.code == "outsmart_unreachable"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("call", ["read", "write"])
def test_a_redirect_does_not_carry_the_tokens_elsewhere(
    server: ScriptedServer, stranger: ScriptedServer, outsmart_at: MakeOutSmart, status: int, call: str
) -> None:
    server.play(Answer(status, "", {"Location": f"{stranger.url}/openapi/8/materials"}))
    client = outsmart_at(server.url)
    with pytest.raises(VendorUnavailable):
        records(client) if call == "read" else client.post("materials", [material("A")])
    assert stranger.received == []


def test_a_refused_token_is_not_tried_again(calm: SandboxProcess, outsmart_at: MakeOutSmart) -> None:
    client = outsmart_at(calm.outsmart_url, OutSmartAccount("x", "wrong", NORTH.software_token, None))
    with pytest.raises(AccessDenied):
        records(client)
    assert client.calls == 1


def test_calls_are_made_one_at_a_time(server: ScriptedServer, outsmart_at: MakeOutSmart) -> None:
    server.play(envelope(1))
    client = outsmart_at(server.url)
    for _ in range(5):
        client.post("materials", [material("A")])
    assert (server.most_at_once, client.calls) == (1, 5)


# Secrets


@pytest.mark.parametrize(
    "answer",
    [
        Answer(reset=True),
        Answer(302, "", {"Location": "http://127.0.0.1:1/"}),
        Answer(401),
        Answer(503, "<html>"),
        Answer(200, "{"),
        Answer(200, {"code": 200}, cut=3),
        Answer(200, b"\x1f\x8b no gzip", {"Content-Encoding": "gzip"}),
        envelope(None, 1004, ["Token unauthorized"]),
        envelope(None, 1301, ["Required field missing: city"]),
        envelope(None, 9_999_999),
    ],
    ids=["reset", "302", "401", "503", "half", "cut off", "no gzip", "1004", "1301", "unknown"],
)
@pytest.mark.parametrize("call", ["read", "write"])
def test_no_token_is_in_an_error_or_a_log_line(
    server: ScriptedServer, outsmart_at: MakeOutSmart, chatter: Callable[[], str], answer: Answer, call: str
) -> None:
    server.play(answer)
    client = outsmart_at(server.url)
    with pytest.raises(SyncError) as failed:
        records(client) if call == "read" else client.post("materials", [material("A")])
    error = failed.value
    seen = "\n".join([*traceback.format_exception(error), str(error), repr(error), repr(vars(error)), chatter()])
    assert [secret for secret in SECRETS if secret in seen] == []


def test_a_host_that_cannot_be_reached_gives_no_token_away(
    stranger: ScriptedServer, outsmart_at: MakeOutSmart, chatter: Callable[[], str]
) -> None:
    stranger.stop()
    with pytest.raises(VendorUnavailable) as failed:
        records(outsmart_at(stranger.url))
    seen = "\n".join([*traceback.format_exception(failed.value), repr(vars(failed.value)), chatter()])
    assert [secret for secret in SECRETS if secret in seen] == []


def test_calls_that_go_well_leave_no_token_in_the_log(
    calm: SandboxProcess, outsmart_at: MakeOutSmart, chatter: Callable[[], str]
) -> None:
    client = outsmart_at(calm.outsmart_url, NORTH)
    records(client)
    assert [secret for secret in SECRETS if secret in chatter()] == []


def test_tokens_do_not_show_themselves() -> None:
    tokens = Tokens("one-secret", "other-secret")
    assert "secret" not in f"{tokens!r} {tokens}"


def test_a_wait_really_waits_unless_told_otherwise() -> None:
    assert OutSmartClient.__init__.__kwdefaults__["sleep"] is time.sleep
