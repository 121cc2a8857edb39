"""The timeline as a reader sees it: who held the parcel when, each handoff with its two sides, gaps, and who looked."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from schemas.events import Redirected, UnitPacked
from schemas.positions import AsOf
from schemas.vocabulary import (
    SENDER,
    Condition,
    DamageMode,
    DropPlace,
    Facet,
    FindingKind,
    PartyRole,
    Severity,
    UnitKind,
)
from services.custody.core import chain, containment, pieces
from services.custody.core.acts import Kind
from services.custody.core.case import Case, Ground, Scene
from services.custody.core.facts import Evidence
from services.custody.core.ground import lay
from services.custody.core.instants import BEGINNING, ENDLESS
from services.custody.core.rules import findings
from services.custody.core.rules.admission import admit
from services.custody.core.verdict import Excluded, Finding

UNDERWAY = "underway"
_STATES = ("missing", UNDERWAY, "returned", "delivered")
"""From the worst to the best."""


class Segment(Struct, frozen=True, kw_only=True):
    """One custodian's interval. `since` None: from the origin; `until` None: still held."""

    party: str
    role: PartyRole
    since: datetime | None
    until: datetime | None
    how: str
    """`origin`, `accepted`, `implied`: handled without having been accepted, or `dropped`: left there as agreed."""
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


class Stay(Struct, frozen=True, kw_only=True):
    """A time in a unit. While it lasts, what happens to the unit happens to the parcel (R9)."""

    unit: str
    kind: UnitKind
    since: datetime
    until: datetime | None
    """None: it is still in there, as far as is known."""
    ended: str | None
    """`unpacked`, by the record; `moved`, `seen`, `emptied` or `time`: nobody recorded it, it is inferred (R9h)."""
    ended_by: str | None
    """The event that the end is read from."""
    depth: int
    """1: the parcel itself is in it; 2: in the unit that it is in; ..."""


class OnTheWay(Struct, frozen=True, kw_only=True):
    """What happened without custody's passing by acceptance: a drop, an attempt, a refusal, an order to return."""

    t: datetime
    what: str
    """`drop`, `attempt`, `refusal`, `return`, `relabel`, `hold` or `redirect`."""
    by: str
    event: str
    place: DropPlace | None = None
    agreed: bool | None = None
    """Of a drop: whether it was left as the final taker had agreed (R26), or moved nothing (R13e)."""


class Unit(Struct, frozen=True, kw_only=True):
    """An event of a unit that the parcel was in, which is the parcel's too."""

    event: str
    t: datetime
    unit: str
    what: str
    by: str


class Piece(Struct, frozen=True, kw_only=True):
    """How it stands with one piece of a consignment (R27)."""

    piece: str
    state: str
    holder: str
    delivered_at: datetime | None


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
    unit: str | None = None
    """The unit that was looked at, or out of or into which it came then."""


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
    state: str = UNDERWAY
    """`missing`, `underway`, `returned` or `delivered`; of a consignment that of its worst piece."""
    stays: tuple[Stay, ...] = ()
    units: tuple[Unit, ...] = ()
    on_the_way: tuple[OnTheWay, ...] = ()
    pieces: tuple[Piece, ...] = ()


def timeline(evidence: Evidence, as_of: AsOf) -> Timeline:
    """The custody of a subject as far as it was recorded by then. A function of its arguments alone."""
    ground = lay(evidence, as_of)
    folded = ground.scene.chain
    delivery = folded.delivery
    standing = [(piece, scene, _state(piece, scene, ground)) for piece, scene in pieces.scenes(ground)]
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
        state=min((state for _, _, state in standing[1:] or standing), key=_STATES.index),
        stays=tuple(_stay(stay, ground) for stay in ground.contained.stays),
        units=tuple(
            Unit(event=act.id, t=act.t, unit=act.unit, what=act.kind.value, by=act.party)
            for act in ground.scene.acts
            if act.unit is not None and act.fact.subject == act.unit
        ),
        on_the_way=tuple(sorted(_on_the_way(ground), key=lambda each: (each.t, each.event))),
        pieces=tuple(_piece(piece, scene, state) for piece, scene, state in standing if piece is not None),
    )


def _state(piece: str | None, scene: Scene, ground: Ground) -> str:
    """How it stands with a piece, or with the parcel."""
    missing = Case(
        ground, admit(ground, Finding(FindingKind.LOSS, piece=piece)), Finding(FindingKind.LOSS, piece=piece)
    )
    if findings.stands(missing):
        return "missing"
    holder = scene.chain.segments[-1].party
    if not scene.chain.delivered:
        return UNDERWAY
    return "returned" if holder == SENDER else "delivered"


def _piece(piece: str, scene: Scene, state: str) -> Piece:
    delivery = scene.chain.delivery
    delivered_at = delivery.accept.t if delivery is not None else None
    return Piece(piece=piece, state=state, holder=scene.chain.segments[-1].party, delivered_at=delivered_at)


def _stay(stay: containment.Stay, ground: Ground) -> Stay:
    lasts = stay.implied and stay.until > ground.as_of.time
    by = stay.unpacked or stay.implied_by
    return Stay(
        unit=stay.unit,
        kind=stay.kind,
        since=stay.since,
        until=None if lasts else stay.until,
        ended=None if lasts else _ended(stay),
        ended_by=by.id if by is not None and not lasts else None,
        depth=stay.depth,
    )


def _ended(stay: containment.Stay) -> str:
    if not stay.implied:
        return "unpacked"
    if stay.implied_by is None:
        return "time"
    if isinstance(stay.implied_by.data, UnitPacked):
        return "moved"
    return "emptied" if stay.implied_by.subject == stay.unit else "seen"


def _on_the_way(ground: Ground) -> Iterator[OnTheWay]:
    drops = {drop.act.fact.position: drop for drop in ground.scene.chain.drops}
    for act in ground.scene.acts:
        drop = drops.get(act.fact.position)
        if drop is not None:
            yield OnTheWay(t=act.t, what="drop", by=act.party, event=act.id, place=drop.place, agreed=drop.agreed)
        elif act.kind in _TOLD and act.unit is None:
            yield OnTheWay(t=act.t, what=_TOLD[act.kind], by=act.party, event=act.id)
    for hold in ground.paper.holds:
        yield OnTheWay(t=hold.since, what="hold", by=hold.party, event=hold.event)
    for fact in ground.paper.redirected:
        if isinstance(fact.data, Redirected):
            yield OnTheWay(t=fact.record_time, what="redirect", by=fact.data.party, event=fact.id)


_TOLD = {
    Kind.ATTEMPT: "attempt",
    Kind.REFUSE: "refusal",
    Kind.RETURN: "return",
    Kind.RELABEL: "relabel",
}


def _segment(segment: chain.Segment, ground: Ground) -> Segment:
    opened_by = segment.opened_by
    return Segment(
        party=segment.party,
        role=ground.registry.role(segment.party),
        since=None if segment.start is BEGINNING else segment.start,
        until=None if segment.end is ENDLESS else segment.end,
        how=_how(segment),
        event=opened_by.id if opened_by is not None else None,
        site=opened_by.site if opened_by is not None else None,
    )


def _how(segment: chain.Segment) -> str:
    if segment.opened_by is None:
        return "origin"
    if segment.dropped:
        return "dropped"
    return "implied" if segment.implied else "accepted"


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
            unit=act.unit,
        )
        for act in ground.scene.acts
        for look in act.looks
    ]
