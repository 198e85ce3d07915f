"""python -m bench.ablation: train what is missing, measure what is there, write ablation.json and the page."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from bench.ablation.options import parser
from bench.cli import CODES
from bench.errors import EXIT_OK, EXIT_USAGE, UsageError
from smoothswap.cli import check_folder, command_with

if TYPE_CHECKING:
    from bench.ablation.plan import Study


@command_with(CODES | {ValueError: EXIT_USAGE}, stopped="stopped; what the runs had saved is kept")
def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(given)
    return run(options, shlex.join(["python", "-m", "bench.ablation", *given]))


def run(options: argparse.Namespace, command: str) -> int:
    """Do what the options ask: train what is missing, judge it, write the study's results and page.

    Args:
        options: What `parser` gave.
        command: The command line, for the files that are written.

    Returns:
        The exit code.

    Raises:
        UsageError: For a wrong option.
        DataError: For data and folders that cannot be used.
    """
    import torch

    from bench.ablation.plan import prepare
    from bench.ablation.training import train_run

    torch.set_num_threads(options.threads)
    marks = _marks(options.marks) if options.marks else []
    if not options.dry_run:
        check_folder(options.out)
    study = prepare(options)
    marks = marks or _marks(options.marks)
    if options.dry_run:
        print(plan_text(study))
        return EXIT_OK
    if not options.report:
        for seed, arm in study.runs():
            signal = train_run(study, arm, seed, command, options.threads, options.checkpoint_seconds)
            if signal:
                return 128 + signal
            if signal is not None:  # a run was trained
                report(study, options, marks, command)
    found = report(study, options, marks, command)
    if options.json:
        print(json.dumps(found, indent=1, allow_nan=False))
    else:
        print("\n".join(found["conclusions"]))
    return EXIT_OK


def _marks(text: str) -> list[float]:
    try:
        marks = sorted({float(part) for part in text.split(",")}, reverse=True)
        if not all(0 < mark < 2 for mark in marks):
            raise ValueError
    except ValueError:
        raise UsageError(f"--marks {text}: expected identity losses between 0 and 2, as 0.5,0.39") from None
    return marks


def plan_text(study: Study) -> str:
    """What would run, for --dry-run: one line a run with its state."""
    from bench.ablation.training import state

    steps = (
        f"{study.steps:,} steps each"
        if study.steps
        else f"{study.budget['minutes']:g} minutes each, to be timed"
    )
    lines = [f"{len(study.runs())} runs, {steps}; {study.data.people:,} people, {study.data.photos:,} photos"]
    for seed, arm in study.runs():
        found, done = state(study.folder(arm, seed), study.steps)
        lines.append(f"  {arm.name}, seed {seed}: {found}{f', {done:,} steps' if done else ''}")
    return "\n".join(lines)


def report(study: Study, options: argparse.Namespace, marks: list[float], command: str) -> dict[str, Any]:
    """Measure everything that OUT holds; write ablation.json, the pictures and the page.

    Args:
        study: What was trained; its folder holds the runs.
        options: What `parser` gave; `judge` alone is read.
        marks: Identity losses to count steps to, the greatest first.
        command: The command line, for ablation.json.

    Returns:
        Content of ablation.json.

    Raises:
        DataError: Where no run has come to its first validation.
        UsageError: For a judge that cannot judge these runs.
        OutputError: Where OUT cannot take the files.
    """
    from bench.ablation.collect import collect
    from reports.paper import figure_7
    from reports.studies.ablation import write_ablation, write_page
    from reports.studies.ablation_words import conclusions

    measured, grids = collect(study, options.judge, marks)
    found: dict[str, Any] = {
        "schema_version": 1,
        "kind": "ablation",
        "command": command,
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **measured,
        "quoted": figure_7.as_json(),
    }
    found["conclusions"] = conclusions(found)
    page = write_page(study.out, found, grids)
    write_ablation(study.out, found)
    print(f"page: {page.resolve()}", file=sys.stderr)
    return found


if __name__ == "__main__":
    sys.exit(main())
