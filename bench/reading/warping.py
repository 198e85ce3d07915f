"""The warping error of a video: how much of a frame its predecessor, moved along, does not explain.

Lai et al., "Learning blind video temporal consistency", ECCV 2018, eq. 7 to 9, in grey levels and with OpenCV's DIS flow.
The flow and what it hides are the target's own, in the square about its face (bench.reading.outside), so that a swap cannot
make its own motion look right; and a swap is as far off as its error is from the target's.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from bench.reading.outside import Points, place
from smoothswap.pixels import Image

Flow = npt.NDArray[np.float32]
LEAST = 0.2  # of the square must be seen in both frames


def warping_error(swap: tuple[Image, Image], target: tuple[Image, Image], landmarks: Points) -> float:
    """How far the warping error of a swap is from the target's own.

    Args:
        swap: A frame and the one before it, uint8 [h, w, 3] RGB each.
        target: The same frames of the target.
        landmarks: float32 [68, 2], of the target's face in the frame.

    Returns:
        | error of the swap - error of the target |, grey levels 0..255; NaN where there is no square, frames have other
        sizes or too little of the square is seen in both.
    """
    where = place(landmarks, target[0].shape)
    if where is None or len({frame.shape for frame in (*swap, *target)}) > 1:
        return float("nan")
    now, before = (where.cut(frame) for frame in target)
    flow, seen = motion(now, before)
    if seen.mean() < LEAST:
        return float("nan")
    own = moved_error(now, before, flow, seen)
    return abs(moved_error(where.cut(swap[0]), where.cut(swap[1]), flow, seen) - own)


def motion(now: Image, before: Image) -> tuple[Flow, npt.NDArray[np.bool_]]:
    """Where each pixel came from, and whether it was to be seen there.

    Args:
        now: uint8 [h, w, 3].
        before: uint8 [h, w, 3].

    Returns:
        float32 [h, w, 2], pixel (x, y) of `now` lies at (x, y) + flow of `before`; bool [h, w], False where it lies beyond
        the picture or the flow back does not return (Sundaram et al., ECCV 2010, eq. 5).
    """
    a, b = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (now, before))
    estimate = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    nothing = np.zeros((*a.shape, 2), np.float32)  # where the estimate begins
    there, back = (np.asarray(estimate.calc(x, y, nothing.copy()), np.float32) for x, y in ((a, b), (b, a)))
    returned = _at(back, there)
    apart = ((there + returned) ** 2).sum(2)
    bound = 0.01 * ((there**2).sum(2) + (returned**2).sum(2)) + 0.5
    x, y = _places(there)
    height, width = a.shape
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return there, inside & (apart <= bound)


def moved_error(now: Image, before: Image, flow: Flow, seen: npt.NDArray[np.bool_]) -> float:
    """Mean absolute difference of a frame and the one before it moved along, over what is seen in both.

    Args:
        now: uint8 [h, w, 3].
        before: uint8 [h, w, 3].
        flow: float32 [h, w, 2], as from `motion`.
        seen: bool [h, w].

    Returns:
        Grey levels, 0 to 255; NaN where nothing is seen.
    """
    if not seen.any():
        return float("nan")
    difference = np.abs(now.astype(np.float32) - _at(before.astype(np.float32), flow))
    return float(difference[seen].mean())


def _places(flow: Flow) -> tuple[Flow, Flow]:
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    return x + flow[..., 0], y + flow[..., 1]


def _at(values: Flow, flow: Flow) -> Flow:
    x, y = _places(flow)
    return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
