"""The database's migrations: Alembic scripts inside the package, so that every installation carries its own."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from schemas.errors import Unavailable
from schemas.readmodel import ARCHIVE

_MIGRATION_LOCK = 0x1A57_1147_AC70_0001
"""Key of the advisory lock that lets one process migrate at a time; any constant that nothing else uses."""


def upgrade(url: str) -> None:
    """Bring the database to the newest version, in one transaction; idle when it is there already.

    Safe when several processes start it at once: the others wait, then find nothing to do. Raises `Unavailable` when
    the database does not answer. A failed migration leaves the database as it was.
    """
    # NullPool: the connection is closed with the block, so that a test may copy the database right afterwards.
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            # The version table lives beside the archive: `projection` may be rebuilt and replaced.
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {ARCHIVE}"))
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except OperationalError as error:
        raise Unavailable(f"the database could not be migrated: {error.orig}") from error


def is_current(connection: Connection) -> bool:
    """Whether the database is at the version that this build reads."""
    context = MigrationContext.configure(connection, opts={"version_table_schema": ARCHIVE})
    return set(context.get_current_heads()) == set(ScriptDirectory.from_config(_config()).get_heads())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
