"""What the demo prints of the system's answers. Every word about a parcel comes from the public API."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.demo.cases import CHINA, Case
from services.demo.client import Boundary, Look, RecordedEvent, Rule, Verdict
from services.demo.table import pad, table, width, wrap

COLUMNS = 116
ASSESSMENT = "证据评估，不构成法律意见 / evidence assessment, not legal advice"
_INDENT = "  "

_FACETS = {
    "P": "presence",
    "O": "outer",
    "S": "seal",
    "C": "contents",
    "W": "weight",
    "N": "count",
    "K": "sensor",
    "T": "time",
    "I": "packing",
}
_ACTS = {
    "custody.handoff_released": "released to {taker}",
    "custody.handoff_accepted": "accepted from {giver}",
    "custody.item_scanned": "scanned",
    "custody.condition_observed": "inspected",
    "custody.notice_given": "gave notice",
}


def case_block(
    case: Case,
    events: Sequence[RecordedEvent],
    looks: Sequence[Look],
    verdicts: Sequence[Verdict],
    rules: Mapping[str, Rule],
) -> list[str]:
    """Everything about one case: facts, custody table, verdicts."""
    table_lines = ["", f"{_INDENT}Who held it and who looked / 交接记录", *custody_table(events, looks, verdicts)]
    return [*heading(case), *table_lines, *_verdicts(verdicts, rules)]


def short_block(case: Case, verdicts: Sequence[Verdict], rules: Mapping[str, Rule]) -> list[str]:
    """One case in short: facts, and the answer without its table."""
    return [*heading(case), *_verdicts(verdicts, rules)]


def heading(case: Case) -> list[str]:
    """Name of the case, what the article says, and what this demo made up."""
    lines = [f"Case {case.letter}: {case.name_en} / {case.name_zh} ({case.parcel})"]
    told = [("the article", "; ".join(case.facts)), ("illustrative", f"{case.made_up}: not in the article")]
    return [*lines, *_labelled(told)]


def custody_table(events: Sequence[RecordedEvent], looks: Sequence[Look], verdicts: Sequence[Verdict]) -> list[str]:
    """The events in the order in which they happened, each look with its grade."""
    roles = _roles(verdicts)
    rows = [
        (
            _time(event.attributes.time),
            _who(event),
            _act(event),
            _seen(event, looks),
            roles.get(event.attributes.id, ""),
            event.attributes.id,
        )
        for event in sorted(events, key=lambda event: event.attributes.time)
        if event.standing == "event" and _kind(event) in _ACTS
    ]
    return table(("time +08:00", "who", "act", "what was seen @ grade", "is", "event"), rows, _INDENT)


def verdict_lines(verdict: Verdict, rules: Mapping[str, Rule]) -> list[str]:
    """One verdict: what, who saw it intact last, the window, who is liable by which rules, how sure, and why."""
    facts: list[tuple[str, str]] = [
        ("finding / 事由", _finding(verdict)),
        ("last seen intact / 最后完好", _witness(verdict)),
    ]
    facts.append(("window from / 区间起", _boundary(verdict.L, "no sound look on record")))
    facts.append(("window to / 区间止", _boundary(verdict.U, "open")))
    facts.append(("held since that look / 其后持有", ", ".join(verdict.proved) or "-"))
    facts.append(("liable / 责任方", _liable(verdict)))
    facts.append(("how sure / 可信度", " ".join([verdict.confidence, *verdict.flags])))
    facts.append(("rules / 规则", "; ".join(_rule(name, rules) for name in verdict.rules) or "-"))
    for label, texts in (
        ("missing / 缺失", verdict.gaps),
        ("doubt / 存疑", [f"{doubt.rule}: {doubt.en} / {doubt.zh}" for doubt in verdict.doubt]),
        ("still open / 其他可能", verdict.open_alternatives),
        ("evidence / 证据", verdict.evidence),
    ):
        if texts:
            facts.append((label, "; ".join(texts)))
    lines = _labelled(facts)
    for text in (verdict.explanation.en, verdict.explanation.zh):
        for paragraph in text.split("\n\n"):
            lines += ["", *wrap(paragraph, COLUMNS, _INDENT)]
    return [*lines, "", _INDENT + ASSESSMENT]


def _verdicts(verdicts: Sequence[Verdict], rules: Mapping[str, Rule]) -> list[str]:
    lines: list[str] = []
    for verdict in verdicts:
        lines += ["", *verdict_lines(verdict, rules)]
    return lines or ["", f"{_INDENT}No verdict stands / 无结论"]


def _labelled(facts: Sequence[tuple[str, str]]) -> list[str]:
    labels = max(width(label) for label, _ in facts) + 2
    lines: list[str] = []
    for label, text in facts:
        first, *rest = wrap(text, COLUMNS, " " * (len(_INDENT) + labels))
        lines += [_INDENT + pad(label, labels) + first.lstrip(), *rest]
    return lines


def _witness(verdict: Verdict) -> str:
    witness = verdict.last_seen_intact
    if witness is None:
        return "by nobody on record / 无记录"
    return f"by {witness.observer}, {_time(witness.t)}, event {witness.event}"


def _liable(verdict: Verdict) -> str:
    shares = ", ".join(
        share.party if share.share == "1" else f"{share.party} {share.share}" for share in verdict.liable
    )
    return f"{shares or 'nobody can be named'} ({verdict.outcome})"


def _finding(verdict: Verdict) -> str:
    parts = [verdict.finding.kind, "" if verdict.finding.component == "whole" else verdict.finding.component]
    return " ".join(part for part in (*parts, verdict.finding.damage) if part)


def _rule(name: str, rules: Mapping[str, Rule]) -> str:
    rule = rules.get(name.rstrip("abcdefgh"))
    return name if rule is None else f"{name} {rule.name}"


def _boundary(boundary: Boundary | None, missing: str) -> str:
    if boundary is None:
        return missing
    how = boundary.how if boundary.grade is None else f"{boundary.how}, grade {boundary.grade}"
    event = f", event {boundary.event}" if boundary.event else ""
    return f"{_time(boundary.t)} ({how}{event})"


def _roles(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """What each event is to the first verdict."""
    if not verdicts:
        return {}
    verdict = verdicts[0]
    roles: dict[str, list[str]] = {}
    if verdict.last_seen_intact is not None:
        roles.setdefault(verdict.last_seen_intact.event, []).append("last seen intact")
    for name, boundary in (("L", verdict.L), ("U", verdict.U)):
        if boundary is not None and boundary.event is not None:
            grade = "" if boundary.grade is None else f" {boundary.grade}"
            roles.setdefault(boundary.event, []).append(f"{name}: {boundary.how}{grade}")
    return {event: ", ".join(told) for event, told in roles.items()}


def _kind(event: RecordedEvent) -> str:
    return event.attributes.type.rpartition(".v")[0]


def _act(event: RecordedEvent) -> str:
    act = _ACTS[_kind(event)].format(giver=event.data.giver or "?", taker=event.data.taker or "?")
    return f"{act} ({event.data.mode.lower()})" if event.data.mode in ("AUTO_SCAN", "MANUAL_ENTRY", "IMPORT") else act


def _who(event: RecordedEvent) -> str:
    data = event.data
    return data.party or (data.giver if _kind(event) == "custody.handoff_released" else data.taker) or ""


def _seen(event: RecordedEvent, looks: Sequence[Look]) -> str:
    parts = [_look(look) for look in looks if look.event == event.attributes.id]
    if event.data.reservation is not None:
        facet = event.data.reservation.facet
        parts.append(f"reservation: {_FACETS.get(facet, facet)} {event.data.reservation.grounds}")
    parts += [f"countersigned by {sign.party}" for sign in event.data.countersigned]
    return ", ".join(parts) or "nothing"


def _look(look: Look) -> str:
    component = None if look.component == "whole" else look.component
    words = (_FACETS.get(look.facet, look.facet), component, look.value, look.damage)
    return " ".join(word for word in words if word) + f" @{look.grade}"


def _time(instant: datetime) -> str:
    return f"{instant.astimezone(CHINA):%m-%d %H:%M}"
