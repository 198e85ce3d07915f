"""Compare two scored models frame by frame: difference, interval and verdict for every metric.

    python -m bench.compare runs/a/smoothswap runs/b/smoothswap

Both must have been measured alike: another protocol, data, instrument or metric version is refused by name.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bench.cli import command
from bench.compare.runs import differences, read_model
from bench.errors import EXIT_OK, DataError, UsageError, suggestion
from metrics.registry import METRICS
from metrics.statistics.intervals import RESAMPLES, paired_difference
from reports.frames import FAILED, FrameTable, join
from reports.paired import LEVEL, Decided, family
from reports.results import MetricValue, Results
from reports.run_files import RunFiles
from smoothswap.cli import Parser, at_least

EXAMPLES = """
examples:
  python -m bench.compare runs/ffpp/smoothswap runs/ffpp/classical
  python -m bench.compare runs/before runs/after --json          each with one model beside the references

The verdict is B's: better or worse than A only where the two differ after Holm's correction over everything
that both have (p by exchanging the models within whole pairs of people) and the 95 % interval of the paired
difference leaves 0 out. --metric shows fewer rows and corrects for all of them nevertheless. A model trained
with the instrument that reads a metric is not ranked by it.

exit codes: 0 compared, 2 no such run or metric, 3 not comparable (each part that differs is named) or damaged
"""
Verdict = Literal["better", "worse", "not separated", "not ranked"]


@dataclass(frozen=True)
class Comparison:
    """One metric of B against A. difference is B - A over the n frames in `clusters` clusters that both have.

    a, b: the means over those frames; ci95: interval of the difference, None with too few clusters.
    p: of the test alone; p_holm: corrected over all that the two models have in common; None: not tested.
    mark: † for a model that may not be ranked by the metric, ‡ for a metric by which nobody is.
    """

    metric: str
    unit: str
    higher_is_better: bool
    a: float | None
    b: float | None
    difference: float | None
    ci95: tuple[float, float] | None
    n: int
    clusters: int
    verdict: Verdict
    p: float | None = None
    p_holm: float | None = None
    note: str = ""
    mark: str = ""


def compare(
    a: tuple[Results, FrameTable], b: tuple[Results, FrameTable], seed: int = 0, only: Sequence[str] = ()
) -> list[Comparison]:
    """Every metric that both have, in the report's order, and the failed frames of the ledger.

    Args:
        a: Results and frames of the one.
        b: Of the other.
        seed: Of the intervals' resampling.
        only: The metrics to show; (): all. The verdicts are the same: they are corrected for all.

    Returns:
        A comparison for each, B against A.

    Raises:
        DataError: When the two were not measured alike.
    """
    refuse(a[0], b[0], "A and B")
    shared = [key for key in a[0].metrics if key in b[0].metrics]
    keys = [key for key in (*shared, FAILED) if not only or key in only]
    by_frame = {FAILED, *a[1].every_metric} & {FAILED, *b[1].every_metric}
    tests = family(*(RunFiles(results, table=frames) for results, frames in (b, a)))
    return [
        _compare(a, b, key, seed, tests.get(key))
        if key in by_frame
        else _whole(a[0], b[0], key, tests.get(key))
        for key in keys
    ]


def refuse(a: Results, b: Results, who: str) -> None:
    """Refuse two results that were not measured alike.

    Args:
        a: Results of the one.
        b: Of the other.
        who: What the two are called in the message: "A and B", "the baseline and this run".

    Raises:
        DataError: When protocol, data, instruments or metric versions differ, with a line for each such part
            (bench.compare.runs.differences).
    """
    if said := differences(a, b):
        raise DataError(
            f"{who} cannot be compared, for {len(said)} part{'s' if len(said) > 1 else ''} of how they were "
            "measured differ:\n  " + "\n  ".join(said) + "\nscore both under the same rules"
        )


def _compare(
    a: tuple[Results, FrameTable], b: tuple[Results, FrameTable], key: str, seed: int, test: Decided | None
) -> Comparison:
    values = (a[0].metrics.get(key), b[0].metrics.get(key))
    first, second, clusters = join(a[1], b[1], key, values)
    up, unit = (values[0].higher_is_better, values[0].unit) if values[0] else (False, "%")
    limits = values[0].range if values[0] else (0.0, 100.0)
    found = paired_difference(second, first, clusters, seed, RESAMPLES, bounds_of(key), limits)
    known = found.n > 0 and not math.isnan(found.ci95[0])
    ci95 = found.ci95 if np.any(first != second) else (0.0, 0.0)  # every frame alike: there is no difference
    mark, note = _unranked(*values)
    if mark:
        verdict: Verdict = "not ranked"
    elif test is None or not known or not (test.separated and found.separated):
        verdict = "not separated"
    else:
        verdict = "better" if (found.value > 0) == up else "worse"
    if not known:
        note = note or ("no frame has a value in both" if not found.n else "one pair of people: no interval")
    return Comparison(
        metric=key,
        unit=unit,
        higher_is_better=up,
        a=float(first.mean()) if found.n else None,
        b=float(second.mean()) if found.n else None,
        difference=found.value if found.n else None,
        ci95=ci95 if known else None,
        n=found.n,
        clusters=found.clusters,
        verdict=verdict,
        p=None if test is None else test.found.p,
        p_holm=None if test is None else test.adjusted,
        note=note,
        mark=mark,
    )


def _whole(a: Results, b: Results, key: str, test: Decided | None) -> Comparison:
    """A metric without values of single frames (picture quality): its two intervals decide."""
    mine, theirs = a.metrics[key], b.metrics[key]
    difference = None
    if mine.value is not None and theirs.value is not None:
        difference = theirs.value - mine.value
    verdict: Verdict = "not separated"
    mark, why = _unranked(mine, theirs)
    if mark:
        verdict = "not ranked"
    elif difference and test is not None and test.separated:
        verdict = "better" if (difference > 0) == mine.higher_is_better else "worse"
    note = (
        why or "no frame has a value of its own; p is of the two intervals, between which there must be a gap"
    )
    return Comparison(
        metric=key,
        unit=mine.unit,
        higher_is_better=mine.higher_is_better,
        a=mine.value,
        b=theirs.value,
        difference=difference,
        ci95=None,
        n=min(mine.n, theirs.n),
        clusters=min(mine.clusters or 0, theirs.clusters or 0),
        verdict=verdict,
        p=None if test is None else test.found.p,
        p_holm=None if test is None else test.adjusted,
        note=note,
        mark=mark,
    )


def _unranked(*values: MetricValue | None) -> tuple[str, str]:
    """The mark of what may not be ranked, and why; twice "" where it may."""
    for mark, name in (("†", "dagger"), ("‡", "unranked")):
        for metric in values:
            if metric and (why := getattr(metric, name)):
                return mark, str(why)
    return "", ""


def bounds_of(key: str) -> tuple[float, float] | None:
    """Least and greatest value of a frame, for the metrics that are shares of frames."""
    if key == FAILED:
        return (0.0, 100.0)
    metric = METRICS.get(key.split("@")[0])
    return metric.range if metric is not None and metric.unit == "%" else None


def lines(comparisons: Sequence[Comparison], a: str, b: str) -> str:
    """The comparison as a Markdown table with a sentence on how to take it.

    Args:
        comparisons: What `compare` gave.
        a: Name of model A, for the head of its column.
        b: Of model B.

    Returns:
        A row for each metric, then what the words rest on, what the daggers mean and the other notes; without a
        newline at its end.
    """
    rows = [
        f"| Metric | A: {a} | B: {b} | B − A | 95 % interval | Frames (pairs) | p, Holm | B is |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for c in comparisons:
        arrow = "↑" if c.higher_is_better else "↓"
        interval = f"{number(c.ci95[0], True)} to {number(c.ci95[1], True)}" if c.ci95 else "–"
        interval = "no frame differs" if c.ci95 == (0.0, 0.0) else interval
        mark = f"{c.verdict}{c.mark}"
        rows.append(
            f"| {c.metric} {arrow} | {number(c.a)} | {number(c.b)} | {number(c.difference, True)} | {interval} "
            f"| {c.n:,} ({c.clusters:,}) | {'–' if c.p_holm is None else f'{c.p_holm:.2g}'} | {mark} |"
        )
    said = [
        "Better and worse hold after Holm's correction over everything that the two models have in common, at 5 %: "
        "one false word among all of them in 20 such comparisons of equal models."
    ]
    said += sorted({f"{c.mark} {c.note}" for c in comparisons if c.mark})
    said += [f"{c.metric}: {c.note}" for c in comparisons if c.note and not c.mark]
    return "\n".join([*rows, "", *said])


def number(value: float | None, signed: bool = False) -> str:
    """Four significant digits, with a true minus; – for none.

    Args:
        value: The number; None: there is none.
        signed: Whether a positive one gets a plus, as differences do; 0 never does.

    Returns:
        The number as a cell of a table shows it.

    Examples:
        >>> number(0.123456), number(-2.5), number(12, signed=True), number(None)
        ('0.1235', '−2.5', '+12', '–')
    """
    if value is None:
        return "–"
    if value == 0:
        return "0"
    text = f"{value:+.4g}" if signed else f"{value:.4g}"
    return text.replace("-", "−")


def parser() -> Parser:
    made = Parser(
        "python -m bench.compare", description="Compare two scored models frame by frame.", epilog=EXAMPLES
    )
    made.add_argument(
        "a", type=Path, metavar="A", help="OUT/<model>, or OUT with one model beside the references"
    )
    made.add_argument("b", type=Path, metavar="B", help="the same; the verdict is B's")
    made.add_argument(
        "--metric", action="append", default=[], metavar="KEY", help="show only this one; may be repeated"
    )
    made.add_argument(
        "--seed", type=at_least(0), default=0, metavar="N", help="of the bootstrap (%(default)s)"
    )
    made.add_argument("--json", action="store_true", help="print the comparison as JSON")
    return made


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = parser().parse_args(argv)
    a, b = read_model(options.a), read_model(options.b)
    known = {*a[0].metrics, *b[0].metrics, FAILED}
    for key in options.metric:
        if key not in known:
            raise UsageError(f"neither run has a metric {key!r}.{suggestion(key, known)}")
    found = compare(a, b, options.seed, options.metric)
    left = [key for key in {**a[0].metrics, **b[0].metrics} if (key in a[0].metrics) != (key in b[0].metrics)]
    if left:
        print(f"note: only one of the two has {', '.join(left)}", file=sys.stderr)
    packages = [r.run.environment.get("packages") for r, _ in (a, b)]
    if packages[0] != packages[1]:
        print(
            "note: the two ran with different package versions (environment in results.json)", file=sys.stderr
        )
    if options.json:
        print(
            json.dumps(
                {
                    "a": _who(a[0], options.a),
                    "b": _who(b[0], options.b),
                    "seed": options.seed,
                    "resamples": RESAMPLES,
                    "level": LEVEL,
                    "metrics": [asdict(c) for c in found],
                },
                indent=2,
                allow_nan=False,
            )
        )
    else:
        print(lines(found, a[0].run.model.name, b[0].run.model.name))
    return EXIT_OK


def _who(results: Results, path: Path) -> dict[str, str]:
    return {"model": results.run.model.name, "path": str(path), "protocol": results.run.protocol.hash}


__all__ = ["Comparison", "MetricValue", "compare", "lines", "main", "refuse"]

if __name__ == "__main__":
    sys.exit(main())
