"""How far mouth and eyes are open, from 68 landmarks: ratios of distances, free of place, size and turn in the picture.

Eye aspect ratio: Soukupova and Cech, CVWW 2016, eq. 1; of the mouth the same on the inner lips. Gaze is not among them: the
68 points have no iris.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from metrics.distances import Floats

_EYES = ((36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47))  # corner, upper two, corner, lower two
_LIPS = (60, 61, 62, 63, 64, 65, 66, 67)  # inner: corner, upper three, corner, lower three


def mouth_opening(landmarks: ArrayLike) -> Float64[np.ndarray, " n"]:
    """The gap between the inner lips over the distance of their corners.

    Args:
        landmarks: float [n, 68, 2], iBUG's order.

    Returns:
        float [n]: the mean of three gaps over the width, 0 for a closed mouth; NaN where a point is not finite or the width
        is 0.

    Raises:
        ValueError: For another shape.
    """
    p = _points(landmarks)[:, _LIPS]
    gaps = np.linalg.norm(p[:, [1, 2, 3]] - p[:, [7, 6, 5]], axis=2).mean(axis=1)
    return _ratio(gaps, np.linalg.norm(p[:, 0] - p[:, 4], axis=1))


def eye_opening(landmarks: ArrayLike) -> Float64[np.ndarray, "n 2"]:
    """The eye aspect ratio of both eyes.

    Args:
        landmarks: float [n, 68, 2], iBUG's order.

    Returns:
        float [n, 2], the eye at the left of the picture first: the mean of two gaps over the width, 0 for a closed eye; NaN
        where a point is not finite or the width is 0.

    Raises:
        ValueError: For another shape.
    """
    points = _points(landmarks)
    columns = []
    for eye in _EYES:
        p = points[:, eye]
        gaps = np.linalg.norm(p[:, [1, 2]] - p[:, [5, 4]], axis=2).mean(axis=1)
        columns.append(_ratio(gaps, np.linalg.norm(p[:, 0] - p[:, 3], axis=1)))
    return np.stack(columns, axis=1)


def _points(landmarks: ArrayLike) -> Floats:
    points = np.asarray(landmarks, dtype=np.float64)
    if points.ndim != 3 or points.shape[1:] != (68, 2):
        raise ValueError(f"landmarks are [n, 68, 2]; got {list(points.shape)}")
    return points


def _ratio(gap: Floats, width: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(width > 0, gap / width, np.nan)
