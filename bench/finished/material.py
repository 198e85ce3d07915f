"""Clips and swaps for the study of the check: of rendered people, and made from photographs by a moving camera or person.

A photograph has no film, so one is made: `pan`, a camera that wanders over it; `still`, a camera that stands while head and
shoulders sway; `frozen`, nothing but the noise of the sensor. The swaps are plain: the source's face, laid into the
target's with a soft edge. What the check looks at, the rest of the frame, is then as a swap leaves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from smoothswap.faces.detect import Detector
from smoothswap.media.images import read_image
from smoothswap.media.suffixes import PICTURES
from smoothswap.media.video import read_frames
from smoothswap.pixels import Image

FILMS = ("pan", "still", "frozen")
FRAMES = 50
NOISE = 2.0  # levels
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Film:
    """A clip and where its face is: frames uint8 [h, w, 3] of one size, a box (x0, y0, x1, y1) each."""

    frames: list[Image]
    boxes: list[Box]


def of_photo(photo: Image, box: Box, film: str, seed: int, count: int = FRAMES) -> Film:
    """A film made from one photograph.

    Args:
        photo: uint8 [h, w, 3].
        box: Of its face, pixels.
        film: One of FILMS.
        seed: Of motion and noise.
        count: Frames.

    Returns:
        The film, a little smaller than the photo, its sides even.
    """
    random = np.random.default_rng(seed)
    height, width = photo.shape[:2]
    rows, columns = (int(height * 0.88) // 2 * 2, int(width * 0.88) // 2 * 2)
    time = np.arange(count) / 25
    phases, speeds = random.uniform(0, 2 * np.pi, 4), random.uniform(0.3, 0.9, 4)
    waves = np.sin(2 * np.pi * speeds[:, None] * time + phases[:, None])
    frames, boxes = [], []
    for wave in waves.T:
        moved, x, y, zoom = photo, (width - columns) / 2, (height - rows) / 2, 1.0
        shift = np.zeros(2)
        if film == "pan":
            x, y, zoom = x * (1 + 0.8 * wave[0]), y * (1 + 0.8 * wave[1]), 1 + 0.03 * (1 + wave[2])
        elif film == "still":
            shift = 0.05 * (box[2] - box[0]) * wave[:2]
            moved = _swayed(photo, box, shift)
        affine = np.array([[zoom, 0, -zoom * x], [0, zoom, -zoom * y]], np.float64)
        frame = cv2.warpAffine(
            moved, affine, (columns, rows), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
        )
        noisy = frame + random.normal(0, NOISE, frame.shape)
        frames.append(np.clip(np.round(noisy), 0, 255).astype(np.uint8))
        x0, x1 = (zoom * (edge + shift[0] - x) for edge in (box[0], box[2]))
        y0, y1 = (zoom * (edge + shift[1] - y) for edge in (box[1], box[3]))
        boxes.append((float(x0), float(y0), float(x1), float(y1)))
    return Film(frames, boxes)


def _swayed(photo: Image, box: Box, shift: npt.NDArray[np.float64]) -> Image:
    """Head and shoulders moved by `shift` pixels, less and less towards the edges of the picture."""
    height, width = photo.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    cx, cy, r = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0]
    weight = np.exp(-(((x - cx) / (1.3 * r)) ** 2 + (np.minimum(y - cy, 0) / (1.3 * r)) ** 2))
    moved = cv2.remap(
        photo,
        (x - shift[0] * weight).astype(np.float32),
        (y - shift[1] * weight).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.asarray(moved, np.uint8)


def of_video(path: Path, detector: Detector) -> Film | None:
    """A film read from a video.

    Args:
        path: The video.
        detector: Finds the faces.

    Returns:
        The film; None where its face is found in less than half of the frames.
    """
    frames = list(read_frames(path).frames)
    found = [faces[0].box if (faces := detector.detect(frame)) else None for frame in frames]
    known = [i for i, box in enumerate(found) if box is not None]
    if 2 * len(known) < len(frames):
        return None
    nearest = [min(known, key=lambda k, i=i: abs(k - i)) for i in range(len(frames))]  # type: ignore[misc]
    return Film(frames, [box for i in nearest if (box := found[i]) is not None])


def pasted(target: Film, source: Film) -> list[Image]:
    """The source's first face laid into every frame of the target.

    Args:
        target: Where.
        source: Whose face.

    Returns:
        Frames as the target's.
    """
    x0, y0, x1, y1 = (round(edge) for edge in source.boxes[0])
    face = source.frames[0][max(0, y0) : y1, max(0, x0) : x1]
    swapped = []
    for frame, box in zip(target.frames, target.boxes, strict=True):
        height, width = frame.shape[:2]
        left, top, right, bottom = (round(edge) for edge in box)
        mask = np.zeros((height, width), np.float32)
        centre, axes = ((left + right) // 2, (top + bottom) // 2), ((right - left) // 2, (bottom - top) // 2)
        cv2.ellipse(mask, centre, axes, 0, 0, 360, 1.0, -1)
        soft = cv2.GaussianBlur(mask, (0, 0), 0.03 * (right - left))[..., None]
        scale = ((right - left) / face.shape[1], (bottom - top) / face.shape[0])
        affine = np.array([[scale[0], 0, left], [0, scale[1], top]], np.float64)
        laid = cv2.warpAffine(face, affine, (width, height), borderMode=cv2.BORDER_REPLICATE)
        swapped.append(np.round(soft * laid + (1 - soft) * frame).astype(np.uint8))
    return swapped


def photos(folder: Path, count: int, seed: int, detector: Detector) -> list[tuple[Image, Box]]:
    """Photographs of different people with one face each.

    Args:
        folder: Of people's folders of photos.
        count: How many.
        seed: Of the lot.
        detector: Finds the faces.

    Returns:
        At most `count` of (photo, box), drawn by lot.
    """
    people = sorted(place for place in folder.iterdir() if place.is_dir() and not place.name.startswith("."))
    drawn = []
    for i in np.random.default_rng(seed).permutation(len(people)):
        shown = (file for file in people[i].iterdir() if not file.name.startswith("."))
        files = sorted(file for file in shown if file.suffix.lower() in PICTURES)
        photo = read_image(files[0]) if files else None
        if photo is not None and len(faces := detector.detect(photo)) == 1:
            drawn.append((photo, faces[0].box))
        if len(drawn) == count:
            break
    return drawn


def repainted(frames: Sequence[Image], seed: int) -> list[Image]:
    """Every pixel painted anew: mirrored, hardly any detail, and a texture of its own.

    Args:
        frames: uint8 [h, w, 3] of one size.
        seed: Of the texture.

    Returns:
        As many frames.
    """
    random = np.random.default_rng(seed)
    height, width = frames[0].shape[:2]
    texture = cv2.GaussianBlur(random.normal(0, 1, (height, width, 1)).astype(np.float32), (0, 0), 2.5)[
        ..., None
    ]
    painted = []
    for frame in frames:
        smooth = cv2.GaussianBlur(cv2.flip(frame, 1), (0, 0), width / 12).astype(np.float32)
        painted.append(np.clip(smooth + 250 * texture, 0, 255).astype(np.uint8))
    return painted
