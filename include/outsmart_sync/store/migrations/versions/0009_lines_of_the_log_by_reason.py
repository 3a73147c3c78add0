"""Lines of the sync log are found by their reason: what is to be done by hand, what is to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Bring the store to this version."""
    op.create_index(
        "ix_record_log_reason",
        "record_log",
        ["connection_id", "reason", "at"],
        sqlite_where=sa.text("reason IS NOT NULL"),
        postgresql_where=sa.text("reason IS NOT NULL"),
    )


def downgrade() -> None:
    """Go back to the version before."""
    op.drop_index("ix_record_log_reason", "record_log")
