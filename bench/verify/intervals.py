"""The intervals of bench.verify, worked out again with this module's own small code (see bench/verify/recount.py).

Means of frames: Student's t over clusters, joined with the studentised bootstrap (ten clusters or more) or, for shares and
for few clusters, with Hall's transformed t. Distances between sets: the jackknife over groups of clusters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

RESAMPLES = 4000
MANY = 10  # clusters from which on the bootstrap is used
GROUPS = 20
Ends = tuple[float, float]


def interval(values: np.ndarray, clusters: np.ndarray, bounds: Ends | None) -> Ends | None:
    """95 % interval of the mean of frames over clusters.

    Args:
        values: float64 [n], in the metric's unit; NaN for a frame without a value, which is left out.
        clusters: [n], the independent unit of each frame.
        bounds: Least and greatest value of a frame where frames are hits or misses, (0, 100); else None.

    Returns:
        (low, high); None where no cluster has a value, and without `bounds` where only one has.
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
            return value - q * (value - bounds[0]), value + q * (bounds[1] - value)
        return None if k == 1 else (value, value)
    away = sums - value * counts
    error = math.sqrt(k / (k - 1) * (away**2).sum()) / counts.sum()
    t = student(0.975, k - 1)
    skewness = (away**3).mean() / (away**2).mean() ** 1.5
    reach = (_hall(t, skewness, k), _hall(-t, skewness, k))
    if bounds is None and k >= MANY:
        drawn = _studentised(sums, counts, value)
        # Where too many resamples have no spread at all the bootstrap has no such end.
        reach = tuple(d if math.isfinite(d) else h for d, h in zip(drawn, reach, strict=True))  # type: ignore[assignment]
    low, high = value - error * max(t, reach[0]), value + error * max(t, -reach[1])
    return (low, high) if bounds is None else (max(low, bounds[0]), min(high, bounds[1]))


def _studentised(sums: np.ndarray, counts: np.ndarray, value: float) -> Ends:
    """(97.5 %, 2.5 %) quantiles of the t statistic over resampled clusters, with random numbers of its own."""
    k = len(sums)
    drawn = np.random.default_rng(20220607).multinomial(k, np.full(k, 1 / k), RESAMPLES)
    total, n = drawn @ sums, drawn @ counts
    mean = total / n
    squares = drawn @ sums**2 - 2 * mean * (drawn @ (sums * counts)) + mean**2 * (drawn @ counts**2)
    error = np.sqrt(np.maximum(squares, 0) * k / (k - 1)) / n
    off = mean - value
    flat = error <= 1e-9 * max(1e-300, float(np.abs(sums / counts - value).max()))
    t = np.sort(np.where(flat, np.sign(off) * 1e12, off / np.where(flat, 1.0, error)))
    ends = [float(np.quantile(t, p)) for p in (0.975, 0.025)]
    ends = [e if abs(e) < 1e6 else math.inf for e in ends]
    return ends[0], ends[1]


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
        (low, high) around `value`, low perhaps below 0; None for fewer than two clusters.
    """
    names = sorted(set(clusters))
    g = min(GROUPS, len(names))
    if g < 2:
        return None
    dealt = {name: i % g for i, name in enumerate(names)}
    group = np.array([dealt[name] for name in clusters])
    left = [distance(np.flatnonzero(group != i)) for i in range(g)]
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


def agree(said: Any, again: Ends | None, slack: float) -> bool:
    """Whether a stored interval is the one worked out again.

    Args:
        said: The stored (low, high); None: there is none.
        again: The one worked out; None: there is none.
        slack: How far apart either end may be, in the metric's unit.

    Returns:
        True where both have no interval, or both ends are near enough.
    """
    if said is None or again is None:
        return said is None and again is None
    return all(abs(a - b) <= slack for a, b in zip(said, again, strict=True))
