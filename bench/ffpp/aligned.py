"""Swaps that are aligned crops, put where their targets' faces are, beside targets that went the same way.

A crop's pixels have been resampled, and what lies about it belongs to nobody. So each crop is pasted into its target's
frame by the inverse of its template's warp, and the frame that it is held against is the target's with its own crop, cut by
the same template at the same size, pasted back likewise: what cutting and pasting do is on both sides.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench.data.clips import Frames
from bench.data.templates import Aligned
from bench.ffpp.clip import Clip
from bench.reading.pool import Readers
from bench.reading.reader import Image
from bench.swappers.apply import Failed, Swapped
from smoothswap.faces.align import AlignmentError
from smoothswap.faces.face import Face
from smoothswap.faces.paste import paste_back

FEATHER = 0.0
"""Part of a crop's side over which it passes into the frame. None: of a tight crop what is feathered is the face, and a
hard edge changes what is read of it less (docs/own-swaps.md)."""


def into_frames(
    crops: Frames, target: Clip, aligned: Aligned, readers: Readers, look: bool
) -> tuple[list[Swapped], Clip]:
    """Paste a clip's crops into its target's frames, and the target's own crops likewise.

    Args:
        crops: The finished clip.
        target: The target's frames of the same numbers, read.
        aligned: How the crops were cut.
        readers: Read the target's frames anew.
        look: Whether the pictures themselves are read too.

    Returns:
        The swapped frames, and the target as it is to be held against them.

    Raises:
        ReadingLost: When a worker process hung or died.
    """
    swapped: list[Swapped] = []
    frames: list[Image | None] = list(target.frames.frames)
    readings = list(target.readings)
    own: dict[int, tuple[Image, Face]] = {}
    for i, crop in enumerate(crops.frames):
        if not target.ok(i):
            swapped.append(Failed("nothing to swap"))
            continue
        face = target.face(i)
        try:
            affine = aligned.affine(face.landmarks)
            frames[i] = back = _pasted(target.image(i), aligned.cut(target.image(i), face.landmarks), affine)
        except AlignmentError as error:
            readings[i] = replace(readings[i], face=None, status="no_face", reason=str(error))
            swapped.append(Failed("nothing to swap"))
            continue
        own[i] = back, face
        if crop is None:
            swapped.append(Failed(crops.reasons[i]))
        elif crop.shape[:2] != (aligned.size, aligned.size):
            swapped.append(
                Failed(f"the crop is {crop.shape[1]} x {crop.shape[0]} and was said to be cut by {aligned}")
            )
        else:
            swapped.append(_pasted(target.image(i), crop, affine))
    if own:
        images, faces = zip(*own.values(), strict=True)
        read = Readers.result(readers.swaps(list(images), list(faces), look))
        for i, reading in zip(own, read, strict=True):
            readings[i] = reading
    return swapped, Clip(replace(target.frames, frames=frames), readings)


def _pasted(frame: Image, crop: Image, affine: np.ndarray) -> Image:
    return np.asarray(paste_back(frame, crop, affine, feather=FEATHER), np.uint8)
