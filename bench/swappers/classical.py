"""A swap without learning (smoothswap.faces.warp): landmark warp, colour transfer and Poisson blending."""

from __future__ import annotations

from bench.swappers.base import Image, SwapError, Task
from smoothswap.faces.warp import WarpError, swap_by_warp


class Classical:
    """Frame swapper; raises SwapError for a face too small or too flat to be warped."""

    def swap_frame(self, task: Task) -> Image:
        """The source's face in the target (swap_by_warp). Raises SwapError where it cannot be warped or blended."""
        try:
            return swap_by_warp(
                task.source, task.source_face.landmarks, task.target, task.target_face.landmarks
            )
        except WarpError as error:
            raise SwapError(str(error)) from error
