"""Run by Alembic with a connection of ours; `mt.api.database.open_database` hands it in."""

from __future__ import annotations

from alembic import context

from mt.api.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
