"""What units add to an item's evidence: loaded for the time around its stay, once for all that share it."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy import event as sa_event

from schemas import codec
from schemas.positions import Positions
from schemas.readmodel import mention
from services.custody.core.facts import Evidence
from services.custody.evidence import LABELS_MAX, load_evidence, load_many, read_positions
from services.custody.store import project_batch
from services.log.table import TableLog
from tests.projecting import project_all, subjects_apart
from tests.records import ANNOUNCED, PARTY, POLICY, append, enrolment, records_of
from tests.records import event as scan

PACKED = "custody.unit_packed.v1"
UNPACKED = "custody.unit_unpacked.v1"
RELABELLED = "custody.parcel_relabelled.v1"
SCANNED = "custody.item_scanned.v1"
OPENED = "custody.unit_opened.v1"
CORRECTED = "custody.event_corrected.v1"


def pack(item: str, unit: str, at: float, **more: Any) -> codec.Envelope:
    return scan(f"pack {item} {unit} {at}", item, PACKED, at=at, mode="HUMAN_SCAN", party="C1", unit=unit, **more)


def unpack(item: str, unit: str, at: float, **more: Any) -> codec.Envelope:
    return scan(f"unpack {item} {unit} {at}", item, UNPACKED, at=at, mode="HUMAN_SCAN", party="C1", unit=unit, **more)


def seen(event_id: str, subject: str, at: float, **more: Any) -> codec.Envelope:
    return scan(event_id, subject, SCANNED, at=at, mode="AUTO_SCAN", party="C1", **more)


def relabel(event_id: str, old: str, new: str, at: float, *, under: str | None = None) -> codec.Envelope:
    return scan(event_id, under or new, RELABELLED, at=at, mode="HUMAN_SCAN", party="C1", old=old, new=new)


def load(engine: Engine, subject: str, positions: Positions | None = None) -> Evidence:
    with engine.connect() as connection:
        return load_evidence(connection, subject, positions)


def ids(evidence: Evidence) -> list[str]:
    return [fact.id for fact in evidence.unit_facts]


def test_a_units_events_around_the_stay_are_there_and_no_others(engine: Engine) -> None:
    parcel, cage = subjects_apart(2)
    append(
        engine,
        enrolment(),
        seen("long before", cage, 1),
        seen("before", cage, 19.5),
        pack(parcel, cage, 20),
        seen("during", cage, 21),
        unpack(parcel, cage, 22),
        seen("after", cage, 25),  # at some moment the unpacking was not known yet
        seen("long after", cage, 40),
        seen("late", cage, 21.5, recorded=41),
        seen("recorded then", cage, 60, recorded=62),
    )
    project_all(engine)

    assert ids(load(engine, parcel)) == ["before", "during", "after", "late"]
    assert load(engine, cage).unit_facts == ()


def test_an_explicit_stay_is_as_long_as_it_is(engine: Engine) -> None:
    parcel, cage = subjects_apart(2)
    append(engine, enrolment(), pack(parcel, cage, 20), seen("month later", cage, 50), unpack(parcel, cage, 51))
    project_all(engine)

    assert ids(load(engine, parcel)) == ["month later"]


def test_settings_that_let_stays_last_longer_widen_the_window(engine: Engine) -> None:
    parcel, cage = subjects_apart(2)
    append(
        engine,
        enrolment(),
        scan("s1", "policy:SLOW", POLICY, unit_max_stay_hours=24 * 30),
        scan("a1", parcel, ANNOUNCED, at=19, policy="slow"),
        pack(parcel, cage, 20),
        seen("weeks later", cage, 45),
    )
    project_all(engine)

    evidence = load(engine, parcel)

    assert ids(evidence) == ["weeks later"]
    assert "policy:SLOW" in {fact.subject for fact in evidence.registry}


def test_units_within_units_up_to_four_deep_and_what_packs_them_deeper_is_told(engine: Engine) -> None:
    parcel = "yto:YT1"
    chain = [f"unit:{depth}" for depth in range(1, 7)]
    packings = [pack(inner, outer, 20 + place / 10) for place, (inner, outer) in enumerate(pairwise([parcel, *chain]))]
    append(engine, enrolment(), *packings, *(seen(f"at {unit}", unit, 21) for unit in chain))
    project_all(engine)

    evidence = load(engine, parcel)

    assert {fact.subject for fact in evidence.unit_facts} == set(chain[:4])
    assert f"pack {chain[3]} {chain[4]} 20.4" in ids(evidence)  # so that the core can say that it is too deep


def test_a_unit_that_was_packed_before_the_item_came_in_brings_its_own_unit(engine: Engine) -> None:
    append(
        engine,
        enrolment(),
        pack("cage:1", "trailer:1", 15),
        pack("yto:YT1", "cage:1", 20),
        seen("on the road", "trailer:1", 20.5),
    )
    project_all(engine)

    assert ids(load(engine, "yto:YT1")) == ["pack cage:1 trailer:1 15", "on the road"]


def test_units_in_one_another_end_the_search(engine: Engine) -> None:
    append(
        engine,
        enrolment(),
        pack("yto:YT1", "cage:1", 20),
        pack("cage:1", "cage:2", 20),
        pack("cage:2", "cage:1", 20),
        pack("cage:2", "yto:YT1", 20),
    )
    project_all(engine)

    evidence = load(engine, "yto:YT1")

    assert {fact.subject for fact in evidence.unit_facts} == {"cage:1", "cage:2"}
    assert load(engine, "cage:1").facts


def test_what_corrects_a_units_event_is_there_however_late(engine: Engine) -> None:
    append(
        engine,
        enrolment(),
        pack("yto:YT1", "cage:1", 20),
        seen("wrong", "cage:1", 21),
        scan("takes back", "cage:1", CORRECTED, at=90, party="C1", corrects="wrong"),
        scan("of another", "cage:1", CORRECTED, at=91, party="C1", corrects="nothing"),
    )
    project_all(engine)

    assert ids(load(engine, "yto:YT1")) == ["wrong", "takes back"]


def test_a_units_unreadable_record_of_that_time_makes_the_evidence_incomplete(engine: Engine) -> None:
    append(
        engine,
        enrolment(),
        pack("yto:YT1", "cage:1", 20),
        scan("then", "cage:1", "custody.teleported.v1", at=21, to="Mars"),
        scan("long after", "cage:1", "custody.teleported.v1", at=60, to="Mars"),
    )
    project_all(engine)

    assert len(load(engine, "yto:YT1").parked) == 1


def test_whoever_acted_on_the_unit_is_looked_up_and_its_signatures_are_checked(engine: Engine) -> None:
    append(
        engine,
        enrolment(),
        enrolment("SHA.S2", party="LH"),
        scan("p1", "party:LH", PARTY, party="LH", role="carrier"),
        pack("yto:YT1", "cage:1", 20),
        seen("by another", "cage:1", 21, source="/depots/SHA/devices/S2"),
    )
    project_all(engine)

    evidence = load(engine, "yto:YT1")

    assert {"device:SHA.S2", "party:LH"} <= {fact.subject for fact in evidence.registry}
    assert len(evidence.signatures) == 2
    assert all(evidence.signatures.values())


def test_neighbours_are_those_that_could_end_the_stay(engine: Engine) -> None:
    crowd = [f"yto:N{number}" for number in range(60)]
    append(engine, enrolment())
    append(engine, pack("yto:YT1", "cage:1", 20))
    append(engine, *(pack(item, "cage:1", 20.1 + place / 1000) for place, item in enumerate(crowd)))
    append(engine, *(unpack(item, "cage:1", 21 + place / 1000) for place, item in enumerate(crowd)))
    append(engine, *(pack(f"yto:M{number}", "cage:1", 22 + number / 1000) for number in range(60)))
    project_all(engine)

    evidence = load(engine, "yto:YT1")

    assert 2 <= len(evidence.neighbours) <= 4 * 8  # of 180: per partition the first out, the first in behind each
    assert min(each.t for each in evidence.neighbours if each.packed) == load(engine, "yto:M0").facts[0].t
    assert load(engine, crowd[0]).neighbours  # its own unpacking may not be known at some moment


def test_both_labels_give_the_same_evidence(engine: Engine) -> None:
    old, new = subjects_apart(2)
    append(engine, enrolment(), scan("e1", old), relabel("r1", old, new, 1), seen("e2", new, 2))
    project_all(engine)

    by_new, by_old = load(engine, new), load(engine, old)

    assert [fact.id for fact in by_new.facts] == ["e1", "r1", "e2"]
    assert by_old.facts == by_new.facts
    assert by_old.registry == by_new.registry


def test_a_relabelling_recorded_under_the_old_label_joins_alike(engine: Engine) -> None:
    append(
        engine,
        enrolment(),
        scan("e1", "yto:A"),
        relabel("r1", "yto:A", "yto:B", 1, under="yto:A"),
        seen("e2", "yto:B", 2),
    )
    project_all(engine)

    assert [fact.id for fact in load(engine, "yto:B").facts] == ["e1", "r1", "e2"]
    assert [fact.id for fact in load(engine, "yto:A").facts] == ["e1", "r1", "e2"]


def test_labels_join_through_one_another_and_end_at_a_limit_that_keeps_the_earliest(engine: Engine) -> None:
    labels = [f"yto:L{number:02}" for number in range(12)]
    append(engine, enrolment(), *(relabel(f"r{n}", labels[n], labels[n + 1], n + 1) for n in range(11)))
    project_all(engine)

    joined = {fact.id for fact in load(engine, labels[0]).facts}

    assert {f"r{n}" for n in range(LABELS_MAX - 1)} <= joined
    assert "r10" not in joined


def test_a_label_that_is_joined_later_is_not_seen_before(engine: Engine) -> None:
    append(engine, enrolment(), scan("e1", "yto:A"), seen("e2", "yto:B", 1))
    project_all(engine)
    with engine.connect() as connection:
        then = read_positions(connection)
    before = load(engine, "yto:A")
    append(engine, relabel("r1", "yto:A", "yto:B", 2))
    project_all(engine)

    assert load(engine, "yto:A", then) == before
    assert load(engine, "yto:A") != before


def test_a_label_in_a_unit_brings_the_unit_for_every_label(engine: Engine) -> None:
    append(
        engine,
        enrolment(),
        pack("yto:A", "cage:1", 20),
        seen("inside", "cage:1", 20.5),
        relabel("r1", "yto:A", "yto:B", 21),
    )
    project_all(engine)

    assert ids(load(engine, "yto:B")) == ["inside"]


def a_trailer(engine: Engine, parcels: Sequence[str]) -> None:
    append(engine, enrolment())
    for place, parcel in enumerate(parcels):
        append(engine, pack(parcel, f"cage:{place % 3}", 20 + place / 1000))
    append(engine, *(pack(f"cage:{number}", "trailer:1", 21) for number in range(3)))
    append(engine, *(seen(f"on the road {number}", "trailer:1", 21 + number / 10) for number in range(5)))
    append(engine, *(unpack(parcels[place], f"cage:{place % 3}", 23) for place in range(0, len(parcels), 2)))
    append(engine, pack("yto:LATER", "cage:1", 24), seen("empty", "cage:2", 25, empty=True))
    project_all(engine)


def test_alone_and_together_the_evidence_is_the_same_in_the_same_number_of_queries(engine: Engine) -> None:
    parcels = [f"yto:T{number}" for number in range(24)]
    a_trailer(engine, parcels)
    statements: list[str] = []
    sa_event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))

    def counted(subjects: Sequence[str]) -> tuple[Mapping[str, Evidence], int]:
        statements.clear()
        with engine.connect() as connection:
            return load_many(connection, subjects), len(statements)

    together, for_all = counted([*parcels, "cage:1", "trailer:1"])
    alone, for_one = counted(parcels[:1])

    assert for_all == for_one <= 11
    assert alone[parcels[0]] == together[parcels[0]]
    for subject, evidence in together.items():
        assert load(engine, subject) == evidence
    # One record, one fact: 24 parcels share what is known of their trailer.
    shared = {id(fact) for parcel in parcels for fact in together[parcel].unit_facts if fact.subject == "trailer:1"}
    assert len(shared) == 5


@pytest.mark.parametrize("quarter", range(1, 4))
def test_at_any_positions_the_evidence_is_that_of_a_projection_that_ended_there(
    engine: Engine, empty_archive: Callable[[], Engine], quarter: int
) -> None:
    parcels = [f"yto:T{number}" for number in range(6)]
    a_trailer(engine, parcels)
    cut, ended_there = Positions(), empty_archive()
    for partition, records in records_of(TableLog(engine)).items():
        cut[partition] = len(records) * quarter // 4
        if cut[partition]:
            project_batch(ended_there, records[: cut[partition]], archive=True)

    for parcel in parcels:
        assert load(engine, parcel, cut) == load(ended_there, parcel)


def test_repeats_and_conflicts_name_whom_their_event_names(engine: Engine) -> None:
    first = pack("yto:YT1", "cage:1", 20)
    other = scan(first.id, "yto:YT1", PACKED, at=20, mode="HUMAN_SCAN", party="C1", unit="cage:2")
    append(engine, enrolment(), first, first, other)
    project_all(engine)
    append(engine, first)
    project_all(engine)

    with engine.connect() as connection:
        rows = connection.execute(select(mention.c.other, mention.c.role).order_by(mention.c.other)).all()
    assert [tuple(row) for row in rows] == [("cage:1", "packed"), ("cage:2", "packed")]
