"""Runs the demo from start to end, and stops everything it started, whichever way it ends."""

import contextlib
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self

from schemas.errors import LastintactError
from services.demo import cases, report
from services.demo.cases import Cases
from services.demo.client import Client, UnexpectedAnswerError
from services.demo.client import Progress as Seen
from services.demo.progress import Progress
from services.demo.score import score, score_lines
from services.embedded import Embedded
from services.parts.processes import PartFailed, tail
from services.simulate.day import Day, generate
from services.simulate.network import CLAIMS_DESK, OFFICE
from services.simulate.post import Tally, post

SEED = 1
# Far above what a day of 2,000 parcels needs on two cores; a system that takes longer is stuck.
ATTRIBUTED_SECONDS_MAX = 150.0
# The supervisor looks once a second and may be starting a part just then.
_WATCH_STOP_SECONDS = 5.0
INTERRUPTED = 130


def run(*, kafka: bool, parcels: int = 2000) -> int:
    """Run it and print; the exit code is 0 only when everything was recorded, attributed and answered."""
    progress = Progress()
    try:
        with _terminated_as_interrupt(), tempfile.TemporaryDirectory(prefix="lastintact-demo-") as folder:
            return _run(Path(folder), kafka, parcels, progress)
    except KeyboardInterrupt:
        progress.say("Interrupted; everything that was started is stopped.")
        return INTERRUPTED
    except (LastintactError, PartFailed) as error:
        progress.say(f"lastintact demo: {error}")
        return 1


def _run(folder: Path, kafka: bool, parcels: int, progress: Progress) -> int:
    began = time.monotonic()
    now = datetime.now(UTC)
    progress.say(f"Writing a simulated day of {parcels} parcels (seed {SEED})")
    day, told = generate(SEED, parcels, now), cases.write(now)
    with Embedded(folder, kafka=kafka, say=progress.say) as system, _Watch(system) as watch:
        try:
            lines = _tell_and_ask(system, day, told, progress, watch)
        except LastintactError:
            for log in sorted((folder / "logs").glob("*.log")):
                progress.say(f"--- {log.name} ends:\n{tail(log)}")
            raise
    through = "Kafka and the Faust worker" if kafka else "the table log in Postgres"
    lines += [f"  through {through}; all of it took {time.monotonic() - began:.0f} s, start and stop included"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


class _Watch:
    """Has the system's parts watched and restarted while the demo talks to it, as `lastintact up` does."""

    def __init__(self, system: Embedded) -> None:
        self._system = system
        self._stop = threading.Event()
        self._failure: PartFailed | None = None
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Before the system is stopped: a part that ends then must not be started again.
        self._stop.set()
        self._thread.join(_WATCH_STOP_SECONDS)

    def check(self) -> None:
        """Raise `PartFailed` when a part has ended again and again."""
        if self._failure is not None:
            raise self._failure

    def _watch(self) -> None:
        try:
            self._system.supervise(self._stop)
        except PartFailed as error:
            self._failure = error


def _tell_and_ask(system: Embedded, day: Day, told: Cases, progress: Progress, watch: _Watch) -> list[str]:
    """Post everything, wait until it is attributed, and write down the answers."""
    everything = told.envelopes + day.envelopes
    keys = _keys(system, told, day)
    progress.say(f"Posting {len(everything)} events to {system.url}/v1/events")
    began = time.monotonic()
    tally = post(
        system.url,
        keys,
        everything,
        on_progress=lambda tally: progress.update(f"  {tally.events} of {len(everything)} events answered"),
    )
    _check(tally, len(everything))
    progress.say(f"{tally.outcomes['recorded']} events recorded; waiting until their verdicts are there")
    with Client(system.url, system.admin_key) as client:

        def tell(seen: Seen) -> None:
            watch.check()
            progress.update(f"  projected {seen.projected}; {seen.stale} verdicts to refresh")

        attributed = client.wait_until_attributed(str(tally.positions), ATTRIBUTED_SECONDS_MAX, tell)
        seconds = time.monotonic() - began
        if not attributed:
            raise UnexpectedAnswerError(f"Not everything was attributed within {ATTRIBUTED_SECONDS_MAX:.0f} s.")
        progress.say("Everything is attributed; asking")
        return [*_answers(client, day, told), "", "Summary", *_counts(tally, len(everything), day.repeats, seconds)]


def _answers(client: Client, day: Day, told: Cases) -> list[str]:
    rules = client.rules()
    lines: list[str] = []
    for case in told.all:
        verdicts = client.verdicts(case.parcel)
        if not verdicts:
            raise UnexpectedAnswerError(f"There is no verdict about {case.parcel}, though its recipient saw harm.")
        if case is told.guzheng:
            if verdicts[0].last_seen_intact is None or not verdicts[0].liable:
                raise UnexpectedAnswerError("The guzheng's verdict names no witness or nobody liable.")
            lines += report.case_block(case, client.events(case.parcel), client.looks(case.parcel), verdicts, rules)
        else:
            lines += report.short_block(case, verdicts, rules)
        lines += ["", ""]
    simulated = set(day.parcels)
    result = score(
        len(day.parcels),
        day.harms,
        {harm.parcel: client.verdicts(harm.parcel) for harm in day.harms if harm.reported},
        [subject for subject in client.cases() if subject in simulated],
    )
    return [*lines, f"A simulated day of {len(day.parcels)} parcels against its truth", *score_lines(result)]


def _counts(tally: Tally, events: int, repeats: int, seconds: float) -> Sequence[str]:
    recorded, duplicates = tally.outcomes["recorded"], tally.outcomes["duplicate"]
    return (
        f"  events posted: {events}, {repeats} of them for the second time",
        f"  recorded: {recorded}; duplicates: {duplicates} (a repeat that came too soon to be seen as one is recorded)",
        f"  from the first POST to everything attributed: {seconds:.1f} s, {events / seconds:.0f} events/s",
    )


def _check(tally: Tally, events: int) -> None:
    good = tally.outcomes["recorded"] + tally.outcomes["duplicate"]
    if good != events:
        raise UnexpectedAnswerError(
            f"Of {events} events {events - good} were neither recorded nor duplicates: "
            f"{dict(tally.outcomes)}. {'; '.join(tally.reasons)}"
        )


def _keys(system: Embedded, told: Cases, day: Day) -> dict[str, str]:
    """An API key for every depot, as a real installation would hand them out."""
    store = system.keys()
    keys = {
        depot: store.add(role="scanner", label=f"demo, {depot}", depot=depot).text
        for depot in (*told.depots, *day.network.depots)
    }
    for desk, role in ((OFFICE, "ops"), (CLAIMS_DESK, "claims")):
        keys[desk.depot] = store.add(role=role, label=f"demo, {desk.depot}", depot=desk.depot).text
    return keys


@contextlib.contextmanager
def _terminated_as_interrupt() -> Iterator[None]:
    """Being told to end is like Ctrl-C: everything is stopped on the way out."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
