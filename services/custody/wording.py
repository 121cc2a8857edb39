"""Words of the explanations in Chinese and English: parties, dates, what was found, and joining of sentences."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.vocabulary import RECIPIENT, SENDER, Confidence, DamageMode, Facet, FindingKind, Severity
from services.custody.verdict import Finding


class Text(NamedTuple):
    """The same words in both languages."""

    en: str
    zh: str

    def fill(self, **parts: "Text | str") -> "Text":
        """Put parts into the places `{name}`, each language with its own."""
        en = {name: part.en if isinstance(part, Text) else part for name, part in parts.items()}
        zh = {name: part.zh if isinstance(part, Text) else part for name, part in parts.items()}
        return Text(self.en.format(**en), self.zh.format(**zh))


_PARTIES = {SENDER: Text("the sender", "寄件人"), RECIPIENT: Text("the recipient", "收件人")}

_HARM = {
    FindingKind.DAMAGE: Text("damaged", "破损"),
    FindingKind.CONCEALED: Text("damaged inside", "内件损坏"),
    FindingKind.SHORTAGE: Text("short of contents", "内件短少"),
    FindingKind.WRONG_CONTENT: Text("holding other goods", "内件不符"),
    FindingKind.LOSS: Text("missing", "下落不明"),
    FindingKind.DELAY: Text("late", "延误"),
}
_MODES = {
    DamageMode.IMPACT: Text("dented by impact", "撞损"),
    DamageMode.BREAKAGE: Text("broken", "破碎"),
    DamageMode.WET: Text("wet", "受潮"),
    DamageMode.CRUSH: Text("crushed", "压坏"),
    DamageMode.TEMPERATURE: Text("spoilt by temperature", "温度受损"),
}
_SEVERITIES = {Severity.SLIGHT: Text("slightly ", "轻微"), Severity.HEAVY: Text("heavily ", "严重"), Severity.TOTAL: Text("beyond repair, ", "完全")}
_INSIDE = Text("{harm} inside", "内件{harm}")
_FACETS = {
    Facet.OUTER: Text("the carton", "外包装"),
    Facet.CONTENTS: Text("the contents", "内件"),
    Facet.WEIGHT: Text("the weight", "重量"),
    Facet.COUNT: Text("the count", "件数"),
    Facet.PRESENCE: Text("the parcel", "快件"),
}
CONFIDENCE = {
    Confidence.HIGH: Text("high", "高"),
    Confidence.MODERATE: Text("moderate", "中"),
    Confidence.LOW: Text("low", "低"),
    Confidence.NONE: Text("none", "无"),
}
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def party(name: str) -> Text:
    """A party as it is spoken of."""
    return _PARTIES.get(name) or Text(name, f" {name} ")


def parties(names: Sequence[str]) -> Text:
    """A list of parties."""
    spoken = [party(name) for name in names]
    if len(spoken) == 1:
        return spoken[0]
    english = ", ".join(text.en for text in spoken[:-1]) + f" and {spoken[-1].en}"
    return Text(english, "、".join(text.zh.strip() for text in spoken[:-1]) + f"和{spoken[-1].zh.strip()}")


def harm(finding: Finding) -> Text:
    """What was found, in a word: `crushed`, 压坏."""
    if finding.kind not in (FindingKind.DAMAGE, FindingKind.CONCEALED) or finding.damage is None:
        return _HARM[finding.kind]
    found = _MODES[finding.damage]
    if finding.severity is not None:
        degree = _SEVERITIES[finding.severity]
        found = Text(degree.en + found.en, degree.zh + found.zh)
    return _INSIDE.fill(harm=found) if finding.kind is FindingKind.CONCEALED else found


def facet(seen: Facet) -> Text:
    """What was looked at."""
    return _FACETS.get(seen, _FACETS[Facet.PRESENCE])


def date(instant: datetime) -> Text:
    """An instant in its own zone: the reader compares it with local papers."""
    zone = _zone(instant.utcoffset() or timedelta())
    clock = f"{instant.hour:02}:{instant.minute:02}"
    return Text(
        f"{instant.day} {_MONTHS[instant.month - 1]} {instant.year} {clock} ({zone})",
        f"{instant.year}年{instant.month}月{instant.day}日 {clock}（{zone}）",
    )


def _zone(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    if minutes == 0:
        return "UTC"
    sign = "+" if minutes > 0 else "-"
    return f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def join(sentences: Sequence[Text]) -> Text:
    """Sentences as one paragraph. Latin names in Chinese keep one space on each side, none beside punctuation."""
    chinese = "".join(sentence.zh for sentence in sentences)
    while "  " in chinese:
        chinese = chinese.replace("  ", " ")
    for mark in "，。；：、（）“”":
        chinese = chinese.replace(f" {mark}", mark).replace(f"{mark} ", mark)
    return Text(" ".join(_capital(sentence.en) for sentence in sentences), chinese.strip())


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
