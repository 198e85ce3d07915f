"""Small grey pictures of a clip's frames: all that is needed to tell whose background it shows, and which moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Interpolation

from bench.data.clips import ClipError, is_picture
from bench.data.frame_names import numbered
from smoothswap.media.film import Film, VideoError
from smoothswap.media.images import ImageError, read_image
from smoothswap.media.orientation import orientation
from smoothswap.media.video import even_indices
from smoothswap.pixels import Image

LONG_SIDE = 160
Grey = npt.NDArray[np.uint8]
UNREADABLE = (VideoError, ClipError, ImageError, OSError)


@dataclass(frozen=True)
class Thumbnails:
    """The frames of a clip, small and grey.

    Args:
        numbers: Of each picture its frame's number as the clip names it: the place in a video, the number of a file.
        pictures: uint8 [n, h, w], all of one size whatever the clip's.
        count: How many frames the clip has; of a folder its files.
        shape: Height and width of the clip's frames, pixels.
        rate: Frames a second that a video declares; None of a folder.
        whole: Some frames as they are, for finding the face.
        named: The numbers of all frames, of which `numbers` may be some.
    """

    numbers: list[int]
    pictures: Grey
    count: int
    shape: tuple[int, int]
    rate: Fraction | None = None
    whole: list[Image] = field(default_factory=list)
    named: list[int] = field(default_factory=list)


def fitted(shape: tuple[int, int]) -> tuple[int, int]:
    """Height and width of a thumbnail of frames of this height and width.

    >>> fitted((720, 1280)), fitted((96, 96))
    ((90, 160), (96, 96))
    """
    scale = min(1.0, LONG_SIDE / max(shape))
    return max(8, round(shape[0] * scale)), max(8, round(shape[1] * scale))


def read(
    path: Path, size: tuple[int, int] | None = None, most: int | None = None, whole: int = 0
) -> Thumbnails:
    """The thumbnails of a clip.

    Args:
        path: A video, a folder of numbered frames, or one image.
        size: Height and width of the thumbnails; None: as `fitted` says of the clip's own frames.
        most: So many frames, evenly spaced; None: all.
        whole: So many frames besides as they are.

    Returns:
        The thumbnails, at least one.

    Raises:
        VideoError, ClipError, ImageError, OSError: The clip cannot be read.
    """
    if path.is_dir() or is_picture(path):
        return _of_files(numbered(path).files, size, most, whole)
    return _of_video(path, size, most, whole)


def first(path: Path, size: tuple[int, int]) -> Grey:
    """The thumbnail of a clip's first frame.

    Args:
        path: A video, a folder of numbered frames, or one image.
        size: Height and width of the thumbnail.

    Returns:
        uint8 [1, h, w].

    Raises:
        VideoError, ClipError, ImageError, OSError: The clip cannot be read.
    """
    if path.is_dir() or is_picture(path):
        return _of_files(numbered(path).files, size, 1, 0).pictures
    with Film(path) as film:
        return _grey(next(film.frames()), size)[None]


def _of_files(
    files: dict[int, Path], size: tuple[int, int] | None, most: int | None, whole: int
) -> Thumbnails:
    numbers = list(files)
    taken = numbers if most is None else [numbers[i] for i in even_indices(len(numbers), most)]
    kept = {taken[i] for i in even_indices(len(taken), whole)} if whole else set()
    read_numbers, pictures, frames, shape = [], [], [], None
    for number in taken:
        try:
            image = read_image(files[number])
        except ImageError:
            # The ledger names each; what can be read says enough here.
            continue
        shape = shape or (image.shape[0], image.shape[1])
        size = size or fitted(shape)
        read_numbers.append(number)
        pictures.append(_shrunk(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), size))
        if number in kept:
            frames.append(image)
    if shape is None:
        raise ClipError(f"none of the {len(taken)} images of {next(iter(files.values())).parent} can be read")
    return Thumbnails(read_numbers, np.stack(pictures), len(numbers), shape, None, frames, numbers)


def _of_video(path: Path, size: tuple[int, int] | None, most: int | None, whole: int) -> Thumbnails:
    pictures: list[Grey] = []
    frames: list[Image] = []
    shape = None
    with Film(path) as film:
        rate = film.stream.average_rate
        # A guess is enough: where faces are looked for need not be evenly spaced.
        step = max(1, (film.stream.frames or 1) // max(1, whole))
        for i, frame in enumerate(film.frames()):
            if shape is None:
                shape = film.shape(frame)
                size = size or fitted(shape)
            assert size is not None
            pictures.append(_grey(frame, size))
            if len(frames) < whole and i % step == 0:
                frames.append(film.rgb(frame))
    if film.damaged:
        raise VideoError(f"{path}: damaged in places, where it shows nothing that could be compared")
    assert shape is not None  # film.frames() yields one or raises
    taken = range(len(pictures)) if most is None else even_indices(len(pictures), most)
    shown = np.stack([pictures[i] for i in taken])
    return Thumbnails(list(taken), shown, len(pictures), shape, rate, frames, list(range(len(pictures))))


def _grey(frame: Any, size: tuple[int, int]) -> Grey:
    turned = orientation(frame)
    height, width = reversed(size) if turned.transposed else size
    small = frame.reformat(width, height, "gray", interpolation=Interpolation.AREA).to_ndarray()
    return turned.apply(np.asarray(small, np.uint8)[..., None])[..., 0]


def _shrunk(grey: npt.NDArray[Any], size: tuple[int, int]) -> Grey:
    return np.asarray(cv2.resize(grey, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
