"""Paired differences for the words and the bold of a report: frames joined by key, spread taken over pairs of people.

A closed form, so that a page needs no random numbers: the mean difference of a ratio estimator with the
cluster-robust standard error and Student's t for k - 1 clusters. bench.compare gives the bootstrap beside it;
the two differ where a difference is barely separated or hits are rare.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from reports.frames import FAILED, join
from reports.results import MetricValue
from reports.run_files import RunFiles


@dataclass(frozen=True)
class Paired:
    """Mean of a - b over n frames in `clusters` pairs of people; low, high: 95 % interval; p: two-sided."""

    value: float
    low: float
    high: float
    p: float
    n: int
    clusters: int

    @property
    def separated(self) -> bool:
        return self.low > 0 or self.high < 0


def difference(a: RunFiles, b: RunFiles, key: str) -> Paired | None:
    """a - b of a metric (or FAILED) by frame; None without per-frame values or with fewer than two clusters."""
    if a.table is None or b.table is None:
        return None
    values: list[MetricValue | None] = [run.results.metrics.get(key) for run in (a, b)]
    if key != FAILED and any(key not in table.metrics for table in (a.table, b.table)):
        return None
    first, second, clusters = join(a.table, b.table, key, values)
    return paired(first - second, clusters)


def paired(d: np.ndarray, clusters: np.ndarray) -> Paired | None:
    """The mean of differences d float [n] with its interval over clusters [n]; None for fewer than two."""
    names, index = np.unique(clusters, return_inverse=True)
    k = len(names)
    if k < 2:
        return None
    sums, counts = np.bincount(index, weights=d), np.bincount(index)
    mean = float(sums.sum() / counts.sum())
    error = math.sqrt(k / (k - 1) * float(((sums - mean * counts) ** 2).sum())) / float(counts.sum())
    if error <= 1e-12 * max(abs(mean), 1e-12):
        return Paired(mean, mean, mean, 1.0 if mean == 0 else 0.0, len(d), k)
    half = float(special.stdtrit(k - 1, 0.975)) * error
    p = 2 * float(special.stdtr(k - 1, -abs(mean) / error))
    return Paired(mean, mean - half, mean + half, p, len(d), k)


def apart(a: RunFiles, b: RunFiles, key: str) -> bool:
    """Are two models separated in a metric? By the paired interval; without frames, by a gap between intervals."""
    found = difference(a, b, key)
    if found is not None:
        return found.separated
    return gap(a.results.metrics[key], b.results.metrics[key])


def gap(a: MetricValue, b: MetricValue) -> bool:
    """Is there a gap between two intervals? What decides where no frame has a value of its own."""
    one, two = a.ci95, b.ci95
    return bool(one and two and (one[0] > two[1] or one[1] < two[0]))


def holm(ps: Sequence[float], level: float = 0.05) -> list[bool]:
    """Which of several tests hold when all of them are counted (Holm's step-down correction)."""
    held = [False] * len(ps)
    for rank, i in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        if ps[i] > level / (len(ps) - rank):
            break
        held[i] = True
    return held
