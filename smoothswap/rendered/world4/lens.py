"""Lens, sensor and development: from linear light to the picture that a camera would have kept."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

FILM = 24.0  # mm, height of the full frame that focal lengths are quoted for


@dataclass(frozen=True)
class Lens:
    """A camera's numbers.

    focal: mm on the full frame; aperture: f-number; gain: the sensor's, 1 for bright light; softness: of the
    glass and the mosaic, in 256ths of the side; contrast, saturation,
    sharpening, clarity (sharpening of what is coarse): of the development; vignette,
    bloom: shares; shutter: share of a frame's time that it is open.
    """

    focal: float
    aperture: float
    gain: float
    contrast: float
    saturation: float
    softness: float
    sharpening: float
    clarity: float
    vignette: float
    bloom: float
    shutter: float
    seed: int


def sample_lens(rng: np.random.Generator) -> Lens:
    """A lens of 24 to 135 mm and a camera behind it: telephones, cameras of conferences, portraits."""
    kind = rng.choice(["telephone", "conference", "portrait"], p=[0.35, 0.25, 0.4])
    focal, aperture = {
        "telephone": (
            rng.uniform(24, 50),
            rng.uniform(6, 14),
        ),  # as the full frame would need for its depth of field
        "conference": (rng.uniform(26, 40), rng.uniform(8, 16)),
        "portrait": (rng.uniform(50, 135), np.exp(rng.uniform(np.log(1.8), np.log(8)))),
    }[str(kind)]
    return Lens(
        focal=float(focal),
        aperture=float(aperture),
        gain=float(np.exp(rng.uniform(np.log(0.4), np.log(4.0)) + 0.5 * (kind == "conference"))),
        contrast=float(rng.uniform(1.0, 1.45)),
        saturation=float(rng.uniform(0.9, 1.25)),
        softness=float(rng.uniform(0.25, 0.7)),
        sharpening=float(rng.uniform(0.0, 0.5)),
        clarity=float(rng.uniform(0.1, 0.9)),
        vignette=float(rng.uniform(0.0, 0.25)),
        bloom=float(rng.uniform(0.0, 0.08)),
        shutter=float(rng.uniform(0.15, 0.6)),
        seed=int(rng.integers(1, 2**31)),
    )


def confusion(lens: Lens, distance: np.ndarray | float, focus: float, focal_pixels: float) -> np.ndarray:
    """Diameter of the circle of confusion, in pixels, of points at a distance from a thin lens.

    Args:
        lens: Its focal length and aperture.
        distance: Of the points from the lens, m.
        focus: Of what is sharp, m.
        focal_pixels: The focal length in pixels.

    Returns:
        As many diameters.
    """
    f = lens.focal / 1000
    pupil = f / lens.aperture
    metres = pupil * f / (focus - f) * np.abs(np.asarray(distance) - focus) / np.asarray(distance)
    return np.asarray(metres * focal_pixels / f)


def disc(picture: np.ndarray, diameter: float) -> np.ndarray:
    """A picture out of focus: every point a disc.

    Args:
        picture: [h, w, 3], linear.
        diameter: In pixels; under 1.2 the picture stays.

    Returns:
        The same shape.
    """
    if diameter < 1.2:
        return picture
    n = int(np.ceil(diameter)) | 1
    line = np.arange(n) - n // 2
    kernel = np.clip(diameter / 2 + 0.5 - np.hypot(line[:, None], line[None]), 0, 1).astype(np.float32)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101))


def tone(light: np.ndarray, contrast: float) -> np.ndarray:
    """The curve from linear light to display values: a straight middle, a shoulder for the lights, a toe.

    Args:
        light: 0 and above; 0.18 is middle grey.
        contrast: Slope about middle grey in the display's terms; 1 is the display's own.

    Returns:
        0..1, rising with `light`.

    Examples:
        >>> [round(float(tone(np.array(v), 1.0)), 2) for v in (0.0, 0.18, 1.0)]
        [0.0, 0.46, 0.98]
    """
    x = np.maximum(light, 0)
    squeezed = x * (1 + x / 4.0) / (1 + 0.30 * x)  # straight at first, then a shoulder: 1 -> 0.96
    display = np.minimum(squeezed, 1.0) ** (1 / 2.2)
    middle = 0.45
    low = middle * (np.minimum(display, middle) / middle) ** contrast
    high = 1 - (1 - middle) * ((1 - np.maximum(display, middle)) / (1 - middle)) ** contrast
    return np.asarray(np.where(display < middle, low, high))


def develop(
    light: np.ndarray,
    lens: Lens,
    frame: int,
    move: tuple[float, float] = (0.0, 0.0),
    blur: np.ndarray | None = None,
) -> np.ndarray:
    """The kept picture.

    Args:
        light: Linear [h, w, 3], exposed so that 0.18 is middle grey.
        lens: The camera.
        frame: The moment's number; its noise depends on it.
        move: Pixels that the face moved since the last frame, x and y.
        blur: [h, w], diameters of confusion in pixels, or None.

    Returns:
        uint8 [h, w, 3].
    """
    h, w = light.shape[:2]
    picture = light
    if blur is not None and blur.max() > 1.2:
        previous, level = picture, 0.0
        for diameter in (2.0, 4.0, 8.0):
            if blur.max() > level:
                softer = disc(light, diameter)
                share = np.clip((blur - level) / (diameter - level), 0, 1)[..., None]
                previous = previous * (1 - share) + softer * share
                level = diameter
        picture = previous
    dx, dy = (lens.shutter * m for m in move)
    long = float(np.hypot(dx, dy))
    if long > 0.6:
        n = int(np.ceil(long)) | 1
        kernel = np.zeros((n, n), np.float32)
        for t in np.linspace(-0.5, 0.5, 4 * n):
            kernel[round(n // 2 + float(t) * dy), round(n // 2 + float(t) * dx)] += 1
        picture = cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)
    if lens.softness > 0:
        picture = cv2.GaussianBlur(picture, (0, 0), max(lens.softness * w / 256, 0.2))
    if lens.bloom > 0.01:
        small = cv2.resize(np.minimum(picture, 4.0), (w // 4, h // 4), interpolation=cv2.INTER_AREA)
        glow = cv2.resize(cv2.GaussianBlur(small, (0, 0), w / 100), (w, h))
        picture = picture * (1 - lens.bloom) + glow * lens.bloom
    y, x = np.linspace(-1, 1, h, dtype=np.float32)[:, None], np.linspace(-1, 1, w, dtype=np.float32)[None]
    picture = picture * (1 - lens.vignette * 0.5 * (x * x + y * y))[..., None]
    # Photons are counted by a sensor whose sites are a little blurred by the mosaic's filling-in.
    rng = np.random.default_rng([lens.seed, frame])
    grain = rng.standard_normal((h, w, 3), np.float32)
    grain = 0.55 * grain + 0.75 * cv2.GaussianBlur(grain, (0, 0), 0.8)
    deviation = np.sqrt(np.maximum(picture, 0) * 0.00022 * lens.gain + (0.0011 * lens.gain) ** 2)
    picture = picture + grain * deviation
    grey = picture @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    picture = grey[..., None] + (picture - grey[..., None]) * lens.saturation
    display = tone(picture, lens.contrast).astype(np.float32)
    fine = display - cv2.GaussianBlur(display, (0, 0), w / 256)
    grey = display.mean(-1)
    small = cv2.resize(grey, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(small - cv2.GaussianBlur(small, (0, 0), w / 85), (w, h))[..., None]
    display = display + lens.sharpening * fine + lens.clarity * coarse
    return np.asarray(np.clip(display * 255 + 0.5, 0, 255), np.uint8)
