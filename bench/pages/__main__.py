"""Make the marked parts of README.md and docs/ anew from results/ and the code, or say which are stale.

python -m bench.pages              fill README.md and docs/*.md
python -m bench.pages --check      change nothing; exit code 4 where a page is stale
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench.cli import command
from bench.errors import EXIT_OK, EXIT_REGRESSION, DataError
from bench.pages.fill import filled
from reports.results import write_atomic
from smoothswap.cli import Parser


def parser() -> Parser:
    """The options of `python -m bench.pages`."""
    made = Parser("python -m bench.pages", description=__doc__)
    made.add_argument("--root", type=Path, default=Path(), metavar="DIR", help="the repository (this folder)")
    made.add_argument("--check", action="store_true", help="only say what is stale, with exit code 4")
    return made


def pages(root: Path) -> list[Path]:
    """README.md and every page of docs/. Raises DataError where this is no checkout of the project."""
    found = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    if len(found) < 2 or not found[0].is_file() or not (root / "results").is_dir():
        raise DataError(f"{root.resolve()} has no README.md, docs and results; give the repository as --root")
    return found


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Fill the tables of the pages from results/, or with --check say which are stale."""
    options = parser().parse_args(argv)
    stale = 0
    for page in pages(options.root):
        text = page.read_text(encoding="utf-8")
        fresh = filled(text, options.root / "results")
        if fresh == text:
            continue
        stale += 1
        if not options.check:
            write_atomic(page, fresh)
        print(f"{page} {'is stale' if options.check else 'filled'}")
    if stale and options.check:
        print("make them anew: python -m bench.pages", file=sys.stderr)
        return EXIT_REGRESSION
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
