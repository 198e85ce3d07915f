"""Guard a model: fail where a metric got worse than a baseline by more than the noise of repeated runs.

    python -m bench.regress --baseline base.json --make 5 --model smoothswap -- --limit 8
    python -m bench.regress --baseline base.json --model my_package.models:build

The first makes a baseline from five runs, the second scores a model the same way and judges it.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.cli import command
from bench.compare.runs import read_model
from bench.errors import EXIT_OK, EXIT_REGRESSION, DataError, EndedEarly, UsageError
from bench.regress import baseline as baselines
from bench.regress import summary
from bench.regress.baseline import Baseline
from bench.regress.judge import failing, judge
from bench.swappers import calls_code
from reports.frames import FrameTable
from reports.results import Results, write_atomic
from smoothswap.cli import Parser, at_least, check_file, check_folder

EXAMPLES = """
examples:
  python -m bench.regress --baseline base.json --make 5 --model smoothswap -- --limit 8   make, running 5 times
  python -m bench.regress --baseline base.json --make-from runs/1 runs/2 runs/3           make, of finished runs
  python -m bench.regress --baseline base.json                       score the same model again and judge it
  python -m bench.regress --baseline base.json --model my_package.models:build -- --workers 2
  python -m bench.regress --baseline base.json --run runs/ffpp/mine  judge a finished run

What follows -- goes to bench.ffpp. A check reruns the baseline's own command with the model exchanged. It
writes OUT/junit.xml and OUT/summary.md, and prints the summary.

exit codes: 0 no metric got worse, 2 a wrong option, 3 data or runs that cannot be used or are not comparable,
4 a metric got worse than its tolerance, or metrics or frames are missing
"""
_OWN = {"--model": 1, "--out": 1, "--json": 0, "--dry-run": 0, "--no-references": 0}  # option: its values


def options_of(command: str) -> list[str]:
    """The options of a bench.ffpp command, without what names models, outputs and printing.

    Raises UsageError for a command of another program.
    """
    words = shlex.split(command)
    if words[:3] != ["python", "-m", "bench.ffpp"]:
        raise UsageError(
            f"cannot repeat the command {command[:80]!r}; score the model yourself and give --run"
        )
    kept, skip = [], 0
    for word in words[3:]:
        name, equals, _ = word.partition("=")
        if skip:
            skip -= 1
        elif name in _OWN:
            skip = 0 if equals else _OWN[name]
        else:
            kept.append(word)
    return kept


def rerun(out: Path, model: str, given: Sequence[str]) -> tuple[Results, FrameTable]:
    """Score a model into `out` in a process of its own; its tables go to standard error, as progress.

    Args:
        out: The run's folder.
        model: The model, as `--model` of bench.ffpp takes it; it is scored without the references.
        given: Further options of bench.ffpp.

    Returns:
        The model's results and frames.

    Raises:
        EndedEarly: When bench.ffpp failed, with its exit code.
        UsageError: When `out` holds more than this one model.
        DataError: When what was written cannot be read.
    """
    command = [
        sys.executable,
        "-m",
        "bench.ffpp",
        "--no-references",
        "--model",
        model,
        *given,
        "--out",
        str(out),
    ]
    done = subprocess.run(command, stdout=2, check=False)  # the tables of single runs are progress here
    if done.returncode:
        raise EndedEarly(done.returncode, f"bench.ffpp ended with exit code {done.returncode}")
    return read_model(out, None)


def make(options: argparse.Namespace) -> int:
    """Make a baseline and say what it holds."""
    if options.make_from:
        runs = [read_model(folder, options.name) for folder in options.make_from]
    else:
        model = options.model or "smoothswap"
        runs = []
        for i in range(options.make):
            print(f"repeat {i + 1} of {options.make}", file=sys.stderr)
            runs.append(rerun(options.out / f"repeat-{i + 1}", model, options.given))
    made = baselines.make(runs, options.alarm_rate)
    path = baselines.save(options.baseline, made)
    print(_described(made))
    print(f"baseline: {path.resolve()} ({path.stat().st_size:,} bytes)")
    return EXIT_OK


def check(options: argparse.Namespace) -> int:
    """Judge a run, write what a CI reads, print the summary; returns 0 or EXIT_REGRESSION."""
    base = baselines.read(options.baseline)
    if options.run:
        results, frames = read_model(options.run, options.name)
    else:
        run = base.results.run
        model = options.model or str((run.model.model_extra or {}).get("spec") or run.model.name)
        if calls_code(model) and not (options.model or options.allow_code):
            raise UsageError(
                f"{options.baseline} asks to import and call {model}: name it yourself with --model {shlex.quote(model)}, "
                "or trust the file with --allow-code"
            )
        results, frames = rerun(options.out / "run", model, [*options_of(run.command), *options.given])
    try:
        judgements = judge(base, results, frames, base.results.run.seed)
    except DataError as error:
        write_atomic(options.out / "junit.xml", summary.junit_error(str(error)))
        write_atomic(options.out / "summary.md", summary.summary_error(str(error)))
        raise
    failed = failing(judgements, options.strict)
    text = summary.summary(judgements, results, base, options.strict)
    write_atomic(options.out / "junit.xml", summary.junit(judgements, results, base, options.strict))
    write_atomic(options.out / "summary.md", text)
    print(
        json.dumps(summary.as_json(judgements, failed), indent=2, allow_nan=False) if options.json else text
    )
    return EXIT_REGRESSION if failed else EXIT_OK


def _described(base: Baseline) -> str:
    lines = [
        f"{base.repeats} runs of {base.results.run.model.name}, {len(base.frames):,} frames; alarm rate "
        f"{base.alarm_rate:g} for all metrics together",
        "| Metric | Mean | sd of repeats | Factor | Tolerance |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {key} | {m.value:.5g} | {m.sd:.3g} | {m.factor:.2f} | {m.tolerance:.3g} |"
        for key, m in base.metrics.items()
    ]
    if base.repeats < 5:
        lines.append(
            f"\n{base.repeats} repeats say little of the spread, so the factor is large; five or more are better."
        )
    if all(m.sd == 0 for m in base.metrics.values()):
        lines.append("\nThe repeats agree to the bit: what remains of the tolerance is float rounding.")
    return "\n".join(lines)


def parser() -> Parser:
    """The options of `python -m bench.regress`."""
    made = Parser(
        "python -m bench.regress",
        description="Fail where a model got worse than a baseline.",
        epilog=EXAMPLES,
    )
    add = made.add_argument
    add("--baseline", type=Path, required=True, metavar="FILE", help="the baseline to judge by, or to make")
    add(
        "--model",
        metavar="MODEL",
        help="what to score, as in bench.ffpp (the baseline's own; to make: smoothswap)",
    )
    add(
        "--allow-code",
        action="store_true",
        help="import and call the baseline's own model where it is package.module:factory and --model does not name it",
    )
    add("--run", type=Path, metavar="DIR", help="judge this finished run instead of scoring")
    add("--name", metavar="NAME", help="the model to read where a run holds several")
    add("--make", type=at_least(2), metavar="N", help="make the baseline from N runs, five or more")
    add("--make-from", type=Path, nargs="+", metavar="DIR", help="make the baseline from finished runs")
    add(
        "--alarm-rate",
        type=_share,
        default=0.01,
        metavar="P",
        help="to make: chance that an unchanged run raises any alarm; stored in the baseline (%(default)s)",
    )
    add("--strict", action="store_true", help="fail too where the change is over the tolerance but unclear")
    add(
        "--out",
        type=Path,
        default=Path("runs/regress"),
        metavar="DIR",
        help="XML, summary, runs (%(default)s)",
    )
    add("--json", action="store_true", help="print the judgements as JSON")
    return made


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no probability between 0 and 1")
    return value


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    cut = words.index("--") if "--" in words else len(words)
    options = parser().parse_args(words[:cut])
    options.given = words[cut + 1 :]
    if options.make and options.make_from:
        raise UsageError("--make runs the model, --make-from reads runs; give one of the two")
    making = bool(options.make or options.make_from)
    if making:
        check_file(options.baseline)
    if not options.make_from:
        check_folder(options.out)
    if options.run and (making or options.model or options.given):
        raise UsageError("--run judges a finished run; leave --make, --model and what follows -- away")
    return make(options) if making else check(options)


if __name__ == "__main__":
    sys.exit(main())
