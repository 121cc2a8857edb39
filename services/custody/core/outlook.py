"""The outlook: what a claims clerk would have to find for the answer to change, or to be possible at all."""

from collections.abc import Iterator

from schemas.vocabulary import RECIPIENT, SENDER, FindingKind, Outcome
from services.custody.core.case import Case
from services.custody.core.wording import Text, harm, party


def what_would_change_it(case: Case) -> Iterator[Text]:
    """Which record would move the answer, and what else stays possible."""
    presumed = case.L is not None and case.L.how == "presumed"
    match case.outcome:
        case Outcome.SEGMENT | Outcome.SHARED if case.delay:
            yield Text(
                "This changes if an excused wait, another plan or another time of a handoff is shown.",
                "如能证明存在可免责的等待、另有计划或交接时间不同，结论将改变。",
            )
        case Outcome.SEGMENT | Outcome.RECIPIENT | Outcome.SENDER if presumed:
            assert case.L is not None
            assert case.L.act is not None
            yield Text(
                "This changes if {who} shows that it was already {harm} at that takeover.",
                "如{who}证明接收时快件已{harm}，结论将改变。",
            ).fill(who=party(case.L.act.party), harm=harm(case.finding))
        case Outcome.RECIPIENT if case.finding.kind is FindingKind.LOSS:
            yield Text(
                "This changes if it is shown that it was not handed over, or not left as agreed.",
                "如能证明快件并未交付，或未按约定放置，结论将改变。",
            )
        case Outcome.SEGMENT if case.finding.kind is FindingKind.LOSS:
            yield Text(
                "This changes if an acceptance by somebody else is shown, or if the parcel turns up.",
                "如能证明已被他方接收，或快件被找回，结论将改变。",
            )
        case Outcome.UNDETERMINED:
            yield _what_would_decide_it(case)
        case Outcome.SENDER if case.cause is None:
            yield Text(
                "This changes if it is shown that the sender had handed it over.",
                "如能证明寄件人此前已交寄，结论将改变。",
            )
        case Outcome.SENDER if case.cause == "after_return":
            yield Text(
                "This changes if it is shown that it was so when the sender got it back.",
                "如能证明退回寄件人时已是如此，结论将改变。",
            )
        case Outcome.SENDER:
            yield Text(
                "This changes if it is shown that it was sound when it was handed over.",
                "如能证明交寄时完好，结论将改变。",
            )
        case Outcome.JOINT | Outcome.SHARED:
            yield _NARROWED
        case Outcome.SEGMENT if case.zones or not case.located:
            yield _NARROWED
        case _:
            yield Text(
                "Only an earlier direct record of the harm, or a later one of sound, would change this.",
                "仅有更早的直接损坏记录或更晚的直接完好记录方能改变结论。",
            )
    if RECIPIENT in case.proved and RECIPIENT in case.alternatives:
        yield Text("It may also have happened while the recipient had it.", "亦不能排除发生于收件人持有期间。")
    if SENDER in case.alternatives and case.chain.segments[0].overlaps(case.since, case.until):
        yield Text("It may also have happened while the sender still had it.", "亦不能排除发生于寄件人交寄之前。")
    if "R13e" in case.fired and case.outcome in (Outcome.SEGMENT, Outcome.JOINT):
        yield Text(
            "It also changes if consent to where it was left, or to who signed for it, is shown.",
            "如能证明收件方同意该投放地点或代收人，结论亦将改变。",
        )
    if "R28" in case.fired:
        yield Text(
            "It falls away if it is shown that this is another parcel.", "如能证明并非同一快件，本结论不再成立。"
        )
    if case.U is not None and case.U.rule in ("R13b", "R26") and case.outcome is not Outcome.UNDETERMINED:
        yield Text(
            "It also changes if the harm is shown to have come after delivery.",
            "如能证明损坏发生于交付之后，结论亦将改变。",
        )


_NARROWED = Text(
    "A record or footage of its state at any point in between would narrow this.",
    "其间任何一处的状态记录或监控录像均可缩小范围。",
)
_VIDEO_WANTED = Text("A continuous unboxing video would be evidence that counts.", "连续的开箱视频可据以认定。")
_PROOF_WANTED = {
    FindingKind.DAMAGE: Text(
        "A photo of the kept packaging or a continuous unboxing video would be evidence that counts.",
        "保留的外包装照片或连续的开箱视频可据以认定。",
    ),
    FindingKind.LOSS: Text(
        "A handler's record that it is missing, or the end of the time after which it counts as lost, would decide it.",
        "经手方的缺失记录，或视为丢失的期限届满，可据以认定。",
    ),
}
"""What would lift a bare statement, by what it says."""


def _what_would_decide_it(case: Case) -> Text:
    if case.finding.kind is FindingKind.DELAY:
        return Text("A plan or records of the handoffs would decide it.", "分段时限计划或交接记录可据以认定。")
    if case.contradicting is not None and case.boundary is not None and "R25" in case.fired:
        return Text("A better record of its state at that door would decide it.", "当时状态的更优记录可据以认定。")
    if case.U is None:
        return _PROOF_WANTED.get(case.finding.kind, _VIDEO_WANTED)
    return Text("A direct record from before that shows it sound would decide it.", "此前的直接完好记录可据以认定。")
