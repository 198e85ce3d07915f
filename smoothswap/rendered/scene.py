"""What surrounds a head: light, camera, background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smoothswap.rendered.shading import LIGHT


@dataclass(frozen=True)
class Scene:
    """`light` follows `shading.LIGHT`; `camera` = focal length (pixels), centre x, y (pixels), distance (m).

    The camera and the background belong to a frame of `size` x `size` pixels.
    """

    light: np.ndarray
    camera: np.ndarray
    background: np.ndarray
    size: int


def sample_light(rng: np.random.Generator) -> np.ndarray:
    """A key light from the front half, a sky and a ground: colours from lamp to daylight."""
    azimuth, height = rng.uniform(-1.3, 1.3), rng.uniform(-0.1, 1.0)
    direction = np.array([np.sin(azimuth) * np.cos(height), np.sin(height), np.cos(azimuth) * np.cos(height)])
    warmth = rng.normal(0, 0.14)
    tint = np.array([1 + warmth, 1 + rng.normal(0, 0.02), 1 - warmth])
    key = rng.uniform(0.35, 1.15)
    fill = rng.uniform(0.25, 0.65)
    opposite = np.array([1 - 0.6 * warmth, 1, 1 + 0.6 * warmth])
    ground = fill * rng.uniform(0.3, 0.8)
    exposure = rng.uniform(0.85, 1.25) / (0.55 * key + 0.5 * (fill + ground)) ** 0.8
    values = [*direction, *(key * tint), *(fill * opposite), *(ground * rng.uniform(0.8, 1.2, 3)), exposure]
    assert len(values) == len(LIGHT)
    return np.array(values, np.float32)


def sample_camera(rng: np.random.Generator, size: int) -> np.ndarray:
    """A head and shoulders shot: the head takes 0.66 to 0.82 of the frame's height.

    Args:
        rng: Drawn from.
        size: Side of the frame, pixels.

    Returns:
        float32 [4]: focal length, centre x, y (pixels), distance (0.75 to 1.6 m).
    """
    distance = rng.uniform(0.75, 1.6)
    focal = size * rng.uniform(0.66, 0.82) * distance / 0.26
    centre = size * (0.5 + rng.normal(0, [0.025, 0.015]))
    return np.array([focal, centre[0], centre[1], distance], np.float32)


def _smooth_noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    grid = rng.uniform(0, 1, (cells + 2, cells + 2))
    t = np.linspace(0, cells, size)
    i, f = t.astype(int), t % 1.0
    f = f * f * (3 - 2 * f)
    rows = grid[i] * (1 - f)[:, None] + grid[i + 1] * f[:, None]
    return rows[:, i] * (1 - f) + rows[:, i + 1] * f


def _wall_colours(rng: np.random.Generator, n: int) -> np.ndarray:
    """Mostly muted colours [n, 3]: a grey with some of a hue in it."""
    grey = rng.uniform(0.08, 0.9, (n, 1))
    return np.clip(grey + (rng.uniform(0, 1, (n, 3)) - 0.5) * rng.uniform(0.05, 0.6, (n, 1)), 0, 1)


def sample_background(rng: np.random.Generator, size: int) -> np.ndarray:
    """A picture: a studio gradient, cloudy wall, shelves, window bars, or lights out of focus.

    Args:
        rng: Drawn from.
        size: Its side, pixels.

    Returns:
        float32 [size, size, 3] in 0..1, display colours.
    """
    a, b, c = _wall_colours(rng, 3)
    line = np.arange(size) / size
    y, x = np.meshgrid(line, line, indexing="ij", sparse=True)
    angle = rng.uniform(0, 2 * np.pi)
    t = np.clip(0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle), 0, 1)[..., None]
    picture = a * (1 - t) + b * t
    kind = rng.choice(["studio", "cloud", "shelves", "bars", "lights"])
    if kind == "cloud":
        noise = 0.6 * _smooth_noise(rng, size, 4) + 0.4 * _smooth_noise(rng, size, 9)
        picture = picture + (c - picture) * noise[..., None]
    elif kind == "shelves":
        for _ in range(rng.integers(10, 30)):
            x0, y0 = rng.uniform(0, 1, 2)
            columns, rows = (
                np.abs(line - x0) < rng.uniform(0.02, 0.12),
                np.abs(line - y0) < rng.uniform(0.03, 0.15),
            )
            picture[np.ix_(rows, columns)] = _wall_colours(rng, 1)[0]
    elif kind == "bars":
        stripes = np.sin((x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(15, 50)) > rng.uniform(
            -0.5, 0.7
        )
        picture = np.where(stripes[..., None], c, picture)
    elif kind == "lights":
        picture = picture * 0.5
        for _ in range(rng.integers(8, 25)):
            x0, y0, radius = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.02, 0.09)
            colour = rng.uniform(0.4, 1.0, 3)
            window = np.ix_(np.abs(line - y0) < radius, np.abs(line - x0) < radius)
            away = np.hypot(line[window[1]] - x0, line[window[0]] - y0)
            disc = np.clip((radius - away) / 0.01, 0, 1)[..., None]
            picture[window] += (colour - picture[window]) * disc * 0.7
    picture = picture + rng.normal(0, 0.012, picture.shape)
    return np.clip(picture, 0, 1).astype(np.float32)


def sample_scene(rng: np.random.Generator, size: int) -> Scene:
    """Light, camera and background, drawn in this order.

    Args:
        rng: Drawn from.
        size: Side of the frame that they belong to, pixels.

    Returns:
        The scene; no person is in it yet.
    """
    return Scene(sample_light(rng), sample_camera(rng, size), sample_background(rng, size), size)
