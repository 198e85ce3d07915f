"""Skin as pictures of one person: colour, height and gloss over the unrolled mean head, and folds that faces make.

A place's texel is its angle about the head's vertical axis and its height, both on the mean head, so that marks move
with the vertices that carry them. Everything is drawn from the person's numbers once and looked up at each pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from smoothswap.rendered.head import SKIN, load_head, normal_operator, smoothstep, vertex_normals

AXIS = -0.03  # z of the axis about which the head is unrolled, m
SIDE = 2.2  # radians to each side
BOTTOM, TOP = -0.135, 0.150  # m
TEXELS = 512
FOLDS = ("forehead", "frown", "crow", "smile")  # folds that expressions make


@dataclass(frozen=True)
class Skin:
    """colour [n, n, 3] linear; height [n, n] m; gloss [n, n] 0..1; folds [4, n, n] m, of FOLDS in full."""

    colour: np.ndarray
    height: np.ndarray
    gloss: np.ndarray
    folds: np.ndarray


@lru_cache(maxsize=1)
def unrolled() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y, z [n, n] float32 of each texel on the mean head (m); row 0 is the bottom."""
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

    head = load_head()
    normals = vertex_normals(head.mean, head.triangles, normal_operator(head.triangles, len(head.mean)))
    ids = np.unique(head.triangles[head.material == SKIN])
    out = head.mean[ids] - np.array([0, 0, AXIS])
    radial = out[:, [0, 2]] / np.maximum(np.linalg.norm(out[:, [0, 2]], axis=1, keepdims=True), 1e-6)
    facing = (normals[ids][:, [0, 2]] * radial).sum(1) > 0.15
    p = head.mean[ids[facing & (head.ear_weight[ids] < 0.6)]]
    angle = np.arctan2(p[:, 0], p[:, 2] - AXIS)
    radius = np.hypot(p[:, 0], p[:, 2] - AXIS)
    line = np.linspace(-SIDE, SIDE, TEXELS)
    u, v = np.meshgrid(line, np.linspace(BOTTOM, TOP, TEXELS))
    places, wanted = np.stack([angle, p[:, 1] / 0.08], -1), (u, v / 0.08)
    r = LinearNDInterpolator(places, radius)(wanted)
    far = np.isnan(r)
    r[far] = NearestNDInterpolator(places, radius)((u[far], v[far] / 0.08))
    r = cv2.GaussianBlur(r.astype(np.float32), (0, 0), 1.5)
    return (
        np.asarray(r * np.sin(u), np.float32),
        np.asarray(v, np.float32),
        np.asarray(AXIS + r * np.cos(u), np.float32),
    )


def noise(rng: np.random.Generator, cell: float, stretch: float = 1.0) -> np.ndarray:
    """Smooth noise of about unit deviation over the texels.

    Args:
        rng: Drawn from.
        cell: Size of its grains, m.
        stretch: How many times wider than high they are.

    Returns:
        float32 [n, n].
    """
    columns = max(int(2 * SIDE * 0.085 / (cell * stretch)), 3)
    rows = max(int((TOP - BOTTOM) / cell), 3)
    if rows >= TEXELS or columns >= TEXELS:
        rows, columns = min(rows, TEXELS), min(columns, TEXELS)
    grid = rng.standard_normal((rows, columns), np.float32)
    return np.asarray(cv2.resize(grid, (TEXELS, TEXELS), interpolation=cv2.INTER_CUBIC)) * 1.25


def _blob(x: np.ndarray, y: np.ndarray, cx: float, cy: float, sx: float, sy: float) -> np.ndarray:
    return np.asarray(np.exp(-0.5 * (((x - cx) / sx) ** 2 + ((y - cy) / sy) ** 2)))


def _groove(distance: np.ndarray, width: float) -> np.ndarray:
    """A furrow's profile: deep in the middle, with raised banks."""
    t = np.asarray(distance / width, np.float32)
    return np.asarray(-np.exp(-(t**2)) + 0.45 * np.exp(-((np.abs(t) - 1.9) ** 2)))


def lip_shape(x: np.ndarray, y: np.ndarray, fullness: float) -> np.ndarray:
    """How much of a place is red of the lips.

    Args:
        x: On the mean head, m.
        y: Of the same shape.
        fullness: 1 for the middling lip.

    Returns:
        0..1.
    """
    u = np.clip(np.abs(x) / 0.0245, 0, 1)
    arc = np.sqrt(np.maximum(1 - u**2, 0))
    top = -0.0445 + 0.0078 * fullness * arc**0.8 * (1 - 0.22 * np.exp(-(u**2) * 60))
    bottom = -0.0445 - 0.0115 * fullness * arc
    inside = smoothstep(top + 0.0007, top - 0.0010, y) * smoothstep(bottom - 0.0009, bottom + 0.0011, y)
    return np.asarray(inside * smoothstep(0.0248, 0.0232, np.abs(x)))


def _folds(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Furrows of forehead, frown, eyes' corners and smile, in full, m."""
    ax = np.abs(x)
    wavy = 0.0022 * noise(rng, 0.03, 2)
    forehead = np.zeros_like(x)
    for height in (0.062 + 0.0105 * np.arange(4) + rng.normal(0, 0.0012, 4)).tolist():
        arch = height + 0.004 * np.cos(ax / 0.05 * np.pi) * rng.uniform(0.2, 1) + wavy
        forehead += _groove(y - arch, 0.0016) * smoothstep(0.052, 0.030, ax) * rng.uniform(0.5, 1)
    frown = np.zeros_like(x)
    for side in (-1, 1):
        line = side * (0.007 + rng.normal(0, 0.001)) + 0.12 * side * (y - 0.045) + 0.3 * wavy
        frown += _groove(x - line, 0.0013) * _blob(x, y, 0, 0.046, 1, 0.009)
    crow = np.zeros_like(x)
    cx, cy = ax - 0.046, y - 0.026
    distance, angle = np.hypot(cx, cy), np.arctan2(cy, cx)
    for direction in (np.linspace(-0.75, 0.75, 4) + rng.normal(0, 0.06, 4)).tolist():
        ray = _groove((angle - direction) * distance + 0.25 * wavy, 0.0009)
        crow += ray * smoothstep(0.002, 0.006, distance) * smoothstep(0.021, 0.010, distance) * (cx > -0.002)
    # From the wing of the nose to beside the corner of the mouth.
    t = np.clip((-0.008 - y) / 0.045, 0, 1)
    line = 0.0175 + 0.0175 * t**0.8 + 0.4 * wavy
    smile = _groove(ax - line, 0.0023) * smoothstep(0.0, 0.12, t) * smoothstep(1.0, 0.72, t)
    return (
        np.stack([0.0006 * forehead, 0.0007 * frown, 0.0005 * crow, 0.0011 * smile]).astype(np.float32)
        * front
    )


def make_skin(look: Mapping[str, float]) -> Skin:
    """Draw a person's skin.

    Args:
        look: A person's numbers by name (world4.people.LOOK).

    Returns:
        The pictures; the same numbers give the same ones.
    """
    rng = np.random.default_rng(int(look["noise_seed"]))
    x, y, z = unrolled()
    ax = np.abs(x)
    front = smoothstep(-0.02, 0.015, z)
    age = float(np.clip((look["age"] - 18) / 72, 0, 1))
    base = np.array([look[f"skin_{c}"] for c in "rgb"], np.float32)
    pale = float(np.clip((base[1] - 0.06) / 0.3, 0, 1))
    slow, mid, fine = noise(rng, 0.03), noise(rng, 0.007), noise(rng, 0.0018)
    pore = noise(rng, 0.0011)
    # Pigment darkens, blood reddens: both as optical depths over the base colour.
    pigment = look["blotches"] * (0.16 * slow + 0.055 * mid) + 0.018 * fine
    pigment += (
        0.10
        * look["under_eye"]
        * (_blob(ax, y, 0.029, 0.0115, 0.012, 0.0045) + 0.4 * _blob(ax, y, 0.019, 0.019, 0.004, 0.006))
    )
    pigment += 0.22 * _blob(ax, y, 0.031, 0.0345, 0.014, 0.004) * front  # the lid
    crease_line = np.exp(-(((y - 0.0362 + 24 * (ax - 0.031) ** 2) / 0.0009) ** 2)) * smoothstep(
        0.016, 0.012, np.abs(ax - 0.031)
    )
    pigment += 0.5 * look["lid_crease"] * crease_line * front
    nostril = _blob(ax, y, 0.0078, -0.0205, 0.0032, 0.0022) + 0.35 * _blob(
        ax, y, 0.0175, -0.0165, 0.0018, 0.006
    )
    pigment += 0.8 * nostril * smoothstep(0.03, 0.045, z)
    speck = smoothstep(0.55, 1.5, noise(rng, 0.0032)) * (0.35 + 0.65 * smoothstep(-0.5, 1, slow))
    freckled = _blob(ax, y, 0.03, 0.0, 0.028, 0.026) + 0.35
    pigment += 0.42 * look["freckles"] * speck * np.minimum(freckled, 1) * front
    spots = smoothstep(1.5, 2.1, noise(rng, 0.008)) * smoothstep(0.45, 0.9, np.array(age))
    pigment += 0.22 * spots * (0.3 + 0.7 * pale)
    mole = np.hypot(x - look["mole_x"], y - look["mole_y"]) / max(look["mole_size"], 1e-5)
    pigment += 1.3 * smoothstep(1.15, 0.7, mole + 0.12 * fine) * front
    blood = 0.75 * _blob(ax, y, 0.040, -0.008, 0.018, 0.015) + 0.9 * _blob(ax, y, 0.0, -0.013, 0.011, 0.010)
    blood += 0.45 * _blob(ax, y, 0.0, -0.073, 0.016, 0.010) + 0.5 * _blob(ax, y, 0.0155, -0.017, 0.004, 0.006)
    blood += (
        0.5 * smoothstep(0.064, 0.072, ax) * smoothstep(-0.045, -0.02, y) * smoothstep(0.05, 0.035, y)
    )  # ears
    blood += 0.35 * _blob(ax, y, 0.031, 0.0205, 0.016, 0.0035)
    blood = look["redness"] * blood * (1 + 0.35 * slow) * front + 0.10 * mid * look["redness"]
    threads = 1 - np.abs(noise(rng, 0.006)) / 0.14
    blood += (
        0.5
        * np.maximum(threads, 0)
        * _blob(ax, y, 0.030, -0.010, 0.018, 0.014)
        * smoothstep(0.3, 0.8, np.array(age))
        * pale
    )
    vein = np.maximum(1 - np.abs(noise(rng, 0.016)) / 0.10, 0) * (
        _blob(ax, y, 0.056, 0.050, 0.012, 0.02) + 0.5 * _blob(ax, y, 0.03, 0.012, 0.014, 0.006)
    )
    vein = vein * look["veins"] * pale
    yellow = 0.10 * _blob(ax, y, 0, 0.075, 0.045, 0.02) * pale  # little blood over the bone of the forehead
    depth = pigment[..., None] * np.array([0.75, 1.0, 1.2], np.float32)
    depth += blood[..., None] * np.array([0.02, 0.42, 0.36], np.float32)
    depth += vein[..., None] * np.array([0.16, 0.05, 0.0], np.float32)
    depth += yellow[..., None] * np.array([-0.2, 0.0, 0.6], np.float32)
    colour = base * np.exp(-depth)
    # Make-up, then what grows: stubble under the skin is bluish grey.
    shadow = np.array([look[f"shadow_{c}"] for c in "rgb"], np.float32)
    lid = (look["eyeshadow"] * _blob(ax, y, 0.031, 0.0355, 0.014, 0.0045) * front)[..., None]
    colour = colour * (1 - lid) + shadow * lid
    liner = smoothstep(0.0021, 0.0008, np.abs(y - 0.0318 + 70 * (ax - 0.031) ** 2 * 0.25)) * smoothstep(
        0.015, 0.012, np.abs(ax - 0.031)
    )
    colour *= (1 - np.clip(0.45 + 0.5 * look["liner"], 0, 0.85) * liner * front)[
        ..., None
    ]  # lashes' roots, and make-up
    hair = np.array([look[f"beard_{c}"] for c in "rgb"], np.float32)
    grown = beard_area(x, y, z)
    grain = np.clip(0.75 + 0.35 * fine + 0.2 * pore, 0, 1.3)
    stain = np.clip(
        look["stubble"] * np.max([grown[k] * max(look[k], 0.75) for k in grown], 0) * grain, 0, 0.9
    )[..., None]
    under = 0.5 * hair + 0.35 * base * np.array([0.75, 0.85, 1.0], np.float32)
    colour = colour * (1 - 0.62 * stain) + under * 0.62 * stain
    brow = np.array([look[f"brow_{c}"] for c in "rgb"], np.float32)
    tinted = (0.5 * np.clip(brow_area(ax, y, look) * look["brow_density"], 0, 1) * front)[..., None]
    colour = colour * (1 - tinted) + (0.7 * brow + 0.1 * base) * tinted
    lip = lip_shape(x, y, look["lip_fullness"])
    red = np.array([look[f"lip_{c}"] for c in "rgb"], np.float32)
    fluted = noise(rng, 0.008, 0.16)
    red = red * np.exp(
        -(0.10 * fluted + 0.05 * mid + 0.25 * smoothstep(0.0030, 0.0, np.abs(y + 0.0445)))[..., None]
    )
    colour = colour * (1 - 0.9 * lip[..., None]) + red * (0.9 * lip[..., None])
    corner = _blob(ax, y, 0.0245, -0.0447, 0.002, 0.002)
    inner = _blob(ax, y, 0.0165, 0.0225, 0.0022, 0.0018)  # caruncle
    colour = (
        colour
        * (1 - 0.35 * corner - 0.0 * inner)[..., None]
        * (1 - inner[..., None] * np.array([0.05, 0.4, 0.35]))
    )
    margin = smoothstep(0.0016, 0.0004, np.abs(y - 0.0207 - 25 * (ax - 0.031) ** 2)) * smoothstep(
        0.013, 0.011, np.abs(ax - 0.031)
    )
    colour *= 1 - margin[..., None] * np.array([0.0, 0.22, 0.20])  # the wet edge of the lower lid
    # Height: pores, goose-flesh of cheeks, lips' flutes, and the folds that age has left.
    porous = 0.5 + _blob(ax, y, 0.0, -0.008, 0.02, 0.02) + 0.6 * _blob(ax, y, 0.03, -0.008, 0.018, 0.018)
    height = 0.00007 * look["pores"] * porous * pore + 0.00006 * fine + 0.00004 * mid * (0.4 + age)
    height = height * (1 - lip) + lip * 0.00016 * fluted
    folds = _folds(rng, x, y, front)
    worn = np.array([0.75, 0.6, 0.9, 0.85]) * (age**1.15) * look["wrinkles"]
    height = height + np.tensordot(worn.astype(np.float32), folds, 1)
    bag = _groove(y - 0.0095 - 22 * (ax - 0.031) ** 2, 0.0022) * smoothstep(0.017, 0.010, np.abs(ax - 0.030))
    crease = _groove(y - 0.0365 + 24 * (ax - 0.031) ** 2, 0.0011) * smoothstep(
        0.0155, 0.012, np.abs(ax - 0.031)
    )
    t = np.clip((-0.048 - y) / 0.026, 0, 1)
    marionette = _groove(ax - 0.0265 - 0.006 * t, 0.002) * smoothstep(0, 0.15, t) * smoothstep(1, 0.6, t)
    fan = noise(rng, 0.006, 0.35) * _blob(ax, y, 0, -0.034, 0.018, 0.005)
    crepe = noise(rng, 0.0035, 1.8)
    lines = 0.0006 * bag + 0.0007 * marionette + 0.00022 * fan + 0.00008 * crepe
    neck = sum(_groove(y + h + 0.004 * slow - 0.3 * ax**2 / 0.05, 0.0014) for h in (0.100, 0.112, 0.123))
    height = height + front * (look["wrinkles"] * age * lines + 0.0007 * crease * look["lid_crease"])
    height = height + 0.0004 * (0.3 + age) * neck * smoothstep(-0.088, -0.098, y)
    # Folds hold a little dirt and shade.
    colour *= np.clip(1 + 260 * np.minimum(height, 0) * 1.2, 0.72, 1.0)[..., None]
    gloss = 0.45 + 0.35 * _blob(ax, y, 0, 0.0, 0.013, 0.03) + 0.25 * _blob(ax, y, 0, 0.075, 0.035, 0.02)
    gloss = gloss + 0.15 * _blob(ax, y, 0.043, 0.0, 0.014, 0.012) + 0.12 * fine
    gloss = look["oil"] * gloss * (1 - 0.35 * stain[..., 0]) * (1 - lip) + lip * (
        0.45 + 0.55 * look["lip_gloss"]
    )
    return Skin(
        np.clip(colour, 0.002, 0.9).astype(np.float32),
        height.astype(np.float32),
        np.clip(gloss, 0, 1.2).astype(np.float32),
        folds,
    )


def beard_area(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> dict[str, np.ndarray]:
    """Where moustache, chin and cheeks grow hair.

    Args:
        x: On the mean head, m.
        y: Of the same shape.
        z: Of the same shape.

    Returns:
        0..1 by the look's names.
    """
    ax = np.abs(x)
    moustache = smoothstep(0.033, 0.026, ax) * smoothstep(
        -0.0365, -0.0345, y + 0.10 * np.maximum(ax - 0.012, 0)
    )
    moustache *= smoothstep(-0.0215, -0.0255, y + 0.18 * np.maximum(ax - 0.010, 0)) * smoothstep(0.0, 0.02, z)
    below = smoothstep(-0.0570, -0.0630, y) * smoothstep(0.034, 0.024, ax)
    beside = smoothstep(0.0255, 0.0275, ax) * smoothstep(0.036, 0.030, ax) * smoothstep(-0.033, -0.040, y)
    chin = np.maximum(below, beside) * smoothstep(-0.01, 0.012, z) * smoothstep(-0.106, -0.092, y)
    # The cheek's edge falls from the sideburn to the corner of the mouth.
    edge = -0.036 + 0.065 * smoothstep(0.030, 0.068, ax)
    cheek = smoothstep(0.006, -0.008, y - edge) * smoothstep(0.028, 0.036, ax) * smoothstep(-0.038, -0.018, z)
    throat = smoothstep(-0.118, -0.098, y - 0.2 * np.minimum(z, 0.02))
    return {"moustache": moustache, "chin_beard": chin * throat, "cheek_beard": cheek * throat}


def brow_area(ax: np.ndarray, y: np.ndarray, look: Mapping[str, float]) -> np.ndarray:
    """How thick the brow grows.

    Args:
        ax: |x| on the mean head, m.
        y: Of the same shape.
        look: The person's numbers by name.

    Returns:
        0..1.
    """
    s = (ax - 0.0105) / look["brow_length"]
    middle, half = brow_line(s, look)
    inside = np.exp(-(((y - middle) / np.maximum(half, 1e-5)) ** 2) * 1.1)
    return np.asarray(inside * smoothstep(-0.05, 0.06, s) * smoothstep(1.04, 0.85, s))


def brow_line(s: np.ndarray, look: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """The brow's course.

    Args:
        s: Shares of its length from the inner end.
        look: The person's numbers by name.

    Returns:
        Height on the mean head and half thickness, m.
    """
    t = np.clip(s, 0, 1)
    # Low at the nose, highest past the middle, and down again at the temple.
    middle = 0.0402 + look["brow_height"] + (0.0066 + 0.7 * look["brow_arch"]) * np.sin(np.pi * t * 0.8)
    middle = middle + look["brow_tilt"] * (t - 0.5) - 0.0035 * np.maximum(t - 0.6, 0) / 0.4
    return middle, look["brow_thickness"] * (1 - 0.68 * t**1.6) * smoothstep(-0.06, 0.16, s)
