"""First light: archive, projection and access, and the rows that every installation starts with.

Written out rather than taken from `schemas.readmodel`, which will move on; a test holds the two equal at the head.
"""

import uuid

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from schemas.topics import EVENTS

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the three schemas, their tables and the first rows."""
    # `archive` is there already: the table of versions lives in it.
    op.execute("CREATE SCHEMA projection")
    op.execute("CREATE SCHEMA access")
    _archive()
    _projection_progress()
    _projection_events()
    _projection_cases()
    _access()
    _guard_archive()
    _first_rows()


def downgrade() -> None:
    """There is no way back: the archive holds evidence."""
    raise NotImplementedError("the archive is only ever added to; restore a backup instead")


def _archive() -> None:
    op.create_table(
        "log",
        sa.Column(
            "log_id", sa.Text, primary_key=True, comment="Names this log in every leaf; made once, never changed."
        ),
        sa.Column("partitions", sa.SmallInteger, nullable=False),
        sa.Column(
            "topic_id",
            sa.Text,
            comment="Kafka's id of the topic; a recreated topic starts at offset 0 under another id.",
        ),
        sa.Column(
            "story_clock",
            sa.Boolean,
            nullable=False,
            server_default=sa.false(),
            comment="Record times came from requests: stories were told here, evidence never is.",
        ),
        schema="archive",
        comment="The one log of this installation.",
    )
    op.create_table(
        "log_head",
        sa.Column("partition", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False, server_default="0"),
        schema="archive",
        comment="Table log only: offsets come from UPDATE ... RETURNING here, gapless and in commit order.",
    )
    op.create_table(
        "record",
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("partition", "offset"),
        schema="archive",
        comment="Every record of the log, byte for byte. With the table log this is the log.",
    )


def _projection_progress() -> None:
    op.create_table(
        "position",
        sa.Column("partition", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("record_time", INSTANT, comment="Effective record time of the last record projected."),
        schema="projection",
        comment="How far the projector is; written in the transaction that writes the rows.",
    )
    op.create_table(
        "sweep_position",
        sa.Column("partition", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False, server_default="0"),
        schema="projection",
        comment="How far the background signature sweep is.",
    )
    op.create_table(
        "signature_check",
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("valid", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("partition", "offset", "public_key"),
        schema="projection",
        comment="Signature checks already done, by record and key. A cache: the answer is a function of both.",
    )


def _projection_events() -> None:
    op.create_table(
        "event",
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column(
            "record_time", INSTANT, nullable=False, comment="Effective: never earlier than the record before it."
        ),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("subject", sa.Text, nullable=False, comment="The record's key: issuer:code."),
        sa.Column("standing", sa.Text, nullable=False, comment="event, repeat or parked."),
        sa.Column("reason", sa.Text, comment="Why it is parked."),
        sa.Column(
            "identity",
            sa.LargeBinary,
            comment="SHA-256 of source and id; null when parked before it could be read.",
        ),
        sa.Column("content_hash", sa.LargeBinary),
        sa.Column("event_id", sa.Text),
        sa.Column("source", sa.Text),
        sa.Column("type", sa.Text),
        sa.Column("event_time", INSTANT),
        sa.Column("party", sa.Text, comment="Whose act it is."),
        sa.PrimaryKeyConstraint("partition", "offset"),
        schema="projection",
        comment="One row per record of the archive, in the same order.",
    )
    op.create_index("event_by_subject", "event", ["subject", "record_time", "partition", "offset"], schema="projection")
    op.create_index("event_by_id", "event", ["event_id"], schema="projection")
    op.create_table(
        "event_identity",
        sa.Column("identity", sa.LargeBinary, primary_key=True),
        sa.Column("content_hash", sa.LargeBinary, nullable=False),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("record_time", INSTANT, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        schema="projection",
        comment="Which record holds an identity: the one with the smallest (record_time, partition, offset).",
    )
    op.create_table(
        "identity_clash",
        sa.Column("identity", sa.LargeBinary, nullable=False),
        sa.Column("content_hash", sa.LargeBinary, nullable=False),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("record_time", INSTANT, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("identity", "content_hash"),
        schema="projection",
        comment="Every content that was recorded under an identity that has more than one; the holder included.",
    )


def _projection_cases() -> None:
    op.create_table(
        "stale",
        sa.Column("mark", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        schema="projection",
        comment="Subjects whose verdicts may have changed; added by the projector, "
        "removed by the refresher that saw them.",
    )
    op.create_index("stale_by_subject", "stale", ["subject"], schema="projection")
    op.create_table(
        "watch",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("due", INSTANT, nullable=False),
        sa.Column("deadline", sa.Text, nullable=False),
        schema="projection",
        comment="The next instant at which time alone may change an answer about a parcel.",
    )
    op.create_index("watch_by_due", "watch", ["due"], schema="projection")
    op.create_table(
        "parcel_case",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("opened", INSTANT, nullable=False, comment="Record time of the event that opened it."),
        sa.Column("changed", INSTANT, nullable=False, comment="Record time of the event that last changed an answer."),
        sa.Column("verdicts", JSONB, nullable=False, comment="The verdicts that stand, as told by the public API."),
        sa.Column("kinds", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("outcome", sa.Text, comment="Of the first verdict; null: none stands."),
        sa.Column("confidence", sa.Text),
        sa.Column("parties", sa.ARRAY(sa.Text), nullable=False, comment="Every party that the verdicts rest on."),
        sa.Column("devices", sa.ARRAY(sa.Text), nullable=False),
        sa.Column(
            "positions",
            sa.Text,
            nullable=False,
            comment="Position vector that was projected when it was computed.",
        ),
        schema="projection",
        comment="Parcels with a finding: the worklist. A cache of the pure core's answer.",
    )
    op.create_index("parcel_case_by_parties", "parcel_case", ["parties"], schema="projection", postgresql_using="gin")
    op.create_index("parcel_case_by_devices", "parcel_case", ["devices"], schema="projection", postgresql_using="gin")
    op.create_index("parcel_case_by_opened", "parcel_case", [sa.text("opened DESC"), "subject"], schema="projection")
    op.create_table(
        "verdict_version",
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column(
            "finding",
            sa.Text,
            nullable=False,
            comment="Kind, component, mode and severity, as the verdict names it.",
        ),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("record_time", INSTANT, nullable=False),
        sa.Column("because", sa.Text, comment="Id of the event that changed the answer."),
        sa.Column("verdict", JSONB, comment="Null: from here on no verdict stands."),
        sa.PrimaryKeyConstraint("subject", "finding", "version"),
        schema="projection",
        comment="History of the answers; a cache of its definition, compared by fsck.",
    )


def _access() -> None:
    op.create_table(
        "api_key",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column(
            "secret_hash",
            sa.LargeBinary,
            nullable=False,
            comment="HMAC-SHA-256 of the secret under the installation's pepper.",
        ),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("depot", sa.Text, comment="Scanner keys: the depot under which every source must lie."),
        sa.Column("party", sa.Text),
        sa.Column(
            "devices",
            sa.ARRAY(sa.Text),
            nullable=False,
            comment="Scanner keys: device names at the depot; empty: all of them.",
        ),
        sa.Column("created", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("expires", INSTANT),
        sa.Column("revoked", INSTANT),
        sa.CheckConstraint("role IN ('scanner', 'claims', 'ops', 'admin')", name="api_key_role"),
        schema="access",
    )
    op.create_table(
        "refusal",
        sa.Column("refusal_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("refused", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("depot", sa.Text),
        sa.Column("reasons", JSONB, nullable=False),
        sa.Column(
            "body", sa.LargeBinary, nullable=False, comment="The bytes as sent, cut at the body limit; kept 30 days."
        ),
        schema="access",
    )
    op.create_index("refusal_by_time", "refusal", ["refused"], schema="access")


def _guard_archive() -> None:
    """Refuse changes of what is recorded. A guard against slips; fsck and the leaves are the guard against intent."""
    op.execute(
        """
        CREATE FUNCTION archive.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '%.% is only ever added to', TG_TABLE_SCHEMA, TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    # Per statement, so that it costs nothing: the statements it refuses are never sent in earnest.
    op.execute(
        """
        CREATE TRIGGER record_is_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON archive.record
        FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER log_stays BEFORE DELETE OR TRUNCATE OR UPDATE OF log_id, partitions ON archive.log
        FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse_change()
        """
    )


def _first_rows() -> None:
    op.get_bind().execute(
        sa.text("INSERT INTO archive.log (log_id, partitions) VALUES (:log_id, :partitions)"),
        {"log_id": f"lastintact/{uuid.uuid4()}", "partitions": EVENTS.partitions},
    )
    for table in ("archive.log_head", "projection.position", "projection.sweep_position"):
        op.get_bind().execute(
            sa.text(f"INSERT INTO {table} (partition) SELECT generate_series(0, :last)"),
            {"last": EVENTS.partitions - 1},
        )
