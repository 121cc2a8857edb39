"""The pursuit: which notice counts until when, which pictures to ask for first, and which record is missing."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from schemas.vocabulary import FindingKind, PartyRole
from services.custody.core.case import Case
from services.custody.core.condition import hidden
from services.custody.core.instants import later
from services.custody.core.missing import called
from services.custody.core.naming import text
from services.custody.core.rules.delivery import notice_status
from services.custody.core.verdict import Footage, MissingScan
from services.custody.core.wording import Text, date, event, party, sound, span, spoilt

_NO_NOTICE_DAYS = (FindingKind.LOSS, FindingKind.DELAY)
_TOLD_OF_MISSING = 2
"""How many missing records a letter tells in full; the others it names."""
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
            if case.U is not None and case.U.rule == "R13b" and said is _IN_TIME:
                continue  # the first paragraph rests on it already
            said = _NOT_AT_DELIVERY if "R13a" in case.fired else said
            yield said.fill(**told, days=days, event=event(kind))
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


def where_to_look(case: Case, asked: Sequence[Footage], missing: Sequence[MissingScan]) -> Iterator[Text]:
    """Which pictures to ask for first, and what nobody recorded. None of it says who is liable."""
    if not asked and not missing:
        return
    yield _NOT_WHO_IS_LIABLE
    if asked:
        yield from _pictures(case, asked)
    for each in missing[:_TOLD_OF_MISSING]:
        yield Text(each.en, each.zh)
    if len(missing) > _TOLD_OF_MISSING:
        named = list(dict.fromkeys(called(each) for each in missing[_TOLD_OF_MISSING:]))
        told = Text("; ".join(each.en for each in named), "；".join(each.zh for each in named))
        yield _MORE_MISSING.fill(list=told)


def _pictures(case: Case, asked: Sequence[Footage]) -> Iterator[Text]:
    first = [each for each in asked if each.rank == 1]
    one = first[0]
    kept = min((each.kept_until for each in first if each.kept_until is not None), default=None)
    told = {"who": party(one.held_by), "span": span(one.since, one.until), "kept": _kept(kept)}
    place = _place(one, first)
    if place is not None:
        yield _FIRST.fill(**told, place=place)
    else:
        yield (_FIRST_UNSEEN if one.look_at is None else _FIRST_ITS_OWN).fill(**told)
    yield _what_it_would_show(one, case)
    rest = {each.rank: each for each in reversed(asked) if each.rank > 1}
    named = [rest[rank] for rank in sorted(rest)][:_TOLD_OF_PLACES]
    if len(named) == 1:
        yield _next(named[0], _THEN_ONE, _THEN_ONE_SITE)
    elif named:
        list_ = [_next(each, _NEXT, _NEXT_SITE) for each in named]
        yield _THEN.fill(list=Text("; ".join(each.en for each in list_), "；".join(each.zh for each in list_)))


def _next(asked: Footage, its_own: Text, of_a_site: Text) -> Text:
    told = {"who": party(asked.held_by), "span": span(asked.since, asked.until)}
    if asked.site == asked.party:
        return its_own.fill(**told)
    return of_a_site.fill(**told, site=Text(asked.site, asked.site))


def _what_it_would_show(asked: Footage, case: Case) -> Text:
    """With whom it happened, by what the pictures show, and whether that says who is liable."""
    first, second, kind = asked.parties_left_if_sound, asked.parties_left_if_harmed, case.finding.kind
    if kind is FindingKind.DELAY:
        return _WHEN_IT_PASSED
    if first == second or not first or not second:
        settled = {*first, *second} <= set(case.answerable)
        return _NOT_WHO if settled else _NOT_NARROWER
    told = {
        "at": date(asked.look_at or asked.since),
        "sound": sound(kind),
        "spoilt": spoilt(kind),
        "event": event(kind),
        "later": _one_of(first, case),
        "earlier": _one_of(second, case),
    }
    if asked.look_at is None:
        left = _PASSED_THERE if kind is FindingKind.LOSS else _PASSED_SOUND
    else:
        left = _EITHER_WAY if _same_party_liable((*first, *second), case) else _SOUND_OR_NOT
    return left.fill(**told)


def _one_of(names: Sequence[str], case: Case) -> Text:
    """Parties with one of whom it happened; where that is who was found liable, it says so."""
    spoken = [party(name) for name in dict.fromkeys(names)]
    one = spoken[0]
    if len(spoken) > 1:
        most = Text(", ".join(each.en for each in spoken[:-1]), "、".join(each.zh for each in spoken[:-1]))
        one = _OR.fill(most=most, last=spoken[-1])
    as_found = len(set(names)) == 1 and set(names) == set(case.answerable)
    return (_AS_FOUND if as_found else _ITS_TIME).fill(who=one)


def _same_party_liable(names: Sequence[str], case: Case) -> bool:
    """R30: whether it is with one party, or with the one authority for whose time that same party is liable."""
    others = {name for name in names if name not in case.answerable}
    authority = all(case.registry.role(name) is PartyRole.AUTHORITY for name in others)
    return "R30" in case.fired and len(case.answerable) == 1 and len(others) == 1 and authority


def _place(one: Footage, first: Sequence[Footage]) -> Text | None:
    """Which site and cameras; None where nobody wrote down where it was: it may have been a vehicle."""
    if one.camera is not None:
        cameras = [_camera(each) for each in first if each.camera is not None and each.site == one.site]
        return _CAMERAS.fill(
            cameras=Text(" and ".join(each.en for each in cameras), "、".join(each.zh for each in cameras)),
            site=Text(one.site, one.site),
        )
    return None if one.site == one.party else _SITE.fill(site=Text(one.site, one.site))


def _camera(asked: Footage) -> Text:
    camera = Text(asked.camera or "", asked.camera or "")
    if asked.door is None:
        return _CAMERA.fill(camera=camera)
    return _CAMERA_AT_DOOR.fill(camera=camera, door=Text(asked.door, asked.door))


def _kept(until: datetime | None) -> Text:
    return _KEPT_UNKNOWN if until is None else _KEPT.fill(until=date(until))


_LESS_THAN_A_DAY = text("less than a day", "不足1日")
_NOTICE = text(
    "{who} gave notice, recorded on {when}; no delivery is on record from which its time would run.",
    "{who}已提出通知（记录于{when}）；没有可据以起算期限的交付记录。",
)
_NOTICE_GIVEN = text("{who} gave notice, recorded on {when}.", "{who}已提出通知（记录于{when}）。")
_NOT_AT_DELIVERY = text(
    "{who} gave notice, recorded on {when}, {days} after delivery. For harm visible from outside that is too "
    "late: it must be noted at delivery, so the parcel stays presumed sound then [R13a].",
    "{who}的通知记录于{when}，即交付后{days}。外观可见的损坏应在签收时注明，该通知已迟，交付时完好的推定不变[R13a]。",
)
_IN_TIME = text(
    "{who} gave notice, recorded on {when}, {days} after delivery; that was in time [R13].",
    "{who}的通知记录于{when}，即交付后{days}，未逾期[R13]。",
)
_TOO_LATE = text(
    "{who} gave notice, recorded on {when}, {days} after delivery. That is too late: by this notice {event} "
    "does not count as there at delivery [R13].",
    "{who}的通知记录于{when}，即交付后{days}，已逾期，不能据此认定{event}在交付时已经存在[R13]。",
)
_DEADLINE = text(
    "Notice of harm that could not be seen at delivery runs for {days}: it has to be on record by {until} [R13].",
    "对交付时不可见的损失，通知期为{days}，应在{until}之前提出并记录[R13]。",
)
_NOT_WHO_IS_LIABLE = text(
    "The following is only where evidence may be found; being named here does not make a party liable.",
    "以下仅为取证线索；列入其中不代表承担责任。",
)
_FIRST = text(
    "First ask {who} for footage of {place}, covering {span} ({kept}).",
    "首先请{who}提供{place}在{span}期间的监控录像（{kept}）。",
)
_KEPT = text(
    "kept until {until}; ask before then",
    "保存至{until}，请在此之前申请调取",
)
_KEPT_UNKNOWN = text(
    "how long it is kept is not registered, so ask at once",
    "保存期限未登记，请立即申请调取",
)
_SITE = text("site {site}", "站点{site}")
_CAMERAS = text("site {site}, {cameras}", "站点{site}的{cameras}")
_CAMERA = text("camera {camera}", "摄像头{camera}")
_CAMERA_AT_DOOR = text("camera {camera} at door {door}", "{door}门摄像头{camera}")
_PASSED_SOUND = text(
    "It would show when custody passed: if the parcel was still {sound} then, {event} came later, with {later}"
    "; if already {spoilt}, earlier, with {earlier}.",
    "录像可表明交接的时刻：如当时快件{sound}，则{event}发生在其后，即{later}；如当时{spoilt}，则发生在"
    "此前，即{earlier}。",
)
_PASSED_THERE = text(
    "It would show whether custody passed: if it did, the parcel was lost with {later}; if not, with {earlier}.",
    "录像可表明是否已经交接：如已交接，则丢失发生在{later}；如未交接，则发生在{earlier}。",
)
_NOT_NARROWER = text(
    "It may show when and how it happened, but cannot narrow down with whom.",
    "录像可查明发生的时间和经过，但不能缩小责任方的范围。",
)
_SOUND_OR_NOT = text(
    "If it shows the parcel still {sound} on {at}, {event} came later, with {later}; if already {spoilt}, "
    "earlier, with {earlier}.",
    "如录像显示{at}时快件{sound}，则{event}发生在其后，即{later}；如当时{spoilt}，则发生在此前，即{earlier}。",
)
_EITHER_WAY = text(
    "If it shows the parcel still {sound} on {at}, {event} came later, with {later}; if already {spoilt}, "
    "earlier, with {earlier}. Either way the same party is liable.",
    "如录像显示{at}时快件{sound}，则{event}发生在其后，即{later}；如当时{spoilt}，则发生在此前，即"
    "{earlier}。无论何种情形，责任方不变。",
)
_OR = text(
    "{most} or {last}",
    "{most}或{last}",
)
_ITS_TIME = text(
    "{who}",
    "{who}保管期间",
)
_AS_FOUND = text(
    "{who}, as found above",
    "{who}保管期间（与上述认定一致）",
)
_FIRST_UNSEEN = text(
    "First ask {who} for its footage of {span} ({kept}).",
    "首先请{who}提供{span}期间的监控录像（{kept}）。",
)
_FIRST_ITS_OWN = text(
    "First ask {who} for its footage of the time it had the parcel, {span} ({kept}).",
    "首先请{who}提供其保管期间（{span}）的监控录像（{kept}）。",
)
_THEN_ONE_SITE = text(
    "Then ask {who} for footage of site {site}, {span}.",
    "其次，请{who}提供站点{site}在{span}期间的监控录像。",
)
_THEN_ONE = text(
    "Then ask {who} for its footage of {span}.",
    "其次，请{who}提供{span}期间的监控录像。",
)
_NOT_WHO = text(
    "It may show when and how it happened, but does not change who is liable.",
    "录像可查明发生的时间和经过，但不改变上述责任认定。",
)
_WHEN_IT_PASSED = text(
    "It would show when custody passed, and so whose hours they were.", "录像可表明交接的时刻，从而确定由谁造成延误。"
)
_THEN = text(
    "Then, the most telling first, ask for footage: {list}.",
    "其次，按证明作用大小，依次请以下各方提供录像：{list}。",
)
_NEXT = text(
    "{who}, {span}",
    "{who}（{span}）",
)
_NEXT_SITE = text(
    "{who}, site {site}, {span}",
    "{who}站点{site}（{span}）",
)
_MORE_MISSING = text(
    "Also not on record: {list}.",
    "此外还缺少以下记录：{list}。",
)
