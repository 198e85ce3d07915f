"""From what an instrument declares to the crop it gets, cut once from the original frame."""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
import numpy.typing as npt

from metrics.instruments import Crop, InstrumentError
from metrics.instruments.base import Template
from smoothswap.faces import boxes
from smoothswap.faces.align import arcface_crop, deca_crop, dlib_crop, ffhq_affine, ffhq_crop

Image = npt.NDArray[np.uint8]


def square(frame: Image, landmarks: npt.NDArray[np.float32], size: int) -> Image:
    """The FFHQ square of a face by one warp and area averaging: uint8 [size, size, 3], black beyond the frame.

    Ten times as fast as ffhq_crop, whose own resampling is for networks that were trained with it. Raises AlignmentError.
    """
    warp = ffhq_affine(landmarks, 2 * size)
    large = cv2.warpAffine(frame, warp, (2 * size, 2 * size), flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def cut(frame: Image, landmarks: npt.NDArray[np.float32], crop: Crop) -> Image:
    """Cut a face for an instrument: frame uint8 [h, w, 3], landmarks float32 [68, 2] -> uint8 [size, size,
    3].

    Raises AlignmentError for landmarks that are no face, InstrumentError for an unknown template.
    """
    if crop.template == "ffhq":
        return ffhq_crop(frame, landmarks, crop.size)[0]
    if crop.template == "arcface":
        return arcface_crop(frame, landmarks, crop.size)
    if crop.template == "deca":
        return deca_crop(frame, landmarks, crop.size)
    if crop.template == "dlib":
        return dlib_crop(frame, landmarks, crop.size)
    if crop.template == "tddfa":
        return boxes.tddfa_crop(frame, boxes.tddfa_box(landmarks), crop.size)
    if crop.template == "vggface2":
        return boxes.vggface2_crop(frame, landmarks, crop.size)
    if crop.template == "facenet":
        return boxes.facenet_crop(frame, landmarks, crop.size)
    if crop.template == "hopenet":
        return boxes.hopenet_crop(frame, landmarks, crop.size)
    if crop.template == "sixdrepnet":
        return boxes.hopenet_crop(frame, landmarks, crop.size, resize=256)
    if crop.template == "frame":
        return np.asarray(cv2.resize(frame, (crop.size, crop.size), interpolation=cv2.INTER_AREA), np.uint8)
    raise InstrumentError(
        f"unknown crop template {crop.template!r}; known are {', '.join(get_args(Template))}"
    )
