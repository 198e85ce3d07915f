"""Mouth and eye opening: drawn faces whose ratios can be said without computing."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.openings import eye_opening, mouth_opening


def face(mouth: float, left: float, right: float) -> np.ndarray:
    """Eyes 3 wide with gaps left and right, a mouth 4 wide with a gap of `mouth`; [68, 2]."""
    points = np.full((68, 2), 50.0)
    for first, gap in ((36, left), (42, right)):
        points[first : first + 6] = [(0, 0), (1, -gap / 2), (2, -gap / 2), (3, 0), (2, gap / 2), (1, gap / 2)]
    up, down = [(k, -mouth / 2) for k in (1, 2, 3)], [(k, mouth / 2) for k in (3, 2, 1)]
    points[60:68] = [(0, 9), *up, (4, 9), *down]
    points[[61, 62, 63, 65, 66, 67], 1] += 9
    return points


def test_ratios_are_the_drawn_ones() -> None:
    points = face(1.0, 0.6, 0.9)[None]
    assert mouth_opening(points) == pytest.approx([0.25])
    np.testing.assert_allclose(eye_opening(points), [[0.2, 0.3]])
    shut = face(0, 0, 0)[None]
    assert (mouth_opening(shut)[0], *eye_opening(shut)[0]) == (0, 0, 0)


def test_place_size_and_turn_in_the_picture_do_not_matter() -> None:
    points = face(1.0, 0.6, 0.9)
    turn = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    moved = (3.5 * points @ turn.T + [400, -20])[None]
    np.testing.assert_allclose(mouth_opening(moved), [0.25])
    np.testing.assert_allclose(eye_opening(moved), [[0.2, 0.3]])


def test_what_cannot_be_read_is_nan_and_other_shapes_are_refused() -> None:
    flat = np.zeros((1, 68, 2))
    broken = face(1, 1, 1)[None].copy()
    broken[0, 62] = np.nan
    assert np.isnan([mouth_opening(flat)[0], *eye_opening(flat)[0], mouth_opening(broken)[0]]).all()
    assert np.isfinite(eye_opening(broken)).all()
    with pytest.raises(ValueError, match="are \\[n, 68, 2\\]"):
        mouth_opening(np.zeros((68, 2)))
