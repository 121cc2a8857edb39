"""The ends of time, and adding to an instant without falling off them."""

from datetime import UTC, datetime, timedelta

BEGINNING = datetime.min.replace(tzinfo=UTC)
ENDLESS = datetime.max.replace(tzinfo=UTC)


def later(instant: datetime, by: timedelta) -> datetime:
    """The instant so much later; the end of time where the calendar has no such instant."""
    try:
        return instant + by
    except OverflowError:
        return ENDLESS
