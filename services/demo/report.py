"""What the demo prints of the system's answers. Every word about a parcel comes from the public API."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.demo.cases import CHINA, Case
from services.demo.client import Boundary, Data, Observation, RecordedEvent, Rule, Verdict
from services.demo.table import table, wrap

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
    case: Case, events: Sequence[RecordedEvent], verdicts: Sequence[Verdict], rules: Mapping[str, Rule]
) -> list[str]:
    """Everything about one case: facts, custody table, and the first verdict in full."""
    lines = [*heading(case), "", f"{_INDENT}Who held it and who looked / 交接记录 (times +08:00)"]
    lines += custody_table(events, verdicts)
    for verdict in verdicts:
        lines += ["", *verdict_lines(verdict, rules)]
    return lines if verdicts else [*lines, "", f"{_INDENT}No verdict stands / 无结论"]


def short_block(case: Case, verdicts: Sequence[Verdict], rules: Mapping[str, Rule]) -> list[str]:
    """One case in short: facts, and the answer without its table."""
    lines = heading(case)
    for verdict in verdicts:
        lines += ["", *verdict_lines(verdict, rules)]
    return lines if verdicts else [*lines, "", f"{_INDENT}No verdict stands / 无结论"]


def heading(case: Case) -> list[str]:
    """Name of the case, what the article says, and what this demo made up."""
    lines = [f"Case {case.letter}: {case.name_en} / {case.name_zh} ({case.parcel})"]
    for fact in case.facts:
        lines += wrap(f"the article: {fact}", COLUMNS, _INDENT)
    return [*lines, *wrap(f"illustrative, not in the article: {case.made_up}", COLUMNS, _INDENT)]


def custody_table(events: Sequence[RecordedEvent], verdicts: Sequence[Verdict]) -> list[str]:
    """The events in the order in which they happened."""
    roles = _roles(verdicts)
    rows = [
        (
            _time(event.attributes.time),
            event.data.party
            or (event.data.giver if _kind(event) == "custody.handoff_released" else event.data.taker)
            or "",
            _act(event),
            _seen(event.data),
            roles.get(event.attributes.id, ""),
            event.attributes.id,
        )
        for event in sorted(events, key=lambda event: event.attributes.time)
        if event.standing == "event" and _kind(event) in _ACTS
    ]
    return table(("time", "who", "act", "what was seen", "in the verdict", "event"), rows, _INDENT)


def verdict_lines(verdict: Verdict, rules: Mapping[str, Rule]) -> list[str]:
    """One verdict: what, who saw it intact last, the window, who is liable by which rules, how sure, and why."""
    facts: list[tuple[str, str]] = [("finding / 事由", _finding(verdict))]
    witness = verdict.last_seen_intact
    facts.append(
        (
            "last seen intact / 最后见证完好",
            f"by {witness.observer}, {_time(witness.t)}, event {witness.event}"
            if witness
            else "by nobody on record / 无记录",
        )
    )
    facts.append(
        ("window / 区间", f"{_boundary(verdict.L, 'no sound look on record')}  →  {_boundary(verdict.U, 'open')}")
    )
    facts.append(("held it in the window / 区间内持有", ", ".join(verdict.proved) or "-"))
    facts.append(("liable / 责任方", _liable(verdict)))
    facts.append(("how sure / 可信度", " ".join([verdict.confidence, *verdict.flags])))
    facts.append(("rules / 规则", "; ".join(_rule(name, rules) for name in verdict.rules) or "-"))
    if verdict.gaps:
        facts.append(("missing / 缺失", "; ".join(verdict.gaps)))
    if verdict.doubt:
        facts.append(("doubt / 存疑", "; ".join(verdict.doubt)))
    if verdict.open_alternatives:
        facts.append(("still open / 其他可能", ", ".join(verdict.open_alternatives)))
    if verdict.evidence:
        facts.append(("evidence / 证据", ", ".join(verdict.evidence)))
    lines = _labelled(facts)
    for text in (verdict.explanation.en, verdict.explanation.zh):
        lines += ["", *wrap(text, COLUMNS, _INDENT)]
    return [*lines, "", _INDENT + ASSESSMENT]


def _labelled(facts: Sequence[tuple[str, str]]) -> list[str]:
    lines: list[str] = []
    for label, text in facts:
        lines += [f"{_INDENT}{label}", *wrap(text, COLUMNS, _INDENT * 3)]
    return lines


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


def _seen(data: Data) -> str:
    parts = [_observation(seen) for seen in data.observations]
    if data.reservation is not None:
        parts.append(
            f"reservation: {_FACETS.get(data.reservation.facet, data.reservation.facet)} {data.reservation.grounds}"
        )
    parts += [f"countersigned by {sign.party}" for sign in data.countersigned]
    return ", ".join(parts) or "nothing"


def _observation(seen: Observation) -> str:
    return " ".join(part for part in (_FACETS.get(seen.facet, seen.facet), seen.value, seen.damage) if part)


def _time(instant: datetime) -> str:
    return f"{instant.astimezone(CHINA):%m-%d %H:%M}"
