"""The database, then the broker, die under a Faust worker: it waits, goes on, and each record is there once."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from schemas.topics import EVENTS
from services.custody.migrations import upgrade
from services.custody.worker import EXIT_AGAIN
from services.log.kafka import KafkaLog
from services.log.kafka_topic import declare
from services.parts.kafka import LocalKafka
from services.parts.postgres import LocalPostgres
from tests.contract.log_suite import append_in_the_end
from tests.faust_worker import (
    assert_projected_exactly_once,
    everything,
    faust_worker,
    projected,
    some_entries,
    wait_until,
)
from tests.zygote import Zygote

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.fault,
    pytest.mark.slow,
]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Not below pytest's own directory: that one is closed to the account Postgres runs under when we are root."""
    made = Path(tempfile.mkdtemp(prefix="lastintact-test-"))
    yield made
    shutil.rmtree(made)


def test_a_worker_waits_for_its_database_and_its_broker(data_dir: Path, zygote: Zygote, tmp_path: Path) -> None:
    output = tmp_path / "worker.log"
    with LocalPostgres(data_dir / "postgres") as postgres, LocalKafka(data_dir / "kafka") as broker:
        upgrade(postgres.url())
        engine = create_engine(postgres.url(), poolclass=NullPool)
        declare(broker.bootstrap)
        log = KafkaLog(broker.bootstrap, log_id="not used here")
        log.append(some_entries(2000))

        with faust_worker(zygote, broker.bootstrap, postgres.url(), EVENTS, output, batch=20) as first:
            wait_until(lambda: projected(engine) > 300, "a beginning")
            postgres.kill()
            with pytest.raises(OperationalError):
                projected(engine)
            wait_until(lambda: "projection waits" in output.read_text("utf-8"), "the worker to notice")
            postgres.start()
            wait_until(lambda: first.code is not None or projected(engine) >= 2000, "it to go on, or to say why not")
            # The killed database may have lost commits that were not flushed; then the worker resumes by a new start.
            assert first.code in (None, EXIT_AGAIN)

        with faust_worker(zygote, broker.bootstrap, postgres.url(), EVENTS, output, batch=20) as second:
            wait_until(lambda: projected(engine) >= 2000, "everything, after the database came back")
            broker.kill()
            broker.start()
            declare(broker.bootstrap)
            append_in_the_end(log, some_entries(500, first=2000))
            wait_until(lambda: projected(engine) >= sum(log.ends().values()), "everything, after the broker came back")
            assert second.code is None, "a broker that was away is no reason to end"

        assert_projected_exactly_once(engine, everything(log))
        log.close()
