"""Counts what was recorded inside a unit when something happened to it, units within units included."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ARRAY, Connection, Text, bindparam, text

from schemas.readmodel import INSTANT
from services.custody.core.casework import Casework
from services.custody.core.containment import DEPTH_MAX, LONGEST_STAY
from services.custody.store import schema_of


class Load(NamedTuple):
    """What was inside."""

    items: int
    """Without the units that they were in."""
    units: tuple[str, ...]


# The last thing recorded of an item and a unit before the instant says whether it was inside. What was packed so long
# ago that the stay has ended by itself (R9h) is not counted.
_INSIDE = """
    WITH RECURSIVE content (unit, t, subject, depth) AS (
        SELECT unit, t, unit, 0 FROM unnest(:units, :instants) AS asked (unit, t)
        UNION
        SELECT content.unit, content.t, latest.subject, content.depth + 1
        FROM content CROSS JOIN LATERAL (
            SELECT DISTINCT ON (subject) subject, role FROM {schema}.mention
            WHERE other = content.subject AND role IN ('packed', 'unpacked')
              AND event_time <= content.t AND event_time > content.t - make_interval(secs => :longest)
            ORDER BY subject, event_time DESC, role DESC, record_time DESC, "offset" DESC
        ) AS latest
        WHERE latest.role = 'packed' AND content.depth < :depth
    )
    SELECT unit, t,
           count(DISTINCT subject) FILTER (WHERE NOT is_unit) AS items,
           coalesce(array_agg(DISTINCT subject) FILTER (WHERE is_unit), '{{}}') AS units
    FROM (
        SELECT unit, t, subject, EXISTS (
            SELECT FROM {schema}.mention WHERE other = content.subject AND role = 'packed'
        ) AS is_unit
        FROM content WHERE depth > 0 AND subject <> unit
    ) AS contents
    GROUP BY unit, t
"""


def with_inside(connection: Connection, works: Mapping[str, Casework]) -> Mapping[str, Casework]:
    """The same with the items counted that were inside at each case's first incident. No query where there is none."""
    asked = {
        (subject, case.incident_at)
        for subject, work in works.items()
        for case in work.cases
        if case.incident_at is not None
    }
    if not asked:
        return works
    loads = _loads(connection, sorted(asked))
    return {
        subject: replace(
            work,
            cases=tuple(
                case.holding(load.items, load.units) if (load := loads.get((subject, case.incident_at))) else case
                for case in work.cases
            ),
        )
        for subject, work in works.items()
    }


def _loads(connection: Connection, asked: list[tuple[str, datetime]]) -> Mapping[tuple[str, datetime | None], Load]:
    query = text(_INSIDE.format(schema=schema_of(connection))).bindparams(
        bindparam("units", type_=ARRAY(Text)), bindparam("instants", type_=ARRAY(INSTANT))
    )
    rows = connection.execute(
        query,
        {
            "units": [unit for unit, _ in asked],
            "instants": [instant for _, instant in asked],
            "longest": LONGEST_STAY.total_seconds(),
            "depth": DEPTH_MAX,
        },
    )
    return {(unit, t): Load(items, tuple(sorted(units))) for unit, t, items, units in rows}
