"""Runs mutmut over pure modules and prints, module by module, how many changes the tests noticed.

Exit code 0: of all changes at least `GOAL` were noticed, and `survivors.toml` gives a reason for each that was not.
Everything happens in a copy of the tree, `.mutation/`, which also remembers results: a run of the same modules goes on
where the last one ended, and does not try again what did not change. Without names all modules of
tests/unit/test_purity.py are taken, which takes hours: `--ending 7` tries of each function the changes 7, 17, 27 and so
on, a tenth of all.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.unit.test_purity import PURE

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".mutation"
COPIED = ("pyproject.toml", "schemas", "services", "tests")
SURVIVORS = Path(__file__).with_name("survivors.toml")
GOAL = 0.85
MUTMUT = (sys.executable, "-m", "tests.mutation.collected")

TESTS = (
    "tests/unit/custody/core",
    "tests/unit/schemas",
    "tests/unit/ingest/test_acceptance.py",
    "tests/unit/ingest/test_acceptance_names.py",
    "tests/unit/scenario",
    "tests/unit/test_refusals.py",
    "tests/scenarios/test_stories.py",
)
# Slow for what they would notice beside the others, or about the process that they run in.
LEFT_OUT = (
    "--ignore=tests/unit/custody/core/test_way_at_random.py",
    "--ignore=tests/unit/custody/core/test_laws_profile.py",
    "--ignore=tests/unit/custody/core/test_idle.py",
    "--ignore=tests/unit/schemas/test_asyncapi.py",
)

_SURVIVED, _UNTESTED = 0, (5, 33)
"""Exit codes that mutmut keeps: the tests passed; no test came by. All others noticed something, by failing, by not
coming to an end or by crashing."""


class Mutant(NamedTuple):
    """One changed function."""

    module: str
    name: str
    """As mutmut knows it."""
    outcome: str
    """killed, survived or untested."""

    @property
    def function(self) -> str:
        """The function's qualified name, in its module."""
        mangled = self.name.rpartition(".")[2].rpartition("__mutmut_")[0]
        return ".".join(mangled.split("ǁ")[1:]) if "ǁ" in mangled else mangled.removeprefix("x_")


class Survivor(NamedTuple):
    """A change that no test noticed, named so that renumbering others does not touch it."""

    module: str
    function: str
    change: str
    """The changed lines, the old ones after `-`, the new ones after `+`."""


def main(names: Sequence[str], ending: str = "") -> int:
    """Mutate, test, print; the exit code. `ending` is that of the numbers of the changes that are tried."""
    modules = sorted(names or PURE)
    _copy()
    _configure(modules)
    tried = [f"*__mutmut_{ending}", f"*__mutmut_*{ending}"] if ending else []
    done = subprocess.run([*MUTMUT, "run", *tried], cwd=WORK, env={**os.environ, "LASTINTACT_LAWS": "few"}, check=False)
    if done.returncode:
        return done.returncode
    mutants = [mutant for mutant in _results() if _is_asked_for(mutant.module, modules)]
    survivors = {mutant: _change(mutant) for mutant in mutants if mutant.outcome != "killed"}
    return _tell(mutants, survivors, _known())


def _copy() -> None:
    """A fresh copy; what mutmut made stays, and the times of the files say to it what changed."""
    WORK.mkdir(exist_ok=True)
    for name in COPIED:
        source, target = ROOT / name, WORK / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)


def _configure(modules: Iterable[str]) -> None:
    """Not in pyproject.toml: which modules are mutated differs from run to run."""
    options = {
        "source_paths": ["schemas", "services"],
        "only_mutate": [_pattern(module) for module in modules],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-p", "no:xdist"],
        "pytest_add_cli_args_test_selection": [*TESTS, *LEFT_OUT],
    }
    lines = ["[mutmut]"]
    for option, values in options.items():
        lines += [f"{option} =", *(f"    {value}" for value in values)]
    told, place = "\n".join(lines) + "\n", WORK / "setup.cfg"
    if not place.exists() or place.read_text(encoding="utf-8") != told:
        # mutmut takes over what it has: for other modules neither changes nor the tests that reach them would be found.
        shutil.rmtree(WORK / "mutants", ignore_errors=True)
    place.write_text(told, encoding="utf-8")


def _pattern(module: str) -> str:
    path = module.replace(".", "/")
    if (ROOT / f"{path}.py").is_file():
        return f"{path}.py"
    if (ROOT / path).is_dir():
        return f"{path}/*.py"
    raise SystemExit(f"There is no module {module}.")


def _results() -> Iterator[Mutant]:
    for meta in sorted((WORK / "mutants").rglob("*.py.meta")):
        path = meta.relative_to(WORK / "mutants").as_posix().removesuffix(".py.meta")
        module = path.replace("/", ".").removesuffix(".__init__")
        codes: Mapping[str, int | None] = msgspec.json.decode(meta.read_bytes())["exit_code_by_key"]
        for name, code in codes.items():
            if code is not None:
                outcome = "survived" if code == _SURVIVED else "untested" if code in _UNTESTED else "killed"
                yield Mutant(module, name, outcome)


def _is_asked_for(module: str, modules: Iterable[str]) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in modules)


def _change(mutant: Mutant) -> Survivor:
    """What was changed, from mutmut's own diff."""
    told = subprocess.run([*MUTMUT, "show", mutant.name], cwd=WORK, capture_output=True, text=True, check=True).stdout
    changed = [line for line in told.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---") and line]
    return Survivor(mutant.module, mutant.function, "\n".join(f"{line[0]} {line[1:].strip()}" for line in changed))


def _known() -> Mapping[Survivor, str]:
    """The survivors that have a reason."""
    entries = tomllib.loads(SURVIVORS.read_text(encoding="utf-8")).get("survivor", [])
    return {Survivor(entry["module"], entry["function"], entry["change"].strip()): entry["reason"] for entry in entries}


def _tell(mutants: Sequence[Mutant], survivors: Mapping[Mutant, Survivor], known: Mapping[Survivor, str]) -> int:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for mutant in mutants:
        counts[mutant.module][mutant.outcome] += 1
    print(f"\n{'module':<50} {'killed':>7} {'survived':>9} {'untested':>9} {'share':>7}")
    for module, found in [*sorted(counts.items()), ("all", sum(counts.values(), Counter()))]:
        print(f"{module:<50} {found['killed']:>7} {found['survived']:>9} {found['untested']:>9} {_share(found):>7.1%}")
    unexplained = [(mutant, what) for mutant, what in survivors.items() if what not in known]
    for mutant, what in unexplained:
        print(f"\n{mutant.outcome}, without a reason in {SURVIVORS.name}: {what.module} {what.function}\n{what.change}")
    found_again = set(survivors.values())
    for what in known:
        if what.module in counts and what not in found_again:
            print(
                f"\nNoticed by now, to be taken out of {SURVIVORS.name}: {what.module} {what.function}\n{what.change}"
            )
    share = _share(sum(counts.values(), Counter()))
    print(f"\n{share:.1%} noticed of {len(mutants):,}, the goal is {GOAL:.0%}; {len(unexplained)} have no reason.")
    return 0 if share >= GOAL and not unexplained else 1


def _share(found: Mapping[str, int]) -> float:
    return found.get("killed", 0) / (sum(found.values()) or 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=main.__doc__)
    parser.add_argument("modules", nargs="*", help="import names; default: all pure modules")
    parser.add_argument("--ending", default="", help="try only changes whose number ends so; default: all")
    arguments = parser.parse_args()
    sys.exit(main(arguments.modules, arguments.ending))
