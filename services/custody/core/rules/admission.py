"""Step 1: which events count for a finding. R18 admissions, self-serving entries, and what its author may take back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from schemas.events import EventCorrected
from schemas.positions import Position
from schemas.vocabulary import RECIPIENT, SENDER, Condition, FindingKind, PartyRole
from services.custody.core.acts import Act, Kind
from services.custody.core.case import Ground, Scene, SetAside
from services.custody.core.chain import Chain
from services.custody.core.condition import Look, says_bad
from services.custody.core.facts import Fact
from services.custody.core.grades import DIRECT, INFERRED, NEVER, standing_of
from services.custody.core.pieces import scene_of
from services.custody.core.registry import Registry
from services.custody.core.rules.findings import deemed_lost_at
from services.custody.core.rules.rule import Rule
from services.custody.core.verdict import Finding
from services.custody.core.weights import compare_again

R18 = Rule(
    id="R18",
    name="time and interest",
    en=(
        "An answer rests on what had been recorded by the moment asked about. Late evidence under a device's "
        "signature keeps its worth; an unsigned note written in its author's favour after the dispute arose "
        "has none, one against it counts."
    ),
    zh=(
        "认定以所问时点已记录的证据为准。设备签名的迟到证据效力不减；争议发生后作出的、"
        "有利于己方的未签名记录不予采信，不利于己方的予以采信。"
    ),
    source="民诉证据规定 94(1)",
)
RULES = (R18,)


def admit(ground: Ground, finding: Finding) -> Scene:
    """R18: the scene for one finding, from the scene that all findings about the parcel, or the piece, share."""
    shared = scene_of(ground, finding.piece)
    if not ground.corrections and all(act.standing.signed for act in shared.acts):
        return shared
    opened = _Dispute(ground, shared, finding)
    excluded = dict(shared.excluded)
    acts, refused = _take_back(ground, shared, excluded, opened)
    acts, self_serving = _set_aside_self_serving(ground, shared, acts, excluded, opened)
    if _masses(acts) < _masses(shared.acts):
        acts = list(compare_again(acts, ground.policy, ground.contract.announced.content_grams))
    chain = ground.fold(acts)
    raised = [_with_admissions_raised(act, chain, ground.registry) for act in acts]
    admitted = any(one is not other for one, other in zip(raised, acts, strict=True))
    if admitted:
        chain = ground.fold(raised)
    return Scene(raised, chain, excluded, (R18.id,) if refused or self_serving else ())


def _masses(acts: Sequence[Act]) -> int:
    return sum(look.mass is not None for act in acts for look in act.looks)


_OUTSIDERS = (PartyRole.SURVEYOR, PartyRole.AUTHORITY)


class _Dispute:
    """When the dispute about a finding opened, as seen by an event that may itself be the first report of it."""

    def __init__(self, ground: Ground, scene: Scene, finding: Finding) -> None:
        moments: list[tuple[datetime, Act | None]] = []
        for act, look in scene.bads:
            opens = act.kind is Kind.NOTICE or look.direct or _will_be_raised(act, look, scene.chain, ground.registry)
            if opens and says_bad(look, finding):
                moments.append((act.fact.record_time, act))
        if finding.kind is FindingKind.LOSS:
            lost = deemed_lost_at(ground, scene)
            if lost is not None and lost <= ground.as_of.time:
                moments.append((lost, None))
        self._moments = sorted(moments, key=lambda moment: moment[0])

    def forget(self, gone: Act) -> None:
        """What was taken back has not opened it."""
        self._moments = [(moment, act) for moment, act in self._moments if act is not gone]

    def open_before(self, record_time: datetime, apart_from: Act | None) -> bool:
        """Whether anything else had opened it before something was recorded."""
        return any(moment < record_time and (act is None or act is not apart_from) for moment, act in self._moments)


def is_admission(act: Act, look: Look, chain: Chain, registry: Registry) -> bool:
    """Whether the look speaks against its own recorder: bad inside its own custody, or sound at or before its takeover.

    Sound between two custodies of its own clears the first one, so it is no admission.
    Recipient and sender have a column of their own in the grade table; what they report is a claim.
    """
    if act.party in (SENDER, RECIPIENT):
        return False
    entity = registry.entity(act.party)
    own = [segment for segment in chain.segments if registry.entity(segment.party) == entity]
    if look.value is Condition.BAD:
        return any(segment.holds(act.t) for segment in own)
    return look.value is Condition.OK and bool(own) and all(act.t <= segment.start for segment in own)


def _is_claim(act: Act) -> bool:
    """Whether a claimant gave notice. One given by a carrier is its own word like any other."""
    return act.kind is Kind.NOTICE and act.party in (SENDER, RECIPIENT)


def _is_outside(act: Act, ground: Ground, scene: Scene) -> bool:
    """Whether a surveyor or an authority reports that is no party of the chain: it has no favour to do itself."""
    entity = ground.registry.entity
    held = {entity(segment.party) for segment in scene.chain.segments}
    return ground.registry.role(act.party) in _OUTSIDERS and entity(act.party) not in held


def _take_back(ground: Ground, scene: Scene, excluded: SetAside, opened: _Dispute) -> tuple[list[Act], bool]:
    """Apply corrections: what is left, and whether one was refused because it would undo an admission too late."""
    acts, refused = list(scene.acts), False
    taken_back = _corrections_taken_back(ground, opened)
    for fact in sorted(ground.corrections, key=lambda fact: fact.order):
        data = fact.data
        assert isinstance(data, EventCorrected)
        if fact.position in taken_back:
            excluded[fact.position] = (fact, "RETRACTED")
            continue
        standing = standing_of(fact, fact.t, ground.registry, ground.policy, ground.evidence.signatures)
        author = ground.registry.entity(data.party)
        if standing.why is not None or ground.registry.entity(standing.speaker) != author:
            excluded[fact.position] = (fact, standing.why or "NOT_THE_AUTHOR")
            continue
        if any(each.id == data.corrects for each in (*ground.corrections, *ground.withdrawn)):
            continue  # it takes back another correction, or paper
        targets = [act for act in acts if act.id == data.corrects and ground.registry.entity(act.party) == author]
        if not targets:
            excluded[fact.position] = (fact, "NOTHING_TO_CORRECT")
        for act in targets:
            if _is_too_late(ground.registry, scene.chain, fact, act, opened, signed=standing.signed):
                excluded[fact.position] = (fact, "TOO_LATE_TO_RETRACT")
                refused = True
            else:
                acts.remove(act)
                opened.forget(act)
                excluded[act.fact.position] = (act.fact, "RETRACTED")
    return acts, refused


def _corrections_taken_back(ground: Ground, opened: _Dispute) -> frozenset[Position]:
    """Corrections that their author corrected later, and which therefore correct nothing: what they took back is back.

    After the dispute opened only a signed one does that.
    """
    gone: set[Position] = set()
    for later in sorted(ground.corrections, key=lambda fact: fact.order, reverse=True):
        if later.position in gone:
            continue
        standing = standing_of(later, later.t, ground.registry, ground.policy, ground.evidence.signatures)
        if standing.why is not None or (opened.open_before(later.record_time, None) and not standing.signed):
            continue
        gone |= {
            each.position
            for each in ground.corrections
            if each.order < later.order and _is_corrected_by(each, later, standing.speaker, ground.registry)
        }
    return frozenset(gone)


def _is_corrected_by(one: Fact, later: Fact, speaker: str, registry: Registry) -> bool:
    author, data = one.data, later.data
    assert isinstance(author, EventCorrected)
    assert isinstance(data, EventCorrected)
    return data.corrects == one.id and registry.entity(author.party) == registry.entity(speaker)


def _is_too_late(registry: Registry, chain: Chain, fact: Fact, act: Act, opened: _Dispute, *, signed: bool) -> bool:
    """After the dispute opened, an admission or an acceptance is taken back only if the other side signs too."""
    if not opened.open_before(fact.record_time, act):
        return False
    data = fact.data
    assert isinstance(data, EventCorrected)
    author = registry.entity(data.party)
    if any(registry.entity(signer.party) != author for signer in data.countersigned):
        return False
    against = act.kind is Kind.ACCEPT or any(is_admission(act, look, chain, registry) for look in act.looks)
    return against or not signed


def _set_aside_self_serving(
    ground: Ground, scene: Scene, acts: list[Act], excluded: SetAside, opened: _Dispute
) -> tuple[list[Act], bool]:
    """Leave out unsigned events in their recorder's favour that came after the dispute opened.

    An acceptance moves custody to its author, which is against its interest: it stays, but what it says of the item
    does not count.
    """
    suspects = {
        id(act)
        for act in acts
        if not act.standing.signed
        and not _is_claim(act)
        and not _is_outside(act, ground, scene)
        and opened.open_before(act.fact.record_time, act)
    }
    if not suspects:
        return acts, False
    undisputed = [act for act in acts if id(act) not in suspects or act.kind is Kind.ACCEPT]
    chain = ground.fold(undisputed)
    kept, found = [], False
    for act in acts:
        if id(act) not in suspects:
            kept.append(act)
            continue
        against = tuple(look for look in act.looks if is_admission(act, look, chain, ground.registry))
        if against or act.kind is Kind.ACCEPT:
            kept.append(replace(act, looks=against, reservation=None, seal=None))
        else:
            excluded[act.fact.position] = (act.fact, "SELF_SERVING")
            found = True
    return kept, found


def _with_admissions_raised(act: Act, chain: Chain, registry: Registry) -> Act:
    """The act with what speaks against its author lifted from grade 1 to 3; the same act if nothing does."""
    if not act.standing.entry or act.kind is Kind.NOTICE:
        return act
    looks = tuple(
        look._replace(grade=DIRECT, admission=True) if _will_be_raised(act, look, chain, registry) else look
        for look in act.looks
    )
    return replace(act, looks=looks) if looks != act.looks else act


def _will_be_raised(act: Act, look: Look, chain: Chain, registry: Registry) -> bool:
    """Whether an unsigned entry is worth something because it speaks against its author."""
    entered = act.standing.entry and act.kind is not Kind.NOTICE and look.grade == INFERRED
    return entered and is_admission(act, look, chain, registry)


def too_weak(scene: Scene, finding: Finding) -> list[Act]:
    """Acts whose every report of the finding is too weak to be used, to be listed as excluded."""
    reports = [(act, look) for act, look in scene.bads if look.grade > NEVER and says_bad(look, finding)]
    direct = {id(act) for act, look in reports if look.direct}
    return [act for act, _ in reports if id(act) not in direct]
