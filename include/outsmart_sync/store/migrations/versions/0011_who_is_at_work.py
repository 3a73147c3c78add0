"""Which categories of a connection a run works on: another run leaves that connection alone meanwhile."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Bring the store to this version."""
    op.add_column("run_connection", sa.Column("work", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Go back to the version before."""
    op.drop_column("run_connection", "work")
