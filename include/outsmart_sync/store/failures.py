"""Turns a database driver's error into one that says what to do."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from outsmart_sync.errors import StoreUnusable, SyncError, TransientError


@dataclass(frozen=True, slots=True)
class _Failure:
    states: tuple[str, ...]  # beginnings of PostgreSQL's SQLSTATE
    texts: tuple[str, ...]  # pieces of the text: SQLite has no states, nor has PostgreSQL before a connection stands
    code: str
    what: str
    remedy: str
    passes: bool = False


_FAILURES = (
    _Failure(
        ("53100",),
        ("database or disk is full", "no space left"),
        "store_full",
        "The disk that holds the store is full.",
        "Make room on it and run the sync again; nothing was lost.",
    ),
    _Failure(
        ("25006",),
        ("readonly database",),
        "store_read_only",
        "The store cannot be written: it is read-only.",
        "Give the user that runs Airflow write access to the store: for SQLite to the file and its folder, for "
        "PostgreSQL by connecting to the primary server.",
    ),
    _Failure(
        (),
        ("unable to open database file",),
        "store_missing",
        "The store's database file cannot be opened.",
        "Check the path in the connection outsmart_sync_store, that its folder exists, and that the user that runs "
        "Airflow may read and write there.",
    ),
    _Failure(
        ("42P01",),
        ("no such table",),
        "store_version",
        "The store's tables are missing.",
        "Run: outsmart-sync store upgrade",
    ),
    _Failure(
        ("28", "3D000", "42501"),
        (
            "password authentication failed",
            "no password supplied",
            "no pg_hba.conf entry",
            "fatal:  role",
            "fatal:  database",
        ),
        "store_access",
        "The store's database refuses our login.",
        "Check user, password and database name in the connection outsmart_sync_store.",
    ),
    _Failure(
        (),
        ("invalid connection option", "invalid sslmode value"),
        "store_address",
        "The store's address holds an option that PostgreSQL does not know.",
        "Correct it in the connection outsmart_sync_store.",
    ),
    _Failure(
        ("XX001", "XX002"),
        ("image is malformed", "not a database"),
        "store_damaged",
        "The store's database is damaged.",
        "Restore it from a backup.",
    ),
    _Failure(
        ("40001", "40P01", "55P03"),
        ("database is locked",),
        "store_locked",
        "The store was locked by another process for too long.",
        "The sync is tried again by itself.",
        passes=True,
    ),
    _Failure(
        ("58030",),
        ("disk i/o",),
        "store_disk",
        "The disk that holds the store does not take or give what it should.",
        "The sync is tried again by itself; if this stays, check the disk, and whether a quota on it is used up.",
        passes=True,
    ),
    _Failure(
        ("08", "53", "57"),
        (
            "connection failed",
            "connection is bad",
            "connection is lost",
            "connection refused",
            "failed to resolve host",
            "server closed",
            "timeout",
        ),
        "store_unreachable",
        "The store's database does not answer.",
        "The sync is tried again by itself; if this stays, check that the database is running and its address right.",
        passes=True,
    ),
)


def store_failure(error: Exception) -> SyncError | None:
    """The error a person can act on, or None for a defect in our own statements.

    Args:
        error: What SQLAlchemy or the driver itself raised.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    technical = str(cause)
    state, text = str(getattr(cause, "sqlstate", None) or ""), technical.lower()
    for failure in _FAILURES:
        # A server's text may quote what stands in a row, so it counts only where there is no state.
        if state.startswith(failure.states) if state else any(piece in text for piece in failure.texts):
            kind = TransientError if failure.passes else StoreUnusable
            return kind(failure.what, remedy=failure.remedy, code=failure.code, technical=technical)
    return None
