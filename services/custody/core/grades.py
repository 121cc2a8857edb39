"""What an event and each observation in it is worth, 0 to 5, judged anew for every question.

| grade | meaning |
|---|---|
| 5 | verified: 3 or 4, and an artefact taken then, the other side's signature, or a neutral survey |
| 4 | an identified person with an enrolled device examined that facet |
| 3 | an enrolled instrument measured it; a claimant shows a video or the kept packaging; an admission |
| 2 | presumed, by rule |
| 1 | inferred: typed in without a signed time, a bare statement |
| 0 | kept and shown, never used |

From 3 up an observation is *direct*. Nothing here is stored: a revoked key changes old answers.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from schemas.events import Event, NoticeGiven, Observation, ParcelRelabelled, Scan
from schemas.positions import Position
from schemas.vocabulary import CaptureMode, Condition, Facet, Proof
from services.custody.core import signatures
from services.custody.core.facts import Fact
from services.custody.core.instants import later
from services.custody.core.policy import Policy
from services.custody.core.registry import Device, Key, Registry

VERIFIED = 5
EXAMINED = 4
DIRECT = 3
PRESUMED = 2
INFERRED = 1
NEVER = 0

# Tuples: so few members are found sooner by identity than by an enum's hash.
_EXAMINING = (CaptureMode.HUMAN_INSPECT, CaptureMode.MANUAL_ENTRY, CaptureMode.IMPORT)
_SCANNING = (CaptureMode.HUMAN_SCAN, CaptureMode.AUTO_SCAN)
_NO_MORE_THAN_THERE = (*_SCANNING, CaptureMode.IMPORT)
"""Captures that show of presence no more than that a label was read, whoever confirms it."""


class Standing(Struct, frozen=True):
    """What an event can be worth at most, and why."""

    ceiling: int
    why: str | None = None
    """For ceiling 0: the reason, as listed under `excluded`."""
    signed: bool = True
    """Whether its time and content stand under a good signature of the device."""
    entry: bool = False
    """Typed in or sent late without a device-signed time: nothing vouches for when it happened."""
    speaker: str = ""
    """The party that the device speaks for."""
    instruments: tuple[str, ...] = ()


def standing_of(
    fact: Fact, t: datetime, registry: Registry, policy: Policy, checks: Mapping[tuple[Position, str], bool]
) -> Standing:
    """Judge an event as a whole. `t` is its effective time, `checks` the signatures already verified."""
    if t - fact.record_time > _clock_may_be_off(fact, policy):
        return Standing(NEVER, "IMPOSSIBLE_TIME")
    device = registry.device(fact.envelope.source)
    if type(fact.data) is NoticeGiven:
        return _standing_of_notice(fact, device, checks)
    # Clocks may differ by as much as the setting allows, at enrolment too.
    enrolment = device.enrolled_at(later(t, policy.clock_skew)) if device is not None else None
    if device is None or enrolment is None:
        return Standing(NEVER, "UNKNOWN_DEVICE")
    if device.retired_by(t, fact.envelope.keyid):
        return Standing(NEVER, "REVOKED_DEVICE", speaker=enrolment.party)
    key = None
    if fact.envelope.signature is not None:
        key = _key_that_signed(fact, device.keys_for(fact.envelope.keyid, enrolment), checks)
        if key is None:
            return Standing(NEVER, "BAD_SIGNATURE", speaker=enrolment.party)
    signed = key is not None and not device.compromised_before(fact.order, key)
    bound = _is_sent_by(enrolment.party, fact, registry)
    ceiling, entry = _ceiling(fact, t, policy.late_after, signed=signed, bound=bound)
    return Standing(ceiling, None, signed, entry, enrolment.party, enrolment.instruments)


def _clock_may_be_off(fact: Fact, policy: Policy) -> timedelta:
    """By how much its device's clock may be ahead of ours: more where nobody compared the two at upload (R36)."""
    return policy.clock_skew if fact.envelope.clockoffsetms is not None else policy.clock_skew_unmeasured


def _is_sent_by(party: str, fact: Fact, registry: Registry) -> bool:
    """Whether the API key that sent it in is bound to the device's party, as far as the door knew whose key it was."""
    sender = fact.envelope.recordedparty
    return sender is None or registry.entity(sender) == registry.entity(party)


def _ceiling(fact: Fact, t: datetime, late_after: timedelta, *, signed: bool, bound: bool) -> tuple[int, bool]:
    """The ceiling by capture mode and signature, and whether the event is an entry without a signed time."""
    mode = fact.data.mode if isinstance(fact.data, Scan) else CaptureMode.HUMAN_SCAN
    if mode is CaptureMode.IMPORT:
        return (EXAMINED, False) if signed else (PRESUMED, False)
    if signed:
        return VERIFIED, False
    if mode is CaptureMode.MANUAL_ENTRY or not bound or fact.record_time - t > late_after:
        return INFERRED, True
    return DIRECT, False


def _standing_of_notice(fact: Fact, device: Device | None, checks: Mapping[tuple[Position, str], bool]) -> Standing:
    """A notice is worth what the claimant shows, whoever typed it in; only a broken signature spoils it."""
    signed = fact.envelope.signature is not None
    if signed and device is not None:
        keys = device.keys.get(fact.envelope.keyid or "", ())
        if _key_that_signed(fact, keys, checks) is None:
            return Standing(NEVER, "BAD_SIGNATURE")
    return Standing(DIRECT, None, signed)


def _key_that_signed(fact: Fact, keys: Iterable[Key], checks: Mapping[tuple[Position, str], bool]) -> Key | None:
    """The key under which the signature is good; None where it is under none of them."""
    for key in keys:
        checked = checks.get((fact.position, key.public_key))
        if signatures.valid(fact.envelope, key.public_key) if checked is None else checked:
            return key
    return None


def grade_of(
    observation: Observation, scan: Scan, standing: Standing, *, identified: bool, joined: bool, claimed: bool
) -> int:
    """The grade of one observation in an act.

    `joined`: the other side signed too, or it is a neutral survey. `claimed`: sender or recipient say so, outside a
    takeover and nobody with them.
    """
    facet, mode = observation.facet, scan.mode
    if observation.value is Condition.UNEXAMINED:
        return NEVER
    if facet is Facet.PRESENCE and mode in _SCANNING:
        grade = DIRECT
    elif observation.instrument is not None:
        grade = DIRECT if observation.instrument in standing.instruments else NEVER
    elif mode in _EXAMINING:
        grade = EXAMINED if identified else INFERRED
    else:
        return NEVER  # a scan says nothing of condition
    if grade >= DIRECT and _is_verified(observation, scan, joined=joined):
        grade = VERIFIED
    if facet is Facet.PRESENCE and mode in _NO_MORE_THAN_THERE:
        grade = min(grade, DIRECT)
    if facet is Facet.PRESENCE and is_unproved(scan):
        grade = min(grade, INFERRED)
    if claimed:
        grade = min(grade, _ceiling_of_own_word(observation, scan))
    return min(grade, standing.ceiling)


def grade_of_label(scan: Scan, standing: Standing) -> int:
    """The grade of an item's presence where its label was read, whether or not anybody wrote that down.

    It is no better where somebody else signed too, and no worse where sender or recipient read it.
    """
    return min(INFERRED if is_unproved(scan) else DIRECT, standing.ceiling)


def is_unproved(scan: Event) -> bool:
    """R28: whether a new label was put on without the old one having been seen with it."""
    return type(scan) is ParcelRelabelled and not scan.both_seen


def _ceiling_of_own_word(observation: Observation, scan: Scan) -> int:
    """The claimant's column: the carton with a picture, what an instrument tells; the rest is a bare statement."""
    scanned = observation.facet is Facet.PRESENCE and scan.mode in _SCANNING
    pictured = observation.facet is Facet.OUTER and bool(observation.media)
    return DIRECT if scanned or pictured or observation.instrument is not None else INFERRED


def _is_verified(observation: Observation, scan: Scan, *, joined: bool) -> bool:
    """Whether a picture taken then shows the facet, or somebody else signed to it; for a seal, its number."""
    if observation.facet is Facet.SEAL:
        return scan.seal is not None and scan.seal.media is not None
    return joined or bool(observation.media)


_SHOWN_BY = {
    Proof.UNBOXING_VIDEO: (Facet.CONTENTS, Facet.PRESENCE, Facet.COUNT),
    Proof.PHOTO_PACKAGING_KEPT: (Facet.OUTER, Facet.PRESENCE, Facet.COUNT),
}
"""That something is not there is shown by a picture of what is: the door, the boxes that did come (R10, R27)."""


def grade_of_claim(observation: Observation, notice: NoticeGiven, standing: Standing) -> int:
    """The grade of what a claimant says: direct where the proof shows that facet and its media are there to be seen."""
    if observation.value is Condition.UNEXAMINED:
        return NEVER
    shown = observation.facet in _SHOWN_BY.get(notice.proof, ()) and bool(observation.media)
    return min(DIRECT if shown else INFERRED, standing.ceiling)
