"""The whole projection as plain rows, so that two ways of building it can be compared."""

from sqlalchemy import Engine, select

from schemas import readmodel

# Marks are numbered by arrival, checks are a cache, and `positions` says when a case was computed, not what it says.
BUILT = (
    *("position", "event", "mention", "event_identity", "identity_clash"),
    *("parcel_case", "verdict_version", "watch"),
)
_PASSING = {"parcel_case": {"positions"}}

Rows = dict[str, list[tuple[object, ...]]]


def built_rows(engine: Engine) -> Rows:
    """Every row that is a function of the log, sorted."""
    found: Rows = {}
    with engine.connect() as connection:
        for name in BUILT:
            table = readmodel.metadata.tables[f"{readmodel.PROJECTION}.{name}"]
            columns = [column for column in table.columns if column.name not in _PASSING.get(name, ())]
            found[name] = sorted((tuple(row) for row in connection.execute(select(*columns))), key=repr)
    return found
