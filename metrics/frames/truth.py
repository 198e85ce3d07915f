"""Errors against the true swap, which is known where the scene is rendered.

The reading of the swap is compared with the same instrument's reading of the true swap's frame, so that the
instrument's own bias cancels: the oracle scores 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metrics.distances import Floats, cosine_distance, l2
from metrics.sides import MetricError, Sides


def reading_error(sides: Sides, reading: str) -> Floats:
    """Distance of the swap's reading to the truth's, float [n]: cosine distance of identity, else L2."""
    return error(sides, reading, sides.swap[reading])


def error(sides: Sides, reading: str, rows: NDArray[np.floating]) -> Floats:
    """Distance of any rows float [n, d] of that reading to the truth's, as in reading_error."""
    if sides.truth is None or reading not in sides.truth:
        raise MetricError(f"no truth of {reading!r} is known; truth_* metrics need rendered data")
    distance = cosine_distance if reading == "identity" else l2
    return distance(rows, sides.truth[reading])


def pixel_error(sides: Sides) -> Floats:
    """Mean absolute difference of swap and true swap over the face box, grey levels 0..255; float [n]."""
    if sides.truth is None or "pixel_error" not in sides.truth:
        raise MetricError("no pixel error is known; truth_pixel needs rendered data")
    return np.asarray(sides.truth["pixel_error"], dtype=np.float64)
