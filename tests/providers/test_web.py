"""Where tokens may travel, and how."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from outsmart_sync.errors import NotConfigured, RequestRefused
from outsmart_sync.providers import web
from tests.providers.scripted import Answer, ScriptedServer

HOME = "https://start.exactonline.nl"


@pytest.mark.parametrize(
    "address",
    [
        "https://start.exactonline.nl/api/v1/1/sync/CRM/Accounts?$skiptoken=387L",
        "https://START.exactonline.NL/x",
        "https://start.exactonline.nl:443/x",
        "https://start.exactonline.nl",
    ],
)
def test_an_address_of_a_known_host_is_handed_back_as_it_is(address: str) -> None:
    assert web.KnownHosts.of(HOME).check(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "https://start.exactonline.be/x",
        "http://start.exactonline.nl/x",
        "https://start.exactonline.nl:8443/x",
        "https://start.exactonline.nl.evil.example/x",
        "https://start.exactonline.nl@evil.example/x",
        "https://evil.example/start.exactonline.nl",
        "https://evil.example\\@start.exactonline.nl/x",
        "https://evil.example#@start.exactonline.nl/x",
        "//start.exactonline.nl/x",
        "/api/v1/1/crm/Accounts",
        "file://start.exactonline.nl/etc/passwd",
        "https://start.exactonline.nl:99999/x",
        "https://start.exactonline.nl:port/x",
        "https://[start.exactonline.nl/x",
        "",
    ],
)
def test_an_address_of_any_other_host_is_refused(address: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        web.KnownHosts.of(HOME).check(address)
    assert refused.value.code == "unknown_host"
    assert "api_url" in refused.value.remedy


@given(st.text(alphabet="ab.:/@\\#?[]%1 \t", max_size=24))
def test_what_is_let_through_is_what_the_http_library_calls(tail: str) -> None:
    address = HOME + tail
    try:
        checked = web.KnownHosts.of(HOME).check(address)
    except RequestRefused:
        return
    try:
        called = requests.Request("GET", checked).prepare().url
    except requests.RequestException:
        return
    assert (called or "").startswith((HOME + "/", HOME + ":443/"))


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8701",
        "http://localhost:8701",
        "http://exact.localhost",
        "http://[::1]:8701",
        "http://127.8.9.1",
        "https://exact.example",
    ],
)
def test_https_anywhere_and_plain_http_on_this_machine_are_fine(address: str) -> None:
    assert web.checked_address(f"{address}/", "api_url") == address


@pytest.mark.parametrize(
    "address",
    ["http://start.exactonline.nl", "http://127.0.0.1.evil.example", "http://10.0.0.1", "http://localhost.example"],
)
def test_plain_http_to_another_machine_is_refused_unless_the_connection_allows_it(address: str) -> None:
    with pytest.raises(NotConfigured, match="api_url would send logins unencrypted") as refused:
        web.checked_address(address, "api_url")
    assert "plain_http" in refused.value.remedy
    assert web.checked_address(address, "api_url", plain_http=True) == address


@pytest.mark.parametrize(
    "address", ["", "start.exactonline.nl", "ftp://x", "https://", "https:///x", "http://x:port", "https://[x", " "]
)
def test_what_is_no_web_address_is_named(address: str) -> None:
    with pytest.raises(NotConfigured, match="token_url is not a web address"):
        web.checked_address(address, "token_url", plain_http=True)


def test_a_login_within_an_address_is_not_repeated_in_the_error() -> None:
    with pytest.raises(NotConfigured) as refused:
        web.checked_address("http://user:hunter2@exact.example/", "api_url")
    assert "hunter2" not in str(refused.value)


def test_libraries_that_log_tokens_stay_silent_however_talkative_the_rest_is() -> None:
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    try:
        for name in ("requests_oauthlib.oauth2_session", "oauthlib", "urllib3.connectionpool", "urllib3.util.retry"):
            assert not logging.getLogger(name).isEnabledFor(logging.DEBUG), name
        assert not logging.getLogger("urllib3.connection").isEnabledFor(logging.WARNING)
    finally:
        logging.getLogger("urllib3").setLevel(logging.NOTSET)


def test_without_extras_certificates_are_checked_and_there_is_no_proxy() -> None:
    transport = web.Transport.of({})
    assert (transport.verify, dict(transport.proxies)) == (True, {})


@pytest.mark.parametrize(
    ("value", "read"),
    [(True, True), (False, False), ("true", True), ("False", False), (None, True), (__file__, __file__)],
    ids=["true", "false", "true as text", "false as text", "null", "file"],
)
def test_verify_is_a_flag_or_a_file(value: object, read: object) -> None:
    assert web.Transport.of({"verify": value}).verify == read


def test_a_certificate_file_that_is_not_there_is_named() -> None:
    with pytest.raises(NotConfigured, match=r"verify.*no/such/file"):
        web.Transport.of({"verify": "no/such/file"})


@pytest.mark.parametrize("proxies", ["http://proxy:3128", ["http://proxy:3128"]], ids=["text", "list"])
def test_proxies_that_cannot_be_read_are_refused(proxies: object) -> None:
    with pytest.raises(NotConfigured, match="proxies"):
        web.Transport.of({"proxies": proxies})


def test_the_connections_proxy_and_certificates_win_over_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://environment:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", os.fspath(Path(__file__)))
    with requests.Session() as session:
        web.Transport(verify=False, proxies={"https": "http://connection:2"}).dress(session, HOME)
        settings = session.merge_environment_settings(HOME, {}, None, None, None)
    assert (settings["proxies"]["https"], settings["verify"]) == ("http://connection:2", False)


def test_the_environment_fills_in_what_the_connection_leaves_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://environment:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", os.fspath(Path(__file__)))
    with requests.Session() as session:
        web.Transport().dress(session, HOME)
        assert (session.proxies["https"], session.verify) == ("http://environment:1", os.fspath(Path(__file__)))


def test_a_proxy_of_the_connection_is_really_used(server: ScriptedServer) -> None:
    server.play(Answer(200, "by proxy"))
    with requests.Session() as session:
        web.Transport(proxies={"http": server.url}).dress(session, "http://vendor.example")
        assert session.get("http://vendor.example/path", timeout=30).text == "by proxy"
    assert server.received[0].target == "http://vendor.example/path"


def test_logins_of_a_netrc_file_are_never_sent(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.play(Answer(200))
    with requests.Session() as session:
        web.Transport().dress(session, server.url).get(server.url, timeout=30)
    assert "authorization" not in server.received[0].headers
