"""The tables. `archive` is the system of record and is only ever added to; `projection` can be rebuilt from it.

Services read and write through these definitions with SQLAlchemy Core; migrations create them.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

ARCHIVE = "archive"
PROJECTION = "projection"
ACCESS = "access"

PROJECTED = "lastintact_projected"
"""The channel that is notified, with the commit, when rows became visible."""

metadata = MetaData()

INSTANT = DateTime(timezone=True)

# --- archive: the system of record -------------------------------------------------------------------------------

log = Table(
    "log",
    metadata,
    Column("log_id", Text, primary_key=True, comment="Names this log in every leaf; made once, never changed."),
    Column("partitions", SmallInteger, nullable=False),
    Column("topic_id", Text, comment="Kafka's id of the topic; a recreated topic starts at offset 0 under another id."),
    Column(
        "story_clock",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="Record times came from requests: stories were told here, evidence never is.",
    ),
    schema=ARCHIVE,
    comment="The one log of this installation.",
)

log_head = Table(
    "log_head",
    metadata,
    Column("partition", SmallInteger, primary_key=True),
    Column("next_offset", BigInteger, nullable=False, server_default="0"),
    schema=ARCHIVE,
    comment="Table log only: offsets come from UPDATE ... RETURNING here, gapless and in commit order.",
)

record = Table(
    "record",
    metadata,
    Column("partition", SmallInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
    PrimaryKeyConstraint("partition", "offset"),
    schema=ARCHIVE,
    comment="Every record of the log, byte for byte. With the table log this is the log.",
)

operation = Table(
    "operation",
    metadata,
    Column("operation_id", BigInteger, Identity(always=True), primary_key=True),
    Column("done", INSTANT, nullable=False, server_default=func.now()),
    Column("what", Text, nullable=False, comment="dead_letter_discarded."),
    Column("partition", SmallInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("done_by", Text, nullable=False, comment="Who did it, as the operating system names the user."),
    Index("operation_by_place", "partition", "offset"),
    schema=ARCHIVE,
    comment="What operators did to the log by hand. Only ever added to.",
)

# --- projection: derived, rebuilt by replay ----------------------------------------------------------------------

position = Table(
    "position",
    metadata,
    Column("partition", SmallInteger, primary_key=True),
    Column("next_offset", BigInteger, nullable=False, server_default="0"),
    Column("record_time", INSTANT, comment="Effective record time of the last record projected."),
    schema=PROJECTION,
    comment="How far the projector is; written in the transaction that writes the rows.",
)

event = Table(
    "event",
    metadata,
    Column("partition", SmallInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("record_time", INSTANT, nullable=False, comment="Effective: never earlier than the record before it."),
    Column("leaf", LargeBinary, nullable=False),
    Column("subject", Text, nullable=False, comment="The record's key: issuer:code."),
    Column("standing", Text, nullable=False, comment="event, repeat or parked."),
    Column("reason", Text, comment="Why it is parked."),
    Column("identity", LargeBinary, comment="SHA-256 of source and id; null when parked before it could be read."),
    Column("content_hash", LargeBinary),
    Column("event_id", Text),
    Column("source", Text),
    Column("type", Text),
    Column("event_time", INSTANT, comment="Effective: the device's clock less the offset that it measured at upload."),
    Column("party", Text, comment="Whose act it is."),
    Column("sequence", BigInteger, comment="The device's own count of its events, where it is a number."),
    PrimaryKeyConstraint("partition", "offset"),
    Index("event_by_subject", "subject", "record_time", "partition", "offset"),
    Index("event_by_id", "event_id"),
    # R23 alone: only handoffs, since looking for a party's own is all that is asked of it.
    Index(
        "event_by_party",
        "party",
        "event_time",
        postgresql_where=text("type IN ('custody.handoff_accepted.v1', 'custody.handoff_released.v1')"),
    ),
    Index("event_by_source", "source", "sequence", postgresql_where=text("sequence IS NOT NULL")),
    Index("event_parked", "record_time", "partition", "offset", postgresql_where=text("standing = 'parked'")),
    schema=PROJECTION,
    comment="One row per record of the archive, in the same order.",
)

mention = Table(
    "mention",
    metadata,
    Column("other", Text, nullable=False, comment="A unit, a label or a parcel that an event about `subject` names."),
    Column("subject", Text, nullable=False),
    Column("role", Text, nullable=False, comment="packed, unpacked, relabelled or holds."),
    Column("partition", SmallInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("event_time", INSTANT, nullable=False, comment="As the event's row has it: effective."),
    Column("record_time", INSTANT, nullable=False),
    PrimaryKeyConstraint("partition", "offset", "other", "role"),
    Index("mention_by_other", "other", "event_time"),
    schema=PROJECTION,
    comment="Who else an event is about: what was put into a unit, which labels are one item. "
    "A relabelling names both.",
)

event_identity = Table(
    "event_identity",
    metadata,
    Column("identity", LargeBinary, primary_key=True),
    Column("content_hash", LargeBinary, nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("record_time", INSTANT, nullable=False),
    Column("subject", Text, nullable=False),
    schema=PROJECTION,
    comment="Which record holds an identity: the one with the smallest (record_time, partition, offset).",
)

identity_clash = Table(
    "identity_clash",
    metadata,
    Column("identity", LargeBinary, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("record_time", INSTANT, nullable=False),
    Column("subject", Text, nullable=False),
    PrimaryKeyConstraint("identity", "content_hash"),
    schema=PROJECTION,
    comment="Every content that was recorded under an identity that has more than one; the holder included.",
)

stale = Table(
    "stale",
    metadata,
    Column("mark", BigInteger, Identity(always=True), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("itself", Boolean, nullable=False, comment="Its own case and wait may have changed."),
    Column("others", Boolean, nullable=False, comment="So may those that rest on it: its contents, its other labels."),
    Index("stale_by_subject", "subject"),
    schema=PROJECTION,
    comment="Subjects whose verdicts may have changed; added by the projector, removed by the refresher that saw them.",
)

watch = Table(
    "watch",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("due", INSTANT, nullable=False),
    Column("deadline", Text, nullable=False),
    Column("since", INSTANT, nullable=False, comment="An event from before it may move the instant."),
    Column("rests_on", ARRAY(Text), nullable=False, comment="As of a case; empty once the instant is known."),
    Index("watch_by_due", "due"),
    Index("watch_by_rests_on", "rests_on", postgresql_using="gin"),
    schema=PROJECTION,
    comment="The next instant at which time alone may change an answer about a parcel.",
)

parcel_case = Table(
    "parcel_case",
    metadata,
    Column("subject", Text, nullable=False),
    Column(
        "journey", SmallInteger, nullable=False, comment="Carriers use a code again: which of its journeys, from 1."
    ),
    Column("opened", INSTANT, nullable=False, comment="Record time of the event that opened it."),
    Column("changed", INSTANT, nullable=False, comment="Record time of the event that last changed an answer."),
    Column("verdicts", JSONB, nullable=False, comment="The verdicts that stand, as told by the public API."),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("outcome", Text, comment="Of the first verdict; null: none stands."),
    Column("confidence", Text),
    Column(
        "incidents", ARRAY(Text), nullable=False, comment="SEAL_BROKEN, UNIT_OPENED, SENSOR: work without a verdict."
    ),
    Column("inside", Integer, nullable=False, comment="Items recorded inside the unit at the first incident."),
    Column(
        "parties",
        ARRAY(Text),
        nullable=False,
        comment="Every party that the verdicts rest on.",
    ),
    Column(
        "rests_on",
        ARRAY(Text),
        nullable=False,
        comment="Subjects beside its own that the answer rests on: devices, parties, settings, sites, units, labels.",
    ),
    Column("positions", Text, nullable=False, comment="Position vector that was projected when it was computed."),
    PrimaryKeyConstraint("subject", "journey"),
    Index("parcel_case_by_parties", "parties", postgresql_using="gin"),
    Index("parcel_case_by_rests_on", "rests_on", postgresql_using="gin"),
    Index("parcel_case_by_opened", text("opened DESC"), "subject"),
    Index("parcel_case_by_changed", "changed", "subject", "journey"),
    schema=PROJECTION,
    comment="Parcels with a finding: the worklist. A cache of the pure core's answer.",
)

verdict_version = Table(
    "verdict_version",
    metadata,
    Column("subject", Text, nullable=False),
    Column("journey", SmallInteger, nullable=False),
    Column("finding", Text, nullable=False, comment="Kind, component, mode and severity, as the verdict names it."),
    Column("version", Integer, nullable=False),
    Column("record_time", INSTANT, nullable=False),
    Column("because", Text, comment="Id of the event that changed the answer."),
    Column("verdict", JSONB, comment="Null: from here on no verdict stands."),
    PrimaryKeyConstraint("subject", "journey", "finding", "version"),
    schema=PROJECTION,
    comment="History of the answers; a cache of its definition, compared by fsck.",
)

signature_check = Table(
    "signature_check",
    metadata,
    Column("partition", SmallInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("valid", Boolean, nullable=False),
    PrimaryKeyConstraint("partition", "offset", "public_key"),
    schema=PROJECTION,
    comment="Signature checks already done, by record and key. A cache: the answer is a function of both.",
)

sweep_position = Table(
    "sweep_position",
    metadata,
    Column("partition", SmallInteger, primary_key=True),
    Column("next_offset", BigInteger, nullable=False, server_default="0"),
    schema=PROJECTION,
    comment="How far the background signature sweep is.",
)

# --- access: keys and refusals, neither evidence nor derived ------------------------------------------------------

api_key = Table(
    "api_key",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column(
        "secret_hash",
        LargeBinary,
        nullable=False,
        comment="HMAC-SHA-256 of the secret under the installation's pepper.",
    ),
    Column("role", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("depot", Text, comment="Scanner keys: the depot under which every source must lie."),
    Column("party", Text),
    Column(
        "devices", ARRAY(Text), nullable=False, comment="Scanner keys: device names at the depot; empty: all of them."
    ),
    Column("created", INSTANT, nullable=False, server_default=func.now()),
    Column("expires", INSTANT),
    Column("revoked", INSTANT),
    CheckConstraint("role IN ('scanner', 'claims', 'ops', 'admin')", name="api_key_role"),
    schema=ACCESS,
)

refusal = Table(
    "refusal",
    metadata,
    Column("refusal_id", BigInteger, Identity(always=True), primary_key=True),
    Column("refused", INSTANT, nullable=False, server_default=func.now()),
    Column("key_id", Text, nullable=False),
    Column("depot", Text),
    Column("reasons", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="The bytes as sent, cut at the body limit; kept 30 days."),
    Index("refusal_by_time", "refused"),
    schema=ACCESS,
)
