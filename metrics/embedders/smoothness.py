"""Smoothness of an embedder, d_smooth: how near real faces lie to the paths between embeddings.

Smooth-Swap, Sec. 5.5: z_a, z_b are embeddings of test faces, z_c the training embedding that is nearest to
Slerp(z_a, z_b; r). The sources at hand say that d_smooth is a fraction whose numerator shrinks as z_c comes
near, and that lower is smoother. Its numerator is taken as |Slerp(z_a, z_b; r) - z_c|. The denominator and
the order of averaging are not stated: both are options, their defaults guesses, and belong into the result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.distances import Floats, unit
from metrics.embedders.interpolation import STEPS, nearest_along
from metrics.embedders.slerp import angle, slerp
from metrics.spec import SMOOTHNESS, EmbedderMetric

Denominator = Literal["chord", "arc", "detour", "ends", "none"]
"""What the gap is divided by:
chord   |z_a - z_b|, the default
arc     the angle between z_a and z_b in radians
detour  |z_a - z_c| + |z_c - z_b|, the way from a to b over the face found
ends    mean gap of z_a and z_b to their own nearest training faces: how dense faces lie in general
none    1
"""
Average = Literal["of_ratios", "of_sums"]
"""of_ratios: mean over a, b, r of gap / denominator (default). of_sums: sum of gaps / sum of denominators."""


@dataclass(frozen=True)
class Smoothness:
    """d_smooth >= 0, lower is smoother, and what it is made of.

    value: over all pairs that have a path. gap float [n, m]: |Slerp - z_c| in 0..2. divisor float [n, m].
    per_pair float [n]: mean over r of gap / divisor, NaN without a path: the values for an interval.
    nearest int [n, m]: the training rows z_c. skipped: pairs without a path or with a divisor of 0.
    """

    value: float
    per_pair: Floats
    gap: Floats
    divisor: Floats
    nearest: NDArray[np.int64]
    skipped: int


def d_smooth(
    a: ArrayLike,
    b: ArrayLike,
    train: ArrayLike,
    r: ArrayLike = STEPS,
    denominator: Denominator = "chord",
    average: Average = "of_ratios",
    found: NDArray[np.int64] | None = None,
) -> Smoothness:
    """d_smooth of pairs of test embeddings.

    The nearest training face is found exactly, ties to the lowest row.

    Args:
        a: float [n, d], embeddings at the paths' starts.
        b: float [n, d], at their ends.
        train: float [g, d], embeddings of the training set.
        r: float [m], the steps.
        denominator: What the gap is divided by.
        average: The order of averaging.
        found: Smoothness.nearest of the same faces, where they were searched before, as for another denominator.

    Returns:
        The figure and what it is made of.

    Raises:
        ValueError: For an unknown option, for widths that differ, and for a training set without readings.

    Examples:
        >>> on_the_path = [[np.cos(t), np.sin(t)] for t in np.linspace(0, np.pi / 2, 11)]
        >>> round(d_smooth([[1.0, 0.0]], [[0.0, 1.0]], on_the_path).value, 6)  # a face at every step
        0.0
        >>> round(d_smooth([[1.0, 0.0]], [[0.0, 1.0]], [[1.0, 1.0]]).value, 4)  # one, half way
        0.2443
    """
    if denominator not in get_args(Denominator):
        raise ValueError(f"unknown denominator {denominator!r}; choose {', '.join(get_args(Denominator))}")
    if average not in get_args(Average):
        raise ValueError(f"unknown average {average!r}; choose {' or '.join(get_args(Average))}")
    found = nearest_along(a, b, train, r) if found is None else found
    points = slerp(a, b, r)
    faces = unit(np.asarray(train)[found.ravel()]).reshape(points.shape)
    faces[found < 0] = np.nan
    gap = _length(points - faces)
    divisor = np.broadcast_to(_divisor(denominator, a, b, train, faces), gap.shape)
    usable = np.all(np.isfinite(gap) & np.isfinite(divisor) & (divisor > 0), axis=1)
    ratio = np.full(gap.shape, np.nan)
    ratio[usable] = gap[usable] / divisor[usable]
    if not usable.any():
        value = float("nan")
    elif average == "of_ratios":
        value = float(ratio[usable].mean())
    else:
        value = float(gap[usable].sum() / divisor[usable].sum())
    return Smoothness(value, ratio.mean(axis=1), gap, divisor, found, int(np.sum(~usable)))


def _divisor(denominator: Denominator, a: ArrayLike, b: ArrayLike, train: ArrayLike, faces: Floats) -> Floats:
    u, v = unit(a)[:, None], unit(b)[:, None]
    if denominator == "chord":
        return _length(u - v)
    if denominator == "arc":
        return angle(a, b)[:, None]
    if denominator == "detour":
        return _length(u - faces) + _length(faces - v)
    if denominator == "ends":
        at = nearest_along(a, b, train, (0.0, 1.0))
        around = unit(np.asarray(train)[at.ravel()]).reshape(*at.shape, -1)
        return _length(np.concatenate([u, v], axis=1) - around).mean(axis=1, keepdims=True)
    return np.ones((1, 1))


def _length(rows: Floats) -> Floats:
    return np.asarray(np.sqrt(np.sum(rows * rows, axis=-1)))


METRICS = (
    EmbedderMetric(
        key="d_smooth",
        label="d_smooth",
        group=SMOOTHNESS,
        order=410,
        formula="E_(a,b,r) |Slerp(z_a, z_b; r) - z_c| / |z_a - z_b|, z_c the nearest of the training set",
        description="metrics.embedders.smoothness.d_smooth",
        unit="ratio",
        range=(0.0, math.inf),
        higher_is_better=False,
        source="Smooth-Swap, Sec. 5.5; the denominator is not stated, chord is a guess",
        options="denominator: chord, arc, detour, ends, none; average: of_ratios, of_sums; r: 0.1 ... 0.9",
    ),
)
