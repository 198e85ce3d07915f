"""How well distances between faces agree with the truth, or tell people apart, with intervals over people.

A pair of faces belongs to two people, so pairs are not independent: intervals come from the jackknife that leaves out
one person with all pairs that they are part of (Efron and Stein 1981), carried to a scale where the estimate is nearly
normal by that scale's slope at the estimate (delta method).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from metrics.distances import Floats


@dataclass(frozen=True)
class Estimate:
    """A value, its 95 % interval (NaN where it cannot be had), how many observations of how many people it rests on."""

    value: float
    ci95: tuple[float, float]
    n: int
    people: int


def _jackknife(
    statistic: Callable[[NDArray[np.bool_]], float],
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    forward: Callable[[float], float],
    slope: Callable[[float], float],
    back: Callable[[float], float],
) -> Estimate:
    """`statistic` of a mask over the pairs, each of the people `first` and `second`; the interval on forward's scale.

    The error is the statistic's own, times `slope`, the derivative of `forward`: near an end of the range one person can
    make all of the difference, and to leave them out there would be a step of any length on forward's scale.
    """
    people = np.unique(np.concatenate([first, second]))
    k, everything = len(people), np.ones(len(first), bool)
    value = statistic(everything)
    nothing = Estimate(value, (np.nan, np.nan), len(first), k)
    if k < 3 or not np.isfinite(value):
        return nothing
    without = np.array([statistic((first != p) & (second != p)) for p in people])
    if not np.isfinite(without).all():
        return nothing
    error = np.sqrt((k - 1) / k * ((without - without.mean()) ** 2).sum())
    reach = float(stats.t.ppf(0.975, k - 1) * error) * slope(value)
    centre = forward(value)
    return Estimate(value, (back(centre - reach), back(centre + reach)), len(first), k)


def rank_correlation(measured: ArrayLike, truth: ArrayLike, first: ArrayLike, second: ArrayLike) -> Estimate:
    """Spearman's correlation of measured and true distances; the interval is symmetric in Fisher's z.

    Args:
        measured: float [n]; pairs where either distance is NaN are left out, and n says so.
        truth: float [n].
        first: [n], one of the two people of each pair.
        second: [n], the other.

    Returns:
        -1..1 with its interval over people.
    """
    m, t = np.asarray(measured, np.float64), np.asarray(truth, np.float64)
    kept = np.isfinite(m) & np.isfinite(t)
    m, t = m[kept], t[kept]
    a, b = np.asarray(first)[kept], np.asarray(second)[kept]
    _, a = np.unique(np.concatenate([a, b]), return_inverse=True)
    a, b = np.split(a, 2)

    def spearman(mask: NDArray[np.bool_]) -> float:
        x, y = m[mask], t[mask]
        if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
            return float("nan")
        return float(stats.spearmanr(x, y).statistic)

    def clipped(r: float) -> float:
        return float(np.clip(r, -1 + 1e-9, 1 - 1e-9))

    return _jackknife(
        spearman,
        a,
        b,
        lambda r: float(np.arctanh(clipped(r))),
        lambda r: 1 / (1 - clipped(r) ** 2),
        lambda z: float(np.tanh(z)),
    )


def same_person_auc(distances: ArrayLike, same: ArrayLike, first: ArrayLike, second: ArrayLike) -> Estimate:
    """Area under the ROC curve of "nearer means the same person", 0.5 by chance; ties count half.

    Args:
        distances: float [n]; NaN is left out.
        same: bool [n].
        first: [n], one of the two people of each pair.
        second: [n], the other.

    Returns:
        0..1 with its interval over people.

    Examples:
        >>> same_person_auc([0.1, 0.9, 0.8], [True, False, False], [0, 0, 1], [0, 1, 2]).value
        1.0
    """
    d, s = np.asarray(distances, np.float64), np.asarray(same, bool)
    kept = np.isfinite(d)
    d, s = d[kept], s[kept]
    _, index = np.unique(
        np.concatenate([np.asarray(first)[kept], np.asarray(second)[kept]]), return_inverse=True
    )
    a, b = np.split(index, 2)

    def auc(mask: NDArray[np.bool_]) -> float:
        x, y = d[mask], s[mask]
        positives, negatives = int(y.sum()), int((~y).sum())
        if not positives or not negatives:
            return float("nan")
        ranks = stats.rankdata(-x)
        return float((ranks[y].sum() - positives * (positives + 1) / 2) / (positives * negatives))

    def bounded(p: float) -> float:
        return float(np.clip(p, 1e-6, 1 - 1e-6))

    return _jackknife(
        auc,
        a,
        b,
        lambda p: float(np.log(bounded(p) / (1 - bounded(p)))),
        lambda p: 1 / (bounded(p) * (1 - bounded(p))),
        lambda z: float(1 / (1 + np.exp(-z))),
    )


def median_over_people(
    values: ArrayLike, people: ArrayLike, seed: int = 0, resamples: int = 1999
) -> Estimate:
    """The median with a percentile interval that resamples whole people.

    Args:
        values: float [n]; NaN is left out.
        people: [n].
        seed: Of the resampling.
        resamples: How many.

    Returns:
        The median with its interval.
    """
    v, p = np.asarray(values, np.float64), np.asarray(people)
    kept = np.isfinite(v)
    v, p = v[kept], p[kept]
    groups = [v[p == one] for one in np.unique(p)]
    if not groups:
        return Estimate(float("nan"), (np.nan, np.nan), 0, 0)
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(groups), size=(resamples, len(groups)))
    medians = [float(np.median(np.concatenate([groups[i] for i in draw]))) for draw in draws]
    low, high = np.quantile(medians, [0.025, 0.975]) if len(groups) > 1 else (np.nan, np.nan)
    return Estimate(float(np.median(v)), (float(low), float(high)), len(v), len(groups))


def ratio_of_medians(above: ArrayLike, below: ArrayLike, seed: int = 0, resamples: int = 1999) -> Estimate:
    """median(above) / median(below) of paired values, one of each a person; percentile interval over people.

    Args:
        above: float [n].
        below: float [n].
        seed: Of the resampling.
        resamples: How many.

    Returns:
        The ratio with its interval.
    """
    a, b = np.asarray(above, np.float64), np.asarray(below, np.float64)
    kept = np.isfinite(a) & np.isfinite(b)
    a, b = a[kept], b[kept]
    if len(a) == 0 or np.median(b) == 0:
        return Estimate(float("nan"), (np.nan, np.nan), len(a), len(a))
    value = float(np.median(a) / np.median(b))
    if len(a) < 3:
        return Estimate(value, (np.nan, np.nan), len(a), len(a))

    def ratio(x: Floats, y: Floats, axis: int = -1) -> Floats:
        return np.asarray(np.median(x, axis=axis) / np.maximum(np.median(y, axis=axis), 1e-300))

    result = stats.bootstrap(
        (a, b),
        ratio,
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = (float(x) for x in result.confidence_interval)
    return Estimate(value, (low, high), len(a), len(a))
