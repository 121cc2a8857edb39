"""The words of the explanations, one by one: parties, times, lengths, places, and how sentences are put together."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from schemas.vocabulary import RECIPIENT, SENDER, Confidence, DropPlace, Facet, FindingKind
from services.custody.core import naming, wording
from services.custody.core.verdict import Finding
from services.custody.core.wording import Text

NOON = datetime(2026, 7, 8, 12, 5, tzinfo=UTC)
SHANGHAI = timezone(timedelta(hours=8))
CHATHAM = timezone(timedelta(hours=12, minutes=45))
ST_JOHNS = timezone(-timedelta(hours=3, minutes=30))


@pytest.mark.parametrize(
    ("length", "en", "zh"),
    [
        (1.0, "1 hour", "1 小时"),
        (0.0, "0 hours", "0 小时"),
        (1.5, "1.5 hours", "1.5 小时"),
        (30.0, "30 hours", "30 小时"),
        (100.0, "100 hours", "100 小时"),
        (2.126, "2.13 hours", "2.13 小时"),
        (0.999, "1 hour", "1 小时"),
    ],
)
def test_a_length_has_as_many_digits_as_it_needs(length: float, en: str, zh: str) -> None:
    assert wording.hours(length) == Text(en, zh)


@pytest.mark.parametrize(
    ("instant", "en", "zh"),
    [
        (NOON, "8 July 2026, 12:05 UTC", "2026 年 7 月 8 日 12:05 UTC"),
        (NOON.astimezone(SHANGHAI), "8 July 2026, 20:05 UTC+08:00", "2026 年 7 月 8 日 20:05 UTC+08:00"),
        (NOON.astimezone(CHATHAM), "9 July 2026, 00:50 UTC+12:45", "2026 年 7 月 9 日 00:50 UTC+12:45"),
        (NOON.astimezone(ST_JOHNS), "8 July 2026, 08:35 UTC-03:30", "2026 年 7 月 8 日 08:35 UTC-03:30"),
        (datetime(2026, 1, 1, tzinfo=UTC), "1 January 2026, 00:00 UTC", "2026 年 1 月 1 日 00:00 UTC"),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "31 December 2026, 23:59 UTC", "2026 年 12 月 31 日 23:59 UTC"),
    ],
)
def test_an_instant_is_told_in_its_own_zone(instant: datetime, en: str, zh: str) -> None:
    assert wording.date(instant) == Text(en, zh)


@pytest.mark.parametrize(
    ("until", "en", "zh"),
    [
        (
            NOON + timedelta(hours=2),
            "8 July 2026, 12:05 to 14:05 UTC",
            "2026 年 7 月 8 日 12:05 至 14:05 UTC",
        ),
        (
            NOON + timedelta(days=30),
            "8 July 2026, 12:05 to 7 August, 12:05 UTC",
            "2026 年 7 月 8 日 12:05 至 8 月 7 日 12:05 UTC",
        ),
        (
            NOON + timedelta(days=200),
            "8 July 2026, 12:05 UTC to 24 January 2027, 12:05 UTC",
            "2026 年 7 月 8 日 12:05 UTC 至 2027 年 1 月 24 日 12:05 UTC",
        ),
        (
            (NOON + timedelta(hours=2)).astimezone(SHANGHAI),
            "8 July 2026, 12:05 UTC to 8 July 2026, 22:05 UTC+08:00",
            "2026 年 7 月 8 日 12:05 UTC 至 2026 年 7 月 8 日 22:05 UTC+08:00",
        ),
    ],
)
def test_of_a_span_what_both_ends_share_is_told_once(until: datetime, en: str, zh: str) -> None:
    assert wording.span(NOON, until) == Text(en, zh)


@pytest.mark.parametrize(
    ("named", "en", "zh"),
    [
        (["H1"], "H1", "H1"),
        ([SENDER], "the sender", "寄件人"),
        (["H1", "LH"], "H1 and LH", "H1 和 LH"),
        (["H1", "LH", "H1"], "H1 and LH", "H1 和 LH"),
        ([SENDER, "H1", RECIPIENT], "the sender, H1 and the recipient", "寄件人、H1 和收件人"),
    ],
)
def test_parties_are_listed_once_each(named: list[str], en: str, zh: str) -> None:
    assert wording.parties(named) == Text(en, zh)


@pytest.mark.parametrize(
    ("code", "en", "zh"),
    [
        ("dark", "dark", "光线不足"),
        ("no_time_agreed", "no time, as agreed", "约定时间不足"),
        ("smells_of_fish", "“smells of fish”", "“smells of fish”"),
    ],
)
def test_grounds_are_told_in_words_or_as_they_were_written(code: str, en: str, zh: str) -> None:
    assert wording.grounds(code) == Text(en, zh)


KINDS = {
    FindingKind.DAMAGE: ("sound", "outwardly sound", "damaged", "the damage", "damaged"),
    FindingKind.CONCEALED: ("sound inside", "outwardly sound", "damaged inside", "the damage", "damaged inside"),
    FindingKind.SHORTAGE: ("complete", "complete", "short of contents", "the shortage", "short of contents"),
    FindingKind.WRONG_CONTENT: (
        *("holding the right goods", "holding the right goods"),
        *("holding other goods", "the mix-up", "holding other goods"),
    ),
    FindingKind.LOSS: ("there", "there", "gone", "the loss", "missing"),
    FindingKind.DELAY: ("sound", "sound", "damaged", "the delay", "late"),
}


@pytest.mark.parametrize("kind", FindingKind)
def test_each_finding_has_its_words(kind: FindingKind) -> None:
    told = (
        wording.sound(kind),
        wording.outwardly_sound(kind),
        wording.spoilt(kind),
        wording.event(kind),
        wording.harm(Finding(kind)),
    )

    assert tuple(each.en for each in told) == KINDS[kind]
    assert all(each.zh and not each.zh.isascii() for each in told)


def test_what_was_looked_at_and_where_it_was_left_has_words() -> None:
    seen = {facet: wording.facet(facet).en for facet in Facet}

    assert seen[Facet.OUTER] == "the carton"
    assert seen[Facet.CONTENTS] == "the contents"
    assert seen[Facet.WEIGHT] == "the weight"
    assert seen[Facet.COUNT] == "the count"
    assert seen[Facet.PRESENCE] == seen[Facet.SEAL] == "the parcel"
    assert [wording.place(place).en for place in (DropPlace.DOOR, DropPlace.LOCKER)] == ["at the door", "in a locker"]
    assert {wording.CONFIDENCE[level].en for level in Confidence} == {"high", "moderate", "low", "none"}


# --- putting together -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "part", "zh"),
    [
        ("由{who}承担", "H1", "由 H1 承担"),
        ("由{who}承担", "寄件人", "由寄件人承担"),
        ("{who}承担", "H1", "H1 承担"),
        ("承担：{who}", "H1", "承担：H1"),
        ("（{who}）", "H1", "（H1）"),
        ("由{who}", "H1", "由 H1"),
        ("由{who}、{who}承担", "H1", "由 H1、H1 承担"),
    ],
)
def test_in_chinese_a_code_stands_off_from_the_characters_around_it(template: str, part: str, zh: str) -> None:
    assert Text("{who}", template).fill(who=Text(part, part)) == Text(part, zh)


def test_each_language_is_filled_with_its_own_words() -> None:
    filled = Text("{who} answers", "由{who}承担").fill(who=wording.party(SENDER))

    assert filled == Text("the sender answers", "由寄件人承担")


def test_sentences_become_a_paragraph_that_begins_each_with_a_capital() -> None:
    sentences = [Text("the sender bears it.", "由寄件人承担。"), Text("h1 looked.", "h1查看，用时2小时。")]

    assert wording.join(sentences) == Text("The sender bears it. H1 looked.", "由寄件人承担。h1 查看，用时 2 小时。")
    assert wording.paragraph(sentences).en == "The sender bears it. h1 looked."


def test_a_rule_that_is_cited_is_named() -> None:
    told = naming.text("LH answers [R5], since [R9d].", "由LH承担[R5]，因[R9d]。")

    assert told == Text(
        "LH answers (R5 clean receipt), since (R9d look at opening).",
        "由 LH 承担（R5 无保留接收推定），因（R9d 开启时查验）。",
    )


@pytest.mark.parametrize(
    ("rule", "en", "zh"),
    [
        ("R5", "R5 clean receipt", "R5 无保留接收推定"),
        ("R9d", "R9d look at opening", "R9d 开启时查验"),
        ("R5a", "R5a clean receipt", "R5a 无保留接收推定"),
        ("R99", "R99", "R99"),
    ],
)
def test_a_rule_is_named_by_itself_or_as_a_part_of_one(rule: str, en: str, zh: str) -> None:
    assert naming.rule_named(rule) == Text(en, zh)
