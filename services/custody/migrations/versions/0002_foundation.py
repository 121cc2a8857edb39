"""Foundation: who else an event names, device sequences, journeys of a code, and all that a case rests on.

What can be told from the rows that are there is filled in here. The rest is told by the archive: `lastintact replay`
fills `mention`, `event.sequence` and the effective `event.event_time` of records that were projected before, and reads
again what an earlier version could not read. Until then those records stand as they stood.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add tables and columns; the rows that are there are those of a code's first journey."""
    _events()
    _marks_and_waits()
    _cases()


def downgrade() -> None:
    """There is no way back: the archive holds evidence."""
    raise NotImplementedError("the archive is only ever added to; restore a backup instead")


def _events() -> None:
    op.alter_column(
        "event",
        "event_time",
        schema="projection",
        comment="Effective: the device's clock less the offset that it measured at upload.",
    )
    op.add_column(
        "event",
        sa.Column("sequence", sa.BigInteger, comment="The device's own count of its events, where it is a number."),
        schema="projection",
    )
    op.create_index(
        "event_by_source",
        "event",
        ["source", "sequence"],
        schema="projection",
        postgresql_where=sa.text("sequence IS NOT NULL"),
    )
    op.create_table(
        "mention",
        sa.Column(
            "other", sa.Text, nullable=False, comment="A unit, a label or a parcel that an event about `subject` names."
        ),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False, comment="packed, unpacked, relabelled or holds."),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("event_time", INSTANT, nullable=False, comment="As the event's row has it: effective."),
        sa.Column("record_time", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("partition", "offset", "other", "role"),
        schema="projection",
        comment="Who else an event is about: what was put into a unit, which labels are one item. "
        "A relabelling names both.",
    )
    op.create_index("mention_by_other", "mention", ["other", "event_time"], schema="projection")


def _marks_and_waits() -> None:
    # The defaults are for the rows that are there: marks of before meant the subject and, of a registry, the others.
    for name, comment in (
        ("itself", "Its own case and wait may have changed."),
        ("others", "So may those that rest on it: its contents, its other labels."),
    ):
        _add("stale", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.true(), comment=comment))
    _add(
        "watch",
        sa.Column(
            "since",
            INSTANT,
            nullable=False,
            # Until the refresh that is asked for below, whatever comes is looked at.
            server_default="9999-12-01Z",
            comment="An event from before it may move the instant.",
        ),
    )
    _add(
        "watch",
        sa.Column(
            "rests_on",
            sa.ARRAY(sa.Text),
            nullable=False,
            server_default="{}",
            comment="As of a case; empty once the instant is known.",
        ),
    )
    op.create_index("watch_by_rests_on", "watch", ["rests_on"], schema="projection", postgresql_using="gin")
    # What waits names from now on what could tell or move its instant: the next refresh writes that down.
    op.execute(
        "INSERT INTO projection.stale (subject, itself, others)"
        " SELECT subject, true, false FROM projection.watch ORDER BY subject"
    )


def _cases() -> None:
    for table in ("parcel_case", "verdict_version"):
        comment = "Carriers use a code again: which of its journeys, from 1." if table == "parcel_case" else None
        _add(table, sa.Column("journey", sa.SmallInteger, nullable=False, server_default="1", comment=comment))
        op.drop_constraint(f"{table}_pkey", table, schema="projection")
    op.create_primary_key("parcel_case_pkey", "parcel_case", ["subject", "journey"], schema="projection")
    op.create_primary_key(
        "verdict_version_pkey",
        "verdict_version",
        ["subject", "journey", "finding", "version"],
        schema="projection",
    )
    _add(
        "parcel_case",
        sa.Column(
            "incidents",
            sa.ARRAY(sa.Text),
            nullable=False,
            server_default="{}",
            comment="SEAL_BROKEN, UNIT_OPENED, SENSOR: work without a verdict.",
        ),
    )
    _add(
        "parcel_case",
        sa.Column(
            "inside",
            sa.Integer,
            nullable=False,
            server_default="0",
            comment="Items recorded inside the unit at the first incident.",
        ),
    )
    _add(
        "parcel_case",
        sa.Column(
            "rests_on",
            sa.ARRAY(sa.Text),
            nullable=False,
            server_default="{}",
            comment="Subjects beside its own that the answer rests on: "
            "devices, parties, settings, sites, units, labels.",
        ),
    )
    # Before the next refresh, so that a registration meanwhile still finds the cases.
    op.execute(
        "UPDATE projection.parcel_case SET rests_on = ARRAY("
        " SELECT 'device:' || device FROM unnest(devices) AS device"
        " UNION SELECT 'party:' || upper(party) FROM unnest(parties) AS party"
        " UNION SELECT 'policy:DEFAULT' ORDER BY 1)"
    )
    op.drop_index("parcel_case_by_devices", "parcel_case", schema="projection")
    op.drop_column("parcel_case", "devices", schema="projection")
    op.create_index("parcel_case_by_rests_on", "parcel_case", ["rests_on"], schema="projection", postgresql_using="gin")
    op.create_index("parcel_case_by_changed", "parcel_case", ["changed", "subject", "journey"], schema="projection")
    # Everything a case says is computed anew in time: what it rests on, and what opens one, is more than it was.
    op.execute(
        "INSERT INTO projection.stale (subject, itself, others)"
        " SELECT subject, true, false FROM projection.parcel_case ORDER BY subject"
    )


def _add(table: str, column: sa.Column[object]) -> None:
    """Add a column to a table with rows: the default fills them, and is taken away again."""
    op.add_column(table, column, schema="projection")
    op.alter_column(table, column.name, schema="projection", server_default=None)
