"""Subjects that the core fails on: set aside with a word in the log, so that everybody else's answers go on.

No generated history has made it fail; this contains the one that will. A fault of the database, or of a statement, is
everybody's and not contained.
"""

from collections.abc import Callable

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DataError, SQLAlchemyError

from schemas.errors import Unavailable
from schemas.readmodel import event
from services.custody.store import transaction
from services.edge.logs import logger

Parked = Callable[[str], None]
"""Told which part set a subject aside, for a metric."""

_say = logger(__name__)


def is_of_one_subject(error: Exception) -> bool:
    """Whether the error may be about one subject's evidence, and the others can be worked on."""
    if isinstance(error, (Unavailable, SQLAlchemyError)):
        return isinstance(error, DataError)  # what was computed cannot be written down
    return True


def set_aside(engine: Engine, part: str, subject: str, error: Exception, parked: Parked) -> str | None:
    """Tell that a part failed on a subject. The id of its latest event: with another one it is worth a try."""
    with transaction(engine) as connection:
        event_id = latest_event(connection, subject)
    parked(part)
    _say.error("subject set aside", part=part, parcel_id=subject, event_id=event_id, exc_info=error)
    return event_id


def latest_event(connection: Connection, subject: str) -> str | None:
    """Id of the event that was recorded last about a subject."""
    query = select(event.c.event_id).where(event.c.subject == subject)
    newest = query.order_by(event.c.record_time.desc(), event.c.partition.desc(), event.c.offset.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none()
