"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from outsmart_sync.store.tables import Utc

_SAMPLED = {
    "staging": (
        "job_id",
        "seq",
        "record",
        "provider_id",
        "version",
        "code",
        "code_key",
        "title",
        "payload",
        "content_hash",
        "tags",
        "blocked",
        "valid_from",
        "valid_until",
        "due_on",
        "parent_id",
        "problems",
        "origin",
        "outcome",
        "reason",
        "detail",
        "mirror_id",
    ),
    "mirror": (
        "id",
        "connection_id",
        "record",
        "provider_id",
        "parent_id",
        "version",
        "code",
        "code_key",
        "title",
        "payload",
        "content_hash",
        "tags",
        "blocked",
        "valid_from",
        "valid_until",
        "problems",
        "due_on",
        "state",
        "reason",
        "detail",
        "judged_by",
        "delivered_hash",
        "outsmart",
        "outsmart_run_id",
        "source_gone_at",
        "first_run_id",
        "run_id",
    ),
}

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Bring the store to this version."""
    op.create_table(
        "call_budget",
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("minute_limit", sa.Integer(), nullable=False),
        sa.Column("minute_left", sa.Integer(), nullable=False),
        sa.Column("minute_ends", Utc(), nullable=False),
        sa.Column("day_limit", sa.Integer(), nullable=False),
        sa.Column("day_left", sa.Integer(), nullable=False),
        sa.Column("day_ends", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_call_budget")),
    )
    op.create_table(
        "endpoint_error",
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("endpoint", sa.String(length=200), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "endpoint", "status", name=op.f("pk_endpoint_error")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.Column("owner", sa.String(length=250), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "login",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("package", sa.String(length=40), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("conn_id", sa.String(length=250), nullable=False),
        sa.Column("user_id", sa.String(length=100), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
        sa.UniqueConstraint(
            "package", "country", "conn_id", "user_id", name=op.f("uq_login_package_country_conn_id_user_id")
        ),
    )
    op.create_table(
        "login_attempt",
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("package", sa.String(length=40), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("conn_id", sa.String(length=250), nullable=False),
        sa.Column("outsmart_account", sa.String(length=250), nullable=False),
        sa.Column("outsmart_conn_id", sa.String(length=250), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("used_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_login_attempt")),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("package", sa.String(length=40), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("finished_at", Utc(), nullable=True),
        sa.Column("calls", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        sa.UniqueConstraint("external_id", name=op.f("uq_run_external_id")),
    )
    op.create_table(
        "staging",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("record", sa.String(length=60), nullable=False),
        sa.Column("provider_id", sa.String(length=60), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("code_key", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.String(length=32), nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("parent_id", sa.String(length=60), nullable=True),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("mirror_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "seq", name=op.f("pk_staging")),
        postgresql_with={"fillfactor": "45"},
    )
    with op.batch_alter_table("staging", schema=None) as batch_op:
        batch_op.create_index(
            "ix_staging_part",
            ["job_id", "parent_id"],
            unique=False,
            sqlite_where=sa.text("origin = 'part'"),
            postgresql_where=sa.text("origin = 'part'"),
        )
        batch_op.create_index("ix_staging_provider", ["job_id", "provider_id"], unique=False)

    op.create_table(
        "vault_secret",
        sa.Column("owner", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("ciphertext", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("obtained_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "kind", name=op.f("pk_vault_secret")),
    )
    op.create_table(
        "sync_connection",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("package", sa.String(length=40), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("administration", sa.String(length=60), nullable=True),
        sa.Column("administration_name", sa.Text(), server_default="", nullable=False),
        sa.Column("currency", sa.String(length=3), server_default="", nullable=False),
        sa.Column("outsmart_account", sa.String(length=250), nullable=False),
        sa.Column("conn_id", sa.String(length=250), nullable=False),
        sa.Column("outsmart_conn_id", sa.String(length=250), nullable=False),
        sa.Column("login_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("state_code", sa.String(length=60), server_default="", nullable=False),
        sa.Column("state_text", sa.Text(), server_default="", nullable=False),
        sa.Column("state_since", Utc(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["login_id"], ["login.id"], name=op.f("fk_sync_connection_login_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_connection")),
    )
    with op.batch_alter_table("sync_connection", schema=None) as batch_op:
        batch_op.create_index(
            "uq_sync_connection_administration",
            ["package", "country", "administration", "outsmart_account"],
            unique=True,
            sqlite_where=sa.text("administration IS NOT NULL"),
            postgresql_where=sa.text("administration IS NOT NULL"),
        )

    op.create_table(
        "category_state",
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.Column("until", Utc(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["sync_connection.id"], name=op.f("fk_category_state_connection_id")
        ),
        sa.PrimaryKeyConstraint("connection_id", "category", name=op.f("pk_category_state")),
    )
    op.create_table(
        "cursor",
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("stream", sa.String(length=60), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("moved_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["sync_connection.id"], name=op.f("fk_cursor_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", "category", "stream", name=op.f("pk_cursor")),
    )
    op.create_table(
        "mirror",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("record", sa.String(length=60), nullable=False),
        sa.Column("provider_id", sa.String(length=60), nullable=True),
        sa.Column("parent_id", sa.String(length=60), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.String(length=32), nullable=True),
        sa.Column("tags", sa.Text(), server_default="", nullable=False),
        sa.Column("blocked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("problems", sa.Text(), server_default="", nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("judged_by", sa.String(length=32), server_default="", nullable=False),
        sa.Column("delivered_hash", sa.String(length=32), nullable=True),
        sa.Column("outsmart", sa.Text(), nullable=True),
        sa.Column("outsmart_run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("source_gone_at", Utc(), nullable=True),
        sa.Column("first_run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["sync_connection.id"], name=op.f("fk_mirror_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mirror")),
    )
    with op.batch_alter_table("mirror", schema=None) as batch_op:
        batch_op.create_index("ix_mirror_code", ["connection_id", "record", "code_key"], unique=False)
        batch_op.create_index(
            "ix_mirror_due",
            ["connection_id", "record", "due_on"],
            unique=False,
            sqlite_where=sa.text("due_on IS NOT NULL"),
            postgresql_where=sa.text("due_on IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_mirror_open",
            ["connection_id", "record", "state"],
            unique=False,
            sqlite_where=sa.text("state NOT IN ('synced', 'excluded')"),
            postgresql_where=sa.text("state NOT IN ('synced', 'excluded')"),
        )
        batch_op.create_index(
            "uq_mirror_provider",
            ["connection_id", "record", "provider_id"],
            unique=True,
            sqlite_where=sa.text("provider_id IS NOT NULL"),
            postgresql_where=sa.text("provider_id IS NOT NULL"),
        )

    op.create_table(
        "part",
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("stream", sa.String(length=60), nullable=False),
        sa.Column("provider_id", sa.String(length=60), nullable=False),
        sa.Column("parent_id", sa.String(length=60), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["sync_connection.id"], name=op.f("fk_part_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", "category", "stream", "provider_id", name=op.f("pk_part")),
    )
    with op.batch_alter_table("part", schema=None) as batch_op:
        batch_op.create_index("ix_part_parent", ["connection_id", "category", "parent_id"], unique=False)

    op.create_table(
        "record_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("record", sa.String(length=60), nullable=False),
        sa.Column("provider_id", sa.String(length=60), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("event", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("changes", sa.Text(), nullable=True),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["sync_connection.id"], name=op.f("fk_record_log_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_log")),
    )
    with op.batch_alter_table("record_log", schema=None) as batch_op:
        batch_op.create_index("ix_record_log_code", ["connection_id", "record", "code"], unique=False)
        batch_op.create_index("ix_record_log_run", ["run_id"], unique=False, postgresql_using="brin")

    op.create_table(
        "run_category",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("finished_at", Utc(), nullable=True),
        sa.Column("seconds", sa.Float(), server_default="0", nullable=False),
        sa.Column("staged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("read", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created", sa.Integer(), server_default="0", nullable=False),
        sa.Column("updated", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unchanged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("excluded", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rejected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("waiting", sa.Integer(), server_default="0", nullable=False),
        sa.Column("held", sa.Integer(), server_default="0", nullable=False),
        sa.Column("deleted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("outsmart_calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error_code", sa.String(length=60), server_default="", nullable=False),
        sa.Column("error_text", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["sync_connection.id"], name=op.f("fk_run_category_connection_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_category_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_category")),
        sa.UniqueConstraint(
            "run_id", "connection_id", "category", name=op.f("uq_run_category_run_id_connection_id_category")
        ),
    )
    with op.batch_alter_table("run_category", schema=None) as batch_op:
        batch_op.create_index("ix_run_category_recent", ["connection_id", "category", "finished_at"], unique=False)

    op.create_table(
        "run_connection",
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["sync_connection.id"], name=op.f("fk_run_connection_connection_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_connection_run_id")),
        sa.PrimaryKeyConstraint("run_id", "connection_id", name=op.f("pk_run_connection")),
    )
    op.create_table(
        "setting",
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["sync_connection.id"], name=op.f("fk_setting_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", "category", "name", name=op.f("pk_setting")),
    )
    op.create_table(
        "extract_progress",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stream", sa.String(length=60), nullable=False),
        sa.Column("next_page", sa.Text(), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["run_category.id"], name=op.f("fk_extract_progress_job_id")),
        sa.PrimaryKeyConstraint("job_id", "stream", name=op.f("pk_extract_progress")),
    )
    if op.get_context().dialect.name == "postgresql":
        # Rows on their way are read again after a crash, so their loading need not go through the write-ahead log.
        op.execute("ALTER TABLE staging SET UNLOGGED")
        # A small sample is enough for plans that only look rows up, and is taken within a first import.
        for table, columns in _SAMPLED.items():
            for column in columns:
                op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 10")


def downgrade() -> None:
    """Go back to the version before."""
    op.drop_table("extract_progress")
    op.drop_table("setting")
    op.drop_table("run_connection")
    with op.batch_alter_table("run_category", schema=None) as batch_op:
        batch_op.drop_index("ix_run_category_recent")

    op.drop_table("run_category")
    with op.batch_alter_table("record_log", schema=None) as batch_op:
        batch_op.drop_index("ix_record_log_run", postgresql_using="brin")
        batch_op.drop_index("ix_record_log_code")

    op.drop_table("record_log")
    with op.batch_alter_table("part", schema=None) as batch_op:
        batch_op.drop_index("ix_part_parent")

    op.drop_table("part")
    with op.batch_alter_table("mirror", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_mirror_provider",
            sqlite_where=sa.text("provider_id IS NOT NULL"),
            postgresql_where=sa.text("provider_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_mirror_open",
            sqlite_where=sa.text("state NOT IN ('synced', 'excluded')"),
            postgresql_where=sa.text("state NOT IN ('synced', 'excluded')"),
        )
        batch_op.drop_index(
            "ix_mirror_due", sqlite_where=sa.text("due_on IS NOT NULL"), postgresql_where=sa.text("due_on IS NOT NULL")
        )
        batch_op.drop_index("ix_mirror_code")

    op.drop_table("mirror")
    op.drop_table("cursor")
    op.drop_table("category_state")
    with op.batch_alter_table("sync_connection", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_sync_connection_administration",
            sqlite_where=sa.text("administration IS NOT NULL"),
            postgresql_where=sa.text("administration IS NOT NULL"),
        )

    op.drop_table("sync_connection")
    op.drop_table("vault_secret")
    with op.batch_alter_table("staging", schema=None) as batch_op:
        batch_op.drop_index("ix_staging_provider")
        batch_op.drop_index(
            "ix_staging_part", sqlite_where=sa.text("origin = 'part'"), postgresql_where=sa.text("origin = 'part'")
        )

    op.drop_table("staging")
    op.drop_table("run")
    op.drop_table("login_attempt")
    op.drop_table("login")
    op.drop_table("lease")
    op.drop_table("endpoint_error")
    op.drop_table("call_budget")
