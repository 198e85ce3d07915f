"""How far a face is turned away, from its landmarks alone."""

from __future__ import annotations

import numpy as np

from smoothswap.faces.align import MIRRORED, transform_points, umeyama


def asymmetry(landmarks: np.ndarray) -> float:
    """How far 68 landmarks are from being their own mirror image: 0 for a frontal face, more the farther it is turned.

    The mirrored points, each under the name of its counterpart, are laid on the points by the best similarity; what is left
    is the root mean square distance. A nod, being symmetric, counts for nothing.

    Args:
        landmarks: [68, 2] in pixels.

    Returns:
        In parts of the landmarks' own root mean square radius, 0 to about 0.6.

    Raises:
        AlignmentError: For points that are not finite or coincide.
    """
    points = np.asarray(landmarks, np.float64)
    mirror = points[MIRRORED] * [-1, 1]
    left = points - transform_points(umeyama(mirror, points), mirror)
    spread = points - points.mean(0)
    return float(np.sqrt((left**2).sum() / (spread**2).sum()))
