"""What stands behind a person: rooms, offices, streets, gardens and studio walls, drawn and then out of focus."""

from __future__ import annotations

import cv2
import numpy as np

OUTDOORS = (
    "bridge",
    "city",
    "dawn",
    "esplanade",
    "forest",
    "night",
    "park",
    "sky",
    "sunrise",
    "sunset",
    "venice",
)
Picture = np.ndarray


def _tint(rng: np.random.Generator, low: float, high: float, colour: float = 0.35) -> np.ndarray:
    """A muted linear colour."""
    grey = np.exp(rng.uniform(np.log(low), np.log(high)))
    return np.asarray(grey * np.clip(1 + colour * rng.normal(0, 0.45, 3), 0.15, 2.2), np.float32)


def _clouds(rng: np.random.Generator, size: int, cells: int, octaves: int = 4) -> np.ndarray:
    total: np.ndarray = np.zeros((size, size), np.float32)
    for k in range(octaves):
        n = min(cells * 2**k + 2, size)
        grains = rng.standard_normal((n, n), np.float32)
        large: np.ndarray = np.asarray(
            cv2.resize(grains, (size, size), interpolation=cv2.INTER_CUBIC), np.float32
        )
        total = total + large / np.float32(1.7**k)
    return total


def _box(
    picture: Picture, x0: float, y0: float, x1: float, y1: float, colour: np.ndarray, shade: float = 0.0
) -> None:
    """A rectangle in shares of the picture; `shade` darkens it from left to right."""
    n = picture.shape[0]
    a, b, c, d = (round(v * n) for v in (x0, x1, y0, y1))
    a, c = max(a, 0), max(c, 0)
    if b <= a or d <= c or a >= n or c >= n:
        return
    part = picture[c:d, a:b]
    part[:] = colour * (1 - shade * np.linspace(0, 1, part.shape[1], dtype=np.float32))[None, :, None]


def _window(rng: np.random.Generator, picture: Picture, x: np.ndarray, cx: float, cy: float) -> None:
    """Four panes of daylight in a frame."""
    w, h = rng.uniform(0.12, 0.35), rng.uniform(0.25, 0.6)
    _box(
        picture,
        cx - w - 0.015,
        cy - h / 2 - 0.02,
        cx + 0.015,
        cy + h / 2 + 0.03,
        _tint(rng, 0.4, 0.8, 0.05),
    )
    outside = _tint(rng, 0.9, 3.5, 0.12)
    for i in range(2):
        for j in range(2):
            _box(
                picture,
                cx - w + w / 2 * i + 0.006,
                cy - h / 2 + h / 2 * j + 0.006,
                cx - w / 2 + w / 2 * i - 0.004,
                cy + h / 2 * j - 0.004,
                outside * rng.uniform(0.7, 1.1),
            )


def _door(rng: np.random.Generator, picture: Picture, x: np.ndarray, cx: float, cy: float) -> None:
    """A door in its case."""
    w = rng.uniform(0.16, 0.28)
    _box(
        picture,
        cx - 0.015,
        0.05 + rng.uniform(0, 0.1),
        cx + w + 0.015,
        1.0,
        _tint(rng, 0.3, 0.7, 0.1),
    )
    _box(picture, cx, 0.08 + rng.uniform(0, 0.1), cx + w, 1.0, _tint(rng, 0.06, 0.5), 0.3)


def _frame(rng: np.random.Generator, picture: Picture, x: np.ndarray, cx: float, cy: float) -> None:
    """A picture on the wall."""
    w, h = rng.uniform(0.06, 0.2), rng.uniform(0.06, 0.2)
    _box(picture, cx, cy, cx + w, cy + h, _tint(rng, 0.02, 0.3))
    _box(picture, cx + 0.01, cy + 0.01, cx + w - 0.01, cy + h - 0.01, _tint(rng, 0.1, 0.7))
    _box(picture, cx + 0.03, cy + 0.03, cx + w - 0.03, cy + h - 0.03, _tint(rng, 0.05, 0.6, 0.8))


def _shelf(rng: np.random.Generator, picture: Picture, x: np.ndarray, cx: float, cy: float) -> None:
    """Boards with books."""
    w, wood = rng.uniform(0.2, 0.45), _tint(rng, 0.03, 0.3)
    for shelf in np.arange(rng.uniform(-0.1, 0.1), 1.0, rng.uniform(0.13, 0.2)):
        _box(picture, cx, shelf, cx + w, shelf + 0.15, wood * 0.35)
        at = cx
        while at < cx + w - 0.02:
            book, tall = rng.uniform(0.008, 0.03), rng.uniform(0.07, 0.12)
            if rng.uniform() < 0.85:
                _box(
                    picture,
                    at,
                    shelf + 0.14 - tall,
                    at + book,
                    shelf + 0.14,
                    _tint(rng, 0.02, 0.5, 0.9),
                    0.3,
                )
            at += book
        _box(picture, cx, shelf + 0.14, cx + w, shelf + 0.155, wood)


def _plant(rng: np.random.Generator, picture: Picture, x: np.ndarray, cx: float, cy: float) -> None:
    """Leaves out of a pot below."""
    n = len(x)
    green = np.array([0.05, 0.11, 0.03], np.float32) * rng.uniform(0.5, 1.8)
    for _leaf in range(int(rng.integers(20, 60))):
        a = rng.uniform(-2.6, -0.5)
        r = rng.uniform(0.02, 0.2)
        centre = (int((cx + r * np.cos(a)) * n), int((0.75 + 1.4 * r * np.sin(a)) * n))
        cv2.ellipse(
            picture,
            centre,
            (int(0.05 * n), max(int(0.012 * n), 1)),
            np.degrees(a),
            0,
            360,
            [float(v) for v in green * rng.uniform(0.4, 2.2)],
            -1,
        )


def _lamp(rng: np.random.Generator, picture: Picture, x: np.ndarray, cx: float, cy: float) -> None:
    """A lit shade and its glow on the wall."""
    n = len(x)
    cv2.ellipse(
        picture,
        (int(cx * n), int(cy * n)),
        (int(0.07 * n), int(0.05 * n)),
        0,
        0,
        360,
        [3.2, 2.4, 1.5],
        -1,
    )
    away = np.hypot(x[None, :] - cx, x[:, None] - cy)
    picture += (0.5 * np.exp(-((away / 0.18) ** 2)))[..., None] * np.array([1.0, 0.75, 0.45], np.float32)


def _sofa(rng: np.random.Generator, picture: Picture, x: np.ndarray, cx: float, cy: float) -> None:
    """The back of a sofa."""
    _box(picture, cx - 0.4, rng.uniform(0.65, 0.85), cx + 0.4, 1.0, _tint(rng, 0.03, 0.4, 0.8), 0.2)


def _board(rng: np.random.Generator, picture: Picture, x: np.ndarray, cx: float, cy: float) -> None:
    """A dark or a white panel."""
    _box(
        picture,
        cx,
        cy,
        cx + rng.uniform(0.2, 0.5),
        cy + rng.uniform(0.15, 0.35),
        _tint(rng, 0.015, 0.9, 0.05),
    )


def _curtain(rng: np.random.Generator, picture: Picture, x: np.ndarray, cx: float, cy: float) -> None:
    """Cloth in folds from top to bottom."""
    n = len(x)
    w = rng.uniform(0.1, 0.3)
    part = slice(max(int((cx) * n), 0), max(int((cx + w) * n), 0))
    folds = 1 + 0.35 * np.sin(np.arange(n)[part] / n * rng.uniform(120, 260))
    picture[:, part] = _tint(rng, 0.1, 0.6, 0.6) * folds[None, :, None]


_THINGS = (_window, _door, _frame, _shelf, _plant, _lamp, _sofa, _board, _curtain)


def _room(rng: np.random.Generator, n: int) -> Picture:
    """Two walls that meet, a floor, and what rooms hold."""
    wall = _tint(rng, 0.12, 0.6)
    picture = np.empty((n, n, 3), np.float32)
    light = 1 + 0.35 * np.linspace(rng.uniform(-1, 1), rng.uniform(-1, 1), n, dtype=np.float32)
    picture[:] = wall * light[None, :, None]
    picture *= (1 - 0.25 * np.linspace(0, 1, n, dtype=np.float32))[:, None, None]
    corner = rng.uniform(-0.3, 1.3)
    tilt = rng.uniform(-0.04, 0.04)
    x = np.linspace(0, 1, n, dtype=np.float32)
    behind = x[None, :] > corner + tilt * (x[:, None] - 0.5)
    picture[behind] *= rng.uniform(0.55, 0.85)
    if rng.uniform() < 0.5:
        ceiling = rng.uniform(0.0, 0.16) + np.abs(x - corner) * rng.uniform(0.0, 0.15)
        picture[(x[:, None] < ceiling[None, :])] = _tint(rng, 0.4, 0.8, 0.05)
    if rng.uniform() < 0.6:
        floor = rng.uniform(0.75, 1.0) + np.abs(x - corner) * rng.uniform(0, 0.2)
        picture[(x[:, None] > floor[None, :])] = _tint(rng, 0.06, 0.3, 0.5)
    for _ in range(int(rng.integers(1, 5))):
        thing = _THINGS[rng.integers(len(_THINGS))]
        thing(rng, picture, x, rng.uniform(-0.05, 1.05), rng.uniform(0.05, 0.6))
    return picture


def _street(rng: np.random.Generator, n: int, night: bool) -> Picture:
    """Sky, houses with windows, trees, a road, cars and lights."""
    picture = np.empty((n, n, 3), np.float32)
    top, low = np.array([0.35, 0.55, 0.95], np.float32), np.array([0.85, 0.9, 1.0], np.float32)
    sky = rng.uniform(0.6, 1.6) * (top + (low - top) * rng.uniform(0.2, 1))
    if night:
        sky = sky * 0.02
    picture[:] = sky * np.linspace(0.8, 1.15, n, dtype=np.float32)[:, None, None]
    horizon = rng.uniform(0.55, 0.85)
    for _depth in range(3):
        at = rng.uniform(-0.2, 0.0)
        while at < 1.0:
            w, roof = rng.uniform(0.15, 0.5), rng.uniform(-0.2, 0.45)
            wall = _tint(rng, 0.06, 0.5) * (0.15 if night else 1.0)
            if rng.uniform() < 0.75:
                _box(picture, at, roof, at + w, horizon, wall, rng.uniform(0, 0.4))
                wx, wy = rng.uniform(0.03, 0.07), rng.uniform(0.05, 0.10)
                pane = wall * rng.uniform(0.2, 0.6)
                for u in np.arange(at + 0.02, at + w - 0.03, wx):
                    for v in np.arange(max(roof, -0.05) + 0.02, horizon - 0.1, wy):
                        lit = (
                            np.array([1.6, 1.1, 0.55], np.float32)
                            if night and rng.uniform() < 0.3
                            else pane * rng.uniform(0.6, 1.4)
                        )
                        _box(picture, u, v, u + wx * 0.5, v + wy * 0.6, lit)
            at += w * rng.uniform(0.7, 1.2)
    _box(picture, 0, horizon, 1, 1, _tint(rng, 0.08, 0.3, 0.1) * (0.2 if night else 1))
    if rng.uniform() < 0.6:
        _leaves(
            rng,
            picture,
            rng.uniform(0, 1),
            rng.uniform(0.0, 0.5),
            rng.uniform(0.15, 0.4),
            0.25 if night else 1.0,
        )
    for _ in range(int(rng.integers(0, 4))):  # cars
        u = rng.uniform(0, 1)
        paint = _tint(rng, 0.01, 0.5, 0.9)
        _box(picture, u, horizon - 0.05, u + 0.25, horizon + 0.06, paint)
        _box(picture, u + 0.04, horizon - 0.10, u + 0.2, horizon - 0.045, paint * 0.3)
    for _ in range(int(rng.integers(8, 30)) if night else int(rng.integers(0, 6))):
        colour = np.array([[6, 4, 2], [5, 1, 0.6], [4, 4.5, 5], [1, 3.5, 1.5]][rng.integers(4)], np.float32)
        cv2.circle(
            picture,
            (int(rng.uniform(0, 1) * n), int(rng.uniform(0.2, 0.9) * n)),
            max(int(0.006 * n), 1),
            [float(v) for v in colour],
            -1,
        )
    return picture


def _leaves(
    rng: np.random.Generator, picture: Picture, cx: float, cy: float, radius: float, light: float
) -> None:
    n = picture.shape[0]
    x = np.linspace(0, 1, n, dtype=np.float32)
    away = np.hypot((x[None] - cx), (x[:, None] - cy) * 0.9) / radius
    clouds = _clouds(rng, n, 10)
    tree = np.clip((1.0 - away + 0.35 * clouds) * 6, 0, 1)
    green = np.array([0.060, 0.088, 0.036], np.float32) * rng.uniform(0.5, 1.8) * light
    shade = np.exp(0.7 * _clouds(rng, n, 18))[..., None]
    picture[:] = picture * (1 - tree[..., None]) + green * shade * tree[..., None]


def _garden(rng: np.random.Generator, n: int) -> Picture:
    picture = np.empty((n, n, 3), np.float32)
    picture[:] = np.array([0.75, 0.85, 1.0], np.float32) * rng.uniform(0.5, 1.5)
    picture[int(rng.uniform(0.5, 0.8) * n) :] = np.array([0.075, 0.10, 0.045], np.float32) * rng.uniform(
        0.6, 2
    )
    for _ in range(int(rng.integers(3, 7))):
        _leaves(
            rng, picture, rng.uniform(0, 1), rng.uniform(0, 0.7), rng.uniform(0.2, 0.5), rng.uniform(0.4, 1.4)
        )
    return picture


def _studio(rng: np.random.Generator, n: int) -> Picture:
    x = np.linspace(0, 1, n, dtype=np.float32)
    glow = np.exp(
        -(
            ((x[None] - rng.uniform(0.2, 0.8)) ** 2 + (x[:, None] - rng.uniform(0.2, 0.8)) ** 2)
            / rng.uniform(0.2, 0.9)
        )
    )
    cloth = 1 + 0.12 * rng.uniform(0, 1) * _clouds(rng, n, 3)
    return np.asarray((_tint(rng, 0.03, 0.7, 0.4) * (0.45 + 0.75 * glow * cloth)[..., None]), np.float32)


def sample_background(rng: np.random.Generator, size: int, probe: str, diameter: float) -> Picture:
    """A background that suits the probe's place, out of focus.

    Args:
        rng: Drawn from.
        size: Its side, pixels.
        probe: Name of the scene's probe.
        diameter: Of the circle of confusion, as a share of the side.

    Returns:
        float32 [size, size, 3], linear, where about 0.18 is middle grey.
    """
    n = 256  # the same things whatever the size
    if probe in OUTDOORS:
        kind = str(
            rng.choice(
                ["street", "garden", "studio"],
                p=[0.55, 0.35, 0.1] if probe not in ("forest", "park") else [0.1, 0.85, 0.05],
            )
        )
    else:
        kind = str(rng.choice(["room", "studio"], p=[0.78, 0.22]))
    picture = {
        "street": lambda: _street(rng, n, probe == "night"),
        "garden": lambda: _garden(rng, n),
        "room": lambda: _room(rng, n),
        "studio": lambda: _studio(rng, n),
    }[kind]()
    from smoothswap.rendered.world4.lens import disc

    picture = picture * (1 + 0.03 * _clouds(rng, n, 40, 2))[..., None]
    picture = disc(cv2.GaussianBlur(picture, (0, 0), 0.7), float(np.clip(diameter * n, 0, 45)))
    return np.asarray(
        np.maximum(
            cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA if size < n else cv2.INTER_CUBIC),
            0,
        ),
        np.float32,
    )
