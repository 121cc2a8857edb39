"""Keys in a real database: made, listed, revoked, looked up, and worth nothing in a dump."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from schemas.errors import Unavailable
from services.edge.attempts import PER_KEY_MAX, WINDOW_SECONDS
from services.edge.callers import Caller, Role
from services.edge.database import make_engine
from services.edge.keyring import CACHE_SECONDS, KeyRing, TooManyAttempts, Unauthenticated
from services.edge.keys import BadKeyRequest, KeyStore, load_pepper

ADDRESS = "192.0.2.1"


@dataclass
class Keys:
    """A store and a ring over one database, with clocks that the test moves."""

    engine: Engine
    pepper_file: Path

    def __post_init__(self) -> None:
        self.store = KeyStore(self.engine, self.pepper_file)
        self.now = datetime(2026, 7, 7, tzinfo=UTC)
        self.seconds = 0.0
        self.ring = self.new_ring(load_pepper(self.pepper_file))
        self.queries = 0
        event.listen(self.engine, "after_execute", self._count)

    def new_ring(self, pepper: bytes) -> KeyRing:
        """A ring as another process has it."""
        return KeyRing(self.engine, pepper, clock=lambda: self.now, monotonic=lambda: self.seconds)

    def refuses(self, key: str) -> bool:
        """Whether the ring does not take the key."""
        try:
            self.ring.authenticate(key, ADDRESS)
        except Unauthenticated:
            return True
        return False

    def _count(self, *_: Any) -> None:
        self.queries += 1


@pytest.fixture
def keys(database_url: str, tmp_path: Path) -> Iterator[Keys]:
    """No key yet."""
    engine = make_engine(database_url)
    yield Keys(engine, tmp_path / "pepper")
    engine.dispose()


def test_a_key_stands_for_its_caller(keys: Keys) -> None:
    made = keys.store.add(role="scanner", label="dock 2", depot="H1", party="H1", devices=("SC07", "SC08"))

    assert keys.ring.authenticate(made.text, ADDRESS) == Caller(
        made.key_id, Role.SCANNER, depot="H1", party="H1", devices=("SC07", "SC08")
    )


def test_keys_are_listed_without_their_secrets(keys: Keys) -> None:
    expires = keys.now + timedelta(days=1)
    first = keys.store.add(role="admin", label="first")
    second = keys.store.add(role="scanner", label="second", depot="H1", expires=expires)

    listed = keys.store.list()

    assert [(row.key_id, row.role, row.label, row.depot, row.expires, row.revoked) for row in listed] == [
        (first.key_id, Role.ADMIN, "first", None, None, None),
        (second.key_id, Role.SCANNER, "second", "H1", expires, None),
    ]
    assert all(made.text.partition(".")[2] not in repr(listed) for made in (first, second))


def test_a_dump_of_the_database_holds_no_usable_key(keys: Keys) -> None:
    made = keys.store.add(role="admin", label="first")
    with keys.engine.connect() as connection:
        dump = "\n".join(connection.execute(text("SELECT k::text FROM access.api_key AS k")).scalars())
        (stored,) = connection.execute(text("SELECT encode(secret_hash, 'hex') FROM access.api_key")).scalars()

    secret = made.text.partition(".")[2]
    assert stored in dump
    assert secret not in dump
    assert secret.encode().hex() not in dump
    # What a dump does hold opens nothing, neither here nor where another pepper is used.
    assert keys.refuses(f"li_{made.key_id}.{stored[:43]}")
    elsewhere = keys.new_ring(load_pepper(keys.pepper_file.with_name("other")))
    with pytest.raises(Unauthenticated):
        elsewhere.authenticate(made.text, ADDRESS)


def test_a_hash_moved_to_another_row_opens_nothing(keys: Keys) -> None:
    mine = keys.store.add(role="scanner", label="mine", depot="H1")
    admin = keys.store.add(role="admin", label="admin")
    with keys.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE access.api_key SET secret_hash = (SELECT secret_hash FROM access.api_key WHERE key_id = :mine)"
                " WHERE key_id = :admin"
            ),
            {"mine": mine.key_id, "admin": admin.key_id},
        )

    assert keys.refuses(f"li_{admin.key_id}.{mine.text.partition('.')[2]}")


def test_no_two_keys_are_alike(keys: Keys) -> None:
    made = [keys.store.add(role="ops", label="test") for _ in range(20)]

    assert len({key.key_id for key in made}) == len({key.text.partition(".")[2] for key in made}) == 20


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"role": "root"}, "no role"),
        ({"role": "scanner"}, "bound to a depot"),
        ({"role": "claims", "devices": ("SC07",)}, "name the depot too"),
        ({"role": "scanner", "depot": "H 1"}, "no name"),
        ({"role": "scanner", "depot": "H1", "devices": ("../x",)}, "no name"),
        ({"role": "ops", "party": ""}, "no name"),
        ({"role": "ops", "expires": datetime(2026, 1, 1)}, "no zone"),  # noqa: DTZ001 - that is the fault
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(keys: Keys, wanted: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadKeyRequest, match=sentence):
        keys.store.add(label="test", **wanted)

    assert keys.store.list() == ()


def test_a_key_is_revoked_once(keys: Keys) -> None:
    made = keys.store.add(role="ops", label="test")

    assert keys.store.revoke(made.key_id)
    assert not keys.store.revoke(made.key_id)
    assert not keys.store.revoke("0" * 16)
    assert keys.store.list()[0].revoked is not None


def test_a_revocation_is_seen_when_the_cache_time_is_over(keys: Keys) -> None:
    made = keys.store.add(role="ops", label="test")
    keys.ring.authenticate(made.text, ADDRESS)
    keys.store.revoke(made.key_id)

    keys.seconds = CACHE_SECONDS

    assert keys.refuses(made.text)


def test_a_key_in_use_is_looked_up_once_per_cache_time(keys: Keys) -> None:
    made = keys.store.add(role="ops", label="test")
    keys.queries = 0

    for _ in range(50):
        keys.ring.authenticate(made.text, ADDRESS)
    assert keys.queries == 1
    keys.seconds = CACHE_SECONDS
    keys.ring.authenticate(made.text, ADDRESS)
    assert keys.queries == 2


def test_an_expiry_is_exact_although_the_key_is_cached(keys: Keys) -> None:
    made = keys.store.add(role="ops", label="test", expires=keys.now + timedelta(seconds=1))
    keys.ring.authenticate(made.text, ADDRESS)

    keys.now += timedelta(seconds=1)

    assert keys.refuses(made.text)


def test_after_too_many_wrong_secrets_wrong_ones_wait_there_and_the_right_one_passes(keys: Keys) -> None:
    made = keys.store.add(role="ops", label="test")
    wrong = f"li_{made.key_id}." + "x" * 43
    for _ in range(PER_KEY_MAX):
        assert keys.refuses(wrong)

    with pytest.raises(TooManyAttempts) as caught:
        keys.ring.authenticate(wrong, ADDRESS)

    assert caught.value.retry_after_seconds == WINDOW_SECONDS
    # The id stands in every record: knowing it must not be enough to lock its holder out.
    assert keys.ring.authenticate(made.text, ADDRESS).key_id == made.key_id
    keys.seconds = WINDOW_SECONDS
    assert keys.refuses(wrong)


def test_a_database_that_is_away_is_not_a_wrong_key(tmp_path: Path) -> None:
    nowhere = make_engine("postgresql+psycopg://nobody@/nothing?host=/nonexistent")
    ring = KeyRing(nowhere, load_pepper(tmp_path / "pepper"))

    with pytest.raises(Unavailable):
        ring.authenticate("li_" + "0" * 16 + "." + "x" * 43, ADDRESS)
