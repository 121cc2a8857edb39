"""The names inside Faust and aiokafka that the transport leans on: a version that moves one must fail here first."""

import inspect
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.serializers.codecs import Codec
from faust.transport import consumer as base
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from faust.types.tuples import Message

from services.custody.transport import AsFetched, BatchConsumer, BatchTransport, BoundedWorker, ProjectorApp

AT = TP("events", 3)


def parameters(function: Any) -> list[str]:
    """The names of a function's parameters."""
    return list(inspect.signature(function).parameters)


def test_faust_is_the_version_that_was_read() -> None:
    assert version("faust-streaming") == "0.15.3", "read the new version's consumer before moving this"


@pytest.mark.parametrize(
    ("owner", "name", "expected"),
    [
        (base.Consumer, "getmany", ["self", "timeout"]),
        (base.Consumer, "_wait_next_records", ["self", "timeout"]),
        (base.Consumer, "perform_seek", ["self"]),
        (base.Consumer, "_new_offset", ["self", "tp"]),
        (base.Consumer, "_is_changelog_tp", ["self", "tp"]),
        (driver.Consumer, "seek_to_committed", ["self"]),
        (driver.Consumer, "seek_wait", ["self", "partitions"]),
        (driver.Consumer, "assignment", ["self"]),
        (driver.Consumer, "highwater", ["self", "tp"]),
        (driver.Consumer, "highwaters", ["self", "partitions"]),
        (faust.App, "_new_transport", ["self"]),
        (faust.App, "_create_directories", ["self"]),
        (faust.Worker, "_schedule_shutdown", ["self", "signal"]),
        (Codec, "_loads", ["self", "s"]),
    ],
)
def test_what_is_overridden_or_called_is_still_there(owner: Any, name: str, expected: list[str]) -> None:
    assert parameters(getattr(owner, name)) == expected


def test_the_consumer_asks_for_positions_whenever_it_seeks() -> None:
    assert "await self.seek_to_committed()" in inspect.getsource(base.Consumer.perform_seek)
    assert "perform_seek()" in inspect.getsource(base.Consumer.getmany)


def test_the_drain_loop_takes_what_getmany_yields() -> None:
    source = inspect.getsource(base.Consumer._drain_messages)

    assert "getmany(timeout=1.0)" in source
    assert "async for tp, message in ait" in source
    assert "offset >= r_offset" in source, "a batch is dropped when its last offset lies before what was read"


def test_a_message_has_the_fields_that_a_batch_fills_in() -> None:
    assert issubclass(ConsumerMessage, Message)
    assert parameters(Message.__init__)[1:12] == [
        "topic",
        "partition",
        "offset",
        "timestamp",
        "timestamp_type",
        "headers",
        "key",
        "value",
        "checksum",
        "serialized_key_size",
        "serialized_value_size",
    ]
    assert {"tp", "generation_id"} <= set(parameters(Message.__init__))


def test_the_app_uses_our_transport_and_the_transport_our_consumer() -> None:
    app = ProjectorApp("test", broker="kafka://127.0.0.1:1", web_enabled=False)

    assert isinstance(app.transport, BatchTransport)
    assert app.transport.Consumer is BatchConsumer
    assert issubclass(BoundedWorker, faust.Worker)


def test_a_fetched_batch_passes_the_codec_untouched() -> None:
    fetched = [object(), object()]

    assert AsFetched().loads(fetched) is fetched


def consumer_with(acked: list[int]) -> BatchConsumer:
    """A consumer that only has what committing looks at."""
    consumer = object.__new__(BatchConsumer)
    consumer.__dict__.update(_acked={AT: acked}, _acked_index={AT: set(acked)}, _gap={AT: {0}})
    return consumer


def test_committing_goes_past_the_last_batch_although_offsets_between_were_never_acknowledged() -> None:
    consumer = consumer_with([499, 999])

    assert consumer._new_offset(AT) == 1000
    assert consumer._new_offset(AT) is None


async def _collect(consumer: BatchConsumer) -> list[tuple[TP, ConsumerMessage]]:
    return [pair async for pair in consumer.getmany(timeout=1.0)]


def fetching(records: dict[TP, list[Any]], *, generations: list[int], active: set[TP]) -> BatchConsumer:
    """A consumer whose next fetch gives these records; the generation moves on while it waits."""

    class Fetching(BatchConsumer):
        should_stop = False
        flow_active = True

        async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's signature
            self.app.consumer_generation_id = generations[-1]
            return records, active

        def highwater(self, tp: TP) -> int:
            return 10

    consumer = object.__new__(Fetching)
    monitor = SimpleNamespace(track_tp_end_offset=lambda tp, offset: None)
    consumer.__dict__.update(
        app=SimpleNamespace(consumer_generation_id=generations[0], monitor=monitor), _buffered_partitions=set()
    )
    return consumer


def some_records() -> list[Any]:
    """Two records as aiokafka gives them."""
    return [SimpleNamespace(offset=offset, timestamp=1000, timestamp_type=1) for offset in (6, 7)]


def run(coroutine: Any) -> Any:
    """Drive a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


def test_one_fetch_of_a_partition_is_one_message() -> None:
    consumer = fetching({AT: some_records()}, generations=[4, 4], active={AT})

    ((tp, message),) = run(_collect(consumer))

    assert tp == AT
    assert [record.offset for record in message.value] == [6, 7]
    assert (message.offset, message.generation_id) == (7, 4)


def test_what_was_asked_for_before_a_rebalance_is_dropped() -> None:
    assert run(_collect(fetching({AT: some_records()}, generations=[4, 5], active={AT}))) == []


def test_a_partition_that_is_paused_is_not_handed_on() -> None:
    assert run(_collect(fetching({AT: some_records()}, generations=[4, 4], active=set()))) == []
