"""Rich histories that Hypothesis makes up: seals, scales, loggers, packing, customs, swaps and losses, with noise."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st

from schemas.events import (
    ConditionObserved,
    EventCorrected,
    HandoffAccepted,
    NoticeGiven,
    ParcelAnnounced,
    PartyRegistered,
    PlannedLeg,
    PolicySet,
)
from schemas.positions import AsOf
from schemas.vocabulary import (
    RECIPIENT,
    SENDER,
    CaptureMode,
    Facet,
    FindingKind,
    PartyRole,
    Proof,
    Regime,
    SharePolicy,
)
from services.custody.core.attribution import judge
from services.custody.core.facts import Evidence
from services.custody.core.ground import lay
from services.custody.core.pieces import pieces_of
from services.custody.core.rules import findings
from services.custody.core.rules.clocks import Trials
from services.custody.core.verdict import Finding, Verdict
from tests.unit.custody.core.histories import (
    CARRIERS,
    DEVICES,
    PHOTO,
    SUBJECT,
    History,
    Told,
    enrolled,
    registry,
)
from tests.unit.custody.core.rich_journey import Journey
from tests.unit.custody.core.rich_teller import CUSTOMS, LOCKER, OTHER, PARTIES, PERSON, PIECES, Teller, bad, ok


def _other_parcel(tell: Teller, meets: tuple[str, ...]) -> None:
    """Another parcel that goes through some of the same hands, and may hold the first one's goods."""
    at = 40.0
    for place, party in enumerate(meets):
        looks = ok(Facet.CONTENTS) if place == 0 else ()
        accepted = HandoffAccepted(taker=party, observations=looks, mode=CaptureMode.HUMAN_INSPECT, operator=PERSON)
        tell.tell(party, accepted, OTHER, at)
        at += tell.draw(20, 200, 60 * 30)
    taken = HandoffAccepted(taker=RECIPIENT, mode=CaptureMode.HUMAN_INSPECT, operator=PERSON)
    tell.tell(RECIPIENT, taken, OTHER, at)
    notice = NoticeGiven(
        party=RECIPIENT,
        observations=(bad(Facet.CONTENTS, media=(PHOTO,)),),
        proof=tell.draw(Proof.UNBOXING_VIDEO, Proof.UNBOXING_VIDEO, Proof.NONE),
        holds=tell.draw(SUBJECT, SUBJECT, None, OTHER),
    )
    tell.tell(RECIPIENT, notice, OTHER, at + 60)


law = settings(max_examples=max(1, settings().max_examples // 5))
"""A rich history is dear to make and to judge; LASTINTACT_LAWS=search asks for many."""


@st.composite
def rich(draw: st.DrawFn, max_steps: int = 5) -> History:
    """A parcel's whole way with everything that the rules speak of, recorded more or less well."""
    tell = Teller(draw)
    pieces = tell.one_in(8)
    if pieces or tell.one_in(2):
        plan = tuple(PlannedLeg(party, tell.draw(None, 5.0), tell.draw(None, 10, 30)) for party in CARRIERS[:3])
        announced = ParcelAnnounced(
            contracting="C1",
            content_grams=tell.draw(None, 300, 300, 4000),
            promised_after_hours=tell.draw(None, 48.0),
            plan=plan,
            pieces=PIECES if pieces else (),
        )
        tell.tell(CARRIERS[0], announced, minutes=1)
    if tell.one_in(5):
        weighed = ConditionObserved(party=SENDER, observations=(tell.mass(SUBJECT),), **tell.hand())
        tell.tell(SENDER, weighed, minutes=10)
    way = Journey(tell, pieces)
    route = tell.draw(*tell.plot.routes)
    for place, party in enumerate(route):
        way.pass_on(party)
        if tell.plot.taped and place < 2 and not way.inside and tell.one_in(2):
            way.tape()
        for _ in range(tell.draw(0, 0, 1, 1, 2, max_steps - 2)):
            tell.minutes += tell.draw(0, 1, 3, 30, 300)
            if way.inside and tell.one_in(9 if tell.plot.sealed else 3):
                way.come_out()
            elif not way.inside and tell.one_in(2 if tell.plot.sealed else 9):
                way.close_in()
            else:
                way.befall()
        tell.wait()
    while way.inside:
        way.come_out()
        tell.minutes += tell.draw(1, 40)
    way.deliver()
    for _ in range(tell.draw(0, 1, 1, 1, 2)):
        tell.minutes += tell.draw(30, 60 * 20, 60 * 24 * 8)
        way.complain(holds=OTHER if tell.one_in(2 if tell.plot.swapped else 9) else None)
    if tell.one_in(9) or tell.plot.swapped:
        _other_parcel(tell, tell.draw(route, route[:2], ("LH", "H1"), (CUSTOMS, "H2")))
    for _ in range(tell.draw(0, 0, 1, 2, 3)):
        tell.wait()
        corrected = tell.draw(*tell.told)
        by = tell.draw(corrected.by, corrected.by, corrected.by, "C1")
        correction = EventCorrected(party=by, corrects=corrected.id, countersigned=tell.signers(*CARRIERS))
        tell.tell(by, correction, corrected.subject)
    if tell.one_in(5):
        way.look(tell.draw(*PARTIES))
    return History(tuple(tell.told), draw(settings_and_parties()))


def every_answer(evidence: Evidence, as_of: AsOf) -> tuple[Verdict, ...]:
    """The answers about whatever is reported, and about every kind of finding, of the parcel and of each piece."""
    ground = lay(evidence, as_of)
    trials = Trials(ground)
    asked = [Finding(kind, piece=piece) for kind in FindingKind for piece in (None, *pieces_of(ground))]
    found = (judge(ground, finding, trials) for finding in dict.fromkeys((*findings.reported(ground), *asked)))
    return tuple(verdict for verdict in found if verdict is not None)


@st.composite
def settings_and_parties(draw: st.DrawFn) -> tuple[Told, ...]:
    """The settings, everybody enrolled, an authority and a locker among them; sometimes sister firms."""
    policy = PolicySet(
        deemed_lost_hours=draw(st.sampled_from((None, None, 24.0 * 10))),
        tau_grams=draw(st.sampled_from((None, None, 0, 400))),
        policy=draw(st.sampled_from((None, *SharePolicy))),
        table=draw(st.sampled_from(({}, {"C1": 2, "H1": 5, "LH": 3, "H2": 1}))),
        regime=draw(st.sampled_from((None, *Regime))),
        packing_share=draw(st.sampled_from((None, "1/2", "1/3"))),
        handoff_window_hours=draw(st.sampled_from((None, None, 0.5))),
        opening_window_hours=draw(st.sampled_from((None, None, 1.0))),
    )
    entities = draw(st.sampled_from(({}, {}, {"C1": "GROUP", "H2": "GROUP"}, {"H1": "LH"})))
    told = list(registry(policy, entities))
    for party, role in ((CUSTOMS, PartyRole.AUTHORITY), (LOCKER, PartyRole.LOCKER)):
        registered = PartyRegistered(party=party, role=role)
        told.append(Told(f"party-{party}", "OFFICE", timedelta(), timedelta(), registered, None, f"party:{party}"))
        told += [enrolled(party, device) for device in DEVICES]
    return tuple(replace(each, recorded=timedelta(milliseconds=500 + at)) for at, each in enumerate(told))
