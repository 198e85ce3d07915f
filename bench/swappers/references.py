"""The two ends of the scale: nothing swapped, and the source's own face pasted in."""

from __future__ import annotations

from bench.swappers.base import Image, Task


class CopyTarget:
    """The target frame, untouched: attributes are perfect, the identity is wrong."""

    def swap_frame(self, task: Task) -> Image:
        return task.target


class CopySource:
    """The source's aligned crop in the place of the target's: the identity is right, the attributes are wrong."""

    size = 256

    def swap(self, source: Image, target: Image) -> Image:
        return source
