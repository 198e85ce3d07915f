"""A linear probe: how much of what a recogniser knows people by can be read off an embedding.

A swapper knows of its source no more than the embedder's vector, and that embedder's gradient alone draws it there. What
a recogniser knows people by and the vector does not hold cannot be carried over, however long the training. The probe is
ridge regression from the vector to the recogniser's (linear probes: Alain and Bengio, ICLR workshop 2017), fitted on some
people and read on others (cross-fitting). It bounds from below what the vector holds: a network may read more than a line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from metrics.distances import Floats, unit
from metrics.spec import PROBE, EmbedderMetric
from metrics.statistics.replicates import deal

FOLDS = 5
# Of the ridge, times the mean variance of a coordinate and the number of rows.
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)


@dataclass(frozen=True)
class _Sums:
    """What ridge regression needs of a set of rows x [n, d], y [n, m]: they add up over sets."""

    n: int
    x: Floats
    y: Floats
    xx: Floats
    xy: Floats

    @classmethod
    def of(cls, x: Floats, y: Floats) -> _Sums:
        return cls(len(x), x.sum(axis=0), y.sum(axis=0), x.T @ x, x.T @ y)

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.n + other.n, self.x + other.x, self.y + other.y, self.xx + other.xx, self.xy + other.xy
        )

    def predict(self, x: Floats, strength: float) -> Floats:
        """The ridge fitted on these rows, read at x [k, d]: float [k, m]."""
        mean_x, mean_y = self.x / self.n, self.y / self.n
        spread = self.xx - self.n * np.outer(mean_x, mean_x)
        penalty = max(strength * np.trace(spread) / len(spread), 1e-9)  # 0 where all rows are the same
        slope = np.linalg.solve(
            spread + penalty * np.eye(len(spread)), self.xy - self.n * np.outer(mean_x, mean_y)
        )
        return np.asarray(mean_y + (x - mean_x) @ slope)


def linear_probe(
    z: ArrayLike, wanted: ArrayLike, people: ArrayLike, folds: int = FOLDS, seed: int = 0
) -> Float64[np.ndarray, "n m"]:
    """The recogniser's vectors as far as a line reads them off the embedding.

    The people are dealt to `folds`; each fold's photos are predicted from all others', with the one of STRENGTHS that
    errs least on those folds in turn.

    Args:
        z: float [n, d], embeddings of n photos, brought to length 1.
        wanted: float [n, m], the recogniser's vectors, brought to length 1.
        people: int [n], 0 and up.
        folds: How many.
        seed: Of the dealing.

    Returns:
        float [n, m].

    Raises:
        ValueError: For rows that are not finite, and for fewer people than 2 folds.
    """
    x, y = unit(z), unit(wanted)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("a probe needs finite rows; leave out photos without a reading")
    names, number = np.unique(np.asarray(people), return_inverse=True)
    if len(names) < 2 * folds:
        raise ValueError(f"{len(names)} people are too few for a probe of {folds} folds")
    fold = deal(len(names), folds, seed)[number]
    rows = [np.flatnonzero(fold == k) for k in range(folds)]
    sums = [_Sums.of(x[own], y[own]) for own in rows]
    predicted = np.empty_like(y)
    for k, own in enumerate(rows):
        others = [j for j in range(folds) if j != k]
        held = [(reduce(add, (sums[i] for i in others if i != j)), rows[j]) for j in others]
        errors = [sum(np.sum((fit.predict(x[r], s) - y[r]) ** 2) for fit, r in held) for s in STRENGTHS]
        strength = STRENGTHS[int(np.argmin(errors))]
        predicted[own] = reduce(add, (sums[j] for j in others)).predict(x[own], strength)
    return predicted


def explained(
    predicted: ArrayLike, wanted: ArrayLike
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Squared error and squared distance from the mean of every row, of vectors brought to length 1.

    1 - sum(error) / sum(distance) is the share of the variance that was predicted: 1 all, 0 none, below 0 worse than that.

    Args:
        predicted: float [n, m], of linear_probe.
        wanted: float [n, m], the recogniser's vectors.

    Returns:
        (error, distance), float [n] each.

    Examples:
        >>> error, distance = explained([[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]])
        >>> error.tolist(), distance.tolist()
        ([0.0, 2.0], [0.5, 0.5])
    """
    y = unit(wanted)
    error = np.sum((np.asarray(predicted, np.float64) - y) ** 2, axis=1)
    return error, np.sum((y - y.mean(axis=0)) ** 2, axis=1)


METRICS = (
    EmbedderMetric(
        key="probe_explained",
        label="Probe, variance explained",
        group=PROBE,
        order=430,
        formula=(
            "1 - sum |y - y'|^2 / sum |y - mean y|^2, y' the ridge regression of y on z, other people's"
        ),
        description=(
            "metrics.embedders.probe.linear_probe: how much of a recogniser's vectors can be read off the"
            " embedding."
        ),
        unit="share",
        range=(-math.inf, 1.0),
        higher_is_better=True,
        source="a linear probe (Alain and Bengio 2017) of a recogniser's y; its use here is ours",
        options="folds: 5; strengths: 0.001 ... 10",
    ),
    EmbedderMetric(
        key="probe_retrieval",
        label="Probe, retrieval",
        group=PROBE,
        order=431,
        formula="100 P(the photo's own y is the nearest of one photo a person to y')",
        description=(
            "metrics.embedders.probe.linear_probe: whom a recogniser would find if it saw what a line "
            "reads off z."
        ),
        unit="%",
        range=(0.0, 100.0),
        higher_is_better=True,
        source="ID retrieval with a linear probe in the swapper's place: ours",
        options="k: 1, 5; candidates: one photo a person",
    ),
)
