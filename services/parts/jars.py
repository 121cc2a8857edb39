"""The Kafka broker's jars: fetched once into a cache, never run unless their SHA-256 is the locked one.

    python -m services.parts.jars               fetch what is missing, print the cache's path
    python -m services.parts.jars --copy DIR    the same, then copy them to DIR (for an image)
    python -m services.parts.jars --lock        resolve the roots anew and rewrite the lock (a developer's command)

The lock `kafka_jars.lock` has one line per jar, `sha256  group:artifact:version`, and names no host: which repository
serves Maven coordinates is jgo's business. jgo is imported here and nowhere else.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.parts.processes import PartFailed, Say, say_nothing

ROOTS = (
    "org.apache.kafka:kafka_2.13:4.1.1",
    # `kafka.tools.StorageTool`, which formats the log directory.
    "org.apache.kafka:kafka-tools:4.1.1",
)
# Without this binding slf4j drops every line, and a broker that does not start would not say why. Taken alone: what it
# needs is among the broker's jars, and resolved as a third root its parent's managed versions would displace Kafka's
# own.
LOG_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"
LOCK = Path(__file__).with_name("kafka_jars.lock")

_TRIES = 3
_REQUEST_SECONDS = 30
# Few enough to be a polite client, enough to hide the round trips of 90 small files.
_FETCHERS = 8


@dataclass(frozen=True)
class Jar:
    """One locked jar."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        """Its file name, unique in the lock."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def coordinate(self) -> str:
        """Its Maven coordinate."""
        return f"{self.group}:{self.artifact}:{self.version}"


def default_cache() -> Path:
    """The user's cache directory for fetched jars, shared by every checkout: the lock decides what is used from it."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "lastintact" / "jars"


def read_lock(lock: Path = LOCK) -> list[Jar]:
    """The locked jars; PartFailed names the line that cannot be read."""
    jars: list[Jar] = []
    for number, line in enumerate(lock.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        digest, _, coordinate = line.partition("  ")
        parts = coordinate.split(":")
        if len(digest) != 64 or len(parts) != 3:
            raise PartFailed(
                f"{lock.name} line {number} is not `sha256  group:artifact:version`: restore the file from git."
            )
        jars.append(Jar(parts[0], parts[1], parts[2], digest))
    return jars


def fetch(cache: Path | None = None, say: Say = say_nothing) -> list[Path]:
    """Every locked jar as a verified file in the cache, fetching what is missing; raise PartFailed when one cannot be
    had.

    Safe to call from several processes at once: a file appears under its name whole or not at all.
    """
    directory = cache or default_cache()
    directory.mkdir(parents=True, exist_ok=True)
    jars = read_lock()
    missing = [jar for jar in jars if not _is_good(directory / jar.name, jar)]
    if missing:
        say(f"fetching {len(missing)} of {len(jars)} Kafka jars into {directory} (once; 54 MB in all)")
        _fetch_all(missing, directory, say)
    return [directory / jar.name for jar in jars]


def _is_good(path: Path, jar: Jar) -> bool:
    return path.is_file() and _sha256(path) == jar.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch_all(missing: Sequence[Jar], directory: Path, say: Say) -> None:
    with (
        tempfile.TemporaryDirectory(prefix=".fetching-", dir=directory) as scratch,
        ThreadPoolExecutor(_FETCHERS) as pool,
    ):
        waiting = [pool.submit(_fetch_one, jar, directory, Path(scratch)) for jar in missing]
        try:
            for count, done in enumerate(as_completed(waiting), 1):
                done.result()
                if count % 20 == 0 or count == len(missing):
                    say(f"fetched {count} of {len(missing)} Kafka jars")
        except PartFailed:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch_one(jar: Jar, directory: Path, scratch: Path) -> None:
    fault = ""
    for attempt in range(_TRIES):
        try:
            fetched = _download(jar, scratch / f"{jar.name}.{attempt}")
        except OSError as error:
            fault = str(error)
            continue
        found = _sha256(fetched)
        if found == jar.sha256:
            fetched.replace(directory / jar.name)
            return
        fault = f"its SHA-256 is {found}, locked is {jar.sha256}"
    raise PartFailed(
        f"The Kafka jar {jar.coordinate} could not be fetched in {_TRIES} tries: {fault}. "
        "Check the network and try again; fetched jars are kept. Without Kafka everything but `--kafka` works."
    )


def _download(jar: Jar, repository: Path) -> Path:
    """Fetch one jar into a repository of its own; every way to fail becomes an OSError."""
    maven = _jgo_maven()
    context = maven.MavenContext(repo_cache=repository, timeout=_REQUEST_SECONDS)
    try:
        return Path(context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())
    except (RuntimeError, ValueError) as error:  # "not found", "checksum differs"; requests' own errors are OSErrors
        raise OSError(str(error)) from error


def _jgo_maven() -> Any:
    try:
        import jgo.maven
    except ModuleNotFoundError as error:
        raise PartFailed("Kafka's jars need jgo: `pip install 'lastintact[broker]'`.") from error
    return jgo.maven


def write_lock(cache: Path | None = None, say: Say = say_nothing) -> None:
    """Resolve the roots to exact jars, fetch them, and write their hashes to the lock. Review the difference before
    committing it.
    """
    import jgo

    say(f"resolving {', '.join(ROOTS)}")
    artifacts = jgo.resolve("+".join(ROOTS))
    coordinates = [f"{found.groupId}:{found.artifactId}:{found.version}" for found in artifacts]
    jars = []
    for coordinate in sorted([*coordinates, LOG_BINDING]):
        group, artifact, version = coordinate.split(":")
        jars.append(Jar(group, artifact, version, sha256=""))
    if len({jar.name for jar in jars}) != len(jars) or any(found.classifier for found in artifacts):
        raise PartFailed("Two jars share a file name, or one has a classifier: the lock format must learn that first.")
    directory = cache or default_cache()
    directory.mkdir(parents=True, exist_ok=True)
    lines = [
        "# The jars of a one-node Kafka broker. Written by `make lock-jars`; do not edit.",
        *(f"# root {root}" for root in (*ROOTS, LOG_BINDING)),
    ]
    with (
        tempfile.TemporaryDirectory(prefix=".fetching-", dir=directory) as scratch,
        ThreadPoolExecutor(_FETCHERS) as pool,
    ):
        fetched = list(pool.map(lambda jar: _download(jar, Path(scratch) / jar.name), jars))
        for jar, path in zip(jars, fetched, strict=True):
            lines.append(f"{_sha256(path)}  {jar.coordinate}")
            path.replace(directory / jar.name)
    LOCK.write_text("\n".join(lines) + "\n", encoding="utf-8")
    say(f"locked {len(jars)} jars in {LOCK.name}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command of this module; exit code 1 with a sentence when a jar cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m services.parts.jars", description="Fetch the Kafka broker's jars.")
    parser.add_argument("--copy", type=Path, metavar="DIR", help="copy the jars to DIR as well")
    parser.add_argument("--lock", action="store_true", help="resolve the roots anew and rewrite the lock")
    options = parser.parse_args(arguments)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        if options.lock:
            write_lock(say=say)
        paths = fetch(say=say)
        if options.copy is not None:
            options.copy.mkdir(parents=True, exist_ok=True)
            for path in paths:
                shutil.copyfile(path, options.copy / path.name)
    except PartFailed as fault:
        print(fault, file=sys.stderr)
        return 1
    print(options.copy or paths[0].parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
