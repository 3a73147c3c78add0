"""What was sent, as it was: so that an update touches only that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Bring the store to this version."""
    op.add_column("ledger", sa.Column("content", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Go back to the version before."""
    op.drop_column("ledger", "content")
