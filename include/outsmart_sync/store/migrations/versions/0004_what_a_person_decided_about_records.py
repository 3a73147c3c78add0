"""What a person decided about records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from outsmart_sync.store.tables import Utc

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Bring the store to this version."""
    with op.batch_alter_table("mirror", schema=None) as batch_op:
        batch_op.add_column(sa.Column("link", sa.String(length=8), server_default="", nullable=False))
        batch_op.add_column(sa.Column("deactivated_at", Utc(), nullable=True))

    with op.batch_alter_table("run_category", schema=None) as batch_op:
        batch_op.add_column(sa.Column("edited", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """Go back to the version before."""
    with op.batch_alter_table("run_category", schema=None) as batch_op:
        batch_op.drop_column("edited")

    with op.batch_alter_table("mirror", schema=None) as batch_op:
        batch_op.drop_column("deactivated_at")
        batch_op.drop_column("link")
