"""A small world to ask about: a real database, the table log, the projector's and the refresher's steps, the read door.

Every answer is held against the committed OpenAPI document.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
from jsonschema import Draft202012Validator
from sqlalchemy import Engine, make_url

from schemas import codec
from schemas.codec import Envelope
from schemas.events import DeviceEnrolled, Event, HandoffAccepted, Observation, Operator, PartyRegistered
from schemas.identifiers import parse_subject
from schemas.positions import Position
from schemas.topics import EVENTS, partition_of
from schemas.vocabulary import CaptureMode, Condition, Facet, PartyRole
from services.custody.refresh import Refresher
from services.custody.store import project_batch
from services.edge.database import make_engine
from services.edge.keys import KeyStore
from services.log import clock
from services.log.port import Entry
from services.log.table import TableLog
from services.parts.postgres import create_database, drop_database
from services.query.app import create_app
from services.query.settings import QuerySettings
from tests.asgi import asking

OPENAPI = Path(__file__).parents[2] / "schemas" / "generated" / "openapi.json"
PARCEL = "yto:YT1"
DAY_ZERO = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    """So many days after day zero."""
    return DAY_ZERO + timedelta(days=number)


def envelope(
    subject: str,
    event_id: str,
    data: Event,
    at: datetime,
    *,
    depot: str = "H1",
) -> Envelope:
    """A recorded event as the write door makes it, unsigned and recorded as it happened."""
    return Envelope(
        id=event_id,
        source=f"/depots/{depot}/devices/d1",
        type=data.TYPE,
        subject=subject,
        time=codec.format_instant(at),
        data=msgspec.json.encode(data),
        recordedtime=codec.format_instant(at),
        recordedby="test",
        recordeddepot=depot,
        recordedparty=depot,
    )


def changed(told: Envelope, **fields: object) -> Envelope:
    """The same event with other attributes."""
    return msgspec.structs.replace(told, **fields)


def registrations() -> list[Envelope]:
    """C1, H1 and LH are carriers with a device each, from day zero on."""
    told = []
    for party in ("C1", "H1", "LH"):
        carrier = PartyRegistered(party=party, role=PartyRole.CARRIER)
        device = DeviceEnrolled(device=f"{party}.d1", party=party)
        told.append(envelope(f"party:{party}", f"party-{party}", carrier, DAY_ZERO, depot=party))
        told.append(envelope(f"device:{party}.d1", f"device-{party}", device, DAY_ZERO, depot=party))
    return told


def accept(by: str, *, giver: str | None = None, outer: Condition | None = None) -> HandoffAccepted:
    """A handoff taken by a person who looked at the outside, or at nothing."""
    looks = () if outer is None else (Observation(Facet.OUTER, outer),)
    return HandoffAccepted(
        mode=CaptureMode.HUMAN_INSPECT, taker=by, giver=giver, observations=looks, operator=Operator(ref="op1")
    )


def crushed(subject: str, since: datetime = DAY_ZERO + timedelta(days=1)) -> list[Envelope]:
    """C1 takes it sound, H1 takes it without a word, LH finds it crushed; a day apart."""
    return [
        envelope(subject, f"{subject}-1", accept("C1", giver="SENDER", outer=Condition.OK), since, depot="C1"),
        envelope(subject, f"{subject}-2", accept("H1"), since + timedelta(days=1), depot="H1"),
        envelope(subject, f"{subject}-3", accept("LH", outer=Condition.BAD), since + timedelta(days=2), depot="LH"),
    ]


def one_in_every_partition(at: datetime) -> list[Envelope]:
    """Events about nobody's parcels, so that every partition has a record of that time."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < EVENTS.partitions:
        number += 1
        found.setdefault(partition_of(f"yto:F{number}".encode()), f"yto:F{number}")
    return [envelope(subject, f"filler-{at:%d%H}-{subject}", accept("C1"), at) for subject in found.values()]


class World:
    """Tell it events, let it catch up, ask."""

    def __init__(self, database_url: str, directory: Path, *, story_clock: bool = False) -> None:
        self.engine: Engine = make_engine(database_url)
        clock.claim(self.engine, story_clock=story_clock)
        self.log = TableLog(self.engine)
        self._settings = QuerySettings(database_url=database_url, pepper_file=directory / "pepper")
        keys = KeyStore(self.engine, directory / "pepper")
        self.keys = {
            role: keys.add(role=role, label="test", depot="H1" if role == "scanner" else None).text
            for role in ("scanner", "claims", "ops", "admin")
        }
        self.app = create_app(self._settings)
        self._document: dict[str, Any] = json.loads(OPENAPI.read_text(encoding="utf-8"))

    @contextmanager
    def open(self) -> Iterator["World"]:
        """Serve questions inside the block."""
        with asking(self.app) as self._asker:
            yield self
        self.engine.dispose()

    def record(self, *envelopes: Envelope) -> list[Position]:
        """Append as the write door does; nothing is projected yet."""
        entries = [Entry(str(parse_subject(e.subject)).encode(), codec.encode_record(e)) for e in envelopes]
        return list(self.log.append(entries))

    def tell(self, *envelopes: Envelope) -> list[Position]:
        """Record and project, one transaction of the log each."""
        positions = [position for one in envelopes for position in self.record(one)]
        self.project()
        return positions

    def project(self) -> None:
        """Project everything that is recorded."""
        for partition, end in self.log.ends().items():
            if end:
                project_batch(self.engine, self.log.read(partition, 0, 10_000), archive=False)

    def refresh(self) -> None:
        """Refresh every case that waits for it."""
        Refresher(self.engine).drain()

    def ask(self, path: str, /, key: str = "claims", **parameters: Any) -> httpx.Response:
        """GET, and hold the answer against the document."""
        answer = self.request("GET", path, key, params=parameters)
        self._conforms(path, answer)
        return answer

    def request(self, method: str, path: str, /, key: str = "claims", **options: Any) -> httpx.Response:
        """Any request, its answer as it is; options are httpx's."""
        return self._asker.ask(method, path, key=self.keys[key] if key else None, **options)

    def told(self, path: str, /, key: str = "claims", **parameters: Any) -> Any:
        """The body of an answer that must be a good one."""
        answer = self.ask(path, key, **parameters)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    def _conforms(self, path: str, answer: httpx.Response) -> None:
        template = _template(path)
        responses = self._document["paths"][template]["get"]["responses"]
        said = responses.get(str(answer.status_code)) or responses["default"]
        media_type = answer.headers["content-type"].partition(";")[0]
        schema = said["content"][media_type]["schema"] | {"components": self._document["components"]}
        if media_type.endswith("json"):
            Draft202012Validator(schema).validate(answer.json())


@contextmanager
def still_world(server: str, template: str, directory: Path) -> Iterator[World]:
    """A world with two crushed parcels, for the questions of a whole module that change nothing."""
    name = f"test_{uuid.uuid4().hex}"
    create_database(server, name, template)
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    try:
        with World(url, directory).open() as opened:
            opened.tell(*registrations(), *crushed(PARCEL), *crushed("yto:OTHER"))
            opened.refresh()
            yield opened
    finally:
        drop_database(server, name)


_LONG = {
    "/v1/parcels/": ("/verdicts/history", "/verdicts/changes", "/verdicts", "/timeline"),
    "/v1/events/": (),
    "/v1/units/": (),
    "/v1/devices/": ("/receipt",),
    "/v1/parties/": ("/control-record",),
    "/v1/refusals/": (),
}
"""Paths with an id inside, and what may follow it."""


def _template(path: str) -> str:
    for prefix, suffixes in _LONG.items():
        if path.startswith(prefix):
            return prefix + "{id}" + next((suffix for suffix in suffixes if path.endswith(suffix)), "")
    return path
