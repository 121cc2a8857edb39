"""Which Kafka topic an archive belongs to, and how far each partition of it is projected."""

from collections.abc import Collection, Mapping

from sqlalchemy import Engine, exists, select, update

from schemas.readmodel import log, log_head, position
from services.custody.store import transaction


class ForeignTopic(Exception):
    """The topic is not the one that this archive was begun with. Going on would take its records for repeats."""


def bind_topic(engine: Engine, topic_id: str) -> None:
    """Note the topic's id with an empty archive, or compare it. Raises `ForeignTopic`, and `Unavailable`."""
    begun = exists(select(position).where(position.c.next_offset > 0)) | exists(
        select(log_head).where(log_head.c.next_offset > 0)
    )
    with transaction(engine) as connection:
        connection.execute(update(log).values(topic_id=topic_id).where(log.c.topic_id.is_(None), ~begun))
        bound = connection.execute(select(log.c.topic_id)).scalar_one()
    if bound is None:
        raise ForeignTopic("this archive was written by the table log; start Kafka with an empty database")
    if bound != topic_id:
        raise ForeignTopic(
            f"the topic has the id {topic_id}, this archive was begun with {bound}: the topic was made anew, or the "
            "database belongs to another broker"
        )


def load_positions(engine: Engine, partitions: Collection[int]) -> Mapping[int, int]:
    """The next offset of each partition. Raises `Unavailable`."""
    query = select(position.c.partition, position.c.next_offset).where(position.c.partition.in_(partitions))
    with transaction(engine) as connection:
        return {row.partition: row.next_offset for row in connection.execute(query)}
