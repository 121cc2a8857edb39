"""Time passes by events: a due wait becomes one DeadlinePassed, however often and by whomever it is told."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select, text

from schemas import codec
from schemas.errors import Unavailable
from schemas.events import DeadlinePassed
from schemas.readmodel import event, parcel_case, watch
from services.custody import ticker
from services.custody.refresh import Refresher
from services.custody.ticker import Ticker, deadline_passed
from services.log.table import TableLog
from tests.projecting import project_all
from tests.records import ANNOUNCED, DAY_0, GOOD, POLICY, append, enrolment, entry
from tests.records import event as scan


def at(days: float) -> Callable[[], datetime]:
    return lambda: DAY_0 + timedelta(days=days)


def door(engine: Engine, days: float, told: list[str]) -> Callable[[codec.Envelope], None]:
    """A write door whose clock stands."""
    log = TableLog(engine)

    def accept(envelope: codec.Envelope) -> None:
        recorded = {name: getattr(envelope, name) for name in envelope.__struct_fields__}
        recorded["recordedtime"] = codec.format_instant(at(days)())
        log.append([entry(codec.Envelope(**recorded))])
        told.append(envelope.id)

    return accept


def promise(engine: Engine) -> None:
    """A parcel taken over on day 1, promised within 48 hours, deemed lost 30 days after that."""
    append(
        engine,
        enrolment(),
        scan("s1", "policy:DEFAULT", POLICY, deemed_lost_hours=720),
        scan("a1", "yto:YT1", ANNOUNCED, promised_after_hours=48),
        scan("e1", "yto:YT1", at=1),
    )
    catch_up(engine)


def catch_up(engine: Engine) -> None:
    project_all(engine)
    Refresher(engine).drain()


def waits(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(watch.c.deadline)).scalars())


def test_nothing_is_told_before_it_is_due(engine: Engine) -> None:
    promise(engine)
    told: list[str] = []

    assert Ticker(engine, door(engine, 2.9, told), at(2.9)).step() == 0

    assert told == []


def test_what_is_due_is_told_once_and_wakes_the_parcel(engine: Engine) -> None:
    promise(engine)
    told: list[str] = []
    late = Ticker(engine, door(engine, 3.1, told), at(3.1))

    assert late.step() == 1
    assert late.step() == 0

    catch_up(engine)
    with engine.connect() as connection:
        types = list(connection.execute(select(event.c.type).order_by(event.c.record_time.desc())).scalars())
    assert types[0] == DeadlinePassed.TYPE
    assert waits(engine) == ["deemed_lost"]


def test_a_ticker_that_died_before_its_note_sends_a_repeat(engine: Engine) -> None:
    promise(engine)
    told: list[str] = []
    with engine.connect() as connection:
        row = connection.execute(select(watch)).one()
    # Recorded, and then the process was gone.
    door(engine, 3.1, told)(deadline_passed(row.subject, row.deadline, row.due))

    Ticker(engine, door(engine, 3.2, told), at(3.2)).step()

    catch_up(engine)
    assert len(set(told)) == 1
    with engine.connect() as connection:
        standings = list(
            connection.execute(
                select(event.c.standing).where(event.c.type == DeadlinePassed.TYPE).order_by(event.c.offset)
            ).scalars()
        )
    assert standings == ["event", "repeat"]


def test_a_parcel_delivered_in_time_is_not_told_of(engine: Engine) -> None:
    promise(engine)
    append(
        engine,
        enrolment("RCP.APP", party="RCP"),
        scan(
            "e2",
            "yto:YT1",
            at=2,
            source="/depots/RCP/devices/APP",
            mode="HUMAN_INSPECT",
            taker="RCP",
            giver="C1",
            observations=GOOD,
        ),
    )
    catch_up(engine)
    assert waits(engine) == ["promised_time"]  # a clean scan moves no wait
    told: list[str] = []

    assert Ticker(engine, door(engine, 3.1, told), at(3.1)).step() == 0

    assert told == []
    assert waits(engine) == []


def test_a_scan_recorded_after_the_instant_does_not_hide_that_it_passed(engine: Engine) -> None:
    promise(engine)
    append(engine, scan("e2", "yto:YT1", at=3.05, mode="HUMAN_SCAN", taker="H1"))
    catch_up(engine)
    told: list[str] = []

    assert Ticker(engine, door(engine, 3.1, told), at(3.1)).step() == 1


def test_a_door_that_is_away_loses_no_deadline(engine: Engine) -> None:
    promise(engine)

    def away(envelope: codec.Envelope) -> None:
        raise Unavailable("no log")

    with pytest.raises(Unavailable):
        Ticker(engine, away, at(3.1)).step()
    told: list[str] = []

    assert Ticker(engine, door(engine, 3.2, told), at(3.2)).step() == 1


def test_in_the_end_a_parcel_that_nobody_saw_again_has_a_case(engine: Engine) -> None:
    promise(engine)
    told: list[str] = []
    for days in (3.1, 60, 120):
        Ticker(engine, door(engine, days, told), at(days)).step()
        catch_up(engine)

    with engine.connect() as connection:
        kinds = connection.execute(select(parcel_case.c.kinds)).scalar_one()
    assert "LOSS" in kinds
    assert waits(engine) == []


def test_only_one_ticker_ticks(engine: Engine) -> None:
    promise(engine)
    told: list[str] = []
    stop = threading.Event()
    with engine.connect() as other:
        other.execute(text(f"SELECT pg_advisory_lock({ticker._HOLDER_LOCK})"))
        waiting = threading.Thread(target=ticker.run, args=(engine, door(engine, 3.1, told), stop, at(3.1)))
        waiting.start()
        stop.wait(1.5)
        assert told == []
        other.rollback()
        other.execute(text(f"SELECT pg_advisory_unlock({ticker._HOLDER_LOCK})"))
    for _ in range(100):
        if told:
            break
        stop.wait(0.1)
    stop.set()
    waiting.join(20)

    assert not waiting.is_alive()
    assert len(told) == 1
