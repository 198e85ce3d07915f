"""The two ends of the scale: nothing swapped, and the source's own face pasted in."""

from __future__ import annotations

from bench.swappers.base import Image, SwapError, Task
from smoothswap.faces.align import AlignmentError, ffhq_affine, ffhq_crop
from smoothswap.faces.paste import paste_back


class CopyTarget:
    """The target frame, untouched: attributes are perfect, the identity is wrong."""

    def swap_frame(self, task: Task) -> Image:
        """The target frame itself."""
        return task.target


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
