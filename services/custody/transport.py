"""Faust's inside, bent to our needs: one message per fetched batch, and positions that come from Postgres.

Everything here leans on names that Faust does not promise to keep. `faust-streaming` is pinned for it, and
tests/unit/custody/test_transport_contract.py fails when a new version changes one of them.
"""

import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from signal import Signals
from typing import Any

import faust
from aiokafka.structs import TopicPartition
from faust.serializers.codecs import Codec
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode import Service

LoadPositions = Callable[[Collection[int]], Awaitable[Mapping[int, int]]]
"""Partitions -> the next offset of each, from where the truth about progress is kept."""


class AsFetched(Codec):
    """Leaves a value as it is: the value of our messages is a list of records, which no codec may touch."""

    def _loads(self, s: Any) -> Any:
        return s

    def _dumps(self, s: Any) -> Any:
        return s


class BatchConsumer(driver.Consumer):
    """Hands on what one fetch gave of a partition as one message: Faust's work is done per message, ours per record.

    A message's value is the list of records, its offset that of the last of them, its generation the one in which it
    was asked for. Sound only because one agent with concurrency 1 takes the messages in order.
    """

    app: "ProjectorApp"

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's signature
        """One message per partition that has records. What another generation asked for is left to its owner."""
        generation = self.app.consumer_generation_id
        records, active = await self._wait_next_records(timeout)
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            # These records will not be fetched again by themselves.
            await self.perform_seek()
            return
        for at, fetched in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            tp = TP(at.topic, at.partition)
            if fetched and (active is None or tp in active or tp in self._buffered_partitions):
                self.app.monitor.track_tp_end_offset(tp, self.highwater(at))
                yield tp, self._batch_message(tp, fetched, generation)

    def _batch_message(self, tp: TP, fetched: list[Any], generation: int) -> ConsumerMessage:
        last = fetched[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            (),
            None,
            fetched,
            None,
            tp=tp,
            generation_id=generation,
        )

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to the positions in Postgres. Every way to resume passes here; what Kafka has committed is a lag metric.

        Not to be confused with a seek in `on_partitions_assigned`, which Faust undoes.
        """
        offsets = dict(await super().seek_to_committed())
        mine = {tp for tp in self.assignment() if not self._is_changelog_tp(tp)}
        positions = await self.app.load_positions({tp.partition for tp in mine})
        wanted = {TopicPartition(tp.topic, tp.partition): positions[tp.partition] for tp in mine}
        if wanted:
            await self.seek_wait(wanted)
        return offsets | {TP(at.topic, at.partition): offset for at, offset in wanted.items()}

    def _new_offset(self, tp: TP) -> int | None:
        """What to commit: past the last batch acknowledged. Faust would look for every offset between and wait."""
        acked = self._acked[tp]
        if not acked:
            return None
        following = int(max(acked)) + 1
        acked.clear()
        self._acked_index[tp].clear()
        self._gap[tp].clear()
        return following

    @Service.task
    async def _watch(self) -> None:
        """Look every few seconds whether something moves: Faust's recovery can end quietly and leave us idle."""
        while not self.should_stop:
            await self.sleep(self.app.watch_seconds)
            if not self.should_stop:
                await self.app.watch(self)


class BatchTransport(driver.Transport):
    """Faust's aiokafka transport with our consumer."""

    Consumer = BatchConsumer


class ProjectorApp(faust.App):
    """A Faust app that fetches in batches, keeps positions elsewhere and writes nothing to the disk."""

    load_positions: LoadPositions
    watch: Callable[[BatchConsumer], Awaitable[None]]
    watch_seconds: float = 15.0

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """None are needed: there are no tables."""


class BoundedWorker(faust.Worker):
    """Runs an app until a signal, and for a bounded time after it. Leaves standard output and the loggers alone."""

    def __init__(self, app: ProjectorApp, *, shutdown_seconds: float) -> None:
        super().__init__(app, quiet=True, override_logging=False, redirect_stdouts=False, loglevel="WARNING")
        self.spinner = None
        self._shutdown_seconds = shutdown_seconds

    def _schedule_shutdown(self, signal: Signals) -> None:
        # Whatever Faust still waits for then: the positions are with the rows, and nothing is lost by ending.
        last_bell = threading.Timer(self._shutdown_seconds, os._exit, args=(0,))
        last_bell.daemon = True
        last_bell.start()
        super()._schedule_shutdown(signal)
