"""Build a report again, or one over several runs, from their results alone.

python -m reports runs/ffpp -o report.html
python -m reports runs/a runs/b -o table.tex --format latex
python -m reports --index runs
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reports.folders import gather
from reports.html import render
from reports.index import write_index
from reports.latex import latex_table
from reports.markdown import csv_table, markdown_table
from reports.results import OutputError, ResultsError, check_output, write_atomic
from reports.studies.open import is_study, text_of
from reports.training import is_training
from reports.training import read as read_training
from smoothswap.plumbing.ending import command_with, refused
from smoothswap.plumbing.errors import EXIT_DATA, EXIT_OK, EXIT_USAGE
from smoothswap.plumbing.parser import Parser

FORMATS = ("html", "md", "latex", "csv")
SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".tex": "latex", ".csv": "csv"}
EXAMPLES = """
examples:
  python -m reports runs/ffpp -o report.html                     the report of a run, again
  python -m reports runs/a/smoothswap runs/b -o both.html        several runs or models in one
  python -m reports runs/ffpp --format latex > table.tex         md, latex and csv go to standard output too
  python -m reports runs/embedder runs/swapper -o curves.html    training runs: their curves, alone or beside results
  python -m reports results/ablation.json -o ablation.html       a study's page, from its JSON alone
  python -m reports --index runs                                 runs/index.html over all runs in a folder

exit codes: 0 written, 2 a wrong option, 3 results that cannot be used or a file that cannot be written
"""


def parser() -> Parser:
    """The options of `python -m reports`."""
    made = Parser(
        "python -m reports",
        description="Reports and tables from the results of finished runs.",
        epilog=EXAMPLES,
    )
    made.add_argument(
        "run",
        nargs="*",
        type=Path,
        metavar="RUN",
        help="an output folder, one model's in it, a training run's (metrics.csv), or a study's JSON",
    )
    made.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="(report.html; tables go to standard output)"
    )
    made.add_argument("--format", choices=FORMATS, help="(by the ending of FILE, else html)")
    made.add_argument(
        "--index", type=Path, metavar="FOLDER", help="write FOLDER/index.html over the runs in it"
    )
    return made


@command_with({ResultsError: EXIT_DATA, OutputError: EXIT_DATA})
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (argparse raises SystemExit itself)."""
    options = parser().parse_args(argv)
    if bool(options.run) == bool(options.index):
        return refused("give either runs to report on, or --index FOLDER (see --help)", EXIT_USAGE)
    if options.index and (options.out or options.format):
        return refused("--index writes FOLDER/index.html; leave --out and --format away", EXIT_USAGE)
    if options.index:
        print(f"index: {write_index(options.index).resolve()}")
        return EXIT_OK
    return _report(options)


def _report(options: argparse.Namespace) -> int:
    chosen = options.format or SUFFIXES.get(options.out.suffix.lower() if options.out else "", "html")
    out = options.out or (Path("report.html") if chosen == "html" else None)
    if out is not None:
        check_output(out)
    studies = [path for path in options.run if is_study(path)]
    if studies:
        if len(options.run) > 1 or chosen not in ("html", "md"):
            return refused(f"{studies[0]} is a study's file: give it alone, as html or md", EXIT_USAGE)
        return _write(out, text_of(studies[0], markdown=chosen == "md"))
    logs = [folder for folder in options.run if is_training(folder)]
    if logs and chosen != "html":
        return refused(
            f"{logs[0]} holds a training run, which has curves and no table; leave --format away", EXIT_USAGE
        )
    scored = [folder for folder in options.run if folder not in logs]
    runs, cases = gather(
        scored, None if out is None else out.parent, lambda said: print(f"warning: {said}", file=sys.stderr)
    )
    if chosen == "html":
        text = render(runs, cases, [read_training(folder) for folder in logs])
    else:
        text = {"md": markdown_table, "latex": latex_table, "csv": csv_table}[chosen](runs)
    return _write(out, text)


def _write(out: Path | None, text: str) -> int:
    if out is None:
        sys.stdout.write(text)
        return EXIT_OK
    write_atomic(out, text)
    print(f"report: {out.resolve()}")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
