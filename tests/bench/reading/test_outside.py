"""Where a swap is compared with its target: the square about the face, without the face."""

from __future__ import annotations

import numpy as np
import pytest

from bench.reading.outside import MARGIN, SIZE, Outside, place
from metrics.frames.outside import PSNR_MAX


def landmarks(centre: tuple[float, float] = (320, 240), radius: float = 50) -> np.ndarray:
    """A round face: jaw below, brows above, the rest about the middle."""
    points = np.tile(np.array(centre, np.float32), (68, 1))
    jaw, brows = np.linspace(0, np.pi, 17), np.linspace(np.pi * 1.2, np.pi * 1.8, 10)
    for part, angle in ((slice(0, 17), jaw), (slice(17, 27), brows)):
        points[part] += radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    points[33] += [0, radius / 3]
    return points.astype(np.float32)


def frame(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (480, 640, 3)).astype(np.uint8)


def changed(where: np.ndarray) -> np.ndarray:
    """The frame with other pixels at `where`, bool [h, w]."""
    return np.where(where[..., None], 255 - frame(), frame())


def disk(radius: float, centre: tuple[float, float] = (320, 240)) -> np.ndarray:
    y, x = np.mgrid[:480, :640]
    return np.hypot(x - centre[0], y - centre[1]) <= radius


def test_a_face_that_changes_changes_nothing_outside() -> None:
    found = Outside()(changed(disk(50)), frame(), landmarks())
    assert found == {"ssim_outside": pytest.approx(1), "psnr_outside": PSNR_MAX}
    assert Outside()(frame(), frame(), landmarks()) == found


def test_what_changes_about_the_face_is_seen_and_what_is_far_away_is_not() -> None:
    # The box is about 100 pixels, the square 200; a ring of 80 to 95 pixels lies in it and off the face.
    ring = disk(95) & ~disk(80)
    found = Outside()(changed(ring), frame(), landmarks())
    assert found["psnr_outside"] < 20
    assert found["ssim_outside"] < 0.9
    far = ~disk(160)
    assert Outside()(changed(far), frame(), landmarks())["psnr_outside"] == PSNR_MAX
    # A little is less than much.
    little = np.clip(frame().astype(int) + 6 * ring[..., None], 0, 255).astype(np.uint8)
    assert found["psnr_outside"] < Outside()(little, frame(), landmarks())["psnr_outside"] < PSNR_MAX


def test_numbers_do_not_depend_on_how_near_the_face_is() -> None:
    """The same picture at twice the size has the same masks and nearly the same numbers."""
    swap, target = changed(disk(90) & ~disk(75)), frame()
    large = [np.repeat(np.repeat(p, 2, 0), 2, 1) for p in (swap, target)]
    small = Outside()(swap, target, landmarks())
    again = Outside()(large[0], large[1], 2 * landmarks() + 0.5)
    assert again["psnr_outside"] == pytest.approx(small["psnr_outside"], abs=1.0)
    assert again["ssim_outside"] == pytest.approx(small["ssim_outside"], abs=0.02)


def test_the_mask_covers_face_forehead_and_margin() -> None:
    where = place(landmarks(), (480, 640, 3))
    assert where is not None
    assert max(where.outside.shape) == SIZE
    points = landmarks()
    low = np.array([where.columns.start, where.rows.start])
    scale = where.outside.shape[1] / (where.columns.stop - where.columns.start)
    at = np.round((points - low) * scale).astype(int)
    assert not where.outside[at[:, 1], at[:, 0]].any()
    chin = at[8] + [0, MARGIN - 2]
    assert not where.outside[chin[1], chin[0]]
    below = at[8] + [0, MARGIN + 3]
    assert where.outside[below[1], below[0]]
    brow = at[22]  # the forehead is half as high as the brows lie above the nose
    lifted = brow - [0, int(0.4 * (at[33] - brow)[1])]
    assert not where.outside[lifted[1], lifted[0]]


def test_what_cannot_be_compared_says_nothing() -> None:
    assert Outside()(frame()[:-1], frame(), landmarks()) == {}
    assert Outside()(frame(), frame(), landmarks((5000, 5000))) == {}
    assert Outside()(frame(), frame(), np.full((68, 2), np.nan, np.float32)) == {}
    corner = Outside()(frame(1), frame(), landmarks((10, 10)))  # three quarters of the square are not there
    assert 0 < corner["psnr_outside"] < 20
