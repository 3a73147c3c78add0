"""Ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from outsmart_sync.store.tables import Utc

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring the store to this version."""
    op.create_table(
        "ledger",
        sa.Column("account", sa.String(length=250), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("remote_id", sa.String(length=60), server_default="", nullable=False),
        sa.Column("token", sa.String(length=60), server_default="", nullable=False),
        sa.Column("misses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["sync_connection.id"], name=op.f("fk_ledger_connection_id")),
        sa.PrimaryKeyConstraint("account", "kind", "key", name=op.f("pk_ledger")),
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_remote", ["account", "kind", "remote_id"], unique=False)


def downgrade() -> None:
    """Go back to the version before."""
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_remote")

    op.drop_table("ledger")
