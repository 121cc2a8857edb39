"""The answer in sentences that a claims clerk can send: a few short paragraphs, each in both languages.

What was found; who had it and who last saw it sound; who answers by which rule, and how sure that is; what would
change it and which notice counts; where to look, which is not who is liable; and that it is no legal advice.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.vocabulary import Confidence, Outcome
from services.custody.core.account import what_is_doubtful, what_is_presumed, who_had_it
from services.custody.core.case import Case
from services.custody.core.conclusion import what_follows
from services.custody.core.discovery import what_was_found
from services.custody.core.doubts import doubts
from services.custody.core.footage import footage
from services.custody.core.instruments import what_instruments_say
from services.custody.core.missing import missing_scans
from services.custody.core.naming import rule_named, text
from services.custody.core.narrowing import is_open, open_time
from services.custody.core.outlook import what_would_change_it
from services.custody.core.pursuit import where_to_look, which_notice
from services.custody.core.rules.confidence import confidence
from services.custody.core.verdict import Doubt, Explanation, Footage, MissingScan, Share, Verdict
from services.custody.core.wayside import what_happened_on_the_way
from services.custody.core.wording import CONFIDENCE, Text, harm, paragraph, parties

_APART = "\n\n"
_SAID_BY_THE_CONCLUSION = ("R3", "R11", "R13b", "R16", "R22")
"""Rules that say by themselves why nobody can be named, or that have no part in it."""


class Words(NamedTuple):
    """What a verdict says beside the answer."""

    footage: tuple[Footage, ...]
    missing_scans: tuple[MissingScan, ...]
    doubt: tuple[Doubt, ...]
    explanation: Explanation


NO_WORDS = Words((), (), (), Explanation(zh="", en=""))


def words(case: Case) -> Words:
    """Where to look, what is missing, why the answer is not surer, and all of it in sentences."""
    asked, missing = where(case) if is_open(case) else ((), ())
    doubted = doubts(case)
    return Words(asked, missing, doubted, _explain(case, doubted, asked, missing))


def where(case: Case) -> tuple[tuple[Footage, ...], tuple[MissingScan, ...]]:
    """Where to look while the answer is open: pictures to ask for, and records that nobody made."""
    time = open_time(case)
    return footage(case, time), missing_scans(case, time)


def _explain(
    case: Case, doubted: Sequence[Doubt], asked: Sequence[Footage], missing: Sequence[MissingScan]
) -> Explanation:
    """The case in both languages. What else the verdict lists is told from the same lists."""
    paragraphs = [
        paragraph(sentences)
        for sentences in (
            [*what_was_found(case)],
            [
                *who_had_it(case),
                *what_is_presumed(case),
                *what_instruments_say(case),
                *what_happened_on_the_way(case),
                *what_is_doubtful(case),
            ],
            [*what_follows(case), *_how_sure(case, doubted)],
            [*what_would_change_it(case), *which_notice(case)],
            [*where_to_look(case, asked, missing)],
            [*_limits(case)],
        )
        if sentences
    ]
    return Explanation(zh=_APART.join(each.zh for each in paragraphs), en=_APART.join(each.en for each in paragraphs))


def explain_union(parts: Sequence[Verdict], liable: Sequence[Share], level: Confidence) -> Explanation:
    """R35: one answer for several findings whose result cannot be divided: who bears it, then each part by itself."""
    who = [share.party for share in liable]
    if not who:
        said = _UNION_NOBODY
    elif len(who) == 1:
        said = _UNION_ONE.fill(who=parties(who), level=CONFIDENCE[level])
    else:
        said = _UNION.fill(who=parties(who), count=Text(str(len(who)), str(len(who))), level=CONFIDENCE[level])
    told = [paragraph([said])]
    for number, verdict in enumerate(parts, start=1):
        about = _PART.fill(number=Text(str(number), str(number)), harm=harm(verdict.finding))
        told += [paragraph([about]), _without_disclaimer(verdict.explanation)]
    told.append(_DISCLAIMER)
    return Explanation(zh=_APART.join(each.zh for each in told), en=_APART.join(each.en for each in told))


def _without_disclaimer(told: Explanation) -> Text:
    """What stands at the end of a letter stands there once."""
    return Text(told.en.removesuffix(_DISCLAIMER.en).rstrip(), told.zh.removesuffix(_DISCLAIMER.zh).rstrip())


def _how_sure(case: Case, doubted: Sequence[Doubt]) -> Iterator[Text]:
    """How sure, and why not surer, reason by reason with its rule."""
    nobody = case.outcome is Outcome.UNDETERMINED
    left_out = _SAID_BY_THE_CONCLUSION if nobody else ()
    reasons = [_reason(doubt) for doubt in doubted if doubt.rule not in left_out]
    because = Text("; ".join(each.en for each in reasons), "；".join(each.zh for each in reasons))
    if nobody:
        if reasons:
            yield _WHY_NOBODY.fill(because=because)
        return
    level = CONFIDENCE[confidence(case)]
    yield (_SURE_BUT if reasons else _SURE).fill(level=level, because=because)


def _reason(doubt: Doubt) -> Text:
    rule = rule_named(doubt.rule)
    return Text(f"{doubt.en} ({rule.en})", f"{doubt.zh}（{rule.zh}）")


def _limits(case: Case) -> Iterator[Text]:
    if "EVIDENCE_INCOMPLETE" in case.flags:
        yield _INCOMPLETE
    yield _DISCLAIMER


_UNION = text(
    "Several blows brought about one result that cannot be divided. {who} are liable for its parts, and so for "
    "the whole in equal shares of 1/{count} each [R35]. How sure this is: {level}. Each part was judged by "
    "itself, as follows.",
    "数次损坏共同造成同一不可分割的结果，由各部分的责任方{who}均等承担责任，各1/{count}[R35]。可信度：{level}。"
    "各部分分别认定如下。",
)
_UNION_ONE = text(
    "Several blows brought about one result that cannot be divided. {who} alone is liable for its parts, and "
    "so for the whole [R35]. How sure this is: {level}. Each part was judged by itself, as follows.",
    "数次损坏共同造成同一不可分割的结果，各部分均由{who}承担责任，故由{who}单独承担全部责任[R35]。可信度："
    "{level}。各部分分别认定如下。",
)
_UNION_NOBODY = text(
    "Several blows brought about one result that cannot be divided, and nobody can be named for any part of it [R35]. "
    "Each part was judged by itself, as follows.",
    "数次损坏共同造成同一不可分割的结果，各部分均无法认定责任方[R35]。各部分分别认定如下。",
)
_PART = text("Part {number}: {harm}.", "第{number}部分：{harm}。")
_SURE = text("How sure this is: {level}.", "可信度：{level}。")
_SURE_BUT = text(
    "How sure this is: {level}. Not higher, because {because}.",
    "可信度：{level}。未评为更高的原因：{because}。",
)
_WHY_NOBODY = text("What stands in the way: {because}.", "无法认定的原因：{because}。")
_INCOMPLETE = text("Some records about the parcel cannot be read yet.", "部分记录暂时无法读取。")
_DISCLAIMER = text("This is an evidence assessment, not legal advice.", "本结论为证据评估，不构成法律意见。")
