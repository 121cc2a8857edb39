"""Runs an evaluation over many seeds on several cores, and tells how far it is."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context

from msgspec import Struct, structs

from schemas.errors import LastintactError
from services.evaluate.report import Measured, Report
from services.evaluate.score import alarms, certain, is_wider, kept, misses, rows
from services.evaluate.targets import Target, with_noise, without_noise
from services.evaluate.trial import Answer, Result, run_seed
from services.simulate.habits import WATCHFUL, Habits
from services.simulate.noise import NONE, USUAL, Noise

WORKERS_MAX = 16


class EvaluationStoppedError(LastintactError):
    """The evaluation cannot go on as asked; the message says what to change."""


class Parameters(Struct, frozen=True, kw_only=True):
    """What to run."""

    seeds: int = 20
    seed_from: int = 1
    parcels: int = 160
    noise: Noise | None = USUAL
    """None: without noise only."""
    notices: float = WATCHFUL.notices
    """How many takers who do not examine a parcel note harm that shows."""
    workers: int = 0
    """Processes; 0: one for each core."""


def evaluate(parameters: Parameters, say: Callable[[str], object]) -> Report:
    """Run every seed without noise, and with it, and count. Equal parameters give equal counts.

    Raises `EvaluationStoppedError` when a process was ended from outside.
    """
    began = time.monotonic()
    habits = replace(WATCHFUL, notices=parameters.notices)
    seeds = range(parameters.seed_from, parameters.seed_from + parameters.seeds)
    noises = [NONE] if parameters.noise is None else [NONE, parameters.noise]
    jobs = [(seed, which) for seed in seeds for which in range(len(noises))]
    workers = min(parameters.workers or cores(), len(jobs), WORKERS_MAX)
    results: dict[tuple[int, int], Result] = {}
    say(f"{len(jobs)} days of {parameters.parcels} parcels with {workers} processes")
    for job, result in _run(jobs, parameters.parcels, habits, noises, workers):
        results[job] = result
        if len(results) % max(1, len(jobs) // 10) == 0:
            harmed = sum(len(each.answers) for each in results.values())
            say(f"  {len(results)} of {len(jobs)} days, {harmed:,} harmed parcels answered")
    honest = [results[seed, 0] for seed in seeds]
    answers = _answers(honest)
    report = Report(
        seeds=parameters.seeds,
        seed_from=parameters.seed_from,
        parcels_per_seed=parameters.parcels,
        notices=parameters.notices,
        noise=described(parameters.noise),
        seconds=round(time.monotonic() - began, 1),
        workers=workers,
        honest=_measure(honest, answers, parameters, without_noise(answers)),
    )
    if parameters.noise is None:
        return report
    noisy = [results[seed, 1] for seed in seeds]
    told = _answers(noisy)
    still = kept(answers, told)
    measured = _measure(noisy, told, parameters, with_noise(told, still))
    return structs.replace(report, noisy=measured, kept=still)


def noise_of(wrong: str, missing_scans: float, missing_looks: float, clocks_off: float) -> Noise:
    """The noise from per cents. Raises `EvaluationStoppedError` for a text that is no three of them."""
    try:
        five, four, three = (float(part) / 100 for part in wrong.split(","))
    except ValueError:
        raise EvaluationStoppedError(
            f"{wrong} is no list of three per cents. Give --wrong as those of grade 5, 4 and 3, such as 0.1,0.5,3."
        ) from None
    if not all(0 <= chance <= 1 for chance in (five, four, three)):
        raise EvaluationStoppedError(f"{wrong} has a share below 0 or above 100 per cent in it. Correct --wrong.")
    return Noise(
        wrong={5: five, 4: four, 3: three},
        missing_scans=missing_scans / 100,
        missing_looks=missing_looks / 100,
        clocks_off=clocks_off / 100,
    )


def described(noise: Noise | None) -> dict[str, str]:
    """The noise in words."""
    if noise is None:
        return {}
    wrong = ", ".join(
        f"{100 * chance:g} % at grade {grade}" for grade, chance in sorted(noise.wrong.items(), reverse=True)
    )
    return {
        "wrong looks": wrong or "none",
        "missing scans": f"{100 * noise.missing_scans:g} %",
        "missing looks": f"{100 * noise.missing_looks:g} %",
        "clocks off": f"{100 * noise.clocks_off:g} %",
    }


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run(
    jobs: Sequence[tuple[int, int]], parcels: int, habits: Habits, noises: Sequence[Noise], workers: int
) -> Iterator[tuple[tuple[int, int], Result]]:
    if workers == 1:
        for job in jobs:
            yield job, run_seed(job[0], parcels, habits, noises[job[1]])
        return
    # Processes that start afresh: a copy of this one would carry its threads' locks along.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(run_seed, job[0], parcels, habits, noises[job[1]]): job for job in jobs}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        except BrokenProcessPool as error:
            raise EvaluationStoppedError(
                "A process of the evaluation was ended from outside, maybe for want of memory. Give fewer --workers, "
                "or fewer --parcels for each of more --seeds."
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _answers(results: Iterable[Result]) -> list[Answer]:
    return [answer for result in results for answer in result.answers]


def _measure(
    results: Sequence[Result], answers: Sequence[Answer], parameters: Parameters, targets: tuple[Target, ...]
) -> Measured:
    return Measured(
        parcels=parameters.parcels * len(results),
        events=sum(result.events for result in results),
        rows=rows(answers),
        certain=certain(answers),
        alarms=alarms(results),
        misses=misses(answers),
        targets=targets,
        wrong=tuple(answer for answer in answers if _is_to_look_at(answer)),
    )


def _is_to_look_at(answer: Answer) -> bool:
    unsure = answer.owed and answer.confidence != "HIGH"
    outside = bool(answer.proved) and answer.culprit not in answer.proved
    return unsure or outside or is_wider(answer) or (bool(answer.liable) and not answer.is_among)
