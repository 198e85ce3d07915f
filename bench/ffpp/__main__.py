"""Score face-swap models on FaceForensics++ and write a report.

    python -m bench.ffpp --model smoothswap
    python -m bench.ffpp --data /data/FaceForensics++ --model Deepfakes --model my_package.models:build

Heavy imports wait until the options are known to be right: --help and a misspelt option answer at once.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from bench.cli import scoring
from bench.errors import EXIT_DATA, EXIT_OK, DataError
from bench.ffpp.options import parser
from smoothswap.cli import check_folder, foresee_folder

if TYPE_CHECKING:
    from bench.ffpp.plan import Plan


@scoring
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (argparse raises SystemExit itself)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(arguments)
    return run(options, shlex.join(["python", "-m", "bench.ffpp", *arguments]))


def run(options: argparse.Namespace, line: str) -> int:
    """Plan a run, do it and write its files; or only say what it would do (`--dry-run`).

    Args:
        options: What `parser` gave.
        line: The command line, for results.json.

    Returns:
        The exit code.

    Raises:
        UsageError: For a wrong option.
        DataError: For data and folders that cannot be used.
    """
    from bench.data import rendered
    from bench.ffpp.plan import prepare

    if options.dry_run and options.data is None and not rendered.folder().is_dir():
        return _dry_run_unmade(options)
    if not options.dry_run:
        foresee_folder(options.out)
    started = datetime.now(timezone.utc)
    return carry_out(prepare(options), options, line, started)


def carry_out(plan: Plan, options: argparse.Namespace, line: str, started: datetime) -> int:
    """Do a run and write its files; or only say what it would do (`--dry-run`).

    Args:
        plan: The run.
        options: Where to write, and what else is no part of the plan.
        line: The command line, for results.json.
        started: When the command began, with its time zone.

    Returns:
        The exit code.

    Raises:
        DataError: For data and folders that cannot be used.
    """
    from bench.ffpp.folder import replaced
    from bench.ffpp.plan import missing_clips
    from bench.ffpp.report import report, say
    from bench.ffpp.run import run_plan
    from bench.finished.check import check_finished

    if options.dry_run:
        return _dry_run(plan, options.skip_missing)
    checks = check_finished(
        plan.dataset, plan.pairs, plan.swappers, options.check == "refuse", plan.clip_seconds, plan.workers
    )
    plan = replace(plan, checks=checks)
    missing = missing_clips(plan)
    if missing and not options.skip_missing:
        raise DataError(missing)
    check_folder(options.out)
    clock = time.monotonic()
    outcome, video = run_plan(plan)
    with replaced(options.out) as work:
        runs = report(plan, outcome, video, out=work, command=line, started=started, clock=clock)
    say(options.out, runs, options.json)
    return EXIT_OK


def _dry_run(plan: Plan, skip_missing: bool) -> int:
    from bench import leaks
    from bench.data.pairs import people_in
    from bench.ffpp.plan import missing_clips
    from bench.ffpp.presets import name_of

    shown = leaks.people_of(plan.dataset, plan.pairs)
    seen = leaks.of_instruments(plan.instruments, shown)
    seen += [one for swapper in plan.swappers for one in leaks.of_model(swapper, shown)]
    frames = len(plan.pairs) * plan.protocol.frames
    originals = len({clip for pair in plan.pairs for clip in pair.clips})
    missing, people = missing_clips(plan), people_in(plan.pairs)
    name = name_of(plan.protocol, plan.kind, len(plan.pairs))
    known = f"{name}: " if name else ""
    searched, mapped = plan.protocol.gallery_size or len(people), len(plan.protocol.identity_map)
    print(
        f"data         {plan.dataset.root}\n"
        f"mode         {plan.protocol.mode}\n"
        f"protocol     {known}{plan.protocol.sequences}, {plan.protocol.compression}, split {plan.protocol.split}, "
        f"hash {plan.protocol.hash[:12]}\n"
        f"clips        {len(plan.pairs)} swaps of {originals} original clips\n"
        f"gallery      {searched} of {len(people)} people, {mapped} clips in the identity map\n"
        f"frames       {frames} expected of each model, {frames * len(plan.swappers)} in all"
        f"{f'; {plan.protocol.video} in a row of each clip besides' if plan.protocol.video else ''}\n"
        f"models       {', '.join(f'{s.name} ({s.kind})' for s in plan.swappers)}\n"
        f"instruments  {', '.join(f'{i.name} (reads {chr(44).join(i.reads)})' for i in plan.instruments)}\n"
        f"seen before  {', '.join(map(str, seen))} people of this run were in the training\n"
        f"workers      {plan.workers}, models on {plan.device}\n"
        f"missing      {missing or 'nothing'}"
    )
    return EXIT_DATA if missing and not skip_missing else EXIT_OK


def _dry_run_unmade(options: argparse.Namespace) -> int:
    """The dry run on a fresh machine: the rendered faces are the one thing missing, and a run would make them."""
    from bench.data import rendered
    from bench.ffpp.plan import create_instruments
    from bench.ffpp.presets import applied
    from bench.ffpp.protocol import Protocol
    from bench.swappers import REFERENCES

    applied(options)
    _, instruments = create_instruments(options.instruments)
    clips = min(options.limit or rendered.IDENTITIES, rendered.IDENTITIES)
    print(
        f"data         rendered faces, to be made in {rendered.folder()}\n"
        f"clips        {clips} swaps\n"
        f"frames       {clips * min(options.frames or Protocol().frames, rendered.FRAMES)} expected of each model\n"
        f"models       {', '.join(options.model or ['smoothswap'])}"
        f"{'' if options.no_references else ' and the references ' + ', '.join(REFERENCES)}\n"
        f"instruments  {', '.join(instrument.name for instrument in instruments)}\n"
        "missing      the rendered faces; a run without --dry-run makes them first"
    )
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
