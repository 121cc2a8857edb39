"""The simulated day: it repeats itself, tells a possible story, and knows the truth of it."""

import ast
import base64
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from schemas import codec
from schemas.events import DeviceEnrolled, HandoffAccepted, HandoffReleased, ItemScanned, NoticeGiven, Scan
from schemas.identifiers import parse_source, parse_subject
from schemas.vocabulary import RECIPIENT, Condition, FindingKind
from services import simulate
from services.simulate.day import DAY, Day, generate
from services.simulate.habits import Habits
from services.simulate.truth import from_lines, to_lines
from services.simulate.upload import LOCAL, as_sent

END = datetime(2026, 7, 9, 12, 0, tzinfo=UTC)
# The fastest wrong clock of the day is this far off.
CLOCKS = timedelta(seconds=300)
ROUGH = Habits(harmed=0.5, harm_is_loss=0.4)


@pytest.fixture(scope="module")
def day() -> Day:
    return generate(3, 120, END, ROUGH)


def test_same_seed_and_end_give_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        simulate.write(tmp_path / name, seed=5, parcels=30, end=END, say=lambda _line: None)

    for file in (simulate.EVENTS, simulate.TRUTH):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert (tmp_path / "a" / simulate.EVENTS).stat().st_size > 0


@pytest.mark.parametrize(("seed", "end"), [(6, END), (5, END + timedelta(days=1))])
def test_another_seed_or_another_end_reuses_no_id_and_no_parcel(seed: int, end: datetime) -> None:
    one, other = generate(5, 10, END), generate(seed, 10, end)

    assert not {e.id for e in one.envelopes} & {e.id for e in other.envelopes}
    assert not set(one.parcels) & set(other.parcels)


def test_the_same_seed_tells_the_same_story_on_another_day() -> None:
    one, other = generate(5, 40, END, ROUGH), generate(5, 40, END + timedelta(days=3), ROUGH)

    assert [(h.kind, h.culprit, h.reported) for h in one.harms] == [
        (h.kind, h.culprit, h.reported) for h in other.harms
    ]
    assert sorted(
        (e.source, e.type, e.data) for e in one.scans if e.type == HandoffReleased.TYPE and b"media" not in e.data
    ) == sorted(
        (e.source, e.type, e.data) for e in other.scans if e.type == HandoffReleased.TYPE and b"media" not in e.data
    )


def test_the_zone_of_the_end_makes_no_difference() -> None:
    elsewhere = END.astimezone(LOCAL)

    assert generate(5, 5, elsewhere).envelopes == generate(5, 5, END).envelopes


def test_every_line_reads_back_as_what_was_generated(day: Day) -> None:
    for envelope in day.envelopes:
        read = codec.parse_structured(as_sent(envelope))

        assert read == envelope
        assert envelope.type == type(codec.decode_data(read)).TYPE
        issuer, code = parse_subject(envelope.subject)[:2]
        assert envelope.subject.upper() == f"{issuer}:{code}".upper()
        parse_source(envelope.source)


def test_signatures_hold_under_the_enrolled_keys_and_some_devices_have_none(day: Day) -> None:
    keys: dict[str, str] = {}
    for envelope in day.registry:
        data = codec.decode_data(envelope)
        if isinstance(data, DeviceEnrolled):
            keys |= {key.keyid: key.public_key for key in data.keys}

    signed = [e for e in day.scans if e.signature is not None]
    for envelope in signed[:300]:
        assert envelope.keyid is not None
        signature = base64.b64decode(envelope.signature or "")
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(keys[envelope.keyid])).verify(
            signature, codec.signed_form(envelope)
        )
    unsigned = [e for e in day.scans if e.signature is None and e.sequence is not None]
    assert len(signed) > len(unsigned) > 0


def test_every_source_is_enrolled_or_an_office_desk(day: Day) -> None:
    enrolled = {data.device for data in map(codec.decode_data, day.registry) if isinstance(data, DeviceEnrolled)}

    for envelope in day.scans:
        source = parse_source(envelope.source)
        assert source.device_id in enrolled or source.depot in ("office", "claims")
    assert {parse_source(e.source).depot for e in day.scans} <= {*day.network.depots, "office", "claims"}


def test_all_of_it_happens_within_the_day(day: Day) -> None:
    for envelope in day.scans:
        assert END - DAY - CLOCKS <= codec.parse_instant(envelope.time) <= END


def test_repeats_are_the_same_event_and_come_later(day: Day) -> None:
    seen: dict[tuple[str, str], codec.Envelope] = {}
    repeats = 0
    for envelope in day.scans:
        name = (envelope.source, envelope.id)
        repeats += name in seen
        assert seen.setdefault(name, envelope) == envelope

    assert repeats == day.repeats > 0


def test_nobody_sees_damage_before_it_happened_nor_on_a_sound_parcel(day: Day) -> None:
    harms = {harm.parcel: harm for harm in day.harms}
    told = 0
    for envelope in day.scans:
        data = codec.decode_data(envelope)
        if not isinstance(data, (Scan, NoticeGiven)) or envelope.subject not in day.parcels:
            continue
        if any(look.value is Condition.BAD for look in data.observations):
            told += 1
            assert harms[envelope.subject].reported
            assert codec.parse_instant(envelope.time) >= harms[envelope.subject].at - CLOCKS

    assert told > 20


def test_a_lost_parcel_is_seen_by_nobody_afterwards(day: Day) -> None:
    lost = {harm.parcel: harm for harm in day.harms if harm.kind is FindingKind.LOSS}
    for envelope in day.scans:
        if envelope.subject not in lost:
            continue
        data = codec.decode_data(envelope)
        late = codec.parse_instant(envelope.time) > lost[envelope.subject].at + CLOCKS
        if late and isinstance(data, (HandoffAccepted, ItemScanned)):
            pytest.fail(f"{envelope.subject} is gone, and {envelope.id} has it at hand")
        if isinstance(data, HandoffAccepted):
            assert data.taker != RECIPIENT

    assert len(lost) > 5


def test_harm_is_done_by_somebody_of_the_route_and_most_of_it_is_written_down(day: Day) -> None:
    assert {harm.culprit for harm in day.harms} <= set(day.network.parties)
    assert 0.5 < sum(harm.reported for harm in day.harms) / len(day.harms) <= 1


def test_the_day_has_what_makes_it_hard(day: Day) -> None:
    times = [codec.parse_instant(e.time) for e in day.scans if e.sequence is not None]
    assert any(later < earlier - timedelta(minutes=30) for earlier, later in itertools.pairwise(times))

    accepted: dict[str, int] = dict.fromkeys(day.parcels, 0)
    released: dict[str, int] = dict.fromkeys(day.parcels, 0)
    for envelope in (e for e in day.scans if e.subject in accepted):
        accepted[envelope.subject] += envelope.type == HandoffAccepted.TYPE
        released[envelope.subject] += envelope.type == HandoffReleased.TYPE
    assert len(set(accepted.values())) > 1
    assert len(set(released.values())) > 1

    numbers = sorted(int(e.sequence) for e in day.scans if e.source == "/depots/sha-hub/devices/sorter" and e.sequence)
    assert numbers, "the hub's sorter read nothing"


def test_a_lost_upload_leaves_a_hole_in_the_sequence() -> None:
    day = generate(3, 40, END, Habits(upload_lost=0.2))
    holes = 0
    by_source: dict[str, set[int]] = {}
    for envelope in day.scans:
        if envelope.sequence is not None:
            by_source.setdefault(envelope.source, set()).add(int(envelope.sequence))
    for numbers in by_source.values():
        holes += max(numbers) - len(numbers)

    assert holes > 0


def test_truth_reads_back(day: Day) -> None:
    assert from_lines(to_lines(day.harms)) == day.harms


def test_the_simulator_imports_the_contract_and_reads_no_clock() -> None:
    folder = Path(simulate.__file__).parent
    for file in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            for name in names:
                assert not name.startswith("services.") or name.startswith("services.simulate"), (file.name, name)
            if file.name != "post.py" and isinstance(node, ast.Attribute):
                assert node.attr not in {"now", "today", "utcnow", "time", "monotonic"} or _is_field(node), file.name


def _is_field(node: ast.Attribute) -> bool:
    return not (isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date", "time"})
