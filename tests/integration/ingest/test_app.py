"""The write door as its settings make it."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from services.edge.database import make_engine
from services.edge.keys import KeyStore
from services.ingest.app import WrongLog, create_app, make_door
from services.ingest.settings import IngestSettings
from services.log.clock import WrongClock
from services.log.port import Entry
from services.log.table import TableLog
from tests.asgi import asking
from tests.integration.ingest.world import ACCEPTED, OK, STRUCTURED, scan


def test_the_app_takes_scans_from_keys_that_the_command_makes(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LASTINTACT_DATABASE_URL", database_url)
    monkeypatch.setenv("LASTINTACT_PEPPER_FILE", str(tmp_path / "pepper"))
    engine = make_engine(database_url)
    key = KeyStore(engine, tmp_path / "pepper").add(role="scanner", label="test", depot="H1").text
    engine.dispose()

    with asking(create_app(IngestSettings())) as asker:
        ready = asker.ask("GET", "/readyz")
        posted = asker.ask("POST", "/v1/events", key=key, content=scan("e1"), headers={"Content-Type": STRUCTURED})

    assert (ready.status_code, ready.json()["checks"]) == (OK, {"database": "ok", "log": "ok"})
    assert posted.status_code == ACCEPTED, posted.text


def test_a_door_does_not_open_on_a_log_of_the_other_clock(database_url: str, tmp_path: Path) -> None:
    real = IngestSettings(database_url=database_url, pepper_file=tmp_path / "pepper")
    door = make_door(real)
    key = KeyStore(door.engine, tmp_path / "pepper").add(role="scanner", label="test", depot="H1").text
    with asking(create_app(real)) as asker:
        asker.ask("POST", "/v1/events", key=key, content=scan("e1"), headers={"Content-Type": STRUCTURED})
    door.engine.dispose()

    with pytest.raises(WrongClock, match="server's clock"):
        make_door(real.model_copy(update={"story_clock": True}))


def test_a_door_without_kafka_does_not_open_on_the_archive_of_a_topic(database_url: str, tmp_path: Path) -> None:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE archive.log SET topic_id = 'T1'"))
    engine.dispose()

    with pytest.raises(WrongLog, match="LASTINTACT_KAFKA_BOOTSTRAP"):
        make_door(IngestSettings(database_url=database_url, pepper_file=tmp_path / "pepper"))


def test_a_door_to_kafka_does_not_open_on_the_archive_of_the_table_log(database_url: str, tmp_path: Path) -> None:
    table = IngestSettings(database_url=database_url, pepper_file=tmp_path / "pepper", kafka_bootstrap="")
    door = make_door(table)
    assert isinstance(door.log, TableLog)
    door.log.append([Entry(b"yto:YT1", b"{}")])
    door.engine.dispose()

    with pytest.raises(WrongLog, match="empty database"):
        make_door(table.model_copy(update={"kafka_bootstrap": "localhost:1"}))


@pytest.mark.parametrize("setting", [{"append_seconds": 0}, {"concurrent_posts": 0}, {"waiting_posts": -1}])
def test_a_bound_that_would_let_nobody_in_is_refused(setting: dict[str, float], tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        IngestSettings(database_url="postgresql+psycopg://x", pepper_file=tmp_path, **setting)  # type: ignore[arg-type]
