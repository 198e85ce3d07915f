"""Frames of a clip as it lies on the disk: a video, a folder of numbered frames, or one image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.data.frame_names import ClipError, Numbered, numbered
from bench.data.numbering import AS_NAMED, Numbering
from bench.errors import few
from smoothswap.media.images import ImageError, read_image
from smoothswap.media.suffixes import PICTURES
from smoothswap.media.video import even_indices, iter_frames, middle_indices, read_even, read_frames
from smoothswap.pixels import Image


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
        passed_over: Of a folder the names of what is no picture by its ending.
    """

    count: int
    numbers: list[int]
    frames: list[Image | None]
    reasons: list[str]
    there: int = 0
    passed_over: tuple[str, ...] = ()


def is_picture(path: Path) -> bool:
    """Whether a clip is one picture, which has one frame whatever the rule asks for."""
    return path.suffix.lower() in PICTURES and not path.is_dir()


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
        ClipError: For a folder without numbered frames, with two of one number, with none under `below`, or plainly
            numbered from 1.
    """
    if below is not None and numbering != AS_NAMED:
        return _renumbered(path, rule, below, numbering)
    if path.is_dir() or is_picture(path):
        found = numbered(path)
        numbers = [number for number in found.files if below is None or number < below]
        if not numbers:
            raise ClipError(
                f"{path} has no frame below {below}, where the target's clip ends; frames are numbered from 0"
            )
        if 0 not in found.files and below in found.files:
            raise ClipError(
                f"{path} has a frame {below} and no frame 0, and the target's clip has 0 to {below - 1}: it is numbered "
                "from 1; number its frames from 0, or say --frame-numbers from-1"
            )
        chosen = _read_files(found, [numbers[i] for i in rule(len(numbers))])
        return replace(chosen, there=len(numbers))
    film = read_even(path, rule.k, rule)
    there = film.count
    if below is not None and film.count > below:
        film, there = read_frames(path, rule(below)), below
    return Frames(film.count, film.indices, list(film.frames), [""] * len(film.indices), there)


def read_original(path: Path, rule: FrameRule) -> Frames:
    """Read frames of a clip by whose numbers others go, so that they have to be numbered from 0.

    Args:
        path: As for `read_clip`.
        rule: Which frames.

    Returns:
        As `read_clip`.

    Raises:
        VideoError, ClipError: As `read_clip`; and for a folder without a frame 0.
    """
    read = read_clip(path, rule)
    if path.is_dir() and (first := min(numbered(path).files)) != 0:
        raise ClipError(f"{path} is numbered from {first}; number the frames of an original from 0: 0000.png")
    return read


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
    if path.is_dir() or is_picture(path):
        files = numbered(path).files
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
    if path.is_dir() or is_picture(path):
        known = numbered(path)
        if lacking := [str(number) for number in numbers if number not in known.files]:
            raise ClipError(f"{path} lacks the frames {few(lacking)}")
        return _read_files(known, list(numbers))
    found = read_frames(path, numbers)
    return Frames(found.count, list(numbers), list(found.frames), [""] * len(numbers))


def _renumbered(path: Path, rule: FrameRule, count: int, numbering: Numbering) -> Frames:
    """The rule's choice of those frames that have a place among the target's `count`."""
    folder = path.is_dir() or is_picture(path)
    named = list(numbered(path).files) if folder else list(range(read_even(path, 1).count))
    places = numbering.places(named, count)
    if not places:
        raise ClipError(f"{path} has no frame of the target's clip with --frame-numbers {numbering}")
    chosen = [list(places)[i] for i in rule(len(places))]
    read = read_numbers(path, [places[number] for number in chosen])
    return Frames(max(places) + 1, chosen, read.frames, read.reasons, len(places), read.passed_over)


def _read_files(found: Numbered, numbers: list[int]) -> Frames:
    files = found.files
    frames: list[Image | None] = []
    reasons = []
    for number in numbers:
        try:
            frames.append(read_image(files[number]))
            reasons.append("")
        except ImageError as error:
            frames.append(None)
            reasons.append(str(error))
    return Frames(max(files) + 1, numbers, frames, reasons, passed_over=tuple(found.passed_over))
