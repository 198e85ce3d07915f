"""From readings to one number a metric: its mean, its interval, and both ways of treating missing faces."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from metrics.distances import Floats
from metrics.registry import METRICS, get
from metrics.sides import MetricError, Sides
from metrics.spec import Declared, Metric
from metrics.statistics.intervals import RESAMPLES, cluster_interval, cluster_sums, cut

MissingPolicy = Literal["count_as_wrong", "exclude", "count_everywhere"]
"""What a swap without a face does to a metric:
count_as_wrong    it is a miss in ID retrieval and still the target where leaving the target is measured; distances
                  leave it out (the default, as in the field)
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
            "value": _number(self.value),
            "ci95": [_number(x) for x in self.ci95],
            "n": self.n,
            "clusters": self.clusters,
        }


@dataclass(frozen=True, kw_only=True)
class Value:
    """One metric of one model, as it stands in results.json.

    value, ci95, n, clusters follow `missing_policy`, what was applied to this metric: "count_as_wrong" or
    "exclude". The numbers of either way are in excluding_missing and counting_missing, so that a model cannot gain in
    silence by losing faces.

    Attributes:
        spec: The metric.
        instrument: Which instrument read it; None for none.
        missing_policy: What was applied.
        missing: How many of the frames that can have a value had none.
        excluding_missing: The numbers without those frames.
        counting_missing: The numbers with each of them as wrong as it can be.
    """

    spec: Declared
    instrument: str | None
    missing_policy: MissingPolicy
    missing: int
    excluding_missing: Summary
    counting_missing: Summary

    @property
    def applied(self) -> Summary:
        """The numbers under `missing_policy`."""
        return self.counting_missing if self.missing_policy == "count_as_wrong" else self.excluding_missing

    @property
    def value(self) -> float:
        """The mean."""
        return self.applied.value

    @property
    def ci95(self) -> tuple[float, float]:
        """Its 95 % interval."""
        return self.applied.ci95

    @property
    def n(self) -> int:
        """Frames, or pictures, that enter it."""
        return self.applied.n

    @property
    def clusters(self) -> int:
        """Independent groups among them."""
        return self.applied.clusters

    def as_dict(self) -> dict[str, Any]:
        """The metric with all that its spec says of it, for JSON: NaN and infinity become None."""
        spec = self.spec
        return self.applied.as_dict() | {
            "unit": spec.unit,
            "higher_is_better": spec.higher_is_better,
            "instrument": self.instrument,
            "version": spec.version,
            "missing_policy": self.missing_policy,
            "missing": self.missing,
            "excluding_missing": self.excluding_missing.as_dict(),
            "counting_missing": self.counting_missing.as_dict(),
            "label": spec.label,
            "group": spec.group,
            "order": spec.order,
            "range": [_number(end) for end in spec.range],
            "description": spec.description,
            "unranked": spec.unranked or None,
            "headline": spec.headline,
            "needs_source": spec.needs_source,
        }


@dataclass(frozen=True, kw_only=True)
class FrameValue(Value):
    """A metric of frames, with its frames.

    Attributes:
        per_frame: float [n], NaN where a frame has no value.
        counted: float [n], the same where each missing frame counts as wrong; NaN where even that is unknown.
    """

    per_frame: Floats = field(repr=False, compare=False)
    counted: Floats = field(repr=False, compare=False)


def applicable(sides: Sides) -> list[str]:
    """Which metrics these readings allow.

    Args:
        sides: What was read.

    Returns:
        Their keys, in the report's order.
    """
    return [key for key, metric in METRICS.items() if not _lacking(metric, sides)]


def frame_values(sides: Sides, key: str, missing: MissingPolicy = "exclude") -> Floats:
    """One metric of every frame; `evaluate` returns the same with the mean.

    Args:
        sides: What was read.
        key: The metric.
        missing: What a swap without a face does to it.

    Returns:
        float [n], NaN without a value, unless that counts under the policy.

    Raises:
        MetricError: For an unknown key or policy, or a key whose readings are not there.
    """
    metric = get(key)
    check_policy(missing)
    values = _values(metric, sides)
    return _filled(metric, sides, values) if _counts(metric, missing) else values


def evaluate(
    sides: Sides,
    keys: Iterable[str] | None = None,
    missing: MissingPolicy = "count_as_wrong",
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> dict[str, FrameValue]:
    """Score one model: every metric once, with its frames.

    Args:
        sides: What was read.
        keys: The metrics; None: every one that the readings allow.
        missing: What a swap without a face does to a metric.
        seed: Of the resampling of the intervals.
        n_resamples: How many resamples an interval rests on.

    Returns:
        key -> value, in the order of keys.

    Raises:
        MetricError: For an unknown key or policy, or a key whose readings are not there.
    """
    check_policy(missing)
    wanted = applicable(sides) if keys is None else list(keys)
    return {key: _evaluate(sides, get(key), missing, seed, n_resamples) for key in wanted}


def summarise(  # noqa: PLR0913  # how the mean and its intervals are formed, by name
    metric: Metric,
    per_frame: Floats,
    counted: Floats,
    clusters: NDArray[np.generic],
    *,
    instrument: str | None,
    lost: int,
    missing: MissingPolicy = "count_as_wrong",
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> FrameValue:
    """The mean and the intervals of one metric whose frames are known.

    Args:
        metric: Its spec.
        per_frame: float [n], NaN where a frame has no value.
        counted: float [n], the same where each missing frame counts as wrong.
        clusters: str [n], the independent unit.
        instrument: Which instrument read it; None for none.
        lost: How many of the frames that can have a value have none.
        missing: What a swap without a face does to a metric.
        seed: Of the resampling of the intervals.
        n_resamples: How many resamples an interval rests on.

    Returns:
        The metric of one model.
    """
    return FrameValue(
        spec=metric,
        instrument=instrument,
        missing_policy="count_as_wrong" if _counts(metric, missing) else "exclude",
        missing=lost,
        excluding_missing=summary(metric, per_frame, clusters, seed, n_resamples),
        counting_missing=summary(metric, counted, clusters, seed, n_resamples),
        per_frame=per_frame,
        counted=counted,
    )


def _evaluate(
    sides: Sides, metric: Metric, missing: MissingPolicy, seed: int, n_resamples: int
) -> FrameValue:
    values = _values(metric, sides)
    asked = np.ones(len(values), dtype=bool) if metric.asked is None else metric.asked(sides)
    return summarise(
        metric,
        values,
        _filled(metric, sides, values),
        sides.clusters,
        instrument=sides.instruments.get(metric.reads[0]) if metric.reads else None,
        lost=int(np.sum(np.isnan(values) & asked)),
        missing=missing,
        seed=seed,
        n_resamples=n_resamples,
    )


def _values(metric: Metric, sides: Sides) -> Floats:
    lacking = _lacking(metric, sides)
    if lacking:
        raise MetricError(f"{metric.key} needs {', '.join(lacking)}; no instrument of this run has read it")
    return np.asarray(metric.per_frame(sides), dtype=np.float64)


def _counts(metric: Metric, missing: MissingPolicy) -> bool:
    return missing == "count_everywhere" or (missing == "count_as_wrong" and metric.counted)


def _filled(metric: Metric, sides: Sides, values: Floats) -> Floats:
    return np.where(np.isnan(values), metric.if_missing(sides), values)


def check_policy(missing: str) -> None:
    """Refuse a policy that there is not.

    Args:
        missing: Its name.

    Raises:
        MetricError: With those that there are.
    """
    if missing not in POLICIES:
        raise MetricError(
            f"unknown missing policy {missing!r}; choose {', '.join(POLICIES[:-1])} or {POLICIES[-1]}"
        )


def summary(
    metric: Metric,
    values: Floats,
    clusters: NDArray[np.generic],
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> Summary:
    """The mean of some frames with its interval.

    Args:
        metric: Whose values they are; it says what they can be.
        values: float [n], NaN for a frame that does not count.
        clusters: str [n], the independent unit.
        seed: Of the resampling.
        n_resamples: How many resamples the interval rests on.

    Returns:
        NaN where no frame counts.
    """
    sums, counts = cluster_sums(values, clusters)
    value = float(sums.sum() / counts.sum()) if len(sums) else math.nan
    bounds = metric.range if metric.unit == "%" else None  # hits: even where all agree, the next may differ
    low, high = cluster_interval(values, clusters, seed, n_resamples, bounds=bounds)
    return Summary(value, cut((low, high), metric.range), int(counts.sum()), len(sums))


def _lacking(metric: Metric, sides: Sides) -> list[str]:
    lacking = [name for name in metric.reads if name not in sides.swap]
    if metric.only and not any(sides.family(name) == metric.only for name in metric.reads):
        lacking.append(f"readings by {metric.only}")
    if metric.needs_gallery and sides.gallery is None:
        lacking.append("a gallery")
    if metric.needs_clips and sides.clips is None:
        lacking.append("the clip and number of each frame")
    if metric.pixels and metric.key not in sides.pixels:
        lacking.append("the pictures themselves")
    if metric.needs_truth:
        known = sides.truth or {}
        lacking += [f"the truth of {name}" for name in metric.reads or ("pixel_error",) if name not in known]
    return lacking


def _number(x: float) -> float | None:
    return float(x) if math.isfinite(x) else None
