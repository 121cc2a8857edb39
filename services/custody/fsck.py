"""Refolds the archive and compares every derived row with it; names each that differs, by table, key and column.

The expected rows are not taken from the projector's way of working (batches, conflicts, updates) but from what the
rows mean, as one set: so a fault of the projector shows too. All of it reads one snapshot, while events keep coming.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Engine, Table, select, text

from schemas import readmodel
from schemas.readmodel import log, parcel_case, stale, verdict_version, watch
from services.custody.core import concerns, projection
from services.custody.core.casework import casework, opens
from services.custody.core.projection import Mention, Row
from services.custody.evidence import labels_of, load_many, read_positions
from services.custody.inside import with_inside
from services.custody.refresh import concerned_by
from services.custody.replay import Progress, Say
from services.custody.store import copy_mentions, copy_rows
from services.edge.database import unavailable_when_lost
from services.log.port import LogRecord

_BATCH = 5000
_CASES = 100
_SHOWN_CHARACTERS_MAX = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """One stored value that is not what the archive says. `column` empty: the whole row is missing or too much."""

    table: str
    key: str
    column: str
    stored: str
    expected: str

    def __str__(self) -> str:
        place = f"{self.table} {self.key}" + (f" {self.column}" if self.column else "")
        return f"{place}: stored {self.stored}, expected {self.expected}"


@dataclass(slots=True)
class Summary:
    """What was looked at. `exit_code` for a command: 0 only when nothing differs."""

    records: int = 0
    cases: int = 0
    pending: int = 0
    """Cases that wait for the refresher and were left out: ask again when it has caught up."""
    differences: int = 0
    by_table: dict[str, int] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 or 1."""
        return 1 if self.differences else 0


def check(engine: Engine, *, say: Say = lambda line: None) -> list[Difference]:
    """Compare everything and return what differs, saying how far it is. Changes nothing. Raises `Unavailable`."""
    found: list[Difference] = []
    summary = fsck(engine, found.append, say=say)
    say(f"{summary.records:,} records and {summary.cases:,} cases compared, {summary.differences:,} values differ")
    if summary.pending:
        say(f"{summary.pending:,} cases are being refreshed and were left out; check again when that is done")
    return found


def fsck(engine: Engine, tell: Callable[[Difference], None], *, say: Say = lambda line: None) -> Summary:
    """The same, telling each difference as it is found."""
    summary = Summary()
    frozen = engine.execution_options(isolation_level="REPEATABLE READ")
    with unavailable_when_lost("fsck"), frozen.connect() as connection:
        for difference in _differences(connection, summary, Progress(say)):
            summary.differences += 1
            summary.by_table[difference.table] = summary.by_table.get(difference.table, 0) + 1
            tell(difference)
        connection.rollback()
    return summary


def _differences(connection: Connection, summary: Summary, progress: Progress) -> Iterator[Difference]:
    connection.execute(text("CREATE TEMPORARY TABLE refolded (LIKE projection.event) ON COMMIT DROP"))
    connection.execute(text("CREATE TEMPORARY TABLE named (LIKE projection.mention) ON COMMIT DROP"))
    opening: set[str] = set()
    yield from _refold(connection, summary, opening, progress)
    connection.execute(text("CREATE INDEX ON refolded (identity, content_hash)"))
    connection.execute(text("ANALYZE refolded"))
    for table, expected in _EXPECTED.items():
        yield from _compare(connection, readmodel.metadata.tables[table], expected)
    yield from _compare_heads(connection)
    yield from _compare_cases(connection, opening, summary)


# What the rows mean, over the refolded records. The first record of a content is an event or parked, the others are
# repeats; an identity is held by its first content in the order of recording.
_FIRSTS = """
    SELECT *, row_number() OVER (PARTITION BY identity ORDER BY record_time, partition, "offset") AS place,
           count(*) OVER (PARTITION BY identity) AS contents
    FROM (
        SELECT DISTINCT ON (identity, content_hash) identity, content_hash, partition, "offset", record_time, subject
        FROM refolded WHERE identity IS NOT NULL ORDER BY identity, content_hash, partition, "offset"
    ) AS firsts
"""
_EXPECTED = {
    "projection.event": """
        SELECT partition, "offset", record_time, leaf, subject,
               CASE WHEN place > 1 THEN 'repeat' ELSE standing END AS standing,
               CASE WHEN place > 1 THEN NULL ELSE reason END AS reason,
               identity, content_hash, event_id, source, type, event_time, party, sequence
        FROM (
            SELECT *, CASE WHEN identity IS NULL THEN 1 ELSE row_number() OVER (
                PARTITION BY identity, content_hash ORDER BY partition, "offset"
            ) END AS place FROM refolded
        ) AS placed
    """,
    "projection.event_identity": f"""
        SELECT identity, content_hash, partition, "offset", record_time, subject FROM ({_FIRSTS}) AS claims
        WHERE place = 1
    """,  # noqa: S608
    "projection.identity_clash": f"""
        SELECT identity, content_hash, partition, "offset", record_time, subject FROM ({_FIRSTS}) AS claims
        WHERE contents > 1
    """,  # noqa: S608
    # A repeat names nobody anew: the first record of its content did.
    "projection.mention": f"""
        SELECT named.* FROM named JOIN ({_FIRSTS}) AS firsts USING (partition, "offset")
    """,  # noqa: S608
    "projection.position": """
        SELECT head.partition, coalesce(max(refolded."offset") + 1, 0) AS next_offset,
               max(refolded.record_time) AS record_time
        FROM archive.log_head AS head LEFT JOIN refolded USING (partition) GROUP BY head.partition
    """,
}


def _refold(connection: Connection, summary: Summary, opening: set[str], progress: Progress) -> Iterator[Difference]:
    """Project the archive anew into the temporary table, up to where the stored projection is."""
    log_id = connection.execute(select(log.c.log_id)).scalar_one()
    ends = _ends(connection)
    total = sum(ends.values())
    for partition, end in sorted(ends.items()):
        record_time = None
        following = 0
        while following < end:
            records = _records(connection, partition, following, min(end, following + _BATCH))
            yield from _holes(partition, following, min(end, following + _BATCH), records)
            readings = [projection.read(record) for record in records]
            opening |= {reading.subject for reading in readings if reading.data is not None and opens(reading.data)}
            # One by one, so that the fold does not know of repeats: the comparison finds them by itself.
            rows: list[Row] = []
            mentions: list[Mention] = []
            for reading in readings:
                batch = projection.settle([reading], log_id, record_time)
                record_time = batch.record_time
                rows += batch.rows
                mentions += batch.mentions()
            copy_rows(connection, sql.Identifier("refolded"), rows)
            copy_mentions(connection, sql.Identifier("named"), mentions)
            following = min(end, following + _BATCH)
            summary.records += len(records)
            progress(summary.records, total)


def _ends(connection: Connection) -> Mapping[int, int]:
    """Up to where the projection goes, by its position or by its rows, whichever claims more."""
    rows = connection.execute(
        text(
            'SELECT partition, max("end") FROM ('
            ' SELECT partition, next_offset AS "end" FROM projection.position'
            ' UNION ALL SELECT partition, max("offset") + 1 FROM projection.event GROUP BY partition'
            ") AS claimed GROUP BY partition"
        )
    )
    return {row[0]: row[1] for row in rows}


def _records(connection: Connection, partition: int, start: int, stop: int) -> Sequence[LogRecord]:
    rows = connection.execute(
        text(
            'SELECT partition, "offset", key, value FROM archive.record'
            ' WHERE partition = :partition AND "offset" >= :start AND "offset" < :stop ORDER BY "offset"'
        ),
        {"partition": partition, "start": start, "stop": stop},
    )
    return [LogRecord(*row) for row in rows]


def _holes(partition: int, start: int, stop: int, records: Iterable[LogRecord]) -> Iterator[Difference]:
    there = {record.offset for record in records}
    for offset in range(start, stop):
        if offset not in there:
            yield Difference("archive.record", f"{partition}:{offset}", "", "no row", "a record")


def _compare(connection: Connection, table: Table, expected: str) -> Iterator[Difference]:
    """Rows of one table that are missing, too many, or not as expected."""
    keys = [column.name for column in table.primary_key]
    names = [column.name for column in table.columns]
    stored_columns = ", ".join(f'stored."{name}" AS "stored_{name}"' for name in names)
    expected_columns = ", ".join(f'expected."{name}" AS "expected_{name}"' for name in names)
    same_key = " AND ".join(f'stored."{key}" = expected."{key}"' for key in keys)
    whole_rows = [", ".join(f'{side}."{name}"' for name in names) for side in ("stored", "expected")]
    query = text(
        f"SELECT {stored_columns}, {expected_columns},"  # noqa: S608 - names of our own tables
        f' stored."{keys[0]}" IS NOT NULL AS is_stored, expected."{keys[0]}" IS NOT NULL AS is_expected'
        f" FROM {table.schema}.{table.name} AS stored FULL JOIN ({expected}) AS expected ON {same_key}"
        f" WHERE ROW({whole_rows[0]}) IS DISTINCT FROM ROW({whole_rows[1]})"
    )
    for row in connection.execute(query).mappings():
        side = "stored" if row["is_stored"] else "expected"
        key = ":".join(_shown(row[f"{side}_{name}"]) for name in keys)
        yield from _row_differences(
            str(table),
            key,
            {name: row[f"stored_{name}"] for name in names} if row["is_stored"] else None,
            {name: row[f"expected_{name}"] for name in names} if row["is_expected"] else None,
        )


def _compare_heads(connection: Connection) -> Iterator[Difference]:
    """With the table log: the next offset of each partition is the one behind its last record."""
    if connection.execute(select(log.c.topic_id)).scalar_one() is not None:
        return
    rows = connection.execute(
        text(
            'SELECT head.partition, head.next_offset, coalesce(max(record."offset") + 1, 0) AS expected'
            " FROM archive.log_head AS head LEFT JOIN archive.record USING (partition)"
            " GROUP BY head.partition, head.next_offset ORDER BY head.partition"
        )
    )
    for partition, stored, expected in rows:
        if stored != expected:
            yield Difference("archive.log_head", str(partition), "next_offset", str(stored), str(expected))


def _compare_cases(connection: Connection, opening: set[str], summary: Summary) -> Iterator[Difference]:
    """Cases, histories and waits against the pure core's answer from the same evidence; marked ones are left out.

    Of the waits those whose instant is not known yet: the others are renewed when they are due, and may be behind.
    """
    stored = set(connection.execute(select(parcel_case.c.subject).union(select(verdict_version.c.subject))).scalars())
    marks = connection.execute(select(stale.c.subject, stale.c.itself, stale.c.others)).all()
    marked = {mark.subject for mark in marks if mark.itself}
    spreading = {mark.subject for mark in marks if mark.others or concerns.is_registry(mark.subject)}
    if spreading:
        marked |= set(connection.execute(concerned_by(connection, spreading)).scalars())
    # What opened a case may lie under another label than the one that the parcel is worked on under.
    opening |= {label for labels in labels_of(connection, opening).values() for label in labels}
    awaited = set(connection.execute(select(watch.c.subject).where(watch.c.deadline == concerns.AWAITED)).scalars())
    wanted = sorted(subject for subject in stored | opening | awaited if not concerns.is_registry(subject))
    asked = [subject for subject in wanted if subject not in marked]
    summary.pending = len(wanted) - len(asked)
    positions = read_positions(connection)
    for start in range(0, len(asked), _CASES):
        subjects = asked[start : start + _CASES]
        bundles = load_many(connection, subjects, positions)
        works = with_inside(
            connection, {subject: casework(evidence, positions) for subject, evidence in bundles.items()}
        )
        summary.cases += len(works)
        cases = {(subject, journey): row for subject in works for journey, row in works[subject].case_rows.items()}
        versions = {(subject, *place): row for subject in works for place, row in works[subject].version_rows.items()}
        yield from _compare_rows(connection, parcel_case, subjects, cases)
        yield from _compare_rows(connection, verdict_version, subjects, versions)
        unknown = [subject for subject in subjects if subject in awaited]
        waits = {(subject,): wait.columns for subject in unknown if (wait := works[subject].watch) is not None}
        yield from _compare_rows(connection, watch, unknown, waits)


def _compare_rows(
    connection: Connection,
    table: Table,
    subjects: Sequence[str],
    expected: Mapping[tuple[Any, ...], Mapping[str, Any]],
) -> Iterator[Difference]:
    """The stored rows about these subjects against the expected ones, by key."""
    keys = [column.name for column in table.primary_key]
    rows = connection.execute(select(table).where(table.c.subject.in_(subjects))).mappings()
    stored = {tuple(row[name] for name in keys): dict(row) for row in rows}
    for place in sorted(stored.keys() | expected.keys()):
        yield from _row_differences(str(table), " ".join(map(str, place)), stored.get(place), expected.get(place))


def _row_differences(
    table: str, key: str, stored: Mapping[str, Any] | None, expected: Mapping[str, Any] | None
) -> Iterator[Difference]:
    if stored is None and expected is None:
        return
    if stored is None or expected is None:
        yield Difference(
            table, key, "", "no row" if stored is None else "a row", "no row" if expected is None else "a row"
        )
        return
    for name, value in expected.items():
        if stored[name] != value:
            yield Difference(table, key, name, _shown(stored[name]), _shown(value))


def _shown(value: object) -> str:
    text_of_it = value.hex() if isinstance(value, bytes) else str(value)
    if len(text_of_it) <= _SHOWN_CHARACTERS_MAX:
        return text_of_it
    return f"{text_of_it[:_SHOWN_CHARACTERS_MAX]}..."
