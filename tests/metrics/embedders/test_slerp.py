"""Slerp against scipy's rotations, and where the textbook formula fails: near 0 and near pi."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from metrics.embedders.slerp import angle, great_circle, slerp

R = np.linspace(0, 1, 11)


def rows(seed: int, n: int = 20, d: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def test_slerp_is_a_rotation_about_the_common_normal() -> None:
    a, b = rows(0), rows(1)
    got = slerp(a, b, R)
    for i, (u, v) in enumerate(zip(a, b, strict=True)):
        u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)
        axis = np.cross(u, v) / np.linalg.norm(np.cross(u, v))
        total = np.arctan2(np.linalg.norm(np.cross(u, v)), u @ v)
        expected = Rotation.from_rotvec(axis * total * R[:, None]).apply(u)
        np.testing.assert_allclose(got[i], expected, atol=1e-12)


def test_slerp_of_unit_quaternions_is_scipys_slerp() -> None:
    for seed in range(20):
        ends = Rotation.from_quat(rows(seed, 2, 4)).as_quat()
        ends[1] *= np.sign(ends[0] @ ends[1])  # scipy takes the shorter way round
        turned = Slerp([0, 1], Rotation.from_quat(ends))(R).as_matrix()
        got = Rotation.from_quat(slerp(ends[:1], ends[1:], R)[0]).as_matrix()
        np.testing.assert_allclose(got, turned, atol=1e-12)


@pytest.mark.parametrize("gap", [1e-3, 1e-7, 1e-12, 1e-15])
@pytest.mark.parametrize("side", [1.0, -1.0], ids=["near 0", "near pi"])
def test_slerp_keeps_its_digits_near_0_and_near_pi(gap: float, side: float) -> None:
    """Against the textbook formula in 80 digits, on exactly the same doubles."""
    a, b = np.array([1.0, 0.0, 0.0]), side * np.array([1.0, gap, gap / 3])
    with mpmath.workdps(80):
        u, v = mpmath.matrix(a.tolist()), mpmath.matrix(b.tolist())
        v = v / mpmath.norm(v)
        total = mpmath.acos(sum(x * y for x, y in zip(u, v, strict=True)))
        exact = [
            [
                float(x)
                for x in (mpmath.sin((1 - r) * total) * u + mpmath.sin(r * total) * v) / mpmath.sin(total)
            ]
            for r in map(mpmath.mpf, R.tolist())
        ]
        np.testing.assert_allclose(angle([a], [b]), float(total), rtol=1e-14)
    # The scaled b is itself rounded by 1e-16, which near pi turns the path by 1e-16 / gap.
    allowed = 1e-12 if side > 0 else max(1e-12, 4e-16 / gap)
    np.testing.assert_allclose(slerp([a], [b], R)[0], exact, atol=allowed)


def test_ends_length_symmetry_and_equal_steps() -> None:
    a, b = rows(2, 30, 512), rows(3, 30, 512)
    path = slerp(a, b, R)
    np.testing.assert_allclose(path[:, 0], a / np.linalg.norm(a, axis=1, keepdims=True), atol=1e-15)
    np.testing.assert_allclose(path[:, -1], b / np.linalg.norm(b, axis=1, keepdims=True), atol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(path, axis=2), 1, atol=1e-14)
    np.testing.assert_allclose(path, slerp(b, a, R)[:, ::-1], atol=1e-14)
    steps = angle(path[:, :-1].reshape(-1, 512), path[:, 1:].reshape(-1, 512)).reshape(30, 10)
    np.testing.assert_allclose(steps, np.tile(angle(a, b)[:, None] / 10, 10), atol=1e-13)


def test_equal_opposite_and_missing_ends() -> None:
    a = rows(4, 1, 8)
    np.testing.assert_allclose(slerp(a, 3 * a, R)[0], np.tile(slerp(a, a, [0])[0], (11, 1)), atol=1e-15)
    assert angle(a, a) == 0
    many = rows(6, 50, 8)  # rounding must not invent a direction for any of them
    assert np.isnan(slerp(many, -many, R)).all()
    assert angle(a, -a) == np.pi
    assert np.isnan(slerp(a, np.full_like(a, np.nan), R)).all()
    start, direction, _ = great_circle(a, rows(5, 1, 8))
    assert abs(np.sum(start * direction)) < 1e-15
