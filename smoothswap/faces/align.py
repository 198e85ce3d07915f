"""Alignment: from 68 landmarks to the square crops that generators and recognisers were trained on.

FFHQ (Karras et al., CVPR 2019; `recreate_aligned_images` of the data set's tool), ArcFace's five-point
template (Deng et al., CVPR 2019; InsightFace), DECA's crop (Feng et al., SIGGRAPH 2021) and dlib's face chip.
Landmarks are the 68 iBUG points, float [68, 2], (x, y) in frame pixels with pixel centres at integers.
An affine is float64 [2, 3] and maps frame points to crop points: p' = A[:, :2] @ p + A[:, 2].
"""

from __future__ import annotations

import cv2
import numpy as np
import scipy.ndimage
from PIL import Image

from smoothswap.errors import DataError

# Eyes, nose tip and mouth corners in a 112 x 112 crop; the one on the left of the image comes first.
ARCFACE_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
FFHQ_SUPERSAMPLING = 4  # the data set was made at 4096 and reduced to 1024
_MAX_QUAD_TO_FRAME = 8  # beyond, a face square is a failed detection and a hazard to memory

# Landmark i of a mirrored face is MIRRORED[i] of the face itself (the 68 points of iBUG's 300-W).
_EYES = [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
_LIPS = [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
MIRRORED = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), *_EYES, *_LIPS]
)


class AlignmentError(DataError):
    """Landmarks that no crop can be cut from; the message says what is wrong with them."""


def transform_points(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points by an affine.

    Args:
        affine: [2, 3]; p goes to affine[:, :2] @ p + affine[:, 2].
        points: [..., 2], (x, y).

    Returns:
        float64 [..., 2].

    Examples:
        >>> transform_points(np.array([[2.0, 0.0, 1.0], [0.0, 2.0, 0.0]]), np.array([3.0, 4.0])).tolist()
        [7.0, 8.0]
    """
    affine = np.asarray(affine, np.float64)
    return np.asarray(points, np.float64) @ affine[:, :2].T + affine[:, 2]


def five_points(landmarks: np.ndarray) -> np.ndarray:
    """Eye centres (mean of six points each), nose tip (30), mouth corners (48, 54): float32 [5, 2]."""
    points = _checked(landmarks)
    return np.stack(
        [points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]]
    ).astype(np.float32)


def umeyama(src: np.ndarray, dst: np.ndarray) -> np.ndarray:
    """The similarity (rotation, scale, translation; no reflection) that maps src to dst best.

    Least squares in closed form: Umeyama, TPAMI 1991, equations 34 to 43.

    Args:
        src: Two or more points [n, 2] that do not all coincide.
        dst: Where they should go, [n, 2].

    Returns:
        An affine, float64 [2, 3].

    Raises:
        AlignmentError: For arrays of another or of unequal shape, numbers that are not finite, and source
            points that coincide.
    """
    src, dst = np.asarray(src, np.float64), np.asarray(dst, np.float64)
    if src.shape != dst.shape or src.ndim != 2 or src.shape[1] != 2 or len(src) < 2:
        raise AlignmentError(f"two sets of two or more points [n, 2] are needed: {src.shape}, {dst.shape}")
    if not (np.isfinite(src).all() and np.isfinite(dst).all()):
        raise AlignmentError("points for a similarity must be finite numbers")
    src_mean, dst_mean = src.mean(0), dst.mean(0)
    src_centred, dst_centred = src - src_mean, dst - dst_mean
    variance = (src_centred**2).sum() / len(src)
    if variance < 1e-12:
        raise AlignmentError("the source points coincide: no similarity is defined by them")
    u, singular, vt = np.linalg.svd(dst_centred.T @ src_centred / len(src))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    linear = (u * sign) @ vt * ((singular * sign).sum() / variance)
    return np.column_stack([linear, dst_mean - linear @ src_mean])


def ffhq_quad(landmarks: np.ndarray) -> np.ndarray:
    """The corners of FFHQ's oriented square, float64 [4, 2] in frame pixels.

    Order: top left, bottom left, bottom right, top right, of the upright face.
    Raises AlignmentError for landmarks that are not finite or not a face (eyes and mouth in one point).
    """
    points = _checked(landmarks)
    eye_left, eye_right = points[36:42].mean(0), points[42:48].mean(0)
    eye_middle = (eye_left + eye_right) / 2
    eye_to_eye = eye_right - eye_left
    eye_to_mouth = (points[48] + points[54]) / 2 - eye_middle
    # The eye line, averaged with the line from eyes to mouth turned by 90 degrees.
    x = eye_to_eye + np.array([eye_to_mouth[1], -eye_to_mouth[0]])
    length = np.hypot(*x)
    if length < 1e-6:
        raise AlignmentError("the landmarks are no face: eyes and mouth lie in one point")
    x *= max(2.0 * np.hypot(*eye_to_eye), 1.8 * np.hypot(*eye_to_mouth)) / length
    y = np.array([-x[1], x[0]])
    centre = eye_middle + 0.1 * eye_to_mouth
    return np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y])


def ffhq_affine(landmarks: np.ndarray, size: int) -> np.ndarray:
    """The similarity frame -> FFHQ crop: the corners of ffhq_quad become the outer corners of the crop.

    Args:
        landmarks: [68, 2] in frame pixels.
        size: Side of the crop, pixels.

    Returns:
        An affine, float64 [2, 3].

    Raises:
        AlignmentError: As ffhq_quad.
    """
    top_left, bottom_left, _, top_right = ffhq_quad(landmarks)
    side = np.stack([top_right - top_left, bottom_left - top_left])  # the crop's x and y axis in the frame
    linear = side * (size / (side[0] @ side[0]))
    return np.column_stack([linear, -linear @ top_left - 0.5])


def ffhq_crop(frame: np.ndarray, landmarks: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """FFHQ's aligned face, step by step as the data set was made.

    Shrink, crop with a border, reflect-pad and blur what lies outside the frame, cut the quad bilinearly at
    four times the size (4096 for 1024, as in the data set), reduce with Lanczos.

    Args:
        frame: uint8 [h, w, 3], RGB.
        landmarks: [68, 2] in its pixels.
        size: Side of the crop, pixels.

    Returns:
        The crop, uint8 [size, size, 3], and the square it was cut from: ffhq_quad, float64 [4, 2], frame
        pixels.

    Raises:
        AlignmentError: As ffhq_quad, and for a square that misses the frame or dwarfs it (over 8 times its
            longer side).
    """
    quad = ffhq_quad(landmarks)
    image = Image.fromarray(np.ascontiguousarray(frame))
    _check_overlap(quad, image.size)
    corners = quad.copy()
    side = float(np.hypot(*(quad[3] - quad[0])))

    shrink = int(np.floor(side / size * 0.5))
    if shrink > 1:
        # As in the data set's tool the corners are divided plainly, off by at most a quarter of a crop pixel.
        reduced = [max(int(np.rint(length / shrink)), 1) for length in image.size]
        image = image.resize((reduced[0], reduced[1]), Image.Resampling.LANCZOS)
        corners, side = corners / shrink, side / shrink

    border = max(int(np.rint(side * 0.1)), 3)
    low, high = np.floor(corners.min(0)).astype(int), np.ceil(corners.max(0)).astype(int)
    window = np.concatenate([np.maximum(low - border, 0), np.minimum(high + border, image.size)])
    image = image.crop((int(window[0]), int(window[1]), int(window[2]), int(window[3])))
    corners = corners - window[:2]

    low, high = np.floor(corners.min(0)).astype(int), np.ceil(corners.max(0)).astype(int)
    pad = np.concatenate([np.maximum(border - low, 0), np.maximum(high - image.size + border, 0)])
    if pad.max() > border - 4:
        pad = np.maximum(pad, int(np.rint(side * 0.3)))
        image = Image.fromarray(_pad_softly(np.asarray(image), pad, side * 0.02))
        corners = corners + pad[:2]

    large = size * FFHQ_SUPERSAMPLING
    # Pillow counts from the outer edge of a pixel, landmarks from its centre: hence the half pixel.
    image = image.transform(
        (large, large), Image.Transform.QUAD, (corners + 0.5).flatten().tolist(), Image.Resampling.BILINEAR
    )
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS)), quad


def arcface_template(size: int = 112) -> np.ndarray:
    """InsightFace's five points in a crop of `size` pixels: times size / 112, or (x + 8, y) times size / 128.

    Raises AlignmentError for a size that is a multiple of neither 112 nor 128.
    """
    if size % 112 == 0:
        return ARCFACE_TEMPLATE * (size / 112)
    if size % 128 == 0:
        return (ARCFACE_TEMPLATE + np.array([8.0, 0.0])) * (size / 128)
    raise AlignmentError(f"an ArcFace crop has a multiple of 112 or of 128 pixels a side, not {size}")


def arcface_crop(frame: np.ndarray, landmarks: np.ndarray, size: int = 112) -> np.ndarray:
    """The five-point crop of ArcFace recognisers: bilinear, black beyond the frame.

    Args:
        frame: uint8 [h, w, 3], RGB.
        landmarks: [68, 2] in its pixels.
        size: Side of the crop, a multiple of 112 or of 128 pixels (arcface_template).

    Returns:
        uint8 [size, size, 3].

    Raises:
        AlignmentError: For landmarks that are not finite or lie in one point, and another size.
    """
    return _warp(frame, umeyama(five_points(landmarks), arcface_template(size)), size)


def deca_affine(landmarks: np.ndarray, size: int = 224, scale: float = 1.25) -> np.ndarray:
    """The similarity frame -> DECA crop: an upright square around the middle of the landmarks' w x h box.

    The square's side is int(1.1 * (w + h) / 2 * scale) pixels.

    Args:
        landmarks: [68, 2] in frame pixels.
        size: Side of the crop, pixels.
        scale: Of the square against the box; 1.25 is what DECA is run with.

    Returns:
        An affine, float64 [2, 3]; the square's corners go to the centres of the crop's corner pixels.

    Raises:
        AlignmentError: For landmarks that are not finite, and an empty box.
    """
    points = _checked(landmarks)
    low, high = points.min(0), points.max(0)
    side = int((high - low).sum() / 2 * 1.1 * scale)
    if side < 1:
        raise AlignmentError("the landmarks are no face: their box is empty")
    factor = (size - 1) / side  # DECA sends the square's corners to the centres of the corner pixels
    origin = (low + high) / 2 - side / 2
    return np.array([[factor, 0.0, -factor * origin[0]], [0.0, factor, -factor * origin[1]]])


def deca_crop(frame: np.ndarray, landmarks: np.ndarray, size: int = 224, scale: float = 1.25) -> np.ndarray:
    """DECA's input, to be divided by 255: bilinear, black beyond the frame.

    Args:
        frame: uint8 [h, w, 3], RGB.
        landmarks: [68, 2] in its pixels.
        size: Side of the crop, pixels.
        scale: Of the square against the landmarks' box (deca_affine).

    Returns:
        uint8 [size, size, 3].

    Raises:
        AlignmentError: As deca_affine.
    """
    return _warp(frame, deca_affine(landmarks, size, scale), size)


def dlib_crop(frame: np.ndarray, landmarks: np.ndarray, size: int = 150, padding: float = 0.25) -> np.ndarray:
    """dlib's own face chip, which its recogniser was trained on (dlib.get_face_chip).

    dlib keeps landmarks as whole pixels, so the chip is computed on landmarks in 1/16 pixel and scaled back.

    Args:
        frame: uint8 [h, w, 3], RGB.
        landmarks: [68, 2] in its pixels.
        size: Side of the chip, pixels; the recogniser's is 150.
        padding: Border around dlib's mean face, in parts of its side; the recogniser's is 0.25.

    Returns:
        uint8 [size, size, 3], black beyond the frame.

    Raises:
        AlignmentError: For an array that is not [68, 2], or not finite.
    """
    import dlib  # kept out of the import of this module: the other crops do not need it

    fine = 16
    points = [dlib.point(int(x), int(y)) for x, y in np.rint(_checked(landmarks) * fine)]
    shape = dlib.full_object_detection(dlib.rectangle(0, 0, 1, 1), points)
    details = dlib.get_face_chip_details(shape, size, padding)
    centre = details.rect.dcenter()
    reach = ((details.rect.width() / fine - 1) / 2, (details.rect.height() / fine - 1) / 2)
    x, y = centre.x / fine, centre.y / fine
    place = dlib.drectangle(x - reach[0], y - reach[1], x + reach[0], y + reach[1])
    chip = dlib.chip_details(place, dlib.chip_dims(size, size), details.angle)
    return np.asarray(dlib.extract_image_chip(np.ascontiguousarray(frame), chip))


def _checked(landmarks: np.ndarray) -> np.ndarray:
    points = np.asarray(landmarks, np.float64)
    if points.shape != (68, 2):
        raise AlignmentError(f"68 landmarks [68, 2] are needed, got an array of shape {list(points.shape)}")
    if not np.isfinite(points).all():
        raise AlignmentError("landmarks must be finite numbers")
    return points


def _check_overlap(quad: np.ndarray, frame_size: tuple[int, int]) -> None:
    low, high = quad.min(0), quad.max(0)
    if (high < 0).any() or (low > np.array(frame_size) - 1).any():
        raise AlignmentError(f"the face lies outside the frame of {frame_size[0]} x {frame_size[1]} pixels")
    if (high - low).max() > _MAX_QUAD_TO_FRAME * max(frame_size):
        raise AlignmentError(
            f"the face square is over {_MAX_QUAD_TO_FRAME} times the frame: no true detection"
        )


def _pad_softly(image: np.ndarray, pad: np.ndarray, sigma: float) -> np.ndarray:
    """FFHQ's padding: reflect, then blur and fade to the median colour with the distance from the frame."""
    left, top, right, bottom = (int(p) for p in pad)
    padded = np.pad(image.astype(np.float32), ((top, bottom), (left, right), (0, 0)), "reflect")
    height, width = padded.shape[:2]
    y, x = np.ogrid[:height, :width]
    mask = np.maximum(
        1 - np.minimum(x / np.float32(left), (width - 1 - x) / np.float32(right)),
        1 - np.minimum(y / np.float32(top), (height - 1 - y) / np.float32(bottom)),
    )[..., None].astype(np.float32)
    blurred = scipy.ndimage.gaussian_filter(padded, [sigma, sigma, 0])
    padded += (blurred - padded) * np.clip(3 * mask + 1, 0, 1)
    padded += (np.median(padded, axis=(0, 1)) - padded) * np.clip(mask, 0, 1)
    return np.clip(np.rint(padded), 0, 255).astype(np.uint8)


def _warp(frame: np.ndarray, affine: np.ndarray, size: int) -> np.ndarray:
    return cv2.warpAffine(np.ascontiguousarray(frame), affine, (size, size), flags=cv2.INTER_LINEAR)
