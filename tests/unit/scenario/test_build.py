"""Compiled stories: real signed events that earn the grades the story names, whatever the run's prefix."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from schemas import codec
from schemas.events import DeviceEnrolled
from schemas.positions import AsOf
from services.custody.core.facts import fact_of
from services.custody.core.ground import lay
from services.custody.core.journeys import cut
from services.custody.core.signatures import valid
from services.scenario.build import DAY_0, compile_story
from services.scenario.compare import differences
from services.scenario.story import StoryError, parse_story
from tests.scenarios.core import answer, evidence_of, record
from tests.scenarios.test_stories import STORIES, read

FOLDER = Path(__file__).parents[2] / "scenarios"


BELIEVED = {("41f", "n1"), ("42", "n1"), ("42b", "n1")}
"""A recipient says that a thing is not there. Nothing can show that: the grade is given by the rules of loss."""


@pytest.mark.parametrize("name", STORIES)
def test_every_look_earns_the_grade_that_the_story_names(name: str) -> None:
    compiled = compile_story(read(name))
    parcels = {event.fields.get("parcel") for event in compiled.story.events}
    as_of = AsOf(DAY_0 + timedelta(days=1000))
    scenes = [lay(journey, as_of).scene for parcel in parcels for journey in cut(evidence_of(compiled, parcel), as_of)]
    aside = {fact.id for scene in scenes for fact, _ in scene.excluded.values()}
    earned = {
        (act.id, look.facet): look.grade
        for scene in scenes
        for act in scene.acts
        for look in act.looks
        if look.mass is None
    }

    named = {
        (event.id, seen.facet): seen.grade
        for event in compiled.story.events
        for seen in event.see
        if seen.grade is not None and event.id not in aside and (name.partition("-")[0], event.id) not in BELIEVED
    }
    assert {look: earned.get(look) for look in named} == named


@pytest.mark.parametrize("name", STORIES)
def test_a_prefix_changes_names_and_no_answer(name: str) -> None:
    compiled = compile_story(read(name), prefix="run7-", day_0=DAY_0 + timedelta(days=400))

    for ask in compiled.story.asks:
        verdict = answer(compiled, ask)
        told = None if verdict is None else _as_json(verdict)
        assert differences(compiled, ask, told) == []


def _as_json(verdict: object) -> dict[str, object]:
    """As the API would give it, instants as text."""

    return msgspec.json.decode(msgspec.json.encode(verdict), type=dict[str, object])


def test_events_are_signed_by_keys_that_were_enrolled() -> None:
    compiled = compile_story(read("02-linehaul-took-it-without-a-remark"))
    facts = record(compiled.envelopes)
    keys = {
        key.keyid: key.public_key for fact in facts if isinstance(fact.data, DeviceEnrolled) for key in fact.data.keys
    }
    acts = [fact for fact in facts if fact.envelope.type.startswith("custody.handoff")]

    assert len(acts) == 4
    for fact in acts:
        assert fact.envelope.keyid is not None
        assert valid(fact.envelope, keys[fact.envelope.keyid])


def test_registry_comes_first_and_events_follow_as_recorded() -> None:
    compiled = compile_story(read("11-signed-offline-inspection-arrives-late"))

    recorded = [posting.recorded for posting in compiled.envelopes]

    assert recorded == sorted(recorded)
    assert compiled.envelopes[0].envelope.subject == "policy:DEFAULT"
    assert compiled.envelopes[0].role == "admin"
    assert compiled.envelopes[-1].envelope.id == "i1"
    assert compiled.envelopes[-1].recorded == DAY_0 + timedelta(days=7)


def test_envelopes_survive_the_log() -> None:
    for posting in compile_story(read("08c-second-hub-had-photographed-the-tear")).envelopes:
        assert codec.decode_record(codec.encode_record(posting.envelope)) == posting.envelope


def test_compiling_is_a_function_of_the_story() -> None:
    story = read("36-hub-takes-its-own-report-back")

    assert compile_story(story) == compile_story(story)


def test_an_event_of_nobody_is_refused_with_its_line() -> None:
    story = parse_story("name: x\nask: []\nevents:\n  - {id: e1, t: 1d, do: scan}\n")

    with pytest.raises(StoryError) as raised:
        compile_story(story)

    assert raised.value.line == 4


def test_a_difference_is_told_by_key() -> None:
    compiled = compile_story(
        parse_story(
            (FOLDER / "02-linehaul-took-it-without-a-remark.yaml")
            .read_text(encoding="utf-8")
            .replace("LH: 1}", "H1: 1}")
        )
    )
    [ask] = compiled.story.asks

    verdict = answer(compiled, ask)
    assert verdict is not None

    assert differences(compiled, ask, _as_json(verdict)) == ["liable: expected {'H1': '1'}, got {'LH': '1'}"]
    assert differences(compiled, ask, None) == ["expected a verdict, none stands"]


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("outcome", "JOINT"),
        ("confidence", "HIGH"),
        ("proved", "[LH]"),
        ("rules", "[R8]"),
        ("flags", "[FOUND]"),
        ("L", "{event: e2}"),
        ("U", "{event: e4, t: 9d}"),
        ("last_seen_intact", "{event: e1}"),
        ("excluded", "[e1]"),
        ("gaps", "[no ACCEPT by LH]"),
        ("external_debtors", "[C1]"),
        ("open_alternatives", "[RCP]"),
        ("footage", "[C1]"),
        ("zones", "[[H1, LH]]"),
        ("delay_h", "{LH: 4}"),
        ("exposure", "[[1d, 2d]]"),
        ("cause", "packaging"),
        ("version", "2"),
        ("replaces", "1"),
    ],
)
def test_every_key_can_differ(key: str, wrong: str) -> None:
    text = (FOLDER / "02-linehaul-took-it-without-a-remark.yaml").read_text(encoding="utf-8")
    asked = text[: text.index("expect:")] + f"expect: {{{key}: {wrong}}}\n"
    compiled = compile_story(parse_story(asked))
    [ask] = compiled.story.asks
    verdict = answer(compiled, ask)
    assert verdict is not None

    assert [text.split(":")[0] for text in differences(compiled, ask, _as_json(verdict))] == [key]


def test_a_fact_reads_back_what_was_posted() -> None:
    posting = compile_story(read("02-linehaul-took-it-without-a-remark")).envelopes[-1]
    [fact] = record([posting])

    assert fact == fact_of(fact.position, posting.recorded, codec.encode_record(fact.envelope))


ANSWER: dict[str, object] = {
    "exposure": (("2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z"), ("2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z")),
    "zones": (("H1", "LH"), ("C1", "H1")),
    "delay_h": {"LH": 24.0, "H2": 6.000000001},
    "version": 2,
    "replaces": {"version": 1, "because": "n1"},
    "cause": "packaging",
}


@pytest.mark.parametrize(
    ("expected", "agrees"),
    [
        ("exposure: [[5d, 6d], [2d, 3d]]", True),
        ("exposure: [[2d, 3d]]", False),
        ("exposure: []", False),
        ("zones: [[H1, C1], [LH, H1]]", True),
        ("zones: [[H1, C1]]", False),
        ("zones: []", False),
        ("delay_h: {LH: 24, H2: 6}", True),
        ("delay_h: {LH: 24}", False),
        ("delay_h: {LH: 24, H2: 6.5}", False),
        ("version: 2, replaces: 1", True),
        ("replaces: 2", False),
        ("cause: packaging", True),
        ("cause: pre_existing", False),
    ],
)
def test_a_key_agrees_whatever_the_order_and_differs_by_what_it_says(expected: str, agrees: bool) -> None:
    text = f"name: x\nevents: []\nask: [{{finding: DAMAGE, as_of: 9d, expect: {{{expected}}}}}]\n"
    compiled = compile_story(parse_story(text))
    [ask] = compiled.story.asks

    assert (differences(compiled, ask, ANSWER) == []) is agrees
