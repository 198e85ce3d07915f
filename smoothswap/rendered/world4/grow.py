"""Hair that grows from skin: what a strand is, and where its root may lie.

A strand is a run of points in the neutral person's frame, its root a place in a triangle of the head, so that brows and
beards move with the face (strands.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smoothswap.rendered.head import SKIN, Head

SCALP, BROW, LASH, BEARD = range(4)


@dataclass(frozen=True)
class Strands:
    """Hairs as runs of points.

    s strands of k points: points [s, k, 3] m, triangle [s], weights [s, 3] of its corners at the root, width [s] m,
    colour [s, 3] linear, kind [s], one of SCALP to BEARD.
    """

    points: np.ndarray
    triangle: np.ndarray
    weights: np.ndarray
    width: np.ndarray
    colour: np.ndarray
    kind: np.ndarray


def roots(
    rng: np.random.Generator, head: Head, neutral: np.ndarray, density: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Places where hair grows, drawn by area times density.

    Args:
        rng: Drawn from.
        head: The mesh.
        neutral: The person's neutral head, [v, 3], m.
        density: Per vertex, [v], 0 and above.
        count: How many.

    Returns:
        Triangles int [count] and barycentric weights [count, 3]; none where nothing grows.
    """
    triangles = np.flatnonzero(head.material == SKIN)
    corners = neutral[head.triangles[triangles]]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    share = area * density[head.triangles[triangles]].mean(1)
    if share.sum() <= 0:
        return np.zeros(0, np.int64), np.zeros((0, 3), np.float32)
    edges = np.cumsum(share) / share.sum()
    chosen = triangles[
        np.minimum(
            np.searchsorted(edges, (np.arange(count) + rng.uniform(0, 1, count)) / count), len(triangles) - 1
        )
    ]
    a, b = np.sqrt(rng.uniform(0, 1, count)), rng.uniform(0, 1, count)
    return chosen, np.stack([1 - a, a * (1 - b), a * b], -1).astype(np.float32)


def at(values: np.ndarray, head: Head, triangle: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Values of vertices at places in triangles.

    Args:
        values: [v, k].
        head: The mesh.
        triangle: Numbers of triangles, [n].
        weights: Barycentric, [n, 3].

    Returns:
        [n, k].
    """
    return np.asarray((values[head.triangles[triangle]] * weights[..., None]).sum(1))


def unit(v: np.ndarray) -> np.ndarray:
    """Vectors [..., 3] at length 1."""
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9))


def joined(parts: list[Strands]) -> list[np.ndarray]:
    """All strands as one run: points [p, 3], first and count [s] of each; triangle, weights, width, colour, kind [s]."""
    counts = np.concatenate([np.full(len(part.points), part.points.shape[1]) for part in parts])
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rest = [
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("triangle", "weights", "width", "colour", "kind")
    ]
    return [np.concatenate([part.points.reshape(-1, 3) for part in parts]), first, counts, *rest]


def thinned(strands: Strands, step: int) -> Strands:
    """Every `step`th strand, each wide enough to stand for those left out: what a small picture needs.

    Args:
        strands: All of them.
        step: 1 leaves them as they are.

    Returns:
        New strands; the same ones for 1.
    """
    if step == 1:
        return strands
    kept = {name: getattr(strands, name)[::step] for name in strands.__dataclass_fields__}
    return Strands(**kept | {"width": kept["width"] * step**0.75})
