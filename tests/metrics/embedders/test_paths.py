"""Figures of paths whose answer is known: straight lines, great circles, polygons, there and back, jumps."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.embedders.paths import neighbour_agreement, path_figures

SHARES = np.linspace(0, 1, 9)


def circle(angles: np.ndarray) -> np.ndarray:
    """Points on a great circle of a turned sphere in four dimensions, [1, n, 4]."""
    q = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    plane = np.stack([np.cos(angles), np.sin(angles), 0 * angles, 0 * angles], axis=1)
    return (plane @ q)[None]


def test_a_linear_map_of_a_straight_path_is_straight() -> None:
    rng = np.random.default_rng(0)
    weights, start, end = rng.normal(size=(5, 12)), rng.normal(size=5), rng.normal(size=5)
    faces = start + SHARES[:, None] * (end - start)
    found = path_figures((faces @ weights)[None], "plane")
    assert found.tortuosity == pytest.approx([1])
    assert found.curvature == pytest.approx([0], abs=1e-12)
    assert found.monotonicity == pytest.approx([1])
    assert found.largest_step == pytest.approx([1 / 8])
    assert found.extent == pytest.approx([np.linalg.norm((end - start) @ weights)])


def test_a_great_circle_is_straight_on_the_sphere_and_bent_in_the_plane() -> None:
    path = circle(1.2 * SHARES)
    found = path_figures(5 * path)  # lengths do not count on the sphere
    assert found.tortuosity == pytest.approx([1])
    assert found.curvature == pytest.approx([0], abs=1e-9)
    assert found.extent == pytest.approx([1.2])
    assert found.distance[0] == pytest.approx(1.2 * SHARES)
    bent = path_figures(path, "plane")
    assert bent.tortuosity == pytest.approx([8 * 2 * np.sin(0.075) / (2 * np.sin(0.6))])
    # Two equal steps that turn by t: |s+ + s-| / 2 |s| = sin(t / 2), here t = 1.2 / 8.
    assert bent.curvature == pytest.approx([np.sin(0.075)])


def test_uneven_speed_is_curvature_of_a_straight_path() -> None:
    found = path_figures(circle(np.array([0.0, 0.1, 0.4])))
    assert found.tortuosity == pytest.approx([1])
    assert found.curvature == pytest.approx([0.2 / 0.4])
    assert found.largest_step == pytest.approx([0.75])


def test_there_and_back_and_a_jump() -> None:
    back = path_figures(circle(np.array([0.0, 0.3, 0.0, 0.3])))
    assert back.curvature == pytest.approx([1])
    assert back.tortuosity == pytest.approx([3])
    jump = path_figures(circle(np.array([0.0, 0.0, 0.0, 0.5, 0.5])))
    assert jump.largest_step == pytest.approx([1])
    falling = path_figures(circle(np.array([0.0, 0.5, 0.4, 0.3])))
    assert falling.monotonicity == pytest.approx([0.2])  # ranks 1 4 3 2


def test_turning_and_scaling_change_nothing_and_a_still_path_has_no_figures() -> None:
    rng = np.random.default_rng(3)
    paths = rng.normal(size=(4, 7, 6)).cumsum(axis=1) + 4
    q = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    first, second = path_figures(paths), path_figures(paths @ q * 9)
    for name in ("tortuosity", "curvature", "monotonicity", "largest_step", "extent"):
        assert getattr(second, name) == pytest.approx(getattr(first, name))
    assert (first.tortuosity >= 1).all()
    assert ((first.curvature >= 0) & (first.curvature <= 1)).all()
    backwards = path_figures(paths[:, ::-1])
    assert backwards.tortuosity == pytest.approx(first.tortuosity)
    assert backwards.curvature == pytest.approx(first.curvature)
    still = path_figures(np.ones((1, 5, 3)))
    assert np.isnan([still.tortuosity, still.curvature, still.monotonicity, still.largest_step]).all()
    paths[0, 2] = np.nan
    assert np.isnan(path_figures(paths).curvature).tolist() == [True, False, False, False]


def test_wrong_shapes_and_names_are_refused() -> None:
    with pytest.raises(ValueError, match="three points"):
        path_figures(np.ones((2, 2, 3)))
    with pytest.raises(ValueError, match="geometry"):
        path_figures(np.ones((1, 3, 3)), "torus")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="two points"):
        neighbour_agreement(np.ones((3, 1, 4)))


def test_gradients_of_a_bowl_agree_and_those_of_a_zigzag_do_not() -> None:
    points = SHARES[:-1, None] * np.array([3.0, 4.0])
    bowl = 2 * (points - np.array([3.0, 4.0]))  # of |x - goal|^2: always towards the goal
    assert neighbour_agreement(bowl[None] * 1e-30) == pytest.approx([1])
    zigzag = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    assert neighbour_agreement(zigzag[None]) == pytest.approx([0])
    signs = np.array([1.0, 2.0, -0.1, -5.0])[None, :, None]
    assert neighbour_agreement(signs) == pytest.approx([1 / 3])
    assert np.isnan(neighbour_agreement(np.array([[[0.0, 0.0], [1.0, 0.0]]]))).all()
