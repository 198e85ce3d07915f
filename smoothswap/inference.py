"""The model on whole frames: find the faces, cut each once from the original frame (FFHQ), swap, paste back.

Frames are np.uint8 [h, w, 3] RGB. The files around them are the business of `media` and of the command `swap`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from smoothswap import pretrained
from smoothswap.errors import DataError
from smoothswap.faces.align import AlignmentError, ffhq_affine, ffhq_crop, transform_points
from smoothswap.faces.choose import choose, track
from smoothswap.faces.detect import Detector
from smoothswap.faces.face import Face
from smoothswap.faces.paste import paste_back, square_mask
from smoothswap.networks.model import SmoothSwap
from smoothswap.tensors import to_pixels, to_tensor

Picture = TypeVar("Picture", np.ndarray, Tensor)
FEATHER = 0.15  # of the crop's side, over which a pasted face fades into the frame
NOT_FOUND = (
    "it has to be upright and not too small: turn the picture, enlarge it, or cut it out around the face"
)
"""What helps where no face is found."""


class FaceError(DataError):
    """There is no face, or not the one that was asked for; the message says where."""


class Swapped(NamedTuple):
    """A frame with so many faces swapped in it; `misfits` could not be aligned. `frame` is None where none was."""

    frame: np.ndarray | None
    faces: int
    misfits: int


class FaceSwapper:
    """One person's identity for any number of frames.

    model: on any device.  source, face: the frame uint8 [h, w, 3] that shows the person, and where.  batch_size:
    crops that go through the network at once.  Raises AlignmentError for a source face that cannot be cut out.
    """

    def __init__(self, model: SmoothSwap, source: np.ndarray, face: Face, batch_size: int = 16) -> None:
        self.model, self.batch_size = model, batch_size
        crop, _ = ffhq_crop(source, face.landmarks, model.size)
        self.identity = model.embed(to_tensor(crop[None], model.device))

    def swap(self, frames: Sequence[np.ndarray], faces: Sequence[Sequence[Face]]) -> list[Swapped]:
        """Swap faces of frames. Every crop is cut from the original frame, also where squares overlap.

        Args:
            frames: uint8 [h, w, 3] RGB, of any sizes; they stay as they are.
            faces: Of each frame, those to swap; landmarks in its pixels. None to swap is an empty sequence.

        Returns:
            One a frame: a new frame with all its faces swapped, or None where no face of it was.

        Raises:
            ValueError: There are more frames than sequences of faces, or fewer.
        """
        size = self.model.size
        crops: list[np.ndarray] = []
        placed: list[list[Face]] = []
        for frame, wanted in zip(frames, faces, strict=True):
            placed.append([])
            for face in wanted:
                try:
                    crops.append(ffhq_crop(frame, face.landmarks, size)[0])
                    placed[-1].append(face)
                except AlignmentError:
                    pass  # counted below as a misfit
        swapped = iter(self._swap_crops(crops))
        results = []
        for frame, wanted, fitting in zip(frames, faces, placed, strict=True):
            affines = [ffhq_affine(face.landmarks, size) for face in fitting]
            out = frame
            for i, affine in enumerate(affines):
                others = affines[:i] + affines[i + 1 :]
                out = paste_back(out, next(swapped), affine, own_mask(affine, others, size), FEATHER)
            results.append(Swapped(out if fitting else None, len(fitting), len(wanted) - len(fitting)))
        return results

    def _swap_crops(self, crops: list[np.ndarray]) -> list[np.ndarray]:
        swapped: list[np.ndarray] = []
        for start in range(0, len(crops), self.batch_size):
            batch = to_tensor(np.stack(crops[start : start + self.batch_size]), self.model.device)
            swapped += list(to_pixels(self.model.swap_identity(self.identity, batch)))
        return swapped


def own_mask(affine: np.ndarray, others: Sequence[np.ndarray], size: int) -> str | np.ndarray:
    """The paste mask of one face among others.

    An FFHQ square is about twice as wide as its face, so that of a neighbour would cover this face with what
    the crop had there. Every pixel therefore goes to the face in whose square it lies more centrally, with a
    soft border.

    Args:
        affine: float [2, 3], frame -> crop of this face (ffhq_affine).
        others: Those of the other faces that are swapped in the same frame.
        size: The side of a crop, pixels.

    Returns:
        "square" without others, else float32 [size, size] in 0 .. 1: how much of the face paste_back takes.
    """
    if not others:
        return "square"
    y, x = np.mgrid[:size, :size].astype(np.float64)
    inside = np.stack([x, y], -1)
    back = np.linalg.inv(np.vstack([affine, [0, 0, 1]]))[:2]
    in_frame = transform_points(back, inside)
    distance = _from_centre(inside, size)
    mask = square_mask(size, FEATHER)
    for other in others:
        lead = (_from_centre(transform_points(other, in_frame), size) - distance) / FEATHER
        mask = mask * np.clip(0.5 + lead, 0, 1)
    return mask.astype(np.float32)


def _from_centre(points: np.ndarray, size: int) -> np.ndarray:
    """Distance from the middle of a crop in parts of its side."""
    return np.hypot(*np.moveaxis((points + 0.5) / size - 0.5, -1, 0))


def faces_to_swap(
    found: Sequence[Sequence[Face]], face: str | int = "largest", where: str = "the target"
) -> list[list[Face]]:
    """Which of the faces found in each frame of a clip are swapped; a picture is a clip of one frame.

    Args:
        found: The faces of each frame, in any order.
        face: "largest", the largest of the clip, tracked to both ends (faces.detect.choose); "all"; or a
            number from 1, counted left to right in the first frame that shows so many faces, and tracked from
            there.
        where: What the error names as the place without the face.

    Returns:
        One list a frame, empty where it does not show the face.

    Raises:
        FaceError: No frame has a face, or never so many.
        ValueError: `face` is something else.
    """
    if not (face in ("largest", "all") or (isinstance(face, int) and face >= 1)):
        raise ValueError(f'face is "largest", "all" or a number from 1, got {face!r}')
    most = max((len(faces) for faces in found), default=0)
    if most == 0:
        raise FaceError(f"no face was found in {where}; {NOT_FOUND}")
    if face == "all":
        return [list(faces) for faces in found]
    if isinstance(face, int):
        if face > most:
            raise FaceError(f"face {face} was asked for, but {where} shows {most} at most")
        start = next(i for i, faces in enumerate(found) if len(faces) >= face)
        first = sorted(found[start], key=lambda one: one.box[0] + one.box[2])[face - 1]
        chosen = track(found, start, first)
    else:
        chosen = choose(found, "largest_tracked")
    return [[] if one is None else [one] for one in chosen]


def swap_faces(
    source: np.ndarray | Tensor,
    target: Picture,
    model: SmoothSwap | str | Path = "smoothswap",
    face: str | int = "largest",
    batch_size: int = 16,
) -> Picture:
    """`target` with the identity of the largest face in `source`.

    `python -m smoothswap.swap` does the same to pictures in files.

    Args:
        source: A whole picture, RGB: an array uint8 [h, w, 3], or a tensor [3, h, w] that is uint8 in 0 ..
            255 or floating in [-1, 1].
        target: The same.
        model: From smoothswap.load(), on any device, or what load() takes (read anew at every call).
        face: Of the target: "largest", "all", or a number from 1, counted left to right.
        batch_size: Crops that go through the network at once.

    Returns:
        Of the target's kind, shape, type and device; what is not pasted over keeps its exact value.

    Raises:
        FaceError: There is no such face.
        AlignmentError: A face cannot be cut out; of several in the target, none can.
        WeightsError: The weights that `model` names are missing or damaged.
        ValueError: A picture has another shape, type or range.
    """
    model = model if isinstance(model, SmoothSwap) else pretrained.load(model)
    source_frame, frame = _as_frame(source, "source"), _as_frame(target, "target")
    detector = Detector()
    ((person,),) = faces_to_swap([detector.detect(source_frame)], where="the source")
    chosen = faces_to_swap([detector.detect(frame)], face)
    (swapped,) = FaceSwapper(model, source_frame, person, batch_size).swap([frame], chosen)
    if swapped.frame is None:
        raise AlignmentError(
            "the face in the target cannot be cut out: its square misses or dwarfs the picture"
        )
    if not isinstance(target, Tensor):
        return swapped.frame
    new = torch.from_numpy(swapped.frame).permute(2, 0, 1).to(target.device)
    if target.dtype == torch.uint8:
        return new
    same = torch.from_numpy(swapped.frame == frame).permute(2, 0, 1).to(target.device)
    return torch.where(same, target, (new.float() / 127.5 - 1).to(target.dtype))


def _as_frame(image: np.ndarray | Tensor, name: str) -> np.ndarray:
    if isinstance(image, Tensor):
        if image.dim() != 3 or image.shape[0] != 3:
            raise ValueError(f"{name} is a tensor {list(image.shape)}; expected [3, h, w]")
        if image.is_floating_point():
            if not (image.abs() <= 1).all():
                raise ValueError(f"{name} is a tensor with values outside [-1, 1]")
            return to_pixels(image[None])[0]
        image = image.detach().permute(1, 2, 0).cpu().numpy()
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"{name} is {image.dtype} {list(image.shape)}; expected uint8 [h, w, 3]")
    return image
