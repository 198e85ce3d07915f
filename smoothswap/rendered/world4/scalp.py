"""The hair of the head: where it grows, how it is combed, and strands that follow comb, skull and gravity."""

from __future__ import annotations

import numpy as np

from smoothswap.rendered.head import Head, smoothstep
from smoothswap.rendered.world4.grow import SCALP, Strands, at, roots, unit
from smoothswap.rendered.world4.skull import CENTRE, Skull, ear_share
from smoothswap.rendered.world4.styling import Styling


def scalp_density(
    rest: np.ndarray, ear: np.ndarray, styling: Styling, rough: np.ndarray | float = 0.0
) -> np.ndarray:
    """How thick hair grows at places of the mean head (0..1): soft at the edge, receding at the temples.

    Args:
        rest: [n, 3], m.
        ear: [n], how much a place belongs to an ear (ear_share).
        styling: Its hairline and recession.
        rough: Metres by which the edge wanders.

    Returns:
        [n].
    """
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    back = styling.number("recession")
    line = styling.number("hairline") + 0.030 * back * np.exp(-(((x - 0.040) / 0.017) ** 2)) + 0.008 * back
    line = line - 0.006 * smoothstep(0.02, 0.0, x) * (1 - back)
    line = line - 0.012 * smoothstep(0.03, 0.0, z) - 0.054 * smoothstep(0.018, -0.022, z)
    line = line - 0.030 * smoothstep(-0.010, -0.020, z) * smoothstep(0.060, 0.066, x) * smoothstep(
        -0.034, -0.026, z
    )
    line = line - 0.095 * smoothstep(-0.030, -0.075, z)
    grown = smoothstep(-0.004, 0.011, y - line + rough) * (1 - ear)
    crown = 1 - smoothstep(0.6, 1.0, np.array(back)) * smoothstep(
        0.055, 0.035, np.hypot(rest[:, 0], z + 0.055)
    ) * (y > 0.1)
    return np.asarray(grown * crown)


def _comb(styling: Styling, p: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Direction in which hair starts, how far it stands off, how it gives way to gravity."""
    x, y, z = p[:, 0], p[:, 1], p[:, 2]
    down = np.stack([np.sign(x) * 0.35 * np.exp(-np.abs(x) / 0.08), np.full_like(x, -1.0), 0 * x], -1)
    back = np.stack([0.15 * x / 0.08, 0.15 - 0.6 * smoothstep(0.09, 0.0, y), np.full_like(x, -1.0)], -1)
    whorl = p - np.array([0.01, 0.14, -0.075])
    side = np.sign(x - styling.number("part") + 1e-6)
    apart = np.stack(
        [side * smoothstep(0.04, 0.11, y), np.full_like(x, -0.55), 0.25 - 0.6 * smoothstep(0.02, -0.05, z)],
        -1,
    )
    # Long hair leaves the face: from the part to the sides and back.
    ahead = smoothstep(-0.03, 0.03, z)
    parted = np.stack(
        [side * (0.35 + 0.65 * smoothstep(0.04, 0.11, y)), -0.55 + 0.25 * ahead, -0.1 - 0.45 * ahead], -1
    )
    table = {
        "bald": (whorl, 0.3, 0.0), "buzz": (whorl, 0.5, 0.0), "short": (whorl, 0.42, 0.5), "side": (apart, 0.35, 0.35),
        "back": (back, 0.5, 0.25), "messy": (whorl, 0.5, 0.5), "fringe": (whorl, 0.3, 1.0), "bob": (parted, 0.25, 1.6),
        "long": (parted, 0.25, 1.6), "wavy": (parted, 0.35, 1.4), "curly": (down, 1.1, 0.6), "afro": (n, 2.0, 0.0),
        "bun": (back + np.array([0, 0.35, 0]), 0.06, 0.0),
    }  # fmt: skip
    comb, lift, weight = table[styling.hair]
    if styling.hair == "short":  # short sides fall, the top goes forward
        comb = whorl * smoothstep(0.03, 0.10, y)[:, None] + down * 0.1 * smoothstep(0.10, 0.03, y)[:, None]
    return np.asarray(comb, np.float64), lift, weight


def scalp(
    rng: np.random.Generator, head: Head, neutral: np.ndarray, normals: np.ndarray, styling: Styling
) -> Strands | None:
    """The hair of the head.

    Args:
        rng: Drawn from.
        head: The mesh and its mean.
        neutral: The person's neutral head, [v, 3], m.
        normals: Its unit normals, [v, 3].
        styling: What is worn.

    Returns:
        The strands; None for a bald head.
    """
    if styling.hair == "bald":
        return None
    length, curl, volume = (styling.number(k) for k in ("length", "curl", "volume"))
    count = {"buzz": 16000, "short": 13000, "afro": 14000, "curly": 12000, "bun": 9000}.get(
        styling.hair, 11000
    )
    steps = int(np.clip(length / 0.016, 3, 16)) + 1
    rough = 0.004 * rng.standard_normal(len(head.mean))
    ears = ear_share()
    density = scalp_density(head.mean, ears, styling, rough)
    # On the mean head, so that a swap leaves every hair where it was.
    triangle, weights = roots(rng, head, head.mean, density, count)
    rest = at(head.mean, head, triangle, weights)
    if not len(triangle):
        return None
    root = at(neutral, head, triangle, weights)
    n = unit(at(normals, head, triangle, weights))
    thick = scalp_density(
        at(head.mean, head, triangle, weights), at(ears[:, None], head, triangle, weights)[:, 0], styling
    )
    skull = Skull(neutral, head)
    comb, lift, gravity = _comb(styling, root, n)
    comb = comb - (comb * n).sum(1, keepdims=True) * n
    # Locks: each strand belongs to one of a few hundred, which share wander and curl.
    locks = max(int(count * 0.035), 1)
    lock = rng.integers(0, locks, count)
    cells = np.floor((rest + 0.2) / 0.012)
    order = np.argsort(cells @ np.array([97, 13, 1]), kind="stable")
    lock[order] = np.arange(count) * locks // count
    wander = rng.standard_normal((locks, 3))[lock] * 0.28 + rng.standard_normal((count, 3)) * 0.16
    if styling.hair == "messy":
        wander *= 1.3
    direction = unit(
        unit(comb)
        + n * (lift + 0.25 * rng.standard_normal((count, 1)) * (lift > 0.1))
        + wander * (0.3 + 0.7 * min(length / 0.05, 1))
    )
    own = length * (0.78 + 0.22 * rng.uniform(0, 1, count)) * (0.55 + 0.45 * thick)
    if styling.hair in ("short", "buzz", "side", "back", "messy"):  # cut shorter beside and behind
        own *= (0.28 + 0.72 * smoothstep(0.035, 0.105, root[:, 1])) * (
            0.35 + 0.65 * smoothstep(-0.06, 0.04, root[:, 1])
        )
    if styling.hair == "fringe":
        own *= 1 - 0.35 * smoothstep(0.0, 0.04, root[:, 2]) * smoothstep(0.06, 0.09, np.array(length))
    layer = (
        (0.0015 + 0.013 * volume * rng.uniform(0, 1, count) ** 0.7)
        * min(length / 0.05, 1.0)
        * (1 if styling.hair != "bun" else 0.3)
    )
    # How far hair may stand off beyond its layer.
    stand = {"messy": 0.012, "curly": 0.05, "short": 0.007, "buzz": 0.01, "back": 0.012}.get(
        styling.hair, 0.006
    ) * volume
    phase = rng.uniform(0, 2 * np.pi, locks)[lock] + rng.normal(0, 0.35, count)
    pitch = 0.035 if styling.hair == "wavy" else 0.018
    step, wide_share = own / (steps - 1), rng.uniform(0, 1, count)
    points = np.empty((count, steps, 3))
    points[:, 0] = root - n * 0.0008
    behind = unit(np.array([0.0, 0.45, -1.0]))
    bun = CENTRE + behind * (skull.reach(behind) + 0.020)
    across = unit(np.cross(direction, n + 1e-3))
    p = points[:, 0]
    for k in range(1, steps):
        travelled = step * k
        swing = curl * np.cos(2 * np.pi * travelled / pitch + phase)[:, None] * across
        swing = swing + curl * np.sin(2 * np.pi * travelled / pitch + phase)[:, None] * n * 0.6
        pull = gravity * step / 0.02 * 0.16
        direction = unit(direction + np.stack([0 * pull, -pull, 0 * pull], -1))
        moved = p + step[:, None] * unit(direction + 0.9 * swing)
        if styling.hair == "bun" and k > steps * 0.45:
            moved = moved + (bun + 0.030 * unit(rng.standard_normal((count, 3))) - moved) * 0.75
            new = moved
        elif styling.hair == "afro":
            new = moved
        else:
            risen = min(k / (0.35 * steps), 1.0)
            new = skull.along(moved, layer * risen, layer * risen + stand * k / steps, length > 0.11)
        if length > 0.11 and styling.hair != "bun":  # kept out of the face
            before = smoothstep(-0.015, 0.02, new[:, 2]) * smoothstep(0.105, 0.060, new[:, 1])
            aside = np.maximum(0.062 + 0.02 * wide_share - np.abs(new[:, 0]), 0) * before
            new[:, 0] += np.sign(root[:, 0] - styling.number("part")) * aside
        direction = unit(0.35 * direction + 0.65 * unit(new - p))
        points[:, k] = p = new
    colour = np.array([styling.number(f"hair_{c}") for c in "rgb"])
    tone = np.exp(0.16 * rng.standard_normal(count) + 0.14 * rng.standard_normal(locks)[lock])[:, None]
    colours = colour * tone
    white = rng.uniform(0, 1, count) < styling.number("grey")
    colours[white] = np.array([0.42, 0.415, 0.40]) * rng.uniform(0.75, 1.15, (int(white.sum()), 1))
    width = np.full(count, {"buzz": 0.00032, "short": 0.00045}.get(styling.hair, 0.00062))
    return Strands(
        points.astype(np.float32),
        triangle,
        weights,
        width * (0.5 + 0.5 * thick),
        colours,
        np.full(count, SCALP),
    )
