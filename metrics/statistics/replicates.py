"""Intervals for figures of trained networks: over people, and over the seeds of the training, which are crossed.

Every network of a group (one loss, S seeds) reads the same people, so a figure, the mean over the S networks, varies
for two reasons: other people, and other seeds. Their variances are added,

    var = jackknife variance over people of the mean over seeds + (sample variance over seeds) / S

and the interval is Student's, with Satterthwaite's degrees of freedom (Satterthwaite, Biometrics Bulletin 2, 1946):
with three seeds that differ much it is wide, as it must be. What people and seeds do together stands in both parts, so
the interval is too wide rather than too narrow. With one seed the second part is unknown and left out: such an interval
speaks of that network, not of its loss.

People are left out a group at a time (delete-a-group jackknife; Kott, J. Official Statistics 17, 2001), which serves
means as well as areas under curves and ranks. A pair of two people goes when either of them does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from metrics.distances import Floats

GROUPS = 40  # with fewer clusters, each is a group: the ordinary jackknife
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Replicated:
    """A figure of one network: its value and, float [g], its value without each group of people."""

    value: float
    without: Floats


@dataclass(frozen=True)
class Crossed:
    """A figure of a group of networks, or the difference of two.

    value: mean over seeds. ci95: NaN where a spread is unknown. p: two-sided, of value = 0. error_people, error_seeds:
    standard errors, error_seeds NaN with one seed. each: of every seed (of a difference: empty).
    """

    value: float
    ci95: tuple[float, float]
    p: float
    error_people: float
    error_seeds: float
    each: tuple[float, ...]


def deal(clusters: int, groups: int = GROUPS, seed: int = 0) -> Int64[np.ndarray, " clusters"]:
    """The group of each cluster, by lot.

    Args:
        clusters: How many there are.
        groups: How many groups, of nearly one size; with fewer clusters each is its own.
        seed: Of the lot.

    Returns:
        int [clusters].

    Examples:
        >>> sorted(deal(5, groups=2).tolist())
        [0, 0, 0, 1, 1]
    """
    order = np.random.default_rng(seed).permutation(clusters)
    group = np.empty(clusters, np.int64)
    group[order] = np.arange(clusters) % min(groups, max(clusters, 1))
    return group


def replicate(statistic: Callable[[Bools], float], *groups: ArrayLike) -> Replicated:
    """A statistic of all observations, and without each group of clusters.

    Args:
        statistic: Of a mask, bool [n], over the observations.
        groups: int [n] each, the group of every cluster that an observation belongs to (two for a pair of two people).

    Returns:
        The value and its replicates.
    """
    sides = [np.asarray(side) for side in groups]
    count = 1 + max((int(side.max()) for side in sides if len(side)), default=-1)
    kept = [np.logical_and.reduce([side != g for side in sides]) for g in range(count)]
    return Replicated(
        statistic(np.ones(len(sides[0]), bool)), np.array([statistic(mask) for mask in kept], np.float64)
    )


def replicate_mean(values: ArrayLike, group: ArrayLike) -> Replicated:
    """A mean, and without each group of clusters.

    Args:
        values: float [n]; NaN is left out.
        group: int [n].

    Returns:
        The value and its replicates.

    Examples:
        >>> mean = replicate_mean([1.0, 2.0, 6.0], [0, 0, 1])
        >>> mean.value, mean.without.tolist()
        (3.0, [6.0, 1.5])
    """
    v = np.asarray(values, np.float64)

    def mean(mask: Bools) -> float:
        kept = v[mask & np.isfinite(v)]
        return float(kept.mean()) if len(kept) else float("nan")

    return replicate(mean, group)


def crossed(networks: Sequence[Replicated], bounds: tuple[float, float] | None = None) -> Crossed:
    """The figure of a group of networks, one a seed.

    Args:
        networks: Each network's figure.
        bounds: Least and greatest possible value.

    Returns:
        Mean, interval and errors.

    Raises:
        ValueError: For no network.
    """
    value, people, seeds, each = _parts(networks)
    ci95, p = _student(value, [people] if seeds is None else [people, seeds])
    if bounds is not None:
        ci95 = (max(ci95[0], bounds[0]), min(ci95[1], bounds[1]))
    return Crossed(value, ci95, p, _root(people), _root(seeds), each)


def difference(a: Sequence[Replicated], b: Sequence[Replicated]) -> Crossed:
    """Mean of the networks a minus mean of the networks b.

    People are paired, seeds are not. Where one side has a single seed, only the other's spread over seeds is in it.

    Args:
        a: The first group's figures.
        b: The second's, on the same people left out in the same groups.

    Returns:
        Difference, interval and errors.

    Raises:
        ValueError: For no network.
    """
    value_a, _, seeds_a, _ = _parts(a)
    value_b, _, seeds_b, _ = _parts(b)
    gaps = np.mean([one.without for one in a], axis=0) - np.mean([one.without for one in b], axis=0)
    parts = [_people(gaps), *(part for part in (seeds_a, seeds_b) if part is not None)]
    ci95, p = _student(value_a - value_b, parts)
    seeds = float(np.sqrt(sum(v for v, _ in parts[1:]))) if len(parts) > 1 else float("nan")
    return Crossed(value_a - value_b, ci95, p, _root(parts[0]), seeds, ())


_Part = tuple[float, int]  # a variance and its degrees of freedom


def _parts(networks: Sequence[Replicated]) -> tuple[float, _Part, _Part | None, tuple[float, ...]]:
    if not networks:
        raise ValueError("a group needs one network or more")
    each = tuple(one.value for one in networks)
    seeds = None
    if len(each) > 1:
        seeds = (float(np.var(each, ddof=1)) / len(each), len(each) - 1)
    return (
        float(np.mean(each)),
        _people(np.mean([one.without for one in networks], axis=0)),
        seeds,
        each,
    )


def _people(without: Floats) -> _Part:
    g = len(without)
    if g < 2:
        return (float("nan"), 0)
    return (float((g - 1) / g * np.sum((without - without.mean()) ** 2)), g - 1)


def _student(value: float, parts: Sequence[_Part]) -> tuple[tuple[float, float], float]:
    variance = sum(v for v, _ in parts)
    if not (np.isfinite(value) and np.isfinite(variance)):
        return (np.nan, np.nan), float("nan")
    if variance <= 0:
        return (value, value), 1.0 if value == 0 else 0.0
    freedom = variance**2 / sum(v**2 / df for v, df in parts)
    error = float(np.sqrt(variance))
    reach = float(stats.t.ppf(0.975, freedom)) * error
    return (value - reach, value + reach), float(2 * stats.t.sf(abs(value) / error, freedom))


def _root(part: _Part | None) -> float:
    return float("nan") if part is None else float(np.sqrt(part[0]))
