"""An eye in warp: white with veins, an iris that lies behind the cornea's refraction, reflections, the wet edge."""

from __future__ import annotations

import warp as wp

from smoothswap.rendered.world4.light import sky
from smoothswap.rendered.world4.surface import Geometry
from smoothswap.rendered.world4.vectors import ramp, vec

LAMPS_MAX = wp.constant(3)
CORNEA = wp.constant(0.752)  # 1 / the refractive index of the aqueous humour and cornea together


@wp.struct
class Gaze:
    """Centres of the left and the right ball, unit directions of their gaze."""

    left: wp.vec3
    right: wp.vec3
    left_ahead: wp.vec3
    right_ahead: wp.vec3
    pupil: float  # of the iris's radius


@wp.func
def near_open(g: Geometry, p: wp.vec3, n: wp.vec3, reach: float) -> float:
    """Ambient occlusion of the moment, for places that lids and lips open and close: seven rays around the normal."""
    side = wp.normalize(wp.cross(n, wp.vec3(0.31, 0.87, 0.39)))
    up = wp.cross(side, n)
    start = p + n * 0.0006
    free = float(0.0)
    for i in range(7):
        d = n
        if i > 0:
            turn = float(i) * 1.0472
            d = wp.normalize(n * 0.62 + side * wp.cos(turn) + up * wp.sin(turn))
        hit = wp.mesh_query_ray(g.mesh, start, d, reach)
        if not hit.result:
            free += 1.0
        else:
            free += 0.6 * hit.t / reach
    return free / 7.0


@wp.func
def reflect(view: wp.vec3, n: wp.vec3) -> wp.vec3:
    return view - n * (2.0 * wp.dot(view, n))


@wp.func
def mirror_light(r: wp.vec3, light: wp.array(dtype=float), shade: wp.vec3) -> wp.vec3:
    """What a smooth wet surface shows along r: lamps with their width, a window where the probe is brightest, the sky."""
    total = sky(r, light) * 0.9
    for lamp in range(LAMPS_MAX):
        k = 27 + lamp * 7
        colour = vec(light, k + 3)
        if colour[1] > 1.0e-4:
            width = wp.max(light[k + 6], 0.06)
            away = wp.acos(wp.clamp(wp.dot(r, vec(light, k)), -1.0, 1.0))
            total = total + colour * (
                ramp(width * 1.5, width * 0.8, away) * 9.0 * wp.max(shade[lamp], 0.25) * (0.12 / width)
            )
    # The brightest side of the probe, by its first band, as a window of four panes.
    bright = wp.vec3(light[10], light[4], light[7])
    strength = wp.length(bright)
    if strength > 0.2:
        ahead = wp.normalize(
            wp.vec3(
                bright[0],
                wp.clamp(bright[1], -0.2 * strength, 0.6 * strength),
                wp.abs(bright[2]) + 0.4 * strength,
            )
        )
        side = wp.normalize(wp.cross(wp.vec3(0.0, 1.0, 0.0), ahead))
        up = wp.cross(ahead, side)
        along = wp.dot(r, ahead)
        if along > 0.0:
            u = wp.abs(wp.dot(r, side) / along)
            v = wp.abs(wp.dot(r, up) / along)
            pane = ramp(0.26, 0.22, u) * ramp(0.36, 0.31, v) * ramp(0.015, 0.035, u) * ramp(0.02, 0.04, v)
            total = total + vec(light, 0) * (pane * 2.2 * strength)
    return total


@wp.func
def eye_colour(
    p: wp.vec3,
    view: wp.vec3,
    fallen: wp.vec3,
    shade: wp.vec3,
    shut: float,
    gaze: Gaze,
    right: int,
    look: wp.array(dtype=float),
    iris_at: int,
    seed: int,
    light: wp.array(dtype=float),
) -> wp.vec3:
    """Light from an eye towards the camera; `shut`: how open the place is between the lids (0..1)."""
    centre = gaze.left
    ahead = gaze.left_ahead
    if right > 0:
        centre = gaze.right
        ahead = gaze.right_ahead
    out = p - centre
    radius = wp.length(out)
    d = out / radius
    state = wp.rand_init(seed)
    size = look[iris_at + 3]
    angle = wp.acos(wp.clamp(wp.dot(d, ahead), -1.0, 1.0))
    # Sclera: bluish white near the iris, warm and veined towards the corners.
    far = ramp(0.45, 1.05, angle)
    thread = ramp(0.10, 0.0, wp.abs(wp.noise(state, wp.cw_mul(d, wp.vec3(7.0, 16.0, 7.0))))) * ramp(
        0.5, 0.9, angle
    )
    white = wp.vec3(0.68, 0.645, 0.63) * (1.0 - 0.16 * far)
    white = wp.cw_mul(white, wp.vec3(1.0, 1.0 - 0.10 * far - 0.22 * thread, 1.0 - 0.14 * far - 0.22 * thread))
    # The cornea bulges: its normal runs ahead of the ball's, and it bends the ray to the iris behind.
    inside = ramp(size * 1.12, size * 0.92, angle)
    normal = wp.normalize(d + (d - ahead * wp.dot(d, ahead)) * (0.55 * inside))
    colour = white
    if angle < size * 1.2:
        cosine = -wp.dot(view, normal)
        bent = wp.normalize(
            view * CORNEA
            + normal
            * (CORNEA * cosine - wp.sqrt(wp.max(1.0 - CORNEA * CORNEA * (1.0 - cosine * cosine), 0.0)))
        )
        plane = radius * wp.cos(size) - 0.0002
        down = wp.dot(bent, ahead)
        hit = out
        if down < -0.05:
            hit = out + bent * ((plane - wp.dot(out, ahead)) / down)
        flat = hit - ahead * wp.dot(hit, ahead)
        r = wp.length(flat) / (radius * wp.sin(size))
        side = wp.normalize(wp.cross(wp.vec3(0.0, 1.0, 0.0), ahead))
        up = wp.cross(ahead, side)
        turn = wp.atan2(wp.dot(flat, up), wp.dot(flat, side))
        fibre = wp.noise(state, wp.vec3(9.0 * wp.cos(turn), 9.0 * wp.sin(turn), r * 1.3))
        fine = wp.noise(state, wp.vec3(24.0 * wp.cos(turn), 24.0 * wp.sin(turn), r * 3.0 + 5.0))
        ring = ramp(0.30, 0.0, wp.abs(r - gaze.pupil - 0.14))
        tone = (0.85 + 0.75 * fibre + 0.45 * fine) * (1.0 + 0.55 * ring)
        iris = vec(look, iris_at) * wp.max(tone, 0.15)
        iris = iris * (1.0 - 0.72 * ramp(0.76, 1.0, r))
        pupil = ramp(gaze.pupil + 0.05, gaze.pupil - 0.05, r)
        iris = iris * (1.0 - 0.97 * pupil)
        colour = colour * (1.0 - inside) + iris * (1.15 * inside)
    # Lids shade the ball; light that gets in wanders in the white.
    covered = 0.30 + 0.70 * shut
    total = wp.cw_mul(colour, fallen) * covered
    cosine = wp.clamp(-wp.dot(view, normal), 0.0, 1.0)
    fresnel = 0.025 + 0.975 * wp.pow(1.0 - cosine, 5.0)
    gleam = mirror_light(reflect(view, normal), light, shade)
    return total + gleam * (wp.min(fresnel, 0.25) * ramp(0.25, 0.75, shut))
