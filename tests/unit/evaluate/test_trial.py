"""Small days through the core, their answers against the truth; and the command that does it with many."""

import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from schemas import codec
from schemas.events import Event, HandoffAccepted, ItemScanned, NoticeGiven, Observation, Reservation
from schemas.positions import Position
from schemas.vocabulary import RECIPIENT, CaptureMode, Condition, Facet
from services.cli import app
from services.custody.core.facts import Fact, fact_of
from services.evaluate import Parameters, evaluate, noise_of
from services.evaluate.gather import record
from services.evaluate.run import EvaluationStoppedError
from services.evaluate.trial import END, first_bad, last_carrier, run_seed
from services.simulate.day import generate
from services.simulate.habits import WATCHFUL
from services.simulate.network import build
from services.simulate.noise import NONE, USUAL, Noise

BAD = (Observation(facet=Facet.OUTER, value=Condition.BAD),)
NETWORK = build(1, END, WATCHFUL)


def facts(*told: Event) -> list[Fact]:
    """One event each hour."""
    found = []
    for hour, data in enumerate(told):
        at = datetime(2026, 7, 8, hour, tzinfo=UTC)
        envelope = codec.Envelope(
            id=f"e{hour}", source="/depots/x/devices/y", type=data.TYPE, subject="sim:1", time=at.isoformat(),
            data=msgspec.json.encode(data), recordedtime=codec.format_instant(at), recordedby="test",
        )  # fmt: skip
        found.append(fact_of(Position(0, hour), at, codec.encode_record(envelope)))
    return found


def taken(taker: str, giver: str, seen: Sequence[Observation] = (), grounds: str | None = None) -> HandoffAccepted:
    noted = Reservation(facet=Facet.OUTER, grounds=grounds) if grounds else None
    mode = CaptureMode.HUMAN_INSPECT
    return HandoffAccepted(mode=mode, taker=taker, giver=giver, observations=tuple(seen), reservation=noted)


def test_the_last_carrier_to_sign_is_neither_the_recipient_nor_whoever_reads_a_label() -> None:
    told = facts(
        taken("SHA-S1", "SENDER"),
        taken("SHA-HUB", "SHA-S1"),
        ItemScanned(mode=CaptureMode.AUTO_SCAN, party="LINE-EAST"),
        taken(RECIPIENT, "SHA-HUB"),
    )

    assert last_carrier(told, NETWORK) == "SHA-HUB"
    assert last_carrier((), NETWORK) is None


@pytest.mark.parametrize(
    ("told", "party"),
    [
        ([taken("B", "A"), taken("C", "B", BAD), taken("D", "C", BAD)], "B"),
        ([taken("B", "A"), taken("C", "B", grounds="torn")], "B"),
        ([taken("B", "A", grounds="dark"), ItemScanned(mode=CaptureMode.AUTO_SCAN, party="B", observations=BAD)], "B"),
        ([taken("B", "A"), NoticeGiven(party=RECIPIENT, observations=BAD)], RECIPIENT),
        ([taken("B", "A")], None),
    ],
)
def test_the_first_bad_scan_accuses_the_giver_at_a_handoff_and_else_the_holder(
    told: list[Event], party: str | None
) -> None:
    assert first_bad(facts(*told)) == party


def test_a_parcels_evidence_has_the_events_of_every_unit_that_holds_it() -> None:
    day = generate(5, 40, END, WATCHFUL)
    recorded = record(day)

    nested = 0
    for parcel in day.parcels:
        evidence = recorded.evidence(parcel)
        code = parcel.partition(":")[2]
        units = {e.subject for e in day.scans if not e.subject.startswith("sim:") and code in e.subject}
        assert {fact.subject.upper() for fact in evidence.unit_facts} == {unit.upper() for unit in units}
        assert {fact.subject for fact in evidence.facts} == {evidence.subject}
        nested += len(units) > 1
    assert nested > 0


def test_recording_leaves_no_hole_in_any_partition() -> None:
    day = generate(5, 10, END, WATCHFUL)
    positions = sorted(fact.position for found in record(day).by_subject.values() for fact in found)

    assert len(positions) == len(day.envelopes)
    for before, after in itertools.pairwise(positions):
        assert after.partition > before.partition or after.offset == before.offset + 1


def test_equal_seeds_give_equal_results() -> None:
    assert run_seed(4, 12, WATCHFUL, USUAL) == run_seed(4, 12, WATCHFUL, USUAL)


def test_with_honest_observers_the_answers_reach_their_targets() -> None:
    report = evaluate(Parameters(seeds=2, seed_from=31, parcels=110, noise=None, workers=1), lambda _line: None)

    for target in report.honest.targets:
        assert target.met, target
    assert report.honest.rows[0].harmed > 5
    assert report.honest.alarms.with_verdict.part == 0


def test_wrong_looks_alone_raise_alarms_and_accuse_harmed_parcels_of_other_harms() -> None:
    results = [run_seed(seed, 40, WATCHFUL, Noise(wrong={3: 0.2, 4: 0.2, 5: 0.2})) for seed in (1, 2)]

    for result in results:
        harmed = {answer.parcel: answer for answer in result.answers}
        assert result.alarms
        assert not {alarm.parcel for alarm in result.alarms} & harmed.keys()
        assert result.strays
        assert {stray.parcel for stray in result.strays} <= harmed.keys()


def test_without_noise_no_sound_parcel_has_a_verdict_and_every_harm_is_asked_about() -> None:
    result = run_seed(9, 30, WATCHFUL, NONE)

    assert not result.alarms
    assert not result.strays
    assert len(result.answers) + result.sound == 30


@pytest.mark.parametrize("wrong", ["", "1,2", "a,b,c", "0.1,0.5,3,4", "0.1,0.5,300", "-1,0,0"])
def test_a_noise_that_is_no_list_of_three_per_cents_is_refused_in_words(wrong: str) -> None:
    with pytest.raises(EvaluationStoppedError, match="--wrong"):
        noise_of(wrong, 15, 0, 5)


def test_noise_is_told_in_per_cent() -> None:
    assert noise_of("0.1,0.5,3", 15, 0, 5) == USUAL


def test_the_command_prints_tables_and_writes_the_figures(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    options = "--seeds 2 --seed-from 3 --parcels 12 --workers 1 --notices 20 --wrong 1,2,4 --missing-scans 7"
    options += " --missing-looks 8 --clocks-off 9 --json"
    told = CliRunner().invoke(app, ["evaluate", *options.split(), str(file)])

    assert told.exit_code == 0, told.output
    for words in ("Without noise", "With noise", "last carrier", "first bad", "Targets with noise", "False alarms"):
        assert words in told.stdout
    assert "4 of 4 days" in told.stderr
    figures = json.loads(file.read_bytes())
    assert {
        name: figures[name] for name in ("seeds", "seed_from", "parcels_per_seed", "workers", "notices", "noise")
    } == {
        "seeds": 2,
        "seed_from": 3,
        "parcels_per_seed": 12,
        "workers": 1,
        "notices": 0.2,
        "noise": {
            "wrong looks": "1 % at grade 5, 2 % at grade 4, 4 % at grade 3",
            "missing scans": "7 %",
            "missing looks": "8 %",
            "clocks off": "9 %",
        },
    }
    assert figures["honest"]["rows"][-1]["harmed"] == figures["noisy"]["rows"][-1]["harmed"] > 0


def test_the_command_measures_without_noise_alone_and_on_several_processes() -> None:
    told = CliRunner().invoke(app, ["evaluate", "--honest", "--seeds", "2", "--parcels", "3", "--workers", "2"])

    assert told.exit_code == 0, told.output
    assert "With noise" not in told.stdout


@pytest.mark.parametrize(
    ("arguments", "named"), [(["--wrong", "much"], "--wrong"), (["--json", "/nonexistent/x.json"], "/nonexistent")]
)
def test_the_command_says_what_to_do_about_a_mistake(arguments: list[str], named: str) -> None:
    told = CliRunner().invoke(app, ["evaluate", "--seeds", "1", "--parcels", "1", "--workers", "1", *arguments])

    assert told.exit_code == 1
    assert named in told.stderr
    assert "Traceback" not in told.output
