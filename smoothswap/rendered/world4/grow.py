"""Hair grown from the skin: roots by area, strands that follow the comb, the skull and gravity.

A strand is a run of points in the neutral person's frame, its root a place in a triangle of the head, so that brows and
beards move with the face (strands.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from smoothswap.rendered.head import SKIN, Head, load_head, smoothstep
from smoothswap.rendered.world4.people import Styling
from smoothswap.rendered.world4.skin import beard_area, brow_area, brow_line

SCALP, BROW, LASH, BEARD = range(4)
NECK = -0.055  # z of the neck's axis, m
CENTRE = np.array([0.0, 0.045, -0.045], np.float32)  # of the skull, m


@dataclass(frozen=True)
class Strands:
    """s strands of k points: points [s, k, 3] m, triangle [s], weights [s, 3] of its corners at the root, width [s] m,
    colour [s, 3] linear, kind [s]; `thick` [s]: m of hair that may lie over the root, for its shade."""

    points: np.ndarray
    triangle: np.ndarray
    weights: np.ndarray
    width: np.ndarray
    colour: np.ndarray
    kind: np.ndarray


def _roots(
    rng: np.random.Generator, head: Head, neutral: np.ndarray, density: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Triangles and barycentric weights of `count` places, drawn by area times density (per vertex)."""
    triangles = np.flatnonzero(head.material == SKIN)
    corners = neutral[head.triangles[triangles]]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    share = area * density[head.triangles[triangles]].mean(1)
    if share.sum() <= 0:
        return np.zeros(0, np.int64), np.zeros((0, 3), np.float32)
    edges = np.cumsum(share) / share.sum()
    chosen = triangles[
        np.minimum(
            np.searchsorted(edges, (np.arange(count) + rng.uniform(0, 1, count)) / count), len(triangles) - 1
        )
    ]
    a, b = np.sqrt(rng.uniform(0, 1, count)), rng.uniform(0, 1, count)
    return chosen, np.stack([1 - a, a * (1 - b), a * b], -1).astype(np.float32)


def _at(values: np.ndarray, head: Head, triangle: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.asarray((values[head.triangles[triangle]] * weights[..., None]).sum(1))


def _unit(v: np.ndarray) -> np.ndarray:
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9))


class Skull:
    """How far the head reaches from its centre in each direction, so that hair can lie on it."""

    def __init__(self, neutral: np.ndarray, head: Head) -> None:
        ids = np.unique(head.triangles[head.material == SKIN])
        ids = ids[ear_share()[ids] < 0.5]
        local = neutral[ids] - CENTRE
        self.radius = np.zeros((24, 48), np.float32)
        r = np.linalg.norm(local, axis=1)
        i, j = self._cell(local / r[:, None])
        np.maximum.at(self.radius, (i, j), r)
        self.radius = _filled(self.radius)
        low = neutral[ids][neutral[ids, 1] < 0.06]
        angle = np.arctan2(low[:, 0], low[:, 2] - NECK)
        self.columns = np.zeros((12, 32), np.float32)  # from y = -0.12 up to 0.06, 15 mm each
        row = np.clip(((low[:, 1] + 0.12) / 0.015).astype(int), 0, 11)
        np.maximum.at(
            self.columns,
            (row, (angle / (2 * np.pi) * 32).astype(int) % 32),
            np.hypot(low[:, 0], low[:, 2] - NECK),
        )
        self.columns = _filled(self.columns)

    def column(self, angle: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The head's and neck's radius about the neck's axis at angles and heights."""
        i = np.clip((y + 0.12) / 0.015 - 0.5, 0, 10.999)
        j = angle / (2 * np.pi) * 32 - 0.5
        a, b = i.astype(int), np.floor(j).astype(int)
        fa, fb = i - a, j - b
        r = self.columns[a, b % 32] * (1 - fa) * (1 - fb) + self.columns[a + 1, b % 32] * fa * (1 - fb)
        return np.asarray(
            r + self.columns[a, (b + 1) % 32] * (1 - fa) * fb + self.columns[a + 1, (b + 1) % 32] * fa * fb
        )

    @staticmethod
    def _cell(d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        i = np.clip((np.arccos(np.clip(d[..., 1], -1, 1)) / np.pi * 24).astype(int), 0, 23)
        j = (np.arctan2(d[..., 0], d[..., 2]) / (2 * np.pi) * 48).astype(int) % 48
        return i, j

    def reach(self, d: np.ndarray) -> np.ndarray:
        """The skull's radius in directions [..., 3], between cells by the four around."""
        a = np.clip(np.arccos(np.clip(d[..., 1], -1, 1)) / np.pi * 24 - 0.5, 0, 22.999)
        b = np.arctan2(d[..., 0], d[..., 2]) / (2 * np.pi) * 48 - 0.5
        i, j = a.astype(int), np.floor(b).astype(int)
        fa, fb = a - i, b - j
        r = self.radius[i, j % 48] * (1 - fa) * (1 - fb) + self.radius[i + 1, j % 48] * fa * (1 - fb)
        return np.asarray(
            r + self.radius[i, (j + 1) % 48] * (1 - fa) * fb + self.radius[i + 1, (j + 1) % 48] * fa * fb
        )

    def along(
        self, p: np.ndarray, clearance: np.ndarray, most: np.ndarray | float, hangs: bool
    ) -> np.ndarray:
        """Points kept between `clearance` and `most` (m) over the skull; what hangs below the ears, only out of the neck."""
        local = p - CENTRE
        r = np.linalg.norm(local, axis=-1)
        d = local / np.maximum(r[..., None], 1e-6)
        around = self.reach(d)
        hung = smoothstep(0.03, -0.05, p[..., 1]) * float(hangs)  # what hangs free is not held to the head
        held = np.minimum(
            np.maximum(r, around + clearance), np.maximum(around + most, 0) * (1 - hung) + hung * 9.0
        )
        pushed = CENTRE + d * held[..., None]
        # Beside and below the ears the head is a column, not a ball.
        out = np.stack([p[..., 0], 0 * p[..., 0], p[..., 2] - NECK], -1)
        far = np.maximum(np.linalg.norm(out, axis=-1), 1e-6)
        wide = self.column(np.arctan2(out[..., 0], out[..., 2]), p[..., 1]) + 1.0 * np.maximum(
            -0.130 - p[..., 1], 0
        )
        stay = np.minimum(np.maximum(far, wide + clearance), (wide + most) * (1 - hung) + hung * 9.0)
        beside = np.stack([out[..., 0] * stay / far, p[..., 1], out[..., 2] * stay / far + NECK], -1)
        low = smoothstep(0.05, 0.02, p[..., 1])[..., None]
        return np.asarray(pushed * (1 - low) + beside * low)


@lru_cache(maxsize=1)
def ear_share() -> np.ndarray:
    """[v], 1 for the vertices of the ears that stand off the head: where ears move and the mesh is fine."""
    head = load_head()
    sides = head.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    long = np.linalg.norm(head.mean[sides[:, 0]] - head.mean[sides[:, 1]], axis=1)
    total, count = np.zeros(len(head.mean)), np.zeros(len(head.mean))
    for k in (0, 1):
        np.add.at(total, sides[:, k], long)
        np.add.at(count, sides[:, k], 1)
    fine = total / np.maximum(count, 1) < 0.0072
    return np.asarray((head.ear_weight > 0.9) & fine, np.float32)


def _filled(radius: np.ndarray) -> np.ndarray:
    """A table of radii [rows, around], its empty cells (0) filled with the mean of those about them."""
    for _ in range(12):
        empty = radius == 0
        if not empty.any():
            break
        tall = np.pad(radius, ((1, 1), (0, 0)), "edge")
        around = np.stack([np.roll(np.roll(tall, a, 0), b, 1)[1:-1] for a in (-1, 0, 1) for b in (-1, 0, 1)])
        mean = around.sum(0) / np.maximum((around > 0).sum(0), 1)
        radius = np.where(empty, mean, radius)
    return radius


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
        "bun": (back + [0, 0.35, 0], 0.06, 0.0),
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
    triangle, weights = _roots(rng, head, neutral, density, count)
    if not len(triangle):
        return None
    root = _at(neutral, head, triangle, weights)
    n = _unit(_at(normals, head, triangle, weights))
    thick = scalp_density(
        _at(head.mean, head, triangle, weights), _at(ears[:, None], head, triangle, weights)[:, 0], styling
    )
    skull = Skull(neutral, head)
    comb, lift, gravity = _comb(styling, root, n)
    comb = comb - (comb * n).sum(1, keepdims=True) * n
    # Locks: each strand belongs to one of a few hundred, which share wander and curl.
    locks = max(int(count * 0.035), 1)
    lock = rng.integers(0, locks, count)
    order = np.argsort(
        np.floor((root[:, 0] + 0.1) / 0.012) * 97
        + np.floor((root[:, 1] + 0.2) / 0.012) * 13
        + np.floor((root[:, 2] + 0.2) / 0.012)
    )
    lock[order] = np.arange(count) * locks // count
    wander = rng.standard_normal((locks, 3))[lock] * 0.28 + rng.standard_normal((count, 3)) * 0.16
    if styling.hair == "messy":
        wander *= 1.3
    direction = _unit(
        _unit(comb)
        + n * (lift + 0.25 * rng.standard_normal((count, 1)) * (lift > 0.1))
        + wander * (0.3 + 0.7 * min(length / 0.05, 1))
    )
    own = length * (0.78 + 0.22 * rng.uniform(0, 1, count)) * (0.55 + 0.45 * thick)
    if styling.hair in ("short", "buzz", "side", "back", "messy"):  # cut shorter beside and behind
        own *= (0.28 + 0.72 * smoothstep(0.035, 0.105, root[:, 1])) * (
            0.35 + 0.65 * smoothstep(-0.06, 0.04, root[:, 1])
        )
    if styling.hair == "fringe":
        own *= 1 - 0.35 * smoothstep(0.0, 0.04, root[:, 2]) * smoothstep(0.06, 0.09, length)
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
    across = _unit(np.cross(direction, n + 1e-3))
    p = points[:, 0]
    for k in range(1, steps):
        travelled = step * k
        swing = curl * np.cos(2 * np.pi * travelled / pitch + phase)[:, None] * across
        swing = swing + curl * np.sin(2 * np.pi * travelled / pitch + phase)[:, None] * n * 0.6
        pull = gravity * step / 0.02 * 0.16
        direction = _unit(direction + np.stack([0 * pull, -pull, 0 * pull], -1))
        moved = p + step[:, None] * _unit(direction + 0.9 * swing)
        if styling.hair == "bun" and k > steps * 0.45:
            moved = (
                moved
                + (np.array([0, 0.105, -0.135]) + 0.030 * _unit(rng.standard_normal((count, 3))) - moved)
                * 0.75
            )
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
        direction = _unit(0.35 * direction + 0.65 * _unit(new - p))
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


def brows(
    rng: np.random.Generator, head: Head, neutral: np.ndarray, normals: np.ndarray, look: dict[str, float]
) -> Strands:
    """The brows: hairs that lie along an arc, upright at its inner end.

    Args:
        rng: Drawn from.
        head: The mesh and its mean.
        neutral: The person's neutral head, [v, 3], m.
        normals: Its unit normals, [v, 3].
        look: The person's numbers by name.

    Returns:
        The strands of both sides.
    """
    rest = head.mean
    drawn = np.where(
        (rest[:, 2] > 0.0) & (np.abs(rest[:, 1] - 0.047) < 0.014) & (np.abs(rest[:, 0]) < 0.066), 1.0, 0.0
    )
    triangle, weights = _roots(rng, head, neutral, drawn, 45000)
    place = _at(rest, head, triangle, weights)
    s = (np.abs(place[:, 0]) - 0.0105) / look["brow_length"]
    t = np.clip(s, 0, 1)
    middle, half = brow_line(s, look)
    inside = brow_area(np.abs(place[:, 0]), place[:, 1], look)
    kept = rng.uniform(0, 1, len(s)) < inside * look["brow_density"]
    triangle, weights, t, place = triangle[kept], weights[kept], t[kept], place[kept]
    count = len(t)
    root, n = _at(neutral, head, triangle, weights), _unit(_at(normals, head, triangle, weights))
    above = (place[:, 1] - middle[kept]) / np.maximum(half[kept], 1e-5)
    angle = (
        1.35 * (1 - smoothstep(0.0, 0.28, t))
        + 0.35 * (1 - t)
        - 0.45 * np.clip(above, -1, 1)
        - 0.22 * t
        + rng.normal(0, 0.14, count)
    )
    flow = np.stack([np.sign(place[:, 0]) * np.cos(angle), np.sin(angle), 0 * angle], -1)
    flow = _unit(flow - (flow * n).sum(1, keepdims=True) * n)
    own = (0.0072 - 0.0025 * t) * rng.uniform(0.7, 1.15, count)
    k = np.linspace(0, 1, 4)[None, :, None]
    points = root[:, None] + own[:, None, None] * k * (flow[:, None] + n[:, None] * (0.32 - 0.22 * k))
    colour = np.array([look[f"brow_{c}"] for c in "rgb"]) * np.exp(0.25 * rng.standard_normal((count, 1)))
    return Strands(
        points.astype(np.float32), triangle, weights, np.full(count, 0.00020), colour, np.full(count, BROW)
    )


def beard(
    rng: np.random.Generator, head: Head, neutral: np.ndarray, normals: np.ndarray, look: dict[str, float]
) -> Strands | None:
    """Moustache and beard.

    Args:
        rng: Drawn from.
        head: The mesh and its mean.
        neutral: The person's neutral head, [v, 3], m.
        normals: Its unit normals, [v, 3].
        look: The person's numbers by name.

    Returns:
        The strands; None where nothing grows.
    """
    most = max(look[k] for k in ("moustache", "chin_beard", "cheek_beard"))
    if most <= 0:
        return None
    rest = head.mean
    grown = beard_area(rest[:, 0], rest[:, 1], rest[:, 2])
    density = np.max([grown[k] * look[k] for k in grown], 0) * (head.ear_weight < 0.3)
    count = int(9000 * min(1.0, 0.3 + float(np.mean([look[k] for k in grown])))) if most > 0.8 else 6000
    wide = np.zeros(len(rest))
    wide[np.unique(head.triangles[density[head.triangles].max(1) > 0.01])] = 1
    triangle, weights = _roots(rng, head, neutral, wide, 2 * count)
    place = _at(rest, head, triangle, weights)
    here = beard_area(place[:, 0], place[:, 1], place[:, 2])
    thick = np.max([here[k] * look[k] for k in here], 0)
    kept = rng.uniform(0, 1, len(thick)) < thick * (0.85 if most > 0.8 else 0.5)
    triangle, weights, place, thick = triangle[kept], weights[kept], place[kept], thick[kept]
    count = len(place)
    if count == 0:
        return None
    root, n = _at(neutral, head, triangle, weights), _unit(_at(normals, head, triangle, weights))
    flow = np.stack(
        [
            0.5 * np.sign(place[:, 0]) * smoothstep(0.0, 0.012, np.abs(place[:, 0])),
            np.full(count, -1.0),
            np.zeros(count),
        ],
        -1,
    )
    flow = _unit(flow - (flow * n).sum(1, keepdims=True) * n)
    wander = 0.35 * rng.standard_normal((count, 3))
    upper = here["moustache"][kept] * look["moustache"] > 0.3
    own = look["beard_length"] * rng.uniform(0.55, 1.1, count) * (0.4 + 0.6 * thick)
    own = np.where(upper, np.minimum(own, 0.009), own)
    k = np.linspace(0, 1, 5)[None, :, None]
    points = root[:, None] + own[:, None, None] * k * (
        (flow + wander)[:, None] * (0.6 + 0.5 * k) + n[:, None] * (0.75 - 0.45 * k)
    )
    colour = np.array([look[f"beard_{c}"] for c in "rgb"]) * np.exp(0.3 * rng.standard_normal((count, 1)))
    grey = rng.uniform(0, 1, count) < np.clip((look["age"] - 42) / 40, 0, 0.8)
    colour[grey] = np.array([0.38, 0.375, 0.36])
    return Strands(
        points.astype(np.float32), triangle, weights, np.full(count, 0.00024), colour, np.full(count, BEARD)
    )


def joined(parts: list[Strands]) -> list[np.ndarray]:
    """All strands as one run of points: points [p, 3], first [s] and count [s] of each strand's, root's triangle, weights, width, colour, kind."""
    counts = np.concatenate([np.full(len(part.points), part.points.shape[1]) for part in parts])
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rest = [
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("triangle", "weights", "width", "colour", "kind")
    ]
    return [np.concatenate([part.points.reshape(-1, 3) for part in parts]), first, counts, *rest]


def lashes(rng: np.random.Generator, head: Head, neutral: np.ndarray, look: dict[str, float]) -> Strands:
    """Lashes along the lids' edges: above long and curved upwards, below short.

    Args:
        rng: Drawn from.
        head: The mesh and its mean.
        neutral: The person's neutral head, [v, 3], m.
        look: The person's numbers by name.

    Returns:
        The strands of both eyes.
    """
    skin = np.flatnonzero(head.material == SKIN)
    middle = head.mean[head.triangles[skin]].mean(1)
    near = (np.abs(middle[:, 1] - 0.025) < 0.015) & (middle[:, 2] > 0.01)
    skin, middle = skin[near], middle[near]
    roots, parts = [], []
    for side in (-1, 1):
        for upper, count in ((True, 120), (False, 60)):
            u = np.linspace(0.04, 0.97, count) + rng.normal(0, 0.008, count)
            x = 0.0190 + 0.0238 * u
            lift = 0.0072 if upper else -0.0040
            y = 0.0236 + 0.0018 * u + lift * np.sin(np.pi * np.clip(u, 0, 1)) ** 0.8
            z = 0.0335 + 0.0030 * np.sin(np.pi * u) - 0.0045 * u
            place = np.stack([side * x, y, z], -1)
            nearest = skin[((place[:, None] - middle[None]) ** 2).sum(-1).argmin(1)]
            roots.append((nearest, place))
            outward = (u - 0.42) * 1.1
            k = np.linspace(0, 1, 5)[None, :, None]
            long = (
                (0.0064 if upper else 0.0034)
                * look["lash"]
                * rng.uniform(0.75, 1.1, count)
                * (0.75 + 0.35 * u)
            )
            ahead = np.stack(
                [side * outward, np.full(count, -0.15 if upper else -0.45), np.ones(count)], -1
            ) + 0.12 * rng.standard_normal((count, 3))
            rise = np.stack([0 * outward, np.full(count, 1.0 if upper else -0.25), 0 * outward], -1)
            parts.append(long[:, None, None] * (k * ahead[:, None] * 0.8 + 0.75 * k**2 * rise[:, None]))
    triangle = np.concatenate([t for t, _ in roots])
    corners = head.mean[head.triangles[triangle]]
    wanted = np.concatenate([p for _, p in roots])
    close = 1 / (((corners - wanted[:, None]) ** 2).sum(-1) + 1e-8)
    weights = (close / close.sum(1, keepdims=True)).astype(np.float32)
    at = _at(neutral, head, triangle, weights) + (
        wanted - _at(head.mean, head, triangle, weights)
    ) * np.array([1, 1, 0.4])
    points = at[:, None] + np.concatenate(parts)
    count = len(points)
    colour = np.array([look[f"brow_{c}"] for c in "rgb"]) * 0.35 + 0.002
    return Strands(
        points.astype(np.float32),
        triangle,
        weights,
        np.full(count, 0.00018),
        np.tile(colour, (count, 1)),
        np.full(count, LASH),
    )


def thinned(strands: Strands, step: int) -> Strands:
    """Every `step`th strand, each wide enough to stand for those left out: what a small picture needs.

    Args:
        strands: All of them.
        step: 1 leaves them as they are.

    Returns:
        New strands; the same ones for 1.
    """
    if step == 1:
        return strands
    kept = {name: getattr(strands, name)[::step] for name in strands.__dataclass_fields__}
    return Strands(**kept | {"width": kept["width"] * step**0.75})
