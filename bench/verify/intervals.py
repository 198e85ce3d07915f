"""The intervals of bench.verify, worked out again with this module's own small code (see bench/verify/recount.py).

Means of frames: Student's t over clusters, joined with the studentised bootstrap (ten clusters or more) or, for shares and
for few clusters, with Hall's transformed t. Distances between sets: the jackknife over groups of clusters.

Two bootstraps of the same frames draw other random numbers, and where few clusters differ their quantiles jump. So an end
is given as the range in which another bootstrap's may lie: it is narrow for smooth values, and a point without a bootstrap.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

RESAMPLES = 4000
MANY = 10  # clusters from which on the bootstrap is used
GROUPS = 20
# How far two bootstraps of 2,000 resamples or more may differ in the share beyond a quantile: four standard errors.
_SHARE = 0.0165
Ends = tuple[float, float]
Ranges = tuple[Ends, Ends]
"""Of the low and of the high end of an interval: the least and the greatest that it may be."""


def interval(values: np.ndarray, clusters: np.ndarray, bounds: Ends | None) -> Ranges | None:
    """95 % interval of the mean of frames over clusters.

    Args:
        values: float64 [n], in the metric's unit; NaN for a frame without a value, which is left out.
        clusters: [n], the independent unit of each frame.
        bounds: Least and greatest value of a frame where frames are hits or misses, (0, 100); else None.

    Returns:
        The range of either end; None where no cluster has a value, and without `bounds` where only one has.
    """
    there = np.isfinite(values)
    names, index = np.unique(clusters[there], return_inverse=True)
    k = len(names)
    if k == 0:
        return None
    sums, counts = np.zeros(k), np.zeros(k)
    np.add.at(sums, index, values[there])
    np.add.at(counts, index, 1.0)
    value = sums.sum() / counts.sum()
    means = sums / counts
    if means.max() - means.min() <= 1e-12 * max(1.0, abs(value)):
        if bounds is not None:
            q = 1 - 0.025 ** (1 / k)
            return exactly(value - q * (value - bounds[0]), value + q * (bounds[1] - value))
        return None if k == 1 else exactly(value, value)
    away = sums - value * counts
    error = math.sqrt(k / (k - 1) * (away**2).sum()) / counts.sum()
    t = student(0.975, k - 1)
    skewness = (away**3).mean() / (away**2).mean() ** 1.5
    hall = (_hall(t, skewness, k), -_hall(-t, skewness, k))
    reaches = [(h, h) for h in hall]
    if bounds is None and k >= MANY:
        drawn = _studentised(sums, counts, value)
        reaches = [_reach(one, h) for one, h in zip((drawn, -drawn[::-1]), hall, strict=True)]
    (least, most), (least_up, most_up) = ([error * max(t, end) for end in reach] for reach in reaches)
    ranges = ((value - most, value - least), (value + least_up, value + most_up))
    return ranges if bounds is None else within(ranges, bounds)


def _studentised(sums: np.ndarray, counts: np.ndarray, value: float) -> np.ndarray:
    """The t statistic over resampled clusters, sorted, with random numbers of its own; infinite without spread."""
    k = len(sums)
    drawn = np.random.default_rng(20220607).multinomial(k, np.full(k, 1 / k), RESAMPLES)
    total, n = drawn @ sums, drawn @ counts
    mean = total / n
    squares = drawn @ sums**2 - 2 * mean * (drawn @ (sums * counts)) + mean**2 * (drawn @ counts**2)
    error = np.sqrt(np.maximum(squares, 0) * k / (k - 1)) / n
    off = mean - value
    flat = error <= 1e-9 * max(1e-300, float(np.abs(sums / counts - value).max()))
    return np.sort(
        np.where(flat, np.where(off == 0, 0.0, np.copysign(np.inf, off)), off / np.where(flat, 1.0, error))
    )


def _reach(t: np.ndarray, hall: float) -> Ends:
    """The least and the greatest that the 97.5 % quantile of sorted t may be.

    Where too many resamples have no spread at all the bootstrap has no such end, and Hall's takes its place.
    """
    first, last = (math.floor(len(t) * (0.975 - _SHARE)), math.ceil(len(t) * (0.975 + _SHARE)))
    near = t[first : last + 1]
    known = near[np.abs(near) < 1e6]
    candidates = [*known[:1], *known[-1:], *([hall] if len(known) < len(near) else [])]
    return min(candidates), max(candidates)


def exactly(low: float, high: float) -> Ranges:
    """Two ends that are known.

    Args:
        low: The one.
        high: The other.

    Returns:
        Their ranges, points.
    """
    return (low, low), (high, high)


def within(ranges: Ranges, limits: Ends) -> Ranges:
    """Both ends within limits.

    Args:
        ranges: Of either end.
        limits: What no end goes beyond.

    Returns:
        The ranges, cut.
    """
    (a, b), (c, d) = ([min(max(end, limits[0]), limits[1]) for end in one] for one in ranges)
    return (a, b), (c, d)


def _hall(t: float, skewness: float, k: int) -> float:
    """The t statistic that Hall's cubic turns into t (Hall 1992): the root of x + a x^2/3 + a^2 x^3/27 + a/6 = t."""
    a = skewness / math.sqrt(k)
    return t if abs(a) < 1e-9 else 3 / a * (math.cbrt(1 + a * (t - a / 6)) - 1)


def jackknife(distance: Callable[[np.ndarray], float], value: float, clusters: np.ndarray) -> Ends | None:
    """95 % interval of a distance between sets: each of at most GROUPS groups of clusters is left out once.

    Args:
        distance: Of the rows with these indices, int [k].
        value: Of all rows.
        clusters: [n], the independent unit of each row.

    Returns:
        (low, high) around `value`, low perhaps below 0; None for fewer than two clusters, and where what is left without
        one has no distance (NaN).
    """
    names = sorted(set(clusters))
    g = min(GROUPS, len(names))
    if g < 2:
        return None
    dealt = {name: i % g for i, name in enumerate(names)}
    group = np.array([dealt[name] for name in clusters])
    left = [distance(np.flatnonzero(group != i)) for i in range(g)]
    if not np.isfinite(left).all():
        return None
    reach = student(0.975, g - 1) * math.sqrt((g - 1) * float(np.var(left)))
    return value - reach, value + reach


def student(p: float, degrees: int) -> float:
    """Quantile of Student's t.

    Args:
        p: Probability below the quantile, between 0 and 1.
        degrees: Of freedom, at least 1.

    Returns:
        The quantile, negative for p under 0.5.

    Examples:
        >>> round(student(0.975, 9), 3)
        2.262
    """
    from scipy.special import stdtrit

    return float(stdtrit(degrees, p))


def agree(said: Any, again: Ranges | None, slack: float) -> bool:
    """Whether a stored interval is the one worked out again.

    Args:
        said: The stored (low, high); None: there is none.
        again: The ranges worked out; None: there is no interval.
        slack: How far outside of its range either end may be, in the metric's unit.

    Returns:
        True where both have no interval, or both ends are near enough.
    """
    if said is None or again is None:
        return said is None and again is None
    return all(a - slack <= end <= b + slack for end, (a, b) in zip(said, again, strict=True))
