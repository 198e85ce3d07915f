"""Light: a measured probe all around, one to three lamps with soft edges, hair that takes light away; in warp."""

from __future__ import annotations

import numpy as np
import warp as wp

from smoothswap.rendered.world4.probes import load_probes
from smoothswap.rendered.world4.surface import Geometry, Hit, blocked
from smoothswap.rendered.world4.vectors import ramp, vec

# A light is 27 numbers of the probe and LAMPS times direction, colour and the sine of the lamp's half width.
LAMPS = 3
LAMP_NUMBERS = 7
LIGHT_NUMBERS = 27 + LAMPS * LAMP_NUMBERS
GRID = 48  # cells along each side of the hair's density
LAMPS_MAX = wp.constant(3)
MARCH = wp.constant(7)


@wp.struct
class Haze:
    """The hair's density: [48, 48, 48] per metre over a cube in the neutral head's frame, and the frame's turn."""

    density: wp.array(dtype=float, ndim=3)
    corner: wp.vec3
    cell: float
    turn: wp.mat33
    pivot: wp.vec3
    used: int


@wp.func
def sky(n: wp.vec3, light: wp.array(dtype=float)) -> wp.vec3:
    """The probe's light on a dull surface with normal n: nine harmonics a colour (the order of probes.harmonics)."""
    e = vec(light, 0) * 0.282095
    e = e + (vec(light, 3) * n[1] + vec(light, 6) * n[2] + vec(light, 9) * n[0]) * 0.488603
    e = (
        e
        + (vec(light, 12) * n[0] * n[1] + vec(light, 15) * n[1] * n[2] + vec(light, 21) * n[0] * n[2])
        * 1.092548
    )
    e = e + vec(light, 18) * 0.315392 * (3.0 * n[2] * n[2] - 1.0)
    e = e + vec(light, 24) * 0.546274 * (n[0] * n[0] - n[1] * n[1])
    return wp.vec3(wp.max(e[0], 0.02), wp.max(e[1], 0.02), wp.max(e[2], 0.02))


@wp.func
def home(haze: Haze, p: wp.vec3) -> wp.vec3:
    """A place of the turned head, back in the neutral head's frame."""
    return wp.transpose(haze.turn) * (p - haze.pivot) + haze.pivot


@wp.func
def dense(haze: Haze, p: wp.vec3) -> float:
    q = (p - haze.corner) / haze.cell
    i = int(wp.floor(q[0]))
    j = int(wp.floor(q[1]))
    k = int(wp.floor(q[2]))
    n = haze.density.shape[0] - 1
    if i < 0 or j < 0 or k < 0 or i >= n or j >= n or k >= n:
        return 0.0
    x = q[0] - float(i)
    y = q[1] - float(j)
    low = haze.density[i, j, k] * (1.0 - x) + haze.density[i + 1, j, k] * x
    high = haze.density[i, j + 1, k] * (1.0 - x) + haze.density[i + 1, j + 1, k] * x
    return low * (1.0 - y) + high * y


@wp.func
def clear(haze: Haze, p: wp.vec3, direction: wp.vec3, skip: float) -> float:
    """Share of a lamp's light that gets through the hair between it and p; `skip`: metres at p left out."""
    if haze.used == 0:
        return 1.0
    q = home(haze, p)
    d = wp.transpose(haze.turn) * direction
    total = float(0.0)
    for i in range(MARCH):
        total += dense(haze, q + d * (skip + 0.011 * float(i))) * 0.011
    return wp.exp(-total)


@wp.func
def spread(direction: wp.vec3, width: float, index: int, row: int, column: int) -> wp.vec3:
    """One of a lamp's points, others from pixel to pixel: the pixels around together see the whole lamp."""
    cell = (row % 4) * 4 + (column % 4)
    turn = float((cell * 7 + index * 5) % 16) * 0.3927 + float(index) * 1.7
    far = wp.sqrt((float((cell * 11 + index * 3) % 16) + 0.5) / 16.0) * width
    side = wp.normalize(wp.cross(direction, wp.vec3(0.13, 0.97, 0.21)))
    up = wp.cross(side, direction)
    return wp.normalize(direction + side * (far * wp.cos(turn)) + up * (far * wp.sin(turn)))


@wp.func
def lamp_shadow(
    g: Geometry, haze: Haze, at: Hit, lamp: int, light: wp.array(dtype=float), row: int, column: int
) -> float:
    """Share of a lamp that the point sees: one ray a pixel, whose neighbours' are smoothed in by scatter."""
    k = 27 + lamp * 7
    direction = vec(light, k)
    if (
        lamp > 0 and light[k + 6] > 0.25
    ):  # a wide weak lamp throws no shadow that ambient occlusion does not show
        return at.open * clear(haze, at.position + at.normal * 0.002, direction, 0.004)
    d = spread(direction, light[k + 6], lamp, row, column)
    if blocked(g, at.position + at.normal * 0.0012 + d * 0.0015, d):
        return 0.0
    return clear(haze, at.position + at.normal * 0.002, direction, 0.004)


@wp.kernel
def illuminate(
    g: Geometry,
    haze: Haze,
    seen: wp.array(dtype=Hit, ndim=2),
    light: wp.array(dtype=float),
    bounce: wp.vec3,
    shadows: wp.array(dtype=wp.vec3, ndim=2),
    fallen: wp.array(dtype=wp.vec3, ndim=2),
):
    """What falls on each pixel's surface, by colour, and how much of each lamp it sees."""
    row, column = wp.tid()
    at = seen[row, column]
    if at.kind < 0:
        return
    n = at.normal
    shade = wp.vec3(0.0, 0.0, 0.0)
    # Closed places are lit by their own walls, which are of flesh: their shade is warm.
    o = at.open
    warm = wp.vec3(o + 0.30 * o * (1.0 - o), o + 0.06 * o * (1.0 - o), o)
    total = wp.cw_mul(sky(n, light), warm) + bounce * (wp.max(-n[1], 0.0) * 0.5 * o)
    if at.thin > 0.05:  # the sky behind an ear shines through it
        total = total + wp.cw_mul(sky(-n, light), wp.vec3(0.42, 0.09, 0.05)) * at.thin * o
    for lamp in range(LAMPS_MAX):
        k = 27 + lamp * 7
        colour = vec(light, k + 3)
        direction = vec(light, k)
        cosine = wp.dot(n, direction)
        if colour[0] + colour[1] + colour[2] > 1.0e-4:
            # The lamp's own width reaches a little around the edge.
            soft = ramp(-light[k + 6] - 0.05, 1.0, cosine) * 0.35 + wp.max(cosine, 0.0) * 0.65
            if soft > 0.0:
                share = lamp_shadow(g, haze, at, lamp, light, row, column)
                shade[lamp] = share
                total = total + colour * (soft * share)
            if at.thin > 0.05 and cosine < 0.0:
                total = total + wp.cw_mul(colour, wp.vec3(0.5, 0.10, 0.05)) * (-cosine * at.thin)
    shadows[row, column] = shade
    fallen[row, column] = total


@wp.kernel
def scatter(
    seen: wp.array(dtype=Hit, ndim=2),
    fallen: wp.array(dtype=wp.vec3, ndim=2),
    pixel: float,  # metres that a pixel shows
    vertical: int,
    weights: wp.array(dtype=wp.vec3, ndim=2),  # by material and distance in pixels (scatter_weights)
    out: wp.array(dtype=wp.vec3, ndim=2),
):
    """Light wanders under the skin: a blur along one axis over the same material at about the same depth.

    Red wanders furthest (Jensen 2001). It also smooths the grain of the lamps' points, so no width is under a pixel.
    """
    row, column = wp.tid()
    own = seen[row, column]
    if own.kind < 0:
        out[row, column] = fallen[row, column]
        return
    reach = weights.shape[1] - 1
    total = wp.vec3(0.0, 0.0, 0.0)
    weight = wp.vec3(0.0, 0.0, 0.0)
    limit = 0.006 + 2.5 * pixel
    for step in range(-reach, reach + 1):
        i = row
        j = column
        if vertical > 0:
            i = row + step
        else:
            j = column + step
        if i >= 0 and j >= 0 and i < seen.shape[0] and j < seen.shape[1]:
            other = seen[i, j]
            if other.kind == own.kind and wp.length(
                other.position - own.position
            ) < limit + 1.8 * pixel * wp.abs(float(step)):
                w = weights[own.kind, wp.abs(step)]
                total = total + wp.cw_mul(w, fallen[i, j])
                weight = weight + w
    out[row, column] = wp.cw_div(total, weight)


@wp.kernel
def openness(
    g: Geometry,
    haze: Haze,
    points: wp.array(dtype=wp.vec3),
    directions: wp.array(dtype=wp.vec3),
    reach: float,
    found: wp.array(dtype=float),
    thin: wp.array(dtype=float),
):
    """Ambient occlusion: the share of the sky over each vertex, by cosine, that neither surface nor hair covers."""
    i = wp.tid()
    n = g.normals[i]
    free = float(0.0)
    whole = float(0.0)
    for k in range(directions.shape[0]):
        d = directions[k]
        cosine = wp.dot(d, n)
        if cosine > 0.05:
            whole += cosine
            hit = wp.mesh_query_ray(g.mesh, points[i] + n * 0.0012 + d * 0.0005, d, reach)
            if not hit.result:
                free += cosine * clear(haze, points[i] + n * 0.001, d, 0.003)
            else:
                free += cosine * 0.35 * ramp(0.0, reach, hit.t)
    found[i] = free / wp.max(whole, 1.0e-6)
    # Flesh of under a centimetre lets light through.
    hit = wp.mesh_query_ray(g.mesh, points[i] - n * 0.0006, -n, 0.012)
    thin[i] = 0.0
    if hit.result:
        thin[i] = ramp(0.012, 0.004, hit.t)


def scatter_weights(widths: np.ndarray, pixel: float, reach: int = 12) -> np.ndarray:
    """The blur's bell curves.

    Args:
        widths: [materials, 3], standard deviations in metres of red, green and blue.
        pixel: Metres that a pixel shows.
        reach: Pixels to each side; the table ends earlier where no curve goes further.

    Returns:
        float32 [materials, n, 3], at distances 0 to n - 1 pixels; 1 at 0.
    """
    wide = np.clip(widths / pixel, 0.9, reach / 2.2)
    count = min(reach, int(np.ceil(wide.max() * 2.2))) + 1
    return np.exp(-0.5 * (np.arange(count)[None, :, None] / wide[:, None]) ** 2).astype(np.float32)


def turn_probe(probe: np.ndarray, yaw: float) -> np.ndarray:
    """A probe as seen after the person has turned: rotation about the vertical.

    Args:
        probe: [9, 3] in the order of probes.harmonics.
        yaw: Radians; light from +z then comes from +x at a quarter turn.

    Returns:
        [9, 3], float32.
    """
    turned = np.array(probe, np.float64)
    c, s = np.cos(yaw), np.sin(yaw)
    turned[3], turned[2] = c * probe[3] + s * probe[2], c * probe[2] - s * probe[3]
    turned[4], turned[5] = c * probe[4] + s * probe[5], c * probe[5] - s * probe[4]
    # Band 2's functions of x and z: zz, xz and xx by way of the matrix of the quadratic form.
    a, b, d = probe[6], probe[7], probe[8]
    xx, yy, zz = -0.315392 * a + 0.546274 * d, -0.315392 * a - 0.546274 * d, 2 * 0.315392 * a
    xz = 0.5 * 1.092548 * b
    new_xx = c * c * xx + 2 * s * c * xz + s * s * zz
    new_zz = s * s * xx - 2 * s * c * xz + c * c * zz
    new_xz = s * c * (zz - xx) + (c * c - s * s) * xz
    turned[6], turned[7], turned[8] = (
        new_zz / (2 * 0.315392),
        2 * new_xz / 1.092548,
        (new_xx - yy) / (2 * 0.546274),
    )
    return turned.astype(np.float32)


def sample_light(rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """Draw the light of a scene.

    Args:
        rng: Drawn from.

    Returns:
        float32 [48]: the probe's 27 numbers and three lamps of 7; an unused lamp is black. And the probe's name.
    """
    probes = load_probes()
    name = str(rng.choice(sorted(probes)))
    probe = turn_probe(probes[name], rng.uniform(0, 2 * np.pi))
    # Photographers and cameras take out most of the tint.
    mean = probe[0] / probe[0].mean()
    probe = probe / mean ** rng.uniform(0.6, 1.0) * np.array([1.05, 1.0, 0.93])
    sky_share = rng.uniform(0.15, 0.85)
    values = np.zeros(LIGHT_NUMBERS, np.float32)
    values[:27] = (probe * sky_share).reshape(-1)
    key = (1.1 - sky_share) * rng.uniform(1.5, 5.0)
    warmth = rng.normal(0.06, 0.11)
    tint = np.array([1 + warmth, 1.0, 1 - 1.2 * warmth])
    side = rng.choice([-1, 1])
    wanted = [(side * rng.uniform(0.1, 1.2), rng.uniform(0.05, 1.0), key, rng.uniform(0.03, 0.35))]
    if rng.uniform() < 0.55:  # fill from the other side
        wanted.append(
            (-side * rng.uniform(0.3, 1.3), rng.uniform(-0.1, 0.6), key * rng.uniform(0.08, 0.35), 0.3)
        )
    if rng.uniform() < 0.35:  # rim from behind
        wanted.append(
            (
                rng.choice([-1, 1]) * rng.uniform(1.9, 2.7),
                rng.uniform(0.1, 0.8),
                key * rng.uniform(0.5, 1.4),
                0.15,
            )
        )
    for i, (azimuth, height, power, width) in enumerate(wanted):
        k = 27 + i * LAMP_NUMBERS
        values[k : k + 3] = np.sin(azimuth) * np.cos(height), np.sin(height), np.cos(azimuth) * np.cos(height)
        values[k + 3 : k + 6] = power * (tint if i == 0 else 1 + (tint - 1) * rng.uniform(-1, 1))
        values[k + 6] = width
    return values, name
