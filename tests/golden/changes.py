"""What brings a change of an answer on, and what is told otherwise then, word for word and case by case."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec import structs

from schemas import codec
from schemas.events import (
    ConditionObserved,
    DeadlinePassed,
    DeviceEnrolled,
    DeviceRevoked,
    Event,
    EventCorrected,
    HandoffAccepted,
    HandoffReleased,
    NoticeGiven,
    Observation,
    Operator,
    ParcelAnnounced,
    PartyRegistered,
    PolicySet,
)
from schemas.identifiers import parse_subject
from schemas.positions import AsOf, Position
from schemas.vocabulary import (
    SENDER,
    CaptureMode,
    Condition,
    Confidence,
    DamageMode,
    Facet,
    FindingKind,
    Outcome,
    PartyRole,
    RevocationReason,
    Severity,
)
from services.custody.core.attribution import verdicts
from services.custody.core.case import Ground
from services.custody.core.cause import Cause
from services.custody.core.difference import Answered, tell
from services.custody.core.facts import Fact, Packing, Parked, Rival
from services.custody.core.ground import lay
from services.custody.core.verdict import Boundary, Finding, Share, Verdict
from tests.unit.custody.core.histories import DAY_0, PHOTO, History, Told, evidence, registry

FOLDER = Path(__file__).parent / "changes"
_EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"


def names() -> list[str]:
    """What is told: what brings a change on, and what differs."""
    return sorted(_SORTS)


def golden(name: str) -> Path:
    """Where the agreed words are."""
    return FOLDER / f"{name}.txt"


def told(name: str) -> str:
    """Every case with what is said of it in both languages."""
    return "\n".join(f"# {what}\n{en}\n{zh}\n" for what, en, zh in _SORTS[name]())


# --- a parcel that was torn between H1 and LH ------------------------------------------------------------------------


def _acts() -> Iterator[Told]:
    for id_, by, day, giver in (("a1", "C1", 1.0, SENDER), ("a2", "H1", 2.0, "C1"), ("a3", "LH", 3.0, "H1")):
        took = HandoffAccepted(mode=CaptureMode.AUTO_SCAN, taker=by, giver=giver)
        yield Told(id_, by, timedelta(days=day), timedelta(days=day, minutes=1), took)
    for id_, by, day, value in (("i2", "H1", 2.5, Condition.OK), ("i3", "LH", 3.5, Condition.BAD)):
        seen = Observation(facet=Facet.OUTER, value=value, media=(PHOTO,))
        looked = ConditionObserved(
            mode=CaptureMode.HUMAN_INSPECT, operator=Operator(ref="p1"), party=by, observations=(seen,)
        )
        yield Told(id_, by, timedelta(days=day), timedelta(days=day, minutes=1), looked)


def _ground() -> Ground:
    return lay(evidence(History(tuple(_acts()), registry(PolicySet()))), AsOf(DAY_0 + timedelta(days=60)))


def _verdict(ground: Ground) -> Verdict:
    [found] = [each for each in verdicts(ground.evidence, AsOf(ground.as_of.time)) if each.finding.kind == "DAMAGE"]
    return found


# --- what brought it on ----------------------------------------------------------------------------------------------


def _causes() -> Iterator[tuple[str, str, str]]:
    ground = _ground()
    place, then = Position(0, 99), DAY_0 + timedelta(days=9)
    records: dict[str, Fact | Packing | Rival | Parked | None] = {
        "time alone": None,
        "another content under its id": Rival(b"", b"", place, then),
        "what cannot be read": Parked(place, then, "UNKNOWN_VERSION"),
        "another item that was packed": Packing("test:B1", then, True, place, then),
        "another item that was unpacked": Packing("test:B1", then, False, place, then),
    }
    for what, record in records.items():
        yield _cause(what, Cause(record, then, ground))
    for path in sorted(_EXAMPLES.glob("*.v*.json")):
        fact = _fact(codec.parse_structured(path.read_bytes()))
        soon, late = fact.t + timedelta(minutes=2), fact.t + timedelta(hours=25)
        yield _cause(path.stem, Cause(replace(fact, record_time=soon), soon, ground))
        if path.stem in _TOLD_LATE_TOO:
            yield _cause(f"{path.stem}, late", Cause(replace(fact, record_time=late), late, ground))
            due = late - timedelta(hours=1)
            yield _cause(f"{path.stem}, just in time", Cause(replace(fact, record_time=due), due, ground))
    [looked] = [fact for fact in ground.evidence.facts if fact.id == "i2"]
    yield _cause("signed", Cause(looked, looked.record_time, ground))
    for what, data in _OTHERS.items():
        fact = replace(looked, data=data, event_time=DAY_0 + timedelta(days=4), position=place)
        yield _cause(what, Cause(fact, DAY_0 + timedelta(days=4, hours=1), ground))
    of_a_unit = replace(ground.evidence, unit_facts=(looked,))
    yield _cause("about its unit", Cause(looked, looked.record_time, replace(ground, evidence=of_a_unit)))


_TOLD_LATE_TOO = ("custody.item_scanned.v1", "custody.notice_given.v1", "custody.event_corrected.v1")
_LOOKED: dict[str, Any] = {"mode": CaptureMode.HUMAN_INSPECT, "party": "SVY"}
_GONE = RevocationReason.RETIRED
_OTHERS: dict[str, Event] = {
    "a release to somebody": HandoffReleased(mode=CaptureMode.HUMAN_SCAN, giver="C1", taker="H1"),
    "a release to nobody in particular": HandoffReleased(mode=CaptureMode.HUMAN_SCAN, giver="C1"),
    "a notice to somebody": NoticeGiven(party="RCP", to="LH"),
    "a survey": ConditionObserved(neutral=True, **_LOOKED),
    "a machine's look": ConditionObserved(mode=CaptureMode.AUTO_SCAN, party="H1"),
    "a contract of nobody": ParcelAnnounced(),
    "a correction of what is on record": EventCorrected(party="H1", corrects="i2"),
    "a correction of what is not": EventCorrected(party="H1", corrects="e99"),
    "the promised time": DeadlinePassed(deadline="promised_time", due=DAY_0),
    "the time of loss": DeadlinePassed(deadline="deemed_lost", due=DAY_0),
    "some other time": DeadlinePassed(deadline="tea_time", due=DAY_0),
    "a device that was retired": DeviceRevoked(device="h1.d", reason=_GONE, cut_off=DAY_0),
    "a device that was retired at once": DeviceRevoked(device="H1.d", reason=_GONE),
    "nobody's device that was retired": DeviceRevoked(device="X.d", reason=_GONE, cut_off=DAY_0),
    "a key that was retired": DeviceRevoked(device="H1.d", keyid="k7", reason=_GONE, cut_off=DAY_0),
    "a key that leaked": DeviceRevoked(device="H1.d", keyid="k7", reason=RevocationReason.COMPROMISED),
    "a device that leaked": DeviceRevoked(device="H1.d", reason=RevocationReason.COMPROMISED),
    "an enrolment": DeviceEnrolled(device="H1.e", party="H1", keys=(), instruments=()),
    **{f"a party: {role}": PartyRegistered(party="Z", role=role) for role in PartyRole},
    "a sister firm": PartyRegistered(party="Z", role=PartyRole.CARRIER, entity="GROUP"),
    "settings": PolicySet(),
}


def _fact(envelope: codec.Envelope) -> Fact:
    return Fact(
        position=Position(0, 99),
        record_time=DAY_0,
        event_time=codec.parse_instant(envelope.time),
        envelope=envelope,
        data=codec.decode_data(envelope),
        identity=b"",
        content_hash=b"",
        subject=str(parse_subject(envelope.subject)),
    )


def _cause(what: str, cause: Cause) -> tuple[str, str, str]:
    """What is said of a record that leaves nothing else to be said."""
    said = tell(Answered(Finding(FindingKind.DAMAGE), None, again=False), None, cause)
    return what, said.en, said.zh


# --- what differs ----------------------------------------------------------------------------------------------------


def _differences() -> Iterator[tuple[str, str, str]]:
    ground = _ground()
    base = _verdict(ground)
    alone = Cause(None, DAY_0 + timedelta(days=9), ground)
    registered = Cause(ground.evidence.registry[0], DAY_0 + timedelta(days=9), ground)
    yield _differ("it opens", None, base, alone)
    yield _differ("it opens again", None, base, alone, again=True)
    yield _differ("it stands no more", base, None, alone)
    yield _differ("it stood for nobody, and no more", _changed(base, outcome=Outcome.UNDETERMINED), None, alone)
    yield _differ("nothing but what the record says", base, base, alone)
    yield _differ("by a registration", base, base, registered)
    for what, changed in _changes(base):
        yield _differ(f"now {what}", base, changed, alone)
        if what.startswith(_BOTH_WAYS):
            yield _differ(f"no longer {what}", changed, base, alone)
    for finding in _FINDINGS:
        yield _differ(f"it opens: {finding}", None, structs.replace(base, finding=finding), alone)
    loss = structs.replace(base, finding=Finding(FindingKind.LOSS))
    moved = _changed(loss, L=_edge(loss.L, observer="C1"), U=_edge(loss.U, event=None, observer=None))
    yield _differ("it was lost at another time", loss, moved, alone)


_BOTH_WAYS = ("by", "confidence", "L of nobody", "U of nobody", "held", "noted FOUND")
"""Changes whose way back is told in other words."""


def _changes(base: Verdict) -> Iterator[tuple[str, Verdict]]:
    halves = (Share("C1", "1/2"), Share(SENDER, "1/2"))
    yield "by two in shares", _changed(base, outcome=Outcome.SHARED, liable=halves)
    yield "by two jointly", _changed(base, outcome=Outcome.JOINT, liable=halves)
    yield "by one alone", _changed(base, outcome=Outcome.SEGMENT, liable=(Share("C1", "1"),))
    for outcome in (Outcome.SENDER, Outcome.RECIPIENT, Outcome.UNDETERMINED):
        yield outcome.lower(), _changed(base, outcome=outcome, liable=())
    for confidence in Confidence:
        if confidence is not base.confidence:
            yield f"confidence {confidence.lower()}", _changed(base, confidence=confidence)
    for end in ("L", "U"):
        edge = getattr(base, end)
        yield f"{end} of nobody", _changed(base, **{end: None})
        yield f"{end} of another grade", _changed(base, **{end: _edge(edge, grade=1)})
        yield f"{end} by another rule", _changed(base, **{end: _edge(edge, rule="R9d")})
        yield f"{end} by no rule", _changed(base, **{end: _edge(edge, rule=None)})
        yield f"{end} by another record", _changed(base, **{end: _edge(edge, event="e99")})
        yield f"{end} by another party", _changed(base, **{end: _edge(edge, observer="SVY")})
        yield f"{end} seen by nobody", _changed(base, **{end: _edge(edge, observer=None)})
        yield f"{end} at another time", _changed(base, **{end: _edge(edge, t=DAY_0)})
        yield f"{end} presumed", _changed(base, **{end: _edge(edge, how="presumed")})
        yield f"{end} without an event", _changed(base, **{end: _edge(edge, event=None)})
        for rule in ("R13b", "R13c", "R35"):
            yield f"{end} by {rule}", _changed(base, **{end: _edge(edge, rule=rule)})
    yield "held by three", _changed(base, proved=("C1", "H1", "LH"))
    yield "held by nobody", _changed(base, proved=())
    for flag in _FLAGS:
        yield f"noted {flag}", _changed(base, flags=(*base.flags, flag))


_FLAGS = (
    *("ADMISSION", "AUTHORITY", "CLOCK_DOUBT", "CLOCK_SKEW", "CONTRADICTION", "EVIDENCE_INCOMPLETE", "FOUND"),
    *("IDENTITY_UNPROVED", "IMPLIED_UNPACK", "LABEL_SWAP", "NO_PICKUP_CHECK", "OVERAGE", "PAID_LOSS", "SEQUENCE_GAP"),
    *("UNSIGNED", "WRONG_TAKER", "OF_A_LATER_RULE_SET"),
)
_FINDINGS = (
    *(Finding(kind) for kind in FindingKind),
    *(Finding(FindingKind.DAMAGE, damage=mode) for mode in DamageMode),
    *(Finding(FindingKind.CONCEALED, damage=DamageMode.WET, severity=severity) for severity in Severity),
    Finding(FindingKind.DAMAGE, component="left_door", severity=Severity.HEAVY),
    Finding(FindingKind.CONCEALED, component="screen"),
)


def _changed(verdict: Verdict, **fields: Any) -> Verdict:
    return structs.replace(verdict, **fields)


def _edge(edge: Boundary | None, **fields: Any) -> Boundary:
    assert edge is not None
    return structs.replace(edge, **fields)


def _differ(
    what: str, before: Verdict | None, now: Verdict | None, cause: Cause, *, again: bool = False
) -> tuple[str, str, str]:
    """What is said of a difference, without the sentence about what brought it on."""
    verdict = now or before
    assert verdict is not None
    said = tell(Answered(verdict.finding, before, again=again), now, cause)
    nothing = tell(Answered(verdict.finding, None, again=False), None, cause)
    return what, said.en.removeprefix(nothing.en).strip(), said.zh.removeprefix(nothing.zh)


_SORTS = {"causes": _causes, "differences": _differences}
