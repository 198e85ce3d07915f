"""Neck, shoulders and what is worn on them: one smooth torso, whose collar and cloth are drawn on it in warp."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import warp as wp

from smoothswap.rendered.hair import Extra
from smoothswap.rendered.head import CLOTH, SKIN, Head, load_head, smoothstep
from smoothswap.rendered.world4.vectors import ramp, vec

NECK_AXIS = -0.06  # z, m
# The order of Finish.style.
WORN = tuple(
    "cloth_r cloth_g cloth_b cloth2_r cloth2_g cloth2_b collar pattern frame_r frame_g frame_b hat_r hat_g hat_b".split()
)


def grid(rows: int, columns: int, closed: bool) -> np.ndarray:
    """Triangles of a sheet of points, row after row.

    Args:
        rows: How many.
        columns: Points in each.
        closed: Whether the last column joins the first.

    Returns:
        Point numbers, int [t, 3].
    """
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij")
    a, b = r * columns + c, r * columns + (c + 1) % columns
    d, e = a + columns, b + columns
    return np.concatenate([np.stack([a, b, d], -1).reshape(-1, 3), np.stack([b, e, d], -1).reshape(-1, 3)])


@lru_cache(maxsize=1)
def neck_loop() -> np.ndarray:
    """The head's lower edge, as vertex numbers in the order of their angle about the neck, int [n]."""
    head = load_head()
    sides = head.triangles[head.material == SKIN][:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    pairs, counts = np.unique(np.sort(sides, 1), axis=0, return_counts=True)
    found = np.unique(pairs[counts == 1])
    p = head.mean[found]
    found = found[(p[:, 1] < -0.02) & ((p[:, 2] < -0.03) | (p[:, 1] < -0.105))]
    p = head.mean[found]
    return np.asarray(found[np.argsort(np.arctan2(p[:, 0], p[:, 2] - NECK_AXIS))])


def torso(head: Head, neutral: np.ndarray, weight: float, gender: float) -> Extra:
    """From the head's lower edge over neck and shoulders to the chest.

    Args:
        head: The mesh and its mean.
        neutral: The person's neutral head, [v, 3], m.
        weight: 0..1, anny's phenotype.
        gender: 0 female to 1 male.

    Returns:
        Geometry whose upper rows turn with the head's edge and whose others stay.
    """
    loop = neck_loop()
    angle = np.arctan2(head.mean[loop, 0], head.mean[loop, 2] - NECK_AXIS)
    theta = np.linspace(-np.pi, np.pi, 64, endpoint=False)
    edge = np.stack([np.interp(theta, angle, neutral[loop, i], period=2 * np.pi) for i in range(3)], -1)
    share = np.interp(theta, angle, head.neck_weight[loop], period=2 * np.pi)
    wide = float(np.abs(edge[:, 0]).max())
    middle = float(edge[:, 2].mean())
    shoulders = 0.165 + 0.035 * gender + 0.06 * (weight - 0.5)
    chest = 0.090 + 0.06 * (weight - 0.4)
    # Height, half width, half depth, centre's z: the neck's root, the trapezius, shoulders, arms, chest.
    rings = (
        (-0.130, wide * 1.10, 0.046, middle - 0.000),
        (-0.143, wide * 1.50, 0.056, middle - 0.004),
        (-0.158, shoulders * 0.62, 0.070, middle - 0.008),
        (-0.172, shoulders * 0.86, chest * 0.92, middle - 0.008),
        (-0.195, shoulders * 1.03, chest * 1.02, middle - 0.006),
        (-0.240, shoulders * 1.14, chest * 1.10, middle),
        (-0.320, shoulders * 1.20, chest * 1.22, middle + 0.006),
        (-0.460, shoulders * 1.20, chest * 1.30, middle + 0.010),
    )
    across, ahead = np.sin(theta), np.cos(theta)
    rows = [edge * [0.93, 1, 1] + [0, 0.012, -0.03 * 0.0], edge]
    for y, half, depth, centre in rings:
        power = 1 - 0.22 * np.clip((-0.13 - y) / 0.1, 0, 1)  # shoulders are squarer than an ellipse
        x = half * np.sign(across) * np.abs(across) ** power
        # The pit of the throat lies in front, the nape's slope starts higher.
        high = y + (0.014 - 0.020 * ahead) * np.clip((y + 0.30) / 0.14, 0, 1)
        rows.append(np.stack([x, high, centre + depth * ahead], -1))
    known = np.array([0, 0.08, 0.22, 0.30, 0.38, 0.46, 0.56, 0.68, 0.82, 1.0])
    from scipy.interpolate import PchipInterpolator

    fine = np.linspace(0, 1, 34)
    vertices = PchipInterpolator(known, np.stack(rows))(fine).reshape(-1, 3).astype(np.float32)
    turning = (smoothstep(0.24, 0.07, fine)[:, None] * share).reshape(-1)
    triangles = grid(len(fine), 64, closed=True)[:, ::-1]
    return Extra(vertices, vertices, turning.astype(np.float32), triangles, np.full(len(triangles), CLOTH))


def shirt_collar(body: Extra, jacket: bool) -> Extra:
    """The turned-down leaf of a shirt's collar, open in front.

    Args:
        body: What torso gave: 34 rows of 64 points.
        jacket: Whether the shirt is of the second colour, under a jacket.

    Returns:
        A sheet that does not turn with the head.
    """
    rows = body.vertices.reshape(34, 64, 3).astype(np.float64)
    count = 5
    theta = np.linspace(-np.pi, np.pi, 64, endpoint=False)
    open_ = 0.30
    turns = (
        np.linspace(open_, 2 * np.pi - open_, 48) - np.pi
    )  # from the front's one side round the back to the other
    # The body's profile at each angle: [34, 48, 3].
    angles = (turns + 2 * np.pi) % (2 * np.pi) - np.pi
    profile = np.stack(
        [[np.interp(angles, theta, rows[k, :, i], period=2 * np.pi) for i in range(3)] for k in range(34)]
    ).transpose(0, 2, 1)
    sheet = []
    for t in np.linspace(0, 1, count):
        front = np.maximum(np.cos(angles), 0.0)
        level = -0.103 - 0.030 * front**2 - (0.030 + 0.020 * front**6) * t
        points = np.array(
            [
                [np.interp(-y, -line[:, 1], line[:, i]) for i in range(3)]
                for y, line in zip(level, profile.transpose(1, 0, 2), strict=True)
            ]
        )
        out = points * [1, 0, 1] - [0, 0, NECK_AXIS]
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        sheet.append(points + out * (0.0035 + 0.007 * t + 0.003 * np.sin(np.pi * t)))
    vertices = np.array(sheet).reshape(-1, 3).astype(np.float32)
    rest = vertices.copy()
    rest[:, 1] = rest[:, 1] - 0.25 if not jacket else -0.150
    if jacket:
        rest[:, 0], rest[:, 2] = 0.0, 0.05
    triangles = grid(count, 48, closed=False)
    return Extra(
        vertices, rest, np.zeros(len(vertices), np.float32), triangles, np.full(len(triangles), CLOTH)
    )


@wp.func
def neckline(p: wp.vec3, collar: float) -> float:
    """Height at which cloth begins, by the angle about the neck."""
    x = wp.abs(p[0])
    front = ramp(-0.03, 0.0, p[2])
    line = -0.120 + 0.012 * (1.0 - front)
    if collar < 0.5:  # crew
        line = -0.128 - 0.018 * front * ramp(0.075, 0.0, x)
    elif collar < 1.5:  # vee
        line = -0.126 - 0.075 * front * (1.0 - wp.min(x / 0.062, 1.0))
    elif collar < 2.5:  # shirt, a button open
        line = -0.112 - 0.045 * front * (1.0 - wp.min(x / 0.030, 1.0))
    elif collar < 3.5:  # blazer over a shirt
        line = -0.112 - 0.030 * front * (1.0 - wp.min(x / 0.026, 1.0))
    else:  # roll neck
        line = -0.098
    return line


@wp.func
def cloth_relief(p: wp.vec3, n: wp.vec3, style: wp.array(dtype=float), seed: int) -> wp.vec3:
    if p[1] > neckline(p, style[6]):
        return n
    state = wp.rand_init(seed + 11)
    q = wp.cw_mul(p, wp.vec3(16.0, 9.0, 16.0))
    a = wp.noise(state, q)
    b = wp.noise(state, q * 2.3 + wp.vec3(9.0, 2.0, 5.0))
    weave = wp.noise(state, p * 700.0)
    return wp.normalize(n + wp.vec3(0.55 * a + 0.3 * b + 0.08 * weave, 0.3 * b + 0.08 * weave, 0.4 * a))


@wp.func
def cloth_colour(p: wp.vec3, style: wp.array(dtype=float), seed: int) -> wp.vec3:
    """Albedo of the cloth below the neckline, its collar, seams and pattern."""
    collar = style[6]
    line = neckline(p, collar)
    main = vec(style, 0)
    other = vec(style, 3)
    state = wp.rand_init(seed + 17)
    x = wp.abs(p[0])
    y = p[1]
    pattern = style[7]
    cloth = main
    if pattern > 0.5 and pattern < 1.5:  # stripes
        cloth = main + (other - main) * ramp(0.4, 0.6, 0.5 + 0.5 * wp.sin(y * 330.0))
    elif pattern > 1.5 and pattern < 2.5:  # checks
        a = ramp(0.3, 0.7, 0.5 + 0.5 * wp.sin(p[0] * 190.0))
        b = ramp(0.3, 0.7, 0.5 + 0.5 * wp.sin(y * 190.0))
        cloth = main + (other - main) * (0.35 * a + 0.35 * b)
    elif pattern > 2.5:  # heather
        cloth = main * (1.0 + 0.5 * wp.noise(state, p * 420.0))
    cloth = cloth * (1.0 + 0.10 * wp.noise(state, p * 900.0))
    below = line - y
    if collar < 0.5:
        rib = ramp(0.014, 0.012, below)
        cloth = cloth * (1.0 - 0.18 * rib) * (1.0 - 0.4 * ramp(0.0015, 0.0, wp.abs(below - 0.013)))
    elif collar < 1.5:
        cloth = cloth * (1.0 - 0.45 * ramp(0.0015, 0.0, wp.abs(below - 0.010)))
    elif collar < 2.5:
        placket = ramp(0.0016, 0.0, wp.abs(p[0] - 0.014)) * ramp(-0.02, 0.0, p[2]) * ramp(0.03, 0.05, below)
        cloth = cloth * (1.0 - 0.35 * placket)
        button = ramp(
            0.0042, 0.0034, wp.length(wp.vec2(p[0], (y + 0.205) - 0.07 * wp.floor((y + 0.24) / 0.07)))
        )
        cloth = cloth * (1.0 - 0.3 * button * ramp(0.0, 0.02, p[2]))
    elif collar < 3.5:
        # The shirt shows in a wedge between the lapels, which have an edge and a notch.
        wedge = 0.058 - 0.27 * (-0.118 - y)
        jacket = ramp(wedge - 0.001, wedge + 0.001, x)
        if p[2] < -0.03:
            jacket = ramp(-0.122, -0.124, y)
        shirt = other
        lapel = wedge + 0.040 + 0.10 * ramp(-0.20, -0.15, y)
        mark = (
            ramp(0.0018, 0.0, wp.abs(x - lapel)) * ramp(0.0, 0.02, p[2])
            + ramp(0.004, 0.0, wp.abs(x - wedge)) * 0.7
        )
        cloth = main * (1.0 - 0.5 * wp.min(mark, 1.0)) * jacket + shirt * (1.0 - jacket)
    else:
        rib = 0.5 + 0.5 * wp.sin(wp.atan2(p[0], p[2] + 0.05) * 90.0)
        cloth = cloth * (1.0 - 0.15 * rib * ramp(0.045, 0.03, below))
        cloth = cloth * (1.0 - 0.35 * ramp(0.004, 0.0, wp.abs(below - 0.042)))
    # A little shade where the cloth lies on the neck.
    return cloth * (0.72 + 0.28 * ramp(0.0, 0.006, below))
