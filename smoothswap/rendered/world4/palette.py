"""Colours that people come in, linear RGB, each in an order that can be mixed along."""

from __future__ import annotations

import numpy as np

# Fair to dark skin, as measured reflectances lie (linear).
SKIN = np.array(
    [
        [0.62, 0.385, 0.285],
        [0.55, 0.315, 0.220],
        [0.45, 0.245, 0.160],
        [0.335, 0.182, 0.115],
        [0.215, 0.108, 0.064],
        [0.115, 0.055, 0.034],
        [0.065, 0.032, 0.021],
    ]
)
HAIR = np.array(  # black, dark brown, brown, light brown, dark blond, blond, red
    [
        [0.007, 0.006, 0.0055],
        [0.020, 0.012, 0.008],
        [0.052, 0.028, 0.016],
        [0.11, 0.062, 0.033],
        [0.20, 0.125, 0.066],
        [0.36, 0.25, 0.135],
        [0.165, 0.052, 0.018],
    ]
)
GREY = np.array([0.40, 0.395, 0.385])
IRIS = np.array(  # dark brown, brown, hazel, green, blue, grey
    [
        [0.022, 0.010, 0.005],
        [0.065, 0.030, 0.012],
        [0.10, 0.070, 0.025],
        [0.085, 0.105, 0.050],
        [0.075, 0.125, 0.190],
        [0.12, 0.145, 0.165],
    ]
)


def mix(palette: np.ndarray, t: float) -> np.ndarray:
    """A colour of a palette.

    Args:
        palette: Linear RGB, [n, 3], in an order that makes sense between neighbours.
        t: Place along it, 0..1.

    Returns:
        [3].
    """
    t = float(np.clip(t, 0, 1)) * (len(palette) - 1)
    low = min(int(t), len(palette) - 2)
    return np.asarray(palette[low] + (palette[low + 1] - palette[low]) * (t - low))
