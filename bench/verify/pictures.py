"""Picture quality in bench.verify, from the features that the tables store (see bench/verify/recount.py)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import linalg

_FID, _TORCHVISION = "picture/pt_inception-2015-12-05", "picture/torchvision-inception_v3"
# key: version -> column of the features; smaller is better in all of them. Version 1 of FID was of torchvision's network.
SETS: dict[str, dict[int | str, str]] = {
    "filter_bank_distance": {1: "picture/filter_bank"},
    "fid": {1: _TORCHVISION, 2: _FID},
    "kid": {1: _TORCHVISION, 2: _FID},
    "fid_torchvision": {1: _TORCHVISION},
    "kid_torchvision": {1: _TORCHVISION},
}
UNIT = "squared feature distance"


def distance(key: str, x: np.ndarray, y: np.ndarray) -> float:
    """One of the metrics SETS between two sets of pictures.

    Args:
        key: Of SETS.
        x: float64 [n, d], the features of each picture of one set.
        y: float64 [m, d], of the other; n and m at least 2.

    Returns:
        The distance, as `frechet` or `kernel` gives it.
    """
    return _DISTANCES[key](x, y)


def frechet(x: np.ndarray, y: np.ndarray) -> float:
    """|m_x - m_y|^2 + tr C_x + tr C_y - 2 tr (C_x C_y)^(1/2), through the root of C_x alone.

    Args:
        x: float64 [n, d], features; n at least 2.
        y: float64 [m, d]; m at least 2.

    Returns:
        The squared distance of two normal distributions with the sets' means and covariances (divided by
        n - 1), at least 0.
    """
    c_x, c_y = (np.atleast_2d(np.cov(side, rowvar=False)) for side in (x, y))
    values, vectors = linalg.eigh(c_x)
    root = vectors * np.sqrt(np.clip(values, 0, None)) @ vectors.T
    cross = np.sqrt(np.clip(linalg.eigvalsh(root @ c_y @ root), 0, None)).sum()
    moved = float(((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum())
    return max(0.0, moved + float(np.trace(c_x) + np.trace(c_y) - 2 * cross))


def kernel(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared MMD with the kernel (x.y / d + 1)^3.

    Args:
        x: float64 [n, d], features; n at least 2.
        y: float64 [m, d]; m at least 2.

    Returns:
        The estimate over all pictures; being unbiased it may lie below 0.
    """
    n, m, d = len(x), len(y), x.shape[1]
    own_x, own_y, both = ((a @ b.T / d + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    np.fill_diagonal(own_x, 0)
    np.fill_diagonal(own_y, 0)
    return float(own_x.sum() / (n * (n - 1)) + own_y.sum() / (m * (m - 1)) - 2 * both.mean())


_DISTANCES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "filter_bank_distance": frechet,
    "fid": frechet,
    "kid": kernel,
    "fid_torchvision": frechet,
    "kid_torchvision": kernel,
}


def found(frames: pd.DataFrame) -> np.ndarray:
    """bool [n]: frames in whose swap a face was found."""
    return (frames["status"] == "ok").to_numpy(bool)
