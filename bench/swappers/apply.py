"""From a swapper and the frames of a pair to swapped frames, each with its own success or reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.swappers.base import Image, SwapError, Swapper, Task, checked
from smoothswap.faces.align import AlignmentError, ffhq_affine, ffhq_crop
from smoothswap.faces.paste import paste_back


@dataclass(frozen=True)
class Failed:
    """Why there is no swapped frame."""

    reason: str


Swapped = Image | Failed


def swap(swapper: Swapper, tasks: Sequence[Task], batch_size: int = 16) -> list[Swapped]:
    """Swap the frames of one pair. An exception costs its own frame only and becomes that frame's reason.

    Args:
        swapper: Of kind "crop" or "frame".
        tasks: The frames, in order.
        batch_size: Crops that a crop swapper is handed at once.

    Returns:
        For each task the frame, uint8 [h, w, 3] as its target, or why there is none.
    """
    if swapper.kind == "frame":
        return [_frame(swapper, task) for task in tasks]
    swapped: list[Swapped] = []
    for start in range(0, len(tasks), batch_size):
        swapped += _batch(swapper, tasks[start : start + batch_size])
    return swapped


def _frame(swapper: Swapper, task: Task) -> Swapped:
    try:
        return checked(swapper.run.swap_frame(task), task.target, swapper.name)
    except Exception as error:  # noqa: BLE001  # a user's model may raise anything
        return _failed(error)


def _batch(swapper: Swapper, tasks: Sequence[Task]) -> list[Swapped]:
    size = swapper.run.size
    outcome: dict[int, Swapped] = {}
    crops: dict[int, tuple[Image, Image]] = {}
    # by the frame's identity: usually one source frame serves the whole clip
    sources: dict[int, Image] = {}
    for i, task in enumerate(tasks):
        try:
            if (shared := id(task.source)) not in sources:
                sources[shared] = ffhq_crop(task.source, task.source_face.landmarks, size)[0]
            crops[i] = sources[shared], ffhq_crop(task.target, task.target_face.landmarks, size)[0]
        except AlignmentError as error:
            outcome[i] = Failed(f"the face cannot be aligned: {error}")
    for i, face in zip(crops, _faces(swapper, list(crops.values())), strict=True):
        if isinstance(face, Failed):
            outcome[i] = face
        else:
            affine = ffhq_affine(tasks[i].target_face.landmarks, size)
            outcome[i] = paste_back(tasks[i].target, face, affine)
    return [outcome[i] for i in range(len(tasks))]


def _faces(swapper: Swapper, crops: list[tuple[Image, Image]]) -> list[Swapped]:
    """Run the model on a batch, and frame by frame when the batch fails, so that one bad frame stays one."""
    if not crops:
        return []
    source = np.stack([crop[0] for crop in crops])
    target = np.stack([crop[1] for crop in crops])
    try:
        return list(checked(swapper.run.swap(source.copy(), target.copy()), target, swapper.name))
    except Exception as error:  # noqa: BLE001  # a user's model may raise anything
        if len(crops) == 1:
            return [_failed(error)]
        return [_faces(swapper, [crop])[0] for crop in crops]


def _failed(error: Exception) -> Failed:
    text = " ".join(str(error).split())[:300]
    return Failed(text if isinstance(error, SwapError) and text else f"{type(error).__name__}: {text}")
