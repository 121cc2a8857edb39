"""Dead letters: found by an index, and what operators did by hand is on record."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index and the table."""
    op.create_index(
        "event_parked",
        "event",
        ["record_time", "partition", "offset"],
        schema="projection",
        postgresql_where=sa.text("standing = 'parked'"),
    )
    op.create_table(
        "operation",
        sa.Column("operation_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("done", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("what", sa.Text, nullable=False, comment="dead_letter_discarded."),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("done_by", sa.Text, nullable=False, comment="Who did it, as the operating system names the user."),
        schema="archive",
        comment="What operators did to the log by hand. Only ever added to.",
    )
    op.create_index("operation_by_place", "operation", ["partition", "offset"], schema="archive")
    op.execute(
        """
        CREATE TRIGGER operation_is_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.operation
        FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change()
        """
    )


def downgrade() -> None:
    """There is no way back: the archive holds evidence."""
    raise NotImplementedError("the archive is only ever added to; restore a backup instead")
