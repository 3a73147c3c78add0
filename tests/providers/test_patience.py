"""Calls of a block that has little time: they are cut short or not sent, and those with times of their own are not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from outsmart_sync.errors import RateLimited, RenewalRefused, VendorUnavailable
from outsmart_sync.providers import web
from tests.providers.scripted import Answer, ScriptedServer

SLOW = Answer(seconds=30)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    made = ScriptedServer()
    yield made
    made.stop()


def test_a_call_gets_what_is_left_and_a_later_one_is_not_sent(server: ScriptedServer) -> None:
    server.play(SLOW, Answer())
    with web.within(0.3):
        with pytest.raises(requests.Timeout):
            requests.get(server.url, timeout=web.TIMEOUT)
        with pytest.raises(requests.RequestException) as unsent:
            requests.post(server.url, timeout=web.TIMEOUT)
    assert web.was_never_sent(unsent.value)
    assert [each.method for each in server.received] == ["GET"]
    assert requests.get(server.url, timeout=web.TIMEOUT).ok


def test_nor_over_a_connection_that_is_open(server: ScriptedServer) -> None:
    server.play(Answer(), Answer())
    with requests.Session() as session:
        session.get(server.url, timeout=web.TIMEOUT)
        with web.within(0.0), pytest.raises(requests.RequestException) as unsent:
            session.get(server.url, timeout=web.TIMEOUT)
    assert web.was_never_sent(unsent.value)
    assert len(server.received) == 1


def test_a_call_with_times_of_its_own_keeps_them(server: ScriptedServer) -> None:
    server.play(Answer(seconds=0.3))
    with web.within(0.1):
        assert requests.get(server.url, timeout=(5.0, 20.0)).ok


def silences(*, seconds: float, calls: Callable[[requests.Session], object]) -> bool:
    """Whether what a client makes of failing calls of a block is a vendor's silence."""

    def ask() -> None:
        with requests.Session() as plain, web.within(seconds):
            session = web.Transport().dress(plain, "http://127.0.0.1")
            try:
                while True:
                    calls(session)
            except requests.RequestException as error:
                raise VendorUnavailable("It does not answer.") from error

    with pytest.raises(VendorUnavailable) as told:
        ask()
    assert isinstance(told.value, web.OutOfTime) is not web.is_silence(told.value)
    return web.is_silence(told.value)


def test_a_vendor_that_does_not_answer_is_silent_also_when_the_time_is_over(server: ScriptedServer) -> None:
    def get(session: requests.Session) -> None:
        with contextlib.suppress(requests.ReadTimeout):  # as a client that repeats a call
            session.get(server.url, timeout=web.TIMEOUT)

    server.play(SLOW, Answer())
    assert silences(seconds=0.3, calls=get)
    assert len(server.received) == 1
    assert silences(seconds=30, calls=lambda session: session.get("http://127.0.0.1:9", timeout=web.TIMEOUT))


def test_one_that_answers_slowly_is_not(server: ScriptedServer) -> None:
    server.play(Answer(seconds=0.3), Answer(seconds=0.3), SLOW)
    assert not silences(seconds=0.8, calls=lambda session: session.get(server.url, timeout=web.TIMEOUT))
    server.play(Answer(status=503, seconds=0.2), SLOW)  # which is no answer
    assert silences(seconds=0.5, calls=lambda session: session.get(server.url, timeout=web.TIMEOUT))


def test_a_renewal_that_takes_the_time_says_nothing_of_calls(server: ScriptedServer) -> None:
    def renew_and_call(session: requests.Session) -> None:
        session.post(server.url, timeout=(5.0, 20.0))
        session.get(server.url, timeout=web.TIMEOUT)

    server.play(Answer(seconds=0.4))
    assert not silences(seconds=0.3, calls=renew_and_call)  # the call was not sent
    server.play(Answer(seconds=0.4), SLOW)
    assert not silences(seconds=0.5, calls=renew_and_call)  # it was, and had hardly any time
    server.play(Answer(), SLOW)
    assert silences(seconds=0.5, calls=renew_and_call)


def test_a_renewal_that_is_refused_stays_that_when_the_time_is_over() -> None:
    with pytest.raises(RenewalRefused), web.within(0.0):
        raise RenewalRefused("Not now.")


def test_a_block_within_another_has_no_more_time() -> None:
    assert web.time_left() == float("inf")
    with web.within(5), web.within(60):
        assert web.time_left() <= 5
    assert web.time_left() == float("inf")


def test_a_wait_for_a_limit_that_is_longer_than_the_time_left_is_handed_on() -> None:
    web.require_time(100)
    with web.within(5):
        web.require_time(1)
        with pytest.raises(RateLimited) as handed_on:
            web.require_time(40)
    assert handed_on.value.retry_at is not None
    assert handed_on.value.retry_at > datetime.now(UTC) + timedelta(seconds=30)
