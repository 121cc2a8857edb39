"""Chance that repeats itself: every draw hangs on the seed and on the name of what it is drawn for."""

import hashlib
import random
from datetime import timedelta
from uuid import UUID


def dice(*names: object) -> random.Random:
    """A source of chance that depends on the names alone, so that adding a parcel leaves every other one as it was."""
    return random.Random("/".join(str(name) for name in names))  # noqa: S311 - a story needs no secrets


def event_id(source: random.Random) -> str:
    """A random-looking UUID out of the dice."""
    return str(UUID(int=source.getrandbits(128), version=4))


def picture(*names: object) -> str:
    """The SHA-256 that a photo would have; there is no photo."""
    return hashlib.sha256("/".join(str(name) for name in names).encode()).hexdigest()


def between(source: random.Random, low: timedelta, high: timedelta) -> timedelta:
    """Some duration from low to high, in whole milliseconds."""
    return timedelta(milliseconds=source.randint(low // timedelta(milliseconds=1), high // timedelta(milliseconds=1)))
