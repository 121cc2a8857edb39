"""The difference between two answers in words: what is told otherwise now, and what brought it on."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.vocabulary import Confidence, FindingKind, Outcome
from services.custody.core.case import Ground
from services.custody.core.cause import Cause, by_a_registry, noun, what_happened
from services.custody.core.facts import Fact
from services.custody.core.verdict import Boundary, Explanation, Finding, Share, Verdict
from services.custody.core.wording import CONFIDENCE, Text, date, harm, join, parties, party


class Answered(NamedTuple):
    """What had been answered about a finding until then."""

    finding: Finding
    verdict: Verdict | None
    """None: it did not stand."""
    again: bool
    """Whether it had stood at any time."""


def differs(before: Verdict | None, after: Verdict | None) -> bool:
    """Whether a new version is due (R18): outcome, liable, confidence, L, U, proved or flags changed, or it opened."""
    if before is None or after is None:
        return before is not after
    return Told.of(before) != Told.of(after)


class Told(NamedTuple):
    """What makes a new version of an answer where it changes (R18)."""

    outcome: Outcome
    liable: tuple[Share, ...]
    confidence: Confidence
    L: Boundary | None
    U: Boundary | None
    proved: tuple[str, ...]
    flags: frozenset[str]

    @staticmethod
    def of(verdict: Verdict) -> "Told":
        """Of an answer."""
        return Told(
            outcome=verdict.outcome,
            liable=verdict.liable,
            confidence=verdict.confidence,
            L=verdict.L,
            U=verdict.U,
            proved=verdict.proved,
            flags=frozenset(verdict.flags),
        )


def tell(until_then: Answered, now: Verdict | None, cause: Cause) -> Explanation:
    """What is told otherwise now and why, in both languages, as a claims clerk would write it into the file."""
    told = join([*what_happened(cause), *_difference(until_then, now, cause)])
    return Explanation(zh=told.zh, en=told.en)


def _difference(until_then: Answered, now: Verdict | None, cause: Cause) -> Iterator[Text]:
    before, finding = until_then.verdict, until_then.finding
    if before is None:
        if now is not None:
            yield from _opened(finding, now, again=until_then.again)
        return
    if by_a_registry(cause):
        yield Text("This changes an answer that had already been given.", "已作出的结论因此改变。")
    yield from _no_longer_counted(before, now, cause)
    if now is None:
        text = Text(
            "The finding “{harm}” stands no more; until then {answer}.", "认定事项“{harm}”不再成立；此前{answer}。"
        )
        yield text.fill(harm=harm(finding), answer=_sure(before))
        return
    yield from _answer(finding, before, now)
    yield from _ends(finding, before, now)
    if before.proved != now.proved:
        yield Text(
            "In between it was held by {now}; until then: {before}.", "其间保管方：{now}；此前：{before}。"
        ).fill(now=_held(now), before=_held(before))
    yield from _flags(before, now)


# --- the answer ------------------------------------------------------------------------------------------------------


def _opened(finding: Finding, now: Verdict, *, again: bool) -> Iterator[Text]:
    opened = (
        Text("The finding “{harm}” stands again: {answer}.", "认定事项“{harm}”再次成立：{answer}。")
        if again
        else Text("A finding opened, “{harm}”: {answer}.", "认定事项“{harm}”成立：{answer}。")
    )
    yield opened.fill(harm=harm(finding), answer=_sure(now))
    words = _Words.of(finding)
    if now.L is not None:
        yield Text("{name}: {edge}.", "{name}：{edge}。").fill(name=words.begun, edge=_since(finding, now.L))
    if now.U is not None:
        yield Text("{name}: {edge}.", "{name}：{edge}。").fill(name=words.ended, edge=_until(finding, now.U))
    for flag in now.flags:
        yield Text("Noted: {flag}.", "注明：{flag}。").fill(flag=_flag(flag))


def _answer(finding: Finding, before: Verdict, now: Verdict) -> Iterator[Text]:
    if (before.outcome, before.liable) != (now.outcome, now.liable):
        yield Text("“{harm}”: until then {before}; now {now}.", "“{harm}”：此前{before}；现{now}。").fill(
            harm=harm(finding), before=_sure(before), now=_sure(now)
        )
    elif before.confidence is not now.confidence:
        rises = _SURER.index(now.confidence) > _SURER.index(before.confidence)
        text = (
            Text(
                "“{harm}”: still {answer}, but the confidence rises from {before} to {now}.",
                "“{harm}”：仍{answer}，可信度由{before}升为{now}。",
            )
            if rises
            else Text(
                "“{harm}”: still {answer}, but the confidence falls from {before} to {now}.",
                "“{harm}”：仍{answer}，可信度由{before}降为{now}。",
            )
        )
        yield text.fill(
            harm=harm(finding),
            answer=_named(now),
            before=CONFIDENCE[before.confidence],
            now=CONFIDENCE[now.confidence],
        )
    else:
        yield Text("“{harm}”: still {answer}.", "“{harm}”：仍{answer}。").fill(harm=harm(finding), answer=_sure(now))


_SURER = (Confidence.NONE, Confidence.LOW, Confidence.MODERATE, Confidence.HIGH)


def _sure(verdict: Verdict) -> Text:
    if verdict.outcome is Outcome.UNDETERMINED:
        return _named(verdict)
    return Text("{answer} (confidence {level})", "{answer}（可信度：{level}）").fill(
        answer=_named(verdict), level=CONFIDENCE[verdict.confidence]
    )


def _named(verdict: Verdict) -> Text:
    """Who answers, as a clause."""
    who = [share.party for share in verdict.liable]
    match verdict.outcome:
        case Outcome.SEGMENT if who:
            return Text("{who} answers", "由{who}承担").fill(who=parties(who))
        case Outcome.JOINT | Outcome.SHARED if who:
            spoken = [(party(share.party), share.share) for share in verdict.liable]
            parts = Text(
                ", ".join(f"{name.en} {part}" for name, part in spoken),
                "、".join(f"{name.zh} {part}" for name, part in spoken),
            )
            return Text("{who} share it, {parts}", "由{who}分担，即{parts}").fill(who=parties(who), parts=parts)
        case Outcome.SENDER:
            return Text("the sender bears it", "由寄件人承担")
        case Outcome.RECIPIENT:
            return Text("it falls to the recipient", "由收件人承担")
    return Text("nobody can be named", "无法认定责任方")


# --- the bracket -----------------------------------------------------------------------------------------------------


class _Words(NamedTuple):
    """How the ends of a bracket are spoken of."""

    begun: Text
    ended: Text

    @staticmethod
    def of(finding: Finding) -> "_Words":
        if finding.kind is FindingKind.LOSS:
            return _Words(Text("last at hand", "最后经手"), Text("missing since", "下落不明"))
        return _Words(Text("last sound", "最后完好"), Text("first found so", "最早不良记录"))


def _ends(finding: Finding, before: Verdict, now: Verdict) -> Iterator[Text]:
    words = _Words.of(finding)
    if before.L != now.L:
        yield _moved(words.begun, before.L, now.L, _since(finding, before.L), _since(finding, now.L))
    if before.U != now.U:
        yield _moved(words.ended, before.U, now.U, _until(finding, before.U), _until(finding, now.U))


def _moved(name: Text, before: Boundary | None, now: Boundary | None, was: Text, is_now: Text) -> Text:
    if was != is_now or before is None or now is None:
        return Text("{name}: {now}; until then: {before}.", "{name}：{now}；此前：{before}。").fill(
            name=name, now=is_now, before=was
        )
    if before.grade != now.grade:
        text = Text(
            "{name}: still {now}, but that record is now of grade {grade} instead of {old}.",
            "{name}：仍为{now}，但该记录的证据等级由{old}变为{grade}。",
        )
        grades = {"grade": now.grade, "old": before.grade}
        told = {key: Text(str(grade), str(grade)) for key, grade in grades.items()}
        return text.fill(name=name, now=is_now, **told)
    if before.rule != now.rule and now.rule is not None:
        return Text("{name}: still {now}, now by {rule}.", "{name}：仍为{now}，现依据{rule}。").fill(
            name=name, now=is_now, rule=Text(now.rule, now.rule)
        )
    return Text("{name}: still {now}, by another record.", "{name}：仍为{now}，但所据记录不同。").fill(
        name=name, now=is_now
    )


def _since(finding: Finding, edge: Boundary | None) -> Text:
    """The beginning of the bracket: who saw it sound, or took it over in silence, and when."""
    if edge is None:
        return Text("no record", "无记录")
    if edge.how == "presumed":
        text = Text(
            "presumed when {who} took it over without a valid remark on {when}",
            "{who}于{when}接收时未作有效批注，推定完好",
        )
    elif edge.rule == "R13c":
        text = Text("delivery to {who} on {when}", "{when}交付{who}")
    elif finding.kind is FindingKind.LOSS:
        text = Text("{who} on {when}", "{who}（{when}）")
    elif edge.rule == "R35":
        text = Text("{who} found no more than a slighter harm on {when}", "{who}于{when}查看时损坏较轻")
    else:
        text = Text("{who} looked on {when}", "{who}于{when}查看")
    return _edge(text, edge)


def _until(finding: Finding, edge: Boundary | None) -> Text:
    """The end of the bracket: who reported the harm, and when, or which instant a rule set."""
    if edge is None:
        return Text("no record that could be checked", "无可核验的记录")
    if edge.rule == "R13b":
        text = Text("as shown by {who}, counted from delivery on {when}", "由{who}举证，追溯至{when}交付时")
    elif edge.event is None:
        text = Text("{when}, when the time set for it ran out", "{when}，期限届满")
    elif finding.kind is FindingKind.LOSS:
        text = Text("{when}, as reported by {who}", "{when}，由{who}报告")
    else:
        text = Text("{who} on {when}", "{who}（{when}）")
    return _edge(text, edge)


def _edge(text: Text, edge: Boundary) -> Text:
    return text.fill(who=party(edge.observer) if edge.observer else _NOBODY, when=date(edge.t))


_NOBODY = Text("nobody", "无")


def _held(verdict: Verdict) -> Text:
    return parties(verdict.proved) if verdict.proved else _NOBODY


# --- what else is noted ----------------------------------------------------------------------------------------------


def _flags(before: Verdict, now: Verdict) -> Iterator[Text]:
    for flag in now.flags:
        if flag not in before.flags:
            yield Text("Newly noted: {flag}.", "新增注明：{flag}。").fill(flag=_flag(flag))
    for flag in before.flags:
        if flag not in now.flags:
            yield Text("No longer noted: {flag}.", "不再注明：{flag}。").fill(flag=_flag(flag))


def _flag(flag: str) -> Text:
    return _FLAGS.get(flag) or Text(flag, flag)


_FLAGS = {
    "ADMISSION": Text("an unsigned entry against its author's own interest counts", "采信不利于记录方自身的未签名记录"),
    "AUTHORITY": Text("an authority held it", "曾由机关占有"),
    "CLOCK_DOUBT": Text("the order of records hangs on clocks that may be off", "记录先后取决于可能有误差的时钟"),
    "CLOCK_SKEW": Text("an acceptance is dated before its release", "接收时间早于交出时间"),
    "CONTRADICTION": Text("records contradict each other", "记录相互矛盾"),
    "EVIDENCE_INCOMPLETE": Text("some records cannot be read yet", "部分记录暂时无法读取"),
    "FOUND": Text("it had counted as lost and turned up", "曾视为丢失，其后被找回"),
    "IDENTITY_UNPROVED": Text("the two labels were not seen together", "新旧单号未同时可见"),
    "IMPLIED_UNPACK": Text("nobody recorded that it was unpacked", "没有拆出记录"),
    "LABEL_SWAP": Text("labels were swapped", "面单互换"),
    "NO_PICKUP_CHECK": Text("no check at pick-up is on record", "没有收寄验视记录"),
    "OVERAGE": Text("it was on nobody's list", "清单外多出"),
    "PAID_LOSS": Text("the loss was paid", "丢失已赔付"),
    "SEQUENCE_GAP": Text("a device's numbering has a hole", "设备记录编号不连续"),
    "UNSIGNED": Text("it rests on an unsigned record", "所据记录未签名"),
    "WRONG_TAKER": Text("somebody else took it than it was released to", "实际接收方与交出记录所载不符"),
}


def _no_longer_counted(before: Verdict, now: Verdict | None, cause: Cause) -> Iterator[Text]:
    """Records that the earlier answer rested on and that are set aside now."""
    for fact, why in _set_aside(now, cause.ground):
        told_before = any(other.position == str(fact.position) for other in before.excluded)
        if fact.id in before.evidence and not told_before and why in _WHY:
            text = Text("No longer counted: {what} of {when}, since {why}.", "不再采用：{what}（{when}），因{why}。")
            yield text.fill(what=noun(fact), when=date(fact.t), why=_WHY[why])


def _set_aside(now: Verdict | None, ground: Ground) -> Iterator[tuple[Fact, str]]:
    if now is None:
        yield from ground.scene.excluded.values()
        return
    why = {excluded.position: excluded.why for excluded in now.excluded}
    for fact in (*ground.evidence.facts, *ground.evidence.unit_facts):
        if str(fact.position) in why:
            yield fact, why[str(fact.position)]


_WHY = {
    "BAD_SIGNATURE": Text("its signature is not good", "签名无效"),
    "CONFLICT": Text("another content had been recorded first under its id", "同一编号下已先收到其他内容"),
    "FALSE_ALARM": Text("a better look refuted it", "已被更高等级的查验推翻"),
    "IMPOSSIBLE_TIME": Text("it is dated after it was recorded", "所载时间晚于收到时间"),
    "NOT_THE_TAKERS_ACT": Text("the taker did not confirm it", "未经接收方确认"),
    "OUTWEIGHED": Text("the other side's record is better", "对方记录的证据等级更高"),
    "REVOKED_DEVICE": Text("its device had been retired by then", "其设备当时已停用"),
    "SELF_SERVING": Text("it is unsigned and in its author's favour", "未签名且有利于记录方自身"),
    "UNKNOWN_DEVICE": Text("its device was not enrolled", "其设备未登记"),
}
"""Why a record is set aside; one that its author took back is told by the correction itself."""
