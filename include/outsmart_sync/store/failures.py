"""Turns a database driver's error into one that says what to do."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from outsmart_sync.errors import StoreUnusable, SyncError, TransientError


@dataclass(frozen=True, slots=True)
class _Failure:
    marks: tuple[str, ...]  # SQLSTATE of PostgreSQL, or a part of SQLite's text
    code: str
    what: str
    remedy: str
    passes: bool = False


_FAILURES = (
    _Failure(
        ("53100", "database or disk is full", "no space left"),
        "store_full",
        "The disk that holds the store is full.",
        "Make room on it and run the sync again; nothing was lost.",
    ),
    _Failure(
        ("25006", "readonly database", "read-only"),
        "store_read_only",
        "The store cannot be written: it is read-only.",
        "Give the user that runs Airflow write access to the store (for SQLite also to its folder).",
    ),
    _Failure(
        ("unable to open database file",),
        "store_missing",
        "The store's database file cannot be opened.",
        "Check the path in the connection outsmart_sync_store and that its folder exists.",
    ),
    _Failure(
        ("42p01", "no such table"),
        "store_version",
        "The store's tables are missing.",
        "Run: outsmart-sync store upgrade",
    ),
    _Failure(
        ("28p01", "28000", "3d000", "42501"),
        "store_access",
        "The store's database refuses our login.",
        "Check user, password and database name in the connection outsmart_sync_store.",
    ),
    _Failure(
        ("malformed", "not a database"),
        "store_damaged",
        "The store's database file is damaged.",
        "Restore it from a backup.",
    ),
    _Failure(
        ("database is locked", "40001", "40p01", "55p03"),
        "store_locked",
        "The store was locked by another process for too long.",
        "The sync is tried again by itself.",
        passes=True,
    ),
    _Failure(
        ("08", "57p", "connection refused", "connection failed", "server closed", "timeout", "disk i/o"),
        "store_unreachable",
        "The store's database does not answer.",
        "The sync is tried again by itself; if this stays, check that the database is running.",
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
    state = str(getattr(cause, "sqlstate", None) or "").lower()
    text = technical.lower()
    for failure in _FAILURES:
        if any(state.startswith(mark) if _is_state(mark) else mark in text for mark in failure.marks):
            kind = TransientError if failure.passes else StoreUnusable
            return kind(failure.what, remedy=failure.remedy, code=failure.code, technical=technical)
    return None


def _is_state(mark: str) -> bool:
    return mark[0].isdigit()
