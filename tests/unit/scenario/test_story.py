"""Story files: what is read, and how a bad one is answered."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.scenario.keys import ASK_KEYS, EVENT_KEYS, EXPECT_KEYS, PARTY_KEYS, SETTINGS
from services.scenario.story import StoryError, duration_of, parse_story, span_of
from services.scenario.values import ASK_VALUES, EVENT_VALUES, EXPECT_VALUES, PARTY_VALUES, SETTING_VALUES

STORIES = Path(__file__).parents[2] / "scenarios"
EVENTS = "\nevents: []\nask: []\n"


@pytest.mark.parametrize("path", sorted(STORIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_story_is_read(path: Path) -> None:
    story = parse_story(path.read_text(encoding="utf-8"))

    assert story.name
    assert story.asks or story.amounts


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("2d", timedelta(days=2)),
        ("2.5d", timedelta(days=2, hours=12)),
        ("3d+2m", timedelta(days=3, minutes=2)),
        ("1d+1m+12h", timedelta(days=1, hours=12, minutes=1)),
        ("48h", timedelta(hours=48)),
        ("", None),
        ("2 weeks", None),
        ("-1d", None),
        ("9" * 30 + "d", None),
    ],
)
def test_times_are_read(text: str, length: timedelta | None) -> None:
    assert duration_of(text) == length


def test_scalars_stay_text() -> None:
    story = parse_story(
        "name: x\nparties: {NO: {role: carrier}}\nevents:\n"
        "  - {id: e1, t: 1d, do: pack, by: NO, unit: B1, seal: 0111}\nask: []\n"
    )

    assert story.events[0].by == "NO"
    assert story.events[0].fields["seal"] == "0111"
    assert list(story.parties) == ["NO"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("", 1, "empty", id="empty"),
        pytest.param("name: [", 1, "not YAML", id="no yaml"),
        pytest.param("- a\n- b\n", 1, "mapping", id="a list"),
        pytest.param("events: []\nask: []\n", 1, "no name", id="no name"),
        pytest.param("name: x\n", 1, "events and ask", id="no events"),
        pytest.param("name: x" + EVENTS + "colour: red\n", 4, "colour", id="unknown key"),
        pytest.param("name: x\nname: y" + EVENTS, 2, "written twice", id="key twice"),
        pytest.param("name: x\nask: []\nevents:\n  - {id: e, t: 1d, do: fly}\n", 4, "fly", id="unknown act"),
        pytest.param("name: x\nask: []\nevents:\n  - {id: e, do: scan}\n", 4, "no t", id="no time"),
        pytest.param("name: x\nask: []\nevents:\n  - {id: e, t: soon, do: scan}\n", 4, "soon", id="bad time"),
        pytest.param(
            "name: x\nask: []\nevents:\n  - {id: e, t: 1d, do: scan, see: {O: fine}}\n", 4, "fine", id="bad value"
        ),
        pytest.param(
            "name: x\nask: []\nevents:\n  - {id: e, t: 1d, do: scan, see: {Q: ok}}\n", 4, "facet 'Q'", id="bad facet"
        ),
        pytest.param(
            "name: x\nevents: []\nask:\n  - {finding: MISERY, as_of: 1d, expect: none}\n", 4, "MISERY", id="bad finding"
        ),
        pytest.param(
            "name: x\nevents: []\nask:\n  - {finding: LOSS, as_of: 1d, expect: nothing}\n", 4, "none", id="bad expect"
        ),
        pytest.param("name: x\nparties: {A: {role: carrier, mood: bad}}" + EVENTS, 2, "mood", id="bad party key"),
        pytest.param("name: x\nparties: {A: {role: pirate}}" + EVENTS, 2, "pirate", id="bad role"),
        pytest.param("name: x\nparties: {A: {freight: dear}}" + EVENTS, 2, "dear", id="bad freight"),
        pytest.param("name: x\nparties: {A: {contracting: perhaps}}" + EVENTS, 2, "perhaps", id="bad yes"),
        pytest.param("name: x\nparties: {A B: {role: carrier}}" + EVENTS, 2, "'A B'", id="bad party name"),
        pytest.param("name: x\nparties:\n  A: [carrier]" + EVENTS, 3, "party A", id="a party that is a list"),
        pytest.param("name: x\nplan: {A: soon}" + EVENTS, 2, "soon", id="bad plan"),
        pytest.param("name: x\nplan: {A B: 2h}" + EVENTS, 2, "'A B'", id="bad party in a plan"),
        pytest.param("name: x\npromised: soon" + EVENTS, 2, "soon", id="bad promise"),
        pytest.param("name: x\nmissing_g: some" + EVENTS, 2, "some", id="bad missing mass"),
        pytest.param("name: x\nsettings:\n  policy: FAIR" + EVENTS, 3, "CONTRACT_TABLE", id="bad policy"),
        pytest.param("name: x\nsettings:\n  tau_g: 20g" + EVENTS, 3, "tau_g: '20g'", id="bad tolerance"),
        pytest.param("name: x\nsettings:\n  late_after: 24" + EVENTS, 3, "late_after: '24'", id="bad setting time"),
        pytest.param("name: x\nsettings:\n  table: {A: half}" + EVENTS, 3, "half", id="bad table"),
        pytest.param("name: x\nsettings:\n  table: half" + EVENTS, 3, "mapping", id="table that is none"),
        pytest.param("name: x\nsettings:\n  packing_share: .5" + EVENTS, 3, "fraction", id="bad packing share"),
    ],
)
def test_a_bad_file_is_answered_with_its_line_and_a_sentence(text: str, line: int, words: str) -> None:
    with pytest.raises(StoryError) as raised:
        parse_story(text)

    assert raised.value.line == line
    assert words in raised.value.sentence
    assert raised.value.sentence.endswith(".")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        pytest.param("by: 'H 1'", "'H 1'", id="by"),
        pytest.param("from: 'H:1'", "'H:1'", id="from"),
        pytest.param("mode: GUESS", "HUMAN_INSPECT", id="mode"),
        pytest.param("proof: word of honour", "unboxing_video", id="proof"),
        pytest.param("damage: rust", "breakage", id="damage"),
        pytest.param("severity: bad", "slight", id="severity"),
        pytest.param("tamper: somewhat", "somewhat", id="tamper"),
        pytest.param("consent: yes", "true or false", id="consent"),
        pytest.param("grams: 4.2kg", "4.2kg", id="grams"),
        pytest.param("finding: MISERY", "MISERY", id="finding"),
        pytest.param("component: 'the lid'", "code", id="component"),
        pytest.param("pieces: p1", "list", id="pieces"),
        pytest.param("pieces: ['p 1']", "'p 1'", id="a piece"),
        pytest.param("site: 'dock 3'", "dock 3", id="site"),
        pytest.param("for: long", "long", id="for"),
        pytest.param("promised: 96", "96", id="promised"),
        pytest.param("plan: {H1: 12}", "12", id="plan"),
        pytest.param("armed: [1d-2d]", "1d-2d", id="armed"),
        pytest.param("armed: [3d..2d]", "3d..2d", id="armed backwards"),
        pytest.param("exceedances: [{g: 85}]", "no t", id="when it was felt"),
        pytest.param("exceedances: [{t: 1d, g: hard}]", "hard", id="how hard"),
        pytest.param("exceedances: [{t: 1d, force: 85}]", "force", id="what was felt"),
        pytest.param("reservation: {facet: Q, grounds: dark}", "'Q'", id="reserved facet"),
        pytest.param("reservation: {grounds: dark}", "no facet", id="reserved about nothing"),
        pytest.param("reservation: dark", "mapping", id="reservation"),
        pytest.param("to: [door]", "single value", id="to"),
    ],
)
def test_a_value_that_cannot_be_meant_is_answered_with_its_own_line(keys: str, words: str) -> None:
    text = f"name: x\nask: []\nevents:\n  - id: e\n    t: 1d\n    do: scan\n    {keys}\n"

    with pytest.raises(StoryError) as raised:
        parse_story(text)

    assert raised.value.line == 7
    assert words in raised.value.sentence
    assert raised.value.sentence.endswith(".")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        pytest.param("outcome: GUILTY", "SEGMENT", id="outcome"),
        pytest.param("confidence: SURE", "MODERATE", id="confidence"),
        pytest.param("liable: {LH: all}", "'all'", id="liable"),
        pytest.param("liable: {LH: 1/0}", "share", id="liable by nothing"),
        pytest.param("liable: {LH: 3}", "'3'", id="liable three times"),
        pytest.param("liable: LH", "mapping", id="liable that is none"),
        pytest.param("proved: LH", "list", id="proved"),
        pytest.param("L: {who: e1}", "'who'", id="L"),
        pytest.param("U: {t: later}", "later", id="U"),
        pytest.param("last_seen_intact: {grade: 4}", "'grade'", id="last seen"),
        pytest.param("exposure: [[2d]]", "2 entries", id="half an exposure"),
        pytest.param("exposure: [2d]", "list", id="exposure"),
        pytest.param("zones: [[H1, LH, H2]]", "2 entries", id="zones"),
        pytest.param("delay_h: {LH: long}", "long", id="delay"),
        pytest.param("version: two", "two", id="version"),
    ],
)
def test_an_expectation_that_cannot_be_meant_is_answered_with_its_own_line(keys: str, words: str) -> None:
    text = f"name: x\nevents: []\nask:\n  - finding: LOSS\n    as_of: 1d\n    expect:\n      {keys}\n"

    with pytest.raises(StoryError) as raised:
        parse_story(text)

    assert raised.value.line == 7
    assert words in raised.value.sentence


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        pytest.param("piece: 'p 1'", "p 1", id="piece"),
        pytest.param("damage: rust", "rust", id="damage"),
        pytest.param("union: [{damage: rust}]", "rust", id="union"),
        pytest.param("union: {damage: wet}", "list", id="union that is none"),
        pytest.param("union: [{colour: red}]", "colour", id="union of what"),
    ],
)
def test_a_question_that_cannot_be_meant_is_answered_with_its_own_line(keys: str, words: str) -> None:
    text = f"name: x\nevents: []\nask:\n  - finding: DAMAGE\n    as_of: 1d\n    expect: none\n    {keys}\n"

    with pytest.raises(StoryError) as raised:
        parse_story(text)

    assert raised.value.line == 7
    assert words in raised.value.sentence


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("1d..2d", (timedelta(days=1), timedelta(days=2))),
        ("1d..1d", (timedelta(days=1), timedelta(days=1))),
        ("1d+1h..2.5d", (timedelta(days=1, hours=1), timedelta(days=2, hours=12))),
        ("2d..1d", None),
        ("1d", None),
        ("1d..", None),
        ("..2d", None),
        ("1d..2d..3d", None),
    ],
)
def test_spans_are_read(text: str, span: tuple[timedelta, timedelta] | None) -> None:
    assert span_of(text) == span


def test_every_key_has_values_that_are_checked_or_free() -> None:
    free = {"id", "t", "do", "see", "recorded"}

    assert EVENT_KEYS - free == EVENT_VALUES.keys()
    assert SETTING_VALUES.keys() == SETTINGS
    assert PARTY_VALUES.keys() == PARTY_KEYS
    assert EXPECT_VALUES.keys() == EXPECT_KEYS
    assert ASK_KEYS - {"finding", "as_of", "expect"} == ASK_VALUES.keys()
