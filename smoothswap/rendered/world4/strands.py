"""Strands in warp: carried by the face, drawn at subpixels by depth, lit as cylinders (Marschner 2003), laid over the rest.

Only whole-number minima are taken over threads, so that the picture does not depend on their order.
"""

from __future__ import annotations

import warp as wp

from smoothswap.rendered.world4.light import Haze, clear, sky
from smoothswap.rendered.world4.surface import Hit
from smoothswap.rendered.world4.vectors import ramp, vec

LAMPS_MAX = wp.constant(3)
NOTHING = wp.constant(wp.int64(0x7FFFFFFFFFFFFFFF))
DEPTH_UNIT = wp.constant(2.0e5)  # steps a metre


@wp.func
def frame_of(a: wp.vec3, b: wp.vec3, c: wp.vec3) -> wp.mat33:
    """Orthonormal axes of a triangle, as columns."""
    e = wp.normalize(b - a)
    n = wp.normalize(wp.cross(b - a, c - a))
    f = wp.cross(n, e)
    return wp.mat33(e[0], f[0], n[0], e[1], f[1], n[1], e[2], f[2], n[2])


@wp.func
def rotated(p: wp.vec3, axis: wp.vec3, angle: float, pivot: wp.vec3) -> wp.vec3:
    return wp.quat_rotate(wp.quat_from_axis_angle(axis, angle), p - pivot) + pivot


@wp.kernel
def carry(
    points: wp.array(dtype=wp.vec3),
    first: wp.array(dtype=int),
    count: wp.array(dtype=int),
    corners: wp.array(dtype=int, ndim=2),
    weights: wp.array(dtype=wp.vec3),
    neutral: wp.array(dtype=wp.vec3),
    moved: wp.array(dtype=wp.vec3),
    neck: wp.array(dtype=float),
    axis: wp.vec3,
    angle: float,
    pivot: wp.vec3,
    out: wp.array(dtype=wp.vec3),
):
    """Each strand goes where its root's triangle went and turns as it turned, then with the neck."""
    s = wp.tid()
    a = corners[s, 0]
    b = corners[s, 1]
    c = corners[s, 2]
    w = weights[s]
    before = neutral[a] * w[0] + neutral[b] * w[1] + neutral[c] * w[2]
    after = moved[a] * w[0] + moved[b] * w[1] + moved[c] * w[2]
    turn = frame_of(moved[a], moved[b], moved[c]) * wp.transpose(frame_of(neutral[a], neutral[b], neutral[c]))
    share = neck[a] * w[0] + neck[b] * w[1] + neck[c] * w[2]
    for k in range(count[s]):
        p = after + turn * (points[first[s] + k] - before)
        own = wp.min(share, ramp(-0.24, -0.06, p[1]))
        if k == 0:
            own = share
        out[first[s] + k] = rotated(p, axis, angle * own, pivot)


@wp.kernel
def draw(
    points: wp.array(dtype=wp.vec3),
    along: wp.array(dtype=float),  # 0 at the root to 1 at the tip; 2 at a tip: no segment starts there
    width: wp.array(dtype=float),
    camera: wp.array(dtype=float),
    inverse: wp.array(dtype=float),  # frame pixel -> output pixel
    scale: float,  # output pixels a frame pixel
    parts: int,
    depths: wp.array(dtype=float, ndim=2),  # of the pixels, m
    behind: wp.array(dtype=float),  # m that a segment may lie behind its pixel: lashes lie in the lids' folds
    nearest: wp.array(dtype=wp.int64, ndim=2),
    thick: wp.array(dtype=int, ndim=2),
):
    """The nearest segment at each subpixel: depth in the high half, the segment's number in the low one.

    Only those before what the pixel shows; `thick` sums the shares of the subpixel that they take, in 1/64.
    """
    i = wp.tid()
    if along[i] > 1.5:
        return
    a = points[i]
    b = points[i + 1]
    da = camera[3] - a[2]
    db = camera[3] - b[2]
    if da < 0.05 or db < 0.05:
        return
    fx = camera[1] + camera[0] * a[0] / da
    fy = camera[2] - camera[0] * a[1] / da
    gx = camera[1] + camera[0] * b[0] / db
    gy = camera[2] - camera[0] * b[1] / db
    s = float(parts)
    ax = (inverse[0] * fx + inverse[1] * fy + inverse[2] + 0.5) * s
    ay = (inverse[3] * fx + inverse[4] * fy + inverse[5] + 0.5) * s
    bx = (inverse[0] * gx + inverse[1] * gy + inverse[2] + 0.5) * s
    by = (inverse[3] * gx + inverse[4] * gy + inverse[5] + 0.5) * s
    long = wp.max(wp.abs(bx - ax), wp.abs(by - ay))
    if long > 4000.0:
        return
    steps = wp.max(int(long + 0.999), 1)
    wide = width[i] * camera[0] / da * scale * s * (1.0 - 0.75 * ramp(0.55, 1.0, along[i]))
    across = wp.max(int(wide + 0.5), 1)
    share = int(64.0 * wp.min(wide, 1.0) + 0.5)
    steep = wp.abs(by - ay) > wp.abs(bx - ax)
    rows = nearest.shape[0]
    columns = nearest.shape[1]
    for k in range(steps):
        t = (float(k) + 0.5) / float(steps)
        x = ax + (bx - ax) * t
        y = ay + (by - ay) * t
        depth = da + (db - da) * t
        key = wp.int64(depth * DEPTH_UNIT) * wp.int64(4294967296) + wp.int64(i)
        for j in range(across):
            off = float(j) - 0.5 * float(across - 1)
            px = int(wp.floor(x))
            py = int(wp.floor(y))
            if steep:
                px = int(wp.floor(x + off))
            else:
                py = int(wp.floor(y + off))
            if px >= 0 and py >= 0 and px < columns and py < rows:
                if depth < depths[py / parts, px / parts] + behind[i]:
                    wp.atomic_min(nearest, py, px, key)
                    wp.atomic_add(thick, py, px, share)


@wp.kernel
def show(nearest: wp.array(dtype=wp.int64, ndim=2), visible: wp.array(dtype=int)):
    row, column = wp.tid()
    key = nearest[row, column]
    if key != NOTHING:
        visible[int(key % wp.int64(4294967296))] = 1


@wp.func
def bell(x: float, width: float) -> float:
    return wp.exp(-0.5 * x * x / (width * width))


@wp.kernel
def light_strands(
    points: wp.array(dtype=wp.vec3),
    along: wp.array(dtype=float),
    strand: wp.array(dtype=int),
    colours: wp.array(dtype=wp.vec3),
    kinds: wp.array(dtype=int),
    visible: wp.array(dtype=int),
    haze: Haze,
    centre: wp.vec3,  # of the turned skull
    eye: wp.vec3,
    light: wp.array(dtype=float),
    out: wp.array(dtype=wp.vec3),
):
    """A segment's light: scattered, the surface's white gleam, the coloured one from within, and what shines through."""
    i = wp.tid()
    if visible[i] == 0:
        return
    s = strand[i]
    p = (points[i] + points[i + 1]) * 0.5
    t = wp.normalize(points[i + 1] - points[i])
    view = wp.normalize(eye - p)
    colour = colours[s]
    kind = kinds[s]
    n = wp.normalize(p - centre)
    if kind > 0:
        n = wp.normalize(n + wp.vec3(0.0, 0.0, 0.4))
    deep = float(1.0)
    if kind == 0:
        deep = (
            0.10
            + 0.55 * clear(haze, p, n, 0.003)
            + 0.35 * clear(haze, p, wp.normalize(n + wp.vec3(0.0, 1.0, 0.4)), 0.003)
        )
    elif kind == 3:
        deep = 0.45 + 0.55 * along[i]
    # A bundle looks lighter than the pigment's colour: light is scattered from hair to hair.
    body = wp.vec3(wp.pow(colour[0], 0.95), wp.pow(colour[1], 0.95), wp.pow(colour[2], 0.95))
    side = wp.normalize(view - t * wp.dot(view, t))
    facing = wp.normalize(n * 0.6 + side * 0.4)
    total = wp.cw_mul(body, sky(facing, light)) * (0.72 * deep)
    tv = wp.dot(t, view)
    total = total + sky(wp.normalize(facing + wp.vec3(0.0, 0.4, 0.0)), light) * (0.005 * deep)
    for lamp in range(LAMPS_MAX):
        k = 27 + lamp * 7
        lit = vec(light, k + 3)
        d = vec(light, k)
        if lit[1] > 1.0e-4:
            seen = clear(haze, p, d, 0.004)
            if kind == 0:
                seen = seen * ramp(-0.45, 0.25, wp.dot(n, d))
            else:
                seen = seen * ramp(-0.1, 0.4, wp.dot(n, d))
            tl = wp.dot(t, d)
            sine = wp.sqrt(wp.max(1.0 - tl * tl, 0.0))
            flat_l = wp.normalize(d - t * tl)
            turn = wp.dot(flat_l, side)  # cosine of the azimuth between lamp and eye
            spread = body * (sine * (0.30 + 0.25 * wp.max(wp.dot(facing, d), 0.0)))
            first = bell(tl + tv - 0.10, 0.16) * (0.30 + 0.30 * turn) * 0.16
            tinted = wp.vec3(wp.pow(colour[0], 0.55), wp.pow(colour[1], 0.55), wp.pow(colour[2], 0.55))
            second = bell(tl + tv + 0.14, 0.26) * wp.max(turn, 0.0) * 0.42
            through = bell(tl + tv, 0.2) * wp.max(-turn, 0.0) * 0.9
            total = (
                total
                + wp.cw_mul(lit, spread + wp.vec3(first, first, first) + tinted * second + tinted * through)
                * seen
            )
    out[i] = total


@wp.kernel
def lay(
    nearest: wp.array(dtype=wp.int64, ndim=2),
    thick: wp.array(dtype=int, ndim=2),
    parts: int,
    seen: wp.array(dtype=Hit, ndim=2),
    strand: wp.array(dtype=int),
    kinds: wp.array(dtype=int),
    lit: wp.array(dtype=wp.vec3),
    exposure: float,
    image: wp.array(dtype=wp.vec3, ndim=2),
    cover: wp.array(dtype=wp.vec2, ndim=2),
):
    """Strands over the picture; `cover`: shares of the pixel that hair of the head, and of the face, takes."""
    row, column = wp.tid()
    through = seen[row, column].through
    total = wp.vec3(0.0, 0.0, 0.0)
    scalp = float(0.0)
    face = float(0.0)
    for a in range(parts):
        for b in range(parts):
            key = nearest[row * parts + a, column * parts + b]
            if key != NOTHING:
                i = int(key % wp.int64(4294967296))
                # Strands that lie one behind another cover by chance.
                wide = 1.0 - wp.exp(-1.4 * float(thick[row * parts + a, column * parts + b]) / 64.0)
                total = total + lit[i] * (wide * through)
                if kinds[strand[i]] == 0:
                    scalp += wide
                else:
                    face += wide
    whole = 1.0 / float(parts * parts)
    share = (scalp + face) * whole
    image[row, column] = image[row, column] * (1.0 - share) + total * (whole * exposure)
    cover[row, column] = wp.vec2(scalp * whole, face * whole)
