"""Whose clock dates the records of this log: the server's, or a story's. Decided while the log is empty, for ever."""

from sqlalchemy import Engine, func, select, update

from schemas.errors import Unavailable
from schemas.readmodel import log, record


class WrongClock(Exception):
    """The log was begun under the other clock. The message says what to do."""


def claim(engine: Engine, *, story_clock: bool) -> None:
    """Begin an empty log under this clock, or confirm it. Raises `WrongClock`.

    Stories need to say when a thing was recorded. Evidence must never: a log that has records on the server's clock
    can not be opened with the story clock, nor one with stories without it.
    """
    with engine.begin() as connection:
        told = connection.execute(select(log.c.story_clock).with_for_update()).scalar_one_or_none()
        if told is None:
            raise Unavailable("the database holds no log yet; run `lastintact migrate` first")
        if told == story_clock:
            return
        records = connection.execute(
            select(func.count()).select_from(select(record.c.offset).limit(1).subquery())
        ).scalar_one()
        if records:
            raise WrongClock(
                "This database was filled by stories, with record times of their own; start it with --story-clock."
                if told
                else "This database holds records on the server's clock; --story-clock needs an empty one (--data DIR)."
            )
        connection.execute(update(log).values(story_clock=story_clock))
