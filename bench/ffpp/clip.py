"""One clip of a pair: the frames that the protocol's rule chooses, with their readings or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from bench.data.clips import ClipError, FrameRule, Frames, read_clip, read_numbers
from bench.data.numbering import AS_NAMED, Numbering
from bench.reading.pool import Readers
from bench.reading.reader import Image, Reading
from bench.swappers.apply import Failed, Swapped
from smoothswap.faces.face import Face
from smoothswap.media.video import VideoError


@dataclass
class Clip:
    """A clip with the readings of its frames; `failure` when it could not be read at all; absent: it is not there."""

    frames: Frames
    readings: list[Reading] = field(default_factory=list)
    failure: str = ""
    absent: bool = False

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


def open_clip(
    path: Path | None,
    name: str,
    rule: FrameRule,
    below: int | None = None,
    numbering: Numbering = AS_NAMED,
) -> Clip:
    """Read the rule's frames of a clip; what goes wrong stands in the result's `failure`.

    Args:
        path: The video, folder of frames or image; None: it is not on the disk.
        name: Of the clip, for messages.
        rule: Which frames.
        below: Only frames of smaller numbers; None: all.
        numbering: What the numbers mean.

    Returns:
        The clip, not yet read by an instrument.
    """
    if path is None:
        return Clip(Frames(0, [], [], []), failure=f"{name} is not on the disk", absent=True)
    try:
        return Clip(read_clip(path, rule, below, numbering))
    except (VideoError, ClipError, OSError) as error:
        return Clip(Frames(0, [], [], []), failure=str(error))


def reopen(path: Path, numbers: list[int], readers: Readers, look: bool) -> Clip:
    """Read and measure some frames of an original clip.

    Args:
        path: Its video, or folder of frames.
        numbers: The frames, from 0.
        readers: Detection and instruments.
        look: Whether the pictures themselves are read too.

    Returns:
        The clip with its readings.

    Raises:
        VideoError: When the clip cannot be read.
        ClipError: When a number is not there.
    """
    frames = read_numbers(path, numbers)
    readings = Readers.result(readers.originals(readable(frames), look))
    return Clip(frames, with_gaps(frames, readings))


def readable(frames: Frames) -> list[Image]:
    """The frames that could be read, in order."""
    return [image for image in frames.frames if image is not None]


def with_gaps(frames: Frames, readings: list[Reading]) -> list[Reading]:
    """Put the readings of readable frames back to their places.

    Args:
        frames: What was read of the clip.
        readings: One for each frame that could be read (`readable`), in order.

    Returns:
        One for each frame of `frames`; where the frame could not be read, "decode_error" with its reason.
    """
    rest = iter(readings)
    return [
        next(rest) if image is not None else Reading(0, None, "decode_error", reason)
        for image, reason in zip(frames.frames, frames.reasons, strict=True)
    ]


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
