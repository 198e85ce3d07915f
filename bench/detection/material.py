"""Rendered heads whose 68 landmarks are known: turned, nodding, tilted, small, and half covered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from smoothswap.pixels import Image
from smoothswap.rendered.head import euler_to_pose, load_head
from smoothswap.rendered.landmarks import landmark_vertices
from smoothswap.rendered.motion import State
from smoothswap.rendered.people import sample_identity, sample_styling
from smoothswap.rendered.render import Actor
from smoothswap.rendered.scene import sample_scene

SIZE = 256
YAWS, PITCHES, ROLLS = (0, 15, 30, 45, 60, 75), (-40, -30, -15, 15, 30, 40), (15, 30, 45)
PIXELS = (24, 32, 48, 64)  # height of the landmarks' box
COVERS = ("left half", "lower half", "upper half")
FRAME = (720, 1280)  # of small faces
_COVER = (70, 60, 120)


@dataclass(frozen=True)
class Case:
    """A picture and what is true of it.

    Args:
        kind: "yaw", "pitch", "roll" (degrees), "pixels" or "cover".
        value: Of it, in words.
        image: uint8 [h, w, 3].
        landmarks: float64 [68, 2] in its pixels, where the head's vertices lie, seen or not.
        eyes: Distance of the eyes' middles if the head faced the camera, pixels: what errors are measured in.
    """

    kind: str
    value: str
    image: Image
    landmarks: np.ndarray
    eyes: float


def poses() -> Iterator[tuple[str, str, tuple[float, float, float]]]:
    """(kind, value, (yaw, pitch, roll) in radians) of every case."""
    for kind, turns in (("yaw", YAWS), ("pitch", PITCHES), ("roll", ROLLS)):
        for degrees in turns:
            angles = np.zeros(3)
            angles[("yaw", "pitch", "roll").index(kind)] = np.deg2rad(degrees)
            yield kind, str(degrees), (angles[0], angles[1], angles[2])
    for kind, values in (("pixels", PIXELS), ("cover", COVERS)):
        for value in values:
            yield kind, str(value), (0.0, 0.0, 0.0)


def cases(person: int, seed: int) -> Iterator[Case]:
    """Every case of one person: odd ones turn and tilt to the other side.

    Args:
        person: Its number.
        seed: Of all people.

    Yields:
        A case for each of `poses`.
    """
    rng = np.random.default_rng([seed, person])
    head, actor = load_head(), Actor(sample_identity(rng), sample_styling(rng))
    scene = sample_scene(rng, SIZE)
    expression = np.zeros(len(head.expression_names), np.float32)
    expression[head.expression_index("jawOpen")] = rng.uniform(0, 0.3)
    side = 1 if person % 2 else -1
    ahead = np.zeros(2, np.float32)
    facing = actor.shot(State(euler_to_pose(0, 0, 0), expression, ahead), scene, size=8)
    eyes = _eyes(facing.projected[landmark_vertices()])
    for kind, value, (yaw, pitch, roll) in poses():
        yaw, pitch, roll = np.array([side * yaw, pitch, side * roll]) + rng.normal(0, 0.03, 3)
        shot = actor.shot(State(euler_to_pose(yaw, pitch, roll), expression, ahead), scene)
        points = shot.projected[landmark_vertices()].astype(np.float64)
        case = Case(kind, value, shot.image, points, eyes)
        if kind == "pixels":
            case = _small(case, int(value), rng)
        elif kind == "cover":
            case = _covered(case)
        yield case


def _eyes(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0)))


def _small(case: Case, height: int, rng: np.random.Generator) -> Case:
    """The picture reduced and laid into a large frame of grain, so that nothing but its size tells it from others."""
    side = round(SIZE * height / float(np.ptp(case.landmarks[:, 1])))
    scale = side / SIZE
    frame = np.clip(110 + rng.normal(0, 6, (*FRAME, 3)), 0, 255).astype(np.uint8)
    at = np.array([rng.integers(0, FRAME[1] - side), rng.integers(0, FRAME[0] - side)])
    small = cv2.resize(case.image, (side, side), interpolation=cv2.INTER_AREA)
    frame[at[1] : at[1] + side, at[0] : at[0] + side] = small
    return Case(case.kind, case.value, frame, (case.landmarks + 0.5) * scale - 0.5 + at, case.eyes * scale)


def _covered(case: Case) -> Case:
    """A board before the half of the face that the case names."""
    image, points = case.image.copy(), case.landmarks
    (x0, y0), (x1, y1) = points.min(0) - 30, points.max(0) + 30
    middle, nose = points[:, 0].mean(), points[27:36, 1].mean()
    corners = {
        "left half": (x0, y0, middle, y1), "lower half": (x0, nose, x1, y1), "upper half": (x0, y0, x1, nose),
    }[case.value]  # fmt: skip
    left, top, right, bottom = (max(0, int(edge)) for edge in corners)
    image[top:bottom, left:right] = _COVER
    return Case(case.kind, case.value, image, points, case.eyes)
