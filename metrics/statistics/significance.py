"""Is one model better than another? Tests over pairs of clips, corrections, and what a study could have seen.

The independent unit is the cluster (FF++: the unordered pair of clips), as in metrics/statistics/intervals.py. A p-value
says how surprising the paired difference would be if the two models could be exchanged in every cluster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike
from scipy import integrate, optimize, special, stats

from metrics.distances import Floats
from metrics.statistics.intervals import Difference, cluster_sums, cut, span, standard_error

PERMUTATIONS = 9999
_BATCH = 1024  # permutations held in memory at once
Correction = Literal["holm", "benjamini_hochberg"]


@dataclass(frozen=True)
class Detectable:
    """The smallest true difference that a study with `clusters` clusters finds with the chance `power`.

    difference: in the unit of the values. standard_error: of the paired mean at that number of clusters.
    """

    difference: float
    standard_error: float
    clusters: int
    level: float
    power: float


def paired_test(
    a: ArrayLike, b: ArrayLike, clusters: ArrayLike, seed: int = 0, n_resamples: int = PERMUTATIONS
) -> float:
    """Two-sided p-value of the mean of a - b, exchanging the two models within whole clusters.

    Exact where 2^clusters <= n_resamples, else from random exchanges (never 0); valid for few clusters and any
    distribution. With k clusters p is at least 2^(1-k).

    Args:
        a: float [n], of the first model.
        b: float [n], of the second, on the same frames; frames that lack a value on either side are left out.
        clusters: [n], the independent unit.
        seed: Of the exchanges.
        n_resamples: How many.

    Returns:
        p; 1 for equal models, NaN for no frame.

    Raises:
        ValueError: For arrays that do not match.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"paired values must be of the same frames; got {first.shape} and {second.shape}")
    sums, _ = cluster_sums(first - second, clusters)
    if len(sums) == 0:
        return float("nan")
    if not sums.any():
        return 1.0
    if len(sums) == 1:
        return 1.0  # exchanging the only cluster turns the sign and nothing else

    # The counts stay in place, so that the sum decides as the mean does. Rounding is kept from making ties.
    def total(x: Floats, y: Floats, axis: int = -1) -> Floats:
        return np.asarray(np.round((x - y).sum(axis=axis) / np.abs(sums).sum(), 12))

    result = stats.permutation_test(
        (sums, np.zeros_like(sums)),
        total,
        permutation_type="samples",
        vectorized=True,
        n_resamples=n_resamples,
        batch=_BATCH,
        alternative="two-sided",
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def exchange_tests(
    sums: ArrayLike, seed: int = 0, n_resamples: int = PERMUTATIONS
) -> Float64[np.ndarray, " m"]:
    """Two-sided p-values of several metrics, exchanging two models within whole clusters in all metrics at once.

    Of each metric the test is that of paired_test; the exchanges are drawn once for all.

    Args:
        sums: float [m, k], of each metric the sum of the differences in each cluster; 0 where a cluster has none.
        seed: Of the exchanges.
        n_resamples: How many. All 2^k are tried where they are no more; each p is then exact.

    Returns:
        float [m], never 0; 1 for a metric in which nothing differs.

    Raises:
        ValueError: For sums that are no table.

    Examples:
        >>> exchange_tests([[1.0, 2.0, 3.0], [1.0, -1.0, 0.0]]).tolist()
        [0.25, 1.0]
    """
    table = np.asarray(sums, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"sums of clusters are a table of metrics and clusters, not {table.shape}")
    k = table.shape[1]
    # Rounding is kept from making ties, as in paired_test.
    scale = np.abs(table).sum(axis=1)
    rows = table / np.where(scale > 0, scale, 1.0)[:, None]
    least = np.abs(rows.sum(axis=1)) - 1e-12
    exact = 2**k <= n_resamples
    total = 2**k if exact else n_resamples
    rng = np.random.default_rng(seed)
    reached = np.zeros(len(table))
    for start in range(0, total, _BATCH):
        n = min(_BATCH, total - start)
        if exact:
            turned = (np.arange(start, start + n)[:, None] >> np.arange(k)) & 1
        else:
            turned = rng.integers(0, 2, (n, k), dtype=np.int8)
        reached += (np.abs((1.0 - 2.0 * turned) @ rows.T) >= least).sum(axis=0)
    return reached / total if exact else (reached + 1) / (total + 1)


@dataclass(frozen=True)
class Tested(Difference):
    """A difference with its two-sided p-value."""

    p: float


def paired_t_test(
    a: ArrayLike,
    b: ArrayLike,
    clusters: ArrayLike,
    limits: tuple[float | None, float | None] = (None, None),
) -> Tested | None:
    """Student's t over whole clusters of the mean of a - b: the closed form of paired_difference.

    It needs no random numbers and is fast, so a page may hold hundreds. The bootstrap of paired_difference sees skewness
    besides: the two part where a difference is barely separated or hits are rare.

    Args:
        a: float [n], of the first model.
        b: float [n], of the second, on the same frames. A frame that lacks either is left out.
        clusters: [n], the independent unit.
        limits: Least and greatest possible value of either model: the interval ends where no difference can be larger.

    Returns:
        The mean difference, its 95 % t interval and p; None for fewer than two clusters.

    >>> found = paired_t_test([3, 5, 4, 6], [1, 2, 2, 3], ["a", "a", "b", "b"])
    >>> found.value, found.ci95, found.clusters
    (2.5, (2.5, 2.5), 2)
    """
    sums, counts = cluster_sums(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64), clusters)
    k, n = len(sums), int(counts.sum())
    if k < 2:
        return None
    mean, error = float(sums.sum() / counts.sum()), standard_error(sums, counts)
    if error <= 1e-12 * max(abs(mean), 1e-12):
        return Tested(mean, (mean, mean), n, k, 1.0 if mean == 0 else 0.0)
    half = float(special.stdtrit(k - 1, 0.975)) * error
    p = 2.0 * float(special.stdtr(k - 1, -abs(mean) / error))
    return Tested(mean, cut((mean - half, mean + half), span(limits)), n, k, p)


def holm(p: ArrayLike) -> Float64[np.ndarray, " m"]:
    """Holm's adjusted p-values of a family: the chance of even one false finding stays below level.

    Holm, Scand. J. Statist. 6 (1979).

    Args:
        p: float [m]. NaN is no comparison: it stays NaN and does not count.

    Returns:
        float [m].

    Raises:
        ValueError: For what is no list of numbers in 0..1.

    Examples:
        >>> holm([0.01, 0.04, 0.03, 0.005]).round(3).tolist()
        [0.03, 0.06, 0.06, 0.02]
    """

    def adjust(values: Floats) -> Floats:
        order = np.argsort(values)
        stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
        adjusted = np.empty_like(values)
        adjusted[order] = np.minimum(stepped, 1.0)
        return adjusted

    return _adjusted(p, adjust)


def benjamini_hochberg(p: ArrayLike) -> Float64[np.ndarray, " m"]:
    """Adjusted p-values that bound the expected share of false findings among all findings.

    scipy.stats.false_discovery_control. Benjamini and Hochberg, J. R. Statist. Soc. B 57 (1995).

    Args:
        p: float [m]; NaN as in holm.

    Returns:
        float [m].

    Raises:
        ValueError: As holm.

    Examples:
        >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.005]).round(3).tolist()
        [0.02, 0.04, 0.04, 0.02]
    """
    return _adjusted(p, lambda values: np.asarray(stats.false_discovery_control(values, method="bh")))


def corrected(p: ArrayLike, method: Correction = "holm") -> Float64[np.ndarray, " m"]:
    """Adjusted p-values by the name of the method, which belongs into the result.

    Args:
        p: float [m].
        method: "holm" or "benjamini_hochberg".

    Returns:
        float [m].

    Raises:
        ValueError: For another method.
    """
    if method not in ("holm", "benjamini_hochberg"):
        raise ValueError(f"unknown correction {method!r}; choose holm or benjamini_hochberg")
    return holm(p) if method == "holm" else benjamini_hochberg(p)


def minimum_detectable_difference(
    a: ArrayLike,
    b: ArrayLike,
    clusters: ArrayLike,
    planned: int | None = None,
    level: float = 0.05,
    power: float = 0.8,
) -> Detectable:
    """What a two-sided paired comparison could find.

    The spread between clusters is taken from the two models' values; the power is that of the t test over clusters
    (noncentral t).

    Args:
        a: float [n], of the first model.
        b: float [n], of the second, on the same frames.
        clusters: [n], the independent unit.
        planned: How many clusters a study would have (None: as many as there are).
        level: Of the test.
        power: The chance to find it.

    Returns:
        The smallest such difference.

    Raises:
        ValueError: For fewer than two clusters.
    """
    if not (0 < level < 1 and level < power < 1):
        raise ValueError(f"level {level} and power {power} must be shares with level < power")
    d = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    sums, counts = cluster_sums(d, clusters)
    k = len(sums)
    wanted = k if planned is None else planned
    if k < 2 or wanted < 2:
        raise ValueError(f"{k} clusters measured and {wanted} planned; a spread needs two or more of each")
    residual = (sums - counts * sums.sum() / counts.sum()) / counts.mean()
    error = float(np.sqrt(np.sum(residual**2) / (k - 1) / wanted))
    return Detectable(error * _noncentrality(wanted - 1, level, power), error, wanted, level, power)


def _noncentrality(freedom: int, level: float, power: float) -> float:
    """Shift of the t statistic, in standard errors, at which the two-sided test has that power."""
    limit = float(stats.t.ppf(1.0 - level / 2.0, freedom))

    root = np.sqrt(freedom)
    constant = np.log(root) - (freedom / 2 - 1) * np.log(2) - special.gammaln(freedom / 2)  # of chi, in w
    ends = stats.chi.ppf(1e-14, freedom) / root, stats.chi.isf(1e-14, freedom) / root

    def lacking(shift: float) -> float:
        # scipy's noncentral t gives NaN in its tails, so the mean over the estimated spread w is taken here.
        def found(w: float) -> float:
            passed = special.ndtr(shift - limit * w) + special.ndtr(-limit * w - shift)
            density = (freedom - 1) * np.log(w * root) - (w * root) ** 2 / 2 + constant
            return float(passed * np.exp(density))

        return float(integrate.quad(found, *ends, epsabs=1e-11, limit=200)[0] - power)

    return float(optimize.brentq(lacking, 0.0, 4.0 * limit + 20.0, xtol=1e-9))


def _adjusted(p: ArrayLike, adjust: Callable[[Floats], Floats]) -> Floats:
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"p-values of one family are a list, not {values.shape}")
    known = ~np.isnan(values)
    if not np.all((values[known] >= 0) & (values[known] <= 1)):
        raise ValueError("p-values lie in 0..1")
    adjusted = np.full(len(values), np.nan)
    if known.any():
        adjusted[known] = adjust(values[known])
    return adjusted
