"""Calls of a block that has little time: they are cut short or not sent, and those with times of their own are not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from outsmart_sync.errors import RateLimited
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
