"""The warping error against motion that is known: a picture that is moved by whole pixels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from bench.reading.warping import motion, moved_error, warping_error
from tests.bench.reading.test_outside import landmarks


def texture(seed: int = 0, size: tuple[int, int] = (480, 640)) -> np.ndarray:
    rough = ndimage.gaussian_filter(np.random.default_rng(seed).uniform(0, 255, (*size, 3)), (4, 4, 0))
    return np.clip(128 + (rough - rough.mean()) * 9, 0, 255).astype(np.uint8)


def moved(picture: np.ndarray, dx: int, dy: int) -> np.ndarray:
    return np.roll(picture, (dy, dx), (0, 1))


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (5, 0), (-3, 7)])
def test_flow_of_a_moved_picture_is_its_motion(dx: int, dy: int) -> None:
    before = texture(size=(200, 240))
    now = moved(before, dx, dy)
    flow, seen = motion(now, before)
    middle = (slice(30, 170), slice(30, 210))
    assert seen[middle].mean() > 0.98
    np.testing.assert_allclose(np.median(flow[middle], axis=(0, 1)), [-dx, -dy], atol=0.1)
    assert moved_error(now, before, flow, seen) < 1.5
    # With the exact motion, not an estimated one, nothing is left where nothing wraps around.
    exact = np.broadcast_to(np.float32([-dx, -dy]), flow.shape)
    inner = np.zeros_like(seen)
    inner[middle] = True
    assert moved_error(now, before, exact, inner) == 0


def test_what_was_covered_is_left_out() -> None:
    before = texture(size=(200, 240))
    now = before.copy()
    now[80:120, 100:150] = texture(5, (40, 50))  # appears from nowhere
    _, seen = motion(now, before)
    assert seen[85:115, 105:145].mean() < 0.7 < 0.95 < seen[:60].mean()


def test_error_of_known_pictures() -> None:
    before = np.full((40, 40, 3), 100, np.uint8)
    everything, still = np.ones((40, 40), bool), np.zeros((40, 40, 2), np.float32)
    assert moved_error(before + np.uint8(7), before, still, everything) == 7
    assert np.isnan(moved_error(before, before, still, ~everything))


def test_a_swap_is_as_far_off_as_its_error_is_from_the_targets() -> None:
    before = texture()
    now = moved(before, 4, 0)
    target, place = (now, before), landmarks()
    assert warping_error(target, target, place) == 0
    # Another tint, the same in both frames, flickers no more than the target does.
    tint = tuple((frame * 0.8).astype(np.uint8) for frame in target)
    assert warping_error(tint, target, place) < 0.5
    # Brighter in one frame of the two: about as many grey levels. Frozen: the motion is missing.
    flicker = (np.clip(now.astype(int) + 12, 0, 255).astype(np.uint8), before)
    assert warping_error(flicker, target, place) == pytest.approx(11, abs=2)
    assert warping_error((before, before), target, place) > 5
    assert np.isnan(warping_error((now[:-1], before), target, place))
    assert np.isnan(warping_error(target, target, np.full((68, 2), np.nan, np.float32)))
