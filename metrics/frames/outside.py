"""What a swap changes where it should change nothing: outside the face, against the target frame.

SSIM and PSNR as the field reports them, and LPIPS with the user's weights, over pixels of a mask alone. Which pixels those
are is said by who cuts the pictures (bench.reading.outside): the square about the target's face, without the face.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from metrics.distances import Floats
from metrics.sides import MetricError, Sides
from metrics.spec import OUTSIDE, Metric

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

PSNR_MAX = 60.0
"""What no change at all counts as, dB; rounding to 8 bits alone has 58.9."""
SSIM_REACH = 5  # pixels: half the window of 11 x 11
_SIGMA, _K1, _K2, _LEVELS = 1.5, 0.01, 0.03, 255.0
_LUMA = np.array([0.299, 0.587, 0.114])


def psnr(a: Picture, b: Picture, kept: Mask) -> float:
    """Peak signal-to-noise ratio over some pixels, 10 log10(255^2 / mean squared difference of all channels).

    Args:
        a: uint8 [h, w, 3].
        b: uint8 [h, w, 3].
        kept: bool [h, w], the pixels that count.

    Returns:
        dB, 0 to PSNR_MAX, which stands for any smaller difference; NaN where no pixel is kept.

    Raises:
        ValueError: For shapes that do not fit.

    Examples:
        >>> grey = np.full((2, 2, 3), 100, np.uint8)
        >>> round(psnr(grey, grey + np.uint8(10), np.ones((2, 2), bool)), 3)
        28.131
    """
    _check(a, b, kept)
    if not kept.any():
        return math.nan
    error = float(np.mean((a[kept].astype(np.float64) - b[kept]) ** 2))
    return PSNR_MAX if error == 0 else min(PSNR_MAX, 10 * math.log10(_LEVELS**2 / error))


def ssim(a: Picture, b: Picture, kept: Mask) -> float:
    """Structural similarity of luma (Wang et al. 2004), the mean of its map over some pixels.

    A Gaussian window of deviation 1.5 cut at 11 x 11 pixels, K1 = 0.01, K2 = 0.03. A window about a pixel of `kept` reaches
    SSIM_REACH pixels beyond it: keep what lies outside of the face by as much, or the face is counted too.

    Args:
        a: uint8 [h, w, 3], RGB, 11 pixels or more a side.
        b: uint8 [h, w, 3].
        kept: bool [h, w], the windows' centres that count.

    Returns:
        -1 to 1, 1 for equal pictures; NaN where no pixel is kept.

    Raises:
        ValueError: For shapes that do not fit.
    """
    _check(a, b, kept)
    if not kept.any():
        return math.nan
    x, y = (picture.astype(np.float64) @ _LUMA for picture in (a, b))
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    both = _blur(x * y) - mean_x * mean_y
    c1, c2 = (_K1 * _LEVELS) ** 2, (_K2 * _LEVELS) ** 2
    similar = (2 * mean_x * mean_y + c1) * (2 * both + c2)
    similar /= (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    return float(np.clip(similar[kept].mean(), -1.0, 1.0))


def of_pixels(sides: Sides, key: str) -> Floats:
    """A metric of pixels, as it was measured where the pictures were.

    Args:
        sides: What was read.
        key: The metric.

    Returns:
        float [n], NaN where there was no picture.

    Raises:
        MetricError: Where it was not measured.
    """
    if key not in sides.pixels:
        raise MetricError(f"{key} was not measured; it needs the pictures themselves")
    return np.asarray(sides.pixels[key], dtype=np.float64)


def _constant(sides: Sides, value: float) -> Floats:
    return np.full(len(sides), value)


def _blur(plane: Floats) -> Floats:
    return np.asarray(ndimage.gaussian_filter(plane, _SIGMA, truncate=3.5, mode="reflect"))


def _check(a: Picture, b: Picture, kept: Mask) -> None:
    if a.shape != b.shape or a.ndim != 3 or a.shape[2] != 3 or kept.shape != a.shape[:2]:
        raise ValueError(
            f"pictures {list(a.shape)}, {list(b.shape)} and mask {list(kept.shape)} do not belong together: "
            "[h, w, 3] twice and [h, w] of one size"
        )


_WHERE = (
    "over the square about the target's face (twice its landmarks' box, at 256 pixels) without the face: the hull of the "
    "68 landmarks and a forehead, widened by a tenth of the box"
)


def _metric(key: str, label: str, order: int, worst: float, **declared: Any) -> Metric:
    return Metric(
        key=key,
        label=label,
        group=OUTSIDE,
        order=order,
        reads=(),
        per_frame=partial(of_pixels, key=key),
        if_missing=partial(_constant, value=worst),
        missing=f"{worst:g}",
        pixels=True,
        needs_source=False,
        **declared,
    )


METRICS = (
    _metric(
        "ssim_outside",
        "SSIM outside",
        150,
        0.0,
        formula="mean over the mask of (2 m_s m_t + C1)(2 c_st + C2) / ((m_s^2 + m_t^2 + C1)(v_s + v_t + C2))",
        description=(
            f"Structural similarity of the swap and the target frame {_WHERE} and by half a window more. 1: "
            "nothing changed. Of every swapped frame, also where no face is found in it."
        ),
        unit="SSIM",
        range=(-1.0, 1.0),
        higher_is_better=True,
        source="Wang et al. 2004: luma, Gaussian window 11 x 11 of deviation 1.5; the mask is ours",
    ),
    _metric(
        "psnr_outside",
        "PSNR outside",
        151,
        0.0,
        formula="10 log10(255^2 / mean over the mask of (swap - target)^2)",
        description=(
            f"Peak signal-to-noise ratio of the swap and the target frame {_WHERE}. {PSNR_MAX:g}: nothing changed. "
            "Of every swapped frame, also where no face is found in it."
        ),
        unit="dB",
        range=(0.0, PSNR_MAX),
        higher_is_better=True,
        source=f"the usual definition, ended at {PSNR_MAX:g} dB; the mask is ours",
    ),
    _metric(
        "lpips_outside",
        "LPIPS outside",
        152,
        1.0,
        formula="LPIPS(target with the swap outside the face, target)",
        description=(
            f"Learned perceptual distance (AlexNet, version 0.1) of the swap and the target frame {_WHERE}, where both "
            "show the target instead. 0: nothing changed."
        ),
        unit="LPIPS",
        range=(0.0, math.inf),
        higher_is_better=False,
        source="Zhang et al. 2018; the mask is ours",
        options="weights: the user's (--lpips)",
    ),
)
