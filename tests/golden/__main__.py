"""`python -m tests.golden --write [NAME ...]` writes the words anew, of the named stories or of all that are told.

Without `--write` it says which differ and exits with 1. A changed word is a changed file: read the difference.
"""

import argparse
import sys

from tests.golden.telling import golden, names, told


def main() -> int:
    """Compare, or write."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the files instead of comparing them")
    parser.add_argument("names", nargs="*", metavar="NAME", help="stories; a new name is added to those that are told")
    asked = parser.parse_args()
    differing = []
    for name in asked.names or names():
        path, words = golden(name), told(name)
        if path.exists() and path.read_text(encoding="utf-8") == words:
            continue
        differing.append(name)
        if asked.write:
            path.write_text(words, encoding="utf-8")
    verb = "written" if asked.write else "differs"
    for name in differing:
        sys.stdout.write(f"{verb}: {name}\n")
    return 1 if differing and not asked.write else 0


if __name__ == "__main__":
    sys.exit(main())
