"""The shape of an embedding space: spectrum of the covariance, effective rank, alignment and uniformity.

Alignment and uniformity: Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and
Uniformity on the Hypersphere" (ICML 2020), Sec. 4.1. Effective rank: Roy and Vetterli, EUSIPCO 2007, of the
covariance's eigenvalues. All rows are brought to length 1 first: the embedders are compared by their cosines.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from metrics.distances import Floats, l2, unit
from metrics.spec import SPACE, EmbedderMetric

ALPHA, T = 2.0, 2.0  # the defaults of the authors' code


def spectrum(z: ArrayLike) -> Float64[np.ndarray, " d"]:
    """Eigenvalues of the covariance of rows that are brought to length 1.

    The divisor is n, so that they sum to 1 - |mean|^2.

    Args:
        z: float [n, d].

    Returns:
        float [d], >= 0, the largest first, their sum at most 1.

    Raises:
        ValueError: For fewer than two rows, or one without a reading.

    Examples:
        >>> spectrum([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]).tolist()
        [0.5, 0.5]
    """
    rows = _rows(z, 2)
    centred = rows - rows.mean(axis=0)
    return np.asarray(np.maximum(np.linalg.eigvalsh(centred.T @ centred / len(rows))[::-1], 0.0))


def effective_rank(eigenvalues: ArrayLike) -> float:
    """exp(-sum p ln p) with p = eigenvalues / sum: d where all directions are used alike.

    Roy and Vetterli take the entropy of singular values of a data matrix; here, as for collapse of embeddings, it is
    that of the covariance's eigenvalues, which are shares of the variance.

    Args:
        eigenvalues: float [d], >= 0.

    Returns:
        1..d; NaN where all are 0.

    Raises:
        ValueError: For anything else than a list of numbers >= 0.

    Examples:
        >>> round(effective_rank([2.0, 2.0, 2.0, 0.0]), 6)
        3.0
    """
    values = np.asarray(eigenvalues, dtype=np.float64)
    if values.ndim != 1 or np.any(values < 0):
        raise ValueError(f"eigenvalues of a covariance are a list of numbers >= 0, not {values.shape}")
    total = values.sum()
    if not total > 0:
        return float("nan")
    shares = values[values > 0] / total
    return float(np.exp(-np.sum(shares * np.log(shares))))


def alignment(a: ArrayLike, b: ArrayLike, alpha: float = ALPHA) -> Float64[np.ndarray, " n"]:
    """|z_a - z_b|^alpha of each pair of photos of one person.

    The metric is their mean. Lower: photos of one person lie nearer to each other. Wang and Isola, equation of L_align.

    Args:
        a: float [n, d], brought to length 1.
        b: float [n, d], brought to length 1.
        alpha: The power.

    Returns:
        float [n] in 0..2^alpha.

    Examples:
        >>> alignment([[1.0, 0.0]], [[-3.0, 0.0]]).tolist()
        [4.0]
    """
    return np.asarray(l2(unit(a), unit(b)) ** alpha)


def potentials(z: ArrayLike, t: float = T) -> Float64[np.ndarray, "n n"]:
    """exp(-t |z_a - z_b|^2) of every two rows.

    Args:
        z: float [n, d], brought to length 1.
        t: The scale.

    Returns:
        float [n, n] in exp(-4 t)..1, the diagonal 1.

    Raises:
        ValueError: For no row, or one without a reading.
    """
    rows = _rows(z, 1)
    return np.asarray(np.exp(-t * np.maximum(2.0 - 2.0 * rows @ rows.T, 0.0)))


def uniformity(potential: ArrayLike) -> float:
    """ln of the mean of exp(-t |z_a - z_b|^2) over all pairs of different rows; lower is more uniform.

    Wang and Isola, equation of L_uniform.

    Args:
        potential: float [n, n], potentials(z, t).

    Returns:
        -4 t..0.

    Raises:
        ValueError: For fewer than two rows.

    Examples:
        >>> round(uniformity(potentials([[1.0, 0.0], [-1.0, 0.0]])), 6)
        -8.0
    """
    matrix = np.asarray(potential, dtype=np.float64)
    n = len(matrix)
    if matrix.shape != (n, n) or n < 2:
        raise ValueError(f"potentials are a square of two rows or more, not {list(matrix.shape)}")
    return float(np.log((matrix.sum() - np.trace(matrix)) / (n * (n - 1))))


def _rows(z: ArrayLike, least: int) -> Floats:
    rows = unit(z)
    if len(rows) < least or not np.isfinite(rows).all():
        raise ValueError(f"{least} rows or more are needed, each with a reading and not 0; got {rows.shape}")
    return rows


METRICS = (
    EmbedderMetric(
        key="effective_rank",
        label="Effective rank",
        group=SPACE,
        order=420,
        formula="exp(-sum p ln p), p the shares of the covariance's eigenvalues",
        description="metrics.embedders.space.effective_rank of one photo a person.",
        unit="dimensions",
        range=(1.0, math.inf),
        higher_is_better=True,
        source="Roy and Vetterli 2007; of a covariance, ours",
    ),
    EmbedderMetric(
        key="uniformity",
        label="Uniformity",
        group=SPACE,
        order=421,
        formula="ln E exp(-t |z_a - z_b|^2)",
        description="metrics.embedders.space.uniformity of one photo a person.",
        unit="log potential",
        range=(-8.0, 0.0),
        higher_is_better=False,
        source="Wang and Isola 2020, L_uniform",
        options="t: 2",
    ),
    EmbedderMetric(
        key="alignment",
        label="Alignment",
        group=SPACE,
        order=422,
        formula="E |z_a - z_b|^alpha over photos of one person",
        description="metrics.embedders.space.alignment.",
        unit="squared distance",
        range=(0.0, 4.0),
        higher_is_better=False,
        source="Wang and Isola 2020, L_align",
        options="alpha: 2",
    ),
)
