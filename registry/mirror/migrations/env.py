"""Alembic's entry: runs the migrations on the engine that the caller gives."""

from alembic import context

from registry.mirror import postgres
from registry.mirror.schema import metadata

engine = context.config.attributes["engine"]
# polreg_write: SQLite takes its lock at once, so that of two that migrate one waits.
with engine.execution_options(polreg_write=True).begin() as connection:
    if connection.dialect.name == postgres.DIALECT:
        postgres.require_utf8(connection)
        postgres.lock(connection, postgres.MIGRATING)
    context.configure(
        connection=connection,
        target_metadata=metadata,
        # the index of texts is not a table of the metadata
        include_name=lambda name, kind, _parents: (
            not (kind == "table" and (name or "").startswith("search"))
        ),
    )
    with context.begin_transaction():
        context.run_migrations()
