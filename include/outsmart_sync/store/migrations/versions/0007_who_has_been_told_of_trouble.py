"""Who has been told of trouble."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from outsmart_sync.store.tables import Utc

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Bring the store to this version."""
    op.create_table(
        "alert",
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("told_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["sync_connection.id"], name=op.f("fk_alert_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", "category", name=op.f("pk_alert")),
    )


def downgrade() -> None:
    """Go back to the version before."""
    op.drop_table("alert")
