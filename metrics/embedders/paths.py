"""How smoothly an embedding follows a known change of the face: figures of paths z_0, ..., z_K.

The points belong to equal steps of a parameter (a morph between two people, age, weight). On the sphere, where
embedders are compared, a step is the tangent vector log_z(z') that leads from z to z' along the great circle, its
length the angle in radians; in the plane it is z' - z. With s+_k the step from z_k to z_(k+1), s-_k that to z_(k-1):

    tortuosity      sum |s+_k| / |step from z_0 to z_K|
                    1 for a straight path
    curvature       sum |s+_k + s-_k| / sum (|s+_k| + |s-_k|) over 0 < k < K
                    0 for even steps straight on, 1 where every step goes back on the one before
    monotonicity    Spearman's correlation of k and the distance of z_k from z_0
    largest_step    max |s+_k| / sum |s+_k|
                    1 / K for even steps, 1 for one jump

The definitions are ours: Smooth-Swap (Sec. 4.1, 5.4) argues with smoothness along such changes and measures none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from metrics.distances import Floats
from metrics.embedders.slerp import great_circle

Geometry = Literal["sphere", "plane"]


@dataclass(frozen=True)
class PathFigures:
    """Figures of n paths, float [n] each, NaN for a path that does not move or has a point without a reading.

    extent: the distance between the ends, radians (sphere) or in the embedding's unit (plane).
    distance: float [n, K + 1], of each point from the start.
    """

    tortuosity: Floats
    curvature: Floats
    monotonicity: Floats
    largest_step: Floats
    extent: Floats
    distance: Floats


def path_figures(paths: ArrayLike, geometry: Geometry = "sphere") -> PathFigures:
    """The figures of paths float [n, K + 1, d], K >= 2. Raises ValueError for other shapes and an unknown geometry."""
    points = np.asarray(paths, dtype=np.float64)
    if geometry not in get_args(Geometry):
        raise ValueError(f"unknown geometry {geometry!r}; choose {' or '.join(get_args(Geometry))}")
    if points.ndim != 3 or points.shape[1] < 3:
        raise ValueError(f"paths are [n, points, d] with three points or more, not {list(points.shape)}")
    before, after = points[:, :-1], points[:, 1:]
    ahead = _steps(before, after, geometry)
    back = _steps(after, before, geometry)
    length = _norm(ahead)
    distance = _norm(_steps(np.repeat(points[:, :1], points.shape[1], axis=1), points, geometry))
    total, extent = length.sum(axis=1), distance[:, -1]
    turn = _norm(ahead[:, 1:] + back[:, :-1])
    either = length[:, 1:] + _norm(back[:, :-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return PathFigures(
            _divided(total, extent),
            _divided(turn.sum(axis=1), either.sum(axis=1)),
            np.array([_rank_order(row) for row in distance]),
            _divided(length.max(axis=1), total),
            extent,
            distance,
        )


def neighbour_agreement(gradients: ArrayLike) -> Floats:
    """Mean cosine of the gradients at neighbouring points of each path: [n, K, d] -> float [n] in -1..1.

    1: every step of a descent would go the same way. A gradient of 0 has no direction: NaN for its path.
    With d = 1 it is the share of neighbours that agree in sign minus the share that do not.
    """
    g = np.asarray(gradients, dtype=np.float64)
    if g.ndim != 3 or g.shape[1] < 2:
        raise ValueError(f"gradients are [n, points, d] with two points or more, not {list(g.shape)}")
    peak = np.abs(g).max(axis=2, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        directions = g / peak
        directions = directions / _norm(directions)[..., None]
    return np.asarray(np.sum(directions[:, 1:] * directions[:, :-1], axis=2).mean(axis=1))


def _steps(start: Floats, end: Floats, geometry: Geometry) -> Floats:
    """The step from each point to another, [n, k, d] each."""
    if geometry == "plane":
        return np.asarray(end - start)
    width = start.shape[-1]
    _, direction, angle = great_circle(start.reshape(-1, width), end.reshape(-1, width))
    return np.asarray((angle[:, None] * direction).reshape(start.shape))


def _rank_order(distance: Floats) -> float:
    if not np.isfinite(distance).all() or np.ptp(distance) == 0:
        return float("nan")
    return float(stats.spearmanr(np.arange(len(distance)), distance).statistic)


def _divided(above: Floats, below: Floats) -> Floats:
    return np.asarray(np.where(below > 0, above / below, np.nan))


def _norm(rows: Floats) -> Floats:
    return np.asarray(np.sqrt(np.sum(rows * rows, axis=-1)))
