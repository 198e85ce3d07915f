"""From readings to one number a metric: its mean, its interval, and both ways of treating missing faces."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from metrics.distances import Floats
from metrics.registry import METRICS, get
from metrics.sides import MetricError, Sides
from metrics.spec import Metric
from metrics.statistics.intervals import RESAMPLES, cluster_interval, cluster_sums

MissingPolicy = Literal["count_as_wrong", "exclude", "count_everywhere"]
"""What a swap without a face does to a metric:
count_as_wrong    it is a miss in ID retrieval; distances leave it out (the default, as in the field)
exclude           every metric leaves it out
count_everywhere  every metric counts it as a swap that shows the unwanted person (Metric.if_missing)
"""
POLICIES: tuple[MissingPolicy, ...] = get_args(MissingPolicy)


@dataclass(frozen=True)
class Summary:
    """Mean over n frames in `clusters` clusters with its 95 % interval; NaN where there is nothing to say."""

    value: float
    ci95: tuple[float, float]
    n: int
    clusters: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON: NaN becomes None."""
        return {
            "value": _number(self.value), "ci95": [_number(x) for x in self.ci95],
            "n": self.n, "clusters": self.clusters,
        }  # fmt: skip


@dataclass(frozen=True)
class Value:
    """One metric of one model, as it stands in results.json.

    value, ci95, n, clusters follow `missing_policy`, what was applied to this metric: "count_as_wrong" or
    "exclude". `missing` frames of those that can have a value had none. The numbers of either way are in
    excluding_missing and counting_missing, so that a model cannot gain in silence by losing faces.
    """

    value: float
    ci95: tuple[float, float]
    n: int
    clusters: int
    unit: str
    higher_is_better: bool
    instrument: str | None
    version: int
    missing_policy: MissingPolicy
    missing: int
    excluding_missing: Summary
    counting_missing: Summary

    def as_dict(self) -> dict[str, Any]:
        """For JSON: NaN becomes None."""
        main = Summary(self.value, self.ci95, self.n, self.clusters).as_dict()
        return main | {
            "unit": self.unit, "higher_is_better": self.higher_is_better, "instrument": self.instrument,
            "version": self.version, "missing_policy": self.missing_policy, "missing": self.missing,
            "excluding_missing": self.excluding_missing.as_dict(),
            "counting_missing": self.counting_missing.as_dict(),
        }  # fmt: skip


def applicable(sides: Sides) -> list[str]:
    """Keys of all metrics that these readings allow, in the report's order."""
    return [key for key, metric in METRICS.items() if not _lacking(metric, sides)]


def frame_values(sides: Sides, key: str, missing: MissingPolicy = "exclude") -> Floats:
    """The metric of every frame: float [n]. NaN without a value, unless that counts under the policy."""
    metric = get(key)
    check_policy(missing)
    lacking = _lacking(metric, sides)
    if lacking:
        raise MetricError(f"{key} needs {', '.join(lacking)}; no instrument of this run has read it")
    values = np.asarray(metric.per_frame(sides), dtype=np.float64)
    return _filled(metric, sides, values) if _counts(metric, missing) else values


def evaluate(
    sides: Sides,
    keys: Iterable[str] | None = None,
    missing: MissingPolicy = "count_as_wrong",
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> dict[str, Value]:
    """Score one model: a Value for each key (None: every key that the readings allow).

    Raises MetricError for an unknown key or policy, or a key whose readings are not there.
    """
    check_policy(missing)
    wanted = applicable(sides) if keys is None else list(keys)
    return {key: _evaluate(sides, get(key), missing, seed, n_resamples) for key in wanted}


def _evaluate(sides: Sides, metric: Metric, missing: MissingPolicy, seed: int, n_resamples: int) -> Value:
    values = frame_values(sides, metric.key)
    excluding = _summary(metric, values, sides, seed, n_resamples)
    counting = _summary(metric, _filled(metric, sides, values), sides, seed, n_resamples)
    applied = counting if _counts(metric, missing) else excluding
    asked = np.ones(len(values), dtype=bool) if metric.asked is None else metric.asked(sides)
    return Value(
        applied.value, applied.ci95, applied.n, applied.clusters, metric.unit, metric.higher_is_better,
        sides.instruments.get(metric.reads[0]) if metric.reads else None, metric.version,
        "count_as_wrong" if applied is counting else "exclude", int(np.sum(np.isnan(values) & asked)),
        excluding, counting,
    )  # fmt: skip


def _counts(metric: Metric, missing: MissingPolicy) -> bool:
    return missing == "count_everywhere" or (missing == "count_as_wrong" and metric.counted)


def _filled(metric: Metric, sides: Sides, values: Floats) -> Floats:
    return np.where(np.isnan(values), metric.if_missing(sides), values)


def check_policy(missing: str) -> None:
    """Raises MetricError for a policy that there is not."""
    if missing not in POLICIES:
        raise MetricError(
            f"unknown missing policy {missing!r}; choose {', '.join(POLICIES[:-1])} or {POLICIES[-1]}"
        )


def _summary(metric: Metric, values: Floats, sides: Sides, seed: int, n_resamples: int) -> Summary:
    sums, counts = cluster_sums(values, sides.clusters)
    value = float(sums.sum() / counts.sum()) if len(sums) else math.nan
    bounds = metric.range if metric.unit == "%" else None  # hits: even where all agree, the next may differ
    low, high = cluster_interval(values, sides.clusters, seed, n_resamples, bounds=bounds)
    inside = tuple(min(max(end, metric.range[0]), metric.range[1]) for end in (low, high))
    return Summary(value, (inside[0], inside[1]), int(counts.sum()), len(sums))


def _lacking(metric: Metric, sides: Sides) -> list[str]:
    lacking = [name for name in metric.reads if name not in sides.swap]
    if metric.only and not any(
        sides.instruments.get(name, "").partition(":")[0] == metric.only for name in metric.reads
    ):
        lacking.append(f"readings by {metric.only}")
    if metric.needs_gallery and sides.gallery is None:
        lacking.append("a gallery")
    if metric.needs_clips and sides.clips is None:
        lacking.append("the clip and number of each frame")
    if metric.needs_truth:
        known = sides.truth or {}
        lacking += [f"the truth of {name}" for name in metric.reads or ("pixel_error",) if name not in known]
    return lacking


def _number(x: float) -> float | None:
    return float(x) if math.isfinite(x) else None
