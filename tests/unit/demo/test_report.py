"""What the demo prints, on answers written by hand."""

import re
from datetime import UTC, datetime

import msgspec

from services.demo import report
from services.demo.cases import write
from services.demo.client import Events, Look, Rule, Verdicts
from services.demo.table import width

TODAY = datetime(2026, 11, 23, tzinfo=UTC)
RULES = {"R5": Rule("R5", "clean receipt", "zh", "en")}

EVENTS = b"""{"events": [
 {"position": "3:9", "standing": "event",
  "attributes": {"id": "e-door", "type": "custody.handoff_accepted.v1", "time": "2026-07-09T15:48:00+08:00"},
  "data": {"mode": "HUMAN_INSPECT", "taker": "RCP", "giver": "COURIER",
           "countersigned": [{"party": "COURIER"}]}},
 {"position": "3:9", "standing": "repeat",
  "attributes": {"id": "e-door", "type": "custody.handoff_accepted.v1", "time": "2026-07-09T15:48:00+08:00"},
  "data": {"mode": "HUMAN_INSPECT", "taker": "RCP", "giver": "COURIER"}},
 {"position": "3:1", "standing": "event",
  "attributes": {"id": "e-hub", "type": "custody.handoff_accepted.v1", "time": "2026-07-07T10:41:00Z"},
  "data": {"mode": "HUMAN_SCAN", "taker": "HUB-A", "giver": "PICKUP",
           "reservation": {"facet": "O", "grounds": "dark"}}},
 {"position": "3:2", "standing": "event",
  "attributes": {"id": "e-sort", "type": "custody.item_scanned.v1", "time": "2026-07-07T11:00:00Z"},
  "data": {"mode": "AUTO_SCAN", "party": "HUB-A"}},
 {"position": "3:0", "standing": "event",
  "attributes": {"id": "e-paper", "type": "custody.parcel_announced.v1", "time": "2026-07-07T01:00:00Z"},
  "data": {"declared_value": 50000}}
 ], "next": null}"""

LOOKS = (
    Look("e-door", "O", "bad", 5, damage="crush"),
    Look("e-door", "C", "bad", 5, component="strings"),
    Look("e-sort", "P", "ok", 3),
)

VERDICTS = """{"verdicts": [{
 "subject": "demo:GUZHENG", "finding": {"kind": "DAMAGE"}, "outcome": "SEGMENT", "confidence": "MODERATE",
 "liable": [{"party": "COURIER", "share": "1"}], "proved": ["HUB-A", "COURIER"],
 "L": {"event": "e-take", "position": "3:5", "grade": 2, "t": "2026-07-08T23:20:00Z", "how": "presumed", "rule": "R5"},
 "U": {"event": "e-door", "position": "3:9", "grade": 5, "t": "2026-07-09T07:48:00Z", "how": "direct"},
 "last_seen_intact": {"event": "e-hub", "position": "3:1", "observer": "HUB-A", "t": "2026-07-07T10:41:00Z"},
 "rules": ["R4", "R5"], "flags": ["UNSIGNED"], "gaps": ["no RELEASE by TRUNK"],
 "doubt": [{"rule": "R5", "en": "presumed", "zh": "推定"}],
 "evidence": ["e-hub", "e-door"], "as_of": "2026-11-23T00:00:00Z",
 "explanation": {"en": "HUB-A was the last to look.", "zh": "HUB-A 是最后查看的一方。"}}]}""".encode()


def lines_of_the_guzheng() -> list[str]:
    verdicts = msgspec.json.decode(VERDICTS, type=Verdicts).verdicts
    events = msgspec.json.decode(EVENTS, type=Events).events
    return report.case_block(write(TODAY).guzheng, events, LOOKS, verdicts, RULES)


def test_every_part_of_the_answer_is_printed() -> None:
    text = "\n".join(lines_of_the_guzheng())

    for part in (
        "carriers, hours, the look at the first hub: not in the article",
        "by HUB-A, 07-07 18:41, event e-hub",
        "07-09 07:20 (presumed, grade 2, event e-take)",
        "07-09 15:48 (direct, grade 5, event e-door)",
        "COURIER (SEGMENT)",
        "MODERATE UNSIGNED",
        "R4; R5 clean receipt",
        "no RELEASE by TRUNK",
        "R5: presumed / 推定",
        "e-hub; e-door",
        "HUB-A was the last to look.",
        "HUB-A 是最后查看的一方。",
        "不构成法律意见",
        "not legal advice",
    ):
        assert part in text, part


def test_the_custody_table_is_in_order_of_time_without_repeats_and_paperwork() -> None:
    events = msgspec.json.decode(EVENTS, type=Events).events
    verdicts = msgspec.json.decode(VERDICTS, type=Verdicts).verdicts

    rows = report.custody_table(events, LOOKS, verdicts)[2:]

    assert [row.split()[-1] for row in rows] == ["e-hub", "e-sort", "e-door"]
    assert "reservation: outer dark" in rows[0]
    assert "last seen intact" in rows[0]
    assert re.search(r"scanned \(auto_scan\) +presence ok @3", rows[1])
    assert "outer bad crush @5, contents strings bad @5, countersigned by COURIER" in rows[2]
    assert "U: direct 5" in rows[2]
    starts = {width(row[: row.rindex("e-")]) for row in rows}
    assert len(starts) == 1


def test_nothing_is_wider_than_the_page_but_the_table() -> None:
    verdicts = msgspec.json.decode(VERDICTS, type=Verdicts).verdicts

    for line in report.short_block(write(TODAY).computer, verdicts, RULES):
        assert width(line) <= report.COLUMNS


def test_no_verdict_is_said_in_words() -> None:
    assert "No verdict stands" in report.short_block(write(TODAY).statue, (), RULES)[-1]
