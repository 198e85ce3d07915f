"""Frames of a clip as it lies on the disk: a video, a folder of numbered frames, or one image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.data.numbering import AS_NAMED, Numbering
from bench.errors import few
from smoothswap.media.images import ImageError, read_image
from smoothswap.media.suffixes import PICTURES
from smoothswap.media.video import even_indices, iter_frames, middle_indices, read_even, read_frames
from smoothswap.pixels import Image


class ClipError(ValueError):
    """A folder of frames that cannot be understood (videos raise VideoError instead)."""


@dataclass(frozen=True)
class FrameRule:
    """Which frames of a clip: k evenly spaced, both ends included, or k that follow each other at its middle."""

    k: int
    consecutive: bool = False

    def __call__(self, count: int, k: int | None = None) -> list[int]:
        """The places 0 .. count-1 that are read; all where there are no more than k."""
        return (middle_indices if self.consecutive else even_indices)(count, self.k if k is None else k)


@dataclass(frozen=True)
class Frames:
    """Some frames of a clip.

    Attributes:
        count: How many frames the clip has; of a folder the highest number in it plus 1.
        there: How many of them there were to choose from: of a folder the files, so that gaps do not count; 0: not known.
        numbers: Of each frame its number in the clip, from 0.
        frames: uint8 [h, w, 3] RGB each, None where it cannot be read.
        reasons: Why it cannot be read, "" for the others.
    """

    count: int
    numbers: list[int]
    frames: list[Image | None]
    reasons: list[str]
    there: int = 0


def read_clip(
    path: Path, rule: FrameRule, below: int | None = None, numbering: Numbering = AS_NAMED
) -> Frames:
    """Read the frames that the rule chooses of those that the clip has; all when it has fewer.

    Args:
        path: A video, a folder of frames whose names end in their number, or one image, which is frame 0.
        rule: Which frames. In a folder it counts the files that are there, so that gaps are skipped.
        below: Leave out frames from this number on (the target's clip ends there, so they are nobody's swap);
            None: all may be read.
        numbering: What the numbers of names, and places in a video, mean; other than as-named it needs `below`,
            the number of frames of the target's clip.

    Returns:
        The frames in order of time. An image file that is damaged is a frame with its reason; in a video a
        frame that does not decode is not counted at all.

    Raises:
        VideoError: For a missing, empty or undecodable video.
        ClipError: For a folder without numbered frames, with two of one number, or with none under `below`.
    """
    if below is not None and numbering != AS_NAMED:
        return _renumbered(path, rule, below, numbering)
    if path.is_dir() or path.suffix.lower() in PICTURES:
        files = numbered_files(path)
        numbers = [number for number in files if below is None or number < below]
        if not numbers:
            raise ClipError(
                f"{path} has no frame below {below}, where the target's clip ends; frames are numbered from 0"
            )
        chosen = _read_files(files, [numbers[i] for i in rule(len(numbers))])
        return replace(chosen, there=len(numbers))
    found = read_even(path, rule.k, rule)
    there = found.count
    if below is not None and found.count > below:
        found, there = read_frames(path, rule(below)), below
    return Frames(found.count, found.indices, list(found.frames), [""] * len(found.indices), there)


def read_first(path: Path) -> Image:
    """Read the first frame of a clip, and no more of it.

    Args:
        path: A video, a folder of numbered frames, or one image, as for `read_clip`.

    Returns:
        uint8 [h, w, 3] RGB.

    Raises:
        VideoError: For a missing, empty or undecodable video.
        ClipError: For a folder without numbered frames, or a first frame that is damaged.
    """
    if path.is_dir() or path.suffix.lower() in PICTURES:
        files = numbered_files(path)
        try:
            return read_image(files[min(files)])
        except ImageError as error:
            raise ClipError(f"{path}: the first frame cannot be read: {error}") from error
    return next(iter_frames(path))


def read_numbers(path: Path, numbers: Sequence[int]) -> Frames:
    """Read the frames of these numbers.

    Args:
        path: A video, a folder of numbered frames, or one image, as for `read_clip`.
        numbers: The frames' numbers in the clip, from 0, in any order.

    Returns:
        The frames in the order asked for. An image file that is damaged is a frame with its reason.

    Raises:
        VideoError: For a missing, empty or undecodable video, and for a number that it does not have.
        ClipError: For a folder that cannot be understood or lacks one of the numbers.
    """
    if path.is_dir() or path.suffix.lower() in PICTURES:
        files = numbered_files(path)
        if lacking := [str(number) for number in numbers if number not in files]:
            raise ClipError(f"{path} lacks the frames {few(lacking)}")
        return _read_files(files, list(numbers))
    found = read_frames(path, numbers)
    return Frames(found.count, list(numbers), list(found.frames), [""] * len(numbers))


def _renumbered(path: Path, rule: FrameRule, count: int, numbering: Numbering) -> Frames:
    """The rule's choice of those frames that have a place among the target's `count`."""
    folder = path.is_dir() or path.suffix.lower() in PICTURES
    named = list(numbered_files(path)) if folder else list(range(read_even(path, 1).count))
    places = numbering.places(named, count)
    if not places:
        raise ClipError(f"{path} has no frame of the target's clip with --frame-numbers {numbering}")
    chosen = [list(places)[i] for i in rule(len(places))]
    read = read_numbers(path, [places[number] for number in chosen])
    return Frames(max(places) + 1, chosen, read.frames, read.reasons, len(places))


def numbered_files(path: Path) -> dict[int, Path]:
    """The pictures of a folder by their frame number: the last one in the file's name; 0 for a lone image.

    Raises:
        ClipError: For a folder without pictures, a name without a number, and two files of one number.
    """
    if path.is_file():
        return {0: path}
    files: dict[int, Path] = {}
    for file in sorted(path.iterdir()):
        if file.suffix.lower() not in PICTURES:
            continue
        digits = re.findall(r"\d+", file.stem)
        if not digits:
            raise ClipError(
                f"{file} has no frame number; name frames by their number in the clip, from 0: 0000.png"
            )
        if (number := int(digits[-1])) in files:
            raise ClipError(f"{files[number].name} and {file.name} in {path} are both frame {number}")
        files[number] = file
    if not files:
        raise ClipError(f"{path} holds no images; expected frames named by their number, from 0: 0000.png")
    return dict(sorted(files.items()))


def _read_files(files: dict[int, Path], numbers: list[int]) -> Frames:
    frames: list[Image | None] = []
    reasons = []
    for number in numbers:
        try:
            frames.append(read_image(files[number]))
            reasons.append("")
        except ImageError as error:
            frames.append(None)
            reasons.append(str(error))
    return Frames(max(files) + 1, numbers, frames, reasons)
