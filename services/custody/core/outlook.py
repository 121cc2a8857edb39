"""The outlook: which record would change the answer, or make one possible, and what else stays open."""

from collections.abc import Iterator

from schemas.vocabulary import RECIPIENT, SENDER, FindingKind, Outcome
from services.custody.core.case import Case
from services.custody.core.conclusion import PACKAGING
from services.custody.core.naming import text
from services.custody.core.rules.delivery import AFTER_RETURN
from services.custody.core.wording import Text, date, harm, parties, party, sound, spoilt


def what_would_change_it(case: Case) -> Iterator[Text]:
    """Which record would move the answer, and what else stays possible."""
    yield _moved_by(case)
    yield from _also_moved_by(case)
    yield from _alternatives(case)


def _moved_by(case: Case) -> Text:
    if case.outcome is Outcome.SHARED and case.cause == PACKAGING:
        return _ONE_CAUSE
    presumed = case.L is not None and case.L.how in ("presumed", "R9d")
    match case.outcome:
        case Outcome.UNDETERMINED:
            return _decided_by(case)
        case Outcome.SEGMENT | Outcome.SHARED if case.delay:
            return _ANOTHER_TIME
        case Outcome.SEGMENT if case.finding.kind is FindingKind.LOSS:
            return _TURNS_UP
        case Outcome.RECIPIENT if case.finding.kind is FindingKind.LOSS:
            return _NOT_HANDED_OVER
        case Outcome.SENDER if case.cause == PACKAGING:
            return _PACKING_WAS_GOOD
        case Outcome.SEGMENT | Outcome.RECIPIENT | Outcome.SENDER if presumed:
            assert case.L is not None
            assert case.L.act is not None
            return _HARMED_BY_THEN.fill(who=party(case.L.act.party), harm=harm(case.finding))
        case Outcome.RECIPIENT:
            return _BEFORE_DELIVERY
        case Outcome.SENDER if case.cause is None:
            return _HANDED_OVER_BEFORE
        case Outcome.SENDER if case.cause == AFTER_RETURN:
            return _SO_ON_RETURN
        case Outcome.SENDER:
            return _SOUND_AT_PICK_UP
        case Outcome.JOINT | Outcome.SHARED:
            return _NARROWED
        case Outcome.SEGMENT if case.zones or not case.located:
            return _NARROWED
    return _better_look(case)


def _better_look(case: Case) -> Text:
    """Which direct records would still move an answer that names one party."""
    assert case.U is not None
    kind, who = case.finding.kind, case.answerable[0]
    left = [segment.end for segment in case.chain.segments if segment.party == who]
    told = {"who": party(who), "sound": sound(kind), "spoilt": spoilt(kind), "then": date(case.U.t)}
    gone = bool(left) and max(left) <= case.U.t and "R30" not in case.fired
    return (_BETTER_LOOK_AWAY if gone else _BETTER_LOOK).fill(**told)


def _decided_by(case: Case) -> Text:
    if "MECHANISM_EXCLUDED" in case.flags:
        return _LOGGER_WRONG
    if case.finding.kind is FindingKind.DELAY:
        return _PLAN_WANTED
    if case.contradicting is not None and case.boundary is not None and "R25" in case.fired:
        return _BETTER_AT_THE_DOOR
    if case.U is None:
        return _PROOF_WANTED.get(case.finding.kind, _VIDEO_WANTED)
    return _SOUND_BEFORE


def _also_moved_by(case: Case) -> Iterator[Text]:
    if "R13e" in case.fired and case.outcome in (Outcome.SEGMENT, Outcome.JOINT):
        yield _CONSENT_SHOWN
    if "R28" in case.fired:
        yield _ANOTHER_PARCEL
    if case.U is not None and case.U.rule in ("R13b", "R26") and case.outcome is not Outcome.UNDETERMINED:
        yield _AFTER_DELIVERY
    if "R9g" in case.fired:
        yield _SEAL_TAMPERED


def _alternatives(case: Case) -> Iterator[Text]:
    """Who takes no share and still cannot be ruled out."""
    if RECIPIENT in case.proved and RECIPIENT in case.alternatives:
        yield _WITH_THE_RECIPIENT
    if SENDER in case.alternatives and case.chain.segments[0].overlaps(case.since, case.until):
        yield _WITH_THE_SENDER
    others = [each for each in case.alternatives if each not in (SENDER, RECIPIENT, *case.answerable)]
    if others:
        yield _WITH_OTHERS.fill(who=parties(others))


_ANOTHER_TIME = text(
    "This changes if another excused wait, another plan or another time of a handover is shown.",
    "如能证明另有可免责的等待、另有时限计划或交接时间不同，结论将改变。",
)
_TURNS_UP = text(
    "This changes if somebody else's acceptance is shown, or if the parcel turns up.",
    "如能证明快件已被他方接收，或快件被找回，结论将改变。",
)
_NOT_HANDED_OVER = text(
    "This changes if it is shown that the parcel was not handed over, or not left as agreed.",
    "如能证明快件并未交付，或未按约定放置，结论将改变。",
)
_PACKING_WAS_GOOD = text(
    "This changes if it is shown that the packing was fit for the goods, or that a blow on the way would have broken "
    "them all the same.",
    "如能证明包装符合要求，或途中所受外力足以损坏包装完好的内件，结论将改变。",
)
_HARMED_BY_THEN = text(
    "If {who} proves that the parcel was already {harm} when {who} took it over, this changes, and whoever "
    "held it before comes into question.",
    "{who}如能证明接收前已发生{harm}，结论将改变，应在此前的保管方中认定责任方。",
)
_BEFORE_DELIVERY = text(
    "This changes if a record or footage shows the harm before delivery.",
    "如有记录或录像表明损失在交付前已经存在，结论将改变。",
)
_HANDED_OVER_BEFORE = text(
    "This changes if it is shown that the sender had handed it over by then.",
    "如能证明寄件人此前已经交寄，结论将改变。",
)
_SO_ON_RETURN = text(
    "This changes if it is shown that this was so already when the sender got the parcel back.",
    "如能证明退回寄件人时已存在上述异常，结论将改变。",
)
_SOUND_AT_PICK_UP = text(
    "Only proof that the record of the pick-up is wrong would change this.",
    "除非能证明揽收时的记录有误，结论不变。",
)
_BETTER_LOOK_AWAY = text(
    "Only a record made at the time would change this: one that shows the parcel already {spoilt} before it "
    "came to {who}, or still {sound} after it had left {who}.",
    "只有当时所作的记录能够改变结论，即表明快件到达{who}之前{spoilt}，或离开{who}之后仍然{sound}的记录。",
)
_ONE_CAUSE = text(
    "This changes if it is shown that the packing alone, or the blow alone, brought about the harm.",
    "如能证明损坏仅由包装缺陷造成，或仅由途中冲击造成，结论将改变。",
)
_NARROWED = text(
    "A record or footage of its state at a moment in between may narrow this, and may leave one party alone.",
    "其间某一时点的状态记录或录像，可能缩小责任方的范围，甚至锁定一方。",
)
_BETTER_LOOK = text(
    "Only a record made at the time would change this: one that shows the parcel already {spoilt} before it "
    "came to {who}, or still {sound} after {then}.",
    "只有当时所作的记录能够改变结论，即表明快件到达{who}之前{spoilt}，或在{then}之后仍然{sound}的记录。",
)
_LOGGER_WRONG = text(
    "This changes if it is shown that the logger was not inside, or not working, for a part of the way.",
    "如能证明记录仪在部分区段未随箱或未正常工作，结论将改变。",
)
_PLAN_WANTED = text(
    "A plan of how long each leg was to take, or records of the handovers, would make an answer possible.",
    "补充各段的时限计划或交接记录后，方可认定。",
)
_BETTER_AT_THE_DOOR = text(
    "A better record of its state at that door would make an answer possible.", "补充当时状态的更优记录后，方可认定。"
)
_SOUND_BEFORE = text(
    "A direct record from before that shows it sound would make an answer possible.",
    "补充此前的直接完好记录后，方可认定。",
)
_VIDEO_WANTED = text(
    "Ask for a continuous video of the unboxing, or other evidence that can be checked. Once the harm is "
    "proved, who is liable can be judged.",
    "请提供连续的开箱视频或其他可供核验的证据；异常得到证实后，再认定责任方。",
)
_PROOF_WANTED = {
    FindingKind.DAMAGE: text(
        "Ask for a photo with the packaging kept, or a continuous video of the unboxing. Once the harm is proved, who "
        "is liable can be judged.",
        "请提供保留外包装的照片或连续的开箱视频；异常得到证实后，再认定责任方。",
    ),
    FindingKind.LOSS: text(
        "A handler's own record that it is missing, or the end of the time after which it counts as lost, would make "
        "an answer possible.",
        "经手方出具缺失记录，或视为丢失的期限届满后，方可认定。",
    ),
}
"""What would lift a bare statement, by what it says."""
_CONSENT_SHOWN = text(
    "It also changes if consent to where it was left, or to who signed for it, is shown.",
    "如能证明收件方同意该投放地点或代收人，结论亦将改变。",
)
_ANOTHER_PARCEL = text(
    "It falls away if it is shown that this is another parcel.", "如能证明并非同一快件，本结论不再成立。"
)
_AFTER_DELIVERY = text(
    "It also changes if the harm is shown to have come after delivery.",
    "如能证明损失发生于交付之后，结论亦将改变。",
)
_SEAL_TAMPERED = text(
    "It also changes if it is shown that the seal had been opened and put back, or that an earlier look was wrong.",
    "如能证明封志曾被开启后复原，或此前的查验有误，结论亦将改变。",
)
_WITH_THE_RECIPIENT = text(
    "It may also have happened while the recipient had the parcel.", "亦不能排除发生于收件人持有期间。"
)
_WITH_THE_SENDER = text(
    "It may also have happened while the sender still had the parcel.", "亦不能排除发生于交寄之前。"
)
_WITH_OTHERS = text(
    "It may also have happened with {who}; no share follows from that.",
    "也可能发生在{who}保管期间，但其不参与分担。",
)
