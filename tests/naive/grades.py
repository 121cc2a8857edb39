"""Grades with their ceilings: what an observation is worth by how it came to be."""

from enum import Enum

from schemas.events import (
    ConditionObserved,
    HandoffAccepted,
    HandoffReleased,
    NoticeGiven,
    Observation,
    ReturnOrdered,
    Scan,
)
from schemas.vocabulary import (
    CaptureMode,
    Condition,
    Facet,
    PartyRole,
    Proof,
    RevocationReason,
)
from tests.naive.facts import Act
from tests.naive.terms import Registry, Settings

CLAIMANTS = (PartyRole.SENDER, PartyRole.RECIPIENT)


class Signing(Enum):
    """What an act's signature is worth."""

    GOOD = "good"
    NONE = "none"
    VOID = "void"


def signing(act: Act, registry: Registry) -> Signing:
    """Grades: a bad signature, an unknown or a revoked device are worth nothing; a compromised key signs nothing."""
    device = registry.devices.get(act.device)
    signed = act.record.signature
    if signed is False or (signed and device is None):
        return Signing.VOID
    for reported, revocation in registry.revoked:
        if revocation.device != act.device:
            continue
        if revocation.keyid is not None and revocation.keyid != act.record.envelope.keyid:
            continue
        if revocation.reason is RevocationReason.COMPROMISED:
            if act.recorded > reported:
                signed = None
        elif act.t > (revocation.cut_off or reported):
            return Signing.VOID
    return Signing.GOOD if signed else Signing.NONE


def is_void(act: Act, registry: Registry, settings: Settings) -> bool:
    """Grade 0 whatever it says: bad signature, unknown or revoked device, impossible time."""
    if isinstance(act.data, NoticeGiven):
        return False
    impossible = act.t > act.recorded + settings.clock_skew
    return impossible or signing(act, registry) is Signing.VOID


def is_typed_in(act: Act, registry: Registry, settings: Settings) -> bool:
    """Entered without a device-signed time: typed in, or scanned without signature and uploaded too late."""
    if signing(act, registry) is not Signing.NONE or act.mode in (None, CaptureMode.IMPORT):
        return False
    return act.mode is CaptureMode.MANUAL_ENTRY or not _soon(act, settings)


def is_unsigned(act: Act, registry: Registry) -> bool:
    return not isinstance(act.data, NoticeGiven) and signing(act, registry) is Signing.NONE


def other_side(act: Act, registry: Registry) -> list[str]:
    """Who of another legal entity stands behind the record: countersigners, and whose device recorded it."""
    parties = [signed.party for signed in act.countersigned]
    if act.device in registry.devices:
        parties.append(registry.devices[act.device].party)
    return [party for party in parties if not registry.same(party, act.by)]


def is_neutral_survey(act: Act, registry: Registry) -> bool:
    """A survey: only surveyors and authorities can be neutral."""
    return (
        isinstance(act.data, ConditionObserved)
        and act.data.neutral
        and registry.role(act.by) in (PartyRole.SURVEYOR, PartyRole.AUTHORITY)
    )


def grade(act: Act, seen: Observation, registry: Registry, settings: Settings, *, admission: bool = False) -> int:
    """Grades 0 to 5 of one observation, ceilings applied."""
    if is_void(act, registry, settings):
        return 0
    if isinstance(act.data, NoticeGiven):
        return _claimed(act.data.proof, seen)
    if registry.role(act.by) in CLAIMANTS and not isinstance(act.data, HandoffAccepted):
        return 3 if (seen.instrument or (seen.facet is not Facet.CONTENTS and seen.media)) else 1
    base = _base(act, seen, registry)
    if base == 0:
        return 0
    if base in (3, 4) and (_artefact(act, seen) or other_side(act, registry) or is_neutral_survey(act, registry)):
        base = 5
    return min(base, ceiling(act, registry, settings, admission=admission))


def _claimed(proof: Proof, seen: Observation) -> int:
    """Grades: a claimant's 3 needs the original media with the packaging kept, for C a continuous unboxing video."""
    if not seen.media:
        return 1
    if seen.facet is Facet.CONTENTS:
        return 3 if proof is Proof.UNBOXING_VIDEO else 1
    if seen.facet in (Facet.PRESENCE, Facet.COUNT):
        return 3 if proof is not Proof.NONE else 1
    return 3 if proof is Proof.PHOTO_PACKAGING_KEPT else 1


def _base(act: Act, seen: Observation, registry: Registry) -> int:
    """Grades 3 and 4, and what is worth neither."""
    assert isinstance(act.data, Scan)
    device = registry.devices.get(act.device)
    if seen.instrument is not None:
        return 3 if device is not None and seen.instrument in device.instruments else 1
    if act.mode in (CaptureMode.HUMAN_SCAN, CaptureMode.AUTO_SCAN):
        return 3 if seen.facet is Facet.PRESENCE else 0
    if act.mode is CaptureMode.IMPORT and seen.facet is Facet.PRESENCE:
        return 3
    return 4 if act.data.operator is not None and device is not None else 1


def _artefact(act: Act, seen: Observation) -> bool:
    """Grade 5: an artefact taken then; of a seal only a photo of its number."""
    if seen.facet is Facet.SEAL:
        return isinstance(act.data, Scan) and act.data.seal is not None and act.data.seal.media is not None
    return bool(seen.media)


def ceiling(act: Act, registry: Registry, settings: Settings, *, admission: bool) -> int:
    """The ceilings of imports, of unsigned entries, and of unsigned scans."""
    unsigned = is_unsigned(act, registry)
    if act.mode is CaptureMode.IMPORT:
        return 2 if unsigned else 4
    if not unsigned:
        return 5
    if act.mode is not CaptureMode.MANUAL_ENTRY and act.device in registry.devices and _soon(act, settings):
        return 3
    return 3 if admission else 1


def _soon(act: Act, settings: Settings) -> bool:
    return act.recorded - act.t <= settings.late_after


def label_grade(act: Act, registry: Registry, settings: Settings, *, admission: bool = False) -> int:
    """Ceilings: a scan gives P@3, named or not, for the label was read; a release says that it is leaving."""
    if act.mode not in (CaptureMode.HUMAN_SCAN, CaptureMode.AUTO_SCAN) or isinstance(
        act.data, (HandoffReleased, ReturnOrdered)
    ):
        return 0
    if any(seen.facet is Facet.PRESENCE for seen in act.observations):
        return 0
    if is_void(act, registry, settings):
        return 0
    return min(3, ceiling(act, registry, settings, admission=admission))


def seal_grade(act: Act, registry: Registry, settings: Settings) -> int:
    """Grades: how surely a seal's number was put on record when it was put on."""
    assert isinstance(act.data, Scan)
    if act.mode in (CaptureMode.HUMAN_SCAN, CaptureMode.AUTO_SCAN):
        base = 3
    else:
        base = 4 if act.data.operator is not None else 1
    if base >= 3 and act.data.seal is not None and act.data.seal.media is not None:
        base = 5
    return min(base, ceiling(act, registry, settings, admission=False))


def says_not_here(act: Act) -> bool:
    """P or N seen bad: whoever says so holds nothing."""
    return any(seen.facet in (Facet.PRESENCE, Facet.COUNT) and seen.value is Condition.BAD for seen in act.observations)
