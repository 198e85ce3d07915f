"""Baselines: what N unchanged runs of a model gave, how far they spread, and how far a new run may fall.

The tolerance of a metric is measured, not guessed. ISO 5725 calls 2.8 times the standard deviation of repeats
the repeatability limit: two single results differ by more in one case of twenty. A baseline is a mean of N
runs whose spread is itself uncertain and a check looks at many metrics at once, so the factor here is Student's
t for N - 1 degrees of freedom, at an alarm rate shared by all metrics (Bonferroni), and never under 2.8.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from scipy import stats

from bench.compare.__main__ import bounds_of, refuse
from bench.errors import DataError, UsageError
from metrics.statistics.intervals import cluster_interval
from reports.frames import FAILED, KEY, FrameTable
from reports.results import Results, explain, write_atomic
from smoothswap.plumbing.texts import json_of

VERSION = 1
REPEATABILITY = 2.8  # 1.96 * sqrt(2), ISO 5725-6: the difference of two results that one in twenty exceeds
ROUNDING = 1e-6  # relative; what thread counts, batch sizes and processors do to a float32 number
MAX_BYTES = 256 * 2**20


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BaseMetric(_Closed):
    """One metric over the repeats. value: their mean; sd: their standard deviation (n - 1), in `unit`.

    tolerance: how much worse a new run may be, in `unit`; factor: what sd was multiplied by. ci95: over pairs
    of people, of the mean over repeats. frames: mean over repeats of each frame of `Baseline.frames`.
    """

    value: float
    sd: float = Field(ge=0)
    factor: float = Field(ge=0)
    tolerance: float = Field(ge=0)
    repeats: list[float]
    ci95: tuple[float, float] | None
    unit: str
    higher_is_better: bool
    frames: list[float | None]


class Baseline(_Closed):
    """A baseline file. results: the first repeat's, whose protocol, data and instruments a new run must share.

    frames: the key of every frame, as reports.frames.KEY; clusters: its pair of people.
    """

    baseline_version: Literal[1] = 1
    alarm_rate: float = Field(gt=0, lt=1)
    repeats: int = Field(ge=2)
    results: Results
    frames: list[tuple[str, str, int, int]]
    clusters: list[str]
    metrics: dict[str, BaseMetric]

    @model_validator(mode="after")
    def _lengths(self) -> Baseline:
        lengths = {len(self.clusters), *(len(metric.frames) for metric in self.metrics.values())}
        if lengths != {len(self.frames)}:
            raise ValueError(f"{len(self.frames)} frames, but columns of {sorted(lengths)} numbers")
        return self

    def column(self, key: str) -> pd.Series:
        """The metric of every frame, float64, indexed as FrameTable's rows."""
        index = pd.MultiIndex.from_tuples(self.frames, names=KEY)
        return pd.Series(np.array(self.metrics[key].frames, dtype=np.float64), index)


def factor(repeats: int, metrics: int, alarm_rate: float) -> float:
    """What the repeats' standard deviation is multiplied by: at least 2.8, more where they are few.

    A new run is worse than the mean of `repeats` unchanged ones by more than this with probability
    alarm_rate / metrics (normal noise); so all `metrics` together raise an alarm with at most alarm_rate.

    Args:
        repeats: How many unchanged runs there are.
        metrics: How many metrics are judged.
        alarm_rate: Probability of an alarm without a cause, 0 to 1.

    Returns:
        The factor.
    """
    t = float(stats.t.ppf(1.0 - alarm_rate / max(1, metrics), repeats - 1))
    return max(REPEATABILITY, t * math.sqrt(1.0 + 1.0 / repeats))


def make(runs: Sequence[tuple[Results, FrameTable]], alarm_rate: float = 0.01) -> Baseline:
    """The baseline of some unchanged runs of one model.

    Args:
        runs: Results and frames of each.
        alarm_rate: Probability that a check of an unchanged model fails, 0 to 1.

    Returns:
        The baseline.

    Raises:
        UsageError: For fewer than two runs.
        DataError: When they were not measured alike or are of two models.
    """
    if len(runs) < 2:
        raise UsageError("a baseline needs at least two runs, better five: the spread is what it measures")
    first, table = runs[0]
    for other, _ in runs[1:]:
        refuse(first, other, "these runs")
        mine, theirs = first.run.model, other.run.model
        if (mine.name, mine.weights_sha256) != (theirs.name, theirs.weights_sha256):
            raise DataError(
                f"repeats are of one model; here are {mine.name} and {theirs.name} or other weights"
            )
    keys = [key for key in first.metrics if all(key in r.metrics for r, _ in runs) and key in table.metrics]
    k = factor(len(runs), len(keys) + 1, alarm_rate)
    clusters = table.clusters()
    metrics = {key: _metric(runs, key, k, clusters, first.run.seed) for key in (*keys, FAILED)}
    plain = first.model_copy(update={"files": {}})
    return Baseline(
        alarm_rate=alarm_rate,
        repeats=len(runs),
        results=plain,
        frames=[(str(c), str(clip), int(p), int(f)) for c, clip, p, f in table.rows.index],
        clusters=clusters.tolist(),
        metrics={key: m for key, m in metrics.items() if m is not None},
    )


def _metric(
    runs: Sequence[tuple[Results, FrameTable]], key: str, k: float, clusters: pd.Series, seed: int
) -> BaseMetric | None:
    said = runs[0][0].metrics.get(key)
    columns = pd.concat([frames.values(key, r.metrics.get(key)) for r, frames in runs], axis=1)
    columns = columns.reindex(clusters.index)
    values = [float(x) for x in columns.mean(axis=0)]
    if any(math.isnan(x) for x in values):
        return None  # not measured in some repeat
    mean, sd = float(np.mean(values)), float(np.std(values, ddof=1))
    sd = 0.0 if np.ptp(values) <= 1e-12 * abs(mean) else sd  # the mean's own rounding is no spread
    frames = columns.mean(axis=1)  # of the repeats that have the frame
    low, high = cluster_interval(frames.to_numpy(), clusters.to_numpy(), seed, bounds=bounds_of(key))
    return BaseMetric(
        value=mean,
        sd=sd,
        factor=k,
        tolerance=k * sd + ROUNDING * max(abs(mean), 1e-3),
        repeats=values,
        ci95=None if math.isnan(low) else (low, high),
        unit=said.unit if said else "%",
        higher_is_better=said.higher_is_better if said else False,
        frames=[None if math.isnan(x) else float(f"{x:.7g}") for x in frames],
    )


def save(path: Path, baseline: Baseline) -> Path:
    """Write a baseline as JSON, atomically and with the same bytes for the same runs.

    Args:
        path: The file.
        baseline: What `make` gave.

    Returns:
        The path.

    Raises:
        OutputError: When it cannot be written.
    """
    content = baseline.model_dump(mode="json")
    metrics = content.pop("metrics")
    # A line for each part and each metric: small enough to commit, and a diff shows which of them changed.
    parts = [f"{json.dumps(key)}:{_json(value)}" for key, value in content.items()]
    lines = ",\n".join(f"{json.dumps(key)}:{_json(value)}" for key, value in metrics.items())
    return write_atomic(path, "{" + ",\n".join(parts) + ',\n"metrics":{\n' + lines + "\n}}\n")


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def read(path: Path) -> Baseline:
    """Read a baseline.

    Args:
        path: The file.

    Returns:
        The baseline.

    Raises:
        DataError: What is wrong with it and how to make one.
    """
    how = "make one with python -m bench.regress --baseline FILE --make 5 --model MODEL"
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"cannot read the baseline {path}: {error.strerror}; {how}") from error
    if len(text) > MAX_BYTES:
        raise DataError(f"{path} is larger than {MAX_BYTES // 2**20} MB, so it is no baseline; {how}")
    try:
        content: Any = json_of(text)
    except ValueError as error:
        raise DataError(f"{path} is not whole JSON ({error}); {how}") from None
    version = content.get("baseline_version") if isinstance(content, Mapping) else None
    if version != VERSION:
        raise DataError(f"{path} has baseline_version {version!r}, this program reads {VERSION}; {how}")
    try:
        return Baseline.model_validate(content)
    except ValidationError as error:
        raise DataError(f"{path} is no baseline: {explain(error)}; {how}") from None
