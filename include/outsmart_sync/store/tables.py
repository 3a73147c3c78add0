"""The store's tables, as SQLAlchemy Core; ``migrations/`` makes them.

Nearly every table carries ``connection_id``: cursors, package ids and links belong to one (package, country,
administration, OutSmart account), which is what a row of ``sync_connection`` is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only for a column of type INTEGER.
BigId = BigInteger().with_variant(Integer, "sqlite")


class Utc(TypeDecorator[datetime]):
    """An aware UTC time; SQLite has no time zones, so it keeps the naive UTC form."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Hand out aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Money(TypeDecorator[Decimal]):
    """An exact decimal, kept as its canonical text: SQLite's numbers go through floats."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write it exactly."""
        return None if value is None else format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Read it exactly."""
        return None if value is None else Decimal(value)


def _connection_id(*, primary_key: bool = False) -> Column[int]:
    return Column("connection_id", BigId, ForeignKey("sync_connection.id"), primary_key=primary_key, nullable=False)


# One person's login at one instance of a package with one app: a vendor may keep a single token family for it, so all
# administrations that this person connected share its pair.
login = Table(
    "login",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("package", String(40), nullable=False),
    Column("country", String(2), nullable=False),
    Column("conn_id", String(250), nullable=False),
    Column("user_id", String(100), nullable=False),
    Column("user_name", Text, nullable=False),
    UniqueConstraint("package", "country", "conn_id", "user_id"),
)

sync_connection = Table(
    "sync_connection",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("package", String(40), nullable=False),
    Column("country", String(2), nullable=False),
    Column("administration", String(60)),  # empty until it is chosen; fixed from then on
    Column("administration_name", Text, nullable=False, server_default=""),
    Column("currency", String(3), nullable=False, server_default=""),
    Column("outsmart_account", String(250), nullable=False),
    Column("conn_id", String(250), nullable=False),
    Column("outsmart_conn_id", String(250), nullable=False),
    Column("login_id", BigId, ForeignKey("login.id")),  # empty: disconnected
    Column("state", String(20), nullable=False),
    Column("state_code", String(60), nullable=False, server_default=""),
    Column("state_text", Text, nullable=False, server_default=""),
    Column("state_since", Utc, nullable=False),
    Column("created_at", Utc, nullable=False),
    Index(
        "uq_sync_connection_administration",
        "package",
        "country",
        "administration",
        "outsmart_account",
        unique=True,
        sqlite_where=text("administration IS NOT NULL"),
        postgresql_where=text("administration IS NOT NULL"),
    ),
)

login_attempt = Table(
    "login_attempt",
    metadata,
    Column("state", String(80), primary_key=True),
    Column("package", String(40), nullable=False),
    Column("country", String(2), nullable=False),
    Column("conn_id", String(250), nullable=False),
    Column("outsmart_account", String(250), nullable=False),
    Column("outsmart_conn_id", String(250), nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("used_at", Utc),
)

vault_secret = Table(
    "vault_secret",
    metadata,
    Column("owner", String(60), primary_key=True),  # login:<id>, attempt:<state> or connection:<id>
    Column("kind", String(40), primary_key=True),
    Column("ciphertext", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("obtained_at", Utc, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(250), primary_key=True),
    Column("owner", String(250), nullable=False),
    Column("version", Integer, nullable=False),
    Column("expires_at", Utc, nullable=False),
)

setting = Table(
    "setting",
    metadata,
    _connection_id(primary_key=True),
    Column("category", String(60), primary_key=True),  # '' for settings of the connection itself
    Column("name", String(60), primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed_at", Utc, nullable=False),
)

category_state = Table(
    "category_state",
    metadata,
    _connection_id(primary_key=True),
    Column("category", String(60), primary_key=True),
    Column("state", String(20), nullable=False),  # blocked or postponed; no row: nothing stands in the way
    Column("code", String(60), nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Utc, nullable=False),
    Column("until", Utc),
)

# What somebody has been told of: a row is there from the message that it is broken until the one that it works again.
alert = Table(
    "alert",
    metadata,
    _connection_id(primary_key=True),
    Column("category", String(60), primary_key=True),  # '' for the connection itself
    Column("code", String(60), nullable=False),
    Column("told_at", Utc, nullable=False),
)

cursor = Table(
    "cursor",
    metadata,
    _connection_id(primary_key=True),
    Column("category", String(60), primary_key=True),
    Column("stream", String(60), primary_key=True),
    Column("value", Text, nullable=False),
    Column("moved_at", Utc, nullable=False),
)

# One line for each document that is made once: written before it is sent, so that nothing is made twice. It outlives
# connections: it goes by the OutSmart account.
ledger = Table(
    "ledger",
    metadata,
    Column("account", String(250), primary_key=True),
    Column("kind", String(60), primary_key=True),
    Column("key", String(120), primary_key=True),
    _connection_id(),
    Column("state", String(12), nullable=False),
    Column("remote_id", String(60), nullable=False, server_default=""),
    Column("token", String(60), nullable=False, server_default=""),  # by which an unclear one is looked for
    Column("content", Text, nullable=False, server_default=""),  # what was sent, where it may be brought up to date
    Column("misses", Integer, nullable=False, server_default="0"),  # runs that looked for an unclear one in vain
    Column("begun_at", Utc),  # when it was first about to be sent; empty for lines of older versions
    Column("run_id", BigId, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Index("ix_ledger_remote", "account", "kind", "remote_id"),
)

# One row for each work order that may be exported, or was: where it stands. What was sent, step by step, is in the
# ledger.
# It goes by the OutSmart account, too, so it outlives connections and packages.
work_order_export = Table(
    "work_order_export",
    metadata,
    Column("account", String(250), primary_key=True),
    Column("row_id", String(60), primary_key=True),
    _connection_id(),
    Column("number", Text, nullable=False),
    Column("title", Text, nullable=False, server_default=""),
    Column("payload", Text, nullable=False),  # the work order as it was last read
    Column("fingerprint", String(32), nullable=False),  # of the payload
    Column("judged_by", String(32), nullable=False, server_default=""),  # the settings that it was judged by
    Column("kind", String(40), nullable=False, server_default=""),
    Column("state", String(12), nullable=False),
    Column("reason", String(40), nullable=False, server_default=""),
    Column("cause", Text, nullable=False, server_default=""),
    Column("remedy", Text, nullable=False, server_default=""),
    Column("by_itself", Boolean, nullable=False, server_default=text("false")),  # goes once what it waits for is there
    Column("decision", String(12), nullable=False, server_default=""),  # what a person said
    Column("released", Text, nullable=False, server_default=""),  # reasons of holds that a person has lifted, by commas
    Column("copy", Integer, nullable=False, server_default="1"),  # a deliberate second document is the next one
    Column("sent", String(32), nullable=False, server_default=""),  # fingerprint of what the document was made of
    Column("remote_id", String(60), nullable=False, server_default=""),
    Column("remote_number", Text, nullable=False, server_default=""),
    Column("expected", Money),
    Column("actual", Money),
    Column("marked", String(12), nullable=False, server_default=""),  # what OutSmart was told: handled, failed
    Column("invoice", String(60), nullable=False, server_default=""),
    Column("invoice_number", Text, nullable=False, server_default=""),
    Column("booked", Boolean, nullable=False, server_default=text("false")),
    Column("paid", Boolean, nullable=False, server_default=text("false")),
    Column("told", String(12), nullable=False, server_default=""),  # which of both OutSmart was told
    Column("run_id", BigId, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Column("completed_at", Utc),  # when the work was; empty: nobody says
    Index("ix_work_order_export_state", "connection_id", "state"),
    Index("ix_work_order_export_number", "account", "number"),
    Index("ix_work_order_export_remote", "connection_id", "remote_id"),
)

# What was looked up at a package for exports: ids by code, and facts that the mirror does not hold.
looked_up = Table(
    "looked_up",
    metadata,
    _connection_id(primary_key=True),
    Column("entity", String(20), primary_key=True),
    Column("code_key", Text, primary_key=True),
    Column("remote_id", String(60), nullable=False),  # empty: it was not there
    Column("facts", Text, nullable=False),
    Column("at", Utc, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("external_id", String(400), nullable=False, unique=True),
    Column("package", String(40), nullable=False),
    Column("direction", String(10), nullable=False),
    Column("options", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("started_at", Utc, nullable=False),
    Column("finished_at", Utc),
    Column("calls", Integer, nullable=False, server_default="0"),
)

run_connection = Table(
    "run_connection",
    metadata,
    Column("run_id", BigId, ForeignKey("run.id"), primary_key=True),
    _connection_id(primary_key=True),
    Column("shard", Integer, nullable=False),
    Column("categories", Text, nullable=False),
    Column("work", Text, nullable=False, server_default=""),
)

run_category = Table(
    "run_category",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("run_id", BigId, ForeignKey("run.id"), nullable=False),
    _connection_id(),
    Column("category", String(60), nullable=False),
    Column("state", String(20), nullable=False),
    Column("step", String(20), nullable=False),
    Column("started_at", Utc, nullable=False),
    Column("finished_at", Utc),
    Column("seconds", Float, nullable=False, server_default="0"),
    Column("staged", Integer, nullable=False, server_default="0"),
    *(
        Column(name, Integer, nullable=False, server_default="0")
        for name in (
            "read",
            "created",
            "updated",
            "unchanged",
            "excluded",
            "rejected",
            "waiting",
            "held",
            "deleted",
            "edited",
            "calls",
            "outsmart_calls",
        )
    ),
    Column("error_code", String(60), nullable=False, server_default=""),
    Column("error_text", Text, nullable=False, server_default=""),
    UniqueConstraint("run_id", "connection_id", "category"),
    Index("ix_run_category_recent", "connection_id", "category", "finished_at"),
)

extract_progress = Table(
    "extract_progress",
    metadata,
    Column("job_id", BigId, ForeignKey("run_category.id"), primary_key=True),
    Column("stream", String(60), primary_key=True),
    Column("next_page", Text),  # where to go on; empty: the stream has been read to its end
    Column("cursor", Text, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("read", Integer, nullable=False),
)

staging = Table(
    "staging",
    metadata,
    Column("job_id", BigId, primary_key=True),  # run_category.id: one category of one connection in one run
    Column("seq", BigId, primary_key=True),
    # From here in the order of records.staged.StagedRow.
    Column("record", String(60), nullable=False),
    Column("provider_id", String(60), nullable=False),
    Column("version", BigInteger),
    Column("code", Text),
    Column("code_key", Text),
    Column("title", Text),
    Column("payload", Text),
    Column("content_hash", String(32)),
    Column("tags", Text, nullable=False),
    Column("blocked", Boolean, nullable=False),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("due_on", Date),
    Column("parent_id", String(60)),
    Column("problems", Text, nullable=False),
    Column("origin", String(10), nullable=False),
    Column("dated_on", Date),
    # Filled by the later steps.
    Column("outcome", String(12)),  # of filter and match: see pipeline.outcomes
    Column("reason", String(40)),
    Column("detail", Text),
    Column("mirror_id", BigId),
    Index("ix_staging_provider", "job_id", "provider_id"),
    Index(
        "ix_staging_part",
        "job_id",
        "parent_id",
        sqlite_where=text("origin = 'part'"),
        postgresql_where=text("origin = 'part'"),
    ),
    postgresql_with={"fillfactor": "45"},  # room for the updates of filter and match beside each row
)

mirror = Table(
    "mirror",
    metadata,
    Column("id", BigId, primary_key=True),
    _connection_id(),
    Column("record", String(60), nullable=False),
    Column("provider_id", String(60)),  # empty: OutSmart has it, the package does not
    Column("parent_id", String(60)),
    Column("version", BigInteger),
    Column("code", Text, nullable=False),
    Column("code_key", Text, nullable=False),
    Column("title", Text),
    Column("payload", Text),  # what the package says, in OutSmart's shape
    Column("content_hash", String(32)),
    Column("tags", Text, nullable=False, server_default=""),
    Column("blocked", Boolean, nullable=False, server_default=text("false")),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("problems", Text, nullable=False, server_default=""),
    Column("due_on", Date),
    Column("dated_on", Date),  # the document's own date, where the category has a start date
    Column("state", String(12), nullable=False),
    Column("reason", String(40)),
    Column("detail", Text),
    Column("judged_by", String(32), nullable=False, server_default=""),
    Column("delivered_hash", String(32)),  # content_hash of what was last delivered
    Column("outsmart", Text),  # what OutSmart holds, as last read there or delivered
    Column("outsmart_run_id", BigId),  # run that last read it there
    Column("source_gone_at", Utc),
    Column("link", String(8), nullable=False, server_default=""),  # what a person decided: see pipeline.outcomes
    Column("deactivated_at", Utc),  # when OutSmart's record was made inactive because this one is gone
    Column("first_run_id", BigId, nullable=False),
    Column("run_id", BigId, nullable=False),
    # Partial, so that no planner takes "provider_id IS NULL" for a way to find few rows.
    Index(
        "uq_mirror_provider",
        "connection_id",
        "record",
        "provider_id",
        unique=True,
        sqlite_where=text("provider_id IS NOT NULL"),
        postgresql_where=text("provider_id IS NOT NULL"),
    ),
    Index("ix_mirror_code", "connection_id", "record", "code_key"),
    Index(
        "ix_mirror_open",
        "connection_id",
        "record",
        "state",
        sqlite_where=text("state NOT IN ('synced', 'excluded')"),
        postgresql_where=text("state NOT IN ('synced', 'excluded')"),
    ),
    Index(
        "ix_mirror_due",
        "connection_id",
        "record",
        "due_on",
        sqlite_where=text("due_on IS NOT NULL"),
        postgresql_where=text("due_on IS NOT NULL"),
    ),
)

part = Table(
    "part",
    metadata,
    _connection_id(primary_key=True),
    Column("category", String(60), primary_key=True),
    Column("stream", String(60), primary_key=True),
    Column("provider_id", String(60), primary_key=True),
    Column("parent_id", String(60), nullable=False),
    Column("version", BigInteger),
    Column("payload", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Index("ix_part_parent", "connection_id", "category", "parent_id"),
)

record_log = Table(
    "record_log",
    metadata,
    Column("id", BigId, primary_key=True),
    _connection_id(),
    Column("run_id", BigId, nullable=False),
    Column("category", String(60), nullable=False),
    Column("record", String(60), nullable=False),
    Column("provider_id", String(60)),
    Column("code", Text),
    Column("event", String(40), nullable=False),
    Column("reason", String(40)),
    Column("detail", Text),
    Column("changes", Text),  # field → [old, new], JSON
    Column("at", Utc, nullable=False),
    Index("ix_record_log_code", "connection_id", "record", "code"),
    Index("ix_record_log_run", "run_id", postgresql_using="brin"),  # a run's lines lie together
    Index(
        "ix_record_log_reason",
        "connection_id",
        "reason",
        "at",
        sqlite_where=text("reason IS NOT NULL"),
        postgresql_where=text("reason IS NOT NULL"),
    ),
)

call_budget = Table(
    "call_budget",
    metadata,
    Column("key", String(250), primary_key=True),
    Column("minute_limit", Integer, nullable=False),
    Column("minute_left", Integer, nullable=False),
    Column("minute_ends", Utc, nullable=False),
    Column("day_limit", Integer, nullable=False),
    Column("day_left", Integer, nullable=False),
    Column("day_ends", Utc, nullable=False),
)

endpoint_error = Table(
    "endpoint_error",
    metadata,
    Column("key", String(250), primary_key=True),
    Column("endpoint", String(200), primary_key=True),
    Column("status", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("since", Utc, nullable=False),
    Column("text", Text, nullable=False),
)
