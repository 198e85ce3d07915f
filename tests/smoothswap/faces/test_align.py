"""Alignment against independent computations: FFHQ step by step, scikit-image, DECA by hand, dlib."""

from __future__ import annotations

import cv2
import dlib
import numpy as np
import pytest
import scipy.ndimage
import skimage.transform
from hypothesis import given, settings
from hypothesis import strategies as st

from smoothswap.faces.align import (
    ARCFACE_TEMPLATE,
    AlignmentError,
    arcface_crop,
    arcface_template,
    deca_affine,
    deca_crop,
    dlib_crop,
    ffhq_affine,
    ffhq_crop,
    ffhq_quad,
    five_points,
    transform_points,
    umeyama,
)


def similarity(angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, shift])


# --- FFHQ: a reference in complex numbers, scipy's interpolation and a written-out Lanczos filter ---


def reference_quad(points: np.ndarray) -> np.ndarray:
    """The published recipe in complex numbers (x + iy): a quarter turn is a product with i."""
    z = points[:, 0] + 1j * points[:, 1]
    left, right = z[36:42].sum() / 6, z[42:48].sum() / 6
    eye, mouth = (left + right) / 2, (z[48] + z[54]) / 2
    half = (right - left) - 1j * (mouth - eye)
    half = half / abs(half) * max(2.0 * abs(right - left), 1.8 * abs(mouth - eye))
    centre = eye + 0.1 * (mouth - eye)
    corners = [centre + half * corner for corner in (-1 - 1j, -1 + 1j, 1 + 1j, 1 - 1j)]
    return np.array([(corner.real, corner.imag) for corner in corners])


def lanczos_matrix(before: int, after: int) -> np.ndarray:
    """Weights of an antialiased Lanczos-3 resize, one row a result; every row sums to 1, at edges too."""
    ratio = before / after
    width = max(ratio, 1.0)
    centre = (np.arange(after) + 0.5) * ratio
    distance = (np.arange(before)[None] + 0.5 - centre[:, None]) / width
    weights = np.where(abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0)
    return weights / weights.sum(1, keepdims=True)


def lanczos(image: np.ndarray, height: int, width: int) -> np.ndarray:
    rows, columns = lanczos_matrix(image.shape[0], height), lanczos_matrix(image.shape[1], width)
    return np.clip(np.einsum("ay,bx,yxc->abc", rows, columns, image, optimize=True), 0, 255)


def reference_crop(frame: np.ndarray, points: np.ndarray, size: int) -> np.ndarray:
    """The steps of the data set's tool in floating point: shrink, crop, pad, blur, cut, reduce."""
    quad, image = reference_quad(points), frame.astype(np.float64)
    side = np.hypot(*(quad[1] - quad[0]))
    shrink = int(side / size / 2)
    if shrink > 1:
        image = lanczos(image, round(image.shape[0] / shrink), round(image.shape[1] / shrink))
        quad, side = quad / shrink, side / shrink
    border = max(round(side / 10), 3)
    x0, y0 = (max(int(np.floor(quad[:, axis].min())) - border, 0) for axis in (0, 1))
    x1, y1 = (min(int(np.ceil(quad[:, axis].max())) + border, image.shape[1 - axis]) for axis in (0, 1))
    image, quad = image[y0:y1, x0:x1], quad - [x0, y0]
    h, w = image.shape[:2]
    pads = [
        max(border - int(np.floor(quad[:, 0].min())), 0),
        max(border - int(np.floor(quad[:, 1].min())), 0),
        max(border + int(np.ceil(quad[:, 0].max())) - w, 0),
        max(border + int(np.ceil(quad[:, 1].max())) - h, 0),
    ]
    if max(pads) > border - 4:
        l, t, r, b = (max(pad, round(side * 0.3)) for pad in pads)  # noqa: E741
        # Reflection without repeating the edge, by index arithmetic.
        columns = (np.arange(-l, w + r)) % (2 * w - 2)
        rows = (np.arange(-t, h + b)) % (2 * h - 2)
        image = image[np.minimum(rows, 2 * h - 2 - rows)][:, np.minimum(columns, 2 * w - 2 - columns)]
        mask = np.empty(image.shape[:2])
        H, W = mask.shape
        for y in range(H):
            for x in range(W):
                mask[y, x] = max(1 - min(x / l, (W - 1 - x) / r), 1 - min(y / t, (H - 1 - y) / b))
        mask = mask[..., None]
        blurred = np.stack([scipy.ndimage.gaussian_filter(image[..., c], side * 0.02) for c in range(3)], -1)
        image = image + (blurred - image) * (3 * mask + 1).clip(0, 1)
        image = image + (np.median(image.reshape(-1, 3), 0) - image) * mask.clip(0, 1)
        image, quad = image.clip(0, 255), quad + np.array([l, t])
    # Centres of the pixels of the large crop, as parts of the quad's two edges.
    part = (np.arange(4 * size) + 0.5) / (4 * size)
    across, down = quad[3] - quad[0], quad[1] - quad[0]
    where = quad[0] + part[None, :, None] * across + part[:, None, None] * down
    large = np.stack(
        [
            scipy.ndimage.map_coordinates(
                image[..., c], [where[..., 1], where[..., 0]], order=1, mode="nearest"
            )
            for c in range(3)
        ],
        -1,
    )
    return lanczos(large, size, size)


PLACES = {
    "upright inside": similarity(0.0, 0.45, (70, 75)),
    "turned": similarity(0.35, 0.5, (85, 45)),
    "far turned": similarity(2.4, 0.4, (190, 120)),
    "over the left edge": similarity(0.1, 0.8, (-45, 20)),
    "over the corner": similarity(-0.2, 0.9, (60, 95)),
    "larger than the frame": similarity(0.0, 1.3, (-30, -40)),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [32, 64, 128])
def test_ffhq_crop_is_the_recipe(
    smooth_frame: np.ndarray, landmarks: np.ndarray, place: str, size: int
) -> None:
    points = transform_points(PLACES[place], landmarks)
    crop, quad = ffhq_crop(smooth_frame, points, size)
    np.testing.assert_allclose(quad, reference_quad(points), atol=1e-9)
    assert crop.shape == (size, size, 3)
    assert crop.dtype == np.uint8
    difference = abs(crop - reference_crop(smooth_frame, points, size))
    # Pillow rounds to whole levels between its steps (up to four times); the reference never does.
    assert difference.mean() < 0.6
    assert difference.max() < 3.5


def test_ffhq_crop_shrinks_large_faces(landmarks: np.ndarray) -> None:
    frame = cv2.resize(np.random.default_rng(3).integers(0, 256, (60, 64, 3), np.uint8), (1280, 1200))
    points = transform_points(similarity(0.2, 4.0, (200, 0)), landmarks)
    assert (
        np.hypot(*(reference_quad(points)[1] - reference_quad(points)[0])) / 64 / 2 > 3
    )  # shrinks by 3 or more
    crop, _ = ffhq_crop(frame, points, 64)
    difference = abs(crop - reference_crop(frame, points, 64))
    assert difference.mean() < 0.6
    assert difference.max() < 3.5


def test_ffhq_crop_of_noise_near_the_edge(landmarks: np.ndarray) -> None:
    """White noise shows a shift of any step that a smooth picture would forgive."""
    frame = np.random.default_rng(5).integers(0, 256, (200, 220, 3), np.uint8)
    points = transform_points(similarity(0.15, 0.7, (-10, 10)), landmarks)
    crop, _ = ffhq_crop(frame, points, 96)
    reference = reference_crop(frame, points, 96)
    assert abs(crop - reference).mean() < 0.6
    assert abs(crop - np.roll(reference, 1, 1)).mean() > 5


@settings(deadline=None)
@given(
    angle=st.floats(-np.pi, np.pi),
    scale=st.floats(0.05, 20),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
    seed=st.integers(0, 2**32 - 1),
)
def test_quads_and_templates_move_with_the_face(
    angle: float, scale: float, x: float, y: float, seed: int
) -> None:
    points = np.random.default_rng(seed).uniform(0, 200, (68, 2))
    points[36:42] += [-150, -200]  # eyes apart and above the mouth, as in any face
    points[42:48] += [150, -200]
    move = similarity(angle, scale, (x, y))
    moved = transform_points(move, points)
    tolerance = 1e-9 * max(1.0, scale) * 1e3
    np.testing.assert_allclose(ffhq_quad(moved), transform_points(move, ffhq_quad(points)), atol=tolerance)
    # The crop sees the same face wherever it is: landmarks in crop pixels do not change.
    np.testing.assert_allclose(
        transform_points(ffhq_affine(moved, 256), moved),
        transform_points(ffhq_affine(points, 256), points),
        atol=1e-6,
    )
    before, after = points[[0, 8, 16, 30, 48]], moved[[0, 8, 16, 30, 48]]
    np.testing.assert_allclose(
        transform_points(umeyama(after, ARCFACE_TEMPLATE), after),
        transform_points(umeyama(before, ARCFACE_TEMPLATE), before),
        atol=1e-6,
    )


def test_ffhq_affine_is_the_quad(landmarks: np.ndarray) -> None:
    corners = transform_points(ffhq_affine(landmarks, 64), ffhq_quad(landmarks))
    np.testing.assert_allclose(corners, [[-0.5, -0.5], [-0.5, 63.5], [63.5, 63.5], [63.5, -0.5]], atol=1e-9)


def test_a_mirrored_face_gives_the_mirrored_crop(smooth_frame: np.ndarray, landmarks: np.ndarray) -> None:
    """Index arithmetic of the 68 points under reflection, and no half-pixel bias to one side."""
    mirror = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
    mirror += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    mirror += [*range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65]
    flipped = (landmarks * [-1, 1] + [smooth_frame.shape[1] - 1, 0])[mirror]
    crop, _ = ffhq_crop(smooth_frame, landmarks, 96)
    other, _ = ffhq_crop(np.ascontiguousarray(smooth_frame[:, ::-1]), flipped, 96)
    assert abs(crop.astype(int) - other[:, ::-1]).max() <= 2


# --- Umeyama and ArcFace ---


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 12), mirrored=st.booleans(), noise=st.floats(0, 30))
def test_umeyama_is_scikit_image(seed: int, n: int, mirrored: bool, noise: float) -> None:
    rng = np.random.default_rng(seed)
    src = rng.uniform(-100, 100, (n, 2))
    dst = transform_points(similarity(rng.uniform(-3, 3), rng.uniform(0.2, 5), (3, -8)), src)
    dst = dst * ([-1, 1] if mirrored else [1, 1]) + rng.normal(0, noise, (n, 2))
    ours = umeyama(src, dst)
    theirs = skimage.transform.SimilarityTransform.from_estimate(src, dst).params[:2]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
    assert np.linalg.det(ours[:, :2]) >= 0  # never a reflection


def test_umeyama_refuses_what_defines_nothing() -> None:
    with pytest.raises(AlignmentError, match="coincide"):
        umeyama(np.ones((5, 2)), ARCFACE_TEMPLATE)
    with pytest.raises(AlignmentError, match="finite"):
        umeyama(np.full((5, 2), np.nan), ARCFACE_TEMPLATE)
    with pytest.raises(AlignmentError, match="two or more points"):
        umeyama(np.ones((4, 2)), ARCFACE_TEMPLATE)


def test_five_points_by_hand(landmarks: np.ndarray) -> None:
    five = five_points(landmarks)
    assert five.dtype == np.float32
    expected = [[98.3, 110.7], [141.9, 110.7], landmarks[30], landmarks[48], landmarks[54]]
    np.testing.assert_allclose(five, expected, atol=1e-4)


@pytest.mark.parametrize("size", [112, 224, 128, 256])
def test_arcface_crop_is_scikit_image_warp(
    smooth_frame: np.ndarray, landmarks: np.ndarray, size: int
) -> None:
    template = ARCFACE_TEMPLATE.copy()
    if size % 112:  # InsightFace's wider template for 128
        template = template * (size / 128)
        template[:, 0] += 8 * size / 128
    else:
        template = template * (size / 112)
    np.testing.assert_allclose(arcface_template(size), template)
    transform = skimage.transform.SimilarityTransform.from_estimate(five_points(landmarks), template)
    expected = skimage.transform.warp(
        smooth_frame, transform.inverse, output_shape=(size, size), order=1, preserve_range=True
    )
    inside = _inside(transform.params, smooth_frame, size)
    assert abs(arcface_crop(smooth_frame, landmarks, size) - expected)[inside].max() < 2.5


def _inside(matrix: np.ndarray, frame: np.ndarray, size: int) -> np.ndarray:
    """Crop pixels with all four neighbours in the frame: libraries differ in how the edge fades."""
    y, x = np.mgrid[:size, :size]
    where = transform_points(np.linalg.inv(matrix)[:2], np.stack([x, y], -1))
    return ((where > 0) & (where < np.array(frame.shape[1::-1]) - 1)).all(-1)


def test_arcface_size() -> None:
    with pytest.raises(AlignmentError, match="not 100"):
        arcface_template(100)


# --- DECA and dlib ---


def test_deca_square_by_hand() -> None:
    """A box 100 wide and 120 high at (50, 40): 110 * 1.1 = 121, times 1.25 = 151.25, cut to 151."""
    points = np.full((68, 2), [100.0, 100.0])
    points[0], points[1] = [50, 40], [150, 160]
    affine = deca_affine(points, size=224)
    corners = [[100 - 75.5, 100 - 75.5], [100 + 75.5, 100 - 75.5], [100 + 75.5, 100 + 75.5]]
    np.testing.assert_allclose(transform_points(affine, corners), [[0, 0], [223, 0], [223, 223]], atol=1e-9)
    wider = deca_affine(points, size=224, scale=1.6)  # int(193.6) = 193
    np.testing.assert_allclose(transform_points(wider, [[100 - 96.5, 100 - 96.5]]), [[0, 0]], atol=1e-9)


def test_deca_crop_is_scikit_image_warp(smooth_frame: np.ndarray, landmarks: np.ndarray) -> None:
    low, high = landmarks.min(0), landmarks.max(0)
    side = int((high - low).sum() / 2 * 1.1 * 1.25)
    centre = (low + high) / 2
    src = centre + np.array([[-side, -side], [-side, side], [side, -side]]) / 2
    dst = np.array([[0, 0], [0, 223], [223, 0]])
    transform = skimage.transform.SimilarityTransform.from_estimate(src, dst)
    expected = skimage.transform.warp(smooth_frame / 255.0, transform.inverse, output_shape=(224, 224)) * 255
    crop = deca_crop(smooth_frame, landmarks)
    assert (crop.shape, crop.dtype) == ((224, 224, 3), np.uint8)
    inside = _inside(transform.params, smooth_frame, 224)
    assert abs(crop - expected)[inside].max() < 2.5


@pytest.mark.parametrize(("size", "padding"), [(150, 0.25), (96, 0.1), (224, 0.5)])
def test_dlib_crop_is_dlibs(
    smooth_frame: np.ndarray, landmarks: np.ndarray, size: int, padding: float
) -> None:
    whole = np.rint(landmarks)
    shape = dlib.full_object_detection(
        dlib.rectangle(60, 60, 180, 190), [dlib.point(int(x), int(y)) for x, y in whole]
    )
    expected = dlib.get_face_chip(smooth_frame, shape, size=size, padding=padding)
    ours = dlib_crop(smooth_frame, whole, size, padding)
    assert ours.shape == expected.shape
    assert abs(ours.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("shift", [0.25, 0.5, 0.75])
def test_dlib_crop_keeps_fractions_of_a_pixel(landmarks: np.ndarray, shift: float) -> None:
    """On a ramp of one level a pixel, a chip cut a part of a pixel further right is brighter by that part."""
    ramp = np.repeat(np.tile(np.arange(250, dtype=np.uint8), (260, 1))[..., None], 3, 2)
    points = transform_points(similarity(0.3, 0.8, (60, 0)), np.rint(landmarks))
    before, after = (
        dlib_crop(ramp, points).astype(float),
        dlib_crop(ramp, points + np.array([shift, 0])).astype(float),
    )
    assert (after - before).mean() == pytest.approx(shift, abs=0.05)


# --- bad input ---


@pytest.mark.parametrize("cut", [ffhq_crop, arcface_crop, deca_crop, dlib_crop])
def test_bad_landmarks(smooth_frame: np.ndarray, landmarks: np.ndarray, cut: object) -> None:
    assert callable(cut)
    size = {"size": 112}
    broken = landmarks.copy()
    broken[40, 1] = np.nan
    with pytest.raises(AlignmentError, match="finite"):
        cut(smooth_frame, broken, **size)
    with pytest.raises(AlignmentError, match=r"68 landmarks \[68, 2\] are needed"):
        cut(smooth_frame, landmarks[:5], **size)


def test_no_face_where_the_landmarks_are(smooth_frame: np.ndarray, landmarks: np.ndarray) -> None:
    with pytest.raises(AlignmentError, match="one point"):
        ffhq_crop(smooth_frame, np.full((68, 2), 50.0), 64)
    with pytest.raises(AlignmentError, match="box is empty"):
        deca_crop(smooth_frame, np.full((68, 2), 50.0))
    with pytest.raises(AlignmentError, match="coincide"):
        arcface_crop(smooth_frame, np.full((68, 2), 50.0))
    with pytest.raises(AlignmentError, match="outside the frame"):
        ffhq_crop(smooth_frame, landmarks + 5000, 64)
    with pytest.raises(AlignmentError, match="8 times the frame"):
        ffhq_crop(smooth_frame, landmarks * 100 - 12_000, 64)
