"""The reference rows: nothing swapped, two that leave the target without the source, and the source's face pasted in."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np

from bench.swappers.base import Image, SwapError, Task
from smoothswap.faces.align import AlignmentError, ffhq_affine, ffhq_crop
from smoothswap.faces.paste import paste_back


class CopyTarget:
    """The target frame, untouched: attributes are perfect, the identity is wrong."""

    shows: ClassVar[str] = "nobody"  # Swapper.shows

    def swap_frame(self, task: Task) -> Image:
        """The target frame itself."""
        return task.target


class Blur:
    """The target's face blurred until it is nobody's: it has left the target and is no nearer to any source.

    A Gaussian of a standard deviation of SIGMA sides of the face's FFHQ square, inside of that square, pasted back with
    its soft edge as every crop is.

    At this SIGMA dlib's network still finds the target, its own frame left out of the gallery, in 12 % of 49 frames of 50
    people in Labeled Faces in the Wild and a MobileFaceNet in 2 %; at 0.03 in 55 % and 10 %. The price: dlib's detector
    finds a face in half of the frames (0.03: in 77 %; 0.05: in 24 %). A sharper remainder mixed in, so that more are
    found, brings the target back with them.
    """

    SIGMA = 0.04
    shows: ClassVar[str] = "nobody"

    def swap_frame(self, task: Task) -> Image:
        """Blur the target's face.

        Raises:
            SwapError: For landmarks that are no face.
        """
        try:
            crop = ffhq_crop(task.target, task.target_face.landmarks, CopySource.size)[0]
            affine = ffhq_affine(task.target_face.landmarks, CopySource.size)
        except AlignmentError as error:
            raise SwapError(f"the face cannot be aligned: {error}") from error
        sigma = self.SIGMA * CopySource.size
        blurred = cv2.GaussianBlur(crop, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        return paste_back(task.target, np.asarray(blurred, np.uint8), affine)


class CopySource:
    """The source's FFHQ crop in the target's place: the identity is right, the attributes are wrong."""

    size = 256

    def __init__(self) -> None:
        self._cut: tuple[Image, Image] | None = None  # the last source frame and its crop: one serves a clip

    def swap_frame(self, task: Task) -> Image:
        """Paste the source's crop where the target's face lies.

        Raises:
            SwapError: For landmarks that are no face.
        """
        try:
            if self._cut is None or self._cut[0] is not task.source:
                crop = ffhq_crop(task.source, task.source_face.landmarks, self.size)[0]
                self._cut = task.source, crop
            affine = ffhq_affine(task.target_face.landmarks, self.size)
        except AlignmentError as error:
            raise SwapError(f"the face cannot be aligned: {error}") from error
        return paste_back(task.target, self._cut[1], affine)


class Stranger(CopySource):
    """A third person's face pasted as copy-source pastes the source's: as much of a swap, and of nobody who was asked for.

    Its tasks show that person as their source: `info` says by which rule (bench.ffpp.strangers finds them).
    """

    shows: ClassVar[str] = "stranger"
    info: ClassVar[dict[str, str]] = {
        "stranger": "the first clip after the target's in the run's order, going round, whose person is neither the target "
        "nor the source and in whose first frame a face is found; that frame"
    }
