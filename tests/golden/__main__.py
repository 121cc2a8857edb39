"""`python -m tests.golden --write [NAME ...]` writes the golden files anew, the named ones or all that there are.

Without `--write` it says which differ and exits with 1. A changed word is a changed file: read the difference. A story
that has none yet gets its explanations, or with `--sort records` its whole records.
"""

import argparse
import sys
from types import ModuleType

from tests.golden import changes, recordings, records, refusals, telling

SORTS: dict[str, ModuleType] = {
    "changes": changes,
    "explanations": telling,
    "recordings": recordings,
    "records": records,
    "refusals": refusals,
}


def main() -> int:
    """Compare, or write."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the files instead of comparing them")
    parser.add_argument("--sort", choices=SORTS, help="only files of this sort, and new ones of it")
    parser.add_argument("names", nargs="*", metavar="NAME", help="stories, or what is refused")
    asked = parser.parse_args()
    differing = []
    for sort, module in SORTS.items():
        if asked.sort not in (None, sort):
            continue
        for name in _chosen(sort, module, asked.names, is_asked_for=asked.sort == sort):
            path, words = module.golden(name), module.told(name)
            if path.exists() and path.read_text(encoding="utf-8") == words:
                continue
            differing.append(f"{sort}/{name}")
            if asked.write:
                path.write_text(words, encoding="utf-8")
    verb = "written" if asked.write else "differs"
    for name in differing:
        sys.stdout.write(f"{verb}: {name}\n")
    return 1 if differing and not asked.write else 0


def _chosen(sort: str, module: ModuleType, names: list[str], *, is_asked_for: bool) -> list[str]:
    """Which files of a sort are meant: those that exist, and new ones where they belong."""
    existing = module.names()
    if not names:
        return list(existing)
    known = {name for each in SORTS.values() for name in each.names()}
    is_new_here = is_asked_for or sort == "explanations"
    return [name for name in names if name in existing or (is_new_here and (is_asked_for or name not in known))]


if __name__ == "__main__":
    sys.exit(main())
