"""A swap beside its target frame where the face is not: the pixels that metrics.frames.outside compares.

Both are cut at the square about the target's face, twice its landmarks' box, and brought to a box of 128 pixels, so that
numbers of near and far faces compare. The face is the hull of the 68 landmarks with a forehead, and MARGIN about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from metrics.frames.outside import SSIM_REACH, psnr, ssim
from smoothswap.pixels import Image

Points = npt.NDArray[np.float32]
SIZE = 256  # pixels of the square; part of the metrics' definition
MARGIN = 13  # pixels about the hull, a tenth of the box
LEAST = 64  # pixels: of less surroundings nothing is said
_BROWS, _NOSE, _LIFT = slice(17, 27), 33, 0.5


@dataclass(frozen=True)
class Place:
    """Where the square lies: its window of the frame, and the mask of what is not face.

    rows, columns: of the frame; what lies beyond it is not there. outside: bool [h, w] of the brought-up picture.
    """

    rows: slice
    columns: slice
    outside: npt.NDArray[np.bool_]

    def cut(self, frame: Image) -> Image:
        """The square of a frame, averaged where it gets smaller.

        Args:
            frame: uint8 [h, w, 3].

        Returns:
            uint8 [h', w', 3] of the mask's size.
        """
        part = frame[self.rows, self.columns]
        height, width = self.outside.shape
        how = cv2.INTER_AREA if height < part.shape[0] else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(part, (width, height), interpolation=how), np.uint8)


def place(landmarks: Points, shape: tuple[int, ...]) -> Place | None:
    """The square about a face.

    Args:
        landmarks: float32 [68, 2] in pixels of the frame.
        shape: Of the frame, (h, w, ...).

    Returns:
        Where it lies; None for landmarks that are no face and a square that is hardly in the frame.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (68, 2) or not np.isfinite(points).all():
        return None
    low, high = points.min(0), points.max(0)
    side, centre = 2 * float((high - low).max()), (low + high) / 2
    start = np.clip(np.round(centre - side / 2), 0, [shape[1], shape[0]]).astype(int)
    end = np.clip(np.round(centre + side / 2), 0, [shape[1], shape[0]]).astype(int)
    if (end - start < 2).any():
        return None
    scale = SIZE / side
    width, height = (int(x) for x in np.round((end - start) * scale))
    if min(width, height) < LEAST:
        return None
    forehead = points[_BROWS] + _LIFT * (points[_BROWS] - points[_NOSE])
    hull = cv2.convexHull(((np.concatenate([points, forehead]) - start) * scale).astype(np.float32))
    face = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(face, np.round(hull).astype(np.int32), 1)
    return Place(slice(start[1], end[1]), slice(start[0], end[0]), ~_widened(face, MARGIN))


class Outside:
    """Measures what a swap changed outside the face.

    Args:
        lpips: Weights of LPIPS; None: SSIM and PSNR alone.

    Raises:
        InstrumentError: For a file that is missing or another network's.
    """

    def __init__(self, lpips: Path | None = None) -> None:
        self._lpips = None
        if lpips is not None:
            from metrics.pictures.lpips import Lpips

            self._lpips = Lpips(lpips)

    def __call__(self, swap: Image, target: Image, landmarks: Points) -> dict[str, float]:
        """Compare a swapped frame with its target's.

        Args:
            swap: uint8 [h, w, 3] RGB.
            target: uint8 [h, w, 3].
            landmarks: float32 [68, 2], of the target's face.

        Returns:
            Metric -> value; {} where there are no surroundings, or the frames have two sizes.
        """
        where = place(landmarks, target.shape) if swap.shape == target.shape else None
        if where is None or not where.outside.any():
            return {}
        a, b, outside = where.cut(swap), where.cut(target), where.outside
        far = ~_widened((~outside).astype(np.uint8), SSIM_REACH)
        found = {"ssim_outside": ssim(a, b, far), "psnr_outside": psnr(a, b, outside)}
        if self._lpips is not None:
            found["lpips_outside"] = self._lpips(np.where(outside[..., None], a, b), b)
        return found

    def described(self) -> list[dict[str, Any]]:
        """LPIPS as results.json lists instruments; [] without."""
        if self._lpips is None:
            return []
        return [
            {
                "name": "lpips-alex",
                "weights_sha256": self._lpips.weights_sha256,
                "licence": "the user's file; lpips is BSD-2-Clause",
                "crop": {"template": "outside", "size": SIZE},
                "reads": ["picture"],
                "parameters": {"version": "0.1", "margin": MARGIN},
                "family": "lpips-alex",
                "description": "learned perceptual distance on AlexNet's features",
            }
        ]


def _widened(mask: npt.NDArray[np.uint8], reach: int) -> npt.NDArray[np.bool_]:
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(mask, disk) > 0)
