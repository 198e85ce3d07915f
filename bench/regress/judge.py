"""A new run against a baseline: for each metric, whether it got worse by more than the noise allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from bench.compare.__main__ import bounds_of, refuse
from bench.regress.baseline import ROUNDING, Baseline
from metrics.statistics.intervals import paired_difference
from reports.frames import FAILED, FrameTable
from reports.results import Results

Status = Literal["regression", "unclear", "within tolerance", "better", "missing"]
FRAMES = "frames"  # the judgement on which frames were scored


@dataclass(frozen=True)
class Judgement:
    """One metric. worse: how much worse than the baseline, in `unit`; negative when better.

    difference: paired difference new - baseline over shared frames, ci95 its 95 % interval. status:
    regression: worse than the tolerance, and the interval leaves 0 out on the worse side;
    unclear: worse than the tolerance, but so few pairs moved that the interval holds 0;
    missing: the baseline has the metric or frame, the new run has not (fails as well).
    """

    metric: str
    status: Status
    unit: str
    higher_is_better: bool
    baseline: float | None
    new: float | None
    worse: float | None
    tolerance: float
    sd: float
    factor: float
    difference: float | None
    ci95: tuple[float, float] | None
    n: int
    clusters: int
    said: str

    def fails(self, strict: bool) -> bool:
        """Whether it fails the check: worse, or missing; with `strict`, unclear as well."""
        return self.status in ("regression", "missing") or (strict and self.status == "unclear")


def judge(baseline: Baseline, results: Results, frames: FrameTable, seed: int = 0) -> list[Judgement]:
    """Judge a run by a baseline.

    Args:
        baseline: Repeated runs of what is known to be good.
        results: Of the new run.
        frames: Of the new run.
        seed: Of the intervals' resampling.

    Returns:
        A judgement on the frames, and on every metric of the baseline in its order.

    Raises:
        DataError: When the run was not measured as the baseline was, naming each part that differs.
    """
    refuse(baseline.results, results, "the baseline and this run")
    return [_same_frames(baseline, frames)] + [
        _judge(baseline, key, results, frames, seed) for key in baseline.metrics
    ]


def _same_frames(baseline: Baseline, frames: FrameTable) -> Judgement:
    have = {(str(c), str(clip), int(p), int(f)) for c, clip, p, f in frames.rows.index}
    wanted = set(baseline.frames)
    lost, new = sorted(wanted - have), sorted(have - wanted)
    changed = len(lost) + len(new)
    said = f"the same {len(wanted):,} frames"
    if changed:
        first = (lost or new)[0]
        said = (
            f"{len(lost):,} frames of the baseline are not in this run and {len(new):,} are new, first "
            f"{first[1]} position {first[2]} frame {first[3]}: another frame rule, or rows were left out"
        )
    return Judgement(
        metric=FRAMES,
        status="missing" if changed else "within tolerance",
        unit="frames",
        higher_is_better=True,
        baseline=float(len(wanted)),
        new=float(len(have)),
        worse=float(len(lost)),
        tolerance=0.0,
        sd=0.0,
        factor=0.0,
        difference=None,
        ci95=None,
        n=len(have & wanted),
        clusters=0,
        said=said,
    )


def _judge(baseline: Baseline, key: str, results: Results, frames: FrameTable, seed: int) -> Judgement:
    base = baseline.metrics[key]
    up = base.higher_is_better
    column = frames.values(key, results.metrics.get(key)) if _measured(frames, key) else None
    value = math.nan if column is None else float(column.mean())
    if column is None or math.isnan(value):
        return Judgement(
            metric=key,
            status="missing",
            unit=base.unit,
            higher_is_better=up,
            baseline=base.value,
            new=None,
            worse=None,
            tolerance=base.tolerance,
            sd=base.sd,
            factor=base.factor,
            difference=None,
            ci95=None,
            n=0,
            clusters=0,
            said="the baseline has this metric, the run has not measured it",
        )
    both = pd.concat(
        [baseline.column(key), column, pd.Series(baseline.clusters, baseline.column(key).index)],
        axis=1,
        join="inner",
        keys=["base", "new", "cluster"],
    ).dropna()
    old, new = both["base"].to_numpy(np.float64), both["new"].to_numpy(np.float64)
    new = np.where(np.isclose(new, old, rtol=ROUNDING, atol=ROUNDING * 1e-3), old, new)  # as tolerated
    measured = results.metrics.get(key)
    found = paired_difference(
        new,
        old,
        both["cluster"].to_numpy(str),
        seed,
        bounds=bounds_of(key),
        limits=measured.range if measured else (None, None),
    )
    worse = base.value - value if up else value - base.value
    known = found.n > 0 and not math.isnan(found.ci95[0])
    low, high = found.ci95 if (new != old).any() else (0.0, 0.0)
    down = known and (high < 0 if up else low > 0)
    status, said = _status(worse, base.tolerance, down, known and (low > 0 or high < 0) and not down)
    return Judgement(
        metric=key,
        status=status,
        unit=base.unit,
        higher_is_better=up,
        baseline=base.value,
        new=value,
        worse=worse,
        tolerance=base.tolerance,
        sd=base.sd,
        factor=base.factor,
        difference=found.value if found.n else None,
        ci95=(low, high) if known else None,
        n=found.n,
        clusters=found.clusters,
        said=said,
    )


def _status(worse: float, tolerance: float, down: bool, up: bool) -> tuple[Status, str]:
    if worse > tolerance:
        said = f"worse by {worse:.4g}, tolerance {tolerance:.4g}"
        if down:
            return "regression", f"{said}; the paired interval leaves 0 out"
        return "unclear", f"{said}; the paired interval holds 0, so other pairs might show no change"
    if worse < -tolerance and up:
        return "better", f"better by {-worse:.4g}; make the baseline anew to keep it"
    return (
        "within tolerance",
        f"{'worse' if worse > 0 else 'better'} by {abs(worse):.4g}, tolerance {tolerance:.4g}",
    )


def _measured(frames: FrameTable, key: str) -> bool:
    return key == FAILED or key in frames.metrics


def failing(judgements: Sequence[Judgement], strict: bool) -> list[Judgement]:
    """The judgements that fail the check.

    Args:
        judgements: What `judge` gave.
        strict: Whether those that are unclear fail too: over the tolerance, but with 0 in the interval.

    Returns:
        Those that fail, in their order.
    """
    return [one for one in judgements if one.fails(strict)]
