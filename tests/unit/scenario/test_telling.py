"""What each act of a story is recorded as: the event, what it is about, on whose device, and what is refused."""

from datetime import timedelta

import pytest

from schemas import codec
from schemas.events import (
    ClaimPaid,
    ConditionObserved,
    DeliveryAttempted,
    DeliveryRefused,
    DeviceEnrolled,
    DeviceRevoked,
    Event,
    HandoffAccepted,
    HoldPlaced,
    ItemScanned,
    NoticeGiven,
    ParcelAnnounced,
    ParcelDropped,
    ParcelRelabelled,
    PartyRegistered,
    Redirected,
    Repacked,
    ReturnOrdered,
    SealApplied,
    SealChecked,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.positions import AsOf
from schemas.vocabulary import (
    CaptureMode,
    Condition,
    DropPlace,
    Facet,
    FindingKind,
    HoldReason,
    OpeningReason,
    PartyRole,
    RevocationReason,
    UnitKind,
)
from services.custody.core.attribution import verdicts
from services.custody.core.condition import Mass
from services.custody.core.facts import Fact
from services.custody.core.ground import lay
from services.scenario.build import DAY_0, Compiled, Posting, compile_story
from services.scenario.keys import ACTS
from services.scenario.story import StoryError, parse_story
from tests.gathering import gather
from tests.scenarios.core import record
from tests.scenarios.test_stories import STORIES, read

HEAD = "name: x\nparties: {H1: {role: carrier}, LOK: {role: locker}, SVY: {role: surveyor}}\nask: []\nevents:\n"
FIRST_LINE = 5
"""The line of the first act below that head."""


def compiled(*acts: str, prefix: str = "") -> Compiled:
    return compile_story(parse_story(HEAD + "".join(f"  - {act}\n" for act in acts)), prefix=prefix)


def told(*acts: str, prefix: str = "") -> list[Posting]:
    """What the acts alone are recorded as."""
    ids = {act.partition("id: ")[2].partition(",")[0] for act in acts}
    return [
        posting
        for posting in compiled(*acts, prefix=prefix).envelopes
        if posting.envelope.id.removeprefix(prefix).removesuffix("-line") in ids
    ]


def the(act: str) -> tuple[Event, str]:
    """The only event of an act, and what it is about."""
    [posting] = told(act)
    return codec.decode_data(posting.envelope), posting.envelope.subject


def announcement(*acts: str) -> ParcelAnnounced:
    [found] = [
        data
        for posting in compiled(*acts).envelopes
        if isinstance(data := codec.decode_data(posting.envelope), ParcelAnnounced)
    ]
    return found


@pytest.mark.parametrize(
    ("to", "place", "runs_it"),
    [
        ("", DropPlace.ADDRESS, None),
        (", to: RCP", DropPlace.ADDRESS, None),
        (", to: door", DropPlace.DOOR, None),
        (", to: shop", DropPlace.SHOP, None),
        (", to: neighbour", DropPlace.NEIGHBOUR, None),
        (", to: locker", DropPlace.LOCKER, None),
        (", to: LOK", DropPlace.LOCKER, "LOK"),
        (", to: H1", DropPlace.STATION, "H1"),
    ],
)
def test_a_delivery_is_a_drop_by_the_carrier_and_nobodys_taking(to: str, place: DropPlace, runs_it: str | None) -> None:
    data, _ = the(f"{{id: d1, t: 1d, do: deliver, by: H1, consent: true{to}}}")

    assert isinstance(data, ParcelDropped)
    assert (data.party, data.place, data.to, data.consent) == ("H1", place, runs_it, True)


def test_consent_that_nobody_spoke_of_is_not_on_record() -> None:
    data, _ = the("{id: d1, t: 1d, do: deliver, by: H1, to: door}")

    assert isinstance(data, ParcelDropped)
    assert data.consent is None


def test_the_paperwork_names_the_old_address_and_the_redirection_the_new_one() -> None:
    acts = (
        "{id: g1, t: 1d, do: redirect, by: SENDER, address: new, promised: 96h, plan: {H1: 12h}}",
        "{id: d1, t: 2d, do: deliver, by: H1, address: old}",
    )
    redirected, dropped = (codec.decode_data(posting.envelope) for posting in told(*acts))

    assert isinstance(redirected, Redirected)
    assert isinstance(dropped, ParcelDropped)
    assert dropped.address == announcement(*acts).address != redirected.address
    assert redirected.promised_after_hours == 96
    assert [(leg.party, leg.dwell_hours) for leg in redirected.plan] == [("H1", 12)]


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        ("{id: x, t: 1d, do: accept, by: H1, unit: B1}", HandoffAccepted),
        ("{id: x, t: 1d, do: scan, by: H1, unit: B1}", ItemScanned),
        ("{id: x, t: 1d, do: inspect, by: H1, unit: B1}", ConditionObserved),
        ("{id: x, t: 1d, do: seal, by: H1, unit: B1, seal: '0111'}", SealApplied),
        ("{id: x, t: 1d, do: check_seal, by: H1, unit: B1, seal: '0111', match: true}", SealChecked),
        ("{id: x, t: 1d, do: open, by: H1, unit: B1, because: authority}", UnitOpened),
    ],
)
def test_what_happens_to_a_unit_is_recorded_about_the_unit(act: str, kind: type[Event]) -> None:
    data, subject = the(act)

    assert isinstance(data, kind)
    assert subject == "story:B1"


@pytest.mark.parametrize(
    ("unit", "by", "kind"),
    [
        ("B1", "H1", UnitKind.BAG),
        ("cage7", "H1", UnitKind.CAGE),
        ("trailer-2", "H1", UnitKind.TRAILER),
        ("door12", "LOK", UnitKind.LOCKER_DOOR),
    ],
)
def test_packing_is_about_the_parcel_and_names_the_unit(unit: str, by: str, kind: UnitKind) -> None:
    data, subject = the(f"{{id: p1, t: 1d, do: pack, by: {by}, unit: {unit}, seal: '0111'}}")

    assert isinstance(data, UnitPacked)
    assert subject == "story:PARCEL"
    assert (data.unit, data.kind) == (f"story:{unit.upper()}", kind)
    assert data.seal is not None
    assert data.seal.number == "0111"


def test_a_packing_of_which_no_seal_is_told_tells_of_none() -> None:
    data, _ = the("{id: p1, t: 1d, do: pack, by: H1, unit: bag9}")

    assert isinstance(data, UnitPacked)
    assert data.seal is None


def test_a_unit_goes_into_another_and_has_no_contract_of_its_own() -> None:
    acts = (
        "{id: p1, t: 1d, do: pack, by: H1, unit: B1}",
        "{id: p2, t: 2d, do: pack, by: H1, parcel: B1, unit: trailer1}",
        "{id: u2, t: 3d, do: unpack, by: H1, parcel: B1, unit: trailer1}",
    )

    assert [posting.envelope.subject for posting in told(*acts)] == ["story:PARCEL", "story:B1", "story:B1"]
    assert isinstance(codec.decode_data(told(*acts)[2].envelope), UnitUnpacked)
    assert announcement(*acts) == announcement(acts[0])


def test_a_manifest_is_a_list_by_the_giver_that_the_taker_signs() -> None:
    line, signed = told("{id: m1, t: 2d, recorded: 3d, do: manifest, by: H1, from: LOK}")
    listed, accepted = codec.decode_data(line.envelope), codec.decode_data(signed.envelope)

    assert isinstance(listed, UnitPacked)
    assert isinstance(accepted, HandoffAccepted)
    assert (line.envelope.id, line.envelope.subject, listed.party) == ("m1-line", "story:PARCEL", "LOK")
    assert (signed.envelope.id, signed.envelope.subject, accepted.taker) == ("m1", listed.unit, "H1")
    assert listed.kind is UnitKind.MANIFEST
    assert line.envelope.time == signed.envelope.time
    assert line.recorded == signed.recorded == DAY_0 + timedelta(days=3)
    assert (line.envelope.source, signed.envelope.source) == (
        "/depots/LOK/devices/handheld",
        "/depots/H1/devices/handheld",
    )


def test_a_line_on_a_list_shows_no_look_at_the_parcel() -> None:
    facts = record(compiled("{id: m1, t: 2d, do: manifest, by: H1, from: LOK}").envelopes)
    acts = lay(gather("story:PARCEL", facts), AsOf(DAY_0 + timedelta(days=9))).scene.acts

    assert [(act.id, act.looks) for act in acts] == [("m1", ()), ("m1-line", ())]


def test_a_logger_is_read_by_a_surveyor_who_takes_nothing_over() -> None:
    act = "{id: k1, t: 8d, do: sensor, armed: [1d..2d, 4d..8d], exceedances: [{t: 5d, g: 85}, {t: 6d}]}"
    run = compiled(act)
    data, _ = the(act)
    roles = {
        data.party: data.role
        for posting in run.envelopes
        if isinstance(data := codec.decode_data(posting.envelope), PartyRegistered)
    }
    scene = lay(gather("story:PARCEL", record(run.envelopes)), AsOf(DAY_0 + timedelta(days=9))).scene

    assert isinstance(data, ConditionObserved)
    assert roles[data.party] is PartyRole.SURVEYOR
    assert data.logger is not None
    assert [(cover.since, cover.until) for cover in data.logger.armed] == [
        (DAY_0 + timedelta(days=1), DAY_0 + timedelta(days=2)),
        (DAY_0 + timedelta(days=4), DAY_0 + timedelta(days=8)),
    ]
    assert [(each.t, each.g) for each in data.logger.exceedances] == [
        (DAY_0 + timedelta(days=5), 85.0),
        (DAY_0 + timedelta(days=6), None),
    ]
    assert [segment.party for segment in scene.chain.segments] == ["SENDER"]
    [read_out] = scene.acts
    assert read_out.looks == ()


def test_a_hold_says_how_long_and_why() -> None:
    data, _ = the("{id: h1, t: 1d, do: hold, by: H1, for: 6h, because: customs}")

    assert data == HoldPlaced(party="H1", hours=6, because=HoldReason.CUSTOMS)


@pytest.mark.parametrize(
    ("do", "kind"), [("attempt", DeliveryAttempted), ("refuse", DeliveryRefused), ("return", ReturnOrdered)]
)
def test_an_act_at_the_door_carries_its_reason(do: str, kind: type[Event]) -> None:
    named, _ = the(f"{{id: x, t: 1d, do: {do}, by: H1, because: gate_shut}}")
    unnamed, _ = the(f"{{id: x, t: 1d, do: {do}, by: H1}}")

    assert isinstance(named, kind)
    assert isinstance(unnamed, kind)
    assert getattr(named, "reason") == "gate_shut"  # noqa: B009
    assert getattr(unnamed, "reason") != "gate_shut"  # noqa: B009


def test_a_new_carton_and_an_opening_are_told() -> None:
    assert isinstance(the("{id: x, t: 1d, do: repack, by: H1, see: {C: ok@4}}")[0], Repacked)
    opened, subject = the("{id: x, t: 1d, do: open, by: H1}")
    assert isinstance(opened, UnitOpened)
    assert (opened.because, subject) == (OpeningReason.HANDLING, "story:PARCEL")


RELABELLED = (
    "{id: a1, t: 1d, do: accept, by: H1}",
    "{id: l1, t: 2d, do: relabel, by: H1, old: A100, new: A900, both_seen: true}",
    "{id: a2, t: 3d, do: accept, by: LOK}",
    "{id: l2, t: 4d, do: relabel, by: LOK, old: A900, new: A950}",
    "{id: a3, t: 5d, do: accept, by: H1, see: {O: bad@4}}",
)


def test_later_events_of_a_relabelled_parcel_go_to_its_new_number() -> None:
    subjects = {posting.envelope.id: posting.envelope.subject for posting in told(*RELABELLED)}

    assert subjects == {
        "a1": "story:A100",
        "l1": "story:A100",
        "a2": "story:A900",
        "l2": "story:A950",  # whoever found it bare had no old label to scan
        "a3": "story:A950",
    }
    assert compiled(*RELABELLED).subject() == "story:A100"


def test_the_order_of_lines_does_not_decide_which_label_a_parcel_had() -> None:
    in_order = {posting.envelope.id: posting.envelope.subject for posting in told(*RELABELLED)}
    backwards = {posting.envelope.id: posting.envelope.subject for posting in told(*reversed(RELABELLED))}

    assert backwards == in_order


def test_a_relabelling_names_both_numbers_of_this_run() -> None:
    data = codec.decode_data(told(*RELABELLED, prefix="d7-")[1].envelope)

    assert isinstance(data, ParcelRelabelled)
    assert (data.old, data.new, data.both_seen) == ("story:D7-A100", "story:D7-A900", True)


@pytest.mark.parametrize("label", ["story:A100", "story:A900", "story:A950"])
def test_whichever_number_is_asked_about_the_same_events_answer(label: str) -> None:
    as_of = AsOf(DAY_0 + timedelta(days=9))
    facts = record(compiled(*RELABELLED).envelopes)

    [asked] = verdicts(gather(label, facts), as_of)
    [first] = verdicts(gather("story:A100", facts), as_of)
    assert (asked.liable, asked.U, asked.proved) == (first.liable, first.U, first.proved)


def test_a_payment_is_entered_at_the_office() -> None:
    [posting] = told("{id: y1, t: 1d, do: pay, by: H1, finding: LOSS}")

    assert codec.decode_data(posting.envelope) == ClaimPaid(party="H1", finding=FindingKind.LOSS)
    assert (posting.role, posting.envelope.source) == ("claims", "/depots/office/devices/desk")
    assert posting.envelope.signature is None


def test_pieces_are_announced_and_named_where_the_story_names_them() -> None:
    acts = (
        "{id: a1, t: 1d, do: accept, by: H1, pieces: [p1, p2]}",
        "{id: n1, t: 2d, do: notice, by: RCP, see: {P: bad@3}, pieces: [p3]}",
        "{id: a2, t: 3d, do: accept, by: RCP}",
    )
    accepted, noticed, silent = (codec.decode_data(posting.envelope) for posting in told(*acts))

    assert isinstance(accepted, HandoffAccepted)
    assert isinstance(noticed, NoticeGiven)
    assert isinstance(silent, HandoffAccepted)
    assert (accepted.pieces, noticed.pieces, silent.pieces) == (("p1", "p2"), ("p3",), ())
    assert announcement(*acts).pieces == ("p1", "p2", "p3")


def test_whose_goods_were_in_it_is_the_other_parcel_of_this_run() -> None:
    acts = (
        "{id: b1, t: 1d, parcel: B, do: accept, by: H1}",
        "{id: n1, t: 2d, parcel: A, do: notice, by: RCP, see: {C: bad@3}, holds: B}",
    )
    data = codec.decode_data(told(*acts, prefix="d7-")[1].envelope)

    assert isinstance(data, NoticeGiven)
    assert data.holds == told(*acts, prefix="d7-")[0].envelope.subject == "story:D7-B"


def test_a_proxy_says_who_and_whether_it_was_agreed() -> None:
    data, _ = the("{id: x1, t: 1d, do: accept, by: RCP, person: concierge, consent: true, unattended: true}")

    assert isinstance(data, HandoffAccepted)
    assert (data.person, data.consent, data.unattended) == ("concierge", True, True)


def test_an_overage_is_scanned() -> None:
    data, _ = the("{id: s1, t: 1d, do: scan, by: H1, overage: true}")

    assert isinstance(data, ItemScanned)
    assert data.overage


@pytest.mark.parametrize("do", ["accept", "weigh"])
def test_grams_are_what_a_scale_showed_and_say_neither_sound_nor_short(do: str) -> None:
    act = f"{{id: w1, t: 1d, do: {do}, by: H1, grams: 4200}}"
    data, _ = the(act)
    facts = record(compiled(act).envelopes)
    [weighing] = lay(gather("story:PARCEL", facts), AsOf(DAY_0 + timedelta(days=9))).scene.acts
    [look] = [look for look in weighing.looks if look.facet is Facet.WEIGHT]

    assert isinstance(data, HandoffAccepted | ConditionObserved)
    assert [(seen.facet, seen.grams, seen.instrument) for seen in data.observations] == [(Facet.WEIGHT, 4200, "scale")]
    assert (look.grade, look.mass, look.value) == (3, Mass(4200), Condition.UNEXAMINED)


def test_a_seal_earns_the_highest_grade_by_a_picture_of_its_number() -> None:
    pictured, _ = the("{id: a1, t: 1d, do: accept, by: H1, unit: B1, seal: '999', see: {S: bad@5}}")
    read_off, _ = the("{id: a1, t: 1d, do: accept, by: H1, unit: B1, seal: '111', match: false, see: {S: bad@4}}")

    assert isinstance(pictured, HandoffAccepted)
    assert isinstance(read_off, HandoffAccepted)
    assert pictured.seal is not None
    assert read_off.seal is not None
    assert (pictured.seal.number, pictured.seal.match) == ("999", None)
    assert pictured.seal.media is not None
    assert (read_off.seal.number, read_off.seal.match, read_off.seal.media) == ("111", False, None)


def test_a_scanner_is_enrolled_when_the_story_says_so_and_counts_from_then_on() -> None:
    acts = (
        "{id: s1, t: 1d, do: scan, by: H1}",
        "{id: r1, t: 2d, do: enrol, by: H1}",
        "{id: s2, t: 3d, do: scan, by: H1}",
    )
    run = compiled(*acts)
    enrolments = [
        (posting.recorded, posting.role)
        for posting in run.envelopes
        if isinstance(data := codec.decode_data(posting.envelope), DeviceEnrolled) and data.party == "H1"
    ]

    assert enrolments == [(DAY_0 + timedelta(days=2), "ops")]
    assert counted(run) == ["s2"]


@pytest.mark.parametrize(
    ("because", "counts"),
    [("", ["s1"]), (", because: retired", ["s1"]), (", because: compromised", ["s1", "s2"])],
)
def test_a_revoked_scanner_counts_as_the_reason_has_it(because: str, counts: list[str]) -> None:
    acts = (
        "{id: s1, t: 1d, do: scan, by: H1}",
        f"{{id: r1, t: 2d, do: revoke, by: H1{because}}}",
        "{id: s2, t: 3d, do: scan, by: H1}",
    )
    data = codec.decode_data(told(*acts)[1].envelope)

    assert isinstance(data, DeviceRevoked)
    assert data.reason is (RevocationReason.COMPROMISED if "compromised" in because else RevocationReason.RETIRED)
    assert counted(compiled(*acts)) == counts


def counted(run: Compiled) -> list[str]:
    """The ids of the acts that count for something."""
    scene = lay(gather("story:PARCEL", record(run.envelopes)), AsOf(DAY_0 + timedelta(days=9))).scene
    return [act.id for act in scene.acts]


@pytest.mark.parametrize("name", STORIES)
def test_a_signed_event_comes_with_its_clock_measured(name: str) -> None:
    for posting in compile_story(read(name)).envelopes:
        signed = posting.envelope.signature is not None
        assert posting.envelope.clockoffsetms == (0 if signed else None), posting.envelope.id


@pytest.mark.parametrize("name", STORIES)
def test_every_subject_and_name_of_a_run_carries_its_prefix(name: str) -> None:
    facts: list[Fact] = record(compile_story(read(name), prefix="d7-").envelopes)

    for fact in facts:
        assert fact.id.startswith("d7-")
        if fact.subject not in ("policy:DEFAULT", "party:SENDER", "party:RCP"):
            assert fact.subject.partition(":")[2].startswith("D7-"), fact.subject


def test_every_act_that_a_story_may_name_can_be_told() -> None:
    needed = {
        "sensor": "armed: []",
        "hold": "for: 1h, because: customs",
        "pack": "unit: B1",
        "unpack": "unit: B1",
        "manifest": "from: LOK",
        "relabel": "old: A1, new: A2",
        "pay": "finding: LOSS",
        "correct": "corrects: e1",
    }
    for do in ACTS:
        more = needed.get(do, "")
        assert told(f"{{id: x, t: 1d, do: {do}, by: H1{', ' if more else ''}{more}}}"), do


@pytest.mark.parametrize(
    ("act", "words"),
    [
        pytest.param("do: scan", "nobody does x", id="nobody"),
        pytest.param("do: pack, by: H1", "needs a unit", id="no unit to pack"),
        pytest.param("do: unpack, by: H1", "needs a unit", id="no unit to unpack"),
        pytest.param("do: manifest, by: H1", "name from", id="nobodys list"),
        pytest.param("do: hold, by: H1, for: 6h", "because of what", id="a hold without a reason"),
        pytest.param("do: hold, by: H1, for: 6h, because: laziness", "laziness", id="a hold for no reason"),
        pytest.param("do: open, by: H1, because: customs", "authority", id="an opening for no reason"),
        pytest.param("do: deliver, by: H1, to: garden", "garden", id="no such place"),
        pytest.param("do: relabel, by: H1, old: A1", "old and the new", id="half a relabelling"),
        pytest.param("do: pay, by: H1", "pays for nothing", id="pays nothing"),
        pytest.param("do: correct, by: H1", "corrects nothing", id="corrects nothing"),
        pytest.param("do: scan, by: H1, for: 6h", "for cannot be said of 'scan'", id="a key of another act"),
        pytest.param("do: accept, by: H1, to: LOK", "to cannot be said of 'accept'", id="to whom it was not given"),
        pytest.param("do: hold, by: H1, see: {O: ok}", "nothing can be seen", id="seen while waiting"),
        pytest.param("do: accept, by: H1, grams: 12, see: {W: ok@3}", "leave one of them out", id="weighed twice"),
        pytest.param("do: notice, by: RCP, see: {O: bad@3, C: bad@3}", "one proof", id="two proofs"),
        pytest.param("do: scan, by: H1, unit: 'B/1'", "'B/1' cannot be the number", id="no label"),
        pytest.param("do: scan, by: H1, parcel: 'A 1?'", "cannot be the number", id="no parcel"),
    ],
)
def test_what_cannot_be_told_is_answered_with_its_line_and_a_sentence(act: str, words: str) -> None:
    with pytest.raises(StoryError) as raised:
        compiled("{id: before, t: 1d, do: scan, by: H1}", f"{{id: x, t: 2d, {act}}}")

    assert raised.value.line == FIRST_LINE + 1
    assert words in raised.value.sentence
    assert raised.value.sentence.endswith(".")


def test_a_question_about_a_parcel_that_is_in_no_event_is_refused_with_its_line() -> None:
    text = "name: x\nevents: [{id: x, t: 1d, parcel: A, do: scan, by: H1}]\nask:\n"
    with pytest.raises(StoryError) as raised:
        compile_story(parse_story(text + "  - {finding: LOSS, parcel: B, as_of: 2d, expect: none}\n"))

    assert raised.value.line == 4
    assert "'B'" in raised.value.sentence


def test_an_act_that_is_typed_in_as_an_import_stays_one() -> None:
    data, _ = the("{id: x, t: 1d, do: accept, by: H1, mode: IMPORT, signed: false}")

    assert isinstance(data, HandoffAccepted)
    assert data.mode is CaptureMode.IMPORT
