"""Story files that cannot be meant, each with one fault, and the sentence that answers it."""

from collections.abc import Iterator, Mapping

from services.scenario.build import compile_story
from services.scenario.story import StoryError, parse_story

NOTHING = "\nevents: []\nask: []\n"

FILES: Mapping[str, str] = {
    "an empty file": "",
    "no YAML": "name: [",
    "a sign that YAML does not know": "name: \x00",
    "a list": "- a\n",
    "text": "story",
    "no name": "events: []\nask: []\n",
    "a name that is a list": "name: [x]" + NOTHING,
    "no events": "name: x\n",
    "no ask": "name: x\nevents: []\n",
    "an unknown key": "name: x" + NOTHING + "colour: red\n",
    "a key twice": "name: x\nname: y" + NOTHING,
    "a party's unknown key": "name: x\nparties: {A: {mood: bad}}" + NOTHING,
    "a party that is a word": "name: x\nparties: {A: carrier}" + NOTHING,
    "parties that are a list": "name: x\nparties: [A]" + NOTHING,
    "a party's role": "name: x\nparties: {A: {role: pirate}}" + NOTHING,
    "a party's freight": "name: x\nparties: {A: {freight: dear}}" + NOTHING,
    "a party's entity": "name: x\nparties: {A: {entity: 'A B'}}" + NOTHING,
    "a party's name": "name: x\nparties: {A B: {role: carrier}}" + NOTHING,
    "an unknown setting": "name: x\nsettings: {mercy: 1}" + NOTHING,
    "a setting's time": "name: x\nsettings: {late_after: soon}" + NOTHING,
    "a setting's share": "name: x\nsettings: {packing_share: 1/0}" + NOTHING,
    "a setting's grounds": "name: x\nsettings: {reservation_grounds: [Torn Open]}" + NOTHING,
    "a setting's table": "name: x\nsettings: {table: {A: 1, B: half}}" + NOTHING,
    "a setting's table that is none": "name: x\nsettings: {table: [A]}" + NOTHING,
    "a promise": "name: x\npromised: soon" + NOTHING,
    "a plan": "name: x\nplan: {A: soon}" + NOTHING,
    "a plan of nobody": "name: x\nplan: {A B: 1h}" + NOTHING,
    "a missing mass": "name: x\nmissing_g: some" + NOTHING,
    "events that are a mapping": "name: x\nevents: {}\nask: []\n",
    "an event that is a word": "name: x\nevents: [scan]\nask: []\n",
    "an amount's unknown key": "name: x\namounts:\n  - {colour: red}\n",
    "an amount nested too deeply": "name: x\namounts:\n  - {value: " + "[" * 10 + "]" * 10 + "}\n",
    "an ask's unknown key": "name: x\nevents: []\nask:\n  - {colour: red}\n",
    "an ask without a finding": "name: x\nevents: []\nask:\n  - {as_of: 1d, expect: none}\n",
    "an ask of no time": "name: x\nevents: []\nask:\n  - {finding: LOSS, expect: none}\n",
    "an ask that expects nothing": "name: x\nevents: []\nask:\n  - {finding: LOSS, as_of: 1d}\n",
    "a finding that is none": "name: x\nevents: []\nask:\n  - {finding: MISERY, as_of: 1d, expect: none}\n",
    "an expectation in a word": "name: x\nevents: []\nask:\n  - {finding: LOSS, as_of: 1d, expect: all}\n",
    "an ask about nobody's parcel": "name: x\nevents: []\nask:\n"
    "  - {finding: LOSS, as_of: 1d, expect: none, parcel: P9}\n",
}
"""What is wrong with a file as a whole."""

EVENTS: Mapping[str, str] = {
    "no id": "t: 1d, do: scan, by: H1",
    "no time": "id: e, do: scan, by: H1",
    "no act": "id: e, t: 1d, by: H1",
    "an act that nobody can": "id: e, t: 1d, do: fly, by: H1",
    "a time that is none": "id: e, t: soon, do: scan, by: H1",
    "recorded at no time": "id: e, t: 1d, recorded: later, do: scan, by: H1",
    "nobody": "id: e, t: 1d, do: scan",
    "by several": "id: e, t: 1d, do: scan, by: [H1]",
    "an unknown key": "id: e, t: 1d, do: scan, by: H1, colour: red",
    "seen in a word": "id: e, t: 1d, do: inspect, by: H1, see: bad",
    "seen as nothing": "id: e, t: 1d, do: inspect, by: H1, see: {O: fine}",
    "seen with a grade that is none": "id: e, t: 1d, do: inspect, by: H1, see: {O: ok@6}",
    "a facet that is none": "id: e, t: 1d, do: inspect, by: H1, see: {Q: ok}",
    "nothing is seen by holding": "id: e, t: 1d, do: hold, by: H1, for: 1h, because: customs, see: {O: ok}",
    "what an act cannot say": "id: e, t: 1d, do: scan, by: H1, reservation: {facet: O}, consent: true",
    "a hold without an end": "id: e, t: 1d, do: hold, by: H1, because: customs",
    "a hold without a reason": "id: e, t: 1d, do: hold, by: H1, for: 1h",
    "a hold for a reason that is none": "id: e, t: 1d, do: hold, by: H1, for: 1h, because: boredom",
    "a notice with two proofs": "id: e, t: 1d, do: notice, by: RCP, see: {O: bad@3, C: bad@3}",
    "a payment for nothing": "id: e, t: 1d, do: pay, by: H1",
    "a correction of nothing": "id: e, t: 1d, do: correct, by: H1",
    "a revocation for a reason that is none": "id: e, t: 1d, do: revoke, by: H1, because: spite",
    "an opening for a reason that is none": "id: e, t: 1d, do: open, by: H1, unit: B1, because: spite",
    "packed into nothing": "id: e, t: 1d, do: pack, by: H1",
    "unpacked out of nothing": "id: e, t: 1d, do: unpack, by: H1",
    "packed into what has no number": "id: e, t: 1d, do: pack, by: H1, unit: 'B 1?'",
    "a label without an old number": "id: e, t: 1d, do: relabel, by: H1, new: P2",
    "a list of nobody": "id: e, t: 1d, do: manifest, by: H1",
    "left with nobody": "id: e, t: 1d, do: deliver, by: H1, to: Z9",
    "grams and a look at the mass": "id: e, t: 1d, do: weigh, by: H1, grams: 10, see: {W: bad@3}",
    "a reservation in a word": "id: e, t: 1d, do: accept, by: H1, reservation: torn",
    "a reservation about nothing": "id: e, t: 1d, do: accept, by: H1, reservation: {grounds: torn}",
    "a reservation's unknown key": "id: e, t: 1d, do: accept, by: H1, reservation: {facet: O, mood: bad}",
    "a reservation about a facet that is none": "id: e, t: 1d, do: accept, by: H1, reservation: {facet: Q}",
    "pieces in a word": "id: e, t: 1d, do: scan, by: H1, pieces: p1",
    "a piece without a number": "id: e, t: 1d, do: scan, by: H1, pieces: [p1, 'p 2']",
    "armed backwards": "id: e, t: 1d, do: sensor, armed: [1d..2d, 3d..2d]",
    "felt at no time": "id: e, t: 1d, do: sensor, exceedances: [{t: 1d}, {g: 85}]",
    "felt how hard": "id: e, t: 1d, do: sensor, exceedances: [{t: 1d, g: hard}]",
    "a plan of no time": "id: e, t: 1d, do: redirect, by: SENDER, plan: {H1: 2h, LH: soon}",
    "a mass in words": "id: e, t: 1d, do: weigh, by: H1, grams: 4kg",
    "a yes that is none": "id: e, t: 1d, do: accept, by: H1, consent: perhaps",
    "a mode that is none": "id: e, t: 1d, do: scan, by: H1, mode: GUESS",
    "a component in words": "id: e, t: 1d, do: inspect, by: H1, component: the lid",
    "a component in a list": "id: e, t: 1d, do: inspect, by: H1, component: [lid]",
    "a site with a blank": "id: e, t: 1d, do: scan, by: H1, site: dock 3",
}
"""What is wrong with an event."""

EXPECTED: Mapping[str, str] = {
    "an outcome that is none": "outcome: GUILTY",
    "a confidence that is none": "confidence: SURE",
    "liable in a word": "liable: LH",
    "liable for all": "liable: {LH: all}",
    "liable for more than all": "liable: {LH: 3/2}",
    "liable for a part of nothing": "liable: {LH: 1/0}",
    "liable in lists": "liable: {LH: [1]}",
    "the second liable wrongly": "liable: {H1: 1/2, LH: half}",
    "proved in a word": "proved: LH",
    "an end of what is no key": "L: {who: e1}",
    "an end at no time": "U: {event: e1, t: later}",
    "half an exposure": "exposure: [[2d]]",
    "an exposure of no times": "exposure: [[2d, later]]",
    "an exposure in a word": "exposure: [2d]",
    "three in a zone": "zones: [[H1, LH, H2]]",
    "a delay in words": "delay_h: {LH: long}",
    "a version in words": "version: two",
    "a key that is none": "mood: bad",
}
"""What is wrong with an expectation."""

ASKED: Mapping[str, str] = {
    "a piece with a blank": "piece: 'p 1'",
    "a union in a mapping": "union: {damage: wet}",
    "a union of what is none": "union: [{damage: wet}, {damage: rust}]",
    "a union's unknown key": "union: [{colour: red}]",
    "a severity that is none": "severity: bad",
}
"""What is wrong with a question."""


def told() -> Iterator[tuple[str, str]]:
    """Each file with the line and the sentence that answers it."""
    for what, text in FILES.items():
        yield f"file: {what}", _said(text)
    head = "name: x\nparties: {H1: {role: carrier}}\nask: []\nevents:\n"
    for what, event in EVENTS.items():
        yield f"event: {what}", _said(f"{head}  - {{id: e0, t: 0d, do: scan, by: H1}}\n  - {{{event}}}\n")
    asked = "name: x\nevents: []\nask:\n  - finding: DAMAGE\n    as_of: 1d\n    "
    for what, keys in EXPECTED.items():
        yield f"expected: {what}", _said(f"{asked}expect:\n      {keys}\n")
    for what, keys in ASKED.items():
        yield f"asked: {what}", _said(f"{asked}expect: none\n    {keys}\n")


def _said(text: str) -> str:
    try:
        compile_story(parse_story(text))
    except StoryError as error:
        return f"line {error.line}: {error.sentence}"
    return "is taken"
