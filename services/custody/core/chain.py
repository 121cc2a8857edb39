"""The chain of custody: who held the parcel when, and how it passed on. core/folding.py makes it from acts."""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime

from schemas.vocabulary import RECIPIENT, SENDER, DropPlace
from services.custody.core.acts import Act, Kind, Order
from services.custody.core.instants import ENDLESS

_AT_A_HANDOFF = (Kind.ACCEPT, Kind.REFUSE)


@dataclass(slots=True, eq=False)
class Segment:
    """One custodian's interval, from its first act as holder to the next one's."""

    party: str
    start: datetime
    end: datetime = ENDLESS
    opened_by: Act | None = None
    """The act that made it the holder; None for the sender at the origin."""
    implied: bool = False
    dropped: bool = False
    """It was left with this party, as agreed, and the party itself said nothing (R26)."""

    def overlaps(self, since: datetime, until: datetime) -> bool:
        """Whether it has a part inside the open interval."""
        return self.start < until and self.end > since

    def holds(self, instant: datetime) -> bool:
        """Whether the instant lies strictly inside."""
        return self.start < instant < self.end


@dataclass(slots=True, eq=False)
class Zone:
    """Where custody passed from giver to taker at an unknown moment: it belongs to both."""

    giver: str
    taker: str
    since: datetime
    until: datetime
    act: Act

    def overlaps(self, since: datetime, until: datetime) -> bool:
        """Whether it has a part inside the open interval; a zone reaches up to and includes the taker's first act."""
        return self.since < until and self.until > since


@dataclass(slots=True, eq=False)
class Handoff:
    """An explicit acceptance, or a refusal at the door, with the giver's release where there is one in the window."""

    accept: Act
    giver: str
    release: Act | None
    skewed: bool = False
    """The acceptance is dated earlier than the release by more than clocks may differ."""
    wrong_taker: bool = False
    """The giver released to somebody else."""

    @property
    def taker(self) -> str:
        """Who took it, or was to take it."""
        return self.accept.party


@dataclass(slots=True, eq=False)
class Drop:
    """The carrier left it somewhere, by its own entry, or had somebody sign for it whom nobody had asked."""

    act: Act
    giver: str
    """Who held it."""
    place: DropPlace
    agreed: bool
    """Whether it was left as the final taker had agreed; else it is no delivery and moves nothing (R13e)."""
    misdirected: bool = False
    """At another address than the one in force (R33)."""
    proxy: bool = False
    """It came into the hands of a person whom the final taker had not named (R34)."""


@dataclass(slots=True, eq=False)
class Delivery:
    """The end of a way: the recipient, or on the way back the sender, has it."""

    accept: Act
    """The final taker's acceptance, or the drop that counts as one (R26)."""
    giver: str
    taker: str
    dropped: bool = False
    unattended: bool = False
    """Nobody handed it over, so that nobody was there to remark to."""


@dataclass(slots=True, eq=False)
class Gap:
    """A side of a handoff that is missing."""

    t: datetime
    text: str
    since: datetime | None = None
    """Where the moment is not known: from when on it may have been."""

    def touches(self, since: datetime, until: datetime) -> bool:
        """Whether what is missing may lie after the one instant and no later than the other."""
        return (self.since or self.t) <= until and self.t > since


@dataclass(slots=True, eq=False)
class Chain:
    """Who held the parcel when."""

    segments: list[Segment]
    handoffs: list[Handoff] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    refusals: list[Handoff] = field(default_factory=list)
    """Handoffs that the final taker refused: nobody took (R25)."""
    returns: list[Act] = field(default_factory=list)
    """Orders to send it back (R24)."""

    def held_between(self, after: Order, before: Order) -> list[str]:
        """Who held it between two acts of the same instant: there only the order of the acts tells."""
        opened = [segment.opened_by.order if segment.opened_by is not None else None for segment in self.segments]
        return [
            segment.party
            for segment, start, end in zip(self.segments, opened, [*opened[1:], None], strict=True)
            if (start is None or start < before) and (end is None or end > after)
        ]

    @property
    def first_acceptance(self) -> Handoff | None:
        """The pick-up."""
        first = self.handoffs[0] if self.handoffs else None
        return first if first is not None and first.giver == SENDER and self.segments[0].end == first.accept.t else None

    @property
    def taken_over_at(self) -> datetime | None:
        """When it left the sender, by acceptance or by implication."""
        return self.segments[1].start if len(self.segments) > 1 else None

    @property
    def delivery(self) -> Delivery | None:
        """The first delivery to the recipient."""
        return next((delivery for delivery in self.deliveries if delivery.taker == RECIPIENT), None)

    @property
    def tendered_at(self) -> datetime | None:
        """When the carriers had done what was promised: delivered it, or were told by the final taker to keep it.

        Else a parcel that was refused, or called back, on time would be late for ever.
        """
        ends = [delivery.accept.t for delivery in self.deliveries]
        ends += [refusal.accept.t for refusal in self.refusals]
        ends += [order.t for order in self.returns if order.party in (SENDER, RECIPIENT)]
        return min(ends, default=None)

    def final_taking(self, before: Order) -> Delivery | None:
        """The last delivery before something."""
        return next((each for each in reversed(self.deliveries) if each.accept.order < before), None)

    @property
    def delivered(self) -> bool:
        """Whether it is with the recipient, or back with the sender."""
        return len(self.segments) > 1 and self.segments[-1].party in (SENDER, RECIPIENT)

    def handoff_by(self, act: Act) -> Handoff | None:
        """The handoff that an acceptance made, or that a refusal stopped."""
        if act.kind not in _AT_A_HANDOFF:
            return None
        return next((handoff for handoff in (*self.handoffs, *self.refusals) if handoff.accept is act), None)

    def holder_at(self, instant: datetime) -> Segment:
        """The segment that an instant lies in; a boundary belongs to the taker."""
        return self.segments[bisect_right(self.segments, instant, key=_start) - 1]


def _start(segment: Segment) -> datetime:
    return segment.start
