"""Everything that one question rests on, built step by step in the order of the rules' table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from schemas.events import HandoffAccepted, ParcelAnnounced
from schemas.vocabulary import SENDER, Condition, Facet, FindingKind
from tests.naive import containment
from tests.naive.containment import Stay
from tests.naive.custody import Custody, first_acceptance, fold
from tests.naive.eventset import is_admission, known, serves_itself, taken_back
from tests.naive.facts import Act, Look, Question, Recorded
from tests.naive.grades import is_void
from tests.naive.looks import is_report, looks_of, speaks, weigh
from tests.naive.terms import Paper, Registry, Settings, paper_of, registry_of, settings_of

REGISTRIES = ("device:", "party:", "site:", "policy:")


@dataclass
class Case:
    """One question with its ground."""

    question: Question
    registry: Registry
    settings: Settings
    paper: Paper
    acts: list[Act]
    """Those that count, about the item or, while it was inside, about its units."""
    stays: list[Stay]
    custody: Custody
    looks: list[Look]
    excluded: set[str]
    everything: list[Act]
    """All that was known, about whatever."""
    records: list[Recorded]
    unheard: set[str] = field(default_factory=set)
    """Acceptances that R18 hears for the custody only that they move."""
    refuted: list[Look] = field(default_factory=list)
    """Bads that R17 takes for false alarms."""
    rules: set[str] = field(default_factory=set)
    flags: set[str] = field(default_factory=set)

    @property
    def kind(self) -> FindingKind:
        return self.question.kind

    def bads(self, *, least: int = 3) -> list[Look]:
        """Looks that say bad of the finding, with at least this grade, in their order."""
        return [k for k in self.looks if k.grade >= least and speaks(k, self.question) is Condition.BAD]

    def oks(self, bad: Look) -> list[Look]:
        """Direct looks that say ok of what this one says is bad.

        A first mass is no ok by itself, only what a later drop is measured from (R12); O=ok says nothing of a
        shortage, unless it was visibly tampered with (R2); a slighter bad is an ok before a graver one (R35).
        """
        found = []
        for look in self.looks:
            if not look.direct or speaks(look, self.question) is not Condition.OK:
                continue
            lighter = [k for k in self.looks if k.weighed and k.value is Condition.BAD]
            if look.reference and not any(look is self._measure(k) for k in lighter):
                continue
            if look.value is Condition.BAD and look.order > bad.order:
                continue
            if self.kind is FindingKind.SHORTAGE and look.facet is Facet.OUTER and not self.tampered(bad):
                continue
            found.append(look)
        return found

    def _measure(self, bad: Look) -> Look | None:
        """R12: the mass that a lower one is compared with."""
        before = [k for k in self.looks if k.weighed and k.direct and k.order < bad.order and k.value is Condition.OK]
        return before[-1] if before else None

    def tampered(self, bad: Look) -> bool:
        """Whether whoever saw this also saw from outside that it had been opened."""
        return any(k.tamper and k.facet is Facet.OUTER and k.act.id == bad.act.id for k in self.bads(least=1))

    @property
    def taken_over(self) -> datetime | None:
        """When it first left the sender's hands."""
        return self.custody.segments[1].start if len(self.custody.segments) > 1 else None


def build(records: Sequence[Recorded], question: Question) -> Case:
    """Steps 1 to 3: the event set, the looks, the timeline."""
    log = known(records, question)
    registry = registry_of([each for each in log if each.subject.startswith(REGISTRIES)])
    everything = [Act(each) for each in log if not each.subject.startswith(REGISTRIES)]
    labels = containment.labels_of(question.parcel, everything)
    paper = paper_of([each for each in log if each.subject in labels and isinstance(each.data, ParcelAnnounced)])
    taken_over = min(
        (
            act.t
            for act in everything
            if act.record.subject in labels and isinstance(act.data, HandoffAccepted) and act.by != SENDER
        ),
        default=None,
    )
    settings = settings_of(log, paper.policy, taken_over)
    void = {act.id for act in everything if is_void(act, registry, settings)}
    sound = [act for act in everything if act.id not in void]
    case = _ground(question, registry, settings, paper, labels, sound)
    case.records, case.everything = log, everything
    gone = taken_back(everything, case.looks, case.custody, registry, partial(_dispute, case)) - void
    case = _ground(question, registry, settings, paper, labels, [act for act in sound if act.id not in gone])
    case.records, case.everything = log, everything
    self_serving, silent = _self_serving(case)
    unheard = {act.id for act in case.acts if isinstance(act.data, HandoffAccepted) and _is_late(act, case)}
    if silent:
        ground = [act for act in sound if act.id not in gone and act.id not in silent]
        again = _ground(question, registry, settings, paper, labels, ground)
        again.records, again.everything = log, everything
        case = again
    case.looks = [look for look in case.looks if (look.act.id, look.facet, look.value) not in self_serving]
    case.unheard = unheard
    case.excluded = void | gone | silent | {name for name, _, _ in self_serving}
    return case


def _ground(
    question: Question,
    registry: Registry,
    settings: Settings,
    paper: Paper,
    labels: set[str],
    sound: Sequence[Act],
) -> Case:
    stays = containment.stays_of(labels, sound, settings)
    acts = containment.acts_of(labels, sound, stays, settings)
    if question.piece is not None:
        acts = [act for act in acts if not act.pieces or question.piece in act.pieces]
    custody = fold(acts, registry, settings, paper)
    looks = weigh(
        looks_of(acts, custody, registry, settings), question, settings, paper.content_grams, first_acceptance(custody)
    )
    return Case(question, registry, settings, paper, acts, stays, custody, looks, set(), list(sound), [])


def _dispute(case: Case, act: Act, gone: set[str]) -> datetime | None:
    """R18: the record time of the finding's first other direct bad or notice, or the deemed-lost instant."""
    opened = [
        look.act.recorded
        for look in case.looks
        if look.act.id not in gone | {act.id}
        and speaks(look, case.question) is Condition.BAD
        and (look.direct or is_report(look))
    ]
    lost = deemed_lost(case)
    if case.kind is FindingKind.LOSS and lost is not None and lost <= case.question.as_of.time:
        opened.append(lost)
    return min(opened, default=None)


def _is_late(act: Act, case: Case) -> bool:
    return serves_itself(act, case.custody, case.registry, _dispute(case, act, set()))


def _self_serving(case: Case) -> tuple[set[tuple[str, Facet, Condition]], set[str]]:
    """R18: looks that are worth nothing because of whom they serve, and acts that therefore say nothing at all."""
    looks: set[tuple[str, Facet, Condition]] = set()
    acts: set[str] = set()
    late = [act for act in case.acts if _is_late(act, case)]
    # Nobody admits to a takeover that only its own late entry implies.
    others = [act for act in case.acts if act not in late or isinstance(act.data, HandoffAccepted)]
    custody = fold(others, case.registry, case.settings, case.paper)
    for act in late:
        own = [look for look in case.looks if look.act.id == act.id]
        admits = [look for look in own if is_admission(act, look.facet, look.value, custody, case.registry, look.t)]
        looks |= {(act.id, look.facet, look.value) for look in own if look not in admits}
        if not admits and not isinstance(act.data, HandoffAccepted):
            acts.add(act.id)
    return looks, acts


def deemed_lost(case: Case) -> datetime | None:
    """R10: the instant at which it counts as lost: after the promised time, else after the first acceptance."""
    if case.settings.deemed_lost is None:
        return None
    from tests.naive.delay import promise

    promised = promise(case) or case.taken_over
    return promised + case.settings.deemed_lost if promised is not None else None
