"""What a detector finds: a face with its box, its landmarks and two scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from smoothswap.errors import DataError


class DetectorError(DataError):
    """The detector's files are missing or unreadable; the message says how to mend it."""


@dataclass(frozen=True, eq=False)
class Face:
    """A face: box (x0, y0, x1, y1) and 68 iBUG landmarks (float32 [68, 2]) in frame pixels.

    score: the detector's, of the box: YuNet's 0 to 1, dlib's HOG about -1 to 3.
    doubt: why its landmarks are not to be trusted, in words; "" where nothing speaks against them.
    """

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    score: float
    doubt: str = ""

    @property
    def area(self) -> float:
        """Area of the box, square pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


class FaceDetector(Protocol):
    """Finds faces in frames. One object serves one process; it keeps nothing between frames."""

    name: str
    licence: str

    @property
    def parameters(self) -> dict[str, Any]:
        """Every option that changes a result."""
        ...

    @property
    def weights_sha256(self) -> str:
        """Hex, over the files that it runs."""
        ...

    def detect(self, frame: np.ndarray) -> list[Face]:
        """The faces of a uint8 [h, w, 3] RGB frame, largest first (ties: higher score, then further left)."""
        ...

    def found(self, frame: np.ndarray) -> list[Face]:
        """The same with those whose landmarks are doubted (Face.doubt)."""
        ...


def check_frame(frame: np.ndarray) -> None:
    """Raises ValueError for anything but uint8 [h, w, 3] with pixels in it."""
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
        raise ValueError(f"a frame must be uint8 [h, w, 3], got {frame.dtype} {list(frame.shape)}")


def largest_first(faces: list[Face]) -> list[Face]:
    """In the order that detectors promise."""
    return sorted(faces, key=lambda face: (-face.area, -face.score, face.box[0]))
