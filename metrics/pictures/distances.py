"""Distances between two sets of pictures as pure functions of their features: Fréchet distance and KID.

The Fréchet distance is FID (Heusel et al., "GANs trained by a two time-scale update rule", 2017, eq. 6) only
on features of the Inception network; on others it is called by their name. KID: Binkowski et al.,
"Demystifying MMD GANs", 2018, Sec. 4. A value means nothing without the name of the feature network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from metrics.distances import Floats
from metrics.spec import QUALITY, PictureMetric

FILTER_BANK, FID_INCEPTION, INCEPTION = "filter_bank", "pt_inception-2015-12-05", "torchvision-inception_v3"
"""Names of the feature networks of metrics/pictures/features.py."""

_ROWS = 1024  # rows of a kernel matrix held in memory at once


@dataclass(frozen=True)
class Kid:
    """Kernel distance: mean and population deviation over random subsets of both sets."""

    mean: float
    deviation: float
    subsets: int
    subset_size: int


def frechet_distance(a: ArrayLike, b: ArrayLike) -> float:
    """|mean_a - mean_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) of features.

    C with n - 1. Symmetric in a and b, unchanged by a common rotation or shift. Biased upwards for few
    pictures: compare sets of one size only.

    Args:
        a: float [n, d], features of the first set.
        b: float [m, d], of the second.

    Returns:
        >= 0.

    Raises:
        ValueError: For fewer than two rows or a NaN.

    Examples:
        >>> round(frechet_distance([[0.0], [2.0]], [[3.0], [5.0]]), 6)  # moved by 3, spread alike
        9.0
    """
    x, y = _features(a, b)
    # The trace of (C_a C_b)^(1/2) is the sum of singular values of R_a R_b^T, where C = R^T R: no root of a
    # matrix is taken, so that directions without any variance do no harm.
    return _frechet(x.mean(axis=0), _factor(x), y.mean(axis=0), _factor(y))


def frechet_of_moments(mean_a: ArrayLike, cov_a: ArrayLike, mean_b: ArrayLike, cov_b: ArrayLike) -> float:
    """The same from means and covariances, as they are published for large data sets.

    Args:
        mean_a: float [d].
        cov_a: float [d, d].
        mean_b: float [d].
        cov_b: float [d, d].

    Returns:
        >= 0.

    Raises:
        ValueError: For shapes that do not fit or a covariance that is not symmetric.

    Examples:
        >>> round(frechet_of_moments([0.0], [[1.0]], [0.0], [[4.0]]), 6)
        1.0
    """
    factors = []
    for cov in (cov_a, cov_b):
        c = np.asarray(cov, dtype=np.float64)
        if c.ndim != 2 or c.shape[0] != c.shape[1] or not np.allclose(c, c.T, rtol=1e-6, atol=1e-12):
            raise ValueError(f"a covariance is a symmetric matrix (d, d); got {c.shape}")
        values, vectors = np.linalg.eigh(c)
        factors.append(np.sqrt(np.clip(values, 0.0, None))[:, None] * vectors.T)
    m_a, m_b = np.asarray(mean_a, dtype=np.float64), np.asarray(mean_b, dtype=np.float64)
    if not m_a.shape == m_b.shape == (len(factors[0]),) == (len(factors[1]),):
        raise ValueError(f"means {m_a.shape}, {m_b.shape} and covariances do not have the same d")
    return _frechet(m_a, factors[0], m_b, factors[1])


def kernel_distance(a: ArrayLike, b: ArrayLike) -> float:
    """Unbiased squared maximum mean discrepancy of features, kernel (x.y / d + 1)^3.

    Args:
        a: float [n, d], features of the first set.
        b: float [m, d], of the second.

    Returns:
        The expectation is 0 for sets of one distribution, so values below 0 happen.

    Raises:
        ValueError: As frechet_distance.
    """
    x, y = _features(a, b)
    n, m = len(x), len(y)
    own = (_kernel_sum(x, x) - _diagonal(x)) / (n * (n - 1)) + (_kernel_sum(y, y) - _diagonal(y)) / (
        m * (m - 1)
    )
    return float(own - 2.0 * _kernel_sum(x, y) / (n * m))


def kid(a: ArrayLike, b: ArrayLike, subsets: int = 100, subset_size: int = 1000, seed: int = 0) -> Kid:
    """kernel_distance over random subsets of equal size without replacement, as KID is published.

    Args:
        a: float [n, d], features of the first set.
        b: float [m, d], of the second.
        subsets: How many.
        subset_size: Pictures in each.
        seed: Of the draws.

    Returns:
        Mean and deviation.

    Raises:
        ValueError: Where a set is smaller than a subset.
    """
    x, y = _features(a, b)
    if min(len(x), len(y)) < subset_size or subset_size < 2 or subsets < 1:
        raise ValueError(
            f"{subsets} subsets of {subset_size} pictures need as many in both sets; there are {len(x)} and "
            f"{len(y)}: choose a smaller subset_size (2 or more), and state it"
        )
    rng = np.random.default_rng(seed)
    values = [
        kernel_distance(
            x[rng.choice(len(x), subset_size, replace=False)],
            y[rng.choice(len(y), subset_size, replace=False)],
        )
        for _ in range(subsets)
    ]
    return Kid(float(np.mean(values)), float(np.std(values)), subsets, subset_size)


def _frechet(mean_a: Floats, factor_a: Floats, mean_b: Floats, factor_b: Floats) -> float:
    cross = np.linalg.svd(factor_a @ factor_b.T, compute_uv=False).sum()
    total = np.sum((mean_a - mean_b) ** 2) + np.sum(factor_a**2) + np.sum(factor_b**2) - 2.0 * cross
    return float(max(total, 0.0))


def _factor(x: Floats) -> Floats:
    """R with R^T R = covariance."""
    return np.asarray(np.linalg.qr(x - x.mean(axis=0), mode="r") / np.sqrt(len(x) - 1))


def _kernel_sum(x: Floats, y: Floats) -> float:
    blocks = (x[i : i + _ROWS] @ y.T for i in range(0, len(x), _ROWS))
    return float(sum(np.sum((block / x.shape[1] + 1.0) ** 3) for block in blocks))


def _diagonal(x: Floats) -> float:
    return float(np.sum((np.sum(x * x, axis=1) / x.shape[1] + 1.0) ** 3))


def _features(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"features {x.shape} and {y.shape} must be (n, d) and (m, d) of one network")
    if min(len(x), len(y)) < 2:
        raise ValueError(f"{len(x)} and {len(y)} pictures have no covariance; give two or more on each side")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("features hold NaN or infinity; leave those pictures out and say how many")
    return x, y


_MISSING = "its picture as it is, a black one where there is none"
_OF = {
    FID_INCEPTION: ("metrics.pictures.features.FIDInception, the network that papers use,", "pytorch-fid's"),
    INCEPTION: (
        "metrics.pictures.features.Inception, whose numbers are not papers' FID and KID,",
        "torchvision's",
    ),
}


def _frechet_metric(key: str, label: str, order: int, network: str) -> PictureMetric:
    features, whose = _OF[network]
    return PictureMetric(
        key=key,
        label=label,
        group=QUALITY,
        order=order,
        formula="|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) of Inception features",
        description=f"metrics.pictures.distances.frechet_distance on {features} of all swaps to their targets.",
        unit="squared feature distance",
        range=(0.0, math.inf),
        higher_is_better=False,
        source="Heusel et al. 2017, eq. 6",
        options=f"network: {network}, from the user's file ({whose}; --inception)",
        missing=_MISSING,
        network=network,
        distance=frechet_distance,
        version=2 if network == FID_INCEPTION else 1,
        headline=network == FID_INCEPTION,
    )


def _kernel_metric(key: str, label: str, order: int, network: str) -> PictureMetric:
    features, whose = _OF[network]
    return PictureMetric(
        key=key,
        label=label,
        group=QUALITY,
        order=order,
        formula="unbiased MMD^2 of Inception features, kernel (x.y / d + 1)^3",
        description=(
            f"metrics.pictures.distances.kernel_distance on {features} of all swaps to their targets; "
            "metrics.pictures.distances.kid takes the mean over random subsets, as it is published."
        ),
        unit="squared feature distance",
        range=(-math.inf, math.inf),
        higher_is_better=False,
        source="Binkowski et al. 2018, Sec. 4",
        options=f"network: {network}, from the user's file ({whose}; --inception)",
        missing=_MISSING,
        network=network,
        distance=kernel_distance,
        version=2 if network == FID_INCEPTION else 1,
    )


METRICS = (
    PictureMetric(
        key="filter_bank_distance",
        label="Filter bank",
        group=QUALITY,
        order=200,
        formula="the Fréchet distance of 36 derivative energies and colour moments",
        description=(
            "metrics.pictures.distances.frechet_distance on metrics.pictures.features.filter_bank, of all"
            " swaps to their targets. It sees sharpness, texture, contrast and colour, nothing of what a "
            "picture shows."
        ),
        unit="squared feature distance",
        range=(0.0, math.inf),
        higher_is_better=False,
        source="ours; no FID",
        missing=_MISSING,
        network=FILTER_BANK,
        distance=frechet_distance,
    ),
    _frechet_metric("fid", "FID", 201, FID_INCEPTION),
    _kernel_metric("kid", "KID", 202, FID_INCEPTION),
    _frechet_metric("fid_torchvision", "Fréchet (torchvision)", 203, INCEPTION),
    _kernel_metric("kid_torchvision", "Kernel (torchvision)", 204, INCEPTION),
)
