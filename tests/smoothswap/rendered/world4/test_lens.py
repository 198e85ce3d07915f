"""The camera against thin lenses, counted photons and its own word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from smoothswap.rendered.world4.lens import Lens, confusion, develop, disc, sample_lens, tone

PLAIN = Lens(
    focal=50, aperture=2, gain=1e-6, contrast=1, saturation=1, softness=0,
    sharpening=0, clarity=0, vignette=0, bloom=0, shutter=0.5,
    seed=1,
)  # fmt: skip


def test_confusion_is_that_of_rays_through_a_thin_lens() -> None:
    f, pupil, focus, behind = 0.05, 0.025, 1.0, 3.0
    image_of = lambda d: 1 / (1 / f - 1 / d)  # noqa: E731  # the lens equation
    sensor = image_of(focus)
    by_rays = pupil * abs(sensor - image_of(behind)) / image_of(behind)
    pixels = 1000.0  # focal length in pixels: a pixel is f / 1000 wide
    assert confusion(PLAIN, behind, focus, pixels) == pytest.approx(by_rays / (f / pixels), rel=1e-9)
    assert confusion(PLAIN, focus, focus, pixels) == 0
    assert confusion(replace(PLAIN, aperture=4), behind, focus, pixels) == pytest.approx(
        by_rays / (f / pixels) / 2
    )


@pytest.mark.parametrize("contrast", [0.8, 1.0, 1.6])
def test_tone_rises_from_black_to_white(contrast: float) -> None:
    light = np.concatenate([np.linspace(0, 1, 400), np.linspace(1.01, 6, 100)])
    display = tone(light, contrast)
    assert display[0] == 0
    assert display[-1] == 1
    assert (np.diff(display) >= 0).all()
    assert (np.diff(display[light < 0.9]) > 0).all()


def test_a_disc_keeps_the_light_and_has_its_width() -> None:
    point = np.zeros((41, 41, 3), np.float32)
    point[20, 20] = 100.0
    blurred = disc(point, 9.0)
    assert blurred.sum() == pytest.approx(point.sum(), rel=1e-4)
    assert (blurred[20, :, 0] > 1e-6).sum() in (9, 11)
    assert disc(point, 1.0) is point


def test_noise_follows_seed_and_frame_and_grows_with_gain() -> None:
    grey = np.full((64, 64, 3), 0.18, np.float32)
    quiet = develop(grey, PLAIN, 0)
    assert np.ptp(quiet) <= 1
    loud = [develop(grey, replace(PLAIN, gain=g), 0).std() for g in (0.5, 2.0, 8.0)]
    assert loud[0] < loud[1] < loud[2]
    noisy = replace(PLAIN, gain=2.0)
    assert np.array_equal(develop(grey, noisy, 3), develop(grey, noisy, 3))
    assert not np.array_equal(develop(grey, noisy, 3), develop(grey, noisy, 4))
    assert not np.array_equal(develop(grey, noisy, 3), develop(grey, replace(noisy, seed=2), 3))


def test_motion_blurs_along_the_motion_alone() -> None:
    stripes = np.zeros((64, 64, 3), np.float32)
    stripes[:, ::8] = 1.0
    along = develop(stripes, PLAIN, 0, move=(0.0, 12.0))
    across = develop(stripes, PLAIN, 0, move=(12.0, 0.0))
    assert np.array_equal(along[16:48], develop(stripes, PLAIN, 0)[16:48])
    assert across[32].std() < 0.5 * along[32].std()


def test_lenses_reach_from_24_to_135_mm() -> None:
    focal = [sample_lens(np.random.default_rng(i)).focal for i in range(300)]
    assert 24 <= min(focal) < 30
    assert 120 < max(focal) <= 135
