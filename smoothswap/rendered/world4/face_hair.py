"""Brows, lashes and beards, strand by strand."""

from __future__ import annotations

import numpy as np

from smoothswap.rendered.head import SKIN, Head, smoothstep
from smoothswap.rendered.world4.grow import BEARD, BROW, LASH, Strands, at, roots, unit
from smoothswap.rendered.world4.skin import beard_area, brow_area, brow_line

HAIRS = 7.5e5  # of a beard a square metre: each drawn one stands for a few


def brows(
    rng: np.random.Generator, head: Head, neutral: np.ndarray, normals: np.ndarray, look: dict[str, float]
) -> Strands:
    """The brows: hairs that lie along an arc, upright at its inner end.

    Args:
        rng: Drawn from.
        head: The mesh and its mean.
        neutral: The person's neutral head, [v, 3], m.
        normals: Its unit normals, [v, 3].
        look: The person's numbers by name.

    Returns:
        The strands of both sides.
    """
    rest = head.mean
    drawn = np.where(
        (rest[:, 2] > 0.0) & (np.abs(rest[:, 1] - 0.047) < 0.014) & (np.abs(rest[:, 0]) < 0.066), 1.0, 0.0
    )
    triangle, weights = roots(rng, head, neutral, drawn, 30000)
    place = at(rest, head, triangle, weights)
    s = (np.abs(place[:, 0]) - 0.0105) / look["brow_length"]
    t = np.clip(s, 0, 1)
    middle, half = brow_line(s, look)
    inside = brow_area(np.abs(place[:, 0]), place[:, 1], look)
    kept = rng.uniform(0, 1, len(s)) < inside * look["brow_density"]
    triangle, weights, t, place = triangle[kept], weights[kept], t[kept], place[kept]
    count = len(t)
    root, n = at(neutral, head, triangle, weights), unit(at(normals, head, triangle, weights))
    above = (place[:, 1] - middle[kept]) / np.maximum(half[kept], 1e-5)
    angle = (
        1.35 * (1 - smoothstep(0.0, 0.28, t))
        + 0.35 * (1 - t)
        - 0.45 * np.clip(above, -1, 1)
        - 0.22 * t
        + rng.normal(0, 0.14, count)
    )
    flow = np.stack([np.sign(place[:, 0]) * np.cos(angle), np.sin(angle), 0 * angle], -1)
    flow = unit(flow - (flow * n).sum(1, keepdims=True) * n)
    own = (0.0072 - 0.0025 * t) * rng.uniform(0.7, 1.15, count)
    k = np.linspace(0, 1, 4)[None, :, None]
    points = root[:, None] + own[:, None, None] * k * (flow[:, None] + n[:, None] * (0.32 - 0.22 * k))
    colour = np.array([look[f"brow_{c}"] for c in "rgb"]) * np.exp(0.25 * rng.standard_normal((count, 1)))
    return Strands(
        points.astype(np.float32), triangle, weights, np.full(count, 0.00015), colour, np.full(count, BROW)
    )


def lashes(rng: np.random.Generator, head: Head, neutral: np.ndarray, look: dict[str, float]) -> Strands:
    """Lashes along the lids' edges: above long and curved upwards, below short.

    Args:
        rng: Drawn from.
        head: The mesh and its mean.
        neutral: The person's neutral head, [v, 3], m.
        look: The person's numbers by name.

    Returns:
        The strands of both eyes.
    """
    skin = np.flatnonzero(head.material == SKIN)
    middle = head.mean[head.triangles[skin]].mean(1)
    near = (np.abs(middle[:, 1] - 0.025) < 0.015) & (middle[:, 2] > 0.01)
    skin, middle = skin[near], middle[near]
    rooted, parts = [], []
    for side in (-1, 1):
        for upper, count in ((True, 120), (False, 60)):
            u = np.linspace(0.04, 0.97, count) + rng.normal(0, 0.008, count)
            x = 0.0190 + 0.0238 * u
            lift = 0.0072 if upper else -0.0040
            y = 0.0236 + 0.0018 * u + lift * np.sin(np.pi * np.clip(u, 0, 1)) ** 0.8
            z = 0.0335 + 0.0030 * np.sin(np.pi * u) - 0.0045 * u
            edge = np.stack([side * x, y, z], -1)
            nearest = skin[((edge[:, None] - middle[None]) ** 2).sum(-1).argmin(1)]
            rooted.append((nearest, edge))
            outward = (u - 0.42) * 1.1
            k = np.linspace(0, 1, 5)[None, :, None]
            long = (
                (0.0064 if upper else 0.0034)
                * look["lash"]
                * rng.uniform(0.75, 1.1, count)
                * (0.75 + 0.35 * u)
            )
            ahead = np.stack(
                [side * outward, np.full(count, -0.15 if upper else -0.45), np.ones(count)], -1
            ) + 0.12 * rng.standard_normal((count, 3))
            rise = np.stack([0 * outward, np.full(count, 1.0 if upper else -0.25), 0 * outward], -1)
            parts.append(long[:, None, None] * (k * ahead[:, None] * 0.8 + 0.75 * k**2 * rise[:, None]))
    triangle = np.concatenate([t for t, _ in rooted])
    corners = head.mean[head.triangles[triangle]]
    wanted = np.concatenate([p for _, p in rooted])
    close = 1 / (((corners - wanted[:, None]) ** 2).sum(-1) + 1e-8)
    weights = (close / close.sum(1, keepdims=True)).astype(np.float32)
    place = at(neutral, head, triangle, weights) + (
        wanted - at(head.mean, head, triangle, weights)
    ) * np.array([1, 1, 0.4])
    points = place[:, None] + np.concatenate(parts)
    count = len(points)
    colour = np.array([look[f"brow_{c}"] for c in "rgb"]) * 0.35 + 0.002
    return Strands(
        points.astype(np.float32),
        triangle,
        weights,
        np.full(count, 0.00018),
        np.tile(colour, (count, 1)),
        np.full(count, LASH),
    )


def beard(
    rng: np.random.Generator, head: Head, neutral: np.ndarray, normals: np.ndarray, look: dict[str, float]
) -> Strands | None:
    """Moustache and beard.

    Args:
        rng: Drawn from.
        head: The mesh and its mean.
        neutral: The person's neutral head, [v, 3], m.
        normals: Its unit normals, [v, 3].
        look: The person's numbers by name.

    Returns:
        The strands; None where nothing grows.
    """
    most = max(look[k] for k in ("moustache", "chin_beard", "cheek_beard"))
    if most <= 0:
        return None
    rest = head.mean
    grown = beard_area(rest[:, 0], rest[:, 1], rest[:, 2])
    density = np.max([grown[k] * look[k] for k in grown], 0) * (head.ear_weight < 0.3)
    reached = head.triangles[density[head.triangles].max(1) > 0.01]
    wide = np.zeros(len(rest))
    wide[np.unique(reached)] = 1
    sides = rest[reached]
    area = np.linalg.norm(np.cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0]), axis=1).sum() / 2
    triangle, weights = roots(rng, head, neutral, wide, int(HAIRS * area))
    place = at(rest, head, triangle, weights)
    here = beard_area(place[:, 0], place[:, 1], place[:, 2])
    thick = np.max([here[k] * look[k] for k in here], 0)
    kept = rng.uniform(0, 1, len(thick)) < thick**1.5 * (0.9 if most > 0.8 else 0.5)
    triangle, weights, place, thick = triangle[kept], weights[kept], place[kept], thick[kept]
    count = len(place)
    if count == 0:
        return None
    root, n = at(neutral, head, triangle, weights), unit(at(normals, head, triangle, weights))
    flow = np.stack(
        [
            0.5 * np.sign(place[:, 0]) * smoothstep(0.0, 0.012, np.abs(place[:, 0])),
            np.full(count, -1.0),
            np.zeros(count),
        ],
        -1,
    )
    flow = unit(flow - (flow * n).sum(1, keepdims=True) * n)
    wander = 0.35 * rng.standard_normal((count, 3))
    upper = here["moustache"][kept] * look["moustache"] > 0.3
    own = look["beard_length"] * rng.uniform(0.55, 1.1, count) * (0.4 + 0.6 * thick)
    own = np.where(upper, np.minimum(own, 0.009), own)
    k = np.linspace(0, 1, 5)[None, :, None]
    points = root[:, None] + own[:, None, None] * k * (
        (flow + wander)[:, None] * (0.6 + 0.5 * k) + n[:, None] * (0.75 - 0.45 * k)
    )
    colour = np.array([look[f"beard_{c}"] for c in "rgb"]) * np.exp(0.3 * rng.standard_normal((count, 1)))
    grey = rng.uniform(0, 1, count) < np.clip((look["age"] - 42) / 40, 0, 0.8)
    colour[grey] = np.array([0.38, 0.375, 0.36])
    return Strands(
        points.astype(np.float32), triangle, weights, np.full(count, 0.00024), colour, np.full(count, BEARD)
    )
