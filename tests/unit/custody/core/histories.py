"""Histories that Hypothesis makes up: acts with gaps, late and unsigned records, wrong clocks, and contradictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st

from schemas import codec
from schemas.events import (
    ConditionObserved,
    Countersignature,
    DeviceEnrolled,
    DeviceKey,
    DeviceRevoked,
    Event,
    EventCorrected,
    HandoffAccepted,
    HandoffReleased,
    ItemScanned,
    NoticeGiven,
    Observation,
    Operator,
    ParcelAnnounced,
    PartyRegistered,
    PolicySet,
    Reservation,
)
from schemas.positions import AsOf, Position
from schemas.vocabulary import (
    RECIPIENT,
    SENDER,
    CaptureMode,
    Condition,
    DamageMode,
    Facet,
    PartyRole,
    Proof,
    RevocationReason,
)
from services.custody.core.attribution import verdicts
from services.custody.core.facts import Evidence, Fact
from services.custody.core.verdict import Verdict
from tests.gathering import gather

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
SUBJECT = "test:PARCEL"
CARRIERS = ("C1", "H1", "LH", "H2")
PHOTO = "0" * 64
GOOD = "good"
BAD = "bad"
DEVICES = ("d", "e")
"""Every party has two."""

law = settings(max_examples=max(1, settings().max_examples // 4))
"""A law asks many questions of each history; the profiles (tests/conftest.py) count in cheaper examples."""


@dataclass(frozen=True)
class Told:
    """One event before it is recorded."""

    id: str
    by: str
    t: timedelta
    recorded: timedelta
    data: Event
    signature: str | None = GOOD
    subject: str = SUBJECT
    device: str = "d"
    offset: timedelta = timedelta()
    """How far its clock was measured to be ahead at upload."""
    sequence: str | None = None

    @property
    def happened(self) -> timedelta:
        """When it happened, as far as the offset tells; `t` is what the device says."""
        return self.t - self.offset


@dataclass(frozen=True)
class History:
    """Events about one parcel, and the registry's."""

    told: tuple[Told, ...]
    registry: tuple[Told, ...] = field(repr=False)
    as_of: AsOf = field(default_factory=lambda: AsOf(DAY_0 + timedelta(days=60)))


def key_of(party: str, device: str = "d") -> str:
    """A stand-in for a public key; signatures are looked up, not computed, so any text will do."""
    return f"{party}.{device}".lower().encode().hex().ljust(64, "0")[:64]


def evidence(history: History, partitions: Mapping[str, int] | None = None) -> Evidence:
    """Record the history. `partitions` says which partition each subject lives in; offsets follow the record times."""
    facts, signatures = record(history, partitions)
    return gather(SUBJECT, facts, (), signatures)


Checks = dict[tuple[Position, str], bool]


def record(history: History, partitions: Mapping[str, int] | None = None) -> tuple[list[Fact], Checks]:
    """The facts that recording a history gives, about whatever subject, and which of their signatures are good."""
    offsets: dict[int, int] = {}
    facts: list[Fact] = []
    signatures: Checks = {}
    for told in sorted((*history.registry, *history.told), key=lambda told: told.recorded):
        partition = (partitions or {}).get(told.subject, 0)
        position = Position(partition, offsets.get(partition, 0))
        offsets[partition] = position.offset + 1
        facts.append(fact_of(told, position))
        if told.signature is not None:
            signatures[(position, key_of(told.by, told.device))] = told.signature == GOOD
    return facts, signatures


def fact_of(told: Told, position: Position) -> Fact:
    """The fact that recording it at a position gives, without encoding it in between."""
    envelope = codec.Envelope(
        id=told.id,
        source=f"/depots/{told.by}/devices/{told.device}",
        type=told.data.TYPE,
        subject=told.subject,
        time=codec.format_instant(DAY_0 + told.t),
        data=msgspec.json.encode(told.data),
        keyid=told.by if told.signature is not None else None,
        signature=told.signature,
        sequence=told.sequence,
        clockoffsetms=told.offset // timedelta(milliseconds=1) or None,
    )
    return Fact(
        position=position,
        record_time=DAY_0 + told.recorded,
        event_time=DAY_0 + told.t,
        envelope=envelope,
        data=told.data,
        identity=codec.identity(envelope.source, envelope.id),
        content_hash=codec.content_hash(envelope),
        subject=told.subject,
    )


def registry(policy: PolicySet, entities: Mapping[str, str] | None = None) -> tuple[Told, ...]:
    """Everybody enrolled on day 0, in one order. `entities`: parties that belong to a legal entity of another name."""
    parties = (*CARRIERS, "SVY", SENDER, RECIPIENT)
    roles = {"SVY": PartyRole.SURVEYOR, SENDER: PartyRole.SENDER, RECIPIENT: PartyRole.RECIPIENT}
    told = [Told("policy", "OFFICE", timedelta(), timedelta(), policy, None, "policy:DEFAULT")]
    for party in parties:
        registered = PartyRegistered(
            party=party, role=roles.get(party, PartyRole.CARRIER), entity=(entities or {}).get(party)
        )
        told.append(Told(f"party-{party}", "OFFICE", timedelta(), timedelta(), registered, None, f"party:{party}"))
        told += [enrolled(party, device) for device in DEVICES]
    # Recorded one after the other, so that their order is a matter of record time.
    return tuple(replace(each, recorded=timedelta(seconds=at)) for at, each in enumerate(told))


def enrolled(party: str, device: str) -> Told:
    """The enrolment of a party's device."""
    data = DeviceEnrolled(
        device=f"{party}.{device}",
        party=party,
        keys=(DeviceKey(keyid=party, public_key=key_of(party, device)),),
        instruments=("camera",),
    )
    number = "" if device == "d" else f"-{device}"
    subject = f"device:{party.upper()}.{device.upper()}"
    return Told(f"device-{party}{number}", "OFFICE", timedelta(), timedelta(), data, None, subject)


observations = st.builds(
    Observation,
    facet=st.sampled_from((Facet.OUTER, Facet.OUTER, Facet.CONTENTS, Facet.PRESENCE)),
    value=st.sampled_from((Condition.OK, Condition.OK, Condition.BAD, Condition.UNEXAMINED)),
    damage=st.sampled_from((None, None, DamageMode.CRUSH)),
    instrument=st.sampled_from((None, None, "camera")),
    media=st.sampled_from(((), (PHOTO,))),
)
reservations = st.one_of(
    st.none(),
    st.none(),
    st.builds(
        Reservation, facet=st.just(Facet.OUTER), grounds=st.sampled_from(("dark", "subject_to_inspection", "wet"))
    ),
)


LATENESS = (0, 0, 0, 0, 5, 60 * 5, 60 * 24 * 5)
"""Minutes from happening to recording."""


@st.composite
def acts(draw: st.DrawFn, index: int) -> Told:
    """One act at a random moment, with whatever capture, lateness, clock and signature."""
    by = draw(st.sampled_from((*CARRIERS, *CARRIERS, *CARRIERS, RECIPIENT, SENDER, "SVY")))
    minutes = draw(st.integers(60, 14 * 24 * 60))
    others = [party for party in (*CARRIERS, RECIPIENT, SENDER) if party != by]
    signers = tuple(Countersignature(party=party) for party in draw(st.lists(st.sampled_from(others), max_size=1)))
    shared: dict[str, Any] = {
        "mode": draw(st.sampled_from((*CaptureMode, CaptureMode.HUMAN_INSPECT, CaptureMode.HUMAN_INSPECT))),
        "operator": draw(st.sampled_from((Operator(ref="p1"), Operator(ref="p1"), None))),
        "observations": tuple(draw(st.lists(observations, max_size=2))),
        "countersigned": signers,
    }
    data: Event
    kinds = ["accept", "accept", "accept", "release", "scan", "look", "look", "notice"]
    match draw(st.sampled_from(kinds if index == 0 else [*kinds, "correct"])):
        case "accept":
            data = HandoffAccepted(taker=by, reservation=draw(reservations), **shared)
        case "release":
            data = HandoffReleased(giver=by, taker=draw(st.sampled_from((None, *others))), **shared)
        case "scan":
            data = ItemScanned(party=by, **shared)
        case "look":
            data = ConditionObserved(
                party=by, neutral=draw(st.booleans()), reservation=draw(st.one_of(st.none(), reservations)), **shared
            )
        case "correct":
            corrected = f"e{draw(st.integers(0, index - 1))}"
            data = EventCorrected(party=by, corrects=corrected, countersigned=signers)
        case _:
            data = NoticeGiven(party=RECIPIENT, observations=shared["observations"], proof=draw(st.sampled_from(Proof)))
    # Seconds by index keep record times apart: two records are never equally old.
    happened = timedelta(minutes=minutes)
    recorded = happened + timedelta(minutes=draw(st.sampled_from(LATENESS)), seconds=index)
    offset = timedelta(seconds=draw(st.sampled_from((0, 0, 0, 0, 90, -90, 3600 * 3))))
    return Told(
        f"e{index}",
        by,
        happened + offset,
        recorded,
        data,
        draw(st.sampled_from((GOOD, GOOD, GOOD, None, BAD))),
        device=draw(st.sampled_from(DEVICES)),
        offset=offset,
        sequence=draw(st.sampled_from((None, None, "1", "2", "10"))),
    )


@st.composite
def registries(draw: st.DrawFn) -> tuple[Told, ...]:
    """The settings and everybody enrolled; sometimes sister firms, and a key that is lost or given up on the way."""
    policy = PolicySet(
        deemed_lost_hours=draw(st.sampled_from((None, 24.0 * 10))),
        auto_accept_is_clean=draw(st.booleans()),
        import_accept_is_clean=draw(st.booleans()),
    )
    told = list(registry(policy, draw(st.sampled_from(({}, {}, {"C1": "GROUP", "H2": "GROUP"})))))
    party = draw(st.sampled_from((None, None, *CARRIERS)))
    if party is not None:
        reason = draw(st.sampled_from(RevocationReason))
        revoked = DeviceRevoked(device=f"{party}.e", reason=reason, keyid=party)
        at = timedelta(hours=draw(st.integers(2, 14 * 24)), seconds=55)
        told.append(Told("revoked", "OFFICE", at, at, revoked, None, f"device:{party}.E"))
    return tuple(told)


@st.composite
def histories(draw: st.DrawFn, max_size: int = 9) -> History:
    """A pick-up most of the time, then anything."""
    told: list[Told] = []
    if draw(st.integers(0, 9)):
        seen = tuple(draw(st.lists(observations, max_size=2)))
        picked_up = HandoffAccepted(
            mode=CaptureMode.HUMAN_INSPECT, operator=Operator(ref="p1"), taker="C1", giver=SENDER, observations=seen
        )
        told.append(Told("pickup", "C1", timedelta(minutes=30), timedelta(minutes=30, seconds=50), picked_up))
    told += [draw(acts(index)) for index in range(draw(st.integers(1, max_size)))]
    if draw(st.booleans()):
        announced = ParcelAnnounced(contracting="C1", promised_after_hours=draw(st.sampled_from((None, 48.0))))
        told.append(Told("paper", "OFFICE", timedelta(), timedelta(minutes=20), announced, None))
    return History(tuple(told), draw(registries()))


def recorded_by(history: History, moment: AsOf) -> History:
    """The history as far as it had been recorded by then."""

    def known(told: tuple[Told, ...]) -> tuple[Told, ...]:
        return tuple(each for each in told if DAY_0 + each.recorded <= moment.time)

    return replace(history, told=known(history.told), registry=known(history.registry))


def answers(history: History, partitions: Mapping[str, int] | None = None) -> tuple[Verdict, ...]:
    """All verdicts about the history at its moment."""
    return verdicts(evidence(history, partitions), history.as_of)


def without_positions(value: object) -> object:
    """A verdict as plain values, without where in the log its events lie."""
    return _strip(msgspec.to_builtins(value))


def _strip(value: object) -> object:
    if isinstance(value, dict):
        stripped = {key: _strip(each) for key, each in value.items() if key != "position"}
        if "excluded" in value:  # listed in the order of positions
            stripped["excluded"] = sorted((each["event"], each["why"]) for each in value["excluded"])
        return stripped
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_strip(each) for each in value]
    return value
