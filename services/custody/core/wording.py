"""Words of the explanations in Chinese and English: parties, dates, what was found, and joining of sentences."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.vocabulary import RECIPIENT, SENDER, Confidence, DamageMode, DropPlace, Facet, FindingKind, Severity
from services.custody.core.condition import WHOLE
from services.custody.core.verdict import Finding


class Text(NamedTuple):
    """The same words in both languages."""

    en: str
    zh: str

    def fill(self, **parts: "Text") -> "Text":
        """Put parts into the places `{name}`, each language with its own."""
        en = {name: part.en for name, part in parts.items()}
        zh = {name: part.zh for name, part in parts.items()}
        return Text(self.en.format_map(en), self.zh.format_map(zh))


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
    return Text(
        ", ".join(text.en for text in spoken[:-1]) + f" and {spoken[-1].en}",
        "、".join(text.zh for text in spoken[:-1]) + f"和{spoken[-1].zh}",
    )


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


def facet(seen: Facet) -> Text:
    """What was looked at."""
    return _FACETS.get(seen, _FACETS[Facet.PRESENCE])


def place(where: DropPlace) -> Text:
    """Where a parcel was left."""
    return _PLACES[where]


def hours(length: float) -> Text:
    """A length of time in hours, with as many digits as it needs."""
    written = f"{length:.2f}".rstrip("0").rstrip(".")
    return Text(f"{written} hour" if written == "1" else f"{written} hours", f"{written}小时")


def grounds(code: str) -> Text:
    """Why somebody could not look, or what else they wrote, as a code says it."""
    written = code.replace("_", " ")
    return _GROUNDS.get(code) or Text(f"“{written}”", f"“{written}”")


def date(instant: datetime) -> Text:
    """An instant in its own zone, for the reader compares it with local papers."""
    clock = f"{instant.hour:02}:{instant.minute:02} {_zone(instant.utcoffset() or timedelta())}"
    return Text(
        f"{instant.day} {_MONTHS[instant.month - 1]} {instant.year}, {clock}",
        f"{instant.year}年{instant.month}月{instant.day}日 {clock}",
    )


def _zone(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    sign = "+" if minutes > 0 else "-"
    return f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


_HAN, _LATIN = r"[\u4e00-\u9fff]", r"[0-9A-Za-z]"
_BETWEEN = re.compile(f"(?<={_HAN})(?={_LATIN})|(?<={_LATIN})(?={_HAN})")


def join(sentences: Sequence[Text]) -> Text:
    """Sentences as one paragraph. In Chinese, Latin letters and digits stand off from the characters around them."""
    chinese = "".join(sentence.zh for sentence in sentences)
    return Text(" ".join(_capital(sentence.en) for sentence in sentences), _BETWEEN.sub(" ", chinese))


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
