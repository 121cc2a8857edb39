"""Words of the explanations in Chinese and English: parties, dates, what was found, and joining of sentences."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from string import Formatter
from typing import NamedTuple

from schemas.vocabulary import RECIPIENT, SENDER, Confidence, DamageMode, DropPlace, Facet, FindingKind, Severity
from services.custody.core.condition import WHOLE
from services.custody.core.verdict import Finding


class Text(NamedTuple):
    """The same words in both languages."""

    en: str
    zh: str

    def fill(self, **parts: "Text") -> "Text":
        """Put parts into the places `{name}`, each language with its own.

        In Chinese, Latin letters and digits of a part stand off from the characters around it.
        """
        written = []
        for literal, name, before, after in _places(self.zh):
            written.append(literal)
            if name:
                part = parts[name].zh
                if before and part[0].isascii():
                    written.append(" ")
                written.append(part)
                if after and part[-1].isascii():
                    written.append(" ")
        return Text(self.en.format_map({name: part.en for name, part in parts.items()}), "".join(written))


@lru_cache(maxsize=1024)
def _places(template: str) -> tuple[tuple[str, str, bool, bool], ...]:
    """A template in pieces: a literal, the name of the part that follows, and whether Chinese stands beside it."""
    pieces = [(literal, name or "") for literal, name, _, _ in Formatter().parse(template)]
    following = [literal for literal, _ in pieces[1:]] + [""]
    return tuple(
        (literal, name, _is_han(literal[-1:]), _is_han(then[:1]))
        for (literal, name), then in zip(pieces, following, strict=True)
    )


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


_PARTIES = {SENDER: Text("the sender", "寄件人"), RECIPIENT: Text("the recipient", "收件人")}
_HARM = {
    FindingKind.SHORTAGE: Text("short of contents", "内件短少"),
    FindingKind.WRONG_CONTENT: Text("holding other goods", "内件不符"),
    FindingKind.LOSS: Text("missing", "下落不明"),
    FindingKind.DELAY: Text("late", "延误"),
}
_MODES = {
    DamageMode.IMPACT: Text("dented", "撞损"),
    DamageMode.BREAKAGE: Text("broken", "破碎"),
    DamageMode.WET: Text("wet", "受潮"),
    DamageMode.CRUSH: Text("crushed", "压坏"),
    DamageMode.TEMPERATURE: Text("spoilt by temperature", "温度受损"),
}
_SEVERITIES = {
    Severity.SLIGHT: Text("slightly ", "轻微"),
    Severity.HEAVY: Text("heavily ", "严重"),
    Severity.TOTAL: Text("totally ", "完全"),
}
_SOUND = {
    FindingKind.CONCEALED: Text("sound inside", "内件完好"),
    FindingKind.SHORTAGE: Text("complete", "内件齐全"),
    FindingKind.WRONG_CONTENT: Text("holding the right goods", "内件相符"),
    FindingKind.LOSS: Text("there", "尚在"),
}
_SPOILT = {
    FindingKind.CONCEALED: Text("damaged inside", "内件已损坏"),
    FindingKind.SHORTAGE: Text("short of contents", "内件已短少"),
    FindingKind.WRONG_CONTENT: Text("holding other goods", "内件已不符"),
    FindingKind.LOSS: Text("gone", "已不在"),
}
_EVENTS = {
    FindingKind.SHORTAGE: Text("the shortage", "短少"),
    FindingKind.WRONG_CONTENT: Text("the mix-up", "错换"),
    FindingKind.LOSS: Text("the loss", "丢失"),
    FindingKind.DELAY: Text("the delay", "延误"),
}
_FACETS = {
    Facet.OUTER: Text("the carton", "外包装"),
    Facet.CONTENTS: Text("the contents", "内件"),
    Facet.WEIGHT: Text("the weight", "重量"),
    Facet.COUNT: Text("the count", "件数"),
    Facet.PRESENCE: Text("the parcel", "快件"),
}
_GROUNDS = {
    "dark": Text("dark", "光线不足"),
    "sealed": Text("sealed", "已封闭"),
    "too_many": Text("too many", "数量过多"),
    "no_time_agreed": Text("no time, as agreed", "约定时间不足"),
    "wet_cover": Text("wet cover", "外罩潮湿"),
    "damaged": Text("damaged", "破损"),
    "torn": Text("torn", "撕裂"),
    "wet": Text("wet", "受潮"),
    "crushed": Text("crushed", "压坏"),
    "open": Text("open", "已开封"),
    "short": Text("short", "短少"),
    "weak_box": Text("weak box", "箱体强度不足"),
    "no_cushioning": Text("no cushioning", "无缓冲材料"),
}
_PLACES = {
    DropPlace.DOOR: Text("at the door", "门口"),
    DropPlace.LOCKER: Text("in a locker", "快递柜"),
    DropPlace.STATION: Text("at a station", "驿站"),
    DropPlace.SHOP: Text("at a shop", "代收点"),
    DropPlace.NEIGHBOUR: Text("with somebody nearby", "邻近他人处"),
    DropPlace.ADDRESS: Text("at the address, by its own entry,", "收件地址（派件方自行录入）"),
}
CONFIDENCE = {
    Confidence.HIGH: Text("high", "高"),
    Confidence.MODERATE: Text("moderate", "中"),
    Confidence.LOW: Text("low", "低"),
    Confidence.NONE: Text("none", "无"),
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def party(name: str) -> Text:
    """A party as it is spoken of."""
    return _PARTIES.get(name) or Text(name, name)


def parties(names: Sequence[str]) -> Text:
    """A list of parties, each named once."""
    spoken = [party(name) for name in dict.fromkeys(names)]
    if len(spoken) == 1:
        return spoken[0]
    return _LIST.fill(
        most=Text(", ".join(each.en for each in spoken[:-1]), "、".join(each.zh for each in spoken[:-1])),
        last=spoken[-1],
    )


_LIST = Text("{most} and {last}", "{most}和{last}")


def harm(finding: Finding) -> Text:
    """What was found, in a word: crushed, 压坏; with the component where it is not the whole."""
    found = _harm(finding)
    if finding.component == WHOLE:
        return found
    component = finding.component.replace("_", " ")
    return Text(f"{found.en} ({component})", f"{found.zh}（{component}）")


def _harm(finding: Finding) -> Text:
    if finding.kind not in (FindingKind.DAMAGE, FindingKind.CONCEALED):
        return _HARM[finding.kind]
    inside = finding.kind is FindingKind.CONCEALED
    found = _MODES[finding.damage] if finding.damage is not None else Text("damaged", "损坏" if inside else "破损")
    if finding.severity is not None:
        degree = _SEVERITIES[finding.severity]
        found = Text(degree.en + found.en, degree.zh + found.zh)
    return Text(f"{found.en} inside", f"内件{found.zh}") if inside else found


def sound(kind: FindingKind) -> Text:
    """What a parcel is that has not come to this harm: complete, 内件齐全."""
    return _SOUND.get(kind, Text("sound", "完好"))


def outwardly_sound(kind: FindingKind) -> Text:
    """The same, as a taker's silence says it: of damage, only what can be seen from outside."""
    if kind in (FindingKind.DAMAGE, FindingKind.CONCEALED):
        return Text("outwardly sound", "外观完好")
    return sound(kind)


def spoilt(kind: FindingKind) -> Text:
    """What a parcel is that has come to this harm already: short of contents, 内件已短少."""
    return _SPOILT.get(kind, Text("damaged", "已破损"))


def event(kind: FindingKind) -> Text:
    """What happened to it: the shortage, 短少."""
    return _EVENTS.get(kind, Text("the damage", "损坏"))


def facet(seen: Facet) -> Text:
    """What was looked at."""
    return _FACETS.get(seen, _FACETS[Facet.PRESENCE])


def place(where: DropPlace) -> Text:
    """Where a parcel was left."""
    return _PLACES[where]


def hours(length: float) -> Text:
    """A length of time in hours, with as many digits as it needs."""
    written = f"{length:.2f}".rstrip("0").rstrip(".")
    return Text(f"{written} hour" if written == "1" else f"{written} hours", f"{written} 小时")


def grounds(code: str) -> Text:
    """Why somebody could not look, or what else they wrote, as a code says it."""
    written = code.replace("_", " ")
    return _GROUNDS.get(code) or Text(f"“{written}”", f"“{written}”")


def date(instant: datetime) -> Text:
    """An instant in its own zone, for the reader compares it with local papers."""
    return _date(instant, instant.utcoffset() or timedelta())


def span(since: datetime, until: datetime) -> Text:
    """From one instant to another; what both share, such as the zone, is told once."""
    offset = since.utcoffset() or timedelta()
    if offset != (until.utcoffset() or timedelta()) or since.year != until.year:
        return _SPAN.fill(since=date(since), until=date(until))
    months, zone = _MONTHS, _zone(offset)
    clocks = f"{since.hour:02}:{since.minute:02}", f"{until.hour:02}:{until.minute:02}"
    begun = f"{since.day} {months[since.month - 1]} {since.year}, {clocks[0]}"
    zh = f"{since.year} 年 {since.month} 月 {since.day} 日 {clocks[0]} 至 "
    if since.date() == until.date():
        return Text(f"{begun} to {clocks[1]} {zone}", f"{zh}{clocks[1]} {zone}")
    return Text(
        f"{begun} to {until.day} {months[until.month - 1]}, {clocks[1]} {zone}",
        f"{zh}{until.month} 月 {until.day} 日 {clocks[1]} {zone}",
    )


_SPAN = Text("{since} to {until}", "{since}至{until}")


@lru_cache(maxsize=1024)
def _date(instant: datetime, offset: timedelta) -> Text:
    """Equal instants of different zones are equal keys, so the offset is another."""
    clock = f"{instant.hour:02}:{instant.minute:02} {_zone(offset)}"
    return Text(
        f"{instant.day} {_MONTHS[instant.month - 1]} {instant.year}, {clock}",
        f"{instant.year} 年 {instant.month} 月 {instant.day} 日 {clock}",
    )


def _zone(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    sign = "+" if minutes > 0 else "-"
    return f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


_SPACED = re.compile(r"(?<=[\u4e00-\u9fff])(?=[0-9A-Za-z])|(?<=[0-9A-Za-z])(?=[\u4e00-\u9fff])")


def tidy(chinese: str) -> str:
    """Latin letters and digits stand off from the characters around them."""
    return _SPACED.sub(" ", chinese)


def join(sentences: Sequence[Text]) -> Text:
    """Sentences as one paragraph, each with a capital at its beginning."""
    told = paragraph([Text(each.en[:1].upper() + each.en[1:], each.zh) for each in sentences])
    return Text(told.en, tidy(told.zh))


def paragraph(sentences: Sequence[Text]) -> Text:
    """Sentences as one paragraph. Only a party that is spoken of in words gets a capital: a code stays as it is."""
    english = ("The " + each.en[4:] if each.en.startswith("the ") else each.en for each in sentences)
    return Text(" ".join(english), "".join(each.zh for each in sentences))
