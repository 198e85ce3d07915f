"""How an original's face is shown, by which results are sliced: how large, and how bright."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from smoothswap.faces.face import Face
from smoothswap.pixels import Image


@dataclass(frozen=True)
class Shown:
    """size: the longer side of the face's box, pixels. brightness: mean luma over the face, 0 to 255 (Rec. 601)."""

    size: float
    brightness: float


UNKNOWN = Shown(float("nan"), float("nan"))


def shown(frame: Image, face: Face) -> Shown:
    """Measure a face.

    Args:
        frame: uint8 [h, w, 3] RGB.
        face: A face in it; what lies beyond the frame is left out.

    Returns:
        Its size, and its brightness over the convex hull of the landmarks; NaN for a hull outside of the frame.
    """
    x0, y0, x1, y1 = face.box
    hull = cv2.convexHull(np.round(face.landmarks).astype(np.int32))
    mask = cv2.fillConvexPoly(np.zeros(frame.shape[:2], np.uint8), hull, 1)
    luma = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[mask == 1]
    return Shown(float(max(x1 - x0, y1 - y0)), float(luma.mean()) if luma.size else float("nan"))
