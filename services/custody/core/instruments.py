"""Seals, scales and loggers: what they take out of the time in question, what they add, and what they cannot show."""

from collections.abc import Iterator

from schemas.vocabulary import SENDER, Condition, Facet
from services.custody.core.acts import Act
from services.custody.core.case import Case
from services.custody.core.naming import text
from services.custody.core.rules.authority import held
from services.custody.core.rules.sensor import felt_in, memory_of
from services.custody.core.wording import Text, date, parties, party, span


def what_instruments_say(case: Case) -> Iterator[Text]:
    """One sentence for each rule about them that spoke."""
    yield from _seals(case)
    if "R12" in case.fired:
        yield _LIGHTER if Facet.WEIGHT in case.bad_facets else _WEIGHED
    if "MECHANISM_EXCLUDED" in case.flags:
        yield _FELT_NOTHING
    elif "R11" in case.fired:
        yield _FELT[_felt(case)].fill(who=parties(case.candidates or case.proved))
    if "R14b" in case.fired:
        packing = _bad_packing(case)
        if packing is not None:
            signed = SENDER in packing.joined
            yield (_SIGNED_PACKING if signed else _SURVEYED_PACKING).fill(
                who=party(packing.party), when=date(packing.t)
            )


def _felt(case: Case) -> str:
    """What the logger has of those who remain: a blow, a silence, or of one this and of another that."""
    memory = memory_of(case)
    names = case.candidates or case.proved
    told = {memory is not None and felt_in(memory, held(name, case), case) for name in names}
    if len(told) != 1:
        return "either"
    return "blow" if told.pop() else "silence"


def _bad_packing(case: Case) -> Act | None:
    found = [
        act
        for act in case.scene.acts
        if any(look.facet is Facet.PACKING and look.value is Condition.BAD for look in act.looks)
        and (SENDER in act.joined or act.neutral)
    ]
    return found[0] if found else None


def _seals(case: Case) -> Iterator[Text]:
    if case.L is not None and "R9d" in (case.L.how, case.L.rule) and case.L.act is not None:
        yield _LOOKED_LATE.fill(who=party(case.L.act.party), when=date(case.L.t))
    elif "R9d" in case.fired and case.U is not None and case.U.act is not None:
        yield _LOOKED_AT_ONCE.fill(who=party(case.U.act.party))
    if "R9b" in case.fired:
        yield from _breach(case)
        if case.exposure and case.exposure != [(case.since, case.until)]:
            yield _ANOTHER_SEAL.fill(spans=_spans(case))
    elif "R9a" in case.fired and case.exposure:
        yield _EXPOSED.fill(spans=_spans(case))
    if "R9f" in case.fired:
        yield _OPENED_FOR_AN_AUTHORITY
    if "R9c" in case.fired:
        yield _NO_SEAL_AGAINST_DAMAGE
    if "R9e" in case.fired:
        yield _NO_NUMBER if "unrecorded seal" in case.gaps else _TAPE


def _breach(case: Case) -> Iterator[Text]:
    """How the seal was last found good and first found broken."""
    for sealed in case.seals.sealed:
        if sealed.broken is None or not sealed.good[-1].act.t < case.until:
            continue
        good = [sign for sign in sealed.good if sign.act is not case.contradicting and sign.act.t < sealed.broken.act.t]
        last, broken = (good or sealed.good)[-1].act, sealed.broken.act
        unit = _SEAL_ON_PARCEL if sealed.unit is None else _SEAL_ON_UNIT.fill(unit=Text(sealed.unit, sealed.unit))
        yield _BREACH.fill(
            seal=unit, who=party(last.party), when=date(last.t), other=party(broken.party), then=date(broken.t)
        )


def _spans(case: Case) -> Text:
    """The times that are left, each with whoever had it then."""
    told = []
    for since, until in case.exposure:
        held = [segment.party for segment in case.chain.segments if segment.overlaps(since, until)]
        told.append(_SPAN.fill(span=span(since, until), who=parties(held)) if held else None)
    spans = [each for each in told if each is not None]
    return Text("; ".join(each.en for each in spans), "；".join(each.zh for each in spans))


_SEAL_ON_UNIT = text("the seal on {unit}", "{unit}的封志")
_SEAL_ON_PARCEL = text("the numbered seal on the parcel", "快件上的编号封志")
_BREACH = text(
    "By the record {seal} was in order with {who} on {when}, and missing, broken or another one when {other} looked on "
    "{then}; the harm counts as done in between [R9b].",
    "据记录，{seal}于{when}在{who}处完好，至{then}由{other}查看时已缺失、毁损或号码不符，故视为发生于两者之间[R9b]。",
)
_SPAN = text("{span}, with {who}", "{span}（由{who}保管）")
_EXPOSED = text(
    "While the recorded seal was whole, nobody is taken to have had access to what was inside. What is left is "
    "{spans} [R9a].",
    "封志号码有记录且经核验完好的期间，推定无人接触内件，予以排除。剩余期间为：{spans}[R9a]。",
)
_ANOTHER_SEAL = text(
    "For a part of that time another seal was whole. What is left is {spans} [R9b].",
    "其间部分时间另有封志完好，应予排除。剩余期间为：{spans}[R9b]。",
)
_OPENED_FOR_AN_AUTHORITY = text(
    "The unit was opened at the request of an authority and sealed again; whoever held it then is liable for "
    "the time in between [R9f].",
    "总包曾依机关要求开启后重新施封，其间由当时的保管方承担责任[R9f]。",
)
_NO_SEAL_AGAINST_DAMAGE = text(
    "The seal was good, but a seal does not keep goods from breaking or getting wet, so nobody drops out for it [R9c].",
    "封志虽然完好，但封志不能防止破损或受潮，任何一方不因此排除[R9c]。",
)
_NO_NUMBER = text(
    "No seal number was written down when it was closed, so the seal shows nothing about the time before it was first "
    "read [R9e].",
    "封装时未记录封志号码，故该封志不能证明其后期间未被开启[R9e]。",
)
_TAPE = text(
    "Numbered tape on the parcel itself counts like the seal of a unit [R9e].",
    "快件自身的编号封签与总包封志作用相同[R9e]。",
)
_LOOKED_LATE = text(
    "{who} recorded no look in time after opening the unit, so the parcel is presumed sound when {who} took the unit "
    "over on {when} [R9d].",
    "{who}开启总包后未在期限内查验并记录，故推定其于{when}接收该总包时快件完好[R9d]。",
)
_LOOKED_AT_ONCE = text(
    "{who} looked soon enough after the opening for it to count as found at the opening [R9d].",
    "{who}在开启后的规定时限内查验，视为开启时发现[R9d]。",
)
_LIGHTER = text(
    "It was lighter than when it was last weighed, by more than the scales allow for [R12].",
    "称重结果较前次减少，且超出秤具的允许误差[R12]。",
)
_WEIGHED = text(
    "Its weight was compared with the last one before, within what the scales allow for [R12].",
    "已与前次称重结果比对，并计入秤具的允许误差[R12]。",
)
_FELT = {
    "blow": text(
        "The logger inside felt a blow only while it was with {who} [R11].",
        "箱内记录仪仅在{who}保管期间记录到冲击[R11]。",
    ),
    "silence": text(
        "The logger inside has a gap in its record, and only while it was with {who} [R11].",
        "箱内记录仪仅在{who}保管期间出现记录中断[R11]。",
    ),
    "either": text(
        "The logger inside felt a blow, or has a gap in its record, only while it was with {who} [R11].",
        "箱内记录仪仅在{who}保管期间记录到冲击，或出现记录中断[R11]。",
    ),
}
_FELT_NOTHING = text(
    "The logger inside was on all the way and felt no blow, so no leg of the way explains the harm [R11].",
    "箱内记录仪全程工作且未记录到冲击，任何区段均不能解释该损坏[R11]。",
)
_SIGNED_PACKING = text(
    "{who} noted bad packing on {when}, and the sender signed to that [R14b].",
    "{who}于{when}注明包装缺陷，寄件人已签字确认[R14b]。",
)
_SURVEYED_PACKING = text(
    "{who}, as a neutral surveyor, found bad packing on {when} [R14b].",
    "{who}作为中立查勘方，于{when}查明包装存在缺陷[R14b]。",
)
