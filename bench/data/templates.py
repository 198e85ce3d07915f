"""Where swaps that are handed in as aligned crops were cut: a similarity from the target's landmarks to the crop.

template   size             five points, or the square
ffhq       any              FFHQ's square of 68 landmarks (Karras et al., CVPR 2019)
ffhq5      any              FFHQ's five points in 512 pixels: facexlib, GFPGAN; SimSwap's 512 px
                            (neuralchen/SimSwap, insightface_func/utils/face_align_ffhqandnewarc.py, mode "ffhq")
arcface    of 112 or 128    InsightFace's five points (Deng et al., CVPR 2019), as ArcFace recognisers take them
simswap    any              of five poses' points the ones that fit best: SimSwap's 224 px (the same file, its other mode)
hififace   any              the frontal ones of these (xuehy/HiFiFace-pytorch, benchmark/face_pipeline.py)

The points are in pixels of 112 or 512 and grow with the size, pixel centres at integers, as those programs have it. Ours
come from 68 landmarks and theirs from a detector of five points, which differ by a few pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from bench.errors import UsageError, suggestion
from smoothswap.faces.align import (
    AlignmentError,
    arcface_template,
    ffhq_affine,
    ffhq_crop,
    five_points,
    transform_points,
    umeyama,
)
from smoothswap.pixels import Image

Points = npt.NDArray[np.float32]
Affine = npt.NDArray[np.float64]

_FFHQ_512 = np.array(
    [
        [192.98138, 239.94708],
        [318.90277, 240.1936],
        [256.63416, 314.01935],
        [201.26117, 371.41043],
        [313.08905, 371.15118],
    ]
)
_POSES_112 = np.array(
    [
        [[51.642, 50.115], [57.617, 49.990], [35.740, 69.007], [51.157, 89.050], [57.025, 89.702]],
        [[45.031, 50.118], [65.568, 50.872], [39.677, 68.111], [45.177, 86.190], [64.246, 86.758]],
        [[39.730, 51.138], [72.270, 51.138], [56.000, 68.493], [42.463, 87.010], [69.537, 87.010]],
        [[46.845, 50.872], [67.382, 50.118], [72.737, 68.111], [48.167, 86.758], [67.236, 86.190]],
        [[54.796, 49.990], [60.771, 50.115], [76.673, 69.007], [55.388, 89.702], [61.257, 89.050]],
    ]
)
_FRONTAL = 2  # of these


def _ffhq5(landmarks: Points, size: int) -> Affine:
    return umeyama(five_points(landmarks), _FFHQ_512 * (size / 512))


def _arcface(landmarks: Points, size: int) -> Affine:
    return umeyama(five_points(landmarks), arcface_template(size))


def _simswap(landmarks: Points, size: int) -> Affine:
    points = five_points(landmarks)
    fits = [(umeyama(points, pose), pose) for pose in _POSES_112 * (size / 112)]
    errors = [np.linalg.norm(transform_points(affine, points) - pose, axis=1).sum() for affine, pose in fits]
    return fits[int(np.argmin(errors))][0]


def _hififace(landmarks: Points, size: int) -> Affine:
    return umeyama(five_points(landmarks), _POSES_112[_FRONTAL] * (size / 112))


TEMPLATES: dict[str, Callable[[Points, int], Affine]] = {
    "ffhq": ffhq_affine,
    "ffhq5": _ffhq5,
    "arcface": _arcface,
    "simswap": _simswap,
    "hififace": _hififace,
}
SIZES = {"ffhq": 256, "ffhq5": 512, "arcface": 112, "simswap": 224, "hififace": 256}
"""The side of a crop, pixels, where none is stated."""


@dataclass(frozen=True)
class Aligned:
    """How crops were cut.

    Args:
        template: Of TEMPLATES.
        size: Side of the crops, pixels.

    Raises:
        UsageError: For a template that there is not, or a size that it cannot have.
    """

    template: str
    size: int

    def __post_init__(self) -> None:
        if self.template not in TEMPLATES:
            raise UsageError(
                f"no template {self.template!r} for aligned crops.{suggestion(self.template, TEMPLATES)} There are "
                f"{', '.join(TEMPLATES)}, as crops:DIR?template=ffhq&size=256"
            )
        if not 32 <= self.size <= 4096:
            raise UsageError(f"aligned crops have a side of 32 to 4096 pixels, not {self.size}")
        if self.template == "arcface":
            try:
                arcface_template(self.size)
            except AlignmentError as error:
                raise UsageError(f"{error}; crops:DIR?template=arcface&size=112") from error

    def __str__(self) -> str:
        return f"template={self.template}&size={self.size}"

    def affine(self, landmarks: Points) -> Affine:
        """Frame to crop, float64 [2, 3]. Raises AlignmentError for landmarks that are no face."""
        return TEMPLATES[self.template](landmarks, self.size)

    def cut(self, frame: Image, landmarks: Points) -> Image:
        """A frame's own crop.

        Args:
            frame: uint8 [h, w, 3] RGB.
            landmarks: float [68, 2] in its pixels.

        Returns:
            uint8 [size, size, 3], as those cut who use the template: FFHQ's with its own resampling, the others by one
            bilinear warp.

        Raises:
            AlignmentError: For landmarks that are no face.
        """
        if self.template == "ffhq":
            return ffhq_crop(frame, landmarks, self.size)[0]
        side = (self.size, self.size)
        warped = cv2.warpAffine(
            np.ascontiguousarray(frame), self.affine(landmarks), side, flags=cv2.INTER_LINEAR
        )
        return np.asarray(warped, np.uint8)
