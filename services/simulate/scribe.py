"""Writes down one parcel's story: what people and machines see, through their noise, and the truth of it beside."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from schemas.events import Event, Observation, Operator, Scan, UnitPacked
from schemas.identifiers import Source
from schemas.vocabulary import RECIPIENT, CaptureMode, Condition, DamageMode, Facet, FindingKind
from services.simulate.dice import picture
from services.simulate.fate import Fate
from services.simulate.habits import Habits
from services.simulate.network import CLAIMS_DESK, OFFICE, SCALE, Device, Network
from services.simulate.noise import Noise
from services.simulate.truth import Sight

VERIFIED, EXAMINED, MEASURED = 5, 4, 3
"""What a look is worth: with a photo or the other side's signature, by a person, by an instrument."""
_SCANNING = (CaptureMode.HUMAN_SCAN, CaptureMode.AUTO_SCAN)
_MODES = tuple(DamageMode)[:4]


@dataclass(frozen=True, slots=True)
class Draft:
    """Something that is about to become an event. `at` is true time."""

    at: datetime
    source: Source
    device: Device | None
    """None: an office desk, which neither signs nor counts."""
    parcel: str
    subject: str
    """The parcel, or a unit that holds it."""
    data: Event
    shows: bool = False
    """Whether it reports the harm."""
    sights: tuple[Sight, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """One look as it is written down, and the truth of it."""

    observation: Observation
    sight: Sight
    noticed: bool = False
    """Whether there was harm to see and the looker saw it, whatever is written down."""

    @property
    def bad(self) -> bool:
        """Whether it says so."""
        return self.sight.said is Condition.BAD


@dataclass(slots=True)
class Scribe:
    """One parcel's events so far. What happens draws on `chance`, what goes wrong in the recording on `blur` alone."""

    parcel: str
    network: Network
    habits: Habits
    noise: Noise
    fate: Fate
    chance: random.Random
    blur: random.Random
    drafts: list[Draft] = field(default_factory=list)

    # --- who and with what -------------------------------------------------------------------------------------------

    def handheld(self, party: str) -> Device:
        """One of the party's devices."""
        return self.chance.choice(self.network.parties[party].handhelds)

    def operator(self, party: str) -> Operator:
        """One of its people."""
        if party == RECIPIENT:
            return Operator(ref=f"app-{self.chance.randint(100_000, 999_999)}", role="recipient")
        return Operator(ref=f"{party}-op{self.chance.randint(1, 9)}")

    def site(self, party: str) -> str:
        """Where it is."""
        return self.network.parties[party].site

    def happens(self, chance: float) -> bool:
        """Whether something happens that has this chance."""
        return self.chance.random() < chance

    # --- looking -----------------------------------------------------------------------------------------------------

    def outside(
        self,
        at: datetime,
        device: Device,
        act: str,
        *,
        pictured: bool = False,
        joint: bool = False,
        instrument: str | None = None,
    ) -> Seen:
        """A look at the carton. `joint`: the other side signs to it if it is bad."""
        harm, bad = self.fate.harm, self.shows_harm(at)
        noticed = bad and self.happens(self.habits.damage_noticed)
        shown, signed = pictured and instrument is None, joint and noticed
        sight = self.sight(
            Facet.OUTER, Condition.BAD if bad else Condition.OK, at, device, act,
            grade=MEASURED if instrument else VERIFIED if shown or signed else EXAMINED,
            tamper=bad and harm is not None and harm.traces, overlooked=bad and not noticed, signed=signed,
        )  # fmt: skip
        return Seen(
            Observation(
                facet=Facet.OUTER,
                value=sight.said,
                damage=self._mechanism(sight) if sight.said is Condition.BAD else None,
                tamper=sight.tamper,
                instrument=instrument,
                media=(picture(self.parcel, at, device.source),) if shown else (),
            ),
            sight,
            noticed,
        )

    def inside(self, at: datetime, device: Device, act: str) -> Seen:
        """A look at the contents, with a photo."""
        broken = self.fate.happened(FindingKind.CONCEALED, at)
        truly = Condition.BAD if broken or self.opened(at) else Condition.OK
        sight = self.sight(Facet.CONTENTS, truly, at, device, act, grade=VERIFIED)
        return Seen(
            Observation(
                facet=Facet.CONTENTS,
                value=sight.said,
                damage=DamageMode.BREAKAGE if broken and sight.said is Condition.BAD else None,
                media=(picture(self.parcel, at, "C"),),
            ),
            sight,
        )

    def weight(self, at: datetime, device: Device, act: str) -> Seen:
        """A mass on a scale. The event tells grams; whether that is short is for whoever reads it."""
        short = self.opened(at)
        sight = self.sight(Facet.WEIGHT, Condition.BAD if short else Condition.OK, at, device, act, grade=MEASURED)
        lacking = self.fate.content_grams if sight.said is Condition.BAD else 0
        grams = self.fate.gross_grams - lacking + self.chance.randint(-4, 4)
        return Seen(
            Observation(
                facet=Facet.WEIGHT, value=Condition.OK, grams=max(1, grams), tolerance_grams=5, instrument=SCALE
            ),
            sight,
        )

    def missing(self, at: datetime, device: Device | None, *, grade: int = EXAMINED) -> Seen:
        """The finding that it is not where it should be."""
        sight = self.sight(Facet.PRESENCE, Condition.BAD, at, device, "look", grade=grade)
        return Seen(Observation(facet=Facet.PRESENCE, value=sight.said), sight)

    def shows_harm(self, at: datetime) -> bool:
        """Whether the carton does then, from outside."""
        harm = self.fate.harm
        return self.fate.happened(FindingKind.DAMAGE, at) or (self.opened(at) and harm is not None and harm.traces)

    def opened(self, at: datetime) -> bool:
        """Whether something was taken out of it by then."""
        return self.fate.happened(FindingKind.SHORTAGE, at)

    def sight(
        self,
        facet: Facet,
        truly: Condition,
        at: datetime,
        device: Device | None,
        act: str,
        *,
        grade: int,
        unit: str | None = None,
        tamper: bool = False,
        overlooked: bool = False,
        signed: bool = False,
    ) -> Sight:
        """The truth of a look, and what noise lets be written down of it."""
        if device is not None and device.key is None:
            grade = min(grade, MEASURED)  # nothing vouches for who looked, nor for who is said to have signed to it
        if act == "refusal":
            grade = min(grade, MEASURED)  # a claimant's own word, with a photo
        said = self.noise.of_look(Condition.OK if overlooked else truly, grade, self.blur)
        number = self.fate.holder_at(at)
        return Sight(
            at=at,
            by=device.party if device is not None else RECIPIENT,
            segment=number - 1 if act == "refusal" else number,
            act=act,
            facet=facet,
            said=said,
            truly=truly,
            grade=grade,
            unit=unit,
            tamper=tamper and said is Condition.BAD,
            signed=signed and said is Condition.BAD,
            vouched=device is None or device.key is not None,
        )

    def _mechanism(self, sight: Sight) -> DamageMode | None:
        harm = self.fate.harm
        if sight.truly is Condition.BAD and harm is not None:
            return harm.damage
        return self.blur.choice(_MODES)

    # --- writing -----------------------------------------------------------------------------------------------------

    def write(
        self,
        at: datetime,
        device: Device,
        data: Scan,
        looks: Sequence[Seen] = (),
        *,
        subject: str | None = None,
        sights: tuple[Sight, ...] = (),
    ) -> None:
        """Put an act on record, unless it goes missing. A label that was read shows that the parcel was there.

        `sights`: looks that the event tells of otherwise than by an observation.
        """
        subject = subject or self.parcel
        told = (*(seen.sight for seen in looks), *sights)
        if self.noise.loses(looked=bool(told), chance=self.blur):
            return
        if subject == self.parcel and data.inside is None and data.mode in _SCANNING and _handles(data):
            told += (self.sight_of_label(at, device, "pack" if isinstance(data, UnitPacked) else "scan"),)
        shows = subject == self.parcel and any(sight.said is Condition.BAD for sight in told)
        self.drafts.append(Draft(at, device.source, device, self.parcel, subject, data, shows, told))

    def sight_of_label(self, at: datetime, device: Device, act: str) -> Sight:
        """A label is read where the parcel is, or not at all: no noise turns it round."""
        ok = Condition.OK
        return Sight(
            at=at, by=device.party, segment=self.fate.holder_at(at), act=act, facet=Facet.PRESENCE, said=ok,
            truly=ok, grade=MEASURED, vouched=device.key is not None,
        )  # fmt: skip

    def claim(self, at: datetime, data: Event, sights: tuple[Sight, ...]) -> None:
        """Put on record what the claims desk was told."""
        self.drafts.append(Draft(at, CLAIMS_DESK, None, self.parcel, self.parcel, data, shows=True, sights=sights))

    def announce(self, at: datetime, data: Event) -> None:
        """Put paperwork on record."""
        self.drafts.append(Draft(at, OFFICE, None, self.parcel, self.parcel, data))


def _handles(data: Scan) -> bool:
    return not data.TYPE.startswith("custody.handoff_released")
