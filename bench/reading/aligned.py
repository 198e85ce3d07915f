"""Instruments on faces that are aligned already: FFHQ crops of few pixels, with no photo to cut another crop from.

They are enlarged to FRAME pixels and cut by 68 landmarks found there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.reading.crops import cut
from metrics.instruments import Crop
from smoothswap.faces.align import AlignmentError
from smoothswap.faces.detect import Detector
from smoothswap.pixels import Image, Images

Points = NDArray[np.float32]
FRAME = 256  # pixels: dlib's detector needs faces of about 80


def resized(picture: Image, size: int) -> Image:
    """A square picture at another size: bicubic where it is enlarged, averaged by area where it is reduced.

    Args:
        picture: uint8 [s, s, 3].
        size: The side wanted, pixels.

    Returns:
        uint8 [size, size, 3]; `picture` itself where it has that size already.
    """
    if len(picture) == size:
        return picture
    how = cv2.INTER_CUBIC if size > len(picture) else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, (size, size), interpolation=how), np.uint8)


def points_of(pictures: Iterable[Image]) -> list[Points | None]:
    """Landmarks float32 [68, 2] of the largest face of each picture, in pixels of FRAME; None where there is none."""
    detector = Detector()
    found = [detector.detect(resized(picture, FRAME)) for picture in pictures]
    return [faces[0].landmarks if faces else None for faces in found]


def cut_found(
    pictures: Iterable[Image], points: Sequence[Points | None], crop: Crop
) -> tuple[Images, Points, list[int]]:
    """Crops of the pictures that have landmarks; others, and landmarks that are no face, are left out.

    Args:
        pictures: uint8 [s, s, 3] RGB each.
        points: What `points_of` gave for them.
        crop: What the instrument declares.

    Returns:
        Crops uint8 [k, size, size, 3], landmarks float32 [k, 68, 2], and the k numbers of the pictures they are of.
    """
    crops, kept, at = [], [], []
    for i, (picture, landmarks) in enumerate(zip(pictures, points, strict=True)):
        if landmarks is None:
            continue
        try:
            crops.append(cut(resized(picture, FRAME), landmarks, crop))
        except AlignmentError:
            continue
        kept.append(landmarks)
        at.append(i)
    side = crop.size
    return (
        np.stack(crops) if crops else np.zeros((0, side, side, 3), np.uint8),
        np.stack(kept) if kept else np.zeros((0, 68, 2), np.float32),
        at,
    )
