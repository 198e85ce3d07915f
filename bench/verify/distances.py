"""Distances between readings in bench.verify, with this module's own small code (see bench/verify/recount.py)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def lengths_to_one(rows: np.ndarray) -> np.ndarray:
    """Rows float64 [n, d] at length 1, NaN where they have none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """1 - cosine, as half the squared chord.

    Args:
        a: float64 [n, d].
        b: float64 [n, d].

    Returns:
        float64 [n], 0 to 2.
    """
    return ((lengths_to_one(a) - lengths_to_one(b)) ** 2).sum(axis=1) / 2


def euclid(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The length of the difference.

    Args:
        a: float64 [n, d].
        b: float64 [n, d].

    Returns:
        float64 [n], in the readings' unit.
    """
    return np.linalg.norm(a - b, axis=1)


def apart(reading: str, version: Any = 2) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """How two readings of one kind are compared.

    Args:
        reading: "identity" (1 - cosine), "pose" (angle of the turn between them, radians) or another (length).
        version: Of the metric: version 1 of those of pose took the length of the difference.

    Returns:
        A function of two float64 [n, d], which gives float64 [n].
    """
    if reading == "pose" and version != 1:
        return lambda a, b: turned(matrices(a), matrices(b))
    return angle if reading == "identity" else euclid


def matrices(vectors: np.ndarray) -> np.ndarray:
    """Axis-angle [n, 3] -> rotation matrices [n, 3, 3], by Rodrigues' formula; NaN for rows of another length."""
    if vectors.shape[1] != 3:  # no face was read in any frame, so that nothing tells how long a row is
        return np.full((len(vectors), 3, 3), np.nan)
    turn = np.linalg.norm(vectors, axis=1)
    axis = vectors / np.where(turn > 0, turn, 1.0)[:, None]
    x, y, z = axis.T
    o = np.zeros_like(x)
    cross = np.stack([o, -z, y, z, o, -x, -y, x, o], axis=1).reshape(-1, 3, 3)
    sine, cosine = np.sin(turn)[:, None, None], np.cos(turn)[:, None, None]
    return np.eye(3) + sine * cross + (1.0 - cosine) * (cross @ cross)


def turned(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The angle between rotations, from the length of their difference.

    Args:
        a: float64 [n, 3, 3].
        b: float64 [n, 3, 3].

    Returns:
        float64 [n], radians, 0 to pi.
    """
    return 2.0 * np.arcsin(np.clip(np.linalg.norm(a - b, axis=(1, 2)) / math.sqrt(8.0), 0.0, 1.0))
