"""Small functions of warp that every kernel of world 4 uses."""

from __future__ import annotations

import warp as wp

from smoothswap.rendered.start import start_warp

start_warp()


@wp.func
def vec(a: wp.array(dtype=float), i: int) -> wp.vec3:
    return wp.vec3(a[i], a[i + 1], a[i + 2])


@wp.func
def ramp(low: float, high: float, x: float) -> float:
    t = wp.clamp((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
