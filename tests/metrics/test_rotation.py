"""The one convention of head rotation: against scipy, by hand, and into it from every network's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from metrics.rotation import (
    from_3ddfa,
    from_6drepnet,
    from_degrees,
    from_matrix,
    geodesic,
    to_degrees,
    to_matrix,
)

NOSE, UP, RIGHT = np.eye(3)[2], np.eye(3)[1], np.eye(3)[0]
ANGLES = st.tuples(st.floats(-89, 89), st.floats(-89, 89), st.floats(-179, 179))
SOME = np.random.default_rng(0).uniform(-80, 80, (200, 3))


def axis(axis: str, degrees: float) -> np.ndarray:
    return Rotation.from_euler(axis, degrees, degrees=True).as_matrix()


@pytest.mark.parametrize(
    ("angles", "vector", "where"),
    [
        ((30, 0, 0), NOSE, (0, 0.5, np.sqrt(0.75))),  # pitch lifts the nose
        ((0, 30, 0), NOSE, (-0.5, 0, np.sqrt(0.75))),  # yaw turns it to the picture's left
        (
            (0, 0, 30),
            UP,
            (0.5, np.sqrt(0.75), 0),
        ),  # roll: the crown goes to the right, clockwise in the picture
        ((0, 0, 0), RIGHT, (1, 0, 0)),
    ],
)
def test_signs_are_what_the_docstring_says(angles: tuple, vector: np.ndarray, where: tuple) -> None:
    assert np.allclose(to_matrix(from_degrees([angles]))[0] @ vector, where, atol=1e-12)


def test_the_order_is_pitch_yaw_roll_from_the_left() -> None:
    for (pitch, yaw, roll), matrix in zip(SOME, to_matrix(from_degrees(SOME)), strict=True):
        assert np.allclose(matrix, axis("x", -pitch) @ axis("y", -yaw) @ axis("z", -roll), atol=1e-12)


@settings(max_examples=200, deadline=None)
@given(ANGLES)
def test_degrees_come_back(angles: tuple[float, float, float]) -> None:
    assert np.allclose(to_degrees(from_degrees([angles])), [angles], atol=1e-6)


def test_float32_readings_keep_degrees_to_a_thousandth() -> None:
    assert np.abs(to_degrees(from_degrees(SOME).astype(np.float32)) - SOME).max() < 1e-3


def test_a_quarter_turn_of_yaw_is_still_that_rotation() -> None:
    for yaw in (90, -90):
        pose = from_degrees([[20, yaw, 35]])
        assert geodesic(from_degrees(to_degrees(pose)), pose)[0] < 1e-6


def test_matrices_and_distances_agree_with_scipy() -> None:
    a, b = Rotation.random(100, rng=1), Rotation.random(100, rng=2)
    assert np.allclose(to_matrix(a.as_rotvec()), a.as_matrix(), atol=1e-12)
    assert np.allclose(from_matrix(a.as_matrix()), a.as_rotvec(), atol=1e-9)
    wanted = np.degrees((a.inv() * b).magnitude())
    assert np.allclose(geodesic(a.as_rotvec(), b.as_rotvec()), wanted, atol=1e-9)
    small = a.as_rotvec()
    assert np.allclose(
        geodesic(small, (a * Rotation.from_rotvec([1e-7, 0, 0])).as_rotvec()), np.degrees(1e-7), rtol=1e-4
    )


def test_6drepnet_is_decoded_as_its_labels_were_made() -> None:
    """Labels: get_R(pitch, yaw, roll) of the authors, Rz @ Ry @ Rx of 300W-LP's angles, first two columns."""
    labels = np.stack([axis("z", roll) @ axis("y", yaw) @ axis("x", pitch) for pitch, yaw, roll in SOME])
    six = np.concatenate([labels[:, :, 0], labels[:, :, 1]], axis=1)
    assert np.abs(to_degrees(from_6drepnet(six)) - SOME).max() < 1e-6
    # Gram and Schmidt: lengths, and what of the second lies along the first, do not matter.
    bent = np.concatenate([3 * six[:, :3], 0.5 * six[:, 3:] + 2 * six[:, :3]], axis=1)
    assert np.allclose(from_6drepnet(bent), from_6drepnet(six), atol=1e-9)


def test_3ddfa_cameras_give_back_their_rotation() -> None:
    pose = from_degrees(SOME)
    cameras = np.concatenate([4e-4 * to_matrix(pose), np.full((len(pose), 3, 1), 60.0)], axis=2)
    assert np.allclose(from_3ddfa(cameras.reshape(-1, 12)), pose, atol=1e-9)
    cameras[:, 2] = 7  # the third row is not read
    assert np.allclose(from_3ddfa(cameras), pose, atol=1e-9)


def test_rows_without_a_reading_stay_so() -> None:
    bad = np.array([[np.nan, 0, 0], [0.1, 0.2, 0.3]])
    for out in (to_matrix(bad), from_degrees(bad), to_degrees(bad), geodesic(bad, bad)):
        assert np.isnan(out[0]).all()
        assert np.isfinite(out[1]).all()
    assert np.isnan(from_6drepnet(np.zeros((1, 6)))).all()
    assert np.isnan(from_3ddfa(np.zeros((1, 12)))).all()
    assert from_degrees(np.zeros((0, 3))).shape == (0, 3)
