"""Row-by-row distances between two sets of readings. NaN in either row gives NaN: no reading, no distance.

Smooth-Swap, Table 1: identity as the cosine of embeddings, shape, expression and pose as the L2 distance
of a 3D face model's parameters, and a relative ("-R") form of each. Rotations are the exception: their three numbers
are compared by the angle between them, for L2 of axis-angles jumps by 2 pi where a head has turned half around.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from metrics.rotation import geodesic
from metrics.shapes import Column, Rows

Floats = NDArray[np.float64]


def unit(rows: Rows) -> Float64[np.ndarray, "n d"]:
    """Rows scaled to length 1.

    Args:
        rows: float [n, d].

    Returns:
        float [n, d]; a row of zeros or with a non-finite number becomes all NaN.

    Examples:
        >>> unit([[3.0, 4.0], [0.0, 0.0]]).tolist()
        [[0.6, 0.8], [nan, nan]]
    """
    x = np.asarray(rows, dtype=np.float64)
    # The largest entry is taken out first so that the square neither overflows nor underflows.
    peak = np.max(np.abs(x), axis=1, keepdims=True, initial=0.0)
    usable = np.isfinite(peak) & (peak > 0)
    x = np.where(usable, x, np.nan) / np.where(usable, peak, 1.0)
    return np.asarray(x / np.sqrt(np.sum(x * x, axis=1, keepdims=True)))


def cosine_similarity(a: Rows, b: Rows) -> Float64[np.ndarray, " n"]:
    """Cosine of the angle between row i of a and row i of b.

    Args:
        a: float [n, d].
        b: float [n, d].

    Returns:
        float [n] in -1..1.

    Examples:
        >>> cosine_similarity([[1.0, 0.0], [1.0, 0.0]], [[0.0, 7.0], [3.0, 0.0]]).tolist()
        [0.0, 1.0]
    """
    return np.asarray(np.clip(np.sum(unit(a) * unit(b), axis=1), -1.0, 1.0))


def cosine_distance(a: Rows, b: Rows) -> Float64[np.ndarray, " n"]:
    """1 - cosine_similarity.

    Args:
        a: float [n, d].
        b: float [n, d].

    Returns:
        float [n] in 0..2.

    Examples:
        >>> cosine_distance([[1.0, 0.0], [1.0, 0.0]], [[0.0, 7.0], [-3.0, 0.0]]).tolist()
        [1.0, 2.0]
    """
    # Half the squared chord is the same number, and exactly 0 for equal rows, where 1 - cos rounds.
    return np.asarray(np.clip(0.5 * np.sum((unit(a) - unit(b)) ** 2, axis=1), 0.0, 2.0))


def l2(a: Rows, b: Rows) -> Float64[np.ndarray, " n"]:
    """Euclidean distance between row i of a and row i of b.

    A mean of these is a mean of distances, not the root of a mean square.

    Args:
        a: float [n, d].
        b: float [n, d].

    Returns:
        float [n], in the readings' unit.

    Examples:
        >>> l2([[0.0, 0.0], [1.0, 1.0]], [[3.0, 4.0], [1.0, 1.0]]).tolist()
        [5.0, 0.0]
    """
    difference = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    return np.asarray(np.sqrt(np.sum(difference * difference, axis=1)))


def angle(a: Rows, b: Rows) -> Float64[np.ndarray, " n"]:
    """Angle of the rotation between row i of a and of b.

    Args:
        a: float [n, 3], axis-angle in radians.
        b: float [n, 3].

    Returns:
        float [n], radians, 0 to pi.

    Examples:
        >>> angle([[0.0, 3.1, 0.0]], [[0.0, -3.1, 0.0]]).round(4).tolist()
        [0.0832]
    """
    return np.radians(geodesic(a, b))


def between(reading: str, a: Rows, b: Rows) -> Float64[np.ndarray, " n"]:
    """The distance that every metric takes between two readings of one kind.

    Args:
        reading: "identity" (cosine distance), "pose" (angle) or another, of which the L2 distance is taken.
        a: float [n, d].
        b: float [n, d].

    Returns:
        float [n], in the reading's unit, NaN where either row is no reading.
    """
    return {"identity": cosine_distance, "pose": angle}.get(reading, l2)(a, b)


def relative(wanted: Column, unwanted: Column) -> Float64[np.ndarray, " n"]:
    """The share wanted / (wanted + unwanted) of two distances.

    The paper's "-R" columns are not defined in it; this is the form its numbers are consistent with.

    Args:
        wanted: float [n], distance to the side that a swap should be like.
        unwanted: float [n], distance to the other.

    Returns:
        float [n] in 0..1, 0.5 where both are equal. NaN where both are 0 (both references coincide, so the question has
        no answer) or either is NaN.

    Examples:
        >>> relative([1.0, 2.0, 0.0], [3.0, 2.0, 0.0]).tolist()
        [0.25, 0.5, nan]
    """
    w = np.asarray(wanted, dtype=np.float64)
    total = w + np.asarray(unwanted, dtype=np.float64)
    return np.asarray(np.where(total > 0, w / np.where(total > 0, total, 1.0), np.nan))
