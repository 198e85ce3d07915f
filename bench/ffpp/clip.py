"""One clip of a pair: the frames that the protocol's rule chooses, with their readings or the reason why not."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field

import cv2
import numpy as np

from bench.data.clips import Frames
from bench.reading.pool import UNREADABLE, Readers, ReadingLost, lost
from bench.reading.reader import Image, Reading
from bench.swappers.apply import Failed, Swapped
from smoothswap.faces.face import Face

_NOTHING = Frames(0, [], [], [])


@dataclass
class Clip:
    """A clip with the readings of its frames.

    failure: why it could not be read at all. absent: it is not there. single: it is one picture, so that one frame is
    expected of it.
    """

    frames: Frames
    readings: list[Reading] = field(default_factory=list)
    failure: str = ""
    absent: bool = False
    single: bool = False

    def ok(self, i: int) -> bool:
        """Whether frame i has a usable face."""
        return i < len(self.readings) and self.readings[i].status == "ok"

    def image(self, i: int) -> Image:
        """Frame i, which has been read."""
        image = self.frames.frames[i]
        assert image is not None
        return image

    def face(self, i: int) -> Face:
        """The face of frame i, which has one (`ok`)."""
        face = self.readings[i].face
        assert face is not None
        return face


def missing(name: str) -> Clip:
    """A clip that is not on the disk."""
    return Clip(_NOTHING, failure=f"{name} is not on the disk", absent=True)


def received(future: Future[Frames], name: str) -> Clip:
    """Wait for a clip that was handed out to be decoded; what goes wrong stands in the result's `failure`.

    Args:
        future: From Readers.frames.
        name: Of the clip, for messages.

    Returns:
        The clip, not yet read by an instrument.
    """
    try:
        return Clip(Readers.result(future))
    except UNREADABLE as error:
        return Clip(_NOTHING, failure=str(error))
    except ReadingLost as error:
        return Clip(_NOTHING, failure=lost(name, error))


def received_read(future: Future[tuple[Frames, list[Reading]]], name: str) -> Clip:
    """Wait for a clip that was handed out to be decoded and read; what goes wrong stands in `failure`.

    Args:
        future: From Readers.clip or Readers.numbers.
        name: Of the clip, for messages.

    Returns:
        The clip with its readings.
    """
    try:
        return Clip(*Readers.result(future))
    except UNREADABLE as error:
        return Clip(_NOTHING, failure=str(error))
    except ReadingLost as error:
        return Clip(_NOTHING, failure=lost(name, error))


def sized(finished: Frames, i: int, target: Image | None) -> Swapped:
    """A finished frame, brought to the target's size where it has its form.

    Args:
        finished: The clip of finished swaps.
        i: Which of its frames.
        target: uint8 [h, w, 3], the target's frame of the same number; None where it cannot be read.

    Returns:
        uint8 [h, w, 3], or why it cannot stand for the target's.
    """
    image = finished.frames[i]
    if image is None:
        return Failed(finished.reasons[i])
    if target is None or image.shape == target.shape:
        return image
    height, width = target.shape[:2]
    if abs(image.shape[0] * width - image.shape[1] * height) <= 0.02 * image.shape[0] * width:
        smaller = image.shape[0] > height
        how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)
    return Failed(
        f"the swapped frame is {image.shape[1]} x {image.shape[0]}, its target {target.shape[1]} x "
        f"{target.shape[0]}; paste the faces back into the target's frames"
    )
