"""The ends of time, and adding to an instant without falling off them."""

from datetime import UTC, datetime, timedelta, tzinfo

BEGINNING = datetime.min.replace(tzinfo=UTC)
ENDLESS = datetime.max.replace(tzinfo=UTC)


def later(instant: datetime, by: timedelta) -> datetime:
    """The instant so much later; the end of time where the calendar has no such instant."""
    try:
        return instant + by
    except OverflowError:
        return ENDLESS


def earlier(instant: datetime, by: timedelta) -> datetime:
    """The instant so much earlier; the beginning of time where the calendar has no such instant."""
    try:
        return instant - by
    except OverflowError:
        return BEGINNING


def in_zone(instant: datetime, zone: tzinfo | None) -> datetime:
    """The same instant by the clocks of a zone; in its own zone where those clocks have no such date."""
    try:
        return instant.astimezone(zone)
    except OverflowError:
        return instant
