"""A login that nobody uses is kept alive, also when everything is switched off."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from outsmart_sync.orchestration import run_tasks
from outsmart_sync.providers import token_endpoint
from outsmart_sync.services import alerts, breakage, health, keep_alive
from outsmart_sync.services.alerts import Message, Notifier
from outsmart_sync.store import connections
from outsmart_sync.store.connections import State
from outsmart_sync.store.tables import vault_secret
from support import MAIN, SMALL, Rig


class Box:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def mail(self, to: tuple[str, ...], message: Message) -> None:  # noqa: ARG002  # one recipient only
        self.sent.append(message)

    def post(self, address: str, message: Message) -> None:  # noqa: ARG002
        raise AssertionError(address)

    def notifiers(self) -> list[Notifier]:
        return []


def age(rig: Rig, days: float) -> None:
    """Let the stored login be so old, here and at the vendor."""
    with rig.store.begin() as transaction:
        (obtained, *_) = transaction.execute(select(vault_secret.c.obtained_at)).scalars().all()
        transaction.execute(update(vault_secret).values(obtained_at=obtained - timedelta(days=days)))
    rig.vendors.control.shift_clock(days * 86_400)


def renewals(rig: Rig) -> int:
    return int(rig.vendors.control.token_calls()["count"])


@pytest.fixture
def idle(rig: Rig) -> Rig:
    """An administration that is connected, with every category off."""
    rig.connect(SMALL)
    rig.vendors.control.forget_token_calls()
    return rig


def test_a_login_is_renewed_after_a_week_although_everything_is_off(idle: Rig) -> None:
    age(idle, 7)
    assert keep_alive.keep(idle.store, idle.gateway) == 0
    assert renewals(idle) == 0
    age(idle, 1)
    assert keep_alive.keep(idle.store, idle.gateway) == 1
    assert renewals(idle) == 1
    assert keep_alive.keep(idle.store, idle.gateway) == 0
    (status,) = health.status(idle.store)
    assert status.days_left(idle.store.now()) == 29


def test_so_it_outlives_the_vendor_s_thirty_days(idle: Rig) -> None:
    for _ in range(5):
        age(idle, 8)
        assert keep_alive.keep(idle.store, idle.gateway) == 1
    idle.gateway.door(connections.find(idle.store)[0]).look_around()


def test_one_login_of_two_administrations_is_renewed_once(idle: Rig) -> None:
    idle.connect(2001003)
    idle.vendors.control.forget_token_calls()
    age(idle, 8)
    assert keep_alive.keep(idle.store, idle.gateway) == 1
    assert renewals(idle) == 1


def test_one_that_has_come_to_its_end_waits_for_a_person(idle: Rig) -> None:
    age(idle, 31)
    assert keep_alive.keep(idle.store, idle.gateway) == 0
    assert connections.find(idle.store)[0].state is State.EXPIRED
    assert keep_alive.due(idle.store) == []


def test_while_the_vendor_is_away_a_warning_comes_with_days_left_and_once_more_when_it_has_ended(idle: Rig) -> None:
    (connection,) = connections.find(idle.store)
    alerts.save(idle.store, connection, "a@example.com", "")
    box, control = Box(), idle.vendors.control
    control.add_fault("status", vendor="exact", times=None, status=503)
    for _ in range(2):  # after 19 days nobody need hear
        age(idle, 9.5)
        assert keep_alive.keep(idle.store, idle.gateway) == 0
        assert alerts.tell(idle.store, box) == 0
    age(idle, 2)
    assert alerts.tell(idle.store, box) == 1
    assert alerts.tell(idle.store, box) == 0
    assert box.sent[-1].code == breakage.LAPSES
    assert "ends in 8 days" in box.sent[-1].text
    age(idle, 10)
    control.clear_faults()
    keep_alive.keep(idle.store, idle.gateway)
    assert alerts.tell(idle.store, box) == 1
    assert (box.sent[-1].event, box.sent[-1].code) == ("broken", connections.find(idle.store)[0].state_code)


def test_a_vendor_that_does_not_answer_is_asked_once(idle: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    idle.connect(MAIN, user="firm-1@example.com")
    age(idle, 8)
    both = keep_alive.due(idle.store)
    assert len(both) == 2
    monkeypatch.setattr(keep_alive, "due", lambda _: both * 3)
    monkeypatch.setattr(token_endpoint, "REPEATS", (0.0, 0.0))
    idle.vendors.control.add_fault("status", vendor="exact", path="token", times=None, status=503)
    assert keep_alive.keep(idle.store, idle.gateway) == 0
    assert idle.vendors.control.faults()[0]["hits"] == 3  # one renewal, which is tried three times
    idle.vendors.control.clear_faults()
    idle.vendors.control.add_fault("status", vendor="exact", path="token", times=3, status=400, body={"error": "x"})
    assert keep_alive.keep(idle.store, idle.gateway) == 3  # what it says of one login, it says of no other
    assert idle.vendors.control.faults()[0]["hits"] == 3, "and that one is not asked again"


def test_a_renewal_that_takes_long_keeps_no_other_from_being_renewed(
    idle: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(idle, 8)
    (connection,) = keep_alive.due(idle.store)
    monkeypatch.setattr(keep_alive, "due", lambda _: [connection] * 2)
    monkeypatch.setattr(keep_alive, "_PATIENCE", 1.0)
    idle.vendors.control.add_fault("slow", vendor="exact", path="token", times=1, seconds=1.5)
    assert keep_alive.keep(idle.store, idle.gateway) == 1  # the second one, which finds the renewed login
    assert renewals(idle) == 1


@pytest.mark.parametrize("spoilt", ["metrics.standing", "alerts.tell", "planning.close_run"])
def test_it_goes_on_while_something_else_at_the_end_of_a_run_is_defective(
    idle: Rig, monkeypatch: pytest.MonkeyPatch, spoilt: str
) -> None:
    age(idle, 8)
    monkeypatch.setattr(run_tasks, "opened", lambda: (idle.store, idle.gateway))
    monkeypatch.setattr(f"outsmart_sync.services.{spoilt}", lambda *_: 1 / 0)
    shard = run_tasks.Shard(run_id=1, connection_ids=[1], of_many=False)
    with pytest.raises(ZeroDivisionError):
        run_tasks.close_run.function([shard])
    assert renewals(idle) == 1


def test_a_warning_is_taken_back_when_the_login_was_renewed(idle: Rig) -> None:
    (connection,) = connections.find(idle.store)
    alerts.save(idle.store, connection, "a@example.com", "")
    box = Box()
    age(idle, 21)
    assert alerts.tell(idle.store, box) == 1
    assert keep_alive.keep(idle.store, idle.gateway) == 1
    assert alerts.tell(idle.store, box) == 1
    assert box.sent[-1].event == "recovered"
