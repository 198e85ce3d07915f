"""What a swapper is: three shapes, told apart by `kind`.

crop      swap(source, target) on FFHQ-aligned crops; the runner cuts and pastes back
frame     swap_frame(task) on whole frames; the swapper does its own aligning
finished  swaps that exist as files; the runner only reads them
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from bench.data.pairs import Pair
from smoothswap.faces.face import Face
from smoothswap.pixels import Image
from smoothswap.plumbing.names import refuse_name

Kind = Literal["crop", "frame", "finished"]


class SwapError(Exception):
    """A swapper could not swap a frame. Raise it with a sentence: that becomes the reason of a model_error row."""


@dataclass(frozen=True)
class Task:
    """One frame to swap, with the faces that were found in it.

    Args:
        pair: The two clips and the people in them.
        frame: Number within the target's clip, from 0.
        target: The frame to change: uint8 [h, w, 3] RGB, 0 to 255.
        source: A frame of the person to put in: uint8 [h', w', 3] RGB; usually the same array for a whole clip.
        target_face: The face that the protocol chose: box (x0, y0, x1, y1) and landmarks float32 [68, 2] (iBUG's
            order), both in the target's pixels.
        source_face: The source's, in the source's pixels.
    """

    pair: Pair
    frame: int  # number within the target's clip
    target: Image
    source: Image
    target_face: Face
    source_face: Face


@runtime_checkable
class CropSwapper(Protocol):
    """The usual model: it swaps aligned faces, and the runner cuts them out and pastes them back.

    Crops are aligned as FFHQ's. `size` is their side in pixels, fixed when the swapper is made.
    """

    size: int

    def swap(self, source: Image, target: Image) -> Image:
        """Swap a batch of faces.

        Args:
            source: uint8 [n, size, size, 3] RGB, 0 to 255: the faces whose identity is wanted. 1 <= n <= the run's
                batch size.
            target: uint8 [n, size, size, 3] RGB: the faces whose expression, pose and light are to stay. Row i belongs
                to row i of `source`. Both are copies, which the swapper may change.

        Returns:
            uint8 [n, size, size, 3] RGB, 0 to 255, in the target's alignment: the runner pastes row i back to where
            target i was cut.

        Raises:
            SwapError: Where it cannot. Any exception, or an array of another shape or type, of a batch makes the runner
                go frame by frame, so that only the frames that fail alone are lost.
        """


@runtime_checkable
class FrameSwapper(Protocol):
    """A model that works on whole frames and does its own aligning."""

    def swap_frame(self, task: Task) -> Image:
        """Swap the face of one frame.

        Args:
            task: The two frames and the faces found in them; its arrays are shared and must not be changed.

        Returns:
            The target frame with its face swapped: uint8 [h, w, 3] RGB, 0 to 255, of the shape of `task.target`.

        Raises:
            SwapError: Where it cannot; the frame is lost with that reason, as it is for any other exception.
        """


@runtime_checkable
class FinishedSwapper(Protocol):
    """Swaps that somebody has made before, as files."""

    def path(self, pair: Pair) -> Path | None:
        """Where the swap of a pair lies.

        Args:
            pair: The two clips.

        Returns:
            A video, a folder of numbered frames, or one image; None where there is none. Frames are of the size of the
            target's, or that made smaller or larger, and numbered as they are, from 0; an attribute `numbering`
            (bench.data.numbering.Numbering) may say otherwise.
        """

    def where(self) -> str:
        """The place that is searched, for messages."""


@dataclass(frozen=True)
class Swapper:
    """A swapper under the name it has in the tables.

    Args:
        name: The name in every table and file.
        spec: What `--model` said.
        kind: Which of the three protocols `run` follows.
        run: The CropSwapper, FrameSwapper or FinishedSwapper itself.
        manipulation: First part of the keys of its clips.
        reference: Whether it marks an end of the scale, which a report sets apart.
        shows: Whose face its tasks hold as the source: the source's, or a third person's (bench.ffpp.strangers), by whom
            a reference row shows what a swap scores that never saw the source. "nobody": it does not look at the source.
        info: Goes into results.json: the weights' hash, parameters.

    Raises:
        UsageError: For a name that cannot be a folder's.
    """

    name: str
    spec: str
    kind: Kind
    run: Any
    manipulation: str
    reference: bool = False
    shows: Literal["source", "stranger", "nobody"] = "source"
    info: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        refuse_name(self.name, "a model")  # its folder's too


def checked(image: object, like: Image, who: str) -> Image:
    """What a swapper returned, if it is a frame.

    Args:
        image: Anything.
        like: The array whose shape it must have.
        who: The swapper's name, for the message.

    Returns:
        `image`.

    Raises:
        SwapError: If it is not uint8 or not shaped as `like`; it says what came instead.
    """
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
    """Images of one size as one array, uint8 [n, h, w, 3]; [0, 0, 0, 3] for none."""
    return np.stack(images) if images else np.zeros((0, 0, 0, 3), np.uint8)
