"""Rendered faces in which one thing changes at a time: what instruments are examined with (bench.validity).

Every person has free pictures (person, hair, state, light, camera and background all drawn) and one series: a base picture
and copies of it that differ in a single factor. The truth of each is known: shape and expression in mm of the visible
face's vertices (smoothswap.rendered.codes), pose as axis-angle, identity as a name.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from smoothswap.pixels import Image
from smoothswap.rendered import streams
from smoothswap.rendered.codes import expression_map, shape_space
from smoothswap.rendered.head import load_head
from smoothswap.rendered.motion import Motion, State
from smoothswap.rendered.people import sample_identity, sample_styling
from smoothswap.rendered.render import Actor
from smoothswap.rendered.scene import Scene, sample_light, sample_scene

FACTORS = ("identity", "expression", "pose", "light", "blur", "compression", "again")
OWN = {
    "identity": "identity",
    "shape": "identity",
    "expression": "expression",
    "pose": "pose",
}  # a reading's factor
FREE = 4  # free pictures of a person
YAW = 0.30  # radians, the amplitude of turning of the benchmark's clips (smoothswap.rendered.ffpp.CLIP_YAW)
BLUR = 0.012  # standard deviation of "blur", of the picture's side: what a 128-pixel face looks like at 48
JPEG_QUALITY = 25  # of "compression"
SHIFT = 0.004  # "again": the camera moved by up to this share of the side, and fresh noise
NOISE = 2.0  # standard deviation of that noise, grey levels


@dataclass(frozen=True)
class Sample:
    """One picture and its truth: factor "free", "base" or one of FACTORS; shape and expression in mm; pose axis-angle."""

    image: Image
    person: int
    identity: int  # of the face shown: the person's number, another for the factor "identity"
    factor: str
    shape: npt.NDArray[np.float32]
    expression: npt.NDArray[np.float32]
    pose: npt.NDArray[np.float32]


def person_samples(person: int, size: int, seed: int) -> list[Sample]:
    """The free pictures and the series of one person. The same arguments give the same bytes.

    Args:
        person: The number, 0 and up.
        size: Side of a picture, pixels.
        seed: Of all people.

    Returns:
        FREE free ones, the base, and one of each of FACTORS in their order.
    """
    rng = np.random.default_rng([seed, streams.VALIDITY, person])
    identity = sample_identity(rng)
    samples = []

    def keep(
        actor: Actor, scene: Scene, state: State, factor: str, who: int, image: Image | None = None
    ) -> Image:
        picture = actor.shot(state, scene).image if image is None else image
        shape = shape_space().codes(actor.neutral).astype(np.float32)
        expression = (expression_map() @ state.expression).astype(np.float32)
        samples.append(
            Sample(picture, person, who, factor, shape, expression, np.asarray(state.pose, np.float32))
        )
        return picture

    for _ in range(FREE):
        actor, scene = Actor(identity, sample_styling(rng)), sample_scene(rng, size)
        keep(actor, scene, drawn_state(rng), "free", person)
    styling, scene, state = sample_styling(rng), sample_scene(rng, size), drawn_state(rng)
    actor = Actor(identity, styling)
    base = keep(actor, scene, state, "base", person)
    other, changed = Actor(sample_identity(rng), styling), drawn_state(rng)
    keep(other, scene, state, "identity", -1 - person)
    keep(actor, scene, State(state.pose, changed.expression, state.gaze), "expression", person)
    keep(actor, scene, State(changed.pose, state.expression, state.gaze), "pose", person)
    lit = Scene(sample_light(rng), scene.camera, scene.background, scene.size)
    keep(actor, lit, state, "light", person)
    keep(actor, scene, state, "blur", person, blurred(base, BLUR))
    keep(actor, scene, state, "compression", person, compressed(base, JPEG_QUALITY))
    camera = scene.camera + np.array([0, *(rng.uniform(-1, 1, 2) * SHIFT * size), 0], np.float32)
    again = actor.shot(state, Scene(scene.light, camera, scene.background, scene.size)).image
    noisy = again + rng.normal(0, NOISE, again.shape)
    keep(actor, scene, state, "again", person, noisy.round().clip(0, 255).astype(np.uint8))
    return samples


def drawn_state(rng: np.random.Generator) -> State:
    """Pose, expression and gaze at a moment of a motion drawn by lot."""
    return Motion(rng, load_head(), yaw=YAW).at(float(rng.uniform(0, 8)))


def blurred(image: Image, sigma: float) -> Image:
    """A picture under a Gaussian blur.

    Args:
        image: uint8 [h, w, 3].
        sigma: Standard deviation, as a share of the picture's width.

    Returns:
        uint8 [h, w, 3].
    """
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma * image.shape[1]), np.uint8)


def compressed(image: Image, quality: int) -> Image:
    """The picture after a round trip through JPEG, colour at half the resolution.

    Args:
        image: uint8 [h, w, 3] RGB.
        quality: Of the JPEG as Pillow counts it, 0 to 95.

    Returns:
        uint8 [h, w, 3] RGB.
    """
    from PIL import Image as Pictures

    buffer = io.BytesIO()
    Pictures.fromarray(image).save(buffer, "JPEG", quality=quality)
    with Pictures.open(buffer) as read:
        return np.asarray(read.convert("RGB"))
