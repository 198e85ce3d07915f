"""How often equal models are called different: the words of a report under a null that keeps real frames.

    python -m bench.false_words results/ffpp-default --out results/false-words.json

Of two models of a run, all frames of a pair of people change hands with chance 1/2: in all metrics at once, so that what
frames and metrics have in common stays. Then neither model is better in anything, and whatever reports.paired separates is
a false word. Metrics without values of frames have no such null and are left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from bench.cli import command
from bench.errors import EXIT_OK, DataError, UsageError
from reports.files import model_folders
from reports.frames import FrameTable
from reports.paired import LEVEL, family
from reports.results import ResultsError, write_atomic
from reports.run_files import RunFiles
from reports.together import refuse_mixtures
from smoothswap.cli import Parser, at_least, check_file

EXAMPLES = """
examples:
  python -m bench.false_words results/ffpp-default --out results/false-words.json
  python -m bench.false_words runs/ffpp --runs 100

exit codes: 0 counted, 2 no run is there, 3 its models have no frames in common
"""


@dataclass(frozen=True)
class Counted:
    """Two models, and in how many of the runs something was said of their difference though there is none.

    pairs: of people; metrics: tested in each run; corrected: any word, by the rule of the reports; alone: any metric whose
    own 95 % interval leaves 0 out, which is what a reader of single intervals would say.
    """

    run: str
    a: str
    b: str
    pairs: int
    metrics: int
    corrected: int
    alone: int


def count(a: RunFiles, b: RunFiles, runs: int, seed: int = 0, name: str = "") -> Counted:
    """Exchange two models at random, many times, and count the runs with a false word.

    Args:
        a: A model with its frames.
        b: Another of the same run.
        runs: How many times.
        seed: Of the exchanges.
        name: Of the run they are of.

    Returns:
        The counts.

    Raises:
        DataError: Where the two have no metric with values of the same frames.
    """
    if a.table is None or b.table is None:
        raise DataError(
            f"{name}: {a.name} and {b.name} have no values of single frames; rescore with --keep values"
        )
    keys = {*a.table.every_metric} & {*b.table.every_metric}
    a, b = (_only(run, keys) for run in (a, b))
    rng = np.random.default_rng(seed)
    people = np.unique(a.table.clusters().to_numpy(str)) if a.table else np.array([])
    tests, corrected, alone = 0, 0, 0
    for _ in range(runs):
        turned = {*people[rng.random(len(people)) < 0.5]}
        found = family(*_exchanged(a, b, turned)).values()
        tests = max(tests, len(found))
        corrected += any(one.separated for one in found)
        alone += any(one.found.separated for one in found)
    if not tests:
        raise DataError(f"{name}: {a.name} and {b.name} share no frames; give models of one run")
    return Counted(name, a.name, b.name, len(people), tests, corrected, alone)


def _only(run: RunFiles, keys: set[str]) -> RunFiles:
    metrics = {key: metric for key, metric in run.results.metrics.items() if key in keys}
    return replace(run, results=run.results.model_copy(update={"metrics": metrics}))


def _exchanged(a: RunFiles, b: RunFiles, people: set[str]) -> tuple[RunFiles, RunFiles]:
    """Both models, the frames of these pairs of people in each other's table."""
    assert a.table is not None
    assert b.table is not None
    rows = _changed(a.table.rows, b.table.rows, people)
    video: tuple[pd.DataFrame | None, pd.DataFrame | None] = (None, None)
    if a.table.video is not None and b.table.video is not None:
        video = _changed(a.table.video, b.table.video, people)
    tables = [FrameTable(own, moving) for own, moving in zip(rows, video, strict=True)]
    return replace(a, table=tables[0]), replace(b, table=tables[1])


def _changed(a: pd.DataFrame, b: pd.DataFrame, people: set[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    shared = a.index.intersection(b.index)
    columns = [c for c in a.columns if c in b.columns]
    a, b = a.loc[shared, columns], b.loc[shared, columns]
    turned = a["cluster"].astype(str).isin(people).to_numpy(bool)
    return (
        pd.concat([a[~turned], b[turned]]).loc[shared],
        pd.concat([b[~turned], a[turned]]).loc[shared],
    )


def counts(folder: Path, runs: int, seed: int) -> list[Counted]:
    """Every two models of a run that have frames.

    Args:
        folder: OUT as bench.ffpp wrote it.
        runs: How many times each two are exchanged.
        seed: Of the exchanges.

    Returns:
        A count for each two.

    Raises:
        UsageError: For a folder without two such models.
        DataError: For damaged files.
    """
    both = list(combinations(models_of(folder), 2))
    shown = tqdm(both, desc=folder.name, unit="comparison", file=sys.stderr)
    return [count(a, b, runs, seed, folder.resolve().name) for a, b in shown]


def models_of(folder: Path) -> list[RunFiles]:
    """The models of a run that have frames, two or more. Raises UsageError and DataError, as `counts`."""
    try:
        refuse_mixtures(model_folders(folder))
        models = [RunFiles.read(path) for path in model_folders(folder)]
    except ResultsError as error:
        raise DataError(str(error)) from error
    models = [model for model in models if model.table is not None]
    if len(models) < 2:
        raise UsageError(
            f"{folder} does not hold two models with frames.parquet: give a folder that bench.ffpp wrote"
        )
    return models


def table(found: dict[str, Any]) -> str:
    """What was counted, as a Markdown table.

    Args:
        found: The content of false-words.json.

    Returns:
        A row for each two models and one for all of them.
    """
    runs = found["runs"]
    lines = [
        "| equal models made of | pairs of people | tests | some word, corrected | some interval without 0 |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    rows = found["comparisons"]
    for one in rows:
        shares = (f"{100 * one[name] / runs:.1f} %" for name in ("corrected", "alone"))
        lines.append(
            f"| {one['a']} and {one['b']} ({one['run']}) | {one['pairs']} | {one['metrics']} | {' | '.join(shares)} |"
        )
    total = runs * len(rows)
    shares = (f"{100 * sum(one[name] for one in rows) / total:.1f} %" for name in ("corrected", "alone"))
    lines.append(f"| all, {runs} runs each |  |  | {' | '.join(shares)} |")
    return "\n".join(lines) + "\n"


def parser() -> Parser:
    """The command line."""
    made = Parser("python -m bench.false_words", description=__doc__, epilog=EXAMPLES)
    made.add_argument("run", nargs="+", type=Path, metavar="RUN", help="a folder that bench.ffpp wrote")
    made.add_argument(
        "--runs", type=at_least(1), default=500, metavar="N", help="of each two models (%(default)s)"
    )
    made.add_argument(
        "--seed", type=at_least(0), default=0, metavar="N", help="of the exchanges (%(default)s)"
    )
    made.add_argument("--out", type=Path, metavar="FILE", help="write the counts as JSON")
    return made


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = parser().parse_args(argv)
    if options.out:
        check_file(options.out)
    for run in options.run:
        models_of(run)  # so that the last is refused before the first is counted
    comparisons = [one for run in options.run for one in counts(run, options.runs, options.seed)]
    found = {
        "runs": options.runs,
        "seed": options.seed,
        "level": LEVEL,
        "comparisons": [asdict(one) for one in comparisons],
    }
    if options.out:
        write_atomic(options.out, json.dumps(found, indent=2) + "\n")
    print(table(found), end="")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
