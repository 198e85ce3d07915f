"""From what an instrument declares to the crop it gets, cut once from the original frame."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from metrics.instruments import Crop, InstrumentError
from smoothswap.faces import boxes
from smoothswap.faces.align import arcface_crop, deca_crop, dlib_crop, ffhq_affine, ffhq_crop
from smoothswap.pixels import Image

Points = npt.NDArray[np.float32]


def square(frame: Image, landmarks: npt.NDArray[np.float32], size: int) -> Image:
    """The FFHQ square of a face by one warp and area averaging.

    Ten times as fast as ffhq_crop, whose own resampling is for networks that were trained with it.

    Args:
        frame: uint8 [h, w, 3], RGB.
        landmarks: float32 [68, 2] in its pixels.
        size: Side of the square, pixels.

    Returns:
        uint8 [size, size, 3], black beyond the frame.

    Raises:
        AlignmentError: For landmarks that are no face.
    """
    warp = ffhq_affine(landmarks, 2 * size)
    large = cv2.warpAffine(frame, warp, (2 * size, 2 * size), flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _frame(frame: Image, landmarks: Points, size: int) -> Image:
    """The whole frame, squeezed into a square."""
    return np.asarray(cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


TEMPLATES: dict[str, Callable[[Image, Points, int], Image]] = {
    "ffhq": lambda frame, landmarks, size: ffhq_crop(frame, landmarks, size)[0],
    "arcface": arcface_crop,
    "deca": deca_crop,
    "dlib": dlib_crop,
    "tddfa": lambda frame, landmarks, size: boxes.tddfa_crop(frame, boxes.tddfa_box(landmarks), size),
    "vggface2": boxes.vggface2_crop,
    "facenet": boxes.facenet_crop,
    "hopenet": boxes.hopenet_crop,
    "sixdrepnet": partial(boxes.hopenet_crop, resize=256),
    "frame": _frame,
}
"""The alignments by their name in Crop.template (metrics.instruments.base.Template)."""


def cut(frame: Image, landmarks: Points, crop: Crop) -> Image:
    """Cut a face for an instrument.

    Args:
        frame: uint8 [h, w, 3], RGB.
        landmarks: float32 [68, 2] in its pixels.
        crop: What the instrument declares.

    Returns:
        uint8 [size, size, 3].

    Raises:
        AlignmentError: For landmarks that are no face.
        InstrumentError: For an unknown template.
    """
    template = crop.cut or TEMPLATES.get(crop.template)
    if template is None:
        raise InstrumentError(
            f"unknown crop template {crop.template!r}; known are {', '.join(TEMPLATES)}; an instrument with another "
            "brings its own function: Crop(name, size, cut=function)"
        )
    return template(frame, landmarks, crop.size)
