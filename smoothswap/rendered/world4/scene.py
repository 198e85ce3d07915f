"""What surrounds a person of world 4: light, camera, background, and what may stand before the face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smoothswap.rendered.world4.backgrounds import sample_background
from smoothswap.rendered.world4.lens import FILM, Lens, confusion, sample_lens
from smoothswap.rendered.world4.light import LAMP_NUMBERS, LAMPS, sample_light
from smoothswap.rendered.world4.probes import harmonics

HEAD = 0.26  # m from chin to crown, about
OCCLUDERS = ("none", "microphone", "hand")


@dataclass(frozen=True)
class Scene:
    """All but the person.

    light: light.LIGHT_NUMBERS; camera: focal length (pixels), centre x, y (pixels), distance (m); background: linear
    [size, size, 3]; exposure: factor from light to the sensor; occluder: its name and its seed.
    """

    light: np.ndarray
    probe: str
    camera: np.ndarray
    lens: Lens
    background: np.ndarray
    exposure: float
    occluder: tuple[str, int]
    size: int


def brightness(light: np.ndarray) -> float:
    """Light on a dull surface that faces the camera and a little up, grey, shadows aside."""
    n = np.array([0.0, 0.28, 0.96])
    total = np.maximum(harmonics(n) @ light[:27].reshape(9, 3), 0.02).mean()
    for i in range(LAMPS):
        k = 27 + i * LAMP_NUMBERS
        total += max(float(n @ light[k : k + 3]), 0.0) * light[k + 3 : k + 6].mean() * 0.7
    return float(total)


def sample_scene(rng: np.random.Generator, size: int, albedo: float = 0.25, wide: bool = False) -> Scene:
    """Draw a scene: a head and shoulders shot.

    Args:
        rng: Drawn from.
        size: Side of the frame, pixels.
        albedo: Of the skin that the camera meters, grey (people.skin_albedo).
        wide: Whether the head may also be small in the frame, as in photographs of more than a face.

    Returns:
        The scene; no person is in it yet.
    """
    light, probe = sample_light(rng)
    lens = sample_lens(rng)
    share = rng.uniform(0.30, 0.80) if wide else rng.uniform(0.58, 0.78)
    focal = size * lens.focal / FILM
    distance = focal * HEAD / (share * size)
    if distance < 0.40:  # nobody holds a lens nearer than an arm's length
        distance = 0.40
    centre = size * (0.5 + np.array([rng.normal(0, 0.03), rng.normal(0.0, 0.02)]))
    beyond = distance + rng.uniform(0.6, 4.0)
    blur = float(confusion(lens, beyond, distance, focal)) / size
    background = sample_background(rng, size, probe, blur)
    # Cameras and people with them light a face so that it can be seen, dark ones less so.
    exposure = (
        0.285 * (albedo / 0.25) ** 0.42 / (brightness(light) * albedo) * float(np.exp(rng.normal(0.0, 0.25)))
    )
    name = str(rng.choice(OCCLUDERS, p=[0.91, 0.05, 0.04]))
    camera = np.array([focal, centre[0], centre[1], distance], np.float32)
    background = background * np.float32(np.exp(rng.normal(0.0, 0.5)))
    return Scene(light, probe, camera, lens, background, exposure, (name, int(rng.integers(1, 10**6))), size)
