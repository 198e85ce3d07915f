"""Hair and clothes as geometry: a shell over the scalp, a curtain for long hair, a bun, a bust below the neck."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smoothswap.rendered.head import CLOTH, HAIR, Head, smoothstep
from smoothswap.rendered.people import Styling
from smoothswap.rendered.shading import STYLE

# style -> thickness (m) of the shell at the top, the front, the sides and the back
_THICKNESS = {
    "shaven": (0.0, 0.0, 0.0, 0.0),
    "receding": (0.006, 0.004, 0.005, 0.006),
    "short": (0.010, 0.009, 0.005, 0.006),
    "crop": (0.018, 0.016, 0.009, 0.010),
    "quiff": (0.034, 0.040, 0.007, 0.008),
    "afro": (0.055, 0.045, 0.050, 0.050),
    "bob": (0.020, 0.016, 0.022, 0.022),
    "long": (0.018, 0.014, 0.018, 0.020),
    "bun": (0.012, 0.010, 0.008, 0.010),
    "fringe": (0.020, 0.014, 0.014, 0.014),
}


@dataclass(frozen=True)
class Extra:
    """Geometry beside the head: neutral vertices [e, 3], rest [e, 3], neck weight [e], triangles [t, 3], material [t]."""

    vertices: np.ndarray
    rest: np.ndarray
    weight: np.ndarray
    triangles: np.ndarray
    material: np.ndarray


def hairline(rest: np.ndarray, front: float) -> np.ndarray:
    """Height from which hair grows, falling from the forehead over the temple to the nape.

    Args:
        rest: Places on the mean head, [v, 3], m.
        front: The height (y) at the forehead, m: `hairline` of a styling.

    Returns:
        [v], the height at each place's depth, m.
    """
    z = rest[:, 2]
    return (
        front
        - 0.015 * smoothstep(0.03, 0.0, z)
        - 0.05 * smoothstep(0.02, -0.02, z)
        - 0.085 * smoothstep(-0.02, -0.06, z)
    )


def _grid(rows: int, columns: int, closed: bool) -> np.ndarray:
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij")
    a, b = r * columns + c, r * columns + (c + 1) % columns
    d, e = a + columns, b + columns
    return np.concatenate([np.stack([a, b, d], -1).reshape(-1, 3), np.stack([b, e, d], -1).reshape(-1, 3)])


def _shell(head: Head, neutral: np.ndarray, normals: np.ndarray, styling: Styling) -> Extra | None:
    top, front, side, back = (t * styling.volume for t in _THICKNESS[styling.hair])
    if top == 0:
        return None
    rest = head.mean
    line = hairline(rest, float(styling.values[STYLE.index("hairline")]))
    mask = smoothstep(0.0, 0.016, rest[:, 1] - line) * (1 - smoothstep(0.05, 0.4, head.ear_weight))
    if styling.hair == "receding":
        mask *= 1 - smoothstep(0.03, 0.06, rest[:, 2] + 0.9 * np.maximum(rest[:, 1] - 0.09, 0) + 0.03)
    up = smoothstep(0.06, 0.13, rest[:, 1])
    ahead = smoothstep(-0.01, 0.04, rest[:, 2])
    behind = smoothstep(-0.04, -0.10, rest[:, 2])
    thickness = (
        side * (1 - up) * (1 - behind) + back * (1 - up) * behind + up * (top * (1 - ahead) + front * ahead)
    )
    thickness = thickness * np.sqrt(mask)
    used = (thickness > 2e-4) & (normals[:, 1] > -0.95)
    triangles = head.triangles[used[head.triangles].any(1) & (head.material[:] == 0)]
    ids, inverse = np.unique(triangles, return_inverse=True)
    lift = np.array([0, 0.35, 0], np.float32) * up[ids, None]
    vertices = neutral[ids] + (normals[ids] + lift) * thickness[ids, None] - normals[ids] * 0.001
    triangles = inverse.reshape(-1, 3)
    return Extra(vertices, rest[ids], head.neck_weight[ids], triangles, np.full(len(triangles), HAIR))


def _curtain(styling: Styling) -> Extra | None:
    length = {"long": 0.16, "bob": 0.055}.get(styling.hair)
    if length is None:
        return None
    rows, columns = 10, 40
    opening = 0.95 if styling.hair == "long" else 0.80  # radians kept free to each side of the face
    theta = np.linspace(opening, 2 * np.pi - opening, columns)
    t = np.linspace(0, 1, rows)[:, None]
    radius = 0.083 + 0.012 * styling.volume + 0.012 * np.sin(t * np.pi)
    x = radius * np.sin(theta) * (1 + 0.03 * np.sin(theta * 9))
    z = -0.045 + (radius + 0.012) * np.cos(theta)
    y = 0.075 - t * (0.11 + length * styling.volume) + 0 * theta
    vertices = np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float32)
    weight = smoothstep(-0.16, 0.0, vertices[:, 1])
    triangles = _grid(rows, columns, closed=False)
    return Extra(vertices, vertices, weight, triangles, np.full(len(triangles), HAIR))


def _bun(neutral: np.ndarray, styling: Styling) -> Extra | None:
    if styling.hair != "bun":
        return None
    around = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    latitude, longitude = np.meshgrid(np.linspace(0, np.pi, 9), around, indexing="ij")
    ball = np.stack(
        [np.sin(latitude) * np.cos(longitude), np.cos(latitude), np.sin(latitude) * np.sin(longitude)], -1
    )
    behind = neutral[np.abs(neutral[:, 2] + 0.085) < 0.02]
    place = np.array([0, behind[:, 1].max() + 0.022, -0.085])
    vertices = (ball.reshape(-1, 3) * 0.034 * styling.volume + place).astype(np.float32)
    triangles = _grid(9, 16, closed=True)
    return Extra(vertices, vertices, np.ones(len(vertices)), triangles, np.full(len(triangles), HAIR))


def _bust(head: Head, neutral: np.ndarray) -> Extra:
    """A garment from the neck over the shoulders, fitted to the person's own neck."""
    ring = neutral[head.mean[:, 1] < -0.10]
    centre = np.array([0.0, ring[:, 2].mean()])
    width = np.abs(ring[:, 0]).max() + 0.004
    depth = np.abs(ring[:, 2] - centre[1]).max() + 0.004
    profile = np.array(
        [
            [-0.098, 1.02, 1.02],
            [-0.106, 1.12, 1.1],
            [-0.118, 1.5, 1.15],
            [-0.135, 2.3, 1.3],
            [-0.165, 3.1, 1.5],
            [-0.30, 3.4, 1.7],
        ]
    )
    theta = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    x = profile[:, 1:2] * width * np.cos(theta)
    z = centre[1] + profile[:, 2:3] * depth * np.sin(theta)
    y = profile[:, :1] + 0.010 * np.sin(theta) * -1 + 0 * theta
    vertices = np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float32)
    triangles = _grid(len(profile), 40, closed=True)
    return Extra(vertices, vertices, np.zeros(len(vertices)), triangles, np.full(len(triangles), CLOTH))


def dress(head: Head, neutral: np.ndarray, normals: np.ndarray, styling: Styling) -> Extra:
    """All extra geometry of one person in one styling: hair and clothes.

    Args:
        head: The mesh and its mean.
        neutral: The person's neutral head, [v, 3], m.
        normals: Its unit normals, [v, 3].
        styling: What is worn.

    Returns:
        Neutral geometry beside the head, whose triangles count its own vertices from 0.
    """
    parts = [
        _shell(head, neutral, normals, styling),
        _curtain(styling),
        _bun(neutral, styling),
        _bust(head, neutral),
    ]
    present = [part for part in parts if part is not None]
    offsets = np.cumsum([0, *(len(part.vertices) for part in present[:-1])])
    return Extra(
        np.concatenate([part.vertices for part in present]).astype(np.float32),
        np.concatenate([part.rest for part in present]).astype(np.float32),
        np.concatenate([part.weight for part in present]).astype(np.float32),
        np.concatenate([part.triangles + o for part, o in zip(present, offsets, strict=True)]),
        np.concatenate([part.material for part in present]).astype(np.int32),
    )
