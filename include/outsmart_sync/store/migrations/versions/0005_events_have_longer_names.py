"""Events have longer names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring the store to this version."""
    with op.batch_alter_table("record_log", schema=None) as batch_op:
        batch_op.alter_column(
            "event", existing_type=sa.VARCHAR(length=12), type_=sa.String(length=40), existing_nullable=False
        )


def downgrade() -> None:
    """Go back to the version before."""
    with op.batch_alter_table("record_log", schema=None) as batch_op:
        batch_op.alter_column(
            "event", existing_type=sa.String(length=40), type_=sa.VARCHAR(length=12), existing_nullable=False
        )
