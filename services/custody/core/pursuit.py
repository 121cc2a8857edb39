"""The pursuit: which notice counts until when, which pictures to ask for first, and which record is missing."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from schemas.vocabulary import FindingKind
from services.custody.core.case import Case
from services.custody.core.condition import hidden
from services.custody.core.instants import later
from services.custody.core.naming import text
from services.custody.core.rules.delivery import notice_status
from services.custody.core.verdict import Footage, MissingScan
from services.custody.core.wording import Text, date, parties, party, span

_NO_NOTICE_DAYS = (FindingKind.LOSS, FindingKind.DELAY)
_TOLD_OF_MISSING = 2
"""How many missing records a letter tells; the verdict lists all of them."""
_TOLD_OF_PLACES = 4
"""How many places after the first it names."""


def which_notice(case: Case) -> Iterator[Text]:
    """The notices on record, or until when one counts as in time."""
    given, kind = notice_status(case), case.finding.kind
    for status in given[:2]:
        told = {"who": party(status["by"]), "when": date(_instant(status["recorded"]))}
        if "in_time" not in status:
            yield _NOTICE.fill(**told)
        elif kind in _NO_NOTICE_DAYS:
            yield _NOTICE_GIVEN.fill(**told)
        else:
            days = _number(int(status["days_after_delivery"]))
            said = _IN_TIME if status["in_time"] == "yes" else _TOO_LATE
            yield (_NOT_AT_DELIVERY if "R13a" in case.fired else said).fill(**told, days=days)
    delivery = case.chain.delivery
    if not given and delivery is not None and kind not in _NO_NOTICE_DAYS and hidden(kind, case.tampered):
        until = later(delivery.accept.t, timedelta(days=case.policy.notice_days))
        yield _DEADLINE.fill(days=_number(case.policy.notice_days), until=date(until))


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _number(count: int) -> Text:
    if count == 0:
        return _LESS_THAN_A_DAY
    return Text(f"{count} day" if count == 1 else f"{count} days", f"{count} 日")


def where_to_look(kind: FindingKind, asked: Sequence[Footage], missing: Sequence[MissingScan]) -> Iterator[Text]:
    """Which pictures to ask for first, and what nobody recorded. None of it says who is liable."""
    if not asked and not missing:
        return
    yield _NOT_WHO_IS_LIABLE
    if asked:
        yield from _pictures(kind, asked)
    for each in missing[:_TOLD_OF_MISSING]:
        yield Text(each.en, each.zh)
    if len(missing) > _TOLD_OF_MISSING:
        yield _MORE_MISSING.fill(count=_count(len(missing) - _TOLD_OF_MISSING))


def _pictures(kind: FindingKind, asked: Sequence[Footage]) -> Iterator[Text]:
    first = [each for each in asked if each.rank == 1]
    one = first[0]
    kept = min((each.kept_until for each in first if each.kept_until is not None), default=None)
    yield _FIRST.fill(
        who=party(one.held_by), place=_place(one, first), span=span(one.since, one.until), kept=_kept(kept)
    )
    yield from _what_it_would_show(one, kind)
    rest = {each.rank: each for each in reversed(asked) if each.rank > 1}
    named = [rest[rank] for rank in sorted(rest)][:_TOLD_OF_PLACES]
    if named:
        told = [_next(each) for each in named]
        yield _THEN.fill(list=Text("; ".join(each.en for each in told), "；".join(each.zh for each in told)))


def _next(asked: Footage) -> Text:
    told = {"who": party(asked.held_by), "span": span(asked.since, asked.until)}
    if asked.site == asked.party:
        return _NEXT.fill(**told)
    return _NEXT_SITE.fill(**told, site=Text(asked.site, asked.site))


def _what_it_would_show(asked: Footage, kind: FindingKind) -> Iterator[Text]:
    """What would be left of the question, by what the pictures show."""
    sound, harmed = asked.parties_left_if_sound, asked.parties_left_if_harmed
    if kind is FindingKind.DELAY:
        yield _WHEN_IT_PASSED
    elif sound == harmed or not sound or not harmed:
        yield _WHEN_IT_HAPPENED
    else:
        lost = kind is FindingKind.LOSS
        if asked.look_at is None:
            left = _PASSED_THERE if lost else _PASSED_SOUND
        else:
            left = _THERE if lost else _SOUND
        at = date(asked.look_at or asked.since)
        yield left.fill(at=at, sound=parties(sound), harmed=parties(harmed))


def _place(one: Footage, first: Sequence[Footage]) -> Text:
    if one.camera is not None:
        cameras = [_camera(each) for each in first if each.camera is not None and each.site == one.site]
        return _CAMERAS.fill(
            cameras=Text(" and ".join(each.en for each in cameras), "、".join(each.zh for each in cameras)),
            site=Text(one.site, one.site),
        )
    return _PREMISES if one.site == one.party else _SITE.fill(site=Text(one.site, one.site))


def _camera(asked: Footage) -> Text:
    camera = Text(asked.camera or "", asked.camera or "")
    if asked.door is None:
        return _CAMERA.fill(camera=camera)
    return _CAMERA_AT_DOOR.fill(camera=camera, door=Text(asked.door, asked.door))


def _kept(until: datetime | None) -> Text:
    return _KEPT_UNKNOWN if until is None else _KEPT.fill(until=date(until))


def _count(number: int) -> Text:
    return Text(str(number), str(number))


_LESS_THAN_A_DAY = text("less than a day", "不足1日")
_NOTICE = text(
    "{who} gave notice, recorded on {when}; no delivery is on record from which its time would run.",
    "{who}已提出通知（记录于{when}）；没有可据以起算期限的交付记录。",
)
_NOTICE_GIVEN = text("{who} gave notice, recorded on {when}.", "{who}已提出通知（记录于{when}）。")
_NOT_AT_DELIVERY = text(
    "{who} gave notice, recorded on {when}, {days} after delivery; what can be seen from outside has to be noted at "
    "delivery [R13a].",
    "{who}已提出通知（记录于{when}，距交付{days}）；但外观可见的损坏应在签收时注明[R13a]。",
)
_IN_TIME = text(
    "{who} gave notice, recorded on {when}, {days} after delivery; that was in time [R13].",
    "{who}已提出通知（记录于{when}，距交付{days}），未逾期[R13]。",
)
_TOO_LATE = text(
    "{who} gave notice, recorded on {when}, {days} after delivery; that was too late [R13].",
    "{who}已提出通知（记录于{when}，距交付{days}），已逾期[R13]。",
)
_DEADLINE = text(
    "Notice of harm that could not be seen at delivery runs for {days}: it has to be on record by {until} [R13].",
    "对交付时不可见的损失，通知期为{days}，应在{until}之前提出并记录[R13]。",
)
_NOT_WHO_IS_LIABLE = text(
    "Where to look is not who is liable: what follows may lie with parties that answer for nothing.",
    "以下仅为取证线索，不代表责任归属；所列各方未必承担责任。",
)
_FIRST = text(
    "First ask {who} for footage of {place}, covering {span} ({kept}).",
    "首先请{who}提供{place}在{span}期间的监控录像（{kept}）。",
)
_KEPT = text("kept until {until}", "保存至{until}")
_KEPT_UNKNOWN = text("how long it is kept is not registered, so ask at once", "保存期限未登记，请尽快提出")
_SITE = text("site {site}", "站点{site}")
_PREMISES = text("its premises", "其场所")
_CAMERAS = text("site {site}, {cameras}", "站点{site}的{cameras}")
_CAMERA = text("camera {camera}", "摄像头{camera}")
_CAMERA_AT_DOOR = text("camera {camera} at door {door}", "{door}门摄像头{camera}")
_SOUND = text(
    "If it shows the parcel sound on {at}, only {sound} would be left in question; if harmed by then, only {harmed}.",
    "如录像显示{at}时完好，则只剩{sound}需要查明；如当时已受损，则只剩{harmed}。",
)
_THERE = text(
    "If it shows the parcel there on {at}, only {sound} would be left in question; if gone by then, only {harmed}.",
    "如录像显示{at}时快件尚在，则只剩{sound}需要查明；如当时已不在，则只剩{harmed}。",
)
_PASSED_SOUND = text(
    "It would show when custody passed: if the parcel was sound then, only {sound} would be left in question; if "
    "harmed by then, only {harmed}.",
    "录像可表明交接的时刻：如当时完好，则只剩{sound}需要查明；如当时已受损，则只剩{harmed}。",
)
_PASSED_THERE = text(
    "It would show whether custody passed: if it did, only {sound} would be left in question; if not, only {harmed}.",
    "录像可表明是否已经交接：如已交接，则只剩{sound}需要查明；如未交接，则只剩{harmed}。",
)
_WHEN_IT_HAPPENED = text(
    "It would not narrow down who, but may show when and how it happened.",
    "录像虽不能进一步缩小责任方，但可表明发生的时间和经过。",
)
_WHEN_IT_PASSED = text(
    "It would show when custody passed, and so whose hours they were.", "录像可表明交接的时刻，从而确定由谁造成延误。"
)
_THEN = text("After that, in this order: {list}.", "其后依次为：{list}。")
_NEXT = text("{who}, {span}", "{who}，{span}")
_NEXT_SITE = text("{who}, site {site}, {span}", "{who}站点{site}，{span}")
_MORE_MISSING = text(
    "{count} further missing records are listed with this assessment.", "另有{count}项缺失记录，见随附清单。"
)
