"""The timeline as a reader sees it: who held the parcel when, each handoff with its two sides, gaps, and who looked."""

from datetime import datetime

from msgspec import Struct

from schemas.positions import AsOf
from schemas.vocabulary import Condition, DamageMode, Facet, PartyRole, Severity
from services.custody.core import chain
from services.custody.core.case import Ground
from services.custody.core.facts import Evidence
from services.custody.core.ground import lay
from services.custody.core.instants import BEGINNING, ENDLESS
from services.custody.core.verdict import Excluded


class Segment(Struct, frozen=True, kw_only=True):
    """One custodian's interval. `since` None: from the origin; `until` None: still held."""

    party: str
    role: PartyRole
    since: datetime | None
    until: datetime | None
    how: str
    """`origin`, `accepted`, or `implied`: handled without having been accepted."""
    event: str | None
    site: str | None


class Handoff(Struct, frozen=True, kw_only=True):
    """An acceptance and the giver's release, which may be missing."""

    t: datetime
    giver: str
    taker: str
    accept: str
    release: str | None
    countersigned: tuple[str, ...]
    reservation: str | None
    flags: tuple[str, ...]


class Zone(Struct, frozen=True, kw_only=True):
    """A time in which custody passed from one to the other at an unknown moment."""

    giver: str
    taker: str
    since: datetime | None
    until: datetime
    event: str


class Gap(Struct, frozen=True, kw_only=True):
    """A record that should be there and is not."""

    t: datetime
    text: str


class Seen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One look at one facet."""

    event: str
    t: datetime
    observer: str
    facet: Facet
    value: Condition
    grade: int
    component: str
    damage: DamageMode | None = None
    severity: Severity | None = None


class Timeline(Struct, frozen=True, kw_only=True):
    """The whole of it, as of a moment. Every tuple is in the order of event time."""

    subject: str
    as_of: datetime
    segments: tuple[Segment, ...]
    handoffs: tuple[Handoff, ...]
    zones: tuple[Zone, ...]
    gaps: tuple[Gap, ...]
    looks: tuple[Seen, ...]
    excluded: tuple[Excluded, ...]
    holder: str
    """Who has it now, by the record."""
    delivered_at: datetime | None


def timeline(evidence: Evidence, as_of: AsOf) -> Timeline:
    """The custody of a subject as far as it was recorded by then. A function of its arguments alone."""
    ground = lay(evidence, as_of)
    folded = ground.scene.chain
    delivery = folded.delivery
    excluded = sorted(ground.scene.excluded.items(), key=lambda item: item[0])
    return Timeline(
        subject=evidence.subject,
        as_of=as_of.time,
        segments=tuple(_segment(segment, ground) for segment in folded.segments),
        handoffs=tuple(_handoff(handoff) for handoff in folded.handoffs),
        zones=tuple(
            Zone(
                giver=zone.giver,
                taker=zone.taker,
                since=None if zone.since is BEGINNING else zone.since,
                until=zone.until,
                event=zone.act.id,
            )
            for zone in folded.zones
        ),
        gaps=tuple(Gap(t=gap.t, text=gap.text) for gap in folded.gaps),
        looks=tuple(_seen(ground)),
        excluded=tuple(Excluded(fact.id, str(fact.position), why) for _, (fact, why) in excluded),
        holder=folded.segments[-1].party,
        delivered_at=delivery.accept.t if delivery is not None else None,
    )


def _segment(segment: chain.Segment, ground: Ground) -> Segment:
    opened_by = segment.opened_by
    return Segment(
        party=segment.party,
        role=ground.registry.role(segment.party),
        since=None if segment.start is BEGINNING else segment.start,
        until=None if segment.end is ENDLESS else segment.end,
        how="origin" if opened_by is None else "implied" if segment.implied else "accepted",
        event=opened_by.id if opened_by is not None else None,
        site=opened_by.site if opened_by is not None else None,
    )


def _handoff(handoff: chain.Handoff) -> Handoff:
    accept = handoff.accept
    flags = [name for name, raised in (("CLOCK_SKEW", handoff.skewed), ("WRONG_TAKER", handoff.wrong_taker)) if raised]
    reservation = accept.reservation
    return Handoff(
        t=accept.t,
        giver=handoff.giver,
        taker=handoff.taker,
        accept=accept.id,
        release=handoff.release.id if handoff.release is not None else None,
        countersigned=accept.joined,
        reservation=f"{reservation.facet}: {reservation.grounds}" if reservation is not None else None,
        flags=tuple(flags),
    )


def _seen(ground: Ground) -> list[Seen]:
    return [
        Seen(
            event=act.id,
            t=act.t,
            observer=act.party,
            facet=look.facet,
            value=look.value,
            grade=look.grade,
            component=look.component,
            damage=look.damage,
            severity=look.severity,
        )
        for act in ground.scene.acts
        for look in act.looks
    ]
