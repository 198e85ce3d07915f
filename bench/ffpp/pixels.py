"""Metrics of the pictures themselves, measured while a pair's frames are in memory: outside the face, warping of video."""

from __future__ import annotations

from collections.abc import Sequence

from bench.ffpp.clip import Clip
from bench.reading.outside import Outside
from bench.reading.warping import warping_error
from bench.swappers.apply import Failed, Swapped


def measure(outside: Outside, target: Clip, swapped: Sequence[Swapped], i: int) -> dict[str, float]:
    """What a swapped frame changes where the face is not.

    Args:
        outside: Compares two frames.
        target: The target's clip, read; frame i has a face.
        swapped: A swap of each of its frames, or why there is none.
        i: The frame.

    Returns:
        Metric -> value; {} where there is no picture.
    """
    image = swapped[i] if i < len(swapped) else Failed("")
    return {} if isinstance(image, Failed) else outside(image, target.image(i), target.face(i).landmarks)


def measure_video(target: Clip, swapped: Sequence[Swapped], i: int) -> dict[str, float]:
    """The warping error of a frame of a video.

    Args:
        target: The target's clip, read; frame i has a face.
        swapped: A swap of each of its frames, or why there is none.
        i: The frame.

    Returns:
        Metric -> value; {} without a picture of it and of the frame before.
    """
    numbers = target.frames.numbers
    if i == 0 or i >= len(swapped) or numbers[i] != numbers[i - 1] + 1 or not target.ok(i - 1):
        return {}
    now, before = swapped[i], swapped[i - 1]
    if isinstance(now, Failed) or isinstance(before, Failed):
        return {}
    targets = (target.image(i), target.image(i - 1))
    return {"warping_error": warping_error((now, before), targets, target.face(i).landmarks)}
