"""When the work of a work order was completed: what waits longest is found without reading every work order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from outsmart_sync.store.tables import Utc

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Bring the store to this version; what is open is read again by the next run, and told then."""
    op.add_column("work_order_export", sa.Column("completed_at", Utc(), nullable=True))


def downgrade() -> None:
    """Go back to the version before."""
    op.drop_column("work_order_export", "completed_at")
