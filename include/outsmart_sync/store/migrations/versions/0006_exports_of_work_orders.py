"""Exports of work orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from outsmart_sync.store.tables import Money, Utc

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Bring the store to this version."""
    op.add_column("ledger", sa.Column("begun_at", Utc(), nullable=True))
    op.create_table(
        "looked_up",
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.String(length=60), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["sync_connection.id"], name=op.f("fk_looked_up_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", "entity", "code_key", name=op.f("pk_looked_up")),
    )
    op.create_table(
        "work_order_export",
        sa.Column("account", sa.String(length=250), nullable=False),
        sa.Column("row_id", sa.String(length=60), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("judged_by", sa.String(length=32), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=40), server_default="", nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), server_default="", nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("remedy", sa.Text(), server_default="", nullable=False),
        sa.Column("by_itself", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("decision", sa.String(length=12), server_default="", nullable=False),
        sa.Column("released", sa.Text(), server_default="", nullable=False),
        sa.Column("copy", sa.Integer(), server_default="1", nullable=False),
        sa.Column("sent", sa.String(length=32), server_default="", nullable=False),
        sa.Column("remote_id", sa.String(length=60), server_default="", nullable=False),
        sa.Column("remote_number", sa.Text(), server_default="", nullable=False),
        sa.Column("expected", Money(), nullable=True),
        sa.Column("actual", Money(), nullable=True),
        sa.Column("marked", sa.String(length=12), server_default="", nullable=False),
        sa.Column("invoice", sa.String(length=60), server_default="", nullable=False),
        sa.Column("invoice_number", sa.Text(), server_default="", nullable=False),
        sa.Column("booked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("paid", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("told", sa.String(length=12), server_default="", nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["sync_connection.id"], name=op.f("fk_work_order_export_connection_id")
        ),
        sa.PrimaryKeyConstraint("account", "row_id", name=op.f("pk_work_order_export")),
    )
    with op.batch_alter_table("work_order_export", schema=None) as batch_op:
        batch_op.create_index("ix_work_order_export_number", ["account", "number"], unique=False)
        batch_op.create_index("ix_work_order_export_remote", ["connection_id", "remote_id"], unique=False)
        batch_op.create_index("ix_work_order_export_state", ["connection_id", "state"], unique=False)


def downgrade() -> None:
    """Go back to the version before."""
    with op.batch_alter_table("work_order_export", schema=None) as batch_op:
        batch_op.drop_index("ix_work_order_export_state")
        batch_op.drop_index("ix_work_order_export_remote")
        batch_op.drop_index("ix_work_order_export_number")

    op.drop_table("work_order_export")
    op.drop_table("looked_up")
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.drop_column("begun_at")
