"""Things before a face or on it: spectacles, hats, a microphone, a hand."""

from __future__ import annotations

import numpy as np

from smoothswap.rendered.hair import Extra
from smoothswap.rendered.head import Head, smoothstep
from smoothswap.rendered.world4.clothes import grid
from smoothswap.rendered.world4.skull import ear_share
from smoothswap.rendered.world4.surface import FOAM, FRAME, HAND, HAT, LENS


def tube(
    path: np.ndarray, radius: np.ndarray | float, material: int, closed: bool = False, sides: int = 8
) -> Extra:
    """A round tube along points, rounded at its ends where radii shrink there.

    Args:
        path: [n, 3], m.
        radius: One number or [n], m.
        material: Of all triangles.
        closed: Whether the last point joins the first.
        sides: Of its cross-section.

    Returns:
        Geometry that turns with the head.
    """
    path = np.asarray(path, np.float64)
    ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    if not closed:
        ahead[0], ahead[-1] = path[1] - path[0], path[-1] - path[-2]
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    side = np.cross(ahead, np.array([0.05, 0.25, 1.0]))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(ahead, side)
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    around = side[:, None] * np.cos(turn)[None, :, None] + up[:, None] * np.sin(turn)[None, :, None]
    vertices = (path[:, None] + around * np.reshape(np.broadcast_to(radius, len(path)), (-1, 1, 1))).reshape(
        -1, 3
    )
    triangles = grid(len(path), sides, closed=True)
    if closed:
        last = (len(path) - 1) * sides
        c = np.arange(sides)
        d = (c + 1) % sides
        triangles = np.concatenate(
            [triangles, np.stack([last + c, last + d, c], -1), np.stack([last + d, d, c], -1)]
        )
    return _extra(vertices, triangles, material)


def _extra(vertices: np.ndarray, triangles: np.ndarray, material: int) -> Extra:
    vertices = vertices.astype(np.float32)
    return Extra(
        vertices, vertices, np.ones(len(vertices), np.float32), triangles, np.full(len(triangles), material)
    )


def spectacles(head: Head, neutral: np.ndarray, kind: int) -> list[Extra]:
    """Two rims with lenses, a bridge and temples, on the person's own nose.

    Args:
        head: The mesh and its mean.
        neutral: The person's neutral head, [v, 3], m.
        kind: 1 round, 2 square, 3 sunglasses.

    Returns:
        Pieces that turn with the head.
    """
    m = head.mean
    bridge = neutral[(np.abs(m[:, 0]) < 0.006) & (np.abs(m[:, 1] - 0.022) < 0.006) & (m[:, 2] > 0.03)]
    brow = neutral[
        (np.abs(np.abs(m[:, 0]) - 0.03) < 0.012) & (np.abs(m[:, 1] - 0.040) < 0.006) & (m[:, 2] > 0.02)
    ]
    front = max(float(bridge[:, 2].max()) + 0.001, float(brow[:, 2].max()) + 0.0035)
    wide, tall = {1: (0.0235, 0.0215), 2: (0.0275, 0.0185), 3: (0.029, 0.022)}[kind]
    power = {1: 1.0, 2: 0.5, 3: 0.65}[kind]
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    thick = {1: 0.0008, 2: 0.0016, 3: 0.0016}[kind]
    pieces = []
    near = neutral[
        (np.abs(m[:, 1] - 0.028) < 0.012) & (np.abs(m[:, 2] + 0.005) < 0.012) & (head.ear_weight < 0.3)
    ]
    temple = float(np.abs(near[:, 0]).max()) + 0.003
    for side in (-1, 1):
        cx = side * (wide + 0.0088)
        x = cx + wide * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power
        y = 0.0225 + tall * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power
        z = front - 2.2 * np.maximum(np.abs(x) - 0.01, 0) ** 2 - 0.06 * (0.0225 - y)
        rim = np.stack([x, y, z], -1)
        pieces.append(tube(rim, thick, FRAME, closed=True))
        middle = np.array([[cx, 0.0225, front - 2.2 * (abs(cx) - 0.01) ** 2 + 0.001]])
        fan = np.stack([np.arange(40), (np.arange(40) + 1) % 40, np.full(40, 40)], -1)
        pieces.append(_extra(np.concatenate([rim, middle]), fan, LENS))
        outer = np.array([side * (2 * wide + 0.0088), 0.0225 + 0.55 * tall, 0.0])
        outer[2] = front - 2.2 * (abs(outer[0]) - 0.01) ** 2
        path = [
            outer,
            [side * (temple + 0.001), outer[1], 0.012],
            [side * temple, outer[1] - 0.001, -0.018],
            [side * (temple - 0.002), outer[1] - 0.012, -0.034],
            [side * (temple - 0.004), outer[1] - 0.03, -0.040],
        ]
        pieces.append(tube(np.array(path), max(thick, 0.0011), FRAME))
    t = np.linspace(-1, 1, 7)
    arch = np.stack([0.0092 * t, 0.0275 + 0.0025 * (1 - t**2), front + 0.001 - 0.0015 * t**2], -1)
    return [*pieces, tube(arch, max(thick, 0.0010), FRAME)]


def hat_line(rest: np.ndarray, kind: int) -> np.ndarray:
    """How far above a hat's edge places of the head lie.

    Args:
        rest: On the mean head, [..., 3], m.
        kind: 1 cap, 2 beanie.

    Returns:
        m; negative below the edge.
    """
    y, z = rest[..., 1], rest[..., 2]
    front = {1: 0.090, 2: 0.079}[kind]
    return np.asarray(
        y - (front - 0.030 * smoothstep(0.05, -0.06, z) - 0.022 * (kind == 2) * smoothstep(0.0, -0.08, z))
    )


def hat(head: Head, neutral: np.ndarray, normals: np.ndarray, kind: int) -> list[Extra]:
    """A cap with a visor, or a knitted hat.

    Args:
        head: The mesh and its mean.
        neutral: The person's neutral head, [v, 3], m.
        normals: Its unit normals, [v, 3].
        kind: 1 cap, 2 beanie.

    Returns:
        Pieces that turn with the head.
    """
    above = hat_line(head.mean, kind)
    used = (ear_share() < 0.5) & (normals[:, 1] > -0.9)
    wanted = used[head.triangles].all(1) & (head.material == 0) & (above[head.triangles].max(1) > 0)
    triangles = head.triangles[wanted]
    ids, inverse = np.unique(triangles, return_inverse=True)
    thick = (0.006 if kind == 1 else 0.008) + 0.008 * smoothstep(0.0, 0.05, above[ids])
    shell = neutral[ids] + normals[ids] * thick[:, None]
    shell[:, 1] += np.maximum(-above[ids], 0)  # the edge is a line, whatever the mesh's triangles are
    shell[:, 1] += 0.004 * smoothstep(0.02, 0.06, above[ids])
    pieces = [_extra(shell, inverse.reshape(-1, 3), HAT)]
    if kind == 1:
        turn = np.linspace(-1.15, 1.15, 24)
        forehead = neutral[
            (np.abs(head.mean[:, 0]) < 0.01)
            & (np.abs(head.mean[:, 1] - 0.09) < 0.006)
            & (head.mean[:, 2] > 0)
        ]
        front, high = float(forehead[:, 2].max()) + 0.008, float(forehead[:, 1].mean())
        rows = []
        for t in np.linspace(0, 1, 6):
            x = 0.072 * np.sin(turn) * (1 - 0.05 * t)
            z = front - 0.058 * (1 - np.cos(turn)) + 0.065 * t * np.cos(turn) ** 0.5
            rows.append(np.stack([x, high - 0.012 * t - 5.5 * x**2 * (0.4 + 0.6 * t) * 0.9, z], -1))
        upper = np.concatenate(rows)
        both = np.concatenate([upper, upper - [0, 0.002, 0]])
        sheet = grid(6, 24, closed=False)
        pieces.append(_extra(both, np.concatenate([sheet, sheet[:, ::-1] + len(upper)]), HAT))
    return pieces


def microphone(rng: np.random.Generator) -> list[Extra]:
    """A ball of foam on a handle, held before the chin: it stays where it is when the head turns."""
    at = np.array([rng.uniform(-0.05, 0.05), rng.uniform(-0.105, -0.075), rng.uniform(0.085, 0.12)])
    s = np.linspace(0.02, np.pi - 0.02, 12)
    lean = np.array([rng.uniform(-0.5, 0.5), -1.0, rng.uniform(-0.1, 0.4)])
    lean /= np.linalg.norm(lean)
    ball = tube(at - lean[None] * (0.024 * np.cos(s))[:, None], 0.024 * np.sin(s), FOAM, sides=16)
    handle = tube(
        at + lean[None] * np.linspace(0.02, 0.20, 4)[:, None],
        np.array([0.013, 0.012, 0.011, 0.011]),
        FRAME,
        sides=14,
    )
    return [
        Extra(p.vertices, p.rest, np.zeros(len(p.vertices), np.float32), p.triangles, p.material)
        for p in (ball, handle)
    ]


def hand(rng: np.random.Generator) -> list[Extra]:
    """A hand at the chin or the cheek: a palm and four fingers of three joints and a thumb; it turns with the head."""
    side = float(rng.choice([-1, 1]))
    base = np.array(
        [side * rng.uniform(0.045, 0.075), rng.uniform(-0.135, -0.105), rng.uniform(0.045, 0.065)]
    )
    up = np.array([-side * rng.uniform(0.05, 0.5), 1.0, rng.uniform(-0.1, 0.1)])
    up /= np.linalg.norm(up)
    across = np.cross(up, [0, 0, 1.0])
    across /= np.linalg.norm(across)
    pieces = []
    for finger, (long, thick) in enumerate(
        ((0.062, 0.0078), (0.072, 0.0083), (0.067, 0.0080), (0.052, 0.0068))
    ):
        root = base + across * (0.019 * (finger - 1.5)) + up * 0.008
        bend = np.linspace(0, 1, 14)
        curl = rng.uniform(0.1, 0.5)
        path = (
            root
            + up * (long * bend)[:, None]
            + np.array([0, 0, -1.0]) * (curl * long * bend**2)[:, None]
            + across * (0.003 * (finger - 1.5) * bend)[:, None]
        )
        joints = 1 + 0.09 * np.cos(bend * 2 * np.pi * 2.2) - 0.18 * bend
        ends = np.sqrt(np.clip(1 - ((bend - 0.88) / 0.125).clip(0) ** 2, 0.02, 1))
        pieces.append(tube(path, thick * joints * ends, HAND, sides=12))
    t = np.linspace(0, 1, 12)
    palm = base - up * (0.075 * (1 - t) - 0.012)[:, None]
    flat = tube(
        palm,
        0.036 * np.sqrt(np.clip(1 - (2 * t - 1.12).clip(0) ** 2 * 1.1, 0.05, 1)) * (0.72 + 0.28 * t),
        HAND,
        sides=20,
    )
    middle = palm.mean(0)
    local = flat.vertices - middle
    through = np.array([0, 0, 1.0])
    local = local - through * (local @ through)[:, None] * 0.58
    palm_vertices = (middle + local).astype(np.float32)
    pieces.append(Extra(palm_vertices, palm_vertices, flat.weight, flat.triangles, flat.material))
    thumb = (
        base
        - up * 0.04
        + across * (side * 0.03)
        + (up * 0.75 - across * (-side) * 0.45)[None] * (0.06 * t)[:, None]
        + np.array([0, 0, 0.4]) * (0.02 * t)[:, None]
    )
    pieces.append(
        tube(
            thumb,
            0.0095 * (1 - 0.15 * t) * np.sqrt(np.clip(1 - ((t - 0.85) / 0.16).clip(0) ** 2, 0.02, 1)),
            HAND,
            sides=12,
        )
    )
    return pieces
