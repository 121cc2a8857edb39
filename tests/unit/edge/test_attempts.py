"""How many wrong keys are too many."""

import pytest

from services.edge import attempts
from services.edge.attempts import PER_ADDRESS_MAX, PER_KEY_MAX, WINDOW_SECONDS, Attempts


def fail(tracked: Attempts, times: int, *, address: str = "a", key_id: str = "k", now: float = 0.0) -> None:
    for _ in range(times):
        tracked.failed(address, key_id, now)


def test_a_few_wrong_keys_do_not_wait() -> None:
    tracked = Attempts()

    fail(tracked, PER_KEY_MAX - 1)

    assert tracked.wait_seconds("a", "k", 0.0) == 0


def test_too_many_wait_until_the_window_ends() -> None:
    tracked = Attempts()

    fail(tracked, PER_KEY_MAX)

    assert tracked.wait_seconds("a", "k", 1.0) == WINDOW_SECONDS - 1
    assert tracked.wait_seconds("a", "k", WINDOW_SECONDS) == 0


def test_a_new_window_counts_from_nothing() -> None:
    tracked = Attempts()
    fail(tracked, PER_KEY_MAX)

    fail(tracked, 1, now=WINDOW_SECONDS)

    assert tracked.wait_seconds("a", "k", WINDOW_SECONDS) == 0


def test_the_same_key_from_another_address_does_not_wait() -> None:
    tracked = Attempts()

    fail(tracked, PER_KEY_MAX)

    assert tracked.wait_seconds("b", "k", 0.0) == 0


def test_another_key_of_the_same_depot_does_not_wait() -> None:
    tracked = Attempts()

    fail(tracked, PER_KEY_MAX)

    assert tracked.wait_seconds("a", "other", 0.0) == 0


def test_guessing_ids_stops_the_address_but_not_the_keys_that_have_worked_there() -> None:
    tracked = Attempts()
    tracked.succeeded("a", "good")

    for guess in range(PER_ADDRESS_MAX):
        tracked.failed("a", f"guess-{guess}", 0.0)

    assert tracked.wait_seconds("a", "unseen", 0.0) > 0
    assert tracked.wait_seconds("a", "good", 0.0) == 0


def test_a_key_that_goes_wrong_is_no_longer_one_that_has_worked() -> None:
    tracked = Attempts()
    tracked.succeeded("a", "revoked")
    tracked.failed("a", "revoked", 0.0)

    for guess in range(PER_ADDRESS_MAX):
        tracked.failed("a", f"guess-{guess}", 0.0)

    assert tracked.wait_seconds("a", "revoked", 0.0) > 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_TRACKED_MAX", 10)
    tracked = Attempts()

    for address in range(100):
        fail(tracked, 1, address=str(address))
        tracked.succeeded(str(address), "good")

    assert len(tracked._failures) <= 10
    assert len(tracked._proven) <= 10
