"""Noise changes what is written down, and nothing of what happened; closed units and their seals tell no lies."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from schemas import codec
from schemas.events import (
    DeliveryAttempted,
    DeliveryRefused,
    HandoffAccepted,
    NoticeGiven,
    Scan,
    SealApplied,
    UnitOpened,
    UnitPacked,
    UnitUnpacked,
)
from schemas.vocabulary import Condition, Defect, Facet, FindingKind, Hindrance, OpeningReason, Proof, UnitKind
from services.simulate.day import Day, generate
from services.simulate.habits import WATCHFUL
from services.simulate.noise import NONE, USUAL, Noise
from services.simulate.truth import Harm

END = datetime(2026, 7, 9, 12, 0, tzinfo=UTC)
CLOSED = replace(
    WATCHFUL,
    harmed=0.7,
    in_a_cage=0.9,
    opened_by_customs=0.3,
    harm_is_loss=0.4,
    harm_is_shortage=0.4,
    refused=0.5,
    attempt_fails=0.3,
)


@pytest.fixture(scope="module")
def day() -> Day:
    return generate(7, 150, END, CLOSED)


@pytest.fixture(scope="module")
def noisy() -> Day:
    return generate(7, 150, END, CLOSED, replace(USUAL, missing_looks=0.1))


def _what_happened(harm: Harm) -> Harm:
    return structs.replace(harm, sights=(), reported=False)


def test_the_same_seed_tells_the_same_story_under_any_noise(day: Day, noisy: Day) -> None:
    assert list(map(_what_happened, day.harms)) == list(map(_what_happened, noisy.harms))
    assert day.parcels == noisy.parcels


def test_the_same_seed_and_noise_give_the_same_bytes(noisy: Day) -> None:
    again = generate(7, 150, END, CLOSED, replace(USUAL, missing_looks=0.1))

    assert again.envelopes == noisy.envelopes
    assert again.harms == noisy.harms


def test_without_noise_everybody_writes_down_what_there_is_to_see(day: Day) -> None:
    sights = [sight for harm in day.harms for sight in harm.sights]

    assert all(sight.said is sight.truly for sight in sights)
    assert Counter(sight.facet for sight in sights).keys() == {
        Facet.PRESENCE, Facet.OUTER, Facet.SEAL, Facet.CONTENTS, Facet.WEIGHT,
    }  # fmt: skip
    assert {sight.grade for sight in sights} == {1, 3, 4, 5}


def test_a_look_is_in_the_truth_only_if_it_arrives_and_tells_when(day: Day) -> None:
    for harm in day.harms:
        assert [sight.at for sight in harm.sights] == sorted(sight.at for sight in harm.sights)
        assert all(sight.recorded is not None and sight.recorded > sight.at for sight in harm.sights)

    losing = generate(7, 60, END, replace(CLOSED, upload_lost=0.5))
    kept = {harm.parcel: len(harm.sights) for harm in losing.harms}
    full = {harm.parcel: len(harm.sights) for harm in generate(7, 60, END, CLOSED).harms}
    assert sum(kept.values()) < 0.7 * sum(full.values())


def test_what_is_seen_follows_the_harm(day: Day) -> None:
    for harm in day.harms:
        for sight in harm.sights:
            if sight.truly is Condition.BAD:
                assert sight.at > harm.at
            elif sight.facet is Facet.OUTER and sight.at > harm.at:
                assert harm.kind is not FindingKind.DAMAGE
                assert not harm.traces


def test_a_wrong_look_is_wrong_at_the_grade_that_was_asked_for_alone() -> None:
    turned = generate(7, 60, END, CLOSED, Noise(wrong={3: 1.0}))

    looks = [
        sight
        for harm in turned.harms
        for sight in harm.sights
        if sight.act not in ("seal", "notice") and not (sight.facet is Facet.PRESENCE and sight.said is Condition.OK)
    ]
    assert all((sight.said is not sight.truly) == (sight.grade == 3) for sight in looks)
    assert {sight.grade for sight in looks} >= {3, 4, 5}


def test_missing_scans_are_those_at_which_nobody_looked() -> None:
    full = generate(7, 100, END, CLOSED)
    thinned = generate(7, 100, END, CLOSED, Noise(missing_scans=0.3))

    def by_look(day: Day) -> Counter[bool]:
        scans = [data for e in day.scans if isinstance(data := codec.decode_data(e), Scan)]
        told = (bool(d.observations or d.seal or getattr(d, "reservation", None)) for d in scans)
        return Counter(told)

    before, after = by_look(full), by_look(thinned)
    assert abs(after[False] / before[False] - 0.7) < 0.05
    assert after[True] > 0.97 * before[True]


def test_where_every_taker_notices_nobody_takes_a_harmed_carton_in_silence() -> None:
    def silent(day: Day) -> int:
        harms = {harm.parcel: harm.at for harm in day.harms if harm.kind is FindingKind.DAMAGE}
        count = 0
        for envelope in day.scans:
            data = codec.decode_data(envelope)
            if not isinstance(data, HandoffAccepted) or envelope.subject not in harms:
                continue
            noted = data.observations or (data.reservation and data.reservation.grounds in tuple(Defect))
            at = codec.parse_instant(envelope.time)
            count += at > harms[envelope.subject] + timedelta(minutes=1) and not noted
        return count

    harmed = replace(WATCHFUL, harmed=0.8, harm_is_loss=0.0)
    assert silent(generate(7, 80, END, replace(harmed, notices=0.0))) > 10
    assert silent(generate(7, 80, END, replace(harmed, notices=1.0))) == 0


def test_some_clocks_are_off_and_only_half_of_them_are_measured() -> None:
    devices = generate(7, 1, END, WATCHFUL, Noise(clocks_off=0.5)).network.devices
    off = [device for device in devices if abs(device.offset.total_seconds()) > 60]

    assert 0.3 < len(off) / len(devices) < 0.7
    assert 0.2 < sum(device.measured for device in off) / len(off) < 0.8
    assert all(device.measured for device in devices if device not in off)
    assert all(device.measured for device in generate(7, 1, END, WATCHFUL, NONE).network.devices)


def test_units_nest_and_what_is_packed_comes_out_again_unless_it_is_gone(day: Day) -> None:
    packed: dict[str, str] = {}
    unpacked: set[tuple[str, str]] = set()
    kinds: Counter[UnitKind] = Counter()
    for envelope in day.scans:
        data = codec.decode_data(envelope)
        if isinstance(data, UnitPacked):
            packed[envelope.subject] = data.unit
            kinds[data.kind] += 1
        elif isinstance(data, UnitUnpacked):
            unpacked.add((envelope.subject, data.unit))

    lost = {harm.parcel for harm in day.harms if harm.kind is FindingKind.LOSS}
    assert {(child, unit) for child, unit in packed.items() if child not in lost} <= unpacked
    assert not {child for child, _ in unpacked} & {
        harm.parcel for harm in day.harms if harm.broke_seals and harm.parcel in lost
    }
    assert kinds.keys() == {UnitKind.BAG, UnitKind.CAGE, UnitKind.TRAILER}
    assert any(packed.get(packed.get(unit, "")) for unit in packed.values())


def test_a_seal_is_wrong_only_after_a_hand_came_through_it(day: Day) -> None:
    broken = 0
    for harm in day.harms:
        for sight in harm.sights:
            if sight.facet is Facet.SEAL and sight.said is Condition.BAD:
                broken += 1
                assert harm.broke_seals
                assert sight.at > harm.at

    assert broken > 5


def test_customs_open_every_unit_and_leave_other_numbers_on_them(day: Day) -> None:
    opened = {
        envelope.subject
        for envelope in day.scans
        if isinstance(data := codec.decode_data(envelope), UnitOpened) and data.because is OpeningReason.AUTHORITY
    }
    numbers: dict[str, set[str | None]] = {unit: set() for unit in opened}
    for envelope in day.scans:
        data = codec.decode_data(envelope)
        if isinstance(data, SealApplied) and envelope.subject in opened:
            numbers[envelope.subject].add(data.seal.number if data.seal else None)

    assert opened
    assert all(len(found) == 2 for found in numbers.values())


def test_the_day_has_reservations_refusals_attempts_and_videos(day: Day) -> None:
    told = [codec.decode_data(envelope) for envelope in day.scans]
    grounds = {data.reservation.grounds for data in told if isinstance(data, HandoffAccepted) and data.reservation}

    assert grounds & set(Defect)
    assert grounds & set(Hindrance)
    assert any(isinstance(data, DeliveryRefused) for data in told)
    assert any(isinstance(data, DeliveryAttempted) for data in told)
    assert {data.proof for data in told if isinstance(data, NoticeGiven)} >= {Proof.UNBOXING_VIDEO, Proof.NONE}
