"""Numbers of training curves: when a loss reaches a mark, its spikes, how gradient norms spread. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int
from numpy.typing import ArrayLike

WINDOW, FACTOR = 50, 6.0
MAD_TO_SD = 1.4826  # of normal values


def first_reach(steps: ArrayLike, losses: ArrayLike, mark: float) -> float | None:
    """The step at which a falling curve first reaches `mark`, linear between its points.

    A curve that begins at or under the mark gives its first step: it may have been there earlier.

    Args:
        steps: float [n], increasing.
        losses: float [n].
        mark: What is to be reached.

    Returns:
        The step; None where it never does.

    Raises:
        ValueError: For other shapes.

    Examples:
        >>> first_reach([100, 200, 300], [0.9, 0.5, 0.3], 0.4)
        250.0
    """
    x, y = np.asarray(steps, np.float64), np.asarray(losses, np.float64)
    if x.ndim != 1 or x.shape != y.shape or (np.diff(x) <= 0).any():
        raise ValueError(f"steps {x.shape} must increase and have as many losses, {y.shape}")
    under = np.flatnonzero(y <= mark)
    if not len(under):
        return None
    i = int(under[0])
    if i == 0 or np.isnan(y[i - 1]):
        return float(x[i])
    return float(x[i - 1] + (y[i - 1] - mark) / (y[i - 1] - y[i]) * (x[i] - x[i - 1]))


def spikes(losses: ArrayLike, window: int = WINDOW, factor: float = FACTOR) -> Int[np.ndarray, " k"]:
    """Where a loss stands out from the values before it: above their median by `factor` robust deviations.

    The deviation is 1.4826 times the median absolute deviation. The first `window` values have no past and are none.

    Args:
        losses: float [n].
        window: How many values before count.
        factor: Of deviations.

    Returns:
        int [k], rows.

    Raises:
        ValueError: For other shapes and a window below 3.
    """
    y = np.asarray(losses, np.float64)
    if y.ndim != 1 or window < 3:
        raise ValueError(f"losses {y.shape} must be a list, the window {window} at least 3")
    if len(y) <= window:
        return np.zeros(0, np.intp)
    past = np.lib.stride_tricks.sliding_window_view(y[:-1], window)
    middle = np.median(past, axis=1)
    deviation = MAD_TO_SD * np.median(np.abs(past - middle[:, None]), axis=1)
    return np.flatnonzero(y[window:] > middle + factor * deviation) + window


@dataclass(frozen=True)
class Stability:
    """How evenly a training went, over `steps` logged steps.

    spikes_per_1000: of the loss, as spikes() finds them. grad_p50, p95, p99: percentiles of the gradient norm before
    clipping; ratio: p99 / p50, free of the loss's scale; clipped: share of steps whose norm was above the clipping.
    """

    steps: int
    spikes_per_1000: float
    grad_p50: float
    grad_p95: float
    grad_p99: float
    ratio: float
    clipped: float


def stability(losses: ArrayLike, norms: ArrayLike, clip: float, window: int = WINDOW) -> Stability:
    """How evenly a training went, the first `window` steps left out.

    Args:
        losses: float [n], of every step.
        norms: float [n], of the gradient.
        clip: What norms were clipped at.
        window: Of spikes.

    Returns:
        The figures.

    Raises:
        ValueError: For fewer than window + 1 steps.
    """
    y, g = np.asarray(losses, np.float64), np.asarray(norms, np.float64)
    if y.shape != g.shape or len(y) <= window:
        raise ValueError(f"{y.shape} losses and {g.shape} norms; as many of both are needed, above {window}")
    judged = len(y) - window
    p50, p95, p99 = (float(x) for x in np.percentile(g[window:], [50, 95, 99]))
    return Stability(
        judged,
        1000 * len(spikes(y, window)) / judged,
        p50,
        p95,
        p99,
        p99 / p50 if p50 else float("nan"),
        float((g[window:] > clip).mean()),
    )


def spread(
    curves: ArrayLike,
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Mean, least and greatest over seeds.

    With two or three seeds a standard deviation says less than the range does.

    Args:
        curves: float [seeds, n].

    Returns:
        Three float [n].

    Examples:
        >>> [row.tolist() for row in spread([[1.0, 2.0], [3.0, 2.0]])]
        [[2.0, 2.0], [1.0, 2.0], [3.0, 2.0]]
    """
    values = np.asarray(curves, np.float64)
    return values.mean(axis=0), values.min(axis=0), values.max(axis=0)
