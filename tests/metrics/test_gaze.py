"""Where irises stand between the corners of the eyes: eyes placed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.gaze import iris_offset


def mesh(left: tuple[float, float], right: tuple[float, float], widths: tuple[float, float]) -> np.ndarray:
    """478 points whose irises stand off the middle of their eyes by these pixels; eyes level, of these widths."""
    points = np.random.default_rng(2).uniform(0, 200, (478, 3))
    eyes = ((33, 133, 468, 60.0, left), (362, 263, 473, 140.0, right))
    for (a, b, iris, x, (right_by, down)), width in zip(eyes, widths, strict=True):
        points[a, :2], points[b, :2] = (x - width / 2, 90), (x + width / 2, 90)
        points[iris, :2] = (x + right_by, 90 + down)
    return points


def test_offsets_are_shares_of_the_eyes_widths() -> None:
    level = mesh((3, 1), (5, 1), (20, 20))
    turned_face = mesh((3, 0), (1, 0), (30, 10))  # the wide eye counts three times
    found = iris_offset(np.stack([level, turned_face]))
    np.testing.assert_allclose(found, [[8 / 40, 2 / 40], [4 / 40, 0]], atol=1e-12)


def test_place_size_and_turn_in_the_picture_change_nothing_and_a_mirror_the_sign() -> None:
    points = mesh((3, 1), (5, -2), (20, 24))
    want = iris_offset(points[None])
    turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
    moved = points.copy()
    moved[:, :2] = 2.5 * points[:, :2] @ turn + 40
    np.testing.assert_allclose(iris_offset(moved[None]), want, atol=1e-12)
    mirrored = points.copy()
    for one, other in ((33, 263), (133, 362), (468, 473)):  # the mesh's own order in a mirror
        mirrored[[one, other]] = points[[other, one]]
    mirrored[:, 0] = 199 - mirrored[:, 0]
    np.testing.assert_allclose(iris_offset(mirrored[None]), want * [-1, 1], atol=1e-12)


def test_what_cannot_be_read_is_nan_and_other_landmarks_are_refused() -> None:
    flat, missing = mesh((0, 0), (0, 0), (0, 0)), mesh((1, 0), (1, 0), (20, 20))
    missing[473] = np.nan
    assert np.isnan(iris_offset(np.stack([flat, missing]))).all()
    one_eye = mesh((0, 0), (2, 0), (0, 20))
    np.testing.assert_allclose(iris_offset(one_eye[None]), [[0.1, 0]])
    with pytest.raises(ValueError, match=r"landmarks are \[n, 478, 2\]; got \[1, 68, 2\]"):
        iris_offset(np.zeros((1, 68, 2)))
