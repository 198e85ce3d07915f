"""Two rows of teeth in their gums, the lower one carried by the jaw."""

from __future__ import annotations

import numpy as np

from smoothswap.rendered.hair import Extra
from smoothswap.rendered.head import Head
from smoothswap.rendered.world4.clothes import grid
from smoothswap.rendered.world4.surface import TEETH

# Widths in mm from the middle outwards (Ash's Dental Anatomy), heights of the crown.
UPPER = ((8.5, 10.5), (6.5, 9.0), (7.5, 10.0), (7.0, 8.5), (7.0, 8.0), (10.0, 7.5))
LOWER = ((5.0, 9.0), (5.5, 9.5), (7.0, 10.0), (7.0, 8.5), (7.0, 8.0), (11.0, 7.5))
GUM = 0.006  # m above the crown


def _row(
    sizes: tuple[tuple[float, float], ...], edge: float, up: float, front: float, wide: float
) -> tuple[np.ndarray, ...]:
    """One arch: vertices, share of gum, openness to the neighbour's gap; `up` +1: crowns hang from above."""
    columns, marks, heights = [], [], []
    at = 0.0
    for tooth, (width, height) in enumerate(sizes):
        for t in (0.04, 0.2, 0.4, 0.6, 0.8, 0.96):
            columns.append(at + t * width / 1000)
            marks.append(1 - (2 * t - 1) ** 6)
            heights.append(height / 1000 * (1 - 0.10 * (2 * t - 1) ** 4) + 0.0 * tooth)
        at += width / 1000
    s = np.concatenate([-np.array(columns)[::-1], columns])
    gap = np.concatenate([np.array(marks)[::-1], marks])
    tall = np.concatenate([np.array(heights)[::-1], heights])
    # Along a parabola of the arch: x and depth by arc length.
    phi = s / at * 1.35
    x = wide * np.sin(phi) / np.sin(1.35)
    z = front - 0.030 * (1 - np.cos(phi)) / (1 - np.cos(1.35))
    bulge = 0.0009 * gap
    normal = np.stack([np.sin(phi), np.cos(phi)], -1)
    rows, gums, opens = [], [], []
    for share, swell in (
        (0.0, -0.0012),
        (0.04, -0.0003),
        (0.25, 0.0),
        (0.55, 0.0004),
        (0.85, 0.0002),
        (1.0, 0.0),
        (1.15, 0.0008),
        (1.6, 0.0006),
    ):
        y = edge + up * share * tall
        out = bulge + swell
        rows.append(np.stack([x + normal[:, 0] * out, y, z + normal[:, 1] * out], -1))
        gums.append(np.full(len(s), 1.0 if share > 1.02 else 0.0))
        opens.append(np.where(share > 1.02, 1.0, 0.35 + 0.65 * np.clip(gap * 1.6, 0, 1)))
    triangles = grid(len(rows), len(s), closed=False)
    if up < 0:
        triangles = triangles[:, ::-1]
    return np.concatenate(rows), np.concatenate(gums), np.concatenate(opens), triangles


def make_teeth(head: Head, neutral: np.ndarray) -> tuple[Extra, np.ndarray, np.ndarray, np.ndarray]:
    """Teeth behind the person's lips.

    Args:
        head: The mesh and its mean.
        neutral: The person's neutral head, [v, 3], m.

    Returns:
        The geometry; share of gum and openness, [e] each; 1 for vertices that the jaw carries, [e].
    """
    near = (
        (np.abs(head.mean[:, 0]) < 0.012)
        & (np.abs(head.mean[:, 1] + 0.0445) < 0.004)
        & (head.mean[:, 2] > 0.036)
    )
    lips = neutral[near]
    line, front = float(lips[:, 1].mean()), float(lips[:, 2].min()) - 0.0030
    wide = 0.027
    upper, gum_u, open_u, tri_u = _row(UPPER, line - 0.0015, 1.0, front, wide)
    lower, gum_l, open_l, tri_l = _row(LOWER, line - 0.0008, -1.0, front - 0.0025, wide - 0.002)
    vertices = np.concatenate([upper, lower]).astype(np.float32)
    triangles = np.concatenate([tri_u, tri_l + len(upper)])
    jaw = np.concatenate([np.zeros(len(upper)), np.ones(len(lower))]).astype(np.float32)
    extra = Extra(vertices, vertices, np.ones(len(vertices)), triangles, np.full(len(triangles), TEETH))
    return extra, np.concatenate([gum_u, gum_l]), np.concatenate([open_u, open_l]), jaw


def jaw_drop(head: Head) -> np.ndarray:
    """Vertices whose mean move is the lower teeth's: those of the chin's bone, int [n]."""
    m = head.mean
    return np.flatnonzero(
        (np.abs(m[:, 0]) < 0.02) & (m[:, 1] < -0.066) & (m[:, 1] > -0.080) & (m[:, 2] > 0.015)
    )
