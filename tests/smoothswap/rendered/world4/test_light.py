"""Light against integrals that are summed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import warp as wp
from scipy.special import sph_harm_y

from smoothswap.rendered.world4.light import LIGHT_NUMBERS, sample_light, scatter_weights, sky, turn_probe
from smoothswap.rendered.world4.probes import harmonics, load_probes, reduce


@wp.kernel
def sky_at(  # type: ignore[no-untyped-def]
    normals: wp.array(dtype=wp.vec3),  # type: ignore[valid-type]
    light: wp.array(dtype=float),  # type: ignore[valid-type]
    out: wp.array(dtype=wp.vec3),  # type: ignore[valid-type]
):
    i = wp.tid()
    out[i] = sky(normals[i], light)


def directions(count: int) -> np.ndarray:
    points = np.random.default_rng(1).normal(size=(count, 3))
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))


def panorama() -> np.ndarray:
    """Smooth light with a bright side and a coloured ground, [h, w, 3]."""
    theta = (np.arange(64) + 0.5) * np.pi / 64
    phi = (np.arange(128) + 0.5) * 2 * np.pi / 128
    up, side = np.cos(theta)[:, None], np.sin(theta)[:, None] * np.sin(phi)
    base = 1.2 + 0.8 * up + 0.5 * side
    return np.stack([base, base + 0.2 * up**2, 1.4 - 0.3 * side], -1)


def test_harmonics_are_those_of_scipy() -> None:
    n = directions(200)
    # scipy's polar axis is z, and its real harmonics come from the complex ones.
    polar, azimuth = np.arccos(n[:, 2]), np.arctan2(n[:, 1], n[:, 0])
    for column, (band, order) in enumerate(
        [(0, 0), (1, -1), (1, 0), (1, 1), (2, -2), (2, -1), (2, 0), (2, 1), (2, 2)]
    ):
        value = sph_harm_y(band, abs(order), polar, azimuth)
        real = (
            value.real
            if order == 0
            else np.sqrt(2) * (-1) ** order * (value.imag if order < 0 else value.real)
        )
        assert np.allclose(harmonics(n)[:, column], real, atol=1e-12), (band, order)


def test_a_probe_gives_what_an_integral_over_the_panorama_gives() -> None:
    light = panorama()
    h, w = light.shape[:2]
    theta, phi = (np.arange(h) + 0.5) * np.pi / h, (np.arange(w) + 0.5) * 2 * np.pi / w
    around = np.stack(
        [
            np.sin(theta)[:, None] * np.sin(phi),
            np.cos(theta)[:, None] + 0 * phi,
            np.sin(theta)[:, None] * np.cos(phi),
        ],
        -1,
    )
    solid = np.sin(theta)[:, None] * (np.pi / h) * (2 * np.pi / w) + 0 * phi
    mean = (light * solid[..., None]).sum() / solid.sum() / 3
    for n in directions(12):
        lit = np.maximum(around @ n, 0) * solid
        by_hand = (light * lit[..., None]).sum((0, 1)) / np.pi / mean
        # The cosine's bands above the second hold one per cent.
        assert np.allclose(harmonics(n) @ reduce(light), by_hand, rtol=0.02)


def test_the_kernel_s_sky_is_the_harmonics_sum() -> None:
    light = np.zeros(LIGHT_NUMBERS, np.float32)
    light[:27] = reduce(panorama()).reshape(-1)
    n = directions(50).astype(np.float32)
    out = wp.zeros(50, dtype=wp.vec3)
    wp.launch(
        sky_at, dim=50, inputs=[wp.array(n, dtype=wp.vec3), wp.array(light, dtype=float)], outputs=[out]
    )
    assert np.allclose(out.numpy(), harmonics(n) @ reduce(panorama()), atol=1e-4)


@pytest.mark.parametrize("yaw", [0.3, np.pi / 2, -2.0])
def test_a_turned_probe_shows_at_turned_normals_what_the_probe_showed(yaw: float) -> None:
    probe = np.random.default_rng(3).normal(size=(9, 3))
    n = directions(40)
    c, s = np.cos(yaw), np.sin(yaw)
    turned = n @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    assert np.allclose(turned[:, 0], c * n[:, 0] + s * n[:, 2])  # +z goes to +x
    assert np.allclose(harmonics(turned) @ turn_probe(probe, yaw), harmonics(n) @ probe, atol=1e-5)


def test_there_are_eighteen_measured_probes_of_mean_one() -> None:
    probes = load_probes()
    assert len(probes) == 18
    for name, probe in probes.items():
        assert probe.shape == (9, 3)
        # The constant's mean over the sphere is the panorama's mean brightness.
        assert probe[0].mean() * 0.5 / np.sqrt(np.pi) == pytest.approx(1.0, abs=2e-3), name


def test_light_has_one_to_three_lamps_of_unit_directions() -> None:
    counts = set()
    for seed in range(40):
        light, name = sample_light(np.random.default_rng(seed))
        assert name in load_probes()
        lamps = light[27:].reshape(3, 7)
        on = lamps[:, 3:6].sum(1) > 0
        counts.add(int(on.sum()))
        assert np.allclose(np.linalg.norm(lamps[on, :3], axis=1), 1, atol=1e-5)
        assert (lamps >= 0)[:, 3:].all()
    assert counts == {1, 2, 3}


def test_red_wanders_further_than_blue() -> None:
    curves = scatter_weights(np.array([[0.0020, 0.0008, 0.0005]]), 0.0005)
    assert np.allclose(curves[:, 0], 1)
    assert (curves[0, 1:, 0] > curves[0, 1:, 1]).all()
    assert np.allclose(curves[0, 4, 0], np.exp(-0.5), atol=1e-6)  # one deviation away
