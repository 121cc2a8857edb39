"""The write door as its settings make it."""

from pathlib import Path

import pytest

from services.edge.database import make_engine
from services.edge.keys import KeyStore
from services.ingest.app import create_app, make_door
from services.ingest.settings import IngestSettings
from services.log.clock import WrongClock
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
