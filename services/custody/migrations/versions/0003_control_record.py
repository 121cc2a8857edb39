"""Control records (R23): a party's own handoffs are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "event_by_party",
        "event",
        ["party", "event_time"],
        schema="projection",
        postgresql_where=sa.text("type IN ('custody.handoff_accepted.v1', 'custody.handoff_released.v1')"),
    )


def downgrade() -> None:
    """There is no way back: the archive holds evidence."""
    raise NotImplementedError("the archive is only ever added to; restore a backup instead")
