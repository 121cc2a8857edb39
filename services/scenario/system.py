"""A running system on the story clock, spoken to through its public API alone."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import httpx
import msgspec

from schemas import codec
from schemas.errors import LastintactError
from schemas.positions import Position, Positions, parse_positions
from services.scenario.build import Posting

POLICY = "policy:DEFAULT"
"""The subject of the settings."""

_BATCH = "application/cloudevents-batch+json"
_POST_EVENTS_MAX = 200
_ANSWER_SECONDS = 30.0
# Each story has a few dozen events; a system that needs longer for them stands still.
_SETTLE_SECONDS = 60.0
_POLL_SECONDS = 0.05


class WrongSystemError(LastintactError):
    """No story can be told there; the message says why and what to do."""


class RefusedError(LastintactError):
    """The system did not take an event or a question of the story."""


class StorySystem:
    """Tells events and asks for verdicts. Raises `WrongSystemError`, or `RefusedError` where a thing is not taken."""

    def __init__(self, url: str, key: str | None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._url = url.rstrip("/")
        # Reading this machine's certificates takes longer than telling a story, and without TLS none is looked at.
        tls = self._url.startswith("https:")
        self._http = httpx.Client(base_url=self._url, headers=headers, timeout=_ANSWER_SECONDS, verify=tls)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def check(self) -> None:
        """Make sure that record times are taken from the story here."""
        told = self._get("/v1/system")
        if told.get("story_clock") is not True:
            raise WrongSystemError(
                f"The system at {self._url} dates its records by its own clock. A story must say when each thing was "
                "recorded, which evidence never may: its events would all count as recorded now, and stay there for "
                "ever. Start one for stories with `lastintact up --story-clock --data DIR`, or leave out --via."
            )

    def latest_record_time(self) -> datetime | None:
        """Record time of the latest record there; what comes after must not be dated before it."""
        told = self._get("/v1/progress")["record_time"]
        return None if told is None else codec.parse_instant(told, field="record_time")

    def settings_made(self) -> Mapping[str, Any]:
        """The settings that were made there, each as last made."""
        made: list[tuple[Position, Mapping[str, Any]]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self._get("/v1/events", {"subject": POLICY, **cursor})
            for event in page["events"]:
                [(partition, offset)] = parse_positions(event["position"]).items()
                made.append((Position(partition, offset), event["data"] or {}))
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        settings: dict[str, Any] = {}
        for _, data in sorted(made, key=lambda each: each[0]):
            settings |= {name: value for name, value in data.items() if value is not None}
        return settings

    def post(self, postings: Sequence[Posting]) -> Positions:
        """Record the events in order; returns how far the log must be read to have seen them."""
        seen = Positions()
        for start in range(0, len(postings), _POST_EVENTS_MAX):
            part = postings[start : start + _POST_EVENTS_MAX]
            body = b"[" + b",".join(map(_structured, part)) + b"]"
            answer = self._answered(
                "POST", "/v1/events", accepted={200, 202}, content=body, headers={"Content-Type": _BATCH}
            )
            for outcome in answer.json()["results"]:
                if outcome["outcome"] == "rejected":
                    reasons = "; ".join(f"{reason['detail']} {reason['remedy']}" for reason in outcome["reasons"])
                    raise RefusedError(f"{outcome['id']} was rejected: {reasons}")
                if outcome["position"] is not None:
                    _reach(seen, parse_positions(outcome["position"]))
        return seen

    def settle(self, positions: Positions) -> None:
        """Wait until everything up to these positions is projected and attributed."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while True:
            told = self._get("/v1/progress", {"until": str(positions)})
            if told["attributed"]:
                return
            if time.monotonic() > deadline:
                raise RefusedError(
                    f"After {_SETTLE_SECONDS:.0f} s the system had projected {told['projected']} of {positions} and "
                    f"{told['stale']} subjects still waited for their verdicts. Look at its logs."
                )
            time.sleep(_POLL_SECONDS)

    def verdict(self, subject: str, question: Mapping[str, str]) -> Mapping[str, Any] | None:
        """The verdict about the finding that the question names; None where none stands."""
        told = self._get(f"/v1/parcels/{subject}/verdicts", question)
        return told["verdicts"][0] if told["verdicts"] else None

    def union(self, subject: str, question: Mapping[str, str]) -> Mapping[str, Any] | None:
        """The verdict about several findings at once, which the question names (R35)."""
        told = self._get(f"/v1/parcels/{subject}/verdicts/union", question)
        return told["verdicts"][0] if told["verdicts"] else None

    def _get(self, path: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = self._answered("GET", path, accepted={200}, params=parameters).json()
        return answer

    def _answered(self, method: str, path: str, *, accepted: set[int], **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise WrongSystemError(f"Nothing answers at {self._url} ({error}). Is the system up?") from error
        if answer.status_code in accepted:
            return answer
        if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise WrongSystemError(
                f"The system at {self._url} wants an admin key: send it with --key or in LASTINTACT_KEY. "
                "`lastintact up` names the file that holds it."
            )
        raise RefusedError(f"{method} {path} was answered {answer.status_code}: {_sentence(answer)}")


def _structured(posting: Posting) -> bytes:
    """A CloudEvent in structured mode with the record time that only the story clock accepts."""
    dated = msgspec.structs.replace(posting.envelope, recordedtime=codec.format_instant(posting.recorded))
    wire = msgspec.json.decode(codec.encode_record(dated), type=dict[str, msgspec.Raw])
    return msgspec.json.encode({name: value for name, value in wire.items() if name != "recordedby"})


def _reach(seen: Positions, records: Mapping[int, int]) -> None:
    for place in (Position(partition, offset) for partition, offset in records.items()):
        seen[place.partition] = max(seen.get(place.partition, 0), place.offset + 1)


def _sentence(answer: httpx.Response) -> str:
    try:
        told = answer.json()
    except ValueError:
        return answer.text[:200]
    reasons = [f"{reason['detail']} {reason['remedy']}" for reason in told.get("errors", ())]
    return " ".join([str(told.get("detail", "")), *reasons])
