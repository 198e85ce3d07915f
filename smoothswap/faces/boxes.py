"""Crops by an upright box around 68 landmarks: the inputs of 3DDFA_V2, VGGFace2, FaceNet, Hopenet and 6DRepNet.

Each follows its authors' own test code, named at its function; where that code starts from a detector's box, the
box is made from the landmarks by `face_box`, which is a measured stand-in. A box is (x0, y0, x1, y1) in frame
pixels, its last column and row outside, as Pillow and array slices count. What lies outside the frame is black.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from smoothswap.faces.align import AlignmentError

Box = tuple[float, float, float, float]
# Medians over 7,558 photos of LFW of YuNet's box against the tight box of dlib's landmarks: the face detectors of
# WIDER FACE (MTCNN, YuNet) include the forehead. Tenth and ninetieth percentile of the top: 0.27 and 0.44.
FOREHEAD, INSET = 0.36, 0.02
VGGFACE2_MARGIN = 0.3  # the detector's box grown by this factor (ox-vgg/vgg_face2, README)
_MAX_SIDE = 8192  # beyond, the landmarks are no face, and a crop would be a hazard to memory


def landmark_box(landmarks: np.ndarray) -> Box:
    """The tight box of landmarks [68, 2]. Raises AlignmentError where they are not finite or the box is empty."""
    points = np.asarray(landmarks, np.float64)
    if points.shape != (68, 2):
        raise AlignmentError(f"68 landmarks [68, 2] are needed, got an array of shape {list(points.shape)}")
    if not np.isfinite(points).all():
        raise AlignmentError("landmarks must be finite numbers")
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    if min(x1 - x0, y1 - y0) < 1:
        raise AlignmentError("the landmarks are no face: their box is empty")
    if max(x1 - x0, y1 - y0) > _MAX_SIDE:
        raise AlignmentError(f"the landmarks are no face: their box is over {_MAX_SIDE} pixels wide")
    return float(x0), float(y0), float(x1), float(y1)


def face_box(landmarks: np.ndarray) -> Box:
    """The box that a detector of WIDER FACE's kind would give: brows raised to the forehead, sides drawn in."""
    x0, y0, x1, y1 = landmark_box(landmarks)
    width, height = x1 - x0, y1 - y0
    return x0 + INSET * width, y0 - FOREHEAD * height, x1 - INSET * width, y1


def tddfa_box(landmarks: np.ndarray) -> Box:
    """3DDFA_V2's region from landmarks: a square, sqrt(2) times the longer side of their box, about its middle.

    cleardusk/3DDFA_V2, utils/functions.py, parse_roi_box_from_landmark (crop policy "landmark").
    """
    x0, y0, x1, y1 = landmark_box(landmarks)
    return _square((x0 + x1) / 2, (y0 + y1) / 2, np.sqrt(2) * max(x1 - x0, y1 - y0))


def tddfa_box_of_detection(box: Box) -> Box:
    """3DDFA_V2's region from a detector's box: int(1.58 s) a side, moved down by 0.14 s; s = (w + h) / 2.

    cleardusk/3DDFA_V2, utils/functions.py, parse_roi_box_from_bbox (crop policy "box").
    """
    x0, y0, x1, y1 = box
    size = (x1 - x0 + y1 - y0) / 2
    return _square((x0 + x1) / 2, (y0 + y1) / 2 + 0.14 * size, int(1.58 * size))


def tddfa_crop(frame: np.ndarray, box: Box, size: int = 120) -> np.ndarray:
    """3DDFA_V2's input: `box` rounded to whole pixels, black outside, resized bilinearly.

    Args:
        frame: uint8 [h, w, 3], RGB.
        box: In its pixels, as from tddfa_box or tddfa_box_of_detection.
        size: Side of the crop, pixels.

    Returns:
        uint8 [size, size, 3].

    Raises:
        AlignmentError: For a box outside the frame, or over 8192 pixels wide.
    """
    cut = _cut(frame, tuple(round(edge) for edge in box))  # type: ignore[arg-type]
    return np.asarray(cv2.resize(cut, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)


def vggface2_crop(frame: np.ndarray, landmarks: np.ndarray, size: int = 224) -> np.ndarray:
    """VGGFace2's test input: the box grown by 0.3, shorter side to 256, the middle of it.

    ox-vgg/vgg_face2 (README: the box is extended "except the extension outside image") and
    cydonia999/VGGFace2-pytorch (datasets/vgg_face2.py, split "valid"). That 0.3 is shared by both sides is
    our reading.

    Args:
        frame: uint8 [h, w, 3], RGB.
        landmarks: [68, 2] in its pixels.
        size: Side of the middle that is kept, pixels; the resize to 256 does not follow it.

    Returns:
        uint8 [size, size, 3].

    Raises:
        AlignmentError: For landmarks that are not finite or whose box is empty, over 8192 pixels wide or
            outside the frame.
    """
    x0, y0, x1, y1 = face_box(landmarks)
    grow_x, grow_y = (x1 - x0) * VGGFACE2_MARGIN / 2, (y1 - y0) * VGGFACE2_MARGIN / 2
    window = _inside(frame, (x0 - grow_x, y0 - grow_y, x1 + grow_x, y1 + grow_y))
    return _resize_and_centre(frame, window, 256, size)


def facenet_crop(frame: np.ndarray, landmarks: np.ndarray, size: int = 160) -> np.ndarray:
    """facenet-pytorch's input: the box without margin, stretched to a square.

    timesler/facenet-pytorch, models/utils/detect_face.py, extract_face with margin 0. The box is cut at the
    frame's edges, as there, and resized with INTER_AREA.

    Args:
        frame: uint8 [h, w, 3], RGB.
        landmarks: [68, 2] in its pixels; the box is their face_box.
        size: Side of the crop, pixels.

    Returns:
        uint8 [size, size, 3].

    Raises:
        AlignmentError: As vggface2_crop.
    """
    cut = _cut(frame, _inside(frame, face_box(landmarks)))
    return np.asarray(cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def hopenet_crop(frame: np.ndarray, landmarks: np.ndarray, size: int = 224, resize: int = 224) -> np.ndarray:
    """Hopenet's test input: a loose box, shorter side to `resize`, the middle of it.

    natanielruiz/deep-head-pose, code/datasets.py, class AFLW2000 (k = 0.2), from landmarks; the right and the
    lower margin are shares of the box as already grown on the left and above, as there. thohemp/6DRepNet
    tests on the same box with resize = 256.

    Args:
        frame: uint8 [h, w, 3], RGB.
        landmarks: [68, 2] in its pixels.
        size: Side of the middle that is kept, pixels.
        resize: Length of the box's shorter side after scaling, pixels.

    Returns:
        uint8 [size, size, 3], black beyond the frame.

    Raises:
        AlignmentError: As vggface2_crop.
    """
    x0, y0, x1, y1 = landmark_box(landmarks)
    k = 0.2
    x0 -= 2 * k * (x1 - x0)
    y0 -= 2 * k * (y1 - y0)
    x1 += 2 * k * (x1 - x0)
    y1 += 0.6 * k * (y1 - y0)
    return _resize_and_centre(frame, (x0, y0, x1, y1), resize, size)


def _square(x: float, y: float, side: float) -> Box:
    return x - side / 2, y - side / 2, x - side / 2 + side, y - side / 2 + side


def _inside(frame: np.ndarray, box: Box) -> tuple[int, int, int, int]:
    """The part of a box that lies in the frame, in whole pixels."""
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = box
    window = int(max(x0, 0)), int(max(y0, 0)), int(min(x1, width)), int(min(y1, height))
    if min(window[2] - window[0], window[3] - window[1]) < 1:
        raise AlignmentError(f"the face lies outside the frame of {width} x {height} pixels")
    return window


def _cut(frame: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The pixels of a whole-numbered box, black where it leaves the frame."""
    x0, y0, x1, y1 = box
    height, width = frame.shape[:2]
    if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
        raise AlignmentError(f"the face lies outside the frame of {width} x {height} pixels")
    if max(x1 - x0, y1 - y0) > _MAX_SIDE:
        raise AlignmentError(f"the face's box is over {_MAX_SIDE} pixels wide: no true detection")
    out = np.zeros((y1 - y0, x1 - x0, 3), np.uint8)
    left, top = max(x0, 0), max(y0, 0)
    part = frame[top : min(y1, height), left : min(x1, width)]
    out[top - y0 : top - y0 + part.shape[0], left - x0 : left - x0 + part.shape[1]] = part
    return out


def _resize_and_centre(frame: np.ndarray, box: Box, shorter: int, size: int) -> np.ndarray:
    """torchvision's Resize(shorter) and CenterCrop(size) of a Pillow image cut at int(box): antialiased bilinear."""
    x0, y0, x1, y1 = (int(edge) for edge in box)
    image = Image.fromarray(_cut(frame, (x0, y0, x1, y1)))
    width, height = image.size
    scaled = (
        (shorter, int(shorter * height / width))
        if width <= height
        else (int(shorter * width / height), shorter)
    )
    image = image.resize(scaled, Image.Resampling.BILINEAR)
    left, top = round((scaled[0] - size) / 2), round((scaled[1] - size) / 2)
    return np.asarray(image.crop((left, top, left + size, top + size)))
