"""The topic in Kafka: made once, with what evidence needs, and known again by its id."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError

from schemas.errors import Unavailable
from schemas.topics import EVENTS, Topic
from services.log.kafka_client import administering, left_ms, unavailable

BATCH_BYTES_MAX = 4 * 1024**2
"""What the broker takes as one batch."""


class Declared(NamedTuple):
    """A topic as it is."""

    topic_id: str
    """Kafka's id of it: another id later is another topic."""
    replicas: int
    """How many brokers have each of its records."""


def declare(bootstrap: str, topic: Topic = EVENTS, *, deadline_seconds: float = 30.0) -> Declared:
    """Create the topic unless it is there, and bring its settings to what evidence needs.

    Raises `Unavailable` while there is no broker, and RuntimeError when a topic of that name has another shape than
    declared: that is for a person to look at.
    """
    deadline = time.monotonic() + deadline_seconds
    with unavailable("declare"), administering(bootstrap, deadline) as admin:
        replicas = min(topic.replicas, len(admin.describe_cluster()["brokers"]))
        wanted = {
            "num_partitions": topic.partitions,
            "replication_factor": replicas,
            "configs": _settings(topic, replicas),
        }
        try:
            admin.create_topics({topic.name: wanted})
            admin.wait_for_topics([topic.name], timeout_ms=left_ms(deadline))
            found = described(admin, topic)
        except TopicAlreadyExistsError:
            admin.wait_for_topics([topic.name], timeout_ms=left_ms(deadline))
            found = described(admin, topic)
            replicas = min(len(partition["replica_nodes"]) for partition in found["partitions"])
            _keep_settings(admin, topic, _settings(topic, replicas))
        check_partitions(topic, len(found["partitions"]))
        return Declared(str(found["topic_id"]), replicas)


def _settings(topic: Topic, replicas: int) -> Mapping[str, str]:
    return {
        "cleanup.policy": "delete",
        # A replica that lags must not become the leader: what only the others have would be gone, though acknowledged.
        "unclean.leader.election.enable": "false",
        # More than there are would stop all writing.
        "min.insync.replicas": str(min(topic.in_sync_min, replicas)),
        "retention.ms": str(topic.retention_hours * 3600 * 1000),
        # Retention counts from the broker's clock, whatever the clock of the door says.
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(BATCH_BYTES_MAX),
    }


def described(admin: KafkaAdminClient, topic: Topic) -> Mapping[str, Any]:
    """What the cluster says of the topic: `topic_id`, `partitions`."""
    (found,) = admin.describe_topics([topic.name])
    return dict(found)


def foreign(topic: Topic) -> Unavailable:
    """The refusal to write to another topic of the same name."""
    return Unavailable(
        f"the topic {topic.name} is not the one that this archive belongs to: it was made anew, or the broker is "
        "another; nothing is recorded until somebody has looked"
    )


def check_partitions(topic: Topic, found: int) -> None:
    """Raises RuntimeError where the topic has another number of partitions than declared."""
    if found != topic.partitions:
        raise RuntimeError(
            f"topic {topic.name} has {found} partitions, not {topic.partitions}: subjects would change partition"
        )


def _keep_settings(admin: KafkaAdminClient, topic: Topic, settings: Mapping[str, str]) -> None:
    """Bring an existing topic's settings to what is declared; refuse one that is compacted."""
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, dict.fromkeys(settings))
    configs = admin.describe_configs([resource], config_filter="all")
    actual = {name: entry["value"] for name, entry in next(iter(configs.values()))[topic.name].items()}
    if "compact" in str(actual["cleanup.policy"]):
        raise RuntimeError(f"topic {topic.name} is compacted: it may have lost evidence and cannot be the log")
    different = {name: value for name, value in settings.items() if actual[name] != value}
    if different:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, different)])
