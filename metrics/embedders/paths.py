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

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike
from scipy import stats

from metrics.distances import Floats
from metrics.embedders.slerp import great_circle
from metrics.spec import PATHS, EmbedderMetric

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
    """The figures of paths.

    Args:
        paths: float [n, K + 1, d], K >= 2.
        geometry: Of the steps.

    Returns:
        One figure a path.

    Raises:
        ValueError: For other shapes and an unknown geometry.

    Examples:
        >>> straight = [[[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]]
        >>> there_and_back = [[[0.0, 0.0], [2.0, 0.0], [1.0, 0.0]]]
        >>> [path_figures(p, "plane").tortuosity.tolist() for p in (straight, there_and_back)]
        [[1.0], [3.0]]
        >>> [path_figures(p, "plane").curvature.tolist() for p in (straight, there_and_back)]
        [[0.0], [1.0]]
    """
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


def neighbour_agreement(gradients: ArrayLike) -> Float64[np.ndarray, " n"]:
    """Mean cosine of the gradients at neighbouring points of each path.

    1: every step of a descent would go the same way. With d = 1 it is the share of neighbours that agree in sign minus
    the share that do not.

    Args:
        gradients: float [n, K, d].

    Returns:
        float [n] in -1..1. A gradient of 0 has no direction: NaN for its path.

    Raises:
        ValueError: For other shapes.

    Examples:
        >>> neighbour_agreement([[[1.0], [2.0], [-1.0]]]).tolist()
        [0.0]
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


METRICS = (
    EmbedderMetric(
        key="path_tortuosity",
        label="Path, arc over chord",
        group=PATHS,
        order=440,
        formula="sum of the steps' angles / angle between the ends",
        description="metrics.embedders.paths.path_figures along a known change of a rendered face.",
        unit="ratio",
        range=(1.0, math.inf),
        higher_is_better=False,
        source="ours",
        options="path: morph, age, weight; steps: 12",
    ),
    EmbedderMetric(
        key="path_curvature",
        label="Path, curvature",
        group=PATHS,
        order=441,
        formula="sum |step on + step back| / sum (|step on| + |step back|)",
        description="metrics.embedders.paths.path_figures; 0: even steps straight on.",
        unit="ratio",
        range=(0.0, 1.0),
        higher_is_better=False,
        source="ours",
        options="path: morph, age, weight; steps: 12",
    ),
    EmbedderMetric(
        key="path_monotonicity",
        label="Path, monotonicity",
        group=PATHS,
        order=442,
        formula="Spearman of the step's number and the distance from the start",
        description="metrics.embedders.paths.path_figures.",
        unit="rank correlation",
        range=(-1.0, 1.0),
        higher_is_better=True,
        source="ours",
        options="path: morph, age, weight; steps: 12",
    ),
    EmbedderMetric(
        key="path_largest_step",
        label="Path, largest step",
        group=PATHS,
        order=443,
        formula="largest step / sum of the steps",
        description="metrics.embedders.paths.path_figures; 1 / steps where all are equal.",
        unit="share",
        range=(0.0, 1.0),
        higher_is_better=False,
        source="ours",
        options="path: morph, age, weight; steps: 12",
    ),
    EmbedderMetric(
        key="path_extent",
        label="Path, extent",
        group=PATHS,
        order=444,
        formula="angle between the ends / mean angle between the ends of the morphs",
        description="How much of a change within one person the embedding keeps.",
        unit="share of a morph's, whose own is in radians",
        range=(0.0, math.inf),
        higher_is_better=True,
        source="ours; Smooth-Swap, Sec. 4.1 says that ArcFace discards such change within a person",
        options="path: morph, age, weight; steps: 12",
    ),
    EmbedderMetric(
        key="gradient_agreement",
        label="Gradient agreement, picture",
        group=PATHS,
        order=445,
        formula="cos(dL/dx at x_k, dL/dx at x_(k+1)), L = 1 - cos(f(x), f(x_K))",
        description=(
            "metrics.embedders.paths.neighbour_agreement of the identity loss's gradients along a path."
        ),
        unit="cosine similarity",
        range=(-1.0, 1.0),
        higher_is_better=True,
        source="ours, for the stability that Smooth-Swap, Sec. 4.1 and 5.4 argue with",
        options="path: morph, age, weight; steps: 12",
    ),
    EmbedderMetric(
        key="descent_agreement",
        label="Gradient agreement, parameter",
        group=PATHS,
        order=446,
        formula="mean of sign(dL/dk at k) sign(dL/dk at k + 1)",
        description="The same with respect to the path's own parameter k.",
        unit="agreement of signs",
        range=(-1.0, 1.0),
        higher_is_better=True,
        source="ours, as gradient_agreement",
        options="path: morph, age, weight; steps: 12",
    ),
)
