"""What a point of the head looks like: procedural skin, eyes, mouth, hair and cloth under one light, in warp.

The look of a person is a flat vector (`LOOK`, names below); everything is measured in the coordinates of the mean
head, so brows and lips move with the vertices that carry them.
"""

from __future__ import annotations

import warp as wp

from smoothswap.rendered.start import start_warp

LOOK = tuple(
    """
    skin_r skin_g skin_b lip_r lip_g lip_b brow_r brow_g brow_b brow_height brow_thickness brow_length
    brow_arch brow_tilt brow_density iris_r iris_g iris_b iris_size redness freckles blotches under_eye
    gloss beard_r beard_g beard_b moustache chin_beard cheek_beard eyeshadow shadow_r shadow_g shadow_b
    mole_x mole_y mole_size noise_seed lip_fullness
    """.split()
)
STYLE = tuple(
    """
    hair_r hair_g hair_b hair_gloss strand stain hairline cloth_r cloth_g cloth_b cloth2_r cloth2_g cloth2_b
    pattern
    """.split()
)
LIGHT = tuple(
    """
    key_x key_y key_z key_r key_g key_b sky_r sky_g sky_b ground_r ground_g ground_b exposure
    """.split()
)

start_warp()


@wp.func
def ramp(low: float, high: float, x: float) -> float:
    t = wp.clamp((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


@wp.func
def vec(a: wp.array(dtype=float), i: int) -> wp.vec3:
    return wp.vec3(a[i], a[i + 1], a[i + 2])


@wp.func
def blob(x: float, y: float, cx: float, cy: float, sx: float, sy: float) -> float:
    dx = (x - cx) / sx
    dy = (y - cy) / sy
    return wp.exp(-0.5 * (dx * dx + dy * dy))


@wp.func
def skin_colour(p: wp.vec3, look: wp.array(dtype=float), style: wp.array(dtype=float)) -> wp.vec3:
    """Albedo (linear) of the skin at the rest position p, hair of the face included."""
    state = wp.rand_init(int(look[37]))
    x = wp.abs(p[0])
    y = p[1]
    front = ramp(-0.01, 0.02, p[2])
    colour = vec(look, 0)
    # Slow variation over the face, then blood in cheeks, nose and chin, shade under the eyes.
    slow = wp.noise(state, p * 35.0)
    fine = wp.noise(state, p * 220.0)
    colour = colour * (1.0 + look[21] * slow + 0.05 * fine)
    red = blob(x, y, 0.042, -0.005, 0.016, 0.014) + 0.8 * blob(x, y, 0.0, -0.012, 0.012, 0.012)
    red = (red + 0.4 * blob(x, y, 0.0, -0.07, 0.018, 0.01)) * look[19] * front
    colour = wp.cw_mul(colour, wp.vec3(1.0 + 0.25 * red, 1.0 - 0.30 * red, 1.0 - 0.25 * red))
    shade = (blob(x, y, 0.030, 0.008, 0.014, 0.006)) * look[22] * front
    colour = colour * (1.0 - 0.45 * shade)
    speck = ramp(0.25, 0.5, wp.noise(state, p * 420.0)) * front * ramp(0.06, 0.03, y)
    colour = wp.cw_mul(colour, wp.vec3(1.0, 1.0, 1.0) - look[20] * speck * wp.vec3(0.35, 0.5, 0.6))
    mx = p[0] - look[34]
    my = p[1] - look[35]
    mole = ramp(1.0, 0.6, wp.sqrt(mx * mx + my * my) / wp.max(look[36], 1.0e-5)) * front
    colour = colour * (1.0 - 0.75 * mole)
    # Eye make-up around the lid.
    lid = blob(x, y, 0.031, 0.034, 0.015, 0.005) * front * look[30]
    colour = colour * (1.0 - lid) + vec(look, 31) * lid
    # Stubble and beard grow by noise so that a beard has an edge of hairs.
    grain = 0.6 + 0.8 * wp.noise(state, wp.cw_mul(p, wp.vec3(900.0, 300.0, 900.0)))
    low = wp.max(ramp(-0.028, -0.045, y), 0.0)
    cheek = ramp(0.025, 0.045, x) * ramp(0.02, -0.025, y) * ramp(-0.04, -0.02, p[2]) * look[29]
    chin = ramp(-0.056, -0.064, y) * ramp(0.040, 0.028, x) * ramp(0.0, 0.02, p[2]) * look[28]
    jaw = low * ramp(0.024, 0.034, x) * ramp(-0.03, -0.01, p[2]) * look[29]
    lip = ramp(0.030, 0.024, x) * ramp(-0.037, -0.034, y) * ramp(-0.019, -0.024, y) * front * look[27]
    corner = (
        ramp(0.020, 0.025, x)
        * ramp(0.034, 0.029, x)
        * ramp(-0.03, -0.04, y)
        * front
        * wp.min(look[27], look[28])
    )
    beard = wp.max(wp.max(wp.max(cheek, jaw), chin), wp.max(lip, corner)) * ramp(-0.098, -0.088, y)
    beard = wp.clamp(beard * grain, 0.0, 0.95)
    # Lips: a cupid's bow above, a full arc below; the mouth's own line lies at y = -0.044.
    u = x / 0.0255
    if u < 1.0 and p[2] > 0.015:
        full = look[38]
        bow = 0.0075 * full * wp.sqrt(wp.max(1.0 - u * u, 0.0)) * (1.0 - 0.25 * wp.exp(-u * u * 60.0))
        under = 0.0125 * full * wp.sqrt(wp.max(1.0 - u * u, 0.0))
        top = -0.0445 + bow
        bottom = -0.0445 - under
        inside = ramp(top + 0.0012, top - 0.0012, y) * ramp(bottom - 0.0015, bottom + 0.0015, y)
        lips = vec(look, 3) * (1.0 + 0.12 * wp.noise(state, wp.cw_mul(p, wp.vec3(600.0, 100.0, 100.0))))
        colour = colour * (1.0 - inside) + lips * inside
        beard = beard * (1.0 - inside)
    colour = colour * (1.0 - beard) + vec(look, 24) * beard * (0.7 + 0.5 * wp.abs(fine))
    # Brows: an arc over each eye, thinner to the outside.
    s = (x - 0.011) / look[11]
    if s > -0.1 and s < 1.1 and p[2] > 0.0:
        centre = 0.0455 + look[9] + look[12] * 4.0 * s * (1.0 - s) + look[13] * (s - 0.5)
        half = look[10] * (1.0 - 0.55 * wp.clamp(s, 0.0, 1.0)) * ramp(-0.08, 0.12, s) * ramp(1.1, 0.8, s)
        hairs = 0.75 + 0.6 * wp.noise(state, wp.cw_mul(p, wp.vec3(500.0, 900.0, 500.0)))
        brow = ramp(1.25, 0.6, wp.abs(y - centre) / wp.max(half, 1.0e-5)) * look[14] * hairs
        brow = wp.clamp(brow, 0.0, 1.0)
        colour = colour * (1.0 - brow) + vec(look, 6) * brow
    # Shaven or thin hair stains the scalp.
    line = (
        style[6]
        - 0.015 * ramp(0.03, 0.0, p[2])
        - 0.05 * ramp(0.02, -0.02, p[2])
        - 0.06 * ramp(-0.02, -0.06, p[2])
    )
    stain = style[5] * ramp(line - 0.006, line + 0.012, y + 0.006 * slow) * (0.8 + 0.3 * fine)
    colour = colour * (1.0 - stain) + vec(style, 0) * stain
    return colour


@wp.func
def eye_colour(p: wp.vec3, centre: wp.vec3, gaze: wp.vec3, look: wp.array(dtype=float)) -> wp.vec3:
    """Sclera, iris with a dark ring and spokes, pupil; by the angle between the ball's point and the gaze."""
    d = wp.normalize(p - centre)
    angle = wp.acos(wp.clamp(wp.dot(d, gaze), -1.0, 1.0))
    size = look[18]
    white = wp.vec3(0.62, 0.58, 0.55) * (1.0 - 0.25 * ramp(0.5, 1.0, angle))
    state = wp.rand_init(int(look[37]) + 7)
    spokes = 1.0 + 0.5 * wp.noise(state, d * 30.0)
    iris = vec(look, 15) * spokes * (1.0 - 0.65 * ramp(size * 0.75, size, angle))
    colour = white + (iris - white) * ramp(size * 1.06, size * 0.96, angle)
    return colour * (1.0 - 0.96 * ramp(size * 0.46, size * 0.38, angle))


@wp.func
def sky(n: wp.vec3, light: wp.array(dtype=float)) -> wp.vec3:
    t = 0.5 + 0.5 * n[1]
    return vec(light, 9) * (1.0 - t) + vec(light, 6) * t


@wp.func
def shade(
    p: wp.vec3,
    position: wp.vec3,
    normal: wp.vec3,
    direction: wp.vec3,
    kind: int,
    lit: float,
    look: wp.array(dtype=float),
    style: wp.array(dtype=float),
    light: wp.array(dtype=float),
    eyes: wp.array(dtype=wp.vec3),
) -> wp.vec3:
    """Display colour (sRGB-like, 0..1) of a surface point; p is its rest position on the mean head."""
    key = vec(light, 0)
    key_colour = vec(light, 3)
    n = normal
    wrap = 0.0
    gloss = 0.0
    power = 20.0
    albedo = wp.vec3(0.0, 0.0, 0.0)
    if kind == 0:
        albedo = skin_colour(p, look, style)
        wrap = 0.25
        gloss = look[23]
    elif kind == 1:
        side = 0
        if p[0] < 0.0:
            side = 1
        albedo = eye_colour(position, eyes[side], eyes[2 + side], look)
        # The lids shade the upper ball.
        albedo = albedo * (0.45 + 0.55 * ramp(0.038, 0.026, p[1]))
        gloss = 0.8
        power = 120.0
    elif kind == 2:
        # Teeth are painted on the cavity's front, above and below the gap.
        teeth = ramp(0.016, 0.022, p[2]) * ramp(0.020, 0.014, wp.abs(p[0]))
        albedo = wp.vec3(0.10, 0.02, 0.02) * (1.0 - teeth) + wp.vec3(0.55, 0.5, 0.42) * teeth
    elif kind == 3:
        albedo = wp.vec3(0.35, 0.08, 0.08)
        gloss = 0.1
    elif kind == 4:
        state = wp.rand_init(int(style[4] * 10.0) + 3)
        strands = wp.noise(state, wp.cw_mul(p, wp.vec3(style[4], style[4] * 0.12, style[4])))
        albedo = vec(style, 0) * (1.0 + 0.9 * strands)
        n = wp.normalize(n + wp.vec3(0.7 * strands, 0.3 * strands, 0.0))
        gloss = style[3]
        power = 12.0
    else:
        t = 0.0
        if style[13] > 0.5 and style[13] < 1.5:
            t = ramp(0.4, 0.6, 0.5 + 0.5 * wp.sin(p[1] * 420.0))
        elif style[13] >= 1.5:
            t = ramp(0.4, 0.6, 0.5 + 0.5 * wp.sin(p[0] * 250.0) * wp.sin(p[1] * 250.0))
        albedo = vec(style, 7) * (1.0 - t) + vec(style, 10) * t
    diffuse = wp.max((wp.dot(n, key) + wrap) / (1.0 + wrap), 0.0)
    half = wp.normalize(key - direction)
    shine = gloss * wp.pow(wp.max(wp.dot(n, half), 0.0), power) * lit
    colour = wp.cw_mul(albedo, sky(n, light) + key_colour * diffuse * lit) + key_colour * shine * 0.35
    colour = colour * light[12]
    return wp.vec3(
        wp.pow(wp.clamp(colour[0], 0.0, 1.0), 0.4545),
        wp.pow(wp.clamp(colour[1], 0.0, 1.0), 0.4545),
        wp.pow(wp.clamp(colour[2], 0.0, 1.0), 0.4545),
    )
