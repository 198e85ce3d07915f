"""478 landmarks of a face, reduced to the 68 of iBUG that every alignment of the project takes.

The network is FaceMesh v2 out of Google's face_landmarker.task (Kartynnik et al., 2019, arXiv 1907.06724; the bundle of
2023), Apache-2.0, converted to ONNX by smoothswap.faces.convert_landmarks: learnt from photographs, and far better than
dlib's 68 points where a face is turned away (results/detection.json).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from smoothswap.faces.align import five_points, transform_points
from smoothswap.faces.face import DetectorError

NETWORK = Path(__file__).parent / "weights" / "landmarks-478.onnx"
CARD = NETWORK.with_suffix(".json")
SIDE, POINTS = 256, 478
MARGIN = 1.25
"""The crop's side in parts of the detector's box; 1.5 and 1.75 were farther from the truth on rendered heads."""
AGAIN = 1.35
"""The same of the mesh's own extent, for a second look."""
# The vertices of the mesh that lie where iBUG's points do: outline of the jaw, brows, nose, eyes, outer and inner lips.
_JAW = [162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389]
_BROWS = [71, 63, 105, 66, 107, 336, 296, 334, 293, 301]
_NOSE = [168, 197, 5, 4, 75, 97, 2, 326, 305]
_EYES = [33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380]
_LIPS = [61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87]
IBUG = np.array([*_JAW, *_BROWS, *_NOSE, *_EYES, *_LIPS])


def crop_affine(box: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The similarity frame -> the network's crop: a square about the box, upright as the five points say.

    Args:
        box: (x, y, width, height) in frame pixels.
        points: [5, 2]: eyes, nose, corners of the mouth, those on the left of the picture first.

    Returns:
        An affine, float64 [2, 3], to a crop of 256 pixels.
    """
    x, y, width, height = (float(value) for value in box)
    return _square(_upright(points), np.array([x + width / 2, y + height / 2]), MARGIN * max(width, height))


def crop_affine_again(points: np.ndarray) -> np.ndarray:
    """The same by the mesh that a first crop gave: an upright square about it.

    Args:
        points: [478, 2] in frame pixels.

    Returns:
        An affine, float64 [2, 3], to a crop of 256 pixels.
    """
    upright = _upright(np.asarray(five_points(points[IBUG]), np.float64))
    turned = points @ upright.T
    low, high = turned.min(0), turned.max(0)
    return _square(upright, upright.T @ ((low + high) / 2), AGAIN * float((high - low).max()))


def _upright(points: np.ndarray) -> np.ndarray:
    """The rotation that sets a face upright: by the line of the eyes, averaged with that from eyes to mouth (as FFHQ's)."""
    eyes = points[1] - points[0]
    down = (points[3] + points[4]) / 2 - (points[0] + points[1]) / 2
    x, y = eyes + np.array([down[1], -down[0]])
    return np.array([[x, y], [-y, x]]) / max(float(np.hypot(x, y)), 1e-9)


def _square(upright: np.ndarray, centre: np.ndarray, side: float) -> np.ndarray:
    turn = SIDE / side * upright
    return np.column_stack([turn, (SIDE - 1) / 2 - turn @ centre])


def mesh(frame: np.ndarray, affines: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The 478 landmarks of faces in one frame.

    Args:
        frame: uint8 [h, w, 3], RGB.
        affines: Of each face, from crop_affine.

    Returns:
        Points in frame pixels, float64 [n, 478, 2], and how present each face is, float64 [n] in 0 to 1.

    Raises:
        DetectorError: When the network's file is missing or damaged.
    """
    if not affines:
        return np.zeros((0, POINTS, 2)), np.zeros(0)
    crops = [cv2.warpAffine(frame, affine, (SIDE, SIDE), flags=cv2.INTER_LINEAR) for affine in affines]
    points, logits = _session(NETWORK).run(["points", "presence"], {"faces": np.stack(crops)})
    # The network counts from the outer edge of the first pixel.
    placed = [
        transform_points(cv2.invertAffineTransform(affine), one[:, :2] - 0.5)
        for affine, one in zip(affines, points, strict=True)
    ]
    return np.stack(placed), 1 / (1 + np.exp(-logits.astype(np.float64)))


@lru_cache(maxsize=1)
def network_sha256() -> str:
    """Hash of the network's file."""
    return hashlib.sha256(NETWORK.read_bytes()).hexdigest()


@lru_cache(maxsize=1)
def _session(path: Path):  # type: ignore[no-untyped-def]  # onnxruntime has no types
    import onnxruntime  # kept out of the import of this module: alignments need none of it

    options = onnxruntime.SessionOptions()
    # One frame's faces are too little work to share out, and processes are the parallelism of a run.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no class
        raise DetectorError(f"{path}: {error}; install the package anew") from error
