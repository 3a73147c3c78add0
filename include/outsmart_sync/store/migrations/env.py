"""Runs the migrations on the connection that `store.schema` hands over."""

from __future__ import annotations

from alembic import context

from outsmart_sync.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="store_version",
    render_as_batch=True,  # SQLite cannot alter tables in place
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
