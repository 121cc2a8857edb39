"""What Alembic runs around the scripts in `versions/`: they share the connection and transaction of `upgrade`."""

from alembic import context

from schemas.readmodel import ARCHIVE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_schemas=True,
    version_table_schema=ARCHIVE,
)
with context.begin_transaction():
    context.run_migrations()
