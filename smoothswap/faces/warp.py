"""A face put onto another one without learning: landmark warp, colour transfer and Poisson blending.

The source's face is warped onto the target's 68 landmarks triangle by triangle (Delaunay), its colours
are given the mean and spread of the target's in Lab (Reinhard et al. 2001), and it is blended in with Poisson
editing (Perez et al. 2003) inside the landmarks' convex hull.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay, QhullError

from smoothswap.pixels import Image

Points = npt.NDArray[np.float32]
_FOREHEAD = 0.25  # how far above the brows the face reaches, in distances from brows to chin
_MARGIN = 8  # pixels added around the frame: seamlessClone wants its mask away from the border


class WarpError(ValueError):
    """The face cannot be warped or blended; the message says why."""


def swap_by_warp(source: Image, source_landmarks: Points, target: Image, landmarks: Points) -> Image:
    """Warp, recolour and blend the source's face into the target.

    Args:
        source: uint8 [h, w, 3] RGB.
        source_landmarks: float32 [68, 2], (x, y) in its pixels.
        target: uint8 [h', w', 3] RGB.
        landmarks: Those of the target.

    Returns:
        uint8 [h', w', 3] RGB: the target outside of the hull of its landmarks.

    Raises:
        WarpError: For landmarks on one line, a face smaller than 64 pixels, or blending that fails.
    """
    target = np.pad(target, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)), "reflect")
    to = face_outline(landmarks) + _MARGIN
    height, width = target.shape[:2]
    to = np.clip(to, 2, [width - 3, height - 3]).astype(np.float32)
    source, points = _shrunk(source, face_outline(source_landmarks), to)
    try:
        warped, mask = warp(source, points, to, (height, width))
    except QhullError as error:
        raise WarpError("the landmarks lie on one line, so there is no face to warp") from error
    if np.count_nonzero(mask) < 64:
        raise WarpError("the face is smaller than 64 pixels, too small to blend")
    x, y, w, h = cv2.boundingRect(mask)
    try:
        blended = cv2.seamlessClone(
            match_colours(warped, target, mask), target, mask, (x + w // 2, y + h // 2), cv2.NORMAL_CLONE
        )
    except cv2.error as error:
        raise WarpError(f"Poisson blending failed: {error.err}") from error
    return np.ascontiguousarray(blended[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN])


def face_outline(landmarks: Points) -> Points:
    """The 68 iBUG landmarks and ten points above the brows: float32 [68, 2] -> [78, 2], pixels."""
    up = landmarks[17:27].mean(axis=0) - landmarks[8]  # from the chin to the brows
    return np.concatenate([landmarks, landmarks[17:27] + _FOREHEAD * up]).astype(np.float32)


def warp(
    source: Image, points: Points, to: Points, shape: tuple[int, int]
) -> tuple[Image, npt.NDArray[np.uint8]]:
    """Warp `source` so that `points` come to lie on `to`, affine in every triangle of Delaunay(to).

    Args:
        source: uint8 [h, w, 3].
        points: float32 [n, 2], (x, y) in the source's pixels.
        to: float32 [n, 2], (x, y) in the result's pixels; all must lie inside of it.
        shape: Height and width of the result, pixels.

    Returns:
        The image, uint8 [*shape, 3], and the mask of the hull of `to`, uint8 [*shape], 255 inside and 0
        outside; outside of the hull the image means nothing.

    Raises:
        QhullError: scipy's, when `to` lies on a line.
    """
    triangles = Delaunay(to)
    x0, y0 = np.floor(to.min(axis=0)).astype(int)
    x1, y1 = np.ceil(to.max(axis=0)).astype(int) + 1
    grid = (
        np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), axis=-1).reshape(-1, 2).astype(np.float64)
    )
    found = triangles.find_simplex(grid)
    transform = triangles.transform[found]  # [m, 3, 2]: two rows of barycentric weights, then the origin
    two = np.einsum("mij,mj->mi", transform[:, :2], grid - transform[:, 2])
    weights = np.concatenate([two, 1 - two.sum(axis=1, keepdims=True)], axis=1)
    where = np.einsum("mk,mkc->mc", weights, points[triangles.simplices[found]].astype(np.float64))
    box = where.reshape(y1 - y0, x1 - x0, 2).astype(np.float32)
    pixels = cv2.remap(source, box[..., 0], box[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    image = np.zeros((*shape, 3), np.uint8)
    mask = np.zeros(shape, np.uint8)
    image[y0:y1, x0:x1] = pixels
    mask[y0:y1, x0:x1] = np.where(found.reshape(y1 - y0, x1 - x0) >= 0, 255, 0)
    return image, mask


def match_colours(image: Image, like: Image, mask: npt.NDArray[np.uint8]) -> Image:
    """Give `image` the mean and the spread of `like` inside `mask`, channel by channel in Lab.

    The standard deviation becomes that of `like`, but at most twice what it was: noise is not amplified.

    Args:
        image: uint8 [h, w, 3] RGB.
        like: uint8 [h, w, 3] RGB.
        mask: uint8 [h, w], above 0 where colours are measured and changed; somewhere it must be.

    Returns:
        uint8 [h, w, 3] RGB, as `image` outside of the mask.
    """
    inside = mask > 0
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    wanted = cv2.cvtColor(like.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[inside]
    have = lab[inside]
    scale = wanted.std(axis=0) / np.maximum(have.std(axis=0), 1e-3)
    moved = (lab - have.mean(axis=0)) * np.minimum(scale, 2.0) + wanted.mean(axis=0)  # 2: no amplified noise
    rgb = np.clip(cv2.cvtColor(moved.astype(np.float32), cv2.COLOR_LAB2RGB), 0, 1)
    return np.where(inside[..., None], np.rint(rgb * 255), image).astype(np.uint8)


def _shrunk(source: Image, points: Points, to: Points) -> tuple[Image, Points]:
    """Shrink a much larger source first: bilinear sampling alone would alias."""
    factor = float(np.ptp(to, axis=0).mean() / max(float(np.ptp(points, axis=0).mean()), 1e-6))
    if factor >= 0.75:
        return source, points
    height, width = source.shape[:2]
    size = (max(2, round(width * factor)), max(2, round(height * factor)))
    small = np.asarray(cv2.resize(source, size, interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.array([size[0] / width, size[1] / height], np.float32)
    return small, ((points + 0.5) * scale - 0.5).astype(np.float32)
