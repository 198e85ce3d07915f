"""What the camera sees of a surface, in warp: relief, skin, eyes, teeth, cloth and plain things under the fallen light."""

from __future__ import annotations

import warp as wp

from smoothswap.rendered.world4.clothes import cloth_colour, cloth_relief
from smoothswap.rendered.world4.eyes import Gaze, eye_colour, mirror_light, near_open, reflect
from smoothswap.rendered.world4.light import sky
from smoothswap.rendered.world4.surface import Geometry, Hit, first_hit, ray_through
from smoothswap.rendered.world4.vectors import ramp, vec

LAMPS_MAX = wp.constant(3)
EDGE_BEND = wp.constant(0.72)
AXIS = wp.constant(-0.03)
SIDE = wp.constant(2.2)
BOTTOM = wp.constant(-0.135)
TALL = wp.constant(0.285)


@wp.struct
class Finish:
    """A person's pictures (colour, height, gloss; [n, n], smaller ones for distant views), and numbers."""

    colour: wp.array(dtype=wp.vec3, ndim=2)
    height: wp.array(dtype=float, ndim=2)
    gloss: wp.array(dtype=float, ndim=2)
    look: wp.array(dtype=float)  # iris r, g, b, size; teeth
    style: wp.array(dtype=float)  # cloth, second cloth, collar, pattern, frame, hat: clothes.WORN
    seed: int
    turn: wp.mat33  # of the head


@wp.func
def texel(p: wp.vec3, n: int) -> wp.vec2:
    u = (wp.atan2(p[0], p[2] - AXIS) + SIDE) / (2.0 * SIDE)
    v = (p[1] - BOTTOM) / TALL
    return wp.vec2(wp.clamp(u, 0.0, 1.0) * float(n - 1), wp.clamp(v, 0.0, 1.0) * float(n - 1))


@wp.func
def look_up(picture: wp.array(dtype=float, ndim=2), at: wp.vec2) -> float:
    j = wp.min(int(at[0]), picture.shape[1] - 2)
    i = wp.min(int(at[1]), picture.shape[0] - 2)
    x = at[0] - float(j)
    y = at[1] - float(i)
    low = picture[i, j] * (1.0 - x) + picture[i, j + 1] * x
    return low * (1.0 - y) + (picture[i + 1, j] * (1.0 - x) + picture[i + 1, j + 1] * x) * y


@wp.func
def look_up_colour(picture: wp.array(dtype=wp.vec3, ndim=2), at: wp.vec2) -> wp.vec3:
    j = wp.min(int(at[0]), picture.shape[1] - 2)
    i = wp.min(int(at[1]), picture.shape[0] - 2)
    x = at[0] - float(j)
    y = at[1] - float(i)
    low = picture[i, j] * (1.0 - x) + picture[i, j + 1] * x
    return low * (1.0 - y) + (picture[i + 1, j] * (1.0 - x) + picture[i + 1, j + 1] * x) * y


@wp.kernel
def outline(
    seen: wp.array(dtype=Hit, ndim=2),
    camera: wp.array(dtype=float),
    step: float,
    edge: wp.array(dtype=wp.uint8, ndim=2),
    depth: wp.array(dtype=float, ndim=2),
):
    """Depth of each pixel (m; a million for background), and an edge of 1 where a neighbour shows something else.

    step: metres off the tangent plane that still count as the same.
    """
    row, column = wp.tid()
    own = seen[row, column]
    found = wp.uint8(0)
    depth[row, column] = 1.0e6
    if own.kind >= 0:
        depth[row, column] = camera[3] - own.position[2]
    for i in range(wp.max(row - 1, 0), wp.min(row + 2, seen.shape[0])):
        for j in range(wp.max(column - 1, 0), wp.min(column + 2, seen.shape[1])):
            other = seen[i, j]
            # Beside an outline the farther depth holds: hair behind it may show there, the background must not.
            if other.kind < 0:
                depth[row, column] = 1.0e6
            elif camera[3] - other.position[2] > depth[row, column] + 0.02:
                depth[row, column] = camera[3] - other.position[2]
            if other.kind != own.kind or wp.abs(other.through - own.through) > 0.03:
                found = wp.uint8(1)
            elif own.kind >= 0:
                if wp.dot(other.normal, own.normal) < EDGE_BEND:
                    found = wp.uint8(1)
                if wp.abs(wp.dot(own.normal, other.position - own.position)) > step:
                    found = wp.uint8(1)
    edge[row, column] = found


@wp.kernel
def relief(finish: Finish, strength: float, seen: wp.array(dtype=Hit, ndim=2)):
    """Turn the normals by the skin's height and by the folds of cloth."""
    row, column = wp.tid()
    at = seen[row, column]
    if at.kind == 0 and at.bare < 0.5:
        n = finish.height.shape[0]
        p = at.rest
        place = texel(p, n)
        around = wp.max(wp.sqrt(p[0] * p[0] + (p[2] - AXIS) * (p[2] - AXIS)), 0.02)
        wide = 2.0 * SIDE * around / float(n - 1)
        tall = TALL / float(n - 1)
        h = look_up(finish.height, place)
        du = (look_up(finish.height, place + wp.vec2(1.0, 0.0)) - h) / wide
        dv = (look_up(finish.height, place + wp.vec2(0.0, 1.0)) - h) / tall
        along = wp.vec3((p[2] - AXIS) / around, 0.0, -p[0] / around)
        slope = finish.turn * (along * du + wp.vec3(0.0, dv, 0.0)) * strength
        slope = slope - at.normal * wp.dot(slope, at.normal)
        at.normal = wp.normalize(at.normal - slope)
        seen[row, column] = at
    elif at.kind == 5:
        at.normal = cloth_relief(at.rest, at.normal, finish.style, finish.seed)
        seen[row, column] = at


@wp.func
def lobe(cosine: float, rough: float) -> float:
    """The GGX distribution (Walter 2007) of the half vector's cosine."""
    a = rough * rough
    d = cosine * cosine * (a * a - 1.0) + 1.0
    return a * a / (3.14159 * d * d)


@wp.func
def shine(
    at: Hit,
    view: wp.vec3,
    shade: wp.vec3,
    light: wp.array(dtype=float),
    rough: float,
    second: float,
    share: float,
    f0: float,
) -> wp.vec3:
    """Two lobes of gloss from the lamps, and the sky's at the mirror direction."""
    n = at.normal
    nv = wp.max(-wp.dot(view, n), 0.12)
    total = wp.vec3(0.0, 0.0, 0.0)
    for lamp in range(LAMPS_MAX):
        k = 27 + lamp * 7
        direction = vec(light, k)
        nl = wp.dot(n, direction)
        if nl > 0.0 and shade[lamp] > 0.0:
            half = wp.normalize(direction - view)
            nh = wp.max(wp.dot(n, half), 0.0)
            vh = wp.clamp(-wp.dot(view, half), 0.0, 1.0)
            fresnel = f0 + (1.0 - f0) * wp.pow(1.0 - vh, 5.0)
            wide = 0.5 * light[k + 6]
            d = share * lobe(nh, wp.min(rough + wide, 1.0)) + (1.0 - share) * lobe(
                nh, wp.min(second + wide, 1.0)
            )
            total = total + vec(light, k + 3) * (
                d * fresnel * nl * shade[lamp] * 0.25 / (nl * nv + 0.12 * (nl + nv) + 0.02) * 3.14159
            )
    edge = f0 + (0.20 - f0) * wp.pow(1.0 - nv, 5.0)
    return total + sky(reflect(view, n), light) * (edge * at.open * at.open)


@wp.func
def seen_colour(
    g: Geometry,
    at: Hit,
    view: wp.vec3,
    fallen: wp.vec3,
    shade: wp.vec3,
    finish: Finish,
    gaze: Gaze,
    light: wp.array(dtype=float),
) -> wp.vec3:
    """Light from a surface point towards the camera, linear."""
    kind = at.kind
    if kind == 0:
        place = texel(at.rest, finish.colour.shape[0])
        albedo = look_up_colour(finish.colour, place)
        if at.bare > 0.0:  # an ear has the colour of the cheek's side, and more blood
            beside = wp.vec3(wp.sign(at.rest[0]) * 0.060, wp.min(at.rest[1], 0.01), -0.004)
            ear = wp.cw_mul(
                look_up_colour(finish.colour, texel(beside, finish.colour.shape[0])),
                wp.vec3(1.04, 0.90, 0.88),
            )
            albedo = albedo * (1.0 - at.bare) + ear * at.bare
        gloss = look_up(finish.gloss, place)
        bright = shine(at, view, shade, light, 0.62, 0.34, 0.72, 0.028)
        return wp.cw_mul(albedo, fallen) + bright * (0.35 + 1.5 * gloss)
    if kind == 1:
        right = int(0)
        if at.rest[0] < 0.0:
            right = 1
        free = near_open(g, at.position, at.normal, 0.006)
        return eye_colour(
            at.position, view, fallen, shade, free, gaze, right, finish.look, 0, finish.seed, light
        )
    if kind == 2:
        free = near_open(g, at.position, at.normal, 0.03)
        return wp.cw_mul(wp.vec3(0.22, 0.05, 0.045), fallen) * (free * free * 0.5)
    if kind == 3:
        free = near_open(g, at.position, at.normal, 0.02)
        grain = 1.0 + 0.35 * wp.noise(wp.rand_init(5), at.rest * 1400.0)
        wet = mirror_light(reflect(view, at.normal), light, shade) * 0.02
        return wp.cw_mul(wp.vec3(0.36, 0.115, 0.105) * grain, fallen) * free + wet * free
    if kind == 6:
        # Ivory, yellower and darker to the gum; lips and depth shade them.
        free = near_open(g, at.position, at.normal, 0.018)
        tooth = wp.vec3(0.60, 0.54, 0.44) * (0.72 + 0.36 * finish.look[4])
        tooth = wp.cw_mul(tooth, wp.vec3(1.0, 0.96 + 0.04 * finish.look[4], 0.86 + 0.16 * finish.look[4]))
        gum = at.thin  # carried in the mesh's thin: 1 at the gum
        tooth = tooth * (1.0 - gum) + wp.vec3(0.42, 0.17, 0.15) * gum
        gap = at.open  # and in open: 0 between two teeth
        deep = ramp(0.010, 0.040, at.rest[2])
        wet = mirror_light(reflect(view, at.normal), light, shade) * 0.035
        return (wp.cw_mul(tooth, fallen) * 1.05 + wet * (1.0 - gum)) * (
            free * (0.35 + 0.65 * gap) * (0.25 + 0.75 * deep)
        )
    if kind == 5:
        albedo = cloth_colour(at.rest, finish.style, finish.seed)
        rim = wp.pow(1.0 - wp.max(-wp.dot(view, at.normal), 0.0), 3.0)
        return wp.cw_mul(albedo, fallen) * (1.0 + 0.35 * rim)
    if kind == 8:
        return wp.cw_mul(vec(finish.style, 8), fallen) + shine(at, view, shade, light, 0.35, 0.18, 0.5, 0.05)
    if kind == 9:
        weave = 1.0 + 0.25 * wp.noise(
            wp.rand_init(finish.seed), wp.cw_mul(at.rest, wp.vec3(1500.0, 500.0, 1500.0))
        )
        return wp.cw_mul(vec(finish.style, 11) * weave, fallen)
    if kind == 10:
        grain = 0.55 + 0.45 * wp.abs(wp.noise(wp.rand_init(3), at.rest * 900.0))
        return (
            wp.cw_mul(wp.vec3(0.035, 0.035, 0.037) * grain, fallen)
            + shine(at, view, shade, light, 0.5, 0.3, 0.5, 0.05) * 0.5
        )
    # A hand: the face's own skin, without its marks.
    place = texel(wp.vec3(0.035, -0.03, 0.03), finish.colour.shape[0])
    albedo = look_up_colour(finish.colour, place)
    grain = 1.0 + 0.10 * wp.noise(wp.rand_init(finish.seed), at.rest * 160.0)
    bright = shine(at, view, shade, light, 0.6, 0.4, 0.8, 0.028)
    return wp.cw_mul(wp.cw_mul(albedo, wp.vec3(1.02, 0.93, 0.92)) * grain, fallen) + bright * 0.5


@wp.func
def background_at(
    background: wp.array(dtype=wp.vec3, ndim=2), affine: wp.array(dtype=float), x: float, y: float
) -> wp.vec3:
    by = wp.clamp(int(affine[3] * x + affine[4] * y + affine[5] + 0.5), 0, background.shape[0] - 1)
    bx = wp.clamp(int(affine[0] * x + affine[1] * y + affine[2] + 0.5), 0, background.shape[1] - 1)
    return background[by, bx]


@wp.func
def behind_lens(
    at: Hit, colour: wp.vec3, view: wp.vec3, light: wp.array(dtype=float), shade: wp.vec3
) -> wp.vec3:
    """A colour through spectacles, with what they mirror."""
    if at.through >= 1.0:
        return colour
    cosine = wp.abs(wp.dot(view, at.lens))
    fresnel = 0.02 + 0.98 * wp.pow(1.0 - cosine, 5.0)
    return colour * at.through + mirror_light(reflect(view, at.lens), light, shade) * wp.min(fresnel, 0.3)


@wp.kernel
def paint(
    g: Geometry,
    camera: wp.array(dtype=float),
    affine: wp.array(dtype=float),
    seen: wp.array(dtype=Hit, ndim=2),
    edge: wp.array(dtype=wp.uint8, ndim=2),
    fallen: wp.array(dtype=wp.vec3, ndim=2),
    shadows: wp.array(dtype=wp.vec3, ndim=2),
    finish: Finish,
    gaze: Gaze,
    light: wp.array(dtype=float),
    exposure: float,
    background: wp.array(dtype=wp.vec3, ndim=2),
    image: wp.array(dtype=wp.vec3, ndim=2),
):
    """Linear light of each pixel; edges by four rays, each lit as the nearest pixel of its material is."""
    row, column = wp.tid()
    own = seen[row, column]
    here = shadows[row, column]
    if edge[row, column] == wp.uint8(0):
        view = ray_through(camera, affine, float(column), float(row))
        if own.kind < 0:
            plain = background_at(background, affine, float(column), float(row)) / exposure
            image[row, column] = behind_lens(own, plain, view, light, here) * exposure
            return
        # The wet edge where the ball meets the lower lid.
        colour = seen_colour(g, own, view, fallen[row, column], here, finish, gaze, light)
        if own.kind == 1 and row + 1 < seen.shape[0]:
            if seen[row + 1, column].kind == 0:
                colour = colour + fallen[row, column] * 0.10
        image[row, column] = behind_lens(own, colour, view, light, here) * exposure
        return
    total = wp.vec3(0.0, 0.0, 0.0)
    for ray in range(4):
        x = float(column) + 0.5 * float(ray % 2) - 0.25
        y = float(row) + 0.5 * float(ray / 2) - 0.25
        view = ray_through(camera, affine, x, y)
        at = first_hit(g, camera, view)
        if at.kind < 0:
            plain = background_at(background, affine, x, y) / exposure
            total = total + behind_lens(at, plain, view, light, here)
        else:
            nearest = float(1.0e9)
            lit = sky(at.normal, light) * at.open
            shade = here
            for i in range(wp.max(row - 1, 0), wp.min(row + 2, seen.shape[0])):
                for j in range(wp.max(column - 1, 0), wp.min(column + 2, seen.shape[1])):
                    other = seen[i, j]
                    if other.kind == at.kind:
                        away = wp.length(other.position - at.position)
                        if away < nearest:
                            nearest = away
                            lit = fallen[i, j]
                            shade = shadows[i, j]
            total = total + behind_lens(
                at, seen_colour(g, at, view, lit, shade, finish, gaze, light), view, light, shade
            )
    image[row, column] = total * (0.25 * exposure)
