"""dlib's HOG face detector with its 68 landmarks: the detector of the first releases, frontal faces from 80 pixels on.

HOG: Dalal and Triggs, CVPR 2005, as trained by King (dlib).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import dlib
import numpy as np

from smoothswap.faces import dlib_landmarks
from smoothswap.faces.face import Face, check_frame, largest_first


class HogDetector:
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
    licence = "landmarks: iBUG 300-W, no commercial use; dlib: BSL-1.0"

    def __init__(
        self, upsample: str | float = "auto", threshold: float = 0.0, last_threshold: float | None = None
    ) -> None:
        if isinstance(upsample, str) and upsample != "auto":
            raise ValueError(f'upsample is "auto" or a number >= 1, got {upsample!r}')
        if not isinstance(upsample, str) and not 1 <= upsample <= 8:
            raise ValueError(f'upsample is "auto" or a number from 1 to 8, got {upsample!r}')
        self.upsample, self.threshold, self.last_threshold = upsample, threshold, last_threshold
        self._path = dlib_landmarks.model_path()

    @property
    def parameters(self) -> dict[str, Any]:
        """Every option that changes a result."""
        last = {} if self.last_threshold is None else {"last_threshold": self.last_threshold}
        return {"upsample": self.upsample, "threshold": self.threshold, **last}

    @property
    def weights_sha256(self) -> str:
        """Hash of the landmark model (the HOG detector is compiled into dlib)."""
        return dlib_landmarks.sha256(self._path)

    def found(self, frame: np.ndarray) -> list[Face]:
        """As detect: dlib says nothing of its landmarks, so none is doubted."""
        return self.detect(frame)

    def detect(self, frame: np.ndarray) -> list[Face]:
        """The faces of a uint8 [h, w, 3] RGB frame, largest first (ties: higher score, then further left)."""
        check_frame(frame)
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
        find, predict = _hog(), dlib_landmarks.load(self._path)
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
        return largest_first(faces)


@lru_cache(maxsize=1)
def _hog() -> Any:
    """The detector that is compiled into dlib, unpacked once in a process."""
    return dlib.get_frontal_face_detector()
