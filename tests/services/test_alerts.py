"""Alerts: once when something breaks, once when it works again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from outsmart_sync.errors import InvalidSettings, VendorUnavailable
from outsmart_sync.pipeline.job import Options
from outsmart_sync.services import alerts, breakage, history, settings, trouble
from outsmart_sync.services.alerts import Message, Notifier
from outsmart_sync.store import connections, dialect, exports, runs
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.exports import ExportState
from outsmart_sync.store.runs import RunState
from outsmart_sync.store.store import Store
from outsmart_sync.store.tables import alert, category_state, record_log, run_category
from outsmart_sync.store.tokens import REFUSED, login_owner
from outsmart_sync.store.vault import Vault
from support import SMALL, Rig, added


class Box:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.subjects: list[str] = []
        self.broken = False

    def mail(self, to: tuple[str, ...], message: Message) -> None:
        if self.broken:
            raise VendorUnavailable("The mail server did not take the message.")
        self.texts.append(message.text)
        self.subjects.append(message.subject)
        self.sent += [(each, message.event, message.category) for each in to]

    def post(self, address: str, message: Message) -> None:
        self.sent.append((address, message.event, message.category))

    def notifiers(self) -> list[Notifier]:
        return []


@pytest.fixture
def connection(store: Store) -> SyncConnection:
    made = added(store, administration_name="Firm", outsmart_account="north")
    alerts.save(store, made, "a@example.com; b@example.com", "http://127.0.0.1:9/hook")
    return made


def expire(store: Store, connection: SyncConnection, state: State) -> None:
    with store.begin() as transaction:
        connections.set_state(transaction, connection.id, state, code="login_expired", text="It expired.")


def test_everybody_hears_once_that_it_broke_and_once_that_it_works_again(
    store: Store, connection: SyncConnection
) -> None:
    box = Box()
    assert alerts.tell(store, box) == 0
    expire(store, connection, State.EXPIRED)
    for _ in range(3):
        alerts.tell(store, box)
    assert box.sent == [
        ("a@example.com", "broken", ""),
        ("b@example.com", "broken", ""),
        ("http://127.0.0.1:9/hook", "broken", ""),
    ]
    expire(store, connection, State.ACTIVE)
    for _ in range(3):
        alerts.tell(store, box)
    assert [event for _, event, _ in box.sent[3:]] == ["recovered"] * 3


def test_a_message_that_could_not_be_sent_is_sent_the_next_time_and_not_again_to_those_who_have_it(
    store: Store, connection: SyncConnection
) -> None:
    box = Box()
    webhook = "http://127.0.0.1:9/hook"
    for state, event in ((State.EXPIRED, "broken"), (State.ACTIVE, "recovered")):
        box.sent.clear()
        box.broken = True
        expire(store, connection, state)
        assert [alerts.tell(store, box) for _ in range(2)] == [1, 0]
        assert box.sent == [(webhook, event, "")]
        box.broken = False
        assert [alerts.tell(store, box) for _ in range(2)] == [1, 0]
        assert box.sent[1:] == [("a@example.com", event, ""), ("b@example.com", event, "")]


def test_a_defect_of_one_way_stops_no_other_and_loses_nothing(
    store: Store, connection: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Box()
    expire(store, connection, State.EXPIRED)
    with monkeypatch.context() as spoilt:
        spoilt.setattr(box, "mail", lambda *_: 1 / 0)
        assert alerts.tell(store, box) == 1
    assert alerts.tell(store, box) == 1
    assert [who for who, _, _ in box.sent] == ["http://127.0.0.1:9/hook", "a@example.com", "b@example.com"]


WEBHOOK = "http://127.0.0.1:9/hook"


@pytest.mark.parametrize(("first", "then"), [(State.EXPIRED, State.ACTIVE), (State.ACTIVE, State.EXPIRED)])
def test_what_another_run_finds_while_a_message_is_sent_is_not_told_falsely(
    store: Store, connection: SyncConnection, monkeypatch: pytest.MonkeyPatch, first: State, then: State
) -> None:
    box, others = Box(), Box()
    if first is State.ACTIVE:  # both ways have been told that it is broken
        expire(store, connection, State.EXPIRED)
        alerts.tell(store, Box())
    expire(store, connection, first)
    mail = box.mail

    def meanwhile(to: tuple[str, ...], message: Message) -> None:
        mail(to, message)
        expire(store, connection, then)
        alerts.tell(store, others)

    monkeypatch.setattr(box, "mail", meanwhile)
    alerts.tell(store, box)
    told, after = ("broken", "recovered") if then is State.ACTIVE else ("recovered", "broken")
    assert [(who, event) for who, event, _ in box.sent] == [("a@example.com", told), ("b@example.com", told)]
    assert [(who, event) for who, event, _ in others.sent] == [("a@example.com", after), ("b@example.com", after)]
    assert alerts.tell(store, others) == 0


def test_a_defect_in_one_connection_keeps_nothing_of_the_others(
    store: Store, connection: SyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = added(
        store, "2", state=State.EXPIRED, why="It expired.", administration_name="Other", outsmart_account="south"
    )
    alerts.save(store, other, "c@example.com", "")
    expire(store, connection, State.EXPIRED)
    of = breakage.of
    monkeypatch.setattr(breakage, "of", lambda held, each: of(held, each) if each.id == other.id else 1 / 0)
    box = Box()
    assert alerts.tell(store, box) == 1
    assert [who for who, _, _ in box.sent] == ["c@example.com"]


def events(box: Box) -> list[tuple[str, str]]:
    """Who was told what since the last time."""
    found = [(who, event) for who, event, _ in box.sent]
    box.sent.clear()
    return found


def test_addresses_that_come_back_hear_what_breaks_later(store: Store, connection: SyncConnection) -> None:
    box = Box()
    alerts.save(store, connection, "a@example.com", "")
    expire(store, connection, State.EXPIRED)
    alerts.tell(store, box)
    alerts.save(store, connection, "", WEBHOOK)
    alerts.tell(store, box)
    assert events(box) == [("a@example.com", "broken")]  # the webhook takes over what was told
    expire(store, connection, State.ACTIVE)
    alerts.tell(store, box)
    alerts.save(store, connection, "a@example.com", "")
    alerts.tell(store, box)
    assert events(box) == [(WEBHOOK, "recovered")]
    expire(store, connection, State.EXPIRED)
    alerts.tell(store, box)
    assert events(box) == [("a@example.com", "broken")]
    alerts.save(store, connection, "", "")
    alerts.tell(store, box)
    alerts.save(store, connection, "a@example.com", "")
    alerts.tell(store, box)
    assert events(box) == [("a@example.com", "broken")]


def test_what_an_earlier_version_noted_is_not_told_again(store: Store, connection: SyncConnection) -> None:
    alerts.save(store, connection, "", WEBHOOK)
    box = Box()
    expire(store, connection, State.EXPIRED)
    cancelled(store, connection, "SO-1")
    with store.begin() as transaction:
        now = dialect.now(transaction)
        line = transaction.execute(select(record_log.c.id)).scalar_one()
        for category, code in (("", "login_expired"), (f"order_cancelled:{line}", "order_cancelled")):
            values = {"connection_id": connection.id, "category": category, "code": code, "told_at": now}
            transaction.execute(insert(alert).values(values))
    assert [alerts.tell(store, box) for _ in range(2)] == [0, 0]
    expire(store, connection, State.ACTIVE)
    assert [alerts.tell(store, box) for _ in range(2)] == [1, 0]
    assert events(box) == [(WEBHOOK, "recovered")]


def test_an_order_that_was_cancelled_is_told_once_however_often_the_ways_change(
    store: Store, connection: SyncConnection
) -> None:
    box = Box()
    cancelled(store, connection, "SO-1")
    for emails, webhook in (("a@example.com", ""), ("", WEBHOOK), ("", ""), ("a@example.com", "")):
        alerts.save(store, connection, emails, webhook)
        alerts.tell(store, box)
    assert events(box) == [("a@example.com", "cancelled")]


def test_a_login_that_is_refused_for_hours_is_told_once_also_when_it_is_given_up_then(rig: Rig) -> None:
    box = Box()
    connection = rig.connect(SMALL)  # with every category off: it must not lapse unseen
    alerts.save(rig.store, connection, "a@example.com", "")
    owner, vault = login_owner(connection.login_id or 0), Vault(rig.store)
    for times in range(1, breakage.REFUSED_TIMES + 2):
        vault.write(owner, REFUSED, {"since": "", "what": "Not now.", "technical": "", "version": "1"})
        alerts.tell(rig.store, box)
        assert [event for _, event, _ in box.sent] == (["broken"] if times >= breakage.REFUSED_TIMES else []), times
    expire(rig.store, connection, State.EXPIRED)
    alerts.tell(rig.store, box)
    assert len(box.sent) == 1
    vault.forget(owner, REFUSED)
    expire(rig.store, connection, State.ACTIVE)
    alerts.tell(rig.store, box)
    assert [event for _, event, _ in box.sent] == ["broken", "recovered"]


def test_one_that_is_disconnected_does_not_work_again(store: Store, connection: SyncConnection) -> None:
    box = Box()
    expire(store, connection, State.EXPIRED)
    alerts.tell(store, box)
    expire(store, connection, State.DISCONNECTED)
    assert alerts.tell(store, box) == 0


def test_a_blocked_category_is_told_until_it_ends_well_and_one_switched_off_is_not(
    store: Store, connection: SyncConnection
) -> None:
    box = Box()
    settings.save(store, connection, {"relations": {"enabled": True}})
    with store.begin() as transaction:
        now = dialect.now(transaction)
        values = {"state": "blocked", "code": "scope_missing", "reason": "A scope is missing.", "since": now}
        for name in ("relations", "materials"):
            row = values | {"connection_id": connection.id, "category": name, "until": now}
            transaction.execute(insert(category_state).values(row))
    alerts.tell(store, box)
    alerts.tell(store, box)
    assert [(event, category) for _, event, category in box.sent] == [("broken", "Relations")] * 3
    with store.begin() as transaction:
        trouble.mended(transaction, connection.id, ["relations"])
    alerts.tell(store, box)
    assert [event for _, event, _ in box.sent[3:]] == ["recovered"] * 3


def cancelled(store: Store, connection: SyncConnection, *codes: str, days_ago: int = 0) -> None:
    """Lines of the sync log, as a run writes them for orders that were cancelled."""
    with store.begin() as transaction:
        values = {
            "connection_id": connection.id,
            "run_id": 1,
            "category": "sales_orders",
            "record": "sales_order",
            "event": "order_cancelled",
            "reason": "order_cancelled",
            "detail": "the work order has been fetched or completed, and stays as it is",
            "at": dialect.now(transaction) - timedelta(days=days_ago),
        }
        transaction.execute(insert(record_log), [values | {"provider_id": code, "code": code} for code in codes])


def test_cancelled_orders_are_told_once_in_one_message_that_names_them(
    store: Store, connection: SyncConnection
) -> None:
    alerts.save(store, connection, "a@example.com", "")
    box = Box()
    cancelled(store, connection, "SO-1", "SO-2")
    cancelled(store, connection, "SO-0", days_ago=8)
    box.broken = True
    assert alerts.tell(store, box) == 0
    box.broken = False
    assert alerts.tell(store, box) == 1
    assert alerts.tell(store, box) == 0
    assert box.sent == [("a@example.com", "cancelled", "Sales orders")]
    assert [line.partition(": ")[0] for line in box.texts[0].splitlines()] == [
        "SO-1",
        "SO-2",
        "Tell the technician if the work has begun.",
    ]
    assert "the work order has been fetched or completed, and stays as it is." in box.texts[0]
    cancelled(store, connection, "SO-3", *(f"SO-{number}" for number in range(10, 40)))
    assert alerts.tell(store, box) == 1
    assert "SO-3: " in box.texts[1]
    assert "SO-1: " not in box.texts[1]
    assert "And 11 more" in box.texts[1]


def test_who_hears_can_be_changed_and_is_none_of_the_synced_settings(store: Store, connection: SyncConnection) -> None:
    assert alerts.recipients(store, connection).emails == ("a@example.com", "b@example.com")
    assert "alert_emails" not in settings.read(store, connection).as_document()
    alerts.save(store, connection, "", "")
    assert not alerts.recipients(store, connection)


@pytest.mark.parametrize(
    ("emails", "webhook", "said"),
    [
        ("nobody", "", "'nobody' is no e-mail address"),
        ("", "ftp://x", "is not a web address"),
        ("", "http://example.com/", "unencrypted"),
    ],
)
def test_what_is_no_address_is_said_and_nothing_is_saved(
    store: Store, connection: SyncConnection, emails: str, webhook: str, said: str
) -> None:
    with pytest.raises(InvalidSettings, match=said):
        alerts.save(store, connection, emails, webhook)
    assert alerts.recipients(store, connection).emails == ("a@example.com", "b@example.com")


def ran(
    store: Store, connection: SyncConnection, *states: RunState, category: str = "relations", by_hand: bool = False
):
    """Runs of a category, one after the other."""
    for state in states:
        number = len(history.latest_runs(store, 1_000))
        run_id = runs.open_run(
            store, f"run:{number}", package="exact_online", direction="import", options=asdict(Options(by_hand=by_hand))
        )
        with store.begin() as transaction:
            now = dialect.now(transaction)
            values = {"started_at": now, "finished_at": now + timedelta(seconds=number), "step": "extract"}
            said = {"error_text": "Exact Online does not answer."} if state == RunState.FAILED else {}
            row = {"run_id": run_id, "connection_id": connection.id, "category": category, "state": state}
            transaction.execute(insert(run_category).values(values | row | said))


class TestKeepsFailing:
    """A category that fails in each of its last runs is told of, although nobody must act for it to be tried again."""

    @pytest.fixture(autouse=True)
    def on(self, store: Store, connection: SyncConnection) -> None:
        settings.save(store, connection, {"relations": {"enabled": True}})
        alerts.save(store, connection, "a@example.com", "")

    def test_it_is_told_after_the_third_time_once_and_again_when_it_works(
        self, store: Store, connection: SyncConnection
    ) -> None:
        box = Box()
        ran(store, connection, RunState.DONE, RunState.FAILED, RunState.FAILED)
        assert alerts.tell(store, box) == 0
        ran(store, connection, RunState.FAILED)
        assert [alerts.tell(store, box) for _ in range(2)] == [1, 0]
        assert box.sent == [("a@example.com", "broken", "Relations")]
        assert "Exact Online does not answer." in box.texts[0]
        ran(store, connection, RunState.FAILED)
        assert alerts.tell(store, box) == 0
        ran(store, connection, RunState.DONE)
        assert [alerts.tell(store, box) for _ in range(2)] == [1, 0]
        assert box.sent[1:] == [("a@example.com", "recovered", "Relations")]

    def test_tries_by_hand_and_looks_do_not_count_as_failures(self, store: Store, connection: SyncConnection) -> None:
        ran(store, connection, RunState.FAILED, RunState.FAILED)
        ran(store, connection, RunState.FAILED, RunState.FAILED, by_hand=True)
        ran(store, connection, RunState.PREVIEWED, RunState.PREVIEWED)
        assert alerts.tell(store, Box()) == 0
        ran(store, connection, RunState.FAILED)
        assert alerts.tell(store, Box()) == 1

    def test_one_that_worked_by_hand_works_again(self, store: Store, connection: SyncConnection) -> None:
        ran(store, connection, *[RunState.FAILED] * 3)
        assert alerts.tell(store, Box()) == 1
        ran(store, connection, RunState.DONE, by_hand=True)
        box = Box()
        alerts.tell(store, box)
        assert box.sent == [("a@example.com", "recovered", "Relations")]

    def test_one_that_is_switched_off_is_not_told(self, store: Store, connection: SyncConnection) -> None:
        ran(store, connection, *[RunState.FAILED] * 3, category="materials")
        assert alerts.tell(store, Box()) == 0


def stand(store: Store, connection: SyncConnection, **states: ExportState) -> None:
    """Where work orders stand, by number."""
    with store.begin() as transaction:
        for number, state in states.items():
            exports.put(
                transaction,
                connection.outsmart_account,
                number,
                connection_id=connection.id,
                number=number,
                payload="{}",
                fingerprint="",
                state=state.value,
                cause=f"{number} lacks something.",
                remedy="Mend it.",
                run_id=1,
            )


def test_work_orders_that_are_not_exported_are_told_in_one_message_until_none_is_left(
    store: Store, connection: SyncConnection
) -> None:
    alerts.save(store, connection, "a@example.com", "")
    settings.save(store, connection, {"licence": "pro", "work_orders": {"enabled": True}})
    box = Box()
    stand(store, connection, W1=ExportState.DONE, W2=ExportState.WAITING, W3=ExportState.HELD)
    assert alerts.tell(store, box) == 0
    stand(store, connection, W4=ExportState.FAILED, W5=ExportState.UNCERTAIN)
    box.broken = True
    assert alerts.tell(store, box) == 0
    box.broken = False
    assert [alerts.tell(store, box) for _ in range(2)] == [1, 0]
    assert box.sent == [("a@example.com", "broken", "Completed work orders")]
    assert "Not exported: 1." in box.texts[0]
    assert "W4: W4 lacks something. Mend it." in box.texts[0]
    assert "W3" not in box.texts[0]
    stand(store, connection, W6=ExportState.DIFFERS, W4=ExportState.DONE)
    assert alerts.tell(store, box) == 0
    stand(store, connection, W5=ExportState.DONE, W6=ExportState.DONE)
    box.broken = True
    assert alerts.tell(store, box) == 0
    box.broken = False
    assert [alerts.tell(store, box) for _ in range(2)] == [1, 0]
    assert box.sent[1:] == [("a@example.com", "recovered", "Completed work orders")]
    stand(store, connection, W7=ExportState.FAILED)
    assert alerts.tell(store, box) == 1


def test_alerts_speak_the_language_that_was_chosen(store: Store, connection: SyncConnection) -> None:
    alerts.save(store, connection, "a@example.com", "", "nl")
    assert alerts.recipients(store, connection).language == "nl"
    box = Box()
    alerts.test(store, connection, box)
    assert (box.subjects, box.texts) == (
        ["OutSmart Sync: Exact Online Firm wordt alleen getest"],
        ["Dit is een test: er is niets mis."],
    )
    settings.save(store, connection, {"licence": "pro", "work_orders": {"enabled": True}})
    stand(store, connection, W4=ExportState.FAILED)
    alerts.tell(store, box)
    assert box.subjects[-1] == "OutSmart Sync: Exact Online Firm, Voltooide werkbonnen vraagt aandacht"
    first, second, last = box.texts[-1].splitlines()
    assert first == "Niet geëxporteerd: 1."
    assert second.startswith("W4: ")
    assert last.startswith("Zie Werkbonnen op de pagina")


def test_a_language_that_nobody_speaks_is_refused(store: Store, connection: SyncConnection) -> None:
    with pytest.raises(InvalidSettings, match="'xx' is none of en, nl, pt"):
        alerts.save(store, connection, "a@example.com", "", "xx")
    assert alerts.recipients(store, connection).language == "en"
