"""Acts that only say something of the parcel: holds, redirections, notices, payments, corrections, and its devices."""

from schemas.events import ClaimPaid, DeviceRevoked, EventCorrected, HoldPlaced, NoticeGiven, PlannedLeg, Redirected
from schemas.vocabulary import Facet, FindingKind, HoldReason, Proof, RevocationReason
from services.scenario.capture import countersignatures, observation
from services.scenario.devices import device_of, enrolment
from services.scenario.names import Names
from services.scenario.story import StoryError, StoryEvent
from services.scenario.told import Told, hours, length, on_its_scanner, reason


def held(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    if not {"for", "because"} <= event.fields.keys():
        raise StoryError(event.line, f"{event.id} holds it up: say for how long, and because of what.")
    data = HoldPlaced(
        party=names.party(event.by),
        hours=hours(length(event.fields["for"])),
        because=reason(event, HoldReason, HoldReason.OPERATIONS),
    )
    return on_its_scanner(data, event, names)


def redirected(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    fields = event.fields
    data = Redirected(
        party=names.party(event.by),
        address=names.address(fields.get("address", "new")),
        promised_after_hours=hours(length(fields["promised"])) if "promised" in fields else None,
        plan=tuple(
            PlannedLeg(party=names.party(name), dwell_hours=hours(length(dwell)))
            for name, dwell in fields.get("plan", {}).items()
        ),
    )
    return on_its_scanner(data, event, names)


_PROOF_FOR = {Facet.CONTENTS: Proof.UNBOXING_VIDEO}
"""What a claimant shows of a facet to be believed at grade 3; anything but the contents shows in a picture."""


def notified(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    shown = {_PROOF_FOR.get(seen.facet, Proof.PHOTO_PACKAGING_KEPT) for seen in event.see if (seen.grade or 0) >= 3}
    if len(shown) > 1:
        raise StoryError(event.line, f"{event.id}: one notice has one proof; give another notice for the other facet.")
    proof = next(iter(shown), Proof(event.fields.get("proof", "none")))
    to, holds = event.fields.get("to"), event.fields.get("holds")
    data = NoticeGiven(
        party=names.party(event.by),
        to=names.party(to) if to else None,
        pieces=tuple(event.fields.get("pieces", ())),
        observations=tuple(observation(event, seen, media=proof is not Proof.NONE) for seen in event.see),
        proof=proof,
        holds=names.subject(holds, event.line) if holds else None,
    )
    return (Told(data, names.subject_of(event), event.by, role="claims"),)


def paid(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    if "finding" not in event.fields:
        raise StoryError(event.line, f"{event.id} pays for nothing: name a finding.")
    data = ClaimPaid(party=names.party(event.by), finding=FindingKind(event.fields["finding"]))
    return (Told(data, names.subject_of(event), event.by, role="claims"),)


def corrected(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    if "corrects" not in event.fields:
        raise StoryError(event.line, f"{event.id} corrects nothing: name an event.")
    data = EventCorrected(
        party=names.party(event.by),
        corrects=names.event_id(event.fields["corrects"]),
        countersigned=countersignatures(event, names),
    )
    return on_its_scanner(data, event, names)


def enrolled(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    return (Told(enrolment(names, event.by), device_of(names, event.by).subject, event.by, role="ops"),)


def revoked(event: StoryEvent, names: Names) -> tuple[Told, ...]:
    """A scanner no longer counts, from the time of the act on."""
    source = device_of(names, event.by)
    why = reason(event, RevocationReason, RevocationReason.RETIRED)
    cut_off = names.instant(event.t) if why is RevocationReason.RETIRED else None
    data = DeviceRevoked(device=source.device_id, reason=why, cut_off=cut_off)
    return (Told(data, source.subject, event.by, role="ops"),)
