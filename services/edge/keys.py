"""API keys `li_<key_id>.<secret>`: made, listed, revoked. Shown once, stored as keyed hashes.

The pepper lies in a file outside the database, so that a dump of the database holds nothing a guess could be tried on.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, insert, select, update

from schemas.errors import LastintactError
from schemas.readmodel import api_key
from services.edge.callers import Caller, Role
from services.edge.database import unavailable_when_lost

__all__ = [
    "BadKeyRequest",
    "Caller",
    "KeyRow",
    "KeyStore",
    "NewKey",
    "Role",
    "StoredKey",
    "keyed_hash",
    "load_pepper",
    "parse_key",
    "read_key",
]

_SECRET_BYTES = 32
_PEPPER_BYTES = 32
_KEY_ID_BYTES = 8
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_KEY = re.compile(r"li_([0-9a-f]{16})\.([A-Za-z0-9_-]{43})\Z")


class BadKeyRequest(LastintactError):
    """Such a key cannot be made. The message says what is missing or not a name."""


class NewKey(NamedTuple):
    """A key just made. `text` exists nowhere else and cannot be shown again."""

    key_id: str
    text: str


class KeyRow(NamedTuple):
    """What may be told of a key: everything but its hash."""

    key_id: str
    role: Role
    label: str
    depot: str | None
    party: str | None
    devices: tuple[str, ...]
    created: datetime
    expires: datetime | None
    revoked: datetime | None


class StoredKey(NamedTuple):
    """What a door needs of a key to know its holder again."""

    caller: Caller
    secret_hash: bytes
    expires: datetime | None
    revoked: datetime | None


class KeyStore:
    """The installation's keys, for whoever administers them. Every method raises `Unavailable` without the database."""

    def __init__(self, engine: Engine, pepper_file: Path) -> None:
        """Remember both; the pepper is made when the first key is."""
        self._engine = engine
        self._pepper_file = pepper_file

    def add(
        self,
        *,
        role: str,
        label: str,
        depot: str | None = None,
        party: str | None = None,
        devices: Sequence[str] = (),
        expires: datetime | None = None,
    ) -> NewKey:
        """Make a key and store its hash. Raises `BadKeyRequest`."""
        _check(role, depot, party, devices, expires)
        key_id, secret = secrets.token_hex(_KEY_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
        values = {
            "key_id": key_id,
            "secret_hash": keyed_hash(load_pepper(self._pepper_file), key_id, secret),
            "role": role,
            "label": label,
            "depot": depot,
            "party": party,
            "devices": [*devices],
            "expires": expires,
        }
        with unavailable_when_lost("adding a key"), self._engine.begin() as connection:
            connection.execute(insert(api_key).values(values))
        return NewKey(key_id, f"li_{key_id}.{secret}")

    def list(self) -> tuple[KeyRow, ...]:
        """Every key that was ever made, oldest first; revoked ones stay listed."""
        columns = [api_key.c[name] for name in KeyRow._fields]
        with unavailable_when_lost("listing keys"), self._engine.connect() as connection:
            rows = connection.execute(select(*columns).order_by(api_key.c.created, api_key.c.key_id)).all()
        return tuple(KeyRow(**row._asdict() | {"role": Role(row.role), "devices": tuple(row.devices)}) for row in rows)

    def revoke(self, key_id: str) -> bool:
        """End a key; False when there is no active one of this id."""
        active = (api_key.c.key_id == key_id) & api_key.c.revoked.is_(None)
        with unavailable_when_lost("revoking a key"), self._engine.begin() as connection:
            return connection.execute(update(api_key).where(active).values(revoked=datetime.now(UTC))).rowcount == 1


def read_key(engine: Engine, key_id: str) -> StoredKey | None:
    """The key of this id, ended or not; None when there is none. Raises `Unavailable`."""
    with unavailable_when_lost("looking up a key"), engine.connect() as connection:
        row = connection.execute(select(api_key).where(api_key.c.key_id == key_id)).first()
    if row is None:
        return None
    caller = Caller(row.key_id, Role(row.role), row.depot, row.party, tuple(row.devices))
    return StoredKey(caller, bytes(row.secret_hash), row.expires, row.revoked)


def load_pepper(path: Path) -> bytes:
    """The installation's pepper, made on first use: readable by its owner only, whoever comes first wins.

    Raises `PermissionError` when others may write it: they could make every key useless, or make keys of their own.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(_PEPPER_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link, not a rename: of two processes that start at once the second must not replace the first's.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o022:
        raise PermissionError(f"{path} can be written by others; make it yours alone: chmod 600")
    pepper = bytes.fromhex(path.read_text("utf-8").strip())
    if len(pepper) < _PEPPER_BYTES:
        raise ValueError(f"{path} holds fewer than {_PEPPER_BYTES} bytes in hexadecimal")
    return pepper


def parse_key(text: str) -> tuple[str, str] | None:
    """Key id and secret; None when the text has not the shape of a key."""
    found = _KEY.match(text)
    return (found[1], found[2]) if found else None


def keyed_hash(pepper: bytes, key_id: str, secret: str) -> bytes:
    """What is stored instead of the secret. The id is part of it: a hash copied to another row is of no use there."""
    return hmac.digest(pepper, f"{key_id}.{secret}".encode(), hashlib.sha256)


def _check(role: str, depot: str | None, party: str | None, devices: Sequence[str], expires: datetime | None) -> None:
    if role not in {known.value for known in Role}:
        raise BadKeyRequest(f"{role[:40]!r} is no role: use {', '.join(Role)}")
    if role == Role.SCANNER and depot is None:
        raise BadKeyRequest("a scanner key is bound to a depot: name it")
    if devices and depot is None:
        raise BadKeyRequest("devices are names at a depot: name the depot too")
    for name in (*(name for name in (depot, party) if name is not None), *devices):
        if not _NAME.match(name):
            raise BadKeyRequest(f"{name[:80]!r} is no name: use letters, digits, hyphen and underscore, at most 64")
    if expires is not None and expires.tzinfo is None:
        raise BadKeyRequest("the expiry has no zone")
