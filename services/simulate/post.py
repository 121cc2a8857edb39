"""Posts events to a running system over HTTP: batches per depot, bounded retries, and a count of what was answered."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx
import msgspec

from schemas import codec
from schemas.errors import LastintactError, Unavailable
from schemas.identifiers import parse_source
from schemas.positions import Positions, parse_positions
from services.simulate.upload import as_sent

BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"
BATCH_EVENTS = 200
# Depots upload side by side, but none runs ahead of the others by more than this: arrival order stays that of the day.
WINDOW_EVENTS = 2000
# Together about half a minute: longer than a restart of any part takes.
ATTEMPTS = 10
PAUSE_SECONDS_FIRST = 0.1
PAUSE_SECONDS_MAX = 5.0
TIMEOUT_SECONDS = 30.0
REASONS_KEPT = 5


class RefusedError(LastintactError):
    """The system answered that a whole request is wrong; sending it again would not help."""


class _Reason(msgspec.Struct):
    code: str = ""
    detail: str = ""


class _Item(msgspec.Struct):
    outcome: str
    position: str | None = None
    reasons: tuple[_Reason, ...] = ()

    @property
    def is_refused(self) -> bool:
        return self.outcome not in ("recorded", "duplicate")


class _Answer(msgspec.Struct):
    results: tuple[_Item, ...]


@dataclass(slots=True)
class Tally:
    """What the system said of the events sent so far."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """How many were `recorded`, `duplicate`, `conflict`, `rejected`."""
    reasons: list[str] = field(default_factory=list)
    """Why the first few were rejected."""
    seconds: float = 0.0
    """From the first request to the last answer."""
    positions: Positions = field(default_factory=Positions)
    """Up to where the log must be read to have read all of them."""

    def add(self, items: Sequence["_Item"]) -> None:
        """Count the answers to one batch."""
        self.outcomes.update(item.outcome for item in items)
        told = [f"{reason.code}: {reason.detail}" for item in items for reason in item.reasons if item.is_refused]
        self.reasons += told[: REASONS_KEPT - len(self.reasons)]
        for item in items:
            if item.position is not None:
                for partition, offset in parse_positions(item.position, field="position").items():
                    self.positions[partition] = max(self.positions.get(partition, 0), offset + 1)

    @property
    def events(self) -> int:
        """Events that have an answer."""
        return self.outcomes.total()


class _Request(NamedTuple):
    depot: str
    body: bytes
    events: int


def post(
    url: str,
    keys: Mapping[str, str],
    envelopes: Sequence[codec.Envelope],
    *,
    senders: int = 4,
    on_progress: Callable[[Tally], object] = lambda _tally: None,
    transport: httpx.BaseTransport | None = None,
    wait: Callable[[float], object] = time.sleep,
) -> Tally:
    """Send everything and count the answers. `keys` holds an API key for every depot that a source names.

    Raises `Unavailable` when the system stays away through all retries, `RefusedError` when it finds a request wrong.
    Events that were rejected one by one are counted, not raised.
    """
    tally = Tally()
    started = time.monotonic()
    with (
        httpx.Client(
            base_url=url, timeout=TIMEOUT_SECONDS, limits=httpx.Limits(max_connections=senders), transport=transport
        ) as client,
        ThreadPoolExecutor(senders, thread_name_prefix="post") as pool,
    ):
        for begin in range(0, len(envelopes), WINDOW_EVENTS):
            requests = tuple(_requests(envelopes[begin : begin + WINDOW_EVENTS]))
            for items in pool.map(lambda request: _send(client, keys[request.depot], request, wait), requests):
                tally.add(items)
                tally.seconds = time.monotonic() - started
                on_progress(tally)
    return tally


def _requests(window: Sequence[codec.Envelope]) -> Iterator[_Request]:
    by_depot: defaultdict[str, list[codec.Envelope]] = defaultdict(list)
    for envelope in window:
        by_depot[parse_source(envelope.source).depot].append(envelope)
    for depot, mine in by_depot.items():
        for begin in range(0, len(mine), BATCH_EVENTS):
            batch = mine[begin : begin + BATCH_EVENTS]
            yield _Request(depot, b"[" + b",".join(map(as_sent, batch)) + b"]", len(batch))


def _send(client: httpx.Client, key: str, request: _Request, wait: Callable[[float], object]) -> tuple[_Item, ...]:
    """One batch, sent again until it is answered: a repeat of what was recorded is a duplicate and counts once."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": BATCH_CONTENT_TYPE}
    pause, said = PAUSE_SECONDS_FIRST, "no answer"
    for attempt in range(ATTEMPTS):
        if attempt:
            wait(pause)
        pause = min(pause * 2, PAUSE_SECONDS_MAX)
        try:
            response = client.post("/v1/events", content=request.body, headers=headers)
        except httpx.TransportError as error:
            said = str(error) or type(error).__name__
            continue
        if response.status_code in (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS):
            said = f"{response.status_code} {response.text[:200]}"
            pause = min(max(pause, float(response.headers.get("Retry-After", 0))), PAUSE_SECONDS_MAX)
            continue
        return _read(response, request)
    raise Unavailable(f"The system did not take a batch of {request.depot} in {ATTEMPTS} attempts: {said}")


def _read(response: httpx.Response, request: _Request) -> tuple[_Item, ...]:
    try:
        items = msgspec.json.decode(response.content, type=_Answer).results
    except msgspec.MsgspecError as error:
        raise RefusedError(
            f"The system refused a batch of {request.depot}: {response.status_code} {response.text[:400]}"
        ) from error
    if len(items) != request.events:
        raise RefusedError(f"The system answered for {len(items)} of {request.events} events of {request.depot}.")
    return items
