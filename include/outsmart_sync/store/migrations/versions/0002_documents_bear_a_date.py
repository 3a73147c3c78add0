"""Documents bear a date."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Bring the store to this version."""
    with op.batch_alter_table("mirror", schema=None) as batch_op:
        batch_op.add_column(sa.Column("dated_on", sa.Date(), nullable=True))

    with op.batch_alter_table("staging", schema=None) as batch_op:
        batch_op.add_column(sa.Column("dated_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Go back to the version before."""
    with op.batch_alter_table("staging", schema=None) as batch_op:
        batch_op.drop_column("dated_on")

    with op.batch_alter_table("mirror", schema=None) as batch_op:
        batch_op.drop_column("dated_on")
