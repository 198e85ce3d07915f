"""Intervals for means over clustered frames: the frames of one clip, and of one pair, are not independent.

The statistic is the ratio estimator sum(values) / count(values), every cluster weighing as many frames as it has; what is
resampled, or left out, is whole clusters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.distances import Floats

RESAMPLES = 4999
MANY = 10  # with fewer clusters too many resamples have no spread
_NO_END, _END = 1e12, 1e6  # t of a resample without spread; from where on a quantile of t says nothing
GROUPS = 20  # of clusters, each left out once, where every value costs a matrix decomposition
_BATCH = 512  # resamples held in memory at once


def cluster_sums(
    values: ArrayLike, clusters: ArrayLike
) -> tuple[Float64[np.ndarray, " k"], Float64[np.ndarray, " k"]]:
    """Sum and number of the values in each cluster that has any.

    Args:
        values: float [n]; NaN is left out.
        clusters: [n].

    Returns:
        Two float [k], clusters sorted.

    Raises:
        ValueError: For arrays that do not match.

    Examples:
        >>> sums, counts = cluster_sums([1.0, 2.0, float("nan"), 4.0], ["a", "a", "b", "b"])
        >>> sums.tolist(), counts.tolist()
        ([3.0, 4.0], [2.0, 1.0])
    """
    v = np.asarray(values, dtype=np.float64)
    c = np.asarray(clusters)
    if v.ndim != 1 or v.shape != c.shape:
        raise ValueError(f"values {v.shape} and clusters {c.shape} must be one-dimensional, of equal length")
    kept = ~np.isnan(v)
    _, index = np.unique(c[kept], return_inverse=True)
    sums = np.bincount(index, weights=v[kept])
    return sums.astype(np.float64), np.bincount(index).astype(np.float64)


def standard_error(sums: Float64[np.ndarray, " k"], counts: Float64[np.ndarray, " k"]) -> float:
    """Cluster-robust (linearised) standard error of the mean sum(sums) / sum(counts) over two clusters or more.

    Args:
        sums: float [k], of each cluster's values.
        counts: float [k], how many they are.

    Returns:
        The error, in the values' unit.
    """
    k = len(sums)
    residual = sums - sums.sum() / counts.sum() * counts
    return float(np.sqrt(k / (k - 1) * np.sum(residual**2)) / counts.sum())


def cluster_interval(
    values: ArrayLike,
    clusters: ArrayLike,
    seed: int = 0,
    n_resamples: int = RESAMPLES,
    level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> tuple[float, float]:
    """Confidence interval of the mean of values over independent clusters.

    The union of two intervals, each from the mean's cluster-robust (linearised) standard error:
    - Student's t with k - 1 degrees of freedom for k clusters, right for symmetric values;
    - one that sees skewness: the studentised bootstrap over whole clusters (Efron and Tibshirani, "An introduction to the
      bootstrap", 1993, section 12.5) or, with fewer than MANY clusters, for values within `bounds`, and where the bootstrap
      has no end because too few clusters differ, Hall's cubic transformation of the t statistic (Hall, J. R. Statist. Soc.
      B 54 (1992)).
    The same seed gives the same interval. Coverage by simulation stands in docs/metrics.md.

    Where all clusters have the same mean there is no spread to work with:
    - with `bounds` the interval is the exact binomial one: of k clusters none differed, so at most
      q = 1 - (alpha/2)^(1/k) of all clusters differ, by at most the way to the bounds. At 0 % and 100 % this is the
      Clopper-Pearson interval over clusters.
    - without bounds, one cluster gives (nan, nan): its spread is unknown. Two or more equal ones give the
      value twice, right for numbers that are equal by construction (the oracle's error of 0).

    Args:
        values: float [n]; NaN is left out.
        clusters: [n], the independent unit.
        seed: Of the bootstrap.
        n_resamples: Of the bootstrap.
        level: Of confidence.
        bounds: The values' least and greatest, for percentages of hits.

    Returns:
        (low, high); (nan, nan) for no value at all.

    Raises:
        ValueError: For a level outside 0..1 or arrays that do not match.

    Examples:
        >>> low, high = cluster_interval([100.0] * 20, [f"{i // 2}" for i in range(20)], bounds=(0.0, 100.0))
        >>> round(low, 1), high
        (69.2, 100.0)
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    sums, counts = cluster_sums(values, clusters)
    k = len(sums)
    if k == 0:
        return (np.nan, np.nan)
    means = sums / counts
    mean = float(sums.sum() / counts.sum())
    if np.ptp(means) <= 1e-12 * max(1.0, abs(mean)):
        if bounds is not None:
            q = 1.0 - ((1.0 - level) / 2.0) ** (1.0 / k)
            return (mean - q * (mean - bounds[0]), mean + q * (bounds[1] - mean))
        return (np.nan, np.nan) if k == 1 else (mean, mean)
    residual = sums - mean * counts
    error = standard_error(sums, counts)
    t = float(special.stdtrit(k - 1, (1.0 + level) / 2.0))
    down, up = _hall(residual, t), -_hall(residual, -t)
    if bounds is None and k >= MANY:
        drawn = _studentised(sums, counts, mean, seed, n_resamples, level)
        down, up = (d if np.isfinite(d) else h for d, h in zip(drawn, (down, up), strict=True))
    low, high = mean - error * max(t, down), mean + error * max(t, up)
    return (low, high) if bounds is None else cut((low, high), bounds)


def cut(interval: tuple[float, float], limits: tuple[float, float] | None) -> tuple[float, float]:
    """An interval without what lies beyond the possible values.

    Args:
        interval: Its ends; NaN stays.
        limits: The least and the greatest possible value; None: there are none.

    Returns:
        Both ends within the limits.

    Examples:
        >>> cut((-0.2, 4.1), (0.0, 3.0))
        (0.0, 3.0)
    """
    low, high = interval
    if limits is None or math.isnan(low):
        return interval
    return (min(max(low, limits[0]), limits[1]), min(max(high, limits[0]), limits[1]))


def span(limits: tuple[float | None, float | None]) -> tuple[float, float] | None:
    """How far two values can be apart.

    Args:
        limits: The least and the greatest possible value of either; None or infinite: there is no end.

    Returns:
        The least and the greatest difference; None where an end is open.

    Examples:
        >>> span((0.0, 100.0)), span((0.0, None))
        ((-100.0, 100.0), None)
    """
    low, high = limits
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return None
    return (low - high, high - low)


def _hall(residual: Floats, t: float) -> float:
    """The t statistic whose cubic transform is t, for a mean with these residuals of clusters [k]."""
    # Residuals of clusters sum to 0, so these are their central moments.
    a = float(np.mean(residual**3) / np.mean(residual**2) ** 1.5 / np.sqrt(len(residual)))
    if abs(a) < 1e-9:
        return t
    # x + a x^2 / 3 + a^2 x^3 / 27 + a / 6 = t is ((1 + a x / 3)^3 - 1) / a = t - a / 6.
    return float(3.0 / a * (np.cbrt(1.0 + a * (t - a / 6.0)) - 1.0))


def _studentised(
    sums: Floats, counts: Floats, mean: float, seed: int, n_resamples: int, level: float
) -> tuple[float, float]:
    """How many standard errors the interval reaches (down, up) by resampling clusters; inf where it has no end."""
    k = len(sums)
    rng = np.random.default_rng(seed)
    columns = np.stack([sums, counts, sums**2, sums * counts, counts**2], axis=1)
    t = np.empty(n_resamples)
    # Without spread at all: far smaller than the errors that floats make of it.
    least = 1e-9 * float(np.max(np.abs(sums / counts - mean)))
    for start in range(0, n_resamples, _BATCH):
        weights = rng.multinomial(k, np.full(k, 1.0 / k), min(_BATCH, n_resamples - start))
        s, c, ss, sc, cc = (weights @ columns).T
        drawn = s / c
        spread = np.sqrt(np.maximum(ss - 2.0 * drawn * sc + drawn**2 * cc, 0.0) * (k / (k - 1))) / c
        flat = spread <= least
        off = drawn - mean
        t[start : start + len(s)] = np.where(flat, np.sign(off) * _NO_END, off / np.where(flat, 1.0, spread))
    low, high = np.quantile(t, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return (float(high) if high < _END else np.inf, float(-low) if low > -_END else np.inf)


def group_jackknife(
    statistic: Callable[[NDArray[np.bool_]], float],
    value: float,
    clusters: ArrayLike,
    groups: int = GROUPS,
    level: float = 0.95,
) -> tuple[float, float]:
    """Confidence interval of a statistic that is no mean of frames, such as a distance between sets.

    Clusters are dealt out in order to at most `groups` groups, and each group is left out once: t interval with one
    degree of freedom less than groups (delete-a-group jackknife; Kott, J. Official Statistics 17 (2001)). A bias that
    depends on the number of frames alone is not in it.

    Args:
        statistic: Its value of the frames where a mask, bool [n], holds.
        value: That of all.
        clusters: [n], the independent unit.
        groups: How many at most.
        level: Of confidence.

    Returns:
        (low, high); (nan, nan) for fewer than two clusters.
    """
    names, index = np.unique(np.asarray(clusters), return_inverse=True)
    g = min(groups, len(names))
    if g < 2:
        return (np.nan, np.nan)
    without = np.array([statistic(index % g != i) for i in range(g)])
    error = np.sqrt((g - 1) / g * np.sum((without - without.mean()) ** 2))
    reach = float(special.stdtrit(g - 1, (1.0 + level) / 2.0)) * float(error)
    return (value - reach, value + reach)


@dataclass(frozen=True)
class Difference:
    """Mean of a - b over the frames that both have, with its interval; n frames in `clusters` clusters."""

    value: float
    ci95: tuple[float, float]
    n: int
    clusters: int

    @property
    def separated(self) -> bool:
        """Whether the interval keeps 0 out. Only then may one model be called better than the other."""
        return bool(self.ci95[0] > 0 or self.ci95[1] < 0)


def paired_difference(
    a: ArrayLike,
    b: ArrayLike,
    clusters: ArrayLike,
    seed: int = 0,
    n_resamples: int = RESAMPLES,
    bounds: tuple[float, float] | None = None,
    limits: tuple[float | None, float | None] = (None, None),
) -> Difference:
    """Compare two models frame by frame.

    Frames that lack a value on either side are left out; fill them first where missing counts as wrong.

    Args:
        a: float [n], of the first model.
        b: float [n], of the second, on the same frames.
        clusters: [n], the independent unit.
        seed: Of the bootstrap.
        n_resamples: Of the bootstrap.
        bounds: Least and greatest single value, as in cluster_interval.
        limits: Least and greatest possible value of a metric that is no share of hits: no difference is larger.

    Returns:
        The mean of a - b with its interval.

    Raises:
        ValueError: For arrays that do not match.

    Examples:
        >>> gap = paired_difference([3.0, 5.0, 4.0, 7.0], [1.0, 2.0, 2.0, 3.0], ["a", "a", "b", "b"])
        >>> gap.value, gap.n, gap.clusters
        (2.75, 4, 2)
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"paired values must be of the same frames; got {first.shape} and {second.shape}")
    d: NDArray[np.float64] = first - second
    sums, counts = cluster_sums(d, clusters)
    value = float(sums.sum() / counts.sum()) if len(sums) else float("nan")
    hits = None if bounds is None else span(bounds)
    interval = cut(cluster_interval(d, clusters, seed, n_resamples, 0.95, hits), span(limits))
    return Difference(value, interval, int(counts.sum()), len(sums))
