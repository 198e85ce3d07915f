"""What a swapper is: three shapes, told apart by `kind`.

crop      swap(source, target) on FFHQ-aligned crops; the runner cuts and pastes back
frame     swap_frames(task) on whole frames; the swapper does its own aligning
finished  swaps that exist as files; the runner only reads them
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from bench.data.pairs import Pair
from smoothswap.faces.detect import Face
from smoothswap.pixels import Image

Kind = Literal["crop", "frame", "finished"]


class SwapError(Exception):
    """A swapper could not swap a frame. Its text becomes the reason of a model_error row."""


@dataclass(frozen=True)
class Task:
    """One frame to swap, with the faces that were found in it.

    `target` and `source` are whole frames, uint8 [h, w, 3] RGB; `*_face` the face that the protocol chose.
    """

    pair: Pair
    frame: int  # number within the target's clip
    target: Image
    source: Image
    target_face: Face
    source_face: Face


@runtime_checkable
class CropSwapper(Protocol):
    """The usual model. swap takes and returns uint8 [n, size, size, 3] RGB, FFHQ-aligned."""

    size: int

    def swap(self, source: Image, target: Image) -> Image: ...


@runtime_checkable
class FrameSwapper(Protocol):
    """Returns the whole target frame with its face swapped, same size; raises SwapError where it cannot."""

    def swap_frame(self, task: Task) -> Image: ...


@runtime_checkable
class FinishedSwapper(Protocol):
    """Names the file (video, folder of numbered frames, or one image) of a pair; None when there is none."""

    def path(self, pair: Pair) -> Path | None: ...

    def where(self) -> str: ...


@dataclass(frozen=True)
class Swapper:
    """A swapper under the name it has in the tables.

    `manipulation` is the first part of the keys of its clips. `info` goes into results.json (weights' hash,
    parameters). `reference` marks the ends of the scale, which are set apart in a report.
    """

    name: str
    spec: str
    kind: Kind
    run: Any
    manipulation: str
    reference: bool = False
    info: dict[str, Any] = field(default_factory=dict)


def checked(image: object, like: Image, who: str) -> Image:
    """Return `image` if it is uint8 and shaped as `like`; raises SwapError that says what came instead."""
    if not isinstance(image, np.ndarray):
        raise SwapError(
            f"{who} returned {type(image).__name__}; expected a uint8 numpy array {list(like.shape)}"
        )
    if image.shape != like.shape or image.dtype != np.uint8:
        raise SwapError(
            f"{who} returned {image.dtype} {list(image.shape)}; expected uint8 {list(like.shape)} "
            "(RGB, 0 to 255)"
        )
    return image


def stack(images: Sequence[Image]) -> Image:
    return np.stack(images) if images else np.zeros((0, 0, 0, 3), np.uint8)
