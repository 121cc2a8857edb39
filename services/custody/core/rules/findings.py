"""Step 4: is there anything to answer? R0 what opens a finding, R19 one verdict each, R35 several blows."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import structs

from schemas.events import NoticeGiven
from schemas.vocabulary import RECIPIENT, SENDER, Condition, Facet, FindingKind
from services.custody.core.acts import Act, Kind
from services.custody.core.case import Case, Ground, Scene
from services.custody.core.condition import WHOLE, Look, says_bad
from services.custody.core.grades import INFERRED
from services.custody.core.instants import later
from services.custody.core.lateness import due_at, ended_at
from services.custody.core.pieces import scenes
from services.custody.core.rules.rule import POLICY, Rule
from services.custody.core.verdict import Finding

R0 = Rule(
    id="R0",
    name="finding",
    en=(
        "Without a finding there is no verdict. A finding opens with a report of something bad, with a loss "
        "that is deemed, or with a delay; when its opener is taken back or the parcel is found, no verdict "
        "stands."
    ),
    zh="无异常即无认定。异常由不良报告、视为丢失或延误而成立；报告被撤回或快件被找回的，原认定不再成立。",
    source=POLICY,
)
R19 = Rule(
    id="R19",
    name="several findings",
    en=(
        "Each kind of harm, component, mechanism and severity has its own verdict; amounts that can be "
        "divided follow their own."
    ),
    zh="每种异常、每个部件、每种成因和程度分别认定；可分割的金额各随其认定。",
    source=POLICY,
)
R35 = Rule(
    id="R35",
    name="several blows",
    en=(
        "Damage by another mechanism is another finding, and so is growth of an earlier one. A result that "
        "cannot be divided is shared equally by those who answer for its parts."
    ),
    zh="成因不同的损坏为不同的异常，损坏加重亦然；结果不可分割的，由各部分的责任方均担。",
    source=POLICY,
)
RULES = (R0, R19, R35)

GRAVITY = (
    FindingKind.LOSS,
    FindingKind.SHORTAGE,
    FindingKind.WRONG_CONTENT,
    FindingKind.DAMAGE,
    FindingKind.CONCEALED,
    FindingKind.DELAY,
)
"""The order in which findings are told, the gravest first."""


def reported(ground: Ground) -> list[Finding]:
    """R19: the findings that anything on record, or time alone, may open; whether each stands is R0's to say.

    A bad with no mechanism or severity named joins the findings of its kind that name one.
    """
    found: dict[Finding, datetime] = {}
    several = scenes(ground)
    for piece, scene in several:
        for act, look in scene.bads:
            if look.grade >= INFERRED and not _is_of_a_unit(act):
                for kind in _kinds(act, look):
                    found.setdefault(_finding(kind, look, piece), act.t)
        if piece is None and len(several) > 1:
            continue  # whether it is lost or late is asked of each piece
        # Who held it and who saw it depends on what counts for the finding (R18): here only whether a deadline is set.
        if ground.policy.deemed_lost is not None and scene.chain.taken_over_at is not None:
            found.setdefault(Finding(FindingKind.LOSS, piece=piece), ground.as_of.time)
        if ground.contract.promised(scene.chain.taken_over_at) is not None:
            found.setdefault(Finding(FindingKind.DELAY, piece=piece), ground.as_of.time)
    named = [finding for finding in found if not any(_is_told_by(other, finding) for other in found)]
    return sorted(named, key=lambda finding: (GRAVITY.index(finding.kind), found[finding], str(finding)))


def _finding(kind: FindingKind, look: Look, piece: str | None) -> Finding:
    if kind in (FindingKind.DAMAGE, FindingKind.CONCEALED):
        return Finding(kind, look.component, look.damage, look.severity, piece)
    return Finding(kind, look.component, piece=piece)


def _kinds(act: Act, look: Look) -> Iterator[FindingKind]:
    """Which findings a bad look reports, where nobody has asked for a particular one."""
    match look.facet:
        case Facet.OUTER:
            yield FindingKind.DAMAGE
        case Facet.CONTENTS:
            if isinstance(act.fact.data, NoticeGiven) and act.fact.data.holds is not None:
                yield FindingKind.WRONG_CONTENT
            elif look.tamper:
                yield FindingKind.SHORTAGE
            elif not any(_is_outside_of(seen, look) for seen in act.looks):
                yield FindingKind.CONCEALED
        case Facet.WEIGHT:
            yield FindingKind.SHORTAGE if look.change <= 0 else FindingKind.WRONG_CONTENT
        case Facet.PRESENCE | Facet.COUNT:
            yield FindingKind.LOSS


def _is_of_a_unit(act: Act) -> bool:
    """Whether it is about a unit: a bag that grew lighter is an end of a bracket, and no finding about each parcel."""
    return act.unit is not None and act.fact.subject == act.unit


def _is_outside_of(seen: Look, inside: Look) -> bool:
    """Whether a look reports the outside bad where another reports the inside bad."""
    return seen.facet is Facet.OUTER and seen.value is Condition.BAD and seen.component == inside.component


def _is_told_by(other: Finding, finding: Finding) -> bool:
    """Whether another finding says the same with more names, so that this one would say it twice."""
    if other == finding or (other.kind, other.component, other.piece) != (
        finding.kind,
        finding.component,
        finding.piece,
    ):
        return False
    return finding.damage in (None, other.damage) and finding.severity in (None, other.severity)


def stands(case: Case) -> bool:
    """R0: whether the finding is open, and by which looks."""
    kind, ground = case.finding.kind, case.ground
    if kind is FindingKind.DELAY:
        return _is_late(ground, case.scene)
    case.openers = [
        (act, look)
        for act, look in case.scene.bads
        if look.grade >= INFERRED and says_bad(look, case.finding) and not _is_of_a_unit(act)
    ]
    if kind is FindingKind.LOSS:
        case.openers = [opener for opener in case.openers if not _was_at_hand_after(case.scene, opener[0].t)]
        return bool(case.openers) or is_deemed_lost(case)
    if kind is FindingKind.DAMAGE:
        return any(look.facet is Facet.OUTER for _, look in case.openers)
    if kind is FindingKind.CONCEALED:
        case.openers = [opener for opener in case.openers if not _was_bad_outside(case, opener[0])]
    return bool(case.openers)


def _was_bad_outside(case: Case, inside: Act) -> bool:
    """Whether the outside was already seen bad in the same way: then it is DAMAGE, not CONCEALED."""
    outside = structs.replace(case.finding, kind=FindingKind.DAMAGE)
    return any(
        look.facet is Facet.OUTER
        and look.direct
        and says_bad(look, outside)
        and act.order <= inside.order
        and not _is_renewed_between(case.scene, act, inside)
        for act, look in case.scene.bads
    )


def _is_renewed_between(scene: Scene, one: Act, other: Act) -> bool:
    """R15: whether the box was renewed between two looks, so that they are about two boxes."""
    return any(act.kind is Kind.REPACK and one.order < act.order < other.order for act in scene.acts)


def _was_seen_after(scene: Scene, instant: datetime) -> bool:
    """R31: whether somebody had it at hand after that, or the unit that it is in."""
    return any(act.t > instant and act.physical for act in scene.acts)


def _was_at_hand_after(scene: Scene, instant: datetime) -> bool:
    """R31: the same, of the item itself. A cage that goes on, or a list, says nothing against what is missing in it."""
    return any(
        act.t > instant and act.physical and act.exposed and not (act.unit is not None and act.fact.subject == act.unit)
        for act in scene.acts
    )


def deemed_lost_at(ground: Ground, scene: Scene) -> datetime | None:
    """When the parcel counts as lost: so long after the promised time, else after the first acceptance (R10)."""
    taken_over = scene.chain.taken_over_at
    if ground.policy.deemed_lost is None or taken_over is None:
        return None
    return later(ground.contract.promised(taken_over) or taken_over, ground.policy.deemed_lost)


def is_deemed_lost(case: Case) -> bool:
    """Whether the time set for it has gone by, so that the whole parcel counts as lost whoever reported what."""
    return case.finding.component == WHOLE and _is_deemed_lost(case.ground, case.scene)


def _is_deemed_lost(ground: Ground, scene: Scene) -> bool:
    instant = deemed_lost_at(ground, scene)
    if instant is None or ground.as_of.time < instant or scene.chain.delivered:
        return False
    return not _was_seen_after(scene, instant)


def _is_late(ground: Ground, scene: Scene) -> bool:
    """R22: whether the promised time, with the waits that excuse, went by before delivery."""
    due = due_at(ground, scene)
    return due is not None and ended_at(ground, scene) > due


def found_after(ground: Ground, scene: Scene) -> datetime | None:
    """R31: since when it had counted as lost, by a direct report or by time, before it turned up; None: it did not."""
    deemed = deemed_lost_at(ground, scene)
    passed = deemed is not None and deemed <= ground.as_of.time
    if deemed is not None and passed and scene.chain.holder_at(deemed).party not in _FINAL:
        return deemed if _was_seen_after(scene, deemed) else None
    missed = [act.t for act, look in scene.bads if look.direct and says_bad(look, _LOST)]
    return next((instant for instant in missed if _was_at_hand_after(scene, instant)), None)


_LOST = Finding(FindingKind.LOSS)
_FINAL = (SENDER, RECIPIENT)
