"""Where the irises stand between the corners of the eyes, from FaceMesh's 478 landmarks.

Free of place, size and turn in the picture. To the side this follows the truth of rendered faces, up and down it hardly
does (results/gaze.json), so the benchmark reads the first alone.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

POINTS = 478
# Corners from left to right in the picture, then the iris's centre.
_EYES = ((33, 133, 468), (362, 263, 473))


def iris_offset(landmarks: ArrayLike) -> Float64[np.ndarray, "n 2"]:
    """How far the irises are from the middle between the corners of their eyes, in widths of the eyes.

    The offsets of both eyes are added, and so are their widths: of a turned face the eye that is seen wider counts more.

    Args:
        landmarks: float [n, 478, 2] or [n, 478, 3], pixels; depth is not looked at.

    Returns:
        float [n, 2]: along the line of the corners, positive to the right of the picture, and across it, positive
        downwards; 0 for an iris in the middle. NaN where a point is not finite or both widths are 0.

    Raises:
        ValueError: For another shape.
    """
    points = np.asarray(landmarks, np.float64)
    if points.ndim != 3 or points.shape[1] != POINTS or points.shape[2] not in (2, 3):
        raise ValueError(f"landmarks are [n, {POINTS}, 2]; got {list(points.shape)}")
    offsets, widths = np.zeros((len(points), 2)), np.zeros(len(points))
    with np.errstate(invalid="ignore", divide="ignore"):
        for left, right, iris in _EYES:
            across = points[:, right, :2] - points[:, left, :2]
            width = np.linalg.norm(across, axis=1)
            x, y = (across / width[:, None]).T
            from_middle = points[:, iris, :2] - (points[:, left, :2] + points[:, right, :2]) / 2
            turned = np.stack([[x, y], [-y, x]]).transpose(2, 0, 1)
            # A width of 0 has no direction: that eye says nothing.
            offsets += np.where(width[:, None] == 0, 0.0, np.einsum("nij,nj->ni", turned, from_middle))
            widths += width
        return np.asarray(np.where(widths[:, None] == 0, np.nan, offsets / widths[:, None]))
