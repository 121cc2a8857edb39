"""A write door over a real database, with a key for every role, and events that it takes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine, Row, func, select

from schemas import codec
from schemas.readmodel import record, refusal
from services.custody.store import project_batch
from services.edge import health, roles
from services.edge.database import make_engine
from services.edge.keyring import KeyRing
from services.edge.keys import KeyStore, load_pepper
from services.edge.metrics import Metrics
from services.edge.web import new_app
from services.ingest import routes
from services.ingest.app import log_check
from services.ingest.door import Door
from services.log.port import EventLog
from services.log.table import TableLog
from tests.asgi import Asker, asking

NOW = datetime(2026, 7, 7, 16, 0, tzinfo=UTC)
BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"
OK, ACCEPTED, UNAVAILABLE = 200, 202, 503
DATA = b'{"mode":"AUTO_SCAN", "party":"H1"}'


def attributes(event_id: str, **changed: Any) -> dict[str, Any]:
    """The attributes of a scan by the device SC07 of the depot H1."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "/depots/H1/devices/SC07",
        "type": "custody.item_scanned.v1",
        "subject": "yto:YT8812345678",
        "time": "2026-07-07T23:05:00+08:00",
        "datacontenttype": "application/json",
    } | changed


def scan(event_id: str, data: bytes = DATA, **changed: Any) -> bytes:
    """The scan in structured mode, holding exactly these data bytes."""
    return json.dumps(attributes(event_id, **changed))[:-1].encode() + b',"data":' + data + b"}"


def batch(*events: bytes) -> bytes:
    """Structured events as a batch."""
    return b"[" + b",".join(events) + b"]"


class DoorWorld:
    """Post to it; look into the log and the refusals."""

    def __init__(self, database_url: str, directory: Path, log: EventLog | None = None, **door: Any) -> None:
        self.engine: Engine = make_engine(database_url)
        self.log = log or TableLog(self.engine)
        self.door = Door(self.log, self.engine, "test-build", clock=lambda: self.now, **door)
        self.now = NOW
        self.metrics = Metrics()
        self.store = KeyStore(self.engine, directory / "pepper")
        self.ring = KeyRing(self.engine, load_pepper(directory / "pepper"), clock=lambda: self.now)
        self.keys = {role: self.store.add(role=role, label="test").text for role in ("claims", "ops", "admin")} | {
            "scanner": self.store.add(role="scanner", label="test", depot="H1", party="H1", devices=("SC07",)).text,
            "other": self.store.add(role="scanner", label="test", depot="H2").text,
        }

    def app(self, **bounds: Any) -> FastAPI:
        """The write door's application."""
        checks = {"database": health.database_check(self.engine), "log": log_check(self.log)}
        made = new_app("test", self.ring, self.metrics, checks, version="1")
        made.include_router(routes.router(self.door, self.metrics, **bounds))
        return roles.seal(made)

    @contextmanager
    def open(self, **bounds: Any) -> Iterator["DoorWorld"]:
        """Serve posts inside the block."""
        with asking(self.app(**bounds)) as self.asker:
            yield self
        self.engine.dispose()

    asker: Asker

    def post(
        self, body: Any, content_type: str = STRUCTURED, *, key: str | None = "scanner", **headers: str
    ) -> httpx.Response:
        """The answer to a post. `key` is the name of one of ours, or the text of another."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Type": content_type}
        text = None if key is None else self.keys.get(key, key)
        return self.asker.ask("POST", "/v1/events", key=text, content=body, headers=sent)

    def recorded(self) -> list[codec.Envelope]:
        """Everything in the log."""
        return [
            codec.decode_record(found.value)
            for partition, end in sorted(self.log.ends().items())
            for found in self.log.read(partition, 0, end)
        ]

    def archived(self) -> int:
        """How many records the archive holds."""
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(record)).scalar_one()

    def refused(self) -> list[Row[Any]]:
        """Everything that was refused and kept."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(refusal).order_by(refusal.c.refusal_id)))


def project(world: DoorWorld) -> None:
    """Let the projector see everything that is recorded."""
    for partition, end in world.log.ends().items():
        if end:
            project_batch(world.engine, world.log.read(partition, 0, end), archive=False)


def outcomes(answer: httpx.Response) -> list[str]:
    """What became of each event, in order."""
    results = answer.json()["results"]
    assert [result["index"] for result in results] == list(range(len(results)))
    return [result["outcome"] for result in results]


def assert_problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The body of a problem of this kind."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"/problems/{slug}"
    return body
