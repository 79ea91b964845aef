"""Alembic's entry: runs the migrations against the URL that the caller gives."""

from alembic import context
from sqlalchemy import create_engine

from registry.mirror.schema import metadata

engine = create_engine(context.config.attributes["url"])
with engine.begin() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        # the full-text index is not a table of the metadata
        include_name=lambda name, kind, _parents: (
            not (kind == "table" and (name or "").startswith("search"))
        ),
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
