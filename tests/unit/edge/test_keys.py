"""What a key looks like, how it is hashed, and how the pepper comes to be."""

import stat
import threading
from pathlib import Path

import pytest

from services.edge.keys import keyed_hash, load_pepper, parse_key

KEY = "li_" + "0" * 16 + "." + "s" * 43


def test_a_key_is_its_id_and_its_secret() -> None:
    assert parse_key(KEY) == ("0" * 16, "s" * 43)


@pytest.mark.parametrize(
    "text",
    ["", "li_", KEY[:-1], KEY + "s", KEY + "\n", " " + KEY, KEY.upper(), KEY.replace(".", ":"), KEY.replace("s", "é")],
)
def test_what_is_not_shaped_like_a_key_is_none(text: str) -> None:
    assert parse_key(text) is None


def test_the_hash_depends_on_pepper_id_and_secret() -> None:
    hashes = {keyed_hash(pepper, key, secret) for pepper in (b"p", b"q") for key in ("a", "b") for secret in ("x", "y")}

    assert len(hashes) == 8


def test_the_pepper_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "pepper"

    first = load_pepper(path)

    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_pepper(path) == first
    assert [file.name for file in path.parent.iterdir()] == ["pepper"]


def test_processes_that_start_at_once_share_one_pepper(tmp_path: Path) -> None:
    path, found = tmp_path / "pepper", set()
    start = threading.Barrier(8)

    def load() -> None:
        start.wait()
        found.add(load_pepper(path))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 1


def test_a_pepper_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pepper"
    load_pepper(path)
    path.chmod(0o666)

    with pytest.raises(PermissionError, match="chmod 600"):
        load_pepper(path)


def test_a_short_pepper_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pepper"
    path.write_text("abcd\n")
    path.chmod(0o600)

    with pytest.raises(ValueError, match="fewer than 32 bytes"):
        load_pepper(path)
