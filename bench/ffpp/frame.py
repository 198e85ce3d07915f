"""One scored frame of one model: its ledger row and everything that was read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bench.data.pairs import Pair
from bench.ffpp.cases import Case
from bench.ffpp.ledger import Row
from bench.reading.reader import Image, Reading, Status


@dataclass(frozen=True)
class Back:
    """The way back of a cycle: the swap, swapped once more with another photo of the target's person.

    Args:
        frame: The photo's number within its clip (Pair.again).
        status: "ok", or what went wrong, as in the ledger; of a swap that could not be made or read, the swap's own.
        reason: Why, in words; empty for "ok" alone.
        reading: What was read of the picture that came back; None: nothing.
        pixel_error: Of it to the target, as Frame.pixel_error to the true swap.
    """

    frame: int
    status: Status
    reason: str = ""
    reading: Reading | None = None
    pixel_error: float = float("nan")


@dataclass(frozen=True)
class Sourceless:
    """What became of the swap in a frame whose source's clip is not there; its row of the ledger is `not_available`.

    Args:
        status: "ok", or what went wrong with the swap, as in the ledger.
        reason: Why, in words; empty for "ok" alone.
    """

    status: Status
    reason: str = ""


@dataclass(frozen=True)
class Frame:
    """One scored frame: its ledger row and the four sides of it.

    Args:
        row: Its row of the ledger.
        pair: Whose face goes where.
        posed: Whether both originals have a usable face here, so that there was something to swap; what fails in a posed
            frame is the swap's own failure.
        swap: What was read of the swapped frame; None: nothing.
        source: Of the source's frame that the model was shown; None: nothing.
        target: Of the target's frame; None: nothing.
        truth: Of the true swap; None: there is none, or it has no face.
        source_at: The row of the gallery that the model was shown: (source clip, position).
        pixel_error: Mean absolute difference to the true swap over the target's face box, levels 0 to 255; NaN where
            unknown.
        pixels: Metric of pixels -> its value (Metric.pixels); empty where there is no picture.
        case: Small pictures of its faces for the report, also where none was found in the swap.
        look: Reading.look of the swapped picture, also where no face was found in it; empty where there is no picture.
        back: The way back, of a posed frame of a cycle.
        sourceless: Of a frame that lacks nothing but its source, whose clip is not there, what became of the swap; swap,
            target, truth and pixels are then as in a posed frame.
    """

    row: Row
    pair: Pair
    posed: bool
    swap: Reading | None = None
    source: Reading | None = None
    target: Reading | None = None
    truth: Reading | None = None
    source_at: tuple[str, int] | None = None
    pixel_error: float = float("nan")
    pixels: Mapping[str, float] = field(default_factory=dict)
    case: Case | None = None
    look: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    back: Back | None = None
    sourceless: Sourceless | None = None


def pixel_error(image: Image, truth: Image, box: tuple[float, float, float, float]) -> float:
    """Mean absolute difference of two frames over a box.

    Args:
        image: uint8 [h, w, 3].
        truth: uint8 [h, w, 3].
        box: x0, y0, x1, y1 in pixels; what lies beyond the frame is cut off.

    Returns:
        Levels, 0 to 255; NaN for an empty box.
    """
    height, width = image.shape[:2]
    x0, y0 = max(0, round(box[0])), max(0, round(box[1]))
    x1, y1 = min(width, round(box[2])), min(height, round(box[3]))
    if x1 <= x0 or y1 <= y0:
        return float("nan")
    difference = image[y0:y1, x0:x1].astype(np.int16) - truth[y0:y1, x0:x1]
    return float(np.abs(difference).mean())
