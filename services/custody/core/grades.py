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

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.events import NoticeGiven, Observation, Scan
from schemas.positions import Position
from schemas.vocabulary import CaptureMode, Condition, Facet, Proof
from services.custody.core import signatures
from services.custody.core.facts import Fact
from services.custody.core.instants import later
from services.custody.core.policy import Policy
from services.custody.core.registry import Device, Registry

VERIFIED = 5
EXAMINED = 4
DIRECT = 3
PRESUMED = 2
INFERRED = 1
NEVER = 0

# Tuples: so few members are found sooner by identity than by an enum's hash.
_EXAMINING = (CaptureMode.HUMAN_INSPECT, CaptureMode.MANUAL_ENTRY, CaptureMode.IMPORT)
_SCANNING = (CaptureMode.HUMAN_SCAN, CaptureMode.AUTO_SCAN)


class Standing(NamedTuple):
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
    if t - fact.record_time > policy.clock_skew:
        return Standing(NEVER, "IMPOSSIBLE_TIME")
    device = registry.device(fact.envelope.source)
    if isinstance(fact.data, NoticeGiven):
        return _standing_of_notice(fact, device, checks)
    # Clocks may differ by as much as the setting allows, at enrolment too.
    enrolment = device.enrolled_at(later(t, policy.clock_skew)) if device is not None else None
    if device is None or enrolment is None:
        return Standing(NEVER, "UNKNOWN_DEVICE")
    keyid = fact.envelope.keyid
    if device.retired_by(t, keyid):
        return Standing(NEVER, "REVOKED_DEVICE", speaker=enrolment.party)
    signed = fact.envelope.signature is not None
    if signed and not _signature_is_good(fact, device, checks):
        return Standing(NEVER, "BAD_SIGNATURE", speaker=enrolment.party)
    if signed and device.compromised_before(fact.record_time, keyid):
        signed = False
    ceiling, entry = _ceiling(fact, t, signed, policy.late_after)
    return Standing(ceiling, None, signed, entry, enrolment.party, enrolment.instruments)


def _ceiling(fact: Fact, t: datetime, signed: bool, late_after: timedelta) -> tuple[int, bool]:
    """The ceiling by capture mode and signature, and whether the event is an entry without a signed time."""
    mode = fact.data.mode if isinstance(fact.data, Scan) else CaptureMode.HUMAN_SCAN
    if mode is CaptureMode.IMPORT:
        return (EXAMINED, False) if signed else (PRESUMED, False)
    if signed:
        return VERIFIED, False
    if mode is CaptureMode.MANUAL_ENTRY or fact.record_time - t > late_after:
        return INFERRED, True
    return DIRECT, False


def _standing_of_notice(fact: Fact, device: Device | None, checks: Mapping[tuple[Position, str], bool]) -> Standing:
    """A notice is worth what the claimant shows, whoever typed it in; only a broken signature spoils it."""
    signed = fact.envelope.signature is not None
    if signed and device is not None and not _signature_is_good(fact, device, checks):
        return Standing(NEVER, "BAD_SIGNATURE")
    return Standing(DIRECT, None, signed)


def _signature_is_good(fact: Fact, device: Device, checks: Mapping[tuple[Position, str], bool]) -> bool:
    for public_key in device.keys.get(fact.envelope.keyid or "", ()):
        checked = checks.get((fact.position, public_key))
        if signatures.valid(fact.envelope, public_key) if checked is None else checked:
            return True
    return False


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
    if grade >= DIRECT and (joined or _artefact(observation, scan)):
        grade = VERIFIED
    if facet is Facet.PRESENCE and mode is CaptureMode.IMPORT:
        grade = min(grade, DIRECT)
    if claimed:
        grade = min(grade, _ceiling_of_own_word(observation, scan))
    return min(grade, standing.ceiling)


def _ceiling_of_own_word(observation: Observation, scan: Scan) -> int:
    """The claimant's column: the carton with a picture, what an instrument tells; the rest is a bare statement."""
    scanned = observation.facet is Facet.PRESENCE and scan.mode in _SCANNING
    pictured = observation.facet is Facet.OUTER and bool(observation.media)
    return DIRECT if scanned or pictured or observation.instrument is not None else INFERRED


def _artefact(observation: Observation, scan: Scan) -> bool:
    """Whether a picture taken then shows the facet; for a seal it must show the number."""
    if observation.facet is Facet.SEAL:
        return scan.seal is not None and scan.seal.media is not None
    return bool(observation.media)


_SHOWN_BY = {Proof.UNBOXING_VIDEO: Facet.CONTENTS, Proof.PHOTO_PACKAGING_KEPT: Facet.OUTER}


def grade_of_claim(observation: Observation, notice: NoticeGiven, standing: Standing) -> int:
    """The grade of what a claimant says: direct where the proof shows that facet and its media are there to be seen."""
    if observation.value is Condition.UNEXAMINED:
        return NEVER
    shown = _SHOWN_BY.get(notice.proof) is observation.facet and bool(observation.media)
    return min(DIRECT if shown else INFERRED, standing.ceiling)
