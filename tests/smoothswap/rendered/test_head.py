"""The head model against independent mathematics."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from smoothswap.rendered.head import (
    NECK_PIVOT,
    bend,
    euler_to_pose,
    load_head,
    normal_operator,
    vertex_normals,
)
from smoothswap.rendered.landmarks import landmark_vertices
from smoothswap.rendered.render import project


def test_shape_and_expression_enter_linearly() -> None:
    head = load_head()
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, len(head.shape_names)))
    zero = head.identity_vertices(np.zeros_like(a))
    both = head.identity_vertices(a + b) - zero
    assert np.abs(both - (head.identity_vertices(a) - zero) - (head.identity_vertices(b) - zero)).max() < 1e-5
    weights = rng.uniform(size=len(head.expression_names))
    by_hand = sum(w * e for w, e in zip(weights, head.expression_basis, strict=True))
    assert np.abs(head.expression_offsets(weights) - by_hand).max() < 1e-5


def test_full_weight_bends_rigidly_and_no_weight_not_at_all() -> None:
    points = np.random.default_rng(1).normal(0, 0.1, (50, 3)).astype(np.float32)
    pose = np.array([0.3, -0.5, 0.2], np.float32)
    by_scipy = Rotation.from_rotvec(pose).apply(points - NECK_PIVOT) + NECK_PIVOT
    assert np.abs(bend(points, pose, np.ones(50)) - by_scipy).max() < 1e-6
    assert np.allclose(bend(points, pose, np.zeros(50)), points, atol=1e-7)
    half = Rotation.from_rotvec(pose / 2).apply(points - NECK_PIVOT) + NECK_PIVOT
    assert np.abs(bend(points, pose, np.full(50, 0.5)) - half).max() < 1e-6


@pytest.mark.parametrize(("yaw", "pitch", "expected"), [(0.4, 0.0, (1, 0)), (0.0, 0.4, (0, -1))])
def test_yaw_turns_the_nose_to_plus_x_and_pitch_down(
    yaw: float, pitch: float, expected: tuple[int, int]
) -> None:
    ahead = Rotation.from_rotvec(euler_to_pose(yaw, pitch, 0.0)).apply([0, 0, 1])
    assert np.allclose(ahead[:2], np.sin(0.4) * np.array(expected), atol=1e-6)


def test_vertex_normals_of_a_sphere_point_outwards() -> None:
    from scipy.spatial import ConvexHull

    points = np.random.default_rng(2).normal(size=(600, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    triangles = ConvexHull(points).simplices
    a, b, c = (points[triangles[:, i]] for i in range(3))
    inward = np.einsum("ij,ij->i", np.cross(b - a, c - a), a) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    normals = vertex_normals(points, triangles, normal_operator(triangles, len(points)))
    assert np.einsum("ij,ij->i", normals, points).min() > 0.97


def test_projection_of_known_points() -> None:
    camera = np.array([100.0, 64.0, 60.0, 2.0])
    points = np.array([[0, 0, 0], [0.2, 0, 0], [0, 0.2, 0], [0.2, 0, 1.0]])
    assert np.allclose(project(points, camera), [[64, 60], [74, 60], [64, 50], [84, 60]])


def test_landmarks_lie_where_their_names_say() -> None:
    head, ids = load_head(), landmark_vertices()
    p = head.mean[ids]
    assert p[8, 1] < p[57, 1] < p[33, 1] < p[27, 1] < p[19, 1]  # chin, lip, nose, bridge, brow
    assert p[36:42, 0].mean() < -0.02  # the subject's right eye is on the picture's left
    assert p[42:48, 0].mean() > 0.02
    assert np.abs(p[[27, 28, 29, 30, 33, 51, 57], 0]).max() < 0.006  # the middle line


def test_eyes_are_spheres_of_an_eye_s_size() -> None:
    head = load_head()
    for ids in head.eye_vertices:
        centre = head.mean[ids].mean(0) + np.array([0, 0, head.eye_depth])
        radius = np.linalg.norm(head.mean[ids] - centre, axis=1)
        assert 0.009 < radius.mean() < 0.018
        assert radius.std() < 0.15 * radius.mean()
