"""Spherical linear interpolation between embeddings: the path that Smooth-Swap's Sec. 5.5 walks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from metrics.distances import Floats, unit
from metrics.shapes import Rows


def angle(a: Rows, b: Rows) -> Float64[np.ndarray, " n"]:
    """Angle between row i of a and row i of b, to full precision at both ends.

    (The arc cosine of a dot product loses half of the digits near 0 and pi.)

    Args:
        a: float [n, d].
        b: float [n, d].

    Returns:
        float [n] in 0..pi.

    Examples:
        >>> angle([[1.0, 0.0]], [[0.0, 1.0]]).round(6).tolist()
        [1.570796]
    """
    u, v = unit(a), unit(b)
    return np.asarray(2.0 * np.arctan2(_norm(v - u), _norm(v + u)))


def great_circle(
    a: Rows, b: Rows
) -> tuple[Float64[np.ndarray, "n d"], Float64[np.ndarray, "n d"], Float64[np.ndarray, " n"]]:
    """The path from row i of a to row i of b on the sphere.

    The point at the angle t is cos(t) start + sin(t) direction; start and direction are unit vectors at right angles.

    Args:
        a: float [n, d].
        b: float [n, d].

    Returns:
        starts float [n, d], directions float [n, d], angles float [n] in 0..pi. The direction is 0 where a and b are
        equal, NaN where they are opposite (no shortest path is theirs) or one has no reading.
    """
    u, v = unit(a), unit(b)
    # The difference of nearby numbers is exact, so the direction keeps its digits near 0 and near pi.
    near = np.sum(u * v, axis=1, keepdims=True) >= 0
    step = np.where(near, v - u, v + u)
    step = step - np.sum(step * u, axis=1, keepdims=True) * u
    length = _norm(step)
    direction = step / np.where(length > 0, length, 1.0)[:, None]
    direction[(length == 0) & ~near[:, 0]] = np.nan
    return u, direction, angle(u, v)


def slerp(a: Rows, b: Rows, r: ArrayLike) -> Float64[np.ndarray, "n m d"]:
    """Points at the shares r of the great circle from a to b.

    The same points as sin((1-r)t)/sin(t) a + sin(rt)/sin(t) b, but nothing here is divided by a number that vanishes
    near 0 or pi.

    Args:
        a: float [n, d], the start (r = 0), scaled to length 1.
        b: float [n, d], the end (r = 1), scaled to length 1.
        r: float [m].

    Returns:
        Unit rows, float [n, m, d]. Equal rows stay where they are; opposite rows and rows without a reading give NaN.

    Examples:
        >>> slerp([[1.0, 0.0]], [[0.0, 1.0]], [0.0, 0.5]).round(4).tolist()
        [[[1.0, 0.0], [0.7071, 0.7071]]]
    """
    start, direction, total = great_circle(a, b)
    turn = total[:, None] * np.atleast_1d(np.asarray(r, dtype=np.float64))
    return np.asarray(np.cos(turn)[..., None] * start[:, None] + np.sin(turn)[..., None] * direction[:, None])


def _norm(rows: Floats) -> Floats:
    return np.asarray(np.sqrt(np.sum(rows * rows, axis=1)))
