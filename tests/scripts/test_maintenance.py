"""What the daily clean-up does beside the commands that it runs: log files, Celery's results, its sign of life."""

from __future__ import annotations

import os
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery.backends.database.models import Task, TaskSet
from celery.backends.database.session import ResultModelBase
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import make_url

import maintenance

NOW = datetime.now(UTC)
BEFORE = NOW - timedelta(days=14)


def aged(path: Path, days: float, content: str = "line\n") -> Path:
    """A file that was last written to so many days ago, as are the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    at = (NOW - timedelta(days=days)).timestamp()
    for each in (path, path.parent, path.parent.parent):
        os.utime(each, (at, at))
    return path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def test_old_logs_go_with_their_folders_and_new_ones_stay(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = aged(logs / "dag_id=a" / "run_id=1" / "task_id=t" / "attempt=1.log", 15)
    new = aged(logs / "dag_id=a" / "run_id=2" / "task_id=t" / "attempt=1.log", 13)
    parsed = aged(logs / "dag_processor" / "2025-01-01" / "dags" / "x.py.log", 15)
    other = aged(logs / "dag_id=a" / "notes.txt", 400)
    outside = aged(logs.parent / "outside" / "kept.log", 400)
    (logs / "dag_processor" / "latest").symlink_to(outside.parent)
    assert maintenance.remove_logs(logs, BEFORE)
    assert not old.exists()
    assert not old.parent.parent.exists()
    assert not parsed.parent.exists()
    assert new.exists()
    assert other.exists()
    assert outside.exists()
    assert "Removed: 2 log files" in capsys.readouterr().out
    assert maintenance.remove_logs(logs.parent / "missing", BEFORE)


def test_a_folder_that_was_just_made_stays(logs: Path) -> None:
    old = aged(logs / "dag_id=a" / "run_id=1" / "attempt=1.log", 15)
    os.utime(old.parent)
    assert maintenance.remove_logs(logs, BEFORE)
    assert not old.exists()
    assert old.parent.exists()


def test_old_results_of_celery_go(postgres: str) -> None:
    name = f"celery_{uuid.uuid4().hex}"
    url = make_url(postgres).set(drivername="postgresql+psycopg")
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    server.dispose()
    database = url.set(database=name)
    address = f"db+{database.render_as_string(hide_password=False)}"
    assert maintenance.remove_results(address, BEFORE)  # no task has run yet
    engine = create_engine(database)
    ResultModelBase.metadata.create_all(engine)
    with engine.begin() as connection:
        for number, days in enumerate((1, 13, 15, 400)):
            at = NOW.replace(tzinfo=None) - timedelta(days=days)
            connection.execute(Task.__table__.insert().values(id=number, task_id=f"t{number}", date_done=at))
            connection.execute(TaskSet.__table__.insert().values(id=number, taskset_id=f"s{number}", date_done=at))
    assert maintenance.remove_results(address, BEFORE)
    with engine.connect() as connection:
        assert list(connection.scalars(select(Task.task_id).order_by(Task.task_id))) == ["t0", "t1"]
        assert connection.scalar(select(func.count()).select_from(TaskSet)) == len((1, 13))
    engine.dispose()


def test_a_database_that_cannot_be_reached_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert not maintenance.remove_results("db+postgresql+psycopg://celery:hidden@127.0.0.1:1/celery", BEFORE)
    told = capsys.readouterr().out
    assert "results could not be removed" in told
    assert "hidden" not in told
    assert maintenance.remove_results("redis://127.0.0.1:1/0", BEFORE)
    assert maintenance.remove_results("", BEFORE)


def test_one_part_that_fails_keeps_none_of_the_others_from_its_work(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    for name, code in (("outsmart-sync", 1), ("airflow", 0)):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\necho {name} "$@" >> {ran}\nexit {code}\n', encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv(maintenance.RESULTS_VARIABLE, raising=False)
    old = aged(logs / "dag_id=a" / "run_id=1" / "attempt=1.log", 15)
    assert not maintenance.clean(400, 14, logs)
    said = ran.read_text(encoding="utf-8").splitlines()
    assert said[0] == "outsmart-sync store clean --days 400"
    assert said[1].startswith("airflow db clean --clean-before-timestamp ")
    assert not old.exists()
    ran.unlink()
    assert maintenance.clean(400, 14, logs, logs_only=True)
    assert not ran.exists()


def test_the_health_check_sees_that_a_round_is_overdue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = tmp_path / "done"
    monkeypatch.setattr(maintenance, "_DONE", done)
    monkeypatch.setattr(sys, "argv", ["maintenance", "--check"])
    assert maintenance.main() == 1
    done.touch()
    assert maintenance.main() == 0
    late = time.time() - 27 * 3_600
    os.utime(done, (late, late))
    assert maintenance.main() == 1


def test_logs_are_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", raising=False)
    monkeypatch.setenv("AIRFLOW_HOME", "/opt/airflow")
    assert maintenance.logs_folder() == Path("/opt/airflow/logs")
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", "/var/log/airflow")
    assert maintenance.logs_folder() == Path("/var/log/airflow")
